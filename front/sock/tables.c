// SPDX-License-Identifier: GPL-2.0
/* See sock.h. The tables of operations: the native ones, and ours. */
#include <linux/module.h>
#include <net/inet_common.h>
#include <net/tcp.h>

#include "pvcalls_compat.h"
#include "sock/sock.h"

/*
 * inet6_stream_ops, inet6_dgram_ops and udpv6_prot are not exported: they are
 * read off sockets of the kernel's. NULL without IPv6.
 */
static const struct proto_ops *pvc_inet6_ops, *pvc_dgram6_native;
static struct proto *pvc_udp6;

/* Ours for datagrams: the native ones but for what dgram.c changes */
static struct proto_ops pvc_dgram_tables[2];

/**
 * pvc_native() - the operations of the native socket underneath
 * @sk: socket
 *
 * Return: inet_stream_ops, inet6_stream_ops or those of datagrams.
 */
const struct proto_ops *pvc_native(const struct sock *sk)
{
	if (sk->sk_type == SOCK_DGRAM)
		return sk->sk_family == AF_INET6 ? pvc_dgram6_native :
						   &inet_dgram_ops;
	return sk->sk_family == AF_INET6 ? pvc_inet6_ops : &inet_stream_ops;
}

/**
 * pvc_ops_to_native() - a struct socket gets the native operations
 * @sock: struct socket with our operations
 * @sk: its native TCP socket
 *
 * The caller holds the module otherwise.
 *
 * Context: any.
 */
void pvc_ops_to_native(struct socket *sock, const struct sock *sk)
{
	const struct proto_ops *native = pvc_native(sk);

	/* the native socket holds native's module, if that is one */
	__module_get(native->owner);
	WRITE_ONCE(sock->ops, native);
	module_put(THIS_MODULE);
}

/*
 * Each operation of a TCP socket holds what we know of the socket while the
 * operation runs. If there is nothing, the socket has gone local since the
 * caller looked at its operations, or the kernel has accepted a connection from
 * within the guest for itself: then the native operation is called, which may
 * sleep, so the module is held. While the module is going that cannot be done;
 * nothing but a call that began before the socket went local sees that.
 */
#define PVC_STREAM_OP(type, going, name, params, native_call, our_call)	\
static type pvc_op_##name params					\
{									\
	struct pvc_sock *psk = pvc_sk_get(sock->sk);			\
	type ret = going;						\
									\
	if (psk) {							\
		ret = our_call;						\
		pvc_sk_put(psk);					\
	} else if (try_module_get(THIS_MODULE)) {			\
		ret = native_call;					\
		module_put(THIS_MODULE);				\
	}								\
	return ret;							\
}

#define PVC_NATIVE	pvc_native(sock->sk)

PVC_STREAM_OP(int, -EINTR, bind,
	      (struct socket *sock, struct sockaddr *sa, int len),
	      PVC_NATIVE->bind(sock, sa, len),
	      pvc_bind(psk, sock, sa, len))
PVC_STREAM_OP(int, -EINTR, connect,
	      (struct socket *sock, struct sockaddr *sa, int len, int flags),
	      PVC_NATIVE->connect(sock, sa, len, flags),
	      pvc_connect(psk, sock, sa, len, flags))
PVC_STREAM_OP(int, -EINTR, accept_args,
	      (struct socket *sock, struct socket *newsock, int flags,
	       bool kern),
	      pvc_accept_pass(sock, newsock, flags, kern),
	      pvc_accept(psk, sock, newsock, flags, kern))
PVCALLS_DEFINE_ACCEPT(pvc_op_accept, pvc_op_accept_args)
PVC_STREAM_OP(int, -EINTR, getname,
	      (struct socket *sock, struct sockaddr *sa, int peer),
	      PVC_NATIVE->getname(sock, sa, peer),
	      pvc_getname(psk, sock, sa, peer))
PVC_STREAM_OP(__poll_t, 0, poll,
	      (struct file *file, struct socket *sock,
	       struct poll_table_struct *wait),
	      PVC_NATIVE->poll(file, sock, wait),
	      pvc_poll(psk, file, sock, wait))
PVC_STREAM_OP(int, -EINTR, ioctl,
	      (struct socket *sock, unsigned int cmd, unsigned long arg),
	      PVC_NATIVE->ioctl(sock, cmd, arg),
	      pvc_ioctl(psk, sock, cmd, arg))
PVC_STREAM_OP(int, -EINTR, listen, (struct socket *sock, int backlog),
	      PVC_NATIVE->listen(sock, backlog),
	      pvc_listen(psk, sock, backlog))
PVC_STREAM_OP(int, -EINTR, shutdown, (struct socket *sock, int how),
	      PVC_NATIVE->shutdown(sock, how),
	      pvc_shutdown(psk, sock, how))
