// SPDX-License-Identifier: GPL-2.0
/* See listen.h. */
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "link/link.h"
#include "pvcalls_compat.h"
#include "sock/bind.h"
#include "sock/inherit.h"
#include "sock/listen.h"
#include "sock/native.h"
#include "sock/own.h"
#include "sock/policy.h"
#include "sock/prot.h"
#include "sock/roster.h"
#include "sock/route.h"
#include "sock/sockopt.h"
#include "sock/wait.h"

/* Listening needs a bound socket. Call with ctl held. */
static int pvc_listen_bind(struct pvc_sock *psk, struct socket *sock)
{
	int ret;

	if (psk->conn)
		return 0;
	ret = pvc_bind_any(sock, psk);
	if (!ret && pvc_sk_state(psk) == PVC_SK_OPEN)
		pvc_sk_move(psk, sock, PVC_SK_BOUND);
	return ret;
}

/*
 * Undoes a listen() that has failed: the backend's socket must not listen for
 * nobody, nor be deaf while the program's still listens as before. Call with
 * ctl held.
 */
static void pvc_listen_undo(struct pvc_sock *psk, struct sock *sk)
{
	bool listens = pvc_sk_state(psk) == PVC_SK_LISTENING;
	struct pvc_conn *c = psk->conn;

	if (c && (READ_ONCE(c->state) == PVC_CONN_LISTENING) != listens)
		pvc_sk_drop_conn(psk, true);
	if (listens)
		pvc_roster_join(psk, sk);
}

/* Call with ctl held, in state OPEN, BOUND or LISTENING. */
static int pvc_listen_locked(struct pvc_sock *psk, struct socket *sock,
			     int backlog)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct sock *sk = sock->sk;
	struct pvc_conn *c;
	int ret;

	pvc_sk_drop_ended(psk);
	ret = pvc_listen_bind(psk, sock);
	if (ret)
		return ret;
	psk->listened = true;
	c = psk->conn;
	if (c) {
		ret = pvc_conn_listen(c, backlog);
		/* the next backend will hear of it */
		if (pvc_link_ended(c->link))
			ret = 0;
	}
	if (!ret && inet_sk(sk)->inet_num)
		ret = native->listen(sock, backlog);
	if (ret) {
		pvc_listen_undo(psk, sk);
		return ret;
	}
	psk->again.backlog = backlog;
	if (c) {
		pvc_conn_attach(c, sk);
		pvc_relay_reuse(c);
	}
	pvc_sk_move(psk, sock, PVC_SK_LISTENING);
	pvc_roster_join(psk, sk);
	/*
	 * A program that waits for a signal does not ask for a connection, so
	 * the request for one goes out here. Without feature-defer a request
	 * that waits holds a slot of the command ring for good.
	 */
	if (c && pvc_link_has(c->link, PVCALLS_F_DEFER))
		pvc_conn_post_accepts(c);
	return 0;
}

/*
 * An address of the backend's does not come along when a socket goes local, and
 * any other port than the program's would be no use.
 */
static int pvc_listen_local(struct pvc_sock *psk, struct socket *sock,
			    int backlog)
{
	if (psk->local.len && !inet_sk(sock->sk)->inet_num)
		return -EADDRNOTAVAIL;
	return pvc_native(sock->sk)->listen(sock, backlog);
}

/**
 * pvc_listen() - listen()
 * @psk: what we know of @sock
 * @sock: TCP socket
 * @backlog: as in listen()
 *
 * A socket bound to any address also listens in the guest, for programs that
 * connect from within.
 *
 * Context: process, sleeps; killable.
 * Return: 0 or the error that TCP gives.
 */
