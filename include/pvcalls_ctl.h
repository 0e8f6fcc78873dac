/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control data of datagrams: cmsg(3) in the programs, and what goes over the
 * ring instead, the same for all architectures. For both modules; see
 * feature-dgram in docs/protocol-extensions.md.
 */
#ifndef PVCALLS_CTL_H
#define PVCALLS_CTL_H

#include <linux/align.h>
#include <linux/in.h>
#include <linux/ipv6.h>
#include <linux/socket.h>
#include <linux/string.h>

#include "pvcalls_ext.h"

/**
 * struct pvcalls_record - a record, but for the bytes of its datagram
 * @hdr: header
 * @ctl: hdr.ctl_len bytes of control data
 */
struct pvcalls_record {
	struct pvcalls_dgram hdr;
	u8 ctl[PVCALLS_MAX_CTL];
};

/* What any datagram's control data may be: the value's largest length, or 0 */
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
 * pvcalls_ctl_pktinfo() - is it an address and an interface?
 * @level: of the control message
 * @type: likewise
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
 * pvcalls_ctl_valid() - may a program send this?
 * @cmsg: control message
 *
 * Context: any.
 * Return: false if it is one that goes over, but of the wrong size.
 */
static inline bool pvcalls_ctl_valid(const struct cmsghdr *cmsg)
{
	u32 room = pvcalls_ctl_room(cmsg->cmsg_level, cmsg->cmsg_type);

	return !room || cmsg->cmsg_len == CMSG_LEN(room) ||
	       (cmsg->cmsg_level == SOL_IP && cmsg->cmsg_type == IP_TOS &&
		cmsg->cmsg_len == CMSG_LEN(sizeof(u8)));
}

/**
 * pvcalls_ctl_set_ifindex() - say which interface it is
 * @level: of a control message that pvcalls_ctl_pktinfo() knows
 * @data: its value
 * @ifindex: interface; each domain has its own numbers
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
 * pvcalls_ctl_pack() - make control messages ready for the ring
 * @msg: has them, in kernel memory
 * @to: result, room for PVCALLS_MAX_CTL bytes
 *
 * Those that do not go over are left out.
 *
 * Context: any.
 * Return: bytes.
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
 * @from: private copy of what was in the ring
 * @len: its length in bytes
 * @at: where the next one begins; moved on
 * @ctl: result
 *
 * Context: any.
 * Return: its value, ctl->len bytes, or NULL if there is none or it makes no
 * sense: then *at is not @len.
 */
static inline u8 *pvcalls_ctl_next(u8 *from, u32 len, u32 *at,
				   struct pvcalls_ctl *ctl)
{
	u8 *data = from + *at + sizeof(*ctl);
	u32 room;

	if (len - *at < sizeof(*ctl))
		return NULL;
	memcpy(ctl, from + *at, sizeof(*ctl));
	room = pvcalls_ctl_room(ctl->level, ctl->type);
	if (ctl->len > room || PVCALLS_CTL_SIZE(ctl->len) > len - *at)
		return NULL;
	if (pvcalls_ctl_pktinfo(ctl->level, ctl->type) && ctl->len != room)
		return NULL;
	*at += PVCALLS_CTL_SIZE(ctl->len);
	return data;
}

#endif /* PVCALLS_CTL_H */
