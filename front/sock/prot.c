// SPDX-License-Identifier: GPL-2.0
/*
 * Struct protos of our own: copies of the native ones, which are on a socket
 * for as long as it is ours. The life of what we know of a socket hangs on
 * them, since nobody replaces struct proto but by rules that ours keep out of:
 *
 * - psock_update_sk_prot is NULL, so that a sockmap refuses the socket;
 * - diag_destroy is NULL: the native function would end the native socket only.
 *
 * None of them is registered: that would replace the native slabs of requests
 * and of TIME-WAIT, and destroy them in the end. The copies count in the native
 * ones' statistics.
 *
 * The copies for TCP have the native object, slab and owner, because clones,
 * TIME-WAIT and IPv6 rely on those; sk_prot_creator is native from the
 * beginning. The copies for datagrams have a larger object in a slab of ours,
 * and the module is their owner.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <net/ping.h>
#include <net/protocol.h>
#include <net/tcp.h>
#include <net/transp_v6.h>
#include <net/udp.h>

#include "pvcalls_compat.h"
#include "sock/sock.h"

/**
 * struct pvc_prot - a protocol of ours
 * @proto: the copy
 * @sw: its registration with socket()
 * @native: the original; NULL if the kernel has none
 * @tail: of datagrams: offset of &struct pvc_sock in the object, in bytes
 * @protocol: what SO_PROTOCOL says, and what goes into packets of the guest
 * @family: AF_INET or AF_INET6
 * @registered: @sw is in force
 * @name: of the slab
 */
struct pvc_prot {
	struct proto proto;
	struct inet_protosw sw;
	struct proto *native;
	unsigned int tail;
	int protocol;
	int family;
	bool registered;
	char name[32];
};

static struct pvc_prot pvc_prots[];

/* Is a socket of this namespace that this process makes to be ours? */
static bool (*pvc_prot_wanted)(const struct net *net);

#define PVC_PROT(fam, typ, proto_nr, proto_native, sw_nr, sw_flags) {	\
	.family = fam,							\
	.protocol = proto_nr,						\
	.native = proto_native,						\
	.sw = { .type = typ, .protocol = sw_nr, .flags = sw_flags },	\
}

static struct pvc_prot pvc_prots[] = {
	PVC_PROT(AF_INET, SOCK_STREAM, IPPROTO_TCP, &tcp_prot,
		 IPPROTO_PVCALLS, INET_PROTOSW_ICSK),
	PVC_PROT(AF_INET6, SOCK_STREAM, IPPROTO_TCP, NULL,
		 IPPROTO_PVCALLS, INET_PROTOSW_ICSK),
	PVC_PROT(AF_INET, SOCK_DGRAM, IPPROTO_UDP, &udp_prot,
		 IPPROTO_PVCALLS, 0),
	PVC_PROT(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, NULL,
		 IPPROTO_PVCALLS, 0),
	PVC_PROT(AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &ping_prot,
		 PVC_PROTO_ECHO, INET_PROTOSW_REUSE),
	PVC_PROT(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, NULL,
		 PVC_PROTO_ECHO, INET_PROTOSW_REUSE),
};

/* The protocol of ours that a struct proto belongs to, or NULL. */
static struct pvc_prot *pvc_prot_of(const struct proto *proto)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		if (proto == &pvc_prots[i].proto)
			return &pvc_prots[i];
	return NULL;
}

/**
 * pvc_prot_native() - the native struct proto of a socket
 * @sk: any socket
 *
 * Context: any.
 * Return: the original if the socket's struct proto is one of ours, else what
 * the socket has.
 */
struct proto *pvc_prot_native(const struct sock *sk)
{
	struct proto *proto = READ_ONCE(sk->sk_prot);
	struct pvc_prot *prot = pvc_prot_of(proto);

	return prot ? prot->native : proto;
}

/**
 * pvc_prot_ours() - our copy of a native struct proto
 * @native: tcp_prot or tcpv6_prot
 *
 * Context: any.
 * Return: the copy.
 */
struct proto *pvc_prot_ours(const struct proto *native)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		if (pvc_prots[i].native == native)
			return &pvc_prots[i].proto;
	WARN_ON_ONCE(1);
	return NULL;
}

/**
 * pvc_prot_tail() - what we know of a socket of datagrams
 * @sk: socket with our operations
 *
 * Context: any.
 * Return: the tail of the socket's object.
 */
struct pvc_sock *pvc_prot_tail(const struct sock *sk)
{
	/* sk_prot_creator says how large the object is: it never changes */
	struct pvc_prot *prot = container_of(sk->sk_prot_creator,
					     struct pvc_prot, proto);

	return (void *)sk + prot->tail;
}

/*
 * Shall a socket that is being made be ours? The probe has asked before, but
 * does not see a protocol of ours that a program names while probes are
 * switched off, and what it has found may have changed.
 */
static bool pvc_prot_take(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;

	if (pvc_prot_wanted(sock_net(sk)))
		return true;
	sock->ops = pvc_native(sk);
	return false;
}

/* Context: process, inside inet_create() or inet6_create(). */
static int pvc_stream_init(struct sock *sk)
{
	struct pvc_prot *prot = pvc_prot_of(sk->sk_prot);
	int ret;

	WRITE_ONCE(sk->sk_prot, prot->native);
	sk->sk_prot_creator = prot->native;
	sk->sk_protocol = prot->protocol;
	ret = prot->native->init(sk);
	if (ret || !pvc_prot_take(sk))
		return ret;
	return pvc_own(sk, sk->sk_socket);
}

