/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names and layouts of the negotiated extensions to PV Calls version 1. Their
 * meaning is specified in docs/protocol-extensions.md. Version 1 itself is in
 * Xen's header.
 */
#ifndef PVCALLS_EXT_H
#define PVCALLS_EXT_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <xen/interface/io/pvcalls.h>

/* Largest data ring that the specification allows: 2^9 pages, 1 MiB each way */
#define PVCALLS_MAX_PAGE_ORDER	9

/* Largest command ring: 2^4 pages, 512 slots */
#define PVCALLS_MAX_CMD_ORDER	4

/* Size of the address field of connect and bind requests, in bytes */
#define PVCALLS_ADDR_LEN	28

/**
 * enum pvcalls_feature - extensions, as bits of a negotiated set
 * @PVCALLS_F_DEFER: "feature-defer", responses that come later
 * @PVCALLS_F_SHUTDOWN: "feature-shutdown", half-close, draining release, abort
 * @PVCALLS_F_NAMES: "feature-names", addresses in responses, PVCALLS_GETNAME
 * @PVCALLS_F_IPV6: "feature-ipv6", AF_INET6 stream sockets
 * @PVCALLS_F_WAKEUP: "feature-wakeup", wake-up thresholds in the indexes page
 * @PVCALLS_F_SOCKOPT: "feature-sockopt", socket options
 * @PVCALLS_F_REUSE: "feature-reuse", data rings that serve socket after socket
 * @PVCALLS_F_OPEN: "feature-open", CONNECT that creates its socket
 * @PVCALLS_F_SHARED_EVTCHN: "feature-shared-evtchn", event channels that serve
 *	many data rings
 * @PVCALLS_F_DGRAM: "feature-dgram", sockets of datagrams
 * @PVCALLS_F_GETSOCKOPT: "feature-getsockopt", options that are read
 * @PVCALLS_F_COUNT: number of extensions
 */
enum pvcalls_feature {
	PVCALLS_F_DEFER,
	PVCALLS_F_SHUTDOWN,
	PVCALLS_F_NAMES,
	PVCALLS_F_IPV6,
	PVCALLS_F_WAKEUP,
	PVCALLS_F_SOCKOPT,
	PVCALLS_F_REUSE,
	PVCALLS_F_OPEN,
	PVCALLS_F_SHARED_EVTCHN,
	PVCALLS_F_DGRAM,
	PVCALLS_F_GETSOCKOPT,
	PVCALLS_F_COUNT,
};

#define PVCALLS_FEATURE_KEYS { \
	[PVCALLS_F_DEFER]	= "feature-defer", \
	[PVCALLS_F_SHUTDOWN]	= "feature-shutdown", \
	[PVCALLS_F_NAMES]	= "feature-names", \
	[PVCALLS_F_IPV6]	= "feature-ipv6", \
	[PVCALLS_F_WAKEUP]	= "feature-wakeup", \
	[PVCALLS_F_SOCKOPT]	= "feature-sockopt", \
	[PVCALLS_F_REUSE]	= "feature-reuse", \
	[PVCALLS_F_OPEN]	= "feature-open", \
	[PVCALLS_F_SHARED_EVTCHN] = "feature-shared-evtchn", \
	[PVCALLS_F_DGRAM]	= "feature-dgram", \
	[PVCALLS_F_GETSOCKOPT]	= "feature-getsockopt", \
}

/* Commands of the extensions; their numbers are far from those of version 1 */
#define PVCALLS_SHUTDOWN	0x100	/* feature-shutdown */
#define PVCALLS_GETNAME		0x101	/* feature-names */
#define PVCALLS_DEFERRED	0x102	/* feature-defer */
#define PVCALLS_SETSOCKOPT	0x103	/* feature-sockopt */
#define PVCALLS_FORGET		0x104	/* feature-reuse */
#define PVCALLS_GETSOCKOPT	0x105	/* feature-getsockopt */

/* Flags of RELEASE, in u.dummy.dummy[] of the request, with feature-shutdown */
#define PVCALLS_RELEASE_FLAGS	9
#define PVCALLS_RELEASE_ABORT	0x01	/* the connection is reset */

/* Flags of CONNECT, with feature-open */
#define PVCALLS_CONNECT_OPEN	0x01	/* the socket is created first */

