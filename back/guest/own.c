// SPDX-License-Identifier: GPL-2.0
/* Looking into this domain's routing tables and ports; own.h says for whom. */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/in.h>
#include <linux/magic.h>
#include <linux/nsproxy.h>
#include <linux/proc_ns.h>

#include <net/inet_hashtables.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/net_namespace.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp_states.h>
#include <net/udp.h>

#include "guest/own.h"
#include "guest/rules.h"
#include "pvcalls_compat.h"

static bool pvcalls_own_address4(const struct sock *sk,
				 const struct pvcalls_target *t)
{
	struct flowi4 fl4 = {
		.flowi4_oif = READ_ONCE(sk->sk_bound_dev_if),
		.flowi4_mark = READ_ONCE(sk->sk_mark),
		.flowi4_proto = sk->sk_protocol,
		.flowi4_uid = sk->sk_uid,
		.fl4_dport = htons(t->port),
	};
	struct rtable *rt;
	bool own;

	memcpy(&fl4.daddr, t->addr, sizeof(fl4.daddr));
	/* the interface, and so whether this domain hears it, may be any */
	if (ipv4_is_multicast(fl4.daddr))
		return true;
	rt = ip_route_output_key(sock_net(sk), &fl4);
	if (IS_ERR(rt))
		return false;
	own = rt->rt_type == RTN_LOCAL;
	ip_rt_put(rt);
	return own;
}

static bool pvcalls_own_address6(const struct sock *sk,
				 const struct pvcalls_target *t)
{
	struct flowi6 fl6 = {
		.flowi6_oif = READ_ONCE(sk->sk_bound_dev_if),
		.flowi6_mark = READ_ONCE(sk->sk_mark),
		.flowi6_proto = sk->sk_protocol,
		.flowi6_uid = sk->sk_uid,
		.fl6_dport = htons(t->port),
	};
	struct dst_entry *dst;
	bool own;

	if (!IS_ENABLED(CONFIG_IPV6))
		return false;
	memcpy(&fl6.daddr, t->addr, sizeof(fl6.daddr));
	if (ipv6_addr_is_multicast(&fl6.daddr))
		return true;
	dst = ip6_route_output(sock_net(sk), NULL, &fl6);
	own = !dst->error && (container_of(dst, struct rt6_info, dst)->rt6i_flags &
			      (RTF_LOCAL | RTF_ANYCAST));
	dst_release(dst);
	return own;
}

/**
 * pvcalls_own_address() - is a destination this domain itself?
 * @sk: the kernel socket that would send there
 * @t: the destination
 *
 * The routing table is asked as the socket would ask it, so that this domain's
 * own rules, marks among them, have their say.
 *
 * Context: process, or softirq without the socket's lock.
 * Return: true if what is sent there comes back to this domain.
 */
bool pvcalls_own_address(const struct sock *sk, const struct pvcalls_target *t)
{
	return t->length == 32 ? pvcalls_own_address4(sk, t) :
				 pvcalls_own_address6(sk, t);
}

/* Does the socket belong to a program or to the kernel of this domain? */
static bool pvcalls_own_sock(const struct sock *sk)
{
	u32 uid = __kuid_val(sk->sk_uid);

	return uid < PVCALLS_FIRST_UID ||
	       uid - PVCALLS_FIRST_UID > DOMID_FIRST_RESERVED;
}

/* TIME_WAIT's entries are no whole sockets, so the state is looked at first. */
static bool pvcalls_own_listener(const struct sock *sk)
{
	return sk->sk_state == TCP_LISTEN && pvcalls_own_sock(sk);
}

static bool pvcalls_own_port_tcp(struct net *net, u16 port)
{
	struct inet_hashinfo *hash = net->ipv4.tcp_death_row.hashinfo;
	struct inet_bind_hashbucket *head;
	struct inet_bind_bucket *tb;
	bool found = false;

	head = &hash->bhash[inet_bhashfn(net, port, hash->bhash_size)];
	spin_lock_bh(&head->lock);
	inet_bind_bucket_for_each(tb, &head->chain) {
		if (net_eq(ib_net(tb), net) && tb->port == port &&
		    pvcalls_bound_any(tb, pvcalls_own_listener)) {
			found = true;
			break;
		}
	}
	spin_unlock_bh(&head->lock);
	return found;
}

static bool pvcalls_own_port_udp(struct net *net, u16 port)
{
	struct udp_hslot *slot = udp_hashslot(pvcalls_udp_table(net), net,
					      port);
	bool found = false;
	struct sock *sk;

	spin_lock_bh(&slot->lock);
	sk_for_each(sk, &slot->head) {
		/* with a peer, the port is open to that one only */
		if (net_eq(sock_net(sk), net) &&
		    udp_sk(sk)->udp_port_hash == port &&
		    sk->sk_state != TCP_ESTABLISHED && pvcalls_own_sock(sk)) {
			found = true;
			break;
		}
	}
	spin_unlock_bh(&slot->lock);
	return found;
}

/**
 * pvcalls_own_port() - does this domain itself listen on a port?
 * @sk: the kernel socket that is to be bound to the port, on whatever address
 * @port: the port, not 0
 *
 * The sockets of guests do not count.
 *
 * Context: process; takes the locks of the port's hash bucket.
 * Return: true for a TCP port on which a program listens, and for a UDP port
 * that a program has bound without a peer. ICMP has no ports.
 */
bool pvcalls_own_port(const struct sock *sk, u16 port)
{
	if (sk->sk_protocol == IPPROTO_TCP)
		return pvcalls_own_port_tcp(sock_net(sk), port);
	if (sk->sk_protocol == IPPROTO_UDP)
		return pvcalls_own_port_udp(sock_net(sk), port);
	return false;
}

/**
 * pvcalls_own_netns() - find a network namespace of this domain
 * @name: its name, as "ip netns" knows it, without a slash
 *
 * Context: process, may sleep.
 * Return: the namespace, with a reference, or an error pointer.
 */
struct net *pvcalls_own_netns(const char *name)
{
	struct net *net = ERR_PTR(-EINVAL);
	struct ns_common *ns;
	struct inode *inode;
	struct file *file;
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	file = filp_open(path, O_RDONLY | O_NONBLOCK, 0);
	if (IS_ERR(file))
		return ERR_CAST(file);
	inode = file_inode(file);
	if (inode->i_sb->s_magic == NSFS_MAGIC) {
		ns = get_proc_ns(inode);
		if (ns->ops == init_net.ns.ops)
			net = get_net(container_of(ns, struct net, ns));
	}
	fput(file);
	return net;
}
