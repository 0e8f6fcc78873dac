// SPDX-License-Identifier: GPL-2.0
/*
 * SYNs for listening sockets; inbound.h says what becomes of them.
 *
 * TCP calls a listening socket's icsk_af_ops for each SYN, without the socket's
 * lock. SMC replaces these operations likewise. A connection's socket is a copy
 * of the listening one, and gets the native operations back before anybody can
 * use it.
 */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/ipv6.h>
#include <linux/net.h>

#include <net/inet_connection_sock.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "pvcalls_compat.h"
#include "sock/callbacks.h"
#include "sock/inbound.h"

/**
 * struct pvcalls_inbound - the operations of listening sockets of a family
 * @native: TCP's own
 * @ops: a copy of those, which asks before
 */
struct pvcalls_inbound {
	const struct inet_connection_sock_af_ops *native;
	struct inet_connection_sock_af_ops ops;
};

static struct pvcalls_inbound pvcalls_inbound4 __ro_after_init;
static struct pvcalls_inbound pvcalls_inbound6 __ro_after_init;

static const struct pvcalls_inbound *pvcalls_inbound_of(const struct sock *sk)
{
	return sk->sk_family == AF_INET ? &pvcalls_inbound4 : &pvcalls_inbound6;
}

static int pvcalls_inbound_syn(struct sock *sk, struct sk_buff *skb)
{
	if (pvcalls_callbacks_syn(sk, skb))
		return pvcalls_inbound_of(sk)->native->conn_request(sk, skb);
	pvcalls_reset_syn(sk, skb);
	return 0;
}

static struct sock *pvcalls_inbound_child PVCALLS_SYN_RECV_ARGS
{
	const struct pvcalls_inbound *in = pvcalls_inbound_of(sk);
	struct sock *child;

	child = in->native->syn_recv_sock PVCALLS_SYN_RECV_PASS;
	/* one of IPv4 with a listening socket of IPv6 has others already */
	if (child && inet_csk(child)->icsk_af_ops == &in->ops)
		inet_csk(child)->icsk_af_ops = in->native;
	return child;
}

/* A new socket shows which operations are native. */
static int __init pvcalls_inbound_learn(struct pvcalls_inbound *in, int family)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, family, SOCK_STREAM, IPPROTO_TCP,
			       &sock);
	if (err)
		return err;
	in->native = inet_csk(sock->sk)->icsk_af_ops;
	sock_release(sock);
	in->ops = *in->native;
	in->ops.conn_request = pvcalls_inbound_syn;
	in->ops.syn_recv_sock = pvcalls_inbound_child;
	return 0;
}

/**
 * pvcalls_inbound_start() - get ready for listening sockets
 *
 * Context: process, may sleep; the module's begin.
 * Return: 0 or a negative error number.
 */
int __init pvcalls_inbound_start(void)
{
	int err;

	err = pvcalls_inbound_learn(&pvcalls_inbound4, AF_INET);
	if (!err && ipv6_mod_enabled())
		err = pvcalls_inbound_learn(&pvcalls_inbound6, AF_INET6);
	return err;
}

/**
 * pvcalls_inbound_attach() - have an owner asked for each SYN
 * @sk: the kernel socket, of TCP, with an owner (callbacks.h), which is going
 *	to listen or does
 *
 * More than one call has no further effect.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_inbound_attach(struct sock *sk)
{
	WRITE_ONCE(inet_csk(sk)->icsk_af_ops, &pvcalls_inbound_of(sk)->ops);
}

/**
 * pvcalls_inbound_detach() - undo pvcalls_inbound_attach()
 * @sk: the kernel socket, of TCP; nothing happens if the owner is not asked
 *
 * A softirq may still be asking the owner.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_inbound_detach(struct sock *sk)
{
	const struct pvcalls_inbound *in = pvcalls_inbound_of(sk);

	if (inet_csk(sk)->icsk_af_ops == &in->ops)
		WRITE_ONCE(inet_csk(sk)->icsk_af_ops, in->native);
}
