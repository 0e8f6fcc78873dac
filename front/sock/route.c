// SPDX-License-Identifier: GPL-2.0
/* See route.h. */
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/ipv6.h>

#include "conn/addr.h"
#include "sock/route.h"

/* Most prefixes that the parameter names */
#define PVC_MAX_PREFIXES	64

/**
 * struct pvc_prefix - destinations
 * @addr: IPv4's as IPv4-mapped ones
 * @v4: the prefix is one of IPv4
 * @len: how many bits of @addr count
 * @local: the destinations are the guest's own affair
 */
struct pvc_prefix {
	struct in6_addr addr;
	bool v4;
	unsigned int len;
	bool local;
};

/**
 * struct pvc_routes - what the parameter names
 * @text: the parameter as it was written
 * @n: number of prefixes
 * @prefix: the prefixes, in the order of @text
 */
struct pvc_routes {
	char *text;
	unsigned int n;
	struct pvc_prefix prefix[PVC_MAX_PREFIXES];
};

/* NULL if everything is the backend's; written under kernel_param_lock() */
static struct pvc_routes __rcu *pvc_routes;

/* Parses one prefix: [-]ADDRESS[/LENGTH] */
static int pvc_route_parse_one(struct pvc_prefix *p, char *word)
{
	char *slash = strchr(word, '/');
	unsigned int most = 128;
	__be32 v4;

	p->local = *word == '-';
	word += p->local;
	if (slash)
		*slash++ = '\0';
	p->v4 = in4_pton(word, -1, (u8 *)&v4, -1, NULL);
	if (p->v4) {
		ipv6_addr_set_v4mapped(v4, &p->addr);
		most = 32;
	} else if (!in6_pton(word, -1, (u8 *)&p->addr, -1, NULL)) {
		return -EINVAL;
	}
	p->len = most;
	if (slash && (kstrtouint(slash, 10, &p->len) || p->len > most))
		return -EINVAL;
	/* the bits that make it IPv4-mapped count as well */
	p->len += 128 - most;
	if (p->len >= 96 && ipv6_addr_v4mapped(&p->addr))
		p->v4 = true;
	return 0;
}

static int pvc_route_parse(struct pvc_routes *routes, char *rest)
{
	char *word;

	while ((word = strsep(&rest, ",\n "))) {
		if (!*word)
			continue;
		if (routes->n == PVC_MAX_PREFIXES) {
			pr_err("more than %u prefixes\n",
			       PVC_MAX_PREFIXES);
			return -E2BIG;
		}
		if (pvc_route_parse_one(&routes->prefix[routes->n], word)) {
			pr_err("%s is no prefix\n", word);
			return -EINVAL;
		}
		routes->n++;
	}
	return 0;
}

static void pvc_routes_free(struct pvc_routes *routes)
{
	if (routes)
		kfree(routes->text);
	kfree(routes);
}

static int prefixes_set(const char *val, const struct kernel_param *kp)
{
	struct pvc_routes *routes = kzalloc(sizeof(*routes), GFP_KERNEL);
	char *copy = kstrdup(val, GFP_KERNEL);
	int ret = -ENOMEM;

	if (!routes || !copy)
		goto out;
	routes->text = kstrdup(val, GFP_KERNEL);
	if (!routes->text)
		goto out;
	strim(routes->text);
	ret = pvc_route_parse(routes, copy);
	if (!ret) {
		routes = rcu_replace_pointer(pvc_routes, routes, true);
		synchronize_rcu();
	}
out:
	kfree(copy);
	pvc_routes_free(routes);
	return ret;
}

static int prefixes_get(char *buf, const struct kernel_param *kp)
{
	struct pvc_routes *routes = rcu_dereference_protected(pvc_routes,
							      true);

	return sysfs_emit(buf, "%s\n",
			  routes ? routes->text : "0.0.0.0/0,::/0");
}

static void prefixes_free(void *arg)
{
	pvc_routes_free(rcu_replace_pointer(pvc_routes, NULL, true));
}

static const struct kernel_param_ops prefixes_ops = {
	.set = prefixes_set,
	.get = prefixes_get,
	.free = prefixes_free,
};

module_param_cb(prefixes, &prefixes_ops, NULL, 0644);
MODULE_PARM_DESC(prefixes,
		 "Destinations that are reached through the backend: ADDRESS/LENGTH, separated by commas or blanks; -ADDRESS/LENGTH: not through it; the longest that matches counts (default 0.0.0.0/0,::/0)");

static bool pvc_route_wanted(const struct in6_addr *addr)
{
	const struct pvc_prefix *best = NULL, *p;
	const struct pvc_routes *routes;
	bool wanted = true, v4;
	unsigned int i;

	rcu_read_lock();
	v4 = ipv6_addr_v4mapped(addr);
	routes = rcu_dereference(pvc_routes);
	for (i = 0; routes && i < routes->n; i++) {
		p = &routes->prefix[i];
		if (p->v4 == v4 &&
		    ipv6_prefix_equal(addr, &p->addr, p->len) &&
		    (!best || p->len >= best->len))
			best = p;
	}
	if (routes)
		wanted = best && !best->local;
	rcu_read_unlock();
	return wanted;
}

/**
 * pvc_route_remote() - is a destination reached through the backend?
 * @net: namespace of the socket
 * @a: address
 *
 * The guest's own addresses stay in the guest. So does the unspecified address,
 * which means the guest itself.
 *
 * Context: process; does not sleep.
 * Return: true if so.
 */
bool pvc_route_remote(struct net *net, const struct pvc_addr *a)
{
	struct in6_addr addr;

	if (pvc_addr_is_any(a) || pvc_addr_is_link_local(a) ||
	    pvc_addr_is_local(net, a))
		return false;
	if (a->sa.sa_family == AF_INET6)
		addr = a->in6.sin6_addr;
	else
		ipv6_addr_set_v4mapped(a->in.sin_addr.s_addr, &addr);
	return pvc_route_wanted(&addr);
}

/**
 * pvc_bound_elsewhere() - does SO_BINDTODEVICE keep a socket in the guest?
 * @sk: socket
 *
 * A device of the guest's own other than lo cannot be reached through the
 * backend.
 *
 * Context: any.
 * Return: true if so.
 */
bool pvc_bound_elsewhere(const struct sock *sk)
{
	int ifindex = READ_ONCE(sk->sk_bound_dev_if);

	return ifindex && ifindex != LOOPBACK_IFINDEX;
}
