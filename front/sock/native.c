// SPDX-License-Identifier: GPL-2.0
/* See native.h. */
#include <linux/module.h>
#include <net/inet_common.h>

#include "conn/conn.h"
#include "sock/native.h"

/*
 * inet6_stream_ops, inet6_dgram_ops and udpv6_prot are not exported: they are
 * read off sockets of the kernel's. All three are NULL without IPv6.
 */
static const struct proto_ops *pvc_inet6_stream, *pvc_inet6_dgram;
static struct proto *pvc_udp6;

/**
 * pvc_native_ops() - the native operations of a kind of sockets
 * @family: AF_INET or AF_INET6
 * @type: SOCK_STREAM or SOCK_DGRAM
 *
 * Context: any.
 * Return: the table, or NULL if the kernel has no IPv6.
 */
const struct proto_ops *pvc_native_ops(int family, int type)
{
	if (type == SOCK_DGRAM)
		return family == AF_INET6 ? pvc_inet6_dgram : &inet_dgram_ops;
	return family == AF_INET6 ? pvc_inet6_stream : &inet_stream_ops;
}

/**
 * pvc_native() - the operations of the native socket underneath
 * @sk: socket
 *
 * Context: any.
 * Return: inet_stream_ops, inet6_stream_ops or those of datagrams.
 */
const struct proto_ops *pvc_native(const struct sock *sk)
{
	return pvc_native_ops(sk->sk_family, sk->sk_type);
}

/**
 * pvc_ops_to_native() - a struct socket gets the native operations
 * @sock: struct socket that may have our operations
 * @sk: its native TCP socket
 * @ours: our operations for sockets of that family
 *
 * Our operations held the module. The caller holds the module by another
 * reference, so that this function may go on. Threads that do the same at once
 * count once; operations that are not ours stay.
 *
 * Context: any.
 */
void pvc_ops_to_native(struct socket *sock, const struct sock *sk,
		       const struct proto_ops *ours)
{
	const struct proto_ops *native = pvc_native(sk);

	if (READ_ONCE(sock->ops) != ours)
		return;
	/* cannot fail: the native socket holds the module of its operations */
	__module_get(native->owner);
	if (cmpxchg(&sock->ops, ours, native) == ours)
		module_put(THIS_MODULE);
	else
		module_put(native->owner);
}

/**
 * pvc_udp6_prot() - the native struct proto of UDP over IPv6
 *
 * Context: any.
 * Return: udpv6_prot, or NULL if the kernel has no IPv6.
 */
struct proto *pvc_udp6_prot(void)
{
	return pvc_udp6;
}

/**
 * pvc_native_init() - learn what native sockets of each kind have
 *
 * Context: process, may sleep; module initialisation.
 * Return: 0 or a negative error.
 */
int pvc_native_init(void)
{
	struct socket *sock;
	int ret;

	ret = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
			       &sock);
	if (ret)
		return ret;
	pvc_wake_init(sock->sk);
	sock_release(sock);
	if (!sock_create_kern(&init_net, AF_INET6, SOCK_STREAM, IPPROTO_TCP,
			      &sock)) {
		pvc_inet6_stream = sock->ops;
		sock_release(sock);
	}
	if (!sock_create_kern(&init_net, AF_INET6, SOCK_DGRAM, IPPROTO_UDP,
			      &sock)) {
		pvc_inet6_dgram = sock->ops;
		pvc_udp6 = sock->sk->sk_prot;
		sock_release(sock);
	}
	return 0;
}
