// SPDX-License-Identifier: GPL-2.0
/* Checks of addresses, and the sockets' mark; both have module parameters. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include <net/ipv6.h>

#include "guest/guest.h"
#include "guest/policy.h"
#include "pvcalls_param.h"

static bool allow_loopback;
module_param(allow_loopback, bool, 0644);
MODULE_PARM_DESC(allow_loopback,
		 "Guests may use this domain's own loopback addresses (default 0)");

/* Largest base to which every domain id can be added */
#define PVCALLS_MAX_MARK	0xffff0000U

PVCALLS_PARAM_UINT(mark, 0, 0, PVCALLS_MAX_MARK, 0644);
MODULE_PARM_DESC(mark,
		 "Guests that connect from now on have their sockets marked with this and their domid added, for routing rules and packet filters; 0 to 4294901760, 0: no mark (default 0)");

/**
 * pvcalls_mark() - the mark of a guest's sockets, if xenstore has none
 * @domid: the guest
 *
 * Context: any.
 * Return: the mark, as of SO_MARK; 0 for none.
 */
u32 pvcalls_mark(domid_t domid)
{
	u32 base = READ_ONCE(param_mark);

	return base ? base + domid : 0;
}

/**
 * pvcalls_policy_addr() - take an address out of a request
 * @g: the guest that made the request
 * @addr: the request's address field, PVCALLS_ADDR_LEN bytes
 * @len: length of the address in bytes, as the guest says
 * @out: copy of the address, padded with zeroes
 *
 * Context: any.
 * Return: the length for the kernel in bytes; or -EAFNOSUPPORT for a family
 * that is not in force, -EINVAL for a bad length.
 */
int pvcalls_policy_addr(struct pvcalls_guest *g, const u8 *addr, u32 len,
			struct sockaddr_storage *out)
{
	if (len < sizeof(sa_family_t) || len > PVCALLS_ADDR_LEN)
		goto bad_len;

	memset(out, 0, sizeof(*out));
	memcpy(out, addr, len);
	switch (out->ss_family) {
	case AF_INET:
		if (len < sizeof(struct sockaddr_in))
			goto bad_len;
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		if (!pvcalls_guest_has(g, PVCALLS_F_IPV6))
			break;
		if (len < sizeof(struct sockaddr_in6))
			goto bad_len;
		return sizeof(struct sockaddr_in6);
	}
	pvcalls_guest_warn(g, "address of unknown family %u\n", out->ss_family);
	return -EAFNOSUPPORT;

bad_len:
	pvcalls_guest_warn(g, "address of %u bytes\n", len);
	return -EINVAL;
}

static bool pvcalls_v4_local(__be32 addr, bool any)
{
	return ipv4_is_loopback(addr) || (any && ipv4_is_zeronet(addr));
}

/*
 * Is this a loopback address of this domain? With @any, so is the unspecified
 * address.
 */
static bool pvcalls_addr_local(const struct sockaddr_storage *addr, bool any)
{
	const struct in6_addr *a6;

	if (addr->ss_family == AF_INET) {
		const struct sockaddr_in *sin = (const void *)addr;

		return pvcalls_v4_local(sin->sin_addr.s_addr, any);
	}

	a6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;
	if (ipv6_addr_v4mapped(a6))
		return pvcalls_v4_local(a6->s6_addr32[3], any);
	return ipv6_addr_loopback(a6) || (any && ipv6_addr_any(a6));
}

static int pvcalls_policy_check(struct pvcalls_guest *g, const char *what,
				const struct sockaddr_storage *addr, bool any)
{
	if (READ_ONCE(allow_loopback) || !pvcalls_addr_local(addr, any))
		return 0;
	atomic_long_inc(&g->denied);
	pvcalls_guest_warn(g, "%s %pISpc denied: loopback\n", what, addr);
	return -EACCES;
}

/**
 * pvcalls_policy_connect() - may a guest connect to an address?
 * @g: the guest
 * @addr: the address, from pvcalls_policy_addr()
 *
 * The unspecified address is denied too, because Linux connects it to the
 * loopback address.
 *
 * Context: any.
 * Return: 0, or -EACCES with a line in the log.
 */
int pvcalls_policy_connect(struct pvcalls_guest *g,
			   const struct sockaddr_storage *addr)
{
	return pvcalls_policy_check(g, "connect to", addr, true);
}

/**
 * pvcalls_policy_bind() - may a guest bind an address?
 * @g: the guest
 * @addr: the address, from pvcalls_policy_addr()
 *
 * Context: any.
 * Return: 0, or -EACCES with a line in the log.
 */
int pvcalls_policy_bind(struct pvcalls_guest *g,
			const struct sockaddr_storage *addr)
{
	return pvcalls_policy_check(g, "bind to", addr, false);
}
