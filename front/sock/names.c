// SPDX-License-Identifier: GPL-2.0
/* See names.h. */
#include <linux/sockios.h>
#include <linux/termios.h>
#include <linux/uaccess.h>
#include <net/tcp.h>

#include "sock/names.h"
#include "sock/native.h"
#include "sock/policy.h"
#include "sock/roster.h"

/**
 * pvc_is_over() - has a connection ended in both directions?
 * @sk: socket
 * @c: the backend's socket, connected
 *
 * TCP gives ENOTCONN once a RST has come, or both sides have sent a FIN.
 *
 * Context: process; does not sleep.
 * Return: true if so.
 */
bool pvc_is_over(const struct sock *sk, struct pvc_conn *c)
{
	if (!READ_ONCE(c->in_err))
		return false;
	if (READ_ONCE(c->in_err) != -ENOTCONN || READ_ONCE(c->out_err))
		return true;
	return READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN &&
	       pvc_conn_space(c, false) == c->ring.out.size;
}

/**
 * pvc_getname() - getsockname(), getpeername()
 * @psk: what we know of @sock
 * @sock: TCP socket
 * @sa: result, room for any address
 * @peer: 0 for the own address, else the peer's
 *
 * Context: process, sleeps; killable.
 * Return: length of the address, or the error that TCP gives.
 */
int pvc_getname(struct pvc_sock *psk, struct socket *sock, struct sockaddr *sa,
		int peer)
{
	struct pvc_conn *c = pvc_sk_conn(psk);
	struct sock *sk = sock->sk;
	struct pvc_addr a;
	int ret;

	if (!c && (pvc_sk_state(psk) == PVC_SK_LOCAL || !psk->local.len ||
		   peer))
		return pvc_native(sk)->getname(sock, sa, peer);
	if (!c) {
		ret = pvc_addr_to_user(sk, &psk->local, sa);
		pvc_policy_getname(sk, sa, false);
		return ret;
	}
	if (peer && c->state != PVC_CONN_CONNECTED) {
		pvc_conn_put(c);
		return -ENOTCONN;
	}
	/* peer is 2 when accept() asks: the connection may have ended */
	if (peer == 1 && pvc_is_over(sk, c))
		ret = -ENOTCONN;
	else
		ret = pvc_conn_getname(c, peer);
	if (ret == -EINTR || (ret && peer == 1)) {
		pvc_conn_put(c);
		return ret;
	}
	a = pvc_conn_addr(c, peer);
	ret = pvc_addr_to_user(sk, &a, sa);
	pvc_conn_put(c);
	pvc_policy_getname(sk, sa, peer);
	return ret;
}

static int pvc_shutdown_stream(struct sock *sk, struct pvc_conn *c, int how)
{
	int ret = 0;
	bool fin;

	if (pvc_is_over(sk, c))
		return -ENOTCONN;
	/* whoever is sending finishes first, so that the FIN comes last */
	mutex_lock(&c->tx_mutex);
	spin_lock_irq(&c->lock);
	fin = how & SEND_SHUTDOWN && !(sk->sk_shutdown & SEND_SHUTDOWN);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	spin_unlock_irq(&c->lock);
	mutex_unlock(&c->tx_mutex);
	if (fin)
		ret = pvc_conn_shutdown(c, SHUT_WR);
	pvc_wake_sock(sk, PVC_WAKE_STATE);
	return ret;
}

/* Ends listening: accept() gets EINVAL from now on. */
static int pvc_shutdown_listen(struct socket *sock, struct pvc_sock *psk,
			       int how)
{
	struct sock *sk = sock->sk;

	if (how & RCV_SHUTDOWN) {
		pvc_roster_leave(psk);
		WRITE_ONCE(psk->again.err, 0);
		pvc_sk_drop_conn(psk, false);
		pvc_sk_rest(psk, sock);
		/* the native socket lets go of the port, as the backend has */
		if (!psk->port_given)
			sk->sk_userlocks &= ~SOCK_BINDPORT_LOCK;
		if (inet_sk_state_load(sk) == TCP_LISTEN)
			pvc_native(sk)->shutdown(sock, SHUT_RD);
		pvc_wake_sock(sk, PVC_WAKE_STATE);
	}
	return 0;
}

