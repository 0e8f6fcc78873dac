// SPDX-License-Identifier: GPL-2.0
/* See route.h. */
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/fib_rules.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include "conn/addr.h"
#include "pvcalls_compat.h"
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

/* NULL if the guest's routes decide; written under kernel_param_lock() */
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
		 "Destinations that are reached through the backend: ADDRESS/LENGTH, separated by commas or blanks; -ADDRESS/LENGTH: not through it; the longest that matches counts; where that is /0, the guest's own routes come first (default 0.0.0.0/0,::/0)");

/**
 * enum pvc_route_word - what the parameter says of a destination
 * @PVC_ROUTE_GUEST: the destination is the guest's own affair
 * @PVC_ROUTE_BACKEND: it is reached through the backend
 * @PVC_ROUTE_ASK: it is reached through the backend, unless a route of the
 *	guest's leads there
 */
enum pvc_route_word {
	PVC_ROUTE_GUEST,
	PVC_ROUTE_BACKEND,
	PVC_ROUTE_ASK,
};

static enum pvc_route_word pvc_route_named(const struct in6_addr *addr)
{
	enum pvc_route_word word = PVC_ROUTE_ASK;
	const struct pvc_prefix *best = NULL, *p;
	const struct pvc_routes *routes;
	bool v4 = ipv6_addr_v4mapped(addr);
	unsigned int i;

	rcu_read_lock();
	routes = rcu_dereference(pvc_routes);
	for (i = 0; routes && i < routes->n; i++) {
		p = &routes->prefix[i];
		if (p->v4 == v4 &&
		    ipv6_prefix_equal(addr, &p->addr, p->len) &&
		    (!best || p->len >= best->len))
			best = p;
	}
	if (routes && (!best || best->local))
		word = PVC_ROUTE_GUEST;
	else if (best && best->len > (v4 ? 96 : 0))
		word = PVC_ROUTE_BACKEND;
	rcu_read_unlock();
	return word;
}

/*
 * Looks a destination up as connect() does, but makes no route of the result.
 * Returns -ESRCH if no route leads there. That is not what a rule with the word
 * "unreachable" says, though __fib_lookup() has one error for both.
 */
static int pvc_route_look_up4(struct net *net, struct flowi4 *fl4,
			      struct fib_result *res)
{
	int ret;
#ifdef CONFIG_IP_MULTIPLE_TABLES
	struct fib_lookup_arg arg = {
		.result = res,
		.flags = FIB_LOOKUP_NOREF,
	};

	if (net->ipv4.fib_has_custom_rules)
		return pvcalls_rules_lookup(net->ipv4.rules_ops,
					    flowi4_to_flowi(fl4), 0, &arg);
#endif
	ret = fib_lookup(net, fl4, res, 0);
	return ret == -ENETUNREACH ? -ESRCH : ret;
}

/*
 * Asks the guest's routes of IPv4. Returns 1 if none leads to a destination or
 * only a default one does, 0 if another one does, or the error that they have.
 */
static int pvc_route_ask4(const struct sock *sk, const struct sockaddr_in *to)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct fib_result res = {};
	struct flowi4 fl4 = {};
	int ret;

	flowi4_init_output(&fl4, READ_ONCE(sk->sk_bound_dev_if),
			   READ_ONCE(sk->sk_mark), ip_sock_rt_tos(sk),
			   ip_sock_rt_scope(sk), sk->sk_protocol, 0,
			   to->sin_addr.s_addr, inet->inet_saddr, to->sin_port,
			   inet->inet_sport, sk->sk_uid);
	rcu_read_lock();
	ret = pvc_route_look_up4(sock_net(sk), &fl4, &res);
	rcu_read_unlock();
	if (ret)
		return ret == -ESRCH ? 1 : ret;
	return res.type == RTN_UNICAST && !res.prefixlen;
}

/*
 * What a route of IPv6 of some type and length says of a destination. Returns
 * 1 if it is a default route or none, 0 if it is another one, or an error.
 */
static int pvc_route_answer6(u8 type, int len)
{
	switch (type) {
	case RTN_UNICAST:
		return !len;
	case RTN_BLACKHOLE:
		return -EINVAL;
	case RTN_UNREACHABLE:
		return -EHOSTUNREACH;
	case RTN_PROHIBIT:
		return -EACCES;
	case RTN_THROW:
		return 1;
	default:
		return 0;
	}
}

#ifdef CONFIG_IPV6_MULTIPLE_TABLES
static bool pvc_route_has_rules6(const struct net *net)
{
	return net->ipv6.fib6_has_custom_rules;
}

/* The route that a packet would take in one table, with a reference */
static struct rt6_info *pvc_route_table6(struct net *net, struct fib6_table *t,
					 struct flowi6 *fl6,
					 const struct sk_buff *skb, int flags)
{
	return ip6_pol_route(net, t, fl6->flowi6_oif, fl6, skb, flags);
}

/*
 * With rules, fib6_lookup() is not enough: it passes over suppress_prefixlength,
 * and ends at a route of type throw. So the rules are gone through as for a
 * packet. ip6_route_output() does so, too, but its answer is the same for a rule
 * with the word "unreachable" and for no rule that leads anywhere. Returns the
 * same as pvc_route_answer6().
 */
