/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of a policy: what an operator writes, and what they say about an
 * address. Pure: no Xen, no sockets, no allocation, no locks.
 *
 * A text is statements with semicolons or ends of line between them:
 *
 *	local=none | addresses | all
 *	protocols=none | PROTOCOL[,PROTOCOL...]
 *	reserved=none | PORT[-PORT] | listening [,...]
 *	netns=NAME
 *	calls=any | NUMBER
 *	connects=any | NUMBER
 *	bytes=any | NUMBER
 *	congestion=any | none | NAME[,NAME...]
 *	shortcuts=none | SHORTCUT[,SHORTCUT...]
 *	weight=NUMBER
 *	cap=any | NUMBER
 *	limits=none | KIND:NUMBER[,KIND:NUMBER...]
 *	allow | deny  connect | bind  [tcp | udp | icmp]
 *		[any | local | ADDRESS[/LENGTH]]  [port PORT[-PORT]]
 *
 * PROTOCOL is tcp, udp, icmp, ipv6 or listen; KIND is what pvcalls_kind_name()
 * says, NAME what pvcalls_congestion_name() does; SHORTCUT is zerocopy or
 * direct. The first rule that matches decides; where none does, the answer is
 * allow.
 */
#ifndef PVCALLS_BACK_RULES_H
#define PVCALLS_BACK_RULES_H

#include "account/account.h"
#include "account/bucket.h"
#include "denials.h"
#include "guest/rules_port.h"

/* Rules of a policy, at most */
#define PVCALLS_MAX_RULES	64
/* Ranges of reserved ports, at most */
#define PVCALLS_MAX_RESERVED	16
/* Length of a namespace's name, at most */
#define PVCALLS_MAX_NETNS	63
/* Amount of a limit, at most */
#define PVCALLS_MAX_LIMIT	100000000
/* Calls a second, or connections, at most */
#define PVCALLS_MAX_CALLS	100000000
/* What a guest may get of a worker in a round, at most, in percent of budget */
#define PVCALLS_MAX_WEIGHT	1000
/* The least that a guest may be let cost workers in a second, in bytes */
#define PVCALLS_MIN_CAP		1000000
/* Congestion controls that guests may choose, at most */
#define PVCALLS_CONGESTIONS	16
/* All of them, also for those that have no name */
#define PVCALLS_CONGESTION_ANY	(~0U)
/* Room for any text that is read or written, with a final zero */
#define PVCALLS_POLICY_SIZE	8192
/* Length of a text, at most */
#define PVCALLS_MAX_POLICY	(PVCALLS_POLICY_SIZE - 1)

/**
 * enum pvcalls_may - bits of what a guest may use
 * @PVCALLS_MAY_TCP: TCP sockets
 * @PVCALLS_MAY_UDP: UDP sockets
 * @PVCALLS_MAY_ICMP: sockets for ICMP echoes, of IPv4 and of IPv6
 * @PVCALLS_MAY_IPV6: IPv6 addresses and sockets
 * @PVCALLS_MAY_LISTEN: listening TCP sockets
 * @PVCALLS_MAY_PROTOS: the bits among which a rule may choose
 * @PVCALLS_MAY_ALL: all bits
 */
enum pvcalls_may {
	PVCALLS_MAY_TCP		= 1,
	PVCALLS_MAY_UDP		= 2,
	PVCALLS_MAY_ICMP	= 4,
	PVCALLS_MAY_IPV6	= 8,
	PVCALLS_MAY_LISTEN	= 16,
	PVCALLS_MAY_PROTOS	= 7,
	PVCALLS_MAY_ALL		= 31,
};

/**
 * enum pvcalls_shortcut - bits of how a guest's bytes may be moved
 * @PVCALLS_SHORT_ZEROCOPY: by reference to the guest's pages
 * @PVCALLS_SHORT_DIRECT: by softirqs, without a worker
 * @PVCALLS_SHORT_ALL: all bits
 */
enum pvcalls_shortcut {
	PVCALLS_SHORT_ZEROCOPY	= 1,
	PVCALLS_SHORT_DIRECT	= 2,
	PVCALLS_SHORT_ALL	= 3,
};

/**
 * enum pvcalls_local - which of this domain's own addresses a guest may use
 * @PVCALLS_LOCAL_UNSET: the rules do not say
 * @PVCALLS_LOCAL_NONE: none, neither as a destination nor as a source
 * @PVCALLS_LOCAL_ADDRESSES: all but the loopback
 * @PVCALLS_LOCAL_ALL: all, with the loopback
 */
enum pvcalls_local {
	PVCALLS_LOCAL_UNSET,
	PVCALLS_LOCAL_NONE,
	PVCALLS_LOCAL_ADDRESSES,
	PVCALLS_LOCAL_ALL,
};