int pvc_listen(struct pvc_sock *psk, struct socket *sock, int backlog)
{
	int ret;

	ret = mutex_lock_killable(&psk->ctl);
	if (ret)
		return ret;
	switch (pvc_sk_state(psk)) {
	case PVC_SK_CONNECTING:
	case PVC_SK_CONNECTED:
		ret = -EINVAL;
		break;
	case PVC_SK_OPEN:
	case PVC_SK_BOUND:
		if (pvc_bound_elsewhere(sock->sk) ||
		    pvc_policy_filtered(sock->sk))
			pvc_go_local(psk, sock);
		break;
	default:
		break;
	}
	if (pvc_sk_state(psk) == PVC_SK_LOCAL)
		ret = pvc_listen_local(psk, sock, backlog);
	else if (!ret)
		ret = pvc_listen_locked(psk, sock, backlog);
	mutex_unlock(&psk->ctl);
	return ret;
}

/* Classes of an accepted socket's locks; see pvc_new_sk() */
static struct lock_class_key pvc_accepted_slock, pvc_accepted_lock;

/*
 * Gives @newsock, which accept() has made, a TCP socket underneath. Only the
 * kernel's own socket() makes TCP sockets, so a socket of its making is taken
 * over. That socket is made for the kernel, since accept() on a TCP socket asks
 * nobody whether the process may make one. From then on it is a program's. That
 * is told lockdep as well: programs' memory may fault while the lock is held.
 */
static int pvc_new_sk(struct socket *newsock, struct sock *from)
{
	struct socket *tmp;
	struct sock *sk;
	int ret;

	ret = __sock_create(sock_net(from), from->sk_family, SOCK_STREAM,
			    IPPROTO_TCP, &tmp, 1);
	if (ret)
		return ret;
	sk = tmp->sk;
	ret = pvc_own(sk, newsock);
	if (ret) {
		sock_release(tmp);
		return ret;
	}
	pvcalls_sk_hold_net(sk);
	sock_lock_init_class_and_name(sk, "slock-pvcalls", &pvc_accepted_slock,
				      "sk_lock-pvcalls", &pvc_accepted_lock);
	tmp->sk = NULL;
	pvc_inherit_owner(sk, from);
	sock_graft(sk, newsock);
	sock_release(tmp);
	newsock->ops = pvc_prot_ops(sk->sk_family);
	pvcalls_custom_sockopt(newsock, true);
	if (test_bit(SOCK_SUPPORT_ZC, &from->sk_socket->flags))
		set_bit(SOCK_SUPPORT_ZC, &newsock->flags);
	pvc_inherit(newsock, from);
	return 0;
}

/**
 * pvc_listen_leave() - end listening at the backend if packets are filtered
 * @psk: what we know of @sock
 * @sock: socket in state LISTENING
 *
 * Programs that see packets have come to the socket's cgroup since listen().
 * The socket goes local: connections from outside that wait are reset, those
 * from within the guest stay.
 *
 * Context: process, sleeps.
 * Return: true if the socket is local.
 */
bool pvc_listen_leave(struct pvc_sock *psk, struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (!pvc_policy_filtered(sk) || mutex_lock_killable(&psk->ctl))
		return false;
	if (pvc_sk_state(psk) == PVC_SK_LISTENING) {
		pvc_go_local(psk, sock);
		pvc_wake_sock(sk, PVC_WAKE_STATE);
	}
	mutex_unlock(&psk->ctl);
	return pvc_sk_state(psk) == PVC_SK_LOCAL;
}

/* Accepts a connection from the backend; -EAGAIN if there is none. */
static int pvc_accept_remote(struct socket *newsock, struct sock *from,
			     struct pvc_conn *l)
{
	struct pvc_conn *c = pvc_conn_accept(l);
	struct pvc_sock *psk;
	int ret;

	if (IS_ERR_OR_NULL(c))
		return c ? PTR_ERR(c) : -EAGAIN;
	ret = pvc_new_sk(newsock, from);
	if (ret) {
		pvc_conn_unaccept(l, c);
		return ret;
	}
	psk = pvc_sk_get(newsock->sk);
	pvc_sk_set_conn(psk, c);
	pvc_sk_move(psk, newsock, PVC_SK_CONNECTED);
	pvc_conn_attach(c, newsock->sk);
	pvc_sk_put(psk);
	return 0;
}