static int pvc_route_rules6(struct net *net, struct flowi6 *fl6, int flags)
{
	struct fib6_result res = {};
	struct fib_lookup_arg arg = {
		.lookup_ptr = pvc_route_table6,
		.result = &res,
		.flags = FIB_LOOKUP_NOREF,
	};
	const struct fib6_info *from;
	int ret;

	l3mdev_update_flow(net, flowi6_to_flowi(fl6));
	ret = pvcalls_rules_lookup(net->ipv6.fib6_rules_ops,
				   flowi6_to_flowi(fl6), flags, &arg);
	if (!res.rt6)
		return 1;
	rcu_read_lock();
	from = rcu_dereference(res.rt6->from);
	if (from)
		ret = pvc_route_answer6(from->fib6_type, from->fib6_dst.plen);
	else if (!ret)
		ret = 1;
	rcu_read_unlock();
	dst_release(&res.rt6->dst);
	return ret;
}
#else
static bool pvc_route_has_rules6(const struct net *net)
{
	return false;
}

static int pvc_route_rules6(struct net *net, struct flowi6 *fl6, int flags)
{
	return 1;
}
#endif

/* Asks the guest's routes of IPv6. Returns the same as pvc_route_answer6(). */
static int pvc_route_ask6(const struct sock *sk, const struct sockaddr_in6 *to)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	int oif = READ_ONCE(sk->sk_bound_dev_if);
	struct flowi6 fl6 = {
		.flowi6_oif = oif,
		.flowi6_iif = LOOPBACK_IFINDEX,
		.flowi6_mark = READ_ONCE(sk->sk_mark),
		.flowi6_proto = sk->sk_protocol,
		.flowi6_uid = sk->sk_uid,
		.flowlabel = ip6_make_flowinfo(np->tclass, np->flow_label),
		.daddr = to->sin6_addr,
		.saddr = np->saddr,
		.fl6_dport = to->sin6_port,
		.fl6_sport = inet_sk(sk)->inet_sport,
	};
	struct net *net = sock_net(sk);
	struct fib6_result res = {};
	int flags = 0, ret;

	if (oif)
		flags |= RT6_LOOKUP_F_IFACE;
	if (!ipv6_addr_any(&fl6.saddr))
		flags |= RT6_LOOKUP_F_HAS_SADDR;
	if (pvc_route_has_rules6(net))
		return pvc_route_rules6(net, &fl6, flags |
					rt6_srcprefs2flags(np->srcprefs));
	rcu_read_lock();
	ret = pvcalls_fib6_lookup(net, oif, &fl6, &res, flags);
	if (ret == -ESRCH || (!ret && res.f6i == net->ipv6.fib6_null_entry))
		ret = 1;
	else if (!ret)
		ret = pvc_route_answer6(res.fib6_type,
					res.f6i->fib6_dst.plen);
	rcu_read_unlock();
	return ret;
}

/**
 * pvc_is_elsewhere() - does a device that a program has chosen lead elsewhere?
 * @ifindex: number of a device of the guest's, or 0 for none
 *
 * A device of the guest's own other than lo cannot be reached through the
 * backend, and its number means nothing there.
 *
 * Context: any.
 * Return: true if so.
 */
bool pvc_is_elsewhere(int ifindex)
{
	return ifindex && ifindex != LOOPBACK_IFINDEX;
}

/* Has a program chosen a device of the guest's for a group (multicast)? */
static bool pvc_route_group_elsewhere(const struct sock *sk,
				      const struct pvc_addr *to)
{
	int ifindex;

	if (to->sa.sa_family == AF_INET6)
		ifindex = ipv6_addr_is_multicast(&to->in6.sin6_addr) ?
			  inet6_sk(sk)->mcast_oif : 0;
	else
		ifindex = ipv4_is_multicast(to->in.sin_addr.s_addr) ?
			  inet_sk(sk)->mc_index : 0;
	return pvc_is_elsewhere(ifindex);
}

/**
 * pvc_route_remote() - is a destination reached through the backend?
 * @sk: socket
 * @to: address
 *
 * The guest's own addresses stay in the guest. So does the unspecified address,
 * which means the guest itself. Of others the parameter says where they lead.
 * Where the parameter has nothing but a default for a destination, the guest's
 * routes are asked as the native socket would ask them: of this namespace, by
 * the guest's rules for mark, user and ports. A route other than a default one
 * keeps the destination in the guest.
 *
 * Context: process; does not sleep.
 * Return: 1 if so, 0 if not, or the error that the guest's routes have for the
 * destination: -EHOSTUNREACH, -ENETUNREACH, -EACCES, -EINVAL.
 */
int pvc_route_remote(const struct sock *sk, const struct pvc_addr *to)
{
	bool v6 = to->sa.sa_family == AF_INET6;
	struct in6_addr addr;

	if (pvc_addr_is_any(to) || pvc_addr_is_loopback(to) ||
	    pvc_addr_is_link_local(to) || pvc_route_group_elsewhere(sk, to))
		return 0;
	if (v6)
		addr = to->in6.sin6_addr;
	else
		ipv6_addr_set_v4mapped(to->in.sin_addr.s_addr, &addr);
	switch (pvc_route_named(&addr)) {
	case PVC_ROUTE_GUEST:
		return 0;
	case PVC_ROUTE_BACKEND:
		return !pvc_addr_is_local(sock_net(sk), to);
	default:
		return v6 ? pvc_route_ask6(sk, &to->in6) :
			    pvc_route_ask4(sk, &to->in);
	}
}

/**
 * pvc_bound_elsewhere() - does SO_BINDTODEVICE keep a socket in the guest?
 * @sk: socket
 *
 * Context: any.
 * Return: true if so.
 */
bool pvc_bound_elsewhere(const struct sock *sk)
{
	return pvc_is_elsewhere(READ_ONCE(sk->sk_bound_dev_if));
}