/**
 * struct pvcalls_req_shutdown - arguments of PVCALLS_SHUTDOWN
 * @id: socket
 * @how: SHUT_RD (0), SHUT_WR (1) or SHUT_RDWR (2)
 * @pad: 0; the backend ignores the value
 */
struct pvcalls_req_shutdown {
	__u64 id;
	__u32 how;
	__u32 pad;
};

/**
 * struct pvcalls_req_getname - arguments of PVCALLS_GETNAME
 * @id: socket
 * @peer: 0 for the socket's own address, 1 for the peer's
 * @pad: 0; the backend ignores the value
 */
struct pvcalls_req_getname {
	__u64 id;
	__u32 peer;
	__u32 pad;
};

/* Options that one PVCALLS_SETSOCKOPT carries at most */
#define PVCALLS_MAX_OPTS	5

/* TCP_CONGESTION's value is a name, and takes this many options in a row */
#define PVCALLS_CONGESTION_OPTS	4
#define PVCALLS_CONGESTION_LEN	16

/**
 * struct pvcalls_opt - an option whose value is an int
 * @level: level as in setsockopt(), Linux's number
 * @name: name as in setsockopt(), Linux's number
 * @value: the option's value
 */
struct pvcalls_opt {
	__u16 level;
	__u16 name;
	__s32 value;
};

/**
 * struct pvcalls_req_setsockopt - arguments of PVCALLS_SETSOCKOPT
 * @id: socket
 * @count: number of options, 1 to PVCALLS_MAX_OPTS
 * @pad: 0; the backend ignores the value
 * @opt: the options
 */
struct pvcalls_req_setsockopt {
	__u64 id;
	__u32 count;
	__u32 pad;
	struct pvcalls_opt opt[PVCALLS_MAX_OPTS];
};

/**
 * struct pvcalls_req_getsockopt - arguments of PVCALLS_GETSOCKOPT
 * @id: socket
 * @level: level as in getsockopt(), Linux's number
 * @name: name as in getsockopt(), Linux's number
 * @offset: index of the first byte of the value that is asked for
 */
struct pvcalls_req_getsockopt {
	__u64 id;
	__u16 level;
	__u16 name;
	__u32 offset;
};

/* Data rings that one event channel serves at most */
#define PVCALLS_MAX_SHARED	64

/* Rings that one PVCALLS_FORGET names at most */
#define PVCALLS_MAX_FORGET	11

/**
 * struct pvcalls_req_forget - arguments of PVCALLS_FORGET
 * @pad: zero
 * @count: number of rings, 1 to PVCALLS_MAX_FORGET
 * @ref: grants of the rings' indexes pages
 */
struct pvcalls_req_forget {
	__u64 pad;
	__u32 count;
	__u32 ref[PVCALLS_MAX_FORGET];
};

/**
 * struct pvcalls_rsp_name - additional fields of a response with an address
 * @id: echoed from the request
 * @addr: the address, in the format of the connect request; or, in response to
 *	PVCALLS_GETSOCKOPT, a part of the option's value
 * @len: length of @addr in bytes, 0 if there is none
 * @pad: zero
 */
struct pvcalls_rsp_name {
	__u64 id;
	__u8 addr[PVCALLS_ADDR_LEN];
	__u32 len;
	__u8 pad[8];
};

/**
 * struct pvcalls_rsp_deferred - additional fields of a PVCALLS_DEFERRED
 *				 response: the deferred response itself
 * @req_id: req_id of the request that is answered now
 * @cmd: command of the request that is answered now
 * @ret: return value of that request
 * @len: length of @addr in bytes, 0 if there is none
 * @addr: address of that request's response, where the command has one
 * @pad: zero
 */
struct pvcalls_rsp_deferred {
	__u32 req_id;
	__u32 cmd;
	__s32 ret;
	__u32 len;
	__u8 addr[PVCALLS_ADDR_LEN];
	__u8 pad[4];
};

/**
 * struct pvcalls_response - a response slot in its full 64 bytes
 * @req_id: echoed from the request
 * @cmd: echoed from the request
 * @ret: 0 or a negative error number
 * @pad: zero
 * @u: fields of the command; version 1 defines the first 8 bytes of @u
 */