static bool pvc_native_ready(const struct sock *sk)
{
	return inet_sk_state_load(sk) == TCP_LISTEN &&
	       !reqsk_queue_empty(&inet_csk(sk)->icsk_accept_queue);
}

/**
 * pvc_accept_pass() - accept a connection from within the guest
 * @sock: socket whose native one listens, or not
 * @newsock: fresh socket
 * @flags: O_NONBLOCK
 * @kern: on behalf of the kernel
 *
 * The new socket is a native TCP socket and nothing else. kernel_accept() gives
 * @newsock no operations before this call and ours afterwards; our operations
 * then find that the socket is native.
 *
 * Context: process, sleeps as the native accept() does.
 * Return: 0 or the error that TCP gives.
 */
int pvc_accept_pass(struct socket *sock, struct socket *newsock, int flags,
		    bool kern)
{
	int ret = pvcalls_ops_accept(pvc_native(sock->sk), sock, newsock, flags,
				     kern);

	if (!ret)
		pvc_ops_to_native(newsock, newsock->sk,
				  pvc_prot_ops(newsock->sk->sk_family));
	return ret;
}

/* Accepts a connection from within the guest; -EAGAIN if there is none. */
static int pvc_accept_native(struct socket *sock, struct socket *newsock,
			     bool kern)
{
	if (!pvc_native_ready(sock->sk))
		return -EAGAIN;
	return pvc_accept_pass(sock, newsock, O_NONBLOCK, kern);
}

/*
 * Accepts a connection from anywhere; -EAGAIN if there is none. While the
 * backend is away connections come from within the guest only.
 */
static int pvc_accept_any(struct pvc_sock *psk, struct socket *sock,
			  struct socket *newsock, bool kern)
{
	/* each attempt looks anew: a backend may have come or gone */
	struct pvc_conn *l = pvc_sk_conn(psk);
	int ret;

	if (l)
		pvc_conn_post_accepts(l);
	ret = pvc_accept_native(sock, newsock, kern);
	if (ret == -EAGAIN && l)
		ret = pvc_accept_remote(newsock, sock->sk, l);
	if (ret == -EAGAIN && READ_ONCE(psk->again.err))
		ret = xchg(&psk->again.err, 0) ?: -EAGAIN;
	/* an error, too, takes the place of an ACCEPT */
	if (ret != -EAGAIN && l)
		pvc_conn_post_accepts(l);
	if (l)
		pvc_conn_put(l);
	return ret;
}

/**
 * pvc_accept() - accept()
 * @psk: what we know of @sock
 * @sock: listening socket
 * @newsock: fresh socket
 * @flags: O_NONBLOCK
 * @kern: on behalf of the kernel
 *
 * Context: process, sleeps; interruptible, the timeout is SO_RCVTIMEO.
 * Return: 0 or the error that TCP gives.
 */
int pvc_accept(struct pvc_sock *psk, struct socket *sock,
	       struct socket *newsock, int flags, bool kern)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = sock->sk;
	long timeo;
	int ret;

	if (pvc_sk_state(psk) != PVC_SK_LISTENING)
		return pvc_accept_pass(sock, newsock, flags, kern);
	timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK);
	wait.flags |= WQ_FLAG_EXCLUSIVE;
	add_wait_queue_exclusive(sk_sleep(sk), &wait);
	/* look only once the entry is queued, as in sock_poll_wait() */
	smp_mb();
	for (;;) {
		/* shutdown() or connect() with AF_UNSPEC has ended listening */
		ret = -EINVAL;
		if (pvc_sk_state(psk) != PVC_SK_LISTENING ||
		    pvc_listen_leave(psk, sock))
			break;
		ret = pvc_accept_any(psk, sock, newsock, kern);
		if (ret != -EAGAIN)
			break;
		timeo = pvc_wait(sk, &wait, timeo);
		if (timeo < 0) {
			ret = timeo;
			break;
		}
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	if (ret == -EINVAL && pvc_sk_state(psk) == PVC_SK_LOCAL)
		ret = pvc_accept_pass(sock, newsock, flags, kern);
	return ret;
}
