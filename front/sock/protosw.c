// SPDX-License-Identifier: GPL-2.0
/* See protosw.h. */
#include <linux/module.h>
#include <linux/slab.h>
#include <net/protocol.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "pvcalls_compat.h"
#include "sock/native.h"
#include "sock/own.h"
#include "sock/prot.h"
#include "sock/protosw.h"
#include "sock/roster.h"
#include "sock/sock.h"

/* Says what a socket that this process makes in a namespace is to be */
static int (*pvc_protosw_wanted)(const struct net *net);

/*
 * Shall a socket that is being made be ours? The probe has asked before, but
 * the probe does not see a program that names a protocol of ours while probes
 * are switched off, and the answer may have changed since. Returns 1 for ours,
 * 0 for a native one, or a negative error for none.
 */
static int pvc_protosw_take(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	int ret = pvc_protosw_wanted(sock_net(sk));

	if (!ret)
		sock->ops = pvc_native(sk);
	return ret;
}

/*
 * May a program have an MPTCP socket? The kernel may have been built without
 * MPTCP, or net.mptcp.enabled of the namespace may be 0. Modules cannot see
 * either, so a socket of MPTCP is made in order to learn what the kernel says.
 */
static int pvc_protosw_mptcp(struct sock *sk)
{
	struct socket *sock;
	int ret;

	ret = sock_create_kern(sock_net(sk), sk->sk_family, SOCK_STREAM,
			       IPPROTO_MPTCP, &sock);
	if (!ret)
		sock_release(sock);
	return ret;
}

/* Called by inet_create() and inet6_create(), which may sleep. */
static int pvc_stream_init(struct sock *sk)
{
	struct pvc_prot *prot = pvc_prot_of(sk->sk_prot);
	int ret;

	WRITE_ONCE(sk->sk_prot, prot->native);
	sk->sk_prot_creator = prot->native;
	sk->sk_protocol = prot->protocol;
	ret = prot->native->init(sk);
	if (!ret && prot->sw.protocol == PVC_PROTO_MPTCP)
		ret = pvc_protosw_mptcp(sk);
	if (!ret)
		ret = pvc_protosw_take(sk);
	return ret > 0 ? pvc_own(sk, sk->sk_socket) : ret;
}

/* Called when the last descriptor is closed; the process may wait. */
static void pvc_stream_close(struct sock *sk, long timeout)
{
	struct proto *native = pvc_prot_native(sk);
	struct pvc_sock *psk = pvc_sk_get(sk);

	if (psk) {
		pvc_sk_close(psk, sk, timeout);
		pvc_roster_leave(psk);
		pvc_sk_put(psk);
	}
	native->close(sk, timeout);
}

static int pvc_dgram_sock_init(struct sock *sk)
{
	struct pvc_prot *prot = pvc_prot_of(sk->sk_prot);
	struct pvc_sock *psk = pvc_prot_tail(sk);
	int ret;

	pvcalls_place_pinet6(sk, prot->native);
	memset(psk, 0, sizeof(*psk));
	pvc_sk_init(psk);
	psk->embedded = true;
	sk->sk_protocol = prot->protocol;
	ret = prot->native->init ? prot->native->init(sk) : 0;
	if (!ret)
		ret = pvc_protosw_take(sk);
	if (ret < 0)
		return ret;
	if (!ret) {
		WRITE_ONCE(sk->sk_prot, prot->native);
		return 0;
	}
	pvcalls_custom_sockopt(sk->sk_socket, true);
	return pvc_sk_pay(psk);
}

static void pvc_dgram_sock_close(struct sock *sk, long timeout)
{
	pvc_sk_close(pvc_prot_tail(sk), sk, timeout);
	pvc_roster_leave(pvc_prot_tail(sk));
	pvc_prot_native(sk)->close(sk, timeout);
}

/*
 * Other kernel code may have put something into the socket. The native function
 * gives that back.
 */
static void pvc_dgram_sock_destroy(struct sock *sk)
{
	struct proto *native = pvc_prot_native(sk);

	pvc_sk_abandon(pvc_prot_tail(sk));
	pvc_roster_leave(pvc_prot_tail(sk));
	if (native->destroy)
		native->destroy(sk);
}

/* IPV6_ADDRFORM would put other tables on a socket, whoever owns the socket. */
static int pvc_dgram_sock_setsockopt(struct sock *sk, int level, int name,
				     sockptr_t val, unsigned int len)
{
	if (level == SOL_IPV6 && name == IPV6_ADDRFORM)
		return -EBUSY;
	return pvc_prot_native(sk)->setsockopt(sk, level, name, val, len);
}

static int pvc_protosw_enlarge(struct pvc_prot *prot)
{
	struct proto *proto = &prot->proto;

	prot->tail = ALIGN(proto->obj_size, L1_CACHE_BYTES);
	proto->obj_size = prot->tail + sizeof(struct pvc_sock);
	proto->owner = THIS_MODULE;
	proto->init = pvc_dgram_sock_init;
	proto->close = pvc_dgram_sock_close;
	proto->destroy = pvc_dgram_sock_destroy;
	proto->setsockopt = pvc_dgram_sock_setsockopt;
	snprintf(prot->name, sizeof(prot->name), "pvcalls_%s", proto->name);
	proto->slab = kmem_cache_create_usercopy(prot->name, proto->obj_size,
						 0, SLAB_HWCACHE_ALIGN |
						 SLAB_ACCOUNT |
						 proto->slab_flags,
						 proto->useroffset,
						 proto->usersize, NULL);
	return proto->slab ? 0 : -ENOMEM;
}

