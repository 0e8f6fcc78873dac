/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records and control data of datagrams, for both modules. Programs use cmsg(3);
 * the ring has a form that is the same for all architectures. feature-dgram in
 * docs/protocol-extensions.md specifies that form.
 */
#ifndef PVCALLS_CTL_H
#define PVCALLS_CTL_H

#include <linux/align.h>
#include <linux/in.h>
#include <linux/ipv6.h>
#include <linux/socket.h>
#include <linux/string.h>

#include "pvcalls_ext.h"

/* Longest control data of the ring as control messages of cmsg(3), in bytes */
#define PVCALLS_MAX_CMSGS	256

/**
 * struct pvcalls_record - a record without the bytes of its datagram
 * @hdr: header
 * @ctl: hdr.ctl_len bytes of control data
 */
struct pvcalls_record {
	struct pvcalls_dgram hdr;
	u8 ctl[PVCALLS_MAX_CTL];
};

/**
 * pvcalls_record_size() - check a record's header
 * @hdr: private copy of the header
 * @last: the greatest PVCALLS_DGRAM_* that the reader takes
 * @avail: bytes that are in the ring, from the header on
 *
 * Whether the address makes sense is not looked at: a datagram with a bad
 * address is dropped, and the next one still found.
 *
 * Context: any.
 * Return: length of the record in bytes, padding included; 0 if the header
 * makes no sense. Then nobody can tell where the next record begins.
 */
static inline u32 pvcalls_record_size(const struct pvcalls_dgram *hdr,
				      u32 last, u32 avail)
{
	u32 size;

	if (hdr->type > last || hdr->len > PVCALLS_MAX_DGRAM ||
	    hdr->ctl_len > PVCALLS_MAX_CTL || hdr->ctl_len % 8)
		return 0;
	size = pvcalls_dgram_size(hdr);
	return size > avail ? 0 : size;
}

/**
 * pvcalls_ctl_room() - how long may a control message's value be?
 * @level: level of the control message
 * @type: type of the control message
 *
 * Context: any.
 * Return: greatest length in bytes; 0 if datagrams carry no such message.
 */
static inline u32 pvcalls_ctl_room(int level, int type)
{
	if (level == SOL_IP)
		return type == IP_PKTINFO ? sizeof(struct in_pktinfo) :
		       type == IP_TTL || type == IP_TOS ? sizeof(int) : 0;
	if (level == SOL_IPV6)
		return type == IPV6_PKTINFO ? sizeof(struct in6_pktinfo) :
		       type == IPV6_HOPLIMIT || type == IPV6_TCLASS ?
		       sizeof(int) : 0;
	return 0;
}

/**
 * pvcalls_ctl_pktinfo() - does a control message name an address and interface?
 * @level: level of the control message
 * @type: type of the control message
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool pvcalls_ctl_pktinfo(int level, int type)
{
	return (level == SOL_IP && type == IP_PKTINFO) ||
	       (level == SOL_IPV6 && type == IPV6_PKTINFO);
}

/**
 * pvcalls_ctl_fits() - has a control message's value the right length?
 * @level: level of the control message
 * @type: type of the control message
 * @len: length of the value in bytes
 *
 * Context: any.
 * Return: false for any other length, and if datagrams carry no such message.
 */
static inline bool pvcalls_ctl_fits(int level, int type, u32 len)
{
	u32 room = pvcalls_ctl_room(level, type);

	return room && (len == room || (level == SOL_IP && type == IP_TOS &&
					len == sizeof(u8)));
}

/**
 * pvcalls_ctl_valid() - may a program send a control message?
 * @cmsg: control message
 *
 * Context: any.
 * Return: false if datagrams carry such messages, but the size is wrong.
 */
static inline bool pvcalls_ctl_valid(const struct cmsghdr *cmsg)
{
	return !pvcalls_ctl_room(cmsg->cmsg_level, cmsg->cmsg_type) ||
	       (cmsg->cmsg_len >= CMSG_LEN(0) &&
		pvcalls_ctl_fits(cmsg->cmsg_level, cmsg->cmsg_type,
				 cmsg->cmsg_len - CMSG_LEN(0)));
}

