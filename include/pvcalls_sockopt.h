/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket options of which the two modules speak to each other: those of
 * PVCALLS_SETSOCKOPT, which a program sets and the real socket is to have, and
 * those of PVCALLS_GETSOCKOPT, which only the real socket knows. The frontend
 * sends no others, and the backend takes no others.
 */
#ifndef PVCALLS_SOCKOPT_H
#define PVCALLS_SOCKOPT_H

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/kernel.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/types.h>

#include "pvcalls_ext.h"

/**
 * enum pvcalls_relayed_kind - what the value of an option is
 * @PVCALLS_OPT_SOCK: an int that can be set, which struct sock keeps. Some
 *	kernels set such an option without asking the socket's own functions, so
 *	the frontend looks at struct sock to see whether it has been set
 * @PVCALLS_OPT_INT: an int that can be set, which the protocol keeps
 * @PVCALLS_OPT_NAME: a name that can be set, which takes
 *	PVCALLS_CONGESTION_OPTS options of a request
 * @PVCALLS_OPT_FACT: an int that can be read
 * @PVCALLS_OPT_INFO: a struct tcp_info that can be read, which begins with the
 *	socket's state. The state is the frontend's to tell
 */
enum pvcalls_relayed_kind {
	PVCALLS_OPT_SOCK,
	PVCALLS_OPT_INT,
	PVCALLS_OPT_NAME,
	PVCALLS_OPT_FACT,
	PVCALLS_OPT_INFO,
};

/* Options in the table */
#define PVCALLS_RELAYED	27

/**
 * struct pvcalls_relayed - one option of the table
 * @level: as in setsockopt(), Linux's number, which goes over the wire
 * @name: likewise
 * @kind: what its value is
 */
struct pvcalls_relayed {
	u16 level;
	u16 name;
	enum pvcalls_relayed_kind kind;
};

/**
 * pvcalls_relayed_at() - one option of the table
 * @index: 0 to PVCALLS_RELAYED - 1
 *
 * Those of PVCALLS_OPT_SOCK come first.
 *
 * Context: any.
 * Return: the option.
 */
static inline const struct pvcalls_relayed *
pvcalls_relayed_at(unsigned int index)
{
	static const struct pvcalls_relayed table[] = {
		{ SOL_SOCKET, SO_REUSEADDR, PVCALLS_OPT_SOCK },
		{ SOL_SOCKET, SO_REUSEPORT, PVCALLS_OPT_SOCK },
		{ SOL_SOCKET, SO_KEEPALIVE, PVCALLS_OPT_SOCK },
		{ SOL_TCP, TCP_NODELAY, PVCALLS_OPT_INT },
		{ SOL_TCP, TCP_CORK, PVCALLS_OPT_INT },
		{ SOL_TCP, TCP_KEEPIDLE, PVCALLS_OPT_INT },
		{ SOL_TCP, TCP_KEEPINTVL, PVCALLS_OPT_INT },
		{ SOL_TCP, TCP_KEEPCNT, PVCALLS_OPT_INT },
		{ SOL_TCP, TCP_USER_TIMEOUT, PVCALLS_OPT_INT },
		{ SOL_TCP, TCP_DEFER_ACCEPT, PVCALLS_OPT_INT },
		{ SOL_IP, IP_TOS, PVCALLS_OPT_INT },
		{ SOL_IP, IP_TTL, PVCALLS_OPT_INT },
		{ SOL_IP, IP_BIND_ADDRESS_NO_PORT, PVCALLS_OPT_INT },
		{ SOL_IP, IP_PKTINFO, PVCALLS_OPT_INT },
		{ SOL_IP, IP_RECVTTL, PVCALLS_OPT_INT },
		{ SOL_IP, IP_RECVTOS, PVCALLS_OPT_INT },
		{ SOL_IPV6, IPV6_V6ONLY, PVCALLS_OPT_INT },
		{ SOL_IPV6, IPV6_TCLASS, PVCALLS_OPT_INT },
		{ SOL_IPV6, IPV6_UNICAST_HOPS, PVCALLS_OPT_INT },
		{ SOL_IPV6, IPV6_RECVPKTINFO, PVCALLS_OPT_INT },
		{ SOL_IPV6, IPV6_RECVHOPLIMIT, PVCALLS_OPT_INT },
		{ SOL_IPV6, IPV6_RECVTCLASS, PVCALLS_OPT_INT },
		{ SOL_TCP, TCP_CONGESTION, PVCALLS_OPT_NAME },
		{ SOL_TCP, TCP_INFO, PVCALLS_OPT_INFO },
		{ SOL_TCP, TCP_MAXSEG, PVCALLS_OPT_FACT },
		{ SOL_IP, IP_MTU, PVCALLS_OPT_FACT },
		{ SOL_IPV6, IPV6_MTU, PVCALLS_OPT_FACT },
	};

	BUILD_BUG_ON(ARRAY_SIZE(table) != PVCALLS_RELAYED);
	return &table[index];
}

