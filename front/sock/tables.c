// SPDX-License-Identifier: GPL-2.0
/* See tables.h. */
#include <linux/module.h>
#include <net/inet_common.h>
#include <net/tcp.h>

#include "pvcalls_compat.h"
#include "sock/bind.h"
#include "sock/connect.h"
#include "sock/dgram.h"
#include "sock/listen.h"
#include "sock/names.h"
#include "sock/native.h"
#include "sock/own.h"
#include "sock/prot.h"
#include "sock/sockopt.h"
#include "sock/stream.h"
#include "sock/tables.h"

/* Our operations of datagrams: native ones but for what dgram.c changes */
static struct proto_ops pvc_udp_tables[2];

/* Likewise of ICMP echoes, without what only UDP sockets have room for */
static struct proto_ops pvc_echo_tables[2];

/*
 * Each operation of a TCP socket holds what we know of the socket while the
 * operation runs. There is nothing to hold if the socket has gone local since
 * the caller looked at sock->ops, or if our operations are on a connection from
 * within the guest. The latter happens because kernel_accept() puts the
 * listening socket's operations there, and accept() does so for a listening
 * socket that goes local meanwhile. Such a socket gets the native operations
 * before anything native sees the socket, since kTLS copies what it finds.
 *
 * Then the native operation is called. It may sleep, so the module is held.
 * Holding the module fails while the module is being removed; only a call that
 * began before its socket went local can see that.
 *
 * Returns NULL for the native operation, or an error pointer.
 */
static struct pvc_sock *pvc_op_begin(struct socket *sock)
{
	struct pvc_sock *psk = pvc_sk_get(sock->sk);

	if (psk)
		return psk;
	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-EINTR);
	pvc_ops_to_native(sock, sock->sk, pvc_prot_ops(sock->sk->sk_family));
	return NULL;
}

static void pvc_op_end(struct pvc_sock *psk)
{
	if (psk)
		pvc_sk_put(psk);
	else
		module_put(THIS_MODULE);
}

static int pvc_op_bind(struct socket *sock, pvcalls_sockaddr *sa, int len)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_bind(psk, sock, (struct sockaddr *)sa, len);
	else
		ret = native->bind(sock, sa, len);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_connect(struct socket *sock, pvcalls_sockaddr *sa, int len,
			  int flags)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_connect(psk, sock, (struct sockaddr *)sa, len, flags);
	else
		ret = native->connect(sock, sa, len, flags);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_accept_args(struct socket *sock, struct socket *newsock,
			      int flags, bool kern)
{
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_accept(psk, sock, newsock, flags, kern);
	else
		ret = pvc_accept_pass(sock, newsock, flags, kern);
	pvc_op_end(psk);
	return ret;
}

PVCALLS_DEFINE_ACCEPT(pvc_op_accept, pvc_op_accept_args)

static int pvc_op_getname(struct socket *sock, struct sockaddr *sa, int peer)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_getname(psk, sock, sa, peer);
	else
		ret = native->getname(sock, sa, peer);
	pvc_op_end(psk);
	return ret;
}

static __poll_t pvc_op_poll(struct file *file, struct socket *sock,
			    struct poll_table_struct *wait)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	__poll_t ret;

	if (IS_ERR(psk))
		return 0;
	if (psk)
		ret = pvc_poll(psk, file, sock, wait);
	else
		ret = native->poll(file, sock, wait);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_ioctl(struct socket *sock, unsigned int cmd,
			unsigned long arg)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_ioctl(psk, sock, cmd, arg);
	else
		ret = native->ioctl(sock, cmd, arg);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_listen(struct socket *sock, int backlog)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_listen(psk, sock, backlog);
	else
		ret = native->listen(sock, backlog);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_shutdown(struct socket *sock, int how)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_shutdown(psk, sock, how);
	else
		ret = native->shutdown(sock, how);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_setsockopt(struct socket *sock, int level, int name,
			     sockptr_t val, unsigned int len)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_setsockopt(psk, sock, level, name, val, len);
	else
		ret = pvcalls_native_setsockopt(native, sock, level, name, val,
						len);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_getsockopt(struct socket *sock, int level, int name,
			     char __user *val, int __user *len)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_getsockopt(psk, sock, level, name, val, len);
	else
		ret = native->getsockopt(sock, level, name, val, len);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_sendmsg(psk, sock, msg, len);
	else
		ret = native->sendmsg(sock, msg, len);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			  int flags)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_recvmsg(psk, sock, msg, len, flags);
	else
		ret = native->recvmsg(sock, msg, len, flags);
	pvc_op_end(psk);
	return ret;
}

static int pvc_op_peek_len(struct socket *sock)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_op_begin(sock);
	int ret;

	if (IS_ERR(psk))
		return PTR_ERR(psk);
	if (psk)
		ret = pvc_peek_len(psk, sock);
	else
		ret = native->peek_len(sock);
	pvc_op_end(psk);
	return ret;
}

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
 * pvc_tables_ops() - our operations of a kind of sockets
 * @family: AF_INET or AF_INET6
 * @protocol: IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP or IPPROTO_ICMPV6
 *
 * Context: any.
 * Return: the table.
 */
const struct proto_ops *pvc_tables_ops(int family, int protocol)
{
	if (protocol == IPPROTO_TCP)
		return family == AF_INET6 ? &pvc_remote6_ops : &pvc_remote4_ops;
	if (protocol == IPPROTO_UDP)
		return &pvc_udp_tables[family == AF_INET6];
	return &pvc_echo_tables[family == AF_INET6];
}

/**
 * pvc_tables_init() - make the tables of datagrams
 *
 * Description: The native operations must have been learnt.
 *
 * Context: process; module initialisation.
 */
void pvc_tables_init(void)
{
	const int families[] = { AF_INET, AF_INET6 };
	const struct proto_ops *native;
	int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		native = pvc_native_ops(families[i], SOCK_DGRAM);
		if (!native)
			continue;
		pvc_udp_tables[i] = *native;
		pvc_dgram_init(&pvc_udp_tables[i]);
		/* these write into struct udp_sock, or read from there */
		pvc_echo_tables[i] = pvc_udp_tables[i];
		pvc_echo_tables[i].set_peek_off = NULL;
		pvc_echo_tables[i].read_skb = NULL;
	}
}
