// SPDX-License-Identifier: GPL-2.0
/* See addr.h. */
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/string.h>

#include "guest/addr.h"
#include "guest/rules.h"
#include "pvcalls_ext.h"

/**
 * pvcalls_addr_take() - take an address out of a request
 * @addr: the request's address field, PVCALLS_ADDR_LEN bytes
 * @len: length of the address in bytes, as the guest says
 * @v6: whether IPv6 is in force
 * @out: copy of the address, padded with zeroes, unless the length is bad
 *
 * Context: any.
 * Return: the length for the kernel in bytes; or -EAFNOSUPPORT for a family
 * that is not in force, -EINVAL for a bad length.
 */
int pvcalls_addr_take(const u8 *addr, u32 len, bool v6,
		      struct sockaddr_storage *out)
{
	if (len < sizeof(sa_family_t) || len > PVCALLS_ADDR_LEN)
		return -EINVAL;

	memset(out, 0, sizeof(*out));
	memcpy(out, addr, len);
	switch (out->ss_family) {
	case AF_INET:
		if (len < sizeof(struct sockaddr_in))
			return -EINVAL;
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		if (!v6)
			break;
		if (len < sizeof(struct sockaddr_in6))
			return -EINVAL;
		return sizeof(struct sockaddr_in6);
	}
	return -EAFNOSUPPORT;
}

/**
 * pvcalls_addr_target() - what is asked about an address
 * @addr: the address, of AF_INET or AF_INET6
 * @t: result: all but the protocol, which stays
 *
 * Context: any.
 */
void pvcalls_addr_target(const struct sockaddr_storage *addr,
			 struct pvcalls_target *t)
{
	const struct sockaddr_in6 *v6 = (const void *)addr;
	const struct sockaddr_in *v4 = (const void *)addr;

	if (addr->ss_family == AF_INET) {
		pvcalls_target_v4(t, (const u8 *)&v4->sin_addr);
	} else {
		pvcalls_target_v6(t, v6->sin6_addr.s6_addr);
		/* numbers of this domain's interfaces are not a guest's */
		if (v6->sin6_scope_id)
			t->at = PVCALLS_AT_LINK;
	}
	/* the port is at the same place in both */
	t->port = ntohs(v4->sin_port);
}

/**
 * pvcalls_addr_name() - name what Linux connects the unspecified address to
 * @addr: the unspecified address, of either family; becomes the loopback's
 * @t: what pvcalls_addr_target() has said of it; becomes what that says now
 *
 * Context: any.
 */
void pvcalls_addr_name(struct sockaddr_storage *addr, struct pvcalls_target *t)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *v4 = (struct sockaddr_in *)addr;

	if (addr->ss_family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (t->length == 32)
		v6->sin6_addr.s6_addr32[3] = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	pvcalls_addr_target(addr, t);
}
