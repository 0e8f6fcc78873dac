// SPDX-License-Identifier: GPL-2.0
/* See sock.h. Life of a socket and its tables of operations. */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/inet_common.h>
#include <net/tcp.h>

#include "pvcalls_compat.h"
#include "sock/sock.h"

/*
 * inet6_stream_ops, inet6_dgram_ops and udpv6_prot are not exported: read off
 * sockets. NULL without IPv6.
 */
static const struct proto_ops *pvc_inet6_ops, *pvc_dgram6_native;
static struct proto *pvc_udp6;

/* Ours for datagrams: the native ones but for what dgram.c changes */
static struct proto_ops pvc_dgram_tables[2];

/* A TCP socket's operations, but for owner and release: [1] is for IPv6 */
static struct proto_ops pvc_local_tables[2];

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
 * pvc_sk() - what we know of a socket
 * @sk: socket with our operations
 *
 * Return: NULL if nothing has been decided yet.
 */
struct pvc_sock *pvc_sk(const struct sock *sk)
{
	/* freed only by the socket's own release */
	return (void *)((uintptr_t)rcu_dereference_raw(__sk_user_data(sk)) &
			SK_USER_DATA_PTRMASK);
}

/**
 * pvc_sk_create() - pvc_sk(), made if it is not there yet
 * @sk: socket with our operations
 *
 * Context: process, may sleep; takes the socket's lock.
 * Return: NULL without memory.
 */
struct pvc_sock *pvc_sk_create(struct sock *sk)
{
	struct pvc_sock *psk = pvc_sk(sk);

	if (psk)
		return psk;
	lock_sock(sk);
	psk = pvc_sk(sk);
	if (!psk) {
		psk = kzalloc(sizeof(*psk), GFP_KERNEL);
		if (psk) {
			mutex_init(&psk->ctl);
			spin_lock_init(&psk->lock);
			if (sk->sk_socket)
				pvcalls_custom_sockopt(sk->sk_socket, true);
			/* not for sockets that TCP clones from this one */
			__rcu_assign_sk_user_data_with_flags(sk, psk,
							     SK_USER_DATA_NOCOPY);
		}
	}
	release_sock(sk);
	return psk;
}

/**
 * pvc_sk_conn() - the backend's socket behind a program's
 * @sk: socket with our operations
 *
 * Context: process.
 * Return: with a reference, or NULL if there is none.
 */
struct pvc_conn *pvc_sk_conn(const struct sock *sk)
{
	struct pvc_sock *psk = pvc_sk(sk);
	struct pvc_conn *c;

	if (!psk)
		return NULL;
	spin_lock(&psk->lock);
	c = psk->conn;
	if (c)
		pvc_conn_hold(c);
	spin_unlock(&psk->lock);
	return c;
}

/**
 * pvc_sk_set_conn() - give a socket its backend's socket
 * @psk: socket without one, ctl held or not yet visible
 * @c: object whose reference is taken over
 */
void pvc_sk_set_conn(struct pvc_sock *psk, struct pvc_conn *c)
{
	spin_lock(&psk->lock);
	psk->conn = c;
	spin_unlock(&psk->lock);
}

/**
 * pvc_sk_drop_conn() - close the backend's socket
 * @psk: socket, ctl held
 * @abort: reset the connection
 *
 * Context: process, sleeps; waits for the backend only for a second at most,
 * and only if there is a port that is to be free again.
 */
void pvc_sk_drop_conn(struct pvc_sock *psk, bool abort)
{
	struct pvc_conn *c;

	spin_lock(&psk->lock);
	c = psk->conn;
	psk->conn = NULL;
	spin_unlock(&psk->lock);
	if (c) {
		pvc_conn_close(c, abort);
		pvc_conn_await_port(c);
		pvc_conn_put(c);
	}
}

/**
 * pvc_go_local() - from now on it is the guest's own TCP socket
 * @sock: socket that has not been used yet, but for being bound perhaps
 *
 * The wait queue, the options and the local port stay as they are, so other
 * threads that poll it notice nothing.
 */
void pvc_go_local(struct socket *sock)
{
	struct pvc_sock *psk = pvc_sk(sock->sk);

	if (psk)
		pvc_sk_drop_conn(psk, true);
	pvcalls_custom_sockopt(sock, false);
	WRITE_ONCE(sock->ops,
		   &pvc_local_tables[sock->sk->sk_family == AF_INET6]);
}

/* Is close() to wait until all has been sent, because of SO_LINGER? */
static bool pvc_lingers(const struct sock *sk, const struct pvc_conn *c)
{
	return sk->sk_type == SOCK_STREAM && sock_flag(sk, SOCK_LINGER) &&
	       sk->sk_lingertime && !(current->flags & PF_EXITING) &&
	       READ_ONCE(c->state) == PVC_CONN_CONNECTED;
}

/**
 * pvc_release() - close()
 * @sock: any of ours
 *
 * Context: process, sleeps; waits for the backend only as long as SO_LINGER
 * says, and a second for a port to be free again.
 * Return: 0.
 */
int pvc_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct pvc_sock *psk;
	struct pvc_conn *c;
	bool lingers;

	if (!sk)
		return 0;
	psk = pvc_sk(sk);
	if (psk) {
		c = pvc_sk_conn(sk);
		lingers = c && pvc_lingers(sk, c);
		pvc_sk_drop_conn(psk, sock_flag(sk, SOCK_LINGER) &&
				 !sk->sk_lingertime);
		if (c) {
			if (lingers)
				pvc_conn_await_over(c, sk->sk_lingertime);
			pvc_conn_put(c);
		}
		rcu_assign_sk_user_data(sk, NULL);
		kfree(psk);
	}
	return pvc_native(sk)->release(sock);
}

PVCALLS_DEFINE_ACCEPT(pvc_accept_op, pvc_accept)

#define PVC_REMOTE_OPS(fam)				\
	.family		= fam,				\
	.owner		= THIS_MODULE,			\
	.release	= pvc_release,			\
	.bind		= pvc_bind,			\
	.connect	= pvc_connect,			\
	.socketpair	= sock_no_socketpair,		\
	.accept		= pvc_accept_op,		\
	.getname	= pvc_getname,			\
	.poll		= pvc_poll,			\
	.ioctl		= pvc_ioctl,			\
	.gettstamp	= sock_gettstamp,		\
	.listen		= pvc_listen,			\
	.shutdown	= pvc_shutdown,			\
	.setsockopt	= pvc_setsockopt,		\
	.getsockopt	= pvc_getsockopt,		\
	.sendmsg	= pvc_sendmsg,			\
	.recvmsg	= pvc_recvmsg,			\
	.mmap		= sock_no_mmap,			\
	PVCALLS_NO_SENDPAGE				\
	PVCALLS_PEEK_OFF				\
	.peek_len	= pvc_peek_len

static const struct proto_ops pvc_remote4_ops = { PVC_REMOTE_OPS(PF_INET) };
static const struct proto_ops pvc_remote6_ops = {
	PVC_REMOTE_OPS(PF_INET6)
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
 * pvc_sock_init() - learn the native operations
 *
 * Context: process, may sleep; module initialisation.
 * Return: 0.
 */
int pvc_sock_init(void)
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
	pvc_local_tables[0] = inet_stream_ops;
	if (pvc_inet6_ops)
		pvc_local_tables[1] = *pvc_inet6_ops;
	for (i = 0; i < 2; i++) {
		/* each socket holds the module that its first table came from */
		pvc_local_tables[i].owner = THIS_MODULE;
		pvc_local_tables[i].release = pvc_release;
	}
	return 0;
}
