// SPDX-License-Identifier: GPL-2.0
/* See connect.h. */
#include <net/tcp_states.h>

#include "pvcalls_compat.h"
#include "sock/bind.h"
#include "sock/connect.h"
#include "sock/names.h"
#include "sock/native.h"
#include "sock/own.h"
#include "sock/policy.h"
#include "sock/roster.h"
#include "sock/route.h"
#include "sock/sockopt.h"

/*
 * What is left to do for connect() on a socket that is native: the native call,
 * with or without the programs of BPF, which have been asked before.
 */
enum { PVC_CONNECT_NATIVE = 1, PVC_CONNECT_ASKED };

/* Finds the backend's socket to connect: the bound one, or a new one. */
static int pvc_connect_conn(struct socket *sock, struct pvc_sock *psk,
			    struct pvc_link *link, const struct pvc_addr *to)
{
	struct pvc_conn *c;
	int ret;

	pvc_sk_drop_ended(psk);
	if (psk->conn)
		return 0;
	if (psk->local.len)
		return pvc_bind_again(psk, sock->sk, link);
	if (to->sa.sa_family == AF_INET6 && !pvc_link_has(link, PVCALLS_F_IPV6))
		return -ENETUNREACH;
	c = pvc_sk_new_conn(psk, link, to->sa.sa_family, SOCK_STREAM, 0);
	if (IS_ERR(c))
		return PTR_ERR(c);
	/* without options CONNECT can create the backend's socket, too */
	if (!pvc_link_has(link, PVCALLS_F_OPEN) ||
	    pvc_has_opts(psk, sock->sk)) {
		ret = pvc_conn_open_nowait(c) ?:
		      pvc_relay_opts(psk, sock->sk, c);
		if (ret) {
			pvc_conn_close(c, true);
			pvc_conn_put(c);
			return ret;
		}
	}
	return pvc_sk_set_conn(psk, c);
}

static int pvc_connect_start(struct socket *sock, struct pvc_sock *psk,
			     struct pvc_link *link, struct pvc_addr *to)
{
	bool late;
	int ret;

	ret = pvc_connect_conn(sock, psk, link, to);
	if (!ret)
		ret = pvc_addr_to_family(to, psk->conn->family);
	if (!ret) {
		late = psk->conn->state == PVC_CONN_NEW;
		ret = pvc_conn_connect(psk->conn, sock->sk, to);
		if (ret)
			pvc_sk_drop_conn(psk, true);
		else if (late && pvc_has_opts(psk, sock->sk))
			/* another thread has set options meanwhile */
			pvc_relay_opts(psk, sock->sk, psk->conn);
	}
	if (!ret)
		pvc_sk_move(psk, sock, PVC_SK_CONNECTING);
	return ret;
}

/* Has the socket connected? Call with ctl held. */
static int pvc_connect_result(struct socket *sock, struct pvc_sock *psk)
{
	struct sock *sk = sock->sk;
	int ret;

	/* pairs with the release when the connection has failed */
	switch (smp_load_acquire(&psk->conn->state)) {
	case PVC_CONN_CONNECTING:
		return -EINPROGRESS;
	case PVC_CONN_FAILED:
		ret = sock_error(sk) ?: -ECONNABORTED;
		pvc_sk_drop_conn(psk, true);
		sk->sk_shutdown = 0;
		pvc_sk_rest(psk, sock);
		return ret;
	default:
		pvc_sk_move(psk, sock, PVC_SK_CONNECTED);
		return 0;
	}
}

static bool pvc_connecting(const struct pvc_conn *c)
{
	return READ_ONCE(c->state) == PVC_CONN_CONNECTING;
}

/*
 * Waits for the result without ctl, so that other threads get EALREADY
 * meanwhile. Returns @ret if there is no result in time.
 */
static int pvc_connect_wait(struct socket *sock, struct pvc_sock *psk,
			    int flags, int ret)
{
	struct pvc_conn *c = pvc_sk_conn(psk);
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = sock->sk;
	long timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);

	mutex_unlock(&psk->ctl);
	if (c && timeo) {
		add_wait_queue(sk_sleep(sk), &wait);
		/* look only once the entry is queued, as in sock_poll_wait() */
		smp_mb();
		while (pvc_connecting(c) && !pvc_conn_gone(c) && timeo &&
		       !signal_pending(current))
			timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
		remove_wait_queue(sk_sleep(sk), &wait);
		if (pvc_connecting(c) && timeo)
			ret = sock_intr_errno(timeo);
		/* shutdown() or another connect() has ended the attempt */
		if (pvc_conn_gone(c))
			ret = sock_error(sk) ?: -ECONNABORTED;
	}
	mutex_lock(&psk->ctl);
	if (c && psk->conn == c && psk->state == PVC_SK_CONNECTING &&
	    !pvc_connecting(c))
		ret = pvc_connect_result(sock, psk);
	if (c)
		pvc_conn_put(c);
	return ret;
}

static int pvc_disconnect(struct socket *sock, struct pvc_sock *psk,
			  struct sockaddr *sa, int len, int flags)
{
	struct sock *sk = sock->sk;
	struct pvc_conn *c = psk->conn;