PVC_STREAM_OP(int, -EINTR, setsockopt,
	      (struct socket *sock, int level, int name, sockptr_t val,
	       unsigned int len),
	      pvcalls_native_setsockopt(PVC_NATIVE, sock, level, name, val,
					len),
	      pvc_setsockopt(psk, sock, level, name, val, len))
PVC_STREAM_OP(int, -EINTR, getsockopt,
	      (struct socket *sock, int level, int name, char __user *val,
	       int __user *len),
	      PVC_NATIVE->getsockopt(sock, level, name, val, len),
	      pvc_getsockopt(psk, sock, level, name, val, len))
PVC_STREAM_OP(int, -EINTR, sendmsg,
	      (struct socket *sock, struct msghdr *msg, size_t len),
	      PVC_NATIVE->sendmsg(sock, msg, len),
	      pvc_sendmsg(psk, sock, msg, len))
PVC_STREAM_OP(int, -EINTR, recvmsg,
	      (struct socket *sock, struct msghdr *msg, size_t len, int flags),
	      PVC_NATIVE->recvmsg(sock, msg, len, flags),
	      pvc_recvmsg(psk, sock, msg, len, flags))
PVC_STREAM_OP(int, -EINTR, peek_len, (struct socket *sock),
	      PVC_NATIVE->peek_len(sock),
	      pvc_peek_len(psk, sock))

#define PVC_REMOTE_OPS(fam, rel)			\
	.family		= fam,				\
	.owner		= THIS_MODULE,			\
	.release	= rel,				\
	.bind		= pvc_op_bind,			\
	.connect	= pvc_op_connect,		\
	.socketpair	= sock_no_socketpair,		\
	.accept		= pvc_op_accept,		\
	.getname	= pvc_op_getname,		\
	.poll		= pvc_op_poll,			\
	.ioctl		= pvc_op_ioctl,			\
	.gettstamp	= sock_gettstamp,		\
	.listen		= pvc_op_listen,		\
	.shutdown	= pvc_op_shutdown,		\
	.setsockopt	= pvc_op_setsockopt,		\
	.getsockopt	= pvc_op_getsockopt,		\
	.sendmsg	= pvc_op_sendmsg,		\
	.recvmsg	= pvc_op_recvmsg,		\
	.mmap		= sock_no_mmap,			\
	PVCALLS_NO_SENDPAGE				\
	PVCALLS_PEEK_OFF				\
	.peek_len	= pvc_op_peek_len

static const struct proto_ops pvc_remote4_ops = {
	PVC_REMOTE_OPS(PF_INET, inet_release)
};

static const struct proto_ops pvc_remote6_ops = {
	PVC_REMOTE_OPS(PF_INET6, inet6_release)
};

/**
 * pvc_remote_ops() - our operations
 * @family: AF_INET or AF_INET6
 *
 * Return: the table, or NULL if the kernel has no IPv6.
 */
const struct proto_ops *pvc_remote_ops(int family)
{
	if (family == AF_INET)
		return &pvc_remote4_ops;
	return pvc_inet6_ops ? &pvc_remote6_ops : NULL;
}

/**
 * pvc_dgram_ops() - our operations of datagrams
 * @family: AF_INET or AF_INET6
 *
 * Return: the table, or NULL if the kernel has no IPv6.
 */
const struct proto_ops *pvc_dgram_ops(int family)
{
	if (family == AF_INET)
		return &pvc_dgram_tables[0];
	return pvc_dgram6_native ? &pvc_dgram_tables[1] : NULL;
}

/**
 * pvc_udp6_prot() - udpv6_prot
 *
 * Return: NULL if the kernel has no IPv6.
 */
struct proto *pvc_udp6_prot(void)
{
	return pvc_udp6;
}

/**
 * pvc_tables_init() - learn the native operations
 *
 * Context: process, may sleep; module initialisation.
 * Return: 0.
 */
int pvc_tables_init(void)
{
	struct socket *sock;
	int i;

	if (!sock_create_kern(&init_net, AF_INET6, SOCK_STREAM, IPPROTO_TCP,
			      &sock)) {
		pvc_inet6_ops = sock->ops;
		sock_release(sock);
	}
	if (!sock_create_kern(&init_net, AF_INET6, SOCK_DGRAM, IPPROTO_UDP,
			      &sock)) {
		pvc_dgram6_native = sock->ops;
		pvc_udp6 = sock->sk->sk_prot;
		sock_release(sock);
	}
	pvc_dgram_tables[0] = inet_dgram_ops;
	if (pvc_dgram6_native)
		pvc_dgram_tables[1] = *pvc_dgram6_native;
	for (i = 0; i < 2; i++)
		pvc_dgram_init(&pvc_dgram_tables[i]);
	return 0;
}