struct pvcalls_response {
	__u32 req_id;
	__u32 cmd;
	__s32 ret;
	__u32 pad;
	union {
		__u64 id;
		struct pvcalls_rsp_name name;
		struct pvcalls_rsp_deferred deferred;
		__u8 raw[48];
	} u;
};

/* Largest datagram, without headers (UDP's length field) */
#define PVCALLS_MAX_DGRAM	65527

/* Kinds of records in the data rings of datagrams */
#define PVCALLS_DGRAM_DATA	0
#define PVCALLS_DGRAM_ERROR	1	/* to the frontend only */

/**
 * struct pvcalls_dgram - header of a datagram in a data ring
 * @len: length of the datagram in bytes; padding follows the datagram
 * @type: PVCALLS_DGRAM_*
 * @err: negative error number, for PVCALLS_DGRAM_ERROR
 * @addr_len: length of @addr in bytes; 0 means the peer that CONNECT has set
 * @addr: destination or source, in the format of the connect request
 * @ctl_len: length of the control data in bytes. The control data lies between
 *	the header and the datagram: struct pvcalls_ctl, each with its value
 */
struct pvcalls_dgram {
	__u32 len;
	__u32 type;
	__s32 err;
	__u32 addr_len;
	__u8 addr[PVCALLS_ADDR_LEN];
	__u32 ctl_len;
};

/* Longest control data, in bytes */
#define PVCALLS_MAX_CTL		128

/**
 * struct pvcalls_ctl - header of a value in control data
 * @level: level as in cmsg(3), Linux's number
 * @type: type as in cmsg(3), Linux's number
 * @len: length of the value in bytes; padding to a multiple of 8 follows
 */
struct pvcalls_ctl {
	__u16 level;
	__u16 type;
	__u32 len;
};

/* Length in bytes of a value of @len bytes with its header and padding */
#define PVCALLS_CTL_SIZE(len) \
	((u32)sizeof(struct pvcalls_ctl) + (((len) + 7) & ~7U))

/**
 * pvcalls_dgram_size() - how many bytes of the ring does a record take?
 * @hdr: the record's header; its lengths have been checked
 *
 * Context: any.
 * Return: length in bytes, padding included.
 */
static inline u32 pvcalls_dgram_size(const struct pvcalls_dgram *hdr)
{
	return sizeof(*hdr) + hdr->ctl_len + ((hdr->len + 7) & ~7U);
}

/*
 * Offsets of feature-wakeup's four thresholds, in padding of the indexes page.
 * The side that waits writes the threshold.
 */
#define PVCALLS_IN_DATA_WAKE	12	/* frontend waits for in_prod */
#define PVCALLS_IN_SPACE_WAKE	16	/* backend waits for in_cons */
#define PVCALLS_OUT_DATA_WAKE	76	/* backend waits for out_prod */
#define PVCALLS_OUT_SPACE_WAKE	80	/* frontend waits for out_cons */

/* Offset at which the specification has ring_order, and ref[] after that */
#define PVCALLS_RING_ORDER_OFFSET 128

static_assert(sizeof(struct pvcalls_rsp_name) == 48);
static_assert(sizeof(struct pvcalls_rsp_deferred) == 48);
static_assert(sizeof(struct pvcalls_response) == 64);
static_assert(sizeof(union xen_pvcalls_sring_entry) == 64);
static_assert(sizeof(struct pvcalls_dgram) == 48);
static_assert(sizeof(struct pvcalls_ctl) == 8);
static_assert(sizeof(struct pvcalls_req_shutdown) <= 56);
static_assert(sizeof(struct pvcalls_req_setsockopt) == 56);
static_assert(sizeof_field(struct pvcalls_opt, value) *
	      PVCALLS_CONGESTION_OPTS == PVCALLS_CONGESTION_LEN);
static_assert(sizeof(struct pvcalls_req_forget) == 56);
static_assert(offsetof(struct pvcalls_data_intf, pad1) == PVCALLS_IN_DATA_WAKE);
static_assert(offsetof(struct pvcalls_data_intf, pad2) ==
	      PVCALLS_OUT_DATA_WAKE);
static_assert(offsetof(struct pvcalls_data_intf, ring_order) ==
	      PVCALLS_RING_ORDER_OFFSET);

#endif /* PVCALLS_EXT_H */