	/* TCP, too, resets a connection that has not ended */
	if (c && (READ_ONCE(c->state) == PVC_CONN_CONNECTING ||
		  (READ_ONCE(c->state) == PVC_CONN_CONNECTED &&
		   !pvc_is_over(sk, c))))
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	pvc_roster_leave(psk);
	pvc_sk_drop_conn(psk, true);
	/* a port that the program has asked for, or the guest, stays */
	if (!psk->port_given && !inet_sk(sk)->inet_num)
		psk->local.len = 0;
	pvc_sk_rest(psk, sock);
	WRITE_ONCE(sk->sk_shutdown, 0);
	pvc_wake_sock(sk, PVC_WAKE_STATE);
	return pvc_native(sk)->connect(sock, pvcalls_sa(sa), len, flags);
}

/*
 * Does a socket leave the guest if connect() names an address? Returns 1 if so,
 * 0 if not, or an error.
 */
static int pvc_connect_is_remote(const struct sock *sk,
				 const struct pvc_addr *to)
{
	if (pvc_bound_elsewhere(sk) || pvc_policy_filtered(sk))
		return 0;
	return pvc_route_remote(sk, to);
}

/*
 * Call with ctl held, in state OPEN or BOUND. Returns PVC_CONNECT_ASKED if the
 * socket has gone local.
 */
static int pvc_connect_new(struct pvc_sock *psk, struct socket *sock,
			   struct sockaddr *sa, int len, int flags)
{
	struct sock *sk = sock->sk;
	struct pvc_link *link;
	struct pvc_addr to;
	int ret;

	/* listen() without a backend has made the native socket listen */
	if (inet_sk_state_load(sk) == TCP_LISTEN)
		return -EISCONN;
	ret = pvc_policy_connect(sk, sa, len) ?:
	      pvc_addr_from_user(sk, sa, len, false, &to);
	if (ret)
		return ret;
	link = pvc_link_get();
	/* a guest without the device has its own network only */
	ret = link || pvc_link_away() ? pvc_connect_is_remote(sk, &to) : 0;
	if (ret > 0 && !link) {
		/* as without a route: the socket waits for the backend */
		ret = -ENETUNREACH;
	} else if (!ret && psk->local.len && !pvc_addr_is_any(&psk->local) &&
		   !inet_sk(sk)->inet_num) {
		/* nothing in the guest can have the host's address */
		ret = -EADDRNOTAVAIL;
	} else if (!ret) {
		pvc_go_local(psk, sock);
		ret = PVC_CONNECT_ASKED;
	} else if (ret > 0) {
		ret = pvc_connect_start(sock, psk, link, &to);
		if (ret && pvc_link_ended(link))
			ret = -ENETUNREACH;
		/* as in TCP, even if the connection is there by now */
		if (!ret)
			ret = flags & O_NONBLOCK ? -EINPROGRESS :
			      pvc_connect_wait(sock, psk, flags, -EINPROGRESS);
	}
	if (link)
		pvc_link_put(link);
	return ret;
}

/* Call with ctl held. */
static int pvc_connect_again(struct pvc_sock *psk, struct socket *sock,
			     int flags)
{
	int ret = pvc_connect_result(sock, psk);

	if (ret != -EINPROGRESS)
		return ret;
	return flags & O_NONBLOCK ? -EALREADY :
				    pvc_connect_wait(sock, psk, flags,
						     -EALREADY);
}

/**
 * pvc_connect() - connect()
 * @psk: what we know of @sock
 * @sock: TCP socket
 * @sa: address
 * @len: length of the address in bytes
 * @flags: O_NONBLOCK
 *
 * An address of the guest's own, or one that a route of the guest's leads to,
 * makes the socket local.
 *
 * Context: process, sleeps; interruptible, the timeout is SO_SNDTIMEO.
 * Return: 0 or the error that TCP gives.
 */
int pvc_connect(struct pvc_sock *psk, struct socket *sock, struct sockaddr *sa,
		int len, int flags)
{
	int ret;

	if (len < sizeof(sa->sa_family))
		return -EINVAL;
	ret = mutex_lock_killable(&psk->ctl);
	if (ret)
		return ret;
	switch (pvc_sk_state(psk)) {
	case PVC_SK_LOCAL:
		ret = PVC_CONNECT_NATIVE;
		break;
	case PVC_SK_CONNECTED:
	case PVC_SK_LISTENING:
		ret = -EISCONN;
		break;
	case PVC_SK_CONNECTING:
		ret = -EALREADY;
		break;
	default:
		ret = 0;
		break;
	}
	if (sa->sa_family == AF_UNSPEC && ret <= 0)
		ret = pvc_disconnect(sock, psk, sa, len, flags);
	else if (ret == -EALREADY)
		ret = pvc_connect_again(psk, sock, flags);
	else if (!ret)
		ret = pvc_connect_new(psk, sock, sa, len, flags);
	mutex_unlock(&psk->ctl);
	/* the native connect() may wait: other calls need not, without ctl */
	if (ret == PVC_CONNECT_NATIVE)
		ret = pvc_native(sock->sk)->connect(sock, pvcalls_sa(sa), len, flags);
	else if (ret == PVC_CONNECT_ASKED)
		ret = pvc_policy_connect_native(sock, sa, len, flags);
	return ret;
}