/**
 * pvcalls_relayed_find() - an option's place in the table
 * @level: as in setsockopt()
 * @name: likewise
 *
 * Context: any.
 * Return: its index, 0 to PVCALLS_RELAYED - 1; or -ENOENT if the modules do
 * not speak of this option.
 */
static inline int pvcalls_relayed_find(int level, int name)
{
	int i;

	for (i = 0; i < PVCALLS_RELAYED; i++)
		if (pvcalls_relayed_at(i)->level == level &&
		    pvcalls_relayed_at(i)->name == name)
			return i;
	return -ENOENT;
}

/**
 * pvcalls_relayed_told() - does the backend tell a frontend an option's value?
 * @index: of the option, or negative for one that is not in the table
 *
 * Context: any.
 * Return: true if so; such an option can't be set.
 */
static inline bool pvcalls_relayed_told(int index)
{
	return index >= 0 &&
	       pvcalls_relayed_at(index)->kind >= PVCALLS_OPT_FACT;
}

/**
 * pvcalls_opts_pack_name() - make a name ready for a request
 * @name: PVCALLS_CONGESTION_LEN bytes, padded with zeroes
 * @opt: result, PVCALLS_CONGESTION_OPTS options
 *
 * Context: any.
 */
static inline void pvcalls_opts_pack_name(const char *name,
					  struct pvcalls_opt *opt)
{
	unsigned int i;

	for (i = 0; i < PVCALLS_CONGESTION_OPTS; i++) {
		opt[i].level = SOL_TCP;
		opt[i].name = TCP_CONGESTION;
		memcpy(&opt[i].value, name + i * sizeof(opt[i].value),
		       sizeof(opt[i].value));
	}
}

/**
 * pvcalls_opts_take_name() - put the name together with which options begin
 * @opt: private copy of options of a request
 * @count: number of them, 1 to PVCALLS_MAX_OPTS
 * @name: result, PVCALLS_CONGESTION_LEN + 1 bytes with a zero at the end; as
 *	much of a name as there is
 *
 * Context: any.
 * Return: how many options the name takes; 0 if the first has a value of
 * another kind.
 */
static inline u32 pvcalls_opts_take_name(const struct pvcalls_opt *opt,
					 u32 count, char *name)
{
	u32 i;
	int at;

	memset(name, 0, PVCALLS_CONGESTION_LEN + 1);
	for (i = 0; i < count && i < PVCALLS_CONGESTION_OPTS; i++) {
		at = pvcalls_relayed_find(opt[i].level, opt[i].name);
		if (at < 0 || pvcalls_relayed_at(at)->kind != PVCALLS_OPT_NAME)
			break;
		memcpy(name + i * sizeof(opt[i].value), &opt[i].value,
		       sizeof(opt[i].value));
	}
	return i;
}

/**
 * pvcalls_value_part() - how much of an option's value does a response carry?
 * @len: length of the value in bytes
 * @offset: index of the first byte that is asked for, as the frontend says
 *
 * Context: any.
 * Return: bytes from @offset on; 0 if there are none.
 */
static inline u32 pvcalls_value_part(u32 len, u32 offset)
{
	if (offset >= len)
		return 0;
	len -= offset;
	return len < PVCALLS_ADDR_LEN ? len : PVCALLS_ADDR_LEN;
}

/**
 * pvcalls_value_take() - take a part of an option's value out of a response
 * @rsp: private copy of the response's fields
 * @value: result: where the part goes
 * @room: how many bytes of the value are still wanted
 *
 * Context: any.
 * Return: length of the part in bytes, 0 to @room. A part of less than
 * PVCALLS_ADDR_LEN bytes is the last one.
 */
static inline u32 pvcalls_value_take(const struct pvcalls_rsp_name *rsp,
				     u8 *value, u32 room)
{
	u32 n = rsp->len < PVCALLS_ADDR_LEN ? rsp->len : PVCALLS_ADDR_LEN;

	if (n > room)
		n = room;
	memcpy(value, rsp->addr, n);
	return n;
}

#endif /* PVCALLS_SOCKOPT_H */