/*
 * Finds the native struct proto of ICMP echoes over IPv4. Kernels with IPv6
 * built in do not export it, and making a socket would need a right that
 * net.ipv4.ping_group_range gives to nobody. But the kernel's own entry is in
 * the list in which inet_register_protosw() has put @ours. The list's head has
 * no entry around it: what looks like one is in the kernel's array of heads, and
 * its type is the low half of a pointer, which is a multiple of 8 and so cannot
 * be SOCK_DGRAM.
 */
static struct proto *pvc_protosw_echo(const struct inet_protosw *ours)
{
	struct proto *found = NULL;
	struct inet_protosw *sw;

	rcu_read_lock();
	list_for_each_entry_rcu(sw, &ours->list, list) {
		if (sw->type != SOCK_DGRAM || sw->protocol != IPPROTO_ICMP)
			continue;
		found = sw->prot;
		break;
	}
	rcu_read_unlock();
	return found;
}

/*
 * Finds the native struct protos that prot.c cannot name, after that of UDP over
 * IPv4 has been registered. A kernel without IPv6 lacks those of IPv6.
 */
static void pvc_protosw_find(struct pvc_prot *prot)
{
	if (prot->native)
		return;
	if (prot->family == AF_INET) {
		prot->native = pvc_protosw_echo(&pvc_prots[PVC_PROT_UDP4].sw);
		return;
	}
	if (!pvc_native_ops(AF_INET6, SOCK_STREAM))
		return;
	switch (prot->protocol) {
	case IPPROTO_TCP:
		prot->native = &tcpv6_prot;
		break;
	case IPPROTO_UDP:
		prot->native = pvc_udp6_prot();
		break;
	default:
		prot->native = &pingv6_prot;
		break;
	}
}

static int pvc_protosw_register(struct pvc_prot *prot,
				const struct proto_ops *(*ops)(int family,
							       int protocol))
{
	bool stream = prot->sw.type == SOCK_STREAM;
	int ret = 0;

	pvc_protosw_find(prot);
	if (!prot->native)
		return 0;
	prot->proto = *prot->native;
#ifdef CONFIG_BPF_SYSCALL
	prot->proto.psock_update_sk_prot = NULL;
#endif
	prot->proto.diag_destroy = NULL;
	prot->proto.pre_connect = NULL;
	if (stream) {
		prot->proto.init = pvc_stream_init;
		prot->proto.close = pvc_stream_close;
	} else {
		ret = pvc_protosw_enlarge(prot);
	}
	if (ret)
		return ret;
	prot->sw.prot = &prot->proto;
	prot->sw.ops = ops(prot->family, prot->protocol);
	if (prot->family == AF_INET)
		inet_register_protosw(&prot->sw);
	else
		ret = inet6_register_protosw(&prot->sw);
	prot->registered = !ret;
	return ret;
}

static void pvc_protosw_unregister(struct pvc_prot *prot)
{
	if (prot->registered && prot->family == AF_INET)
		inet_unregister_protosw(&prot->sw);
	else if (prot->registered)
		inet6_unregister_protosw(&prot->sw);
	prot->registered = false;
}

/* Call when no socket is made any more and none of ours is left. */
static void pvc_protosw_free(struct pvc_prot *prot)
{
	if (prot->sw.type == SOCK_DGRAM)
		kmem_cache_destroy(prot->proto.slab);
	prot->proto.slab = NULL;
}

/**
 * pvc_protosw_init() - let socket() find our protocols
 * @wanted: what shall a socket of a namespace be that this process makes? 1 for
 *	one of ours, 0 for a native one, a negative error for none
 * @ops: our operations of a kind of sockets
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int pvc_protosw_init(int (*wanted)(const struct net *net),
		     const struct proto_ops *(*ops)(int family, int protocol))
{
	unsigned int i;
	int ret;

	pvc_protosw_wanted = wanted;
	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++) {
		ret = pvc_protosw_register(&pvc_prots[i], ops);
		if (ret) {
			pvc_protosw_exit();
			return ret;
		}
	}
	return 0;
}

/**
 * pvc_protosw_exit() - undo pvc_protosw_init()
 *
 * Description: No socket of ours is left. A thread that read a table of ours
 * before the last socket went may still be about to call one of our functions,
 * or about to return from one. Our functions do not sleep there without a
 * reference to the module, so synchronize_rcu_tasks() waits for the thread.
 *
 * Context: process, sleeps.
 */
void pvc_protosw_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		pvc_protosw_unregister(&pvc_prots[i]);
	synchronize_rcu_tasks();
	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		pvc_protosw_free(&pvc_prots[i]);
}