/**
 * enum pvcalls_at - where an address is
 * @PVCALLS_AT_FAR: elsewhere, as far as is known
 * @PVCALLS_AT_LOCAL: this domain's, by its routing table
 * @PVCALLS_AT_LOOPBACK: this domain's loopback
 * @PVCALLS_AT_ANY: the unspecified address. Linux connects it to the loopback
 * @PVCALLS_AT_LINK: IPv6's link-local addresses, which mean nothing without an
 *	interface
 */
enum pvcalls_at {
	PVCALLS_AT_FAR,
	PVCALLS_AT_LOCAL,
	PVCALLS_AT_LOOPBACK,
	PVCALLS_AT_ANY,
	PVCALLS_AT_LINK,
};

/**
 * struct pvcalls_target - an address that is asked about
 * @at: where it is. pvcalls_target_v4() and pvcalls_target_v6() leave
 *	PVCALLS_AT_FAR where only a routing table can tell
 * @length: length of @addr in bits, 32 or 128; IPv6's mapped addresses have 32
 * @addr: the address; the rest is zero
 * @proto: PVCALLS_MAY_TCP, PVCALLS_MAY_UDP or PVCALLS_MAY_ICMP
 * @port: port, 0 if the kernel is to choose one
 */
struct pvcalls_target {
	enum pvcalls_at at;
	u8 length;
	u8 addr[16];
	u8 proto;
	u16 port;
};

/**
 * struct pvcalls_range - ports
 * @first: the first one
 * @last: the last one, not below @first
 */
struct pvcalls_range {
	u16 first;
	u16 last;
};

/**
 * struct pvcalls_rule - one rule
 * @allow: what it says
 * @local: it is about this domain's own addresses, and @length is 0
 * @door: PVCALLS_DOOR_CONNECT or PVCALLS_DOOR_BIND
 * @protos: bits of PVCALLS_MAY_PROTOS
 * @length: length of addresses in bits, 32 or 128; 0 for both
 * @bits: how many bits of @addr count
 * @addr: prefix; what does not count is zero
 * @ports: ports, 0 to 65535 for all, among them 0
 */
struct pvcalls_rule {
	bool allow;
	bool local;
	u8 door;
	u8 protos;
	u8 length;
	u8 bits;
	u8 addr[16];
	struct pvcalls_range ports;
};

/**
 * struct pvcalls_rules - a policy, as it was written
 * @local: own addresses of this domain
 * @may: bits of enum pvcalls_may
 * @listening: ports on which this domain listens are reserved
 * @nr_reserved: number of @reserved
 * @reserved: ports that a guest may not bind
 * @nr: number of @rule
 * @rule: the rules, in order
 * @calls: how many calls a guest may make a second; 0: any number
 * @connects: how many connections the guest may begin a second; 0: any number
 * @bytes: how many bytes may be moved a second, in each direction; 0: any number
 * @congestion: congestion controls that the guest may choose, a bit for each
 *	pvcalls_congestion_name(), or PVCALLS_CONGESTION_ANY
 * @shortcuts: bits of enum pvcalls_shortcut
 * @weight: percent of the parameter budget that a guest gets in each round of a
 *	worker; 0: as by default
 * @cap: how much it may cost all workers a second, in the unit of budget; 0: any
 *	amount
 * @limited: kinds with a limit, a bit for each
 * @limit: how much the guest may have of those; 0 for the others
 * @netns: name of the sockets' network namespace, empty for the first one
 */
struct pvcalls_rules {
	enum pvcalls_local local;
	u8 may;
	bool listening;
	u32 nr_reserved;
	struct pvcalls_range reserved[PVCALLS_MAX_RESERVED];
	u32 nr;
	struct pvcalls_rule rule[PVCALLS_MAX_RULES];
	u32 calls;
	u32 connects;
	u32 bytes;
	u32 congestion;
	u8 shortcuts;
	u32 weight;
	u32 cap;
	u32 limited;
	u32 limit[PVCALLS_KINDS];
	char netns[PVCALLS_MAX_NETNS + 1];
};

/*
 * The name of the congestion control that a bit of @congestion stands for, or
 * NULL. Not of these files, which only read and write the names.
 */
const char *pvcalls_congestion_name(u32 i);

int pvcalls_rules_parse(struct pvcalls_rules *r, const char *text, u32 len,
			u32 *at);
int pvcalls_rules_print(const struct pvcalls_rules *r, char *buf, u32 size);

void pvcalls_target_v4(struct pvcalls_target *t, const u8 *addr);
void pvcalls_target_v6(struct pvcalls_target *t, const u8 *addr);

bool pvcalls_rules_need_route(const struct pvcalls_rules *r,
			      enum pvcalls_local local);
enum pvcalls_denial pvcalls_rules_ask(const struct pvcalls_rules *r,
				      enum pvcalls_local local,
				      enum pvcalls_door door,
				      const struct pvcalls_target *t);

#endif /* PVCALLS_BACK_RULES_H */
