// SPDX-License-Identifier: GPL-2.0
/* See policy.h. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include <net/ipv6.h>

#include "guest/guest.h"
#include "guest/policy.h"

static int param_set_order(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, PVCALLS_MAX_PAGE_ORDER);
}

static const struct kernel_param_ops param_ops_order = {
	.set = param_set_order,
	.get = param_get_uint,
};

static int param_set_limit(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, INT_MAX);
}

static const struct kernel_param_ops param_ops_limit = {
	.set = param_set_limit,
	.get = param_get_uint,
};

static unsigned int max_page_order = PVCALLS_MAX_PAGE_ORDER;
module_param_cb(max_page_order, &param_ops_order, &max_page_order, 0444);
MODULE_PARM_DESC(max_page_order,
		 "Largest data ring, log2 of 4 KiB pages, 1 to 9 (default 9)");

static int param_set_cmd_order(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, PVCALLS_MAX_CMD_ORDER);
}

static const struct kernel_param_ops param_ops_cmd_order = {
	.set = param_set_cmd_order,
	.get = param_get_uint,
};

static unsigned int max_cmd_order = 2;
module_param_cb(max_cmd_order, &param_ops_cmd_order, &max_cmd_order, 0444);
MODULE_PARM_DESC(max_cmd_order,
		 "Largest command ring, log2 of 4 KiB pages, 0 to 4 (default 2, 128 slots)");

static unsigned int max_sockets = 16384;
module_param_cb(max_sockets, &param_ops_limit, &max_sockets, 0644);
MODULE_PARM_DESC(max_sockets,
		 "Sockets that a guest may have (default 16384)");

static unsigned int max_deferred = 32768;
module_param_cb(max_deferred, &param_ops_limit, &max_deferred, 0644);
MODULE_PARM_DESC(max_deferred,
		 "Calls of a guest that may wait at a time (default 32768)");

static unsigned int max_pages = 1 << 18;
module_param_cb(max_pages, &param_ops_limit, &max_pages, 0644);
MODULE_PARM_DESC(max_pages,
		 "Pages of 4 KiB of a guest's data rings that are mapped at a time (default 262144)");

static int param_set_reuse_pages(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, INT_MAX);
}

static const struct kernel_param_ops param_ops_reuse_pages = {
	.set = param_set_reuse_pages,
	.get = param_get_uint,
};

static unsigned int reuse_pages = 8192;
module_param_cb(reuse_pages, &param_ops_reuse_pages, &reuse_pages, 0644);
MODULE_PARM_DESC(reuse_pages,
		 "Pages of 4 KiB of a guest's data rings that stay mapped between two sockets, 0 to 2147483647 (default 8192)");

static int param_set_reuse_time(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, 3600);
}

static const struct kernel_param_ops param_ops_reuse_time = {
	.set = param_set_reuse_time,
	.get = param_get_uint,
};

static unsigned int reuse_seconds = 30;
module_param_cb(reuse_seconds, &param_ops_reuse_time, &reuse_seconds, 0644);
MODULE_PARM_DESC(reuse_seconds,
		 "Seconds for which a data ring stays mapped between two sockets, 1 to 3600 (default 30)");

static bool allow_loopback;
module_param(allow_loopback, bool, 0644);
MODULE_PARM_DESC(allow_loopback,
		 "Guests may use this domain's own loopback addresses (default 0)");

/* What the largest domid can be added to */
#define PVCALLS_MAX_MARK	0xffff0000U

static int param_set_mark(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, PVCALLS_MAX_MARK);
}

static const struct kernel_param_ops param_ops_mark = {
	.set = param_set_mark,
	.get = param_get_uint,
};

static unsigned int mark;
module_param_cb(mark, &param_ops_mark, &mark, 0644);
MODULE_PARM_DESC(mark,
		 "Guests that connect from now on have their sockets marked with this and their domid added, for routing rules and packet filters; 0 to 4294901760, 0: no mark (default 0)");

/**
 * pvcalls_mark() - what marks a guest's sockets, if its device does not say
 * @domid: the guest
 *
 * Return: the mark, as of SO_MARK, 0 for none. Any context.
 */
u32 pvcalls_mark(domid_t domid)
{
	u32 base = READ_ONCE(mark);

	return base ? base + domid : 0;
}

/**
 * pvcalls_max_order() - the largest data ring
 *
 * Return: log2 of pages, 1 to PVCALLS_MAX_PAGE_ORDER. Any context.
 */
u32 pvcalls_max_order(void)
{
	return max_page_order;
}

/**
 * pvcalls_max_cmd_order() - the largest command ring
 *
 * Return: log2 of pages, 0 to PVCALLS_MAX_CMD_ORDER. Any context.
 */
u32 pvcalls_max_cmd_order(void)
{
	return max_cmd_order;
}

/**
 * pvcalls_max_sockets() - how many sockets a guest may have
 *
 * Return: sockets, 1 to INT_MAX. Any context.
 */
u32 pvcalls_max_sockets(void)
{
	return READ_ONCE(max_sockets);
}

/**
 * pvcalls_max_deferred() - how many calls of a guest may be deferred
 *
 * Return: calls, 1 to INT_MAX. Any context.
 */
u32 pvcalls_max_deferred(void)
{
	return READ_ONCE(max_deferred);
}

/**
 * pvcalls_max_pages() - how many pages of a guest may be mapped
 *
 * Return: pages of 4 KiB, 1 to INT_MAX. Any context.
 */
u32 pvcalls_max_pages(void)
{
	return READ_ONCE(max_pages);
}

/**
 * pvcalls_reuse_pages() - how many pages of a guest may be mapped but unused
 *
 * Return: pages of 4 KiB, 0 to INT_MAX. Any context.
 */
u32 pvcalls_reuse_pages(void)
{
	return READ_ONCE(reuse_pages);
}

/**
 * pvcalls_reuse_time() - for how long
 *
 * Return: jiffies. Any context.
 */
unsigned long pvcalls_reuse_time(void)
{
	return READ_ONCE(reuse_seconds) * HZ;
}

/**
 * pvcalls_policy_addr() - take an address out of a request
 * @g: whose
 * @addr: the address field
 * @len: its length in bytes, as the guest says
 * @out: the address, zero-padded
 *
 * Any context.
 *
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

/* Is this address this domain's loopback? The unspecified one is if @any. */
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
 * pvcalls_policy_connect() - may this guest connect there?
 * @g: the guest
 * @addr: as from pvcalls_policy_addr()
 *
 * To connect to the unspecified address means the loopback, on Linux. Any
 * context.
 *
 * Return: 0 or -EACCES.
 */
int pvcalls_policy_connect(struct pvcalls_guest *g,
			   const struct sockaddr_storage *addr)
{
	return pvcalls_policy_check(g, "connect to", addr, true);
}

/**
 * pvcalls_policy_bind() - may this guest bind this address?
 * @g: the guest
 * @addr: as from pvcalls_policy_addr()
 *
 * Any context.
 *
 * Return: 0 or -EACCES.
 */
int pvcalls_policy_bind(struct pvcalls_guest *g,
			const struct sockaddr_storage *addr)
{
	return pvcalls_policy_check(g, "bind to", addr, false);
}