/* close(): the process of the last descriptor, which may wait. */
static void pvc_stream_close(struct sock *sk, long timeout)
{
	struct proto *native = pvc_prot_native(sk);
	struct pvc_sock *psk = pvc_sk_get(sk);

	if (psk) {
		pvc_sk_close(psk, sk, timeout);
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
	if (ret)
		return ret;
	if (pvc_prot_take(sk))
		pvcalls_custom_sockopt(sk->sk_socket, true);
	else
		WRITE_ONCE(sk->sk_prot, prot->native);
	return 0;
}

static void pvc_dgram_close(struct sock *sk, long timeout)
{
	pvc_sk_close(pvc_prot_tail(sk), sk, timeout);
	pvc_prot_native(sk)->close(sk, timeout);
}

/* Whoever has put something of his into the socket gets it back here. */
static void pvc_dgram_destroy(struct sock *sk)
{
	struct proto *native = pvc_prot_native(sk);

	pvc_sk_abandon(pvc_prot_tail(sk));
	if (native->destroy)
		native->destroy(sk);
}

/* IPV6_ADDRFORM puts other tables on a socket without asking whose it is. */
static int pvc_dgram_prot_setsockopt(struct sock *sk, int level, int name,
				     sockptr_t val, unsigned int len)
{
	if (level == SOL_IPV6 && name == IPV6_ADDRFORM)
		return -EBUSY;
	return pvc_prot_native(sk)->setsockopt(sk, level, name, val, len);
}

static int pvc_dgram_make(struct pvc_prot *prot)
{
	struct proto *proto = &prot->proto;

	prot->tail = ALIGN(proto->obj_size, L1_CACHE_BYTES);
	proto->obj_size = prot->tail + sizeof(struct pvc_sock);
	proto->owner = THIS_MODULE;
	proto->init = pvc_dgram_sock_init;
	proto->close = pvc_dgram_close;
	proto->destroy = pvc_dgram_destroy;
	proto->setsockopt = pvc_dgram_prot_setsockopt;
	snprintf(prot->name, sizeof(prot->name), "pvcalls_%s", proto->name);
	proto->slab = kmem_cache_create_usercopy(prot->name, proto->obj_size,
						 0, SLAB_HWCACHE_ALIGN |
						 SLAB_ACCOUNT |
						 proto->slab_flags,
						 proto->useroffset,
						 proto->usersize, NULL);
	return proto->slab ? 0 : -ENOMEM;
}

/* IPv6's are not there if the kernel was built without it. */
static void pvc_prot_find(struct pvc_prot *prot)
{
	if (prot->family == AF_INET || !pvc_remote_ops(AF_INET6))
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

static int pvc_prot_register(struct pvc_prot *prot)
{
	bool stream = prot->sw.type == SOCK_STREAM;
	int ret = 0;

	pvc_prot_find(prot);
	if (!prot->native)
		return 0;
	prot->proto = *prot->native;
#ifdef CONFIG_BPF_SYSCALL
	prot->proto.psock_update_sk_prot = NULL;
#endif
	prot->proto.diag_destroy = NULL;
	if (stream) {
		prot->proto.init = pvc_stream_init;
		prot->proto.close = pvc_stream_close;
	} else {
		ret = pvc_dgram_make(prot);
	}
	if (ret)
		return ret;
	prot->sw.prot = &prot->proto;
	prot->sw.ops = stream ? pvc_remote_ops(prot->family) :
				pvc_dgram_ops(prot->family);
	if (prot->family == AF_INET)
		inet_register_protosw(&prot->sw);
	else
		ret = inet6_register_protosw(&prot->sw);
	prot->registered = !ret;
	return ret;
}

static void pvc_prot_unregister(struct pvc_prot *prot)
{
	if (prot->registered && prot->family == AF_INET)
		inet_unregister_protosw(&prot->sw);
	else if (prot->registered)
		inet6_unregister_protosw(&prot->sw);
	prot->registered = false;
}

/* Call when no socket is being made any more. */
static void pvc_prot_free(struct pvc_prot *prot)
{
	if (prot->sw.type == SOCK_DGRAM)
		kmem_cache_destroy(prot->proto.slab);
	prot->proto.slab = NULL;
}

/**
 * pvc_prot_init() - let socket() find our protocols
 * @wanted: shall a socket of a namespace that this process makes be ours?
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int pvc_prot_init(bool (*wanted)(const struct net *net))
{
	unsigned int i;
	int ret;

	pvc_prot_wanted = wanted;
	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++) {
		ret = pvc_prot_register(&pvc_prots[i]);
		if (ret) {
			pvc_prot_exit();
			return ret;
		}
	}
	return 0;
}

/**
 * pvc_prot_exit() - undo pvc_prot_init()
 *
 * No socket of ours is left. Whoever has read a table of ours before the last
 * one went may still be about to call a function, or about to leave one: none
 * of those sleeps before it holds a reference to the module.
 *
 * Context: process, sleeps.
 */
void pvc_prot_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		pvc_prot_unregister(&pvc_prots[i]);
	synchronize_rcu_tasks();
	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		pvc_prot_free(&pvc_prots[i]);
}