/**
 * pvc_shutdown() - shutdown()
 * @psk: what we know of @sock
 * @sock: TCP socket
 * @how: SHUT_RD, SHUT_WR or SHUT_RDWR
 *
 * Context: process, sleeps; killable.
 * Return: 0 or the error that TCP gives.
 */
int pvc_shutdown(struct pvc_sock *psk, struct socket *sock, int how)
{
	struct pvc_conn *c = pvc_sk_conn(psk);
	struct sock *sk = sock->sk;
	int ret;

	if (!c && pvc_sk_state(psk) != PVC_SK_LISTENING)
		return pvc_native(sk)->shutdown(sock, how);
	ret = -EINVAL;
	/* SHUT_* to a mask of *_SHUTDOWN */
	how++;
	if ((how & ~SHUTDOWN_MASK) || !how)
		goto out;
	ret = mutex_lock_killable(&psk->ctl);
	if (ret)
		goto out;
	if (psk->state == PVC_SK_LISTENING) {
		ret = pvc_shutdown_listen(sock, psk, how);
	} else if (!c || psk->conn != c) {
		/* another thread has ended the connection meanwhile */
		ret = -ENOTCONN;
	} else if (c->state == PVC_CONN_CONNECTED) {
		ret = pvc_shutdown_stream(sk, c, how);
	} else if (c->state == PVC_CONN_CONNECTING) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
		pvc_sk_drop_conn(psk, true);
		pvc_sk_rest(psk, sock);
		pvc_wake_sock(sk, PVC_WAKE_STATE | PVC_WAKE_ERROR);
	} else {
		ret = -ENOTCONN;
	}
	mutex_unlock(&psk->ctl);
out:
	if (c)
		pvc_conn_put(c);
	return ret;
}

/**
 * pvc_peek_len() - bytes that can be read
 * @psk: what we know of @sock
 * @sock: TCP socket
 *
 * Context: process.
 * Return: bytes.
 */
int pvc_peek_len(struct pvc_sock *psk, struct socket *sock)
{
	struct pvc_conn *c = pvc_sk_conn(psk);
	int n = 0;

	if (c && c->state == PVC_CONN_CONNECTED)
		n = pvc_conn_avail(c, false);
	if (c)
		pvc_conn_put(c);
	return n;
}

/**
 * pvc_ioctl() - ioctl()
 * @psk: what we know of @sock
 * @sock: TCP socket
 * @cmd: request
 * @arg: argument of the request
 *
 * Context: process, may sleep.
 * Return: 0 or the error that TCP gives.
 */
int pvc_ioctl(struct pvc_sock *psk, struct socket *sock, unsigned int cmd,
	      unsigned long arg)
{
	bool queue = cmd == SIOCINQ || cmd == SIOCOUTQ || cmd == SIOCOUTQNSD;
	struct pvc_conn *c = pvc_sk_conn(psk);
	int n, ret;

	if (queue && pvc_sk_state(psk) == PVC_SK_LISTENING) {
		ret = -EINVAL;
	} else if (!c || (!queue && cmd != SIOCATMARK)) {
		ret = pvc_native(sock->sk)->ioctl(sock, cmd, arg);
	} else {
		n = 0;
		if (c->state == PVC_CONN_CONNECTED && cmd == SIOCINQ)
			n = pvc_conn_avail(c, false);
		else if (c->state == PVC_CONN_CONNECTED && cmd != SIOCATMARK)
			n = c->ring.out.size - pvc_conn_space(c, false);
		ret = put_user(n, (int __user *)arg);
	}
	if (c)
		pvc_conn_put(c);
	return ret;
}