/**
 * pvcalls_ctl_set_ifindex() - change the interface in a control message
 * @level: level of a control message that pvcalls_ctl_pktinfo() knows
 * @data: value of the control message
 * @ifindex: the interface's number; each domain has its own numbers
 *
 * Context: any.
 */
static inline void pvcalls_ctl_set_ifindex(int level, u8 *data, int ifindex)
{
	if (level == SOL_IP)
		memcpy(data + offsetof(struct in_pktinfo, ipi_ifindex),
		       &ifindex, sizeof(ifindex));
	else
		memcpy(data + offsetof(struct in6_pktinfo, ipi6_ifindex),
		       &ifindex, sizeof(ifindex));
}

/**
 * pvcalls_ctl_ifindex() - find the interface in a control message
 * @level: level of a control message that pvcalls_ctl_pktinfo() knows
 * @data: value of the control message
 *
 * Context: any.
 * Return: the interface's number, 0 if the message names none.
 */
static inline int pvcalls_ctl_ifindex(int level, const u8 *data)
{
	int ifindex;

	if (level == SOL_IP)
		memcpy(&ifindex, data + offsetof(struct in_pktinfo,
						 ipi_ifindex),
		       sizeof(ifindex));
	else
		memcpy(&ifindex, data + offsetof(struct in6_pktinfo,
						 ipi6_ifindex),
		       sizeof(ifindex));
	return ifindex;
}

/**
 * pvcalls_ctl_pack() - make control messages ready for the ring
 * @msg: message with the control messages, in kernel memory
 * @to: result, room for PVCALLS_MAX_CTL bytes
 *
 * Control messages that the ring does not carry are left out.
 *
 * Context: any.
 * Return: length of the result in bytes.
 */
static inline u32 pvcalls_ctl_pack(struct msghdr *msg, u8 *to)
{
	struct cmsghdr *cmsg;
	u32 at = 0;

	for_each_cmsghdr(cmsg, msg) {
		u32 room = pvcalls_ctl_room(cmsg->cmsg_level, cmsg->cmsg_type);
		struct pvcalls_ctl ctl = {
			.level = cmsg->cmsg_level,
			.type = cmsg->cmsg_type,
		};
		u8 *data = to + at + sizeof(ctl);

		if (!CMSG_OK(msg, cmsg))
			break;
		ctl.len = cmsg->cmsg_len - sizeof(*cmsg);
		if (!room || ctl.len > room ||
		    at + PVCALLS_CTL_SIZE(ctl.len) > PVCALLS_MAX_CTL)
			continue;
		memset(to + at, 0, PVCALLS_CTL_SIZE(ctl.len));
		memcpy(to + at, &ctl, sizeof(ctl));
		memcpy(data, CMSG_DATA(cmsg), ctl.len);
		if (pvcalls_ctl_pktinfo(ctl.level, ctl.type) && ctl.len == room)
			pvcalls_ctl_set_ifindex(ctl.level, data, 0);
		at += PVCALLS_CTL_SIZE(ctl.len);
	}
	return at;
}

/**
 * pvcalls_ctl_next() - take the next control message apart
 * @from: private copy of the control data in the ring
 * @len: length of @from in bytes
 * @at: offset of the next control message; moved on behind that
 * @ctl: result, the header of the control message
 *
 * Context: any.
 * Return: the value, ctl->len bytes; or NULL, with *at at @len after the last
 * control message, and elsewhere if the control message makes no sense.
 */
static inline u8 *pvcalls_ctl_next(u8 *from, u32 len, u32 *at,
				   struct pvcalls_ctl *ctl)
{
	u8 *data = from + *at + sizeof(*ctl);

	if (len - *at < sizeof(*ctl))
		return NULL;
	memcpy(ctl, from + *at, sizeof(*ctl));
	if (!pvcalls_ctl_fits(ctl->level, ctl->type, ctl->len) ||
	    PVCALLS_CTL_SIZE(ctl->len) > len - *at)
		return NULL;
	*at += PVCALLS_CTL_SIZE(ctl->len);
	return data;
}

#endif /* PVCALLS_CTL_H */
