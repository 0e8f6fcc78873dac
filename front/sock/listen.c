// SPDX-License-Identifier: GPL-2.0
/* listen() and accept(). */
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "link/link.h"
#include "pvcalls_compat.h"
#include "sock/sock.h"

/**
 * pvc_listen() - listen()
 * @sock: undecided or remote socket
 * @backlog: as in listen()
 *
 * A socket bound to any address also listens in the guest, for programs that
 * connect from within.
 *
 * Context: process, sleeps; killable.
 * Return: 0 or the error that TCP gives.
 */
int pvc_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	struct pvc_sock *psk = pvc_sk_create(sk);
	struct pvc_conn *c;
	int ret;

	if (!psk)
		return -ENOMEM;
	ret = mutex_lock_killable(&psk->ctl);
	if (ret)
		return ret;
	ret = -EINVAL;
	if (sock->state != SS_UNCONNECTED)
		goto out;
	if (!psk->conn) {
		ret = pvc_bind_any(sock, psk);
		if (ret == -ENOTCONN) {
			/* no backend: what a guest without network does */
			ret = pvc_native(sk)->listen(sock, backlog);
			goto out;
		}
		if (ret)
			goto out;
	}
	c = psk->conn;
	ret = pvc_conn_listen(c, backlog);
	if (!ret && inet_sk(sk)->inet_num)
		ret = pvc_native(sk)->listen(sock, backlog);
	if (!ret) {
		pvc_conn_attach(c, sk);
		WRITE_ONCE(psk->listening, true);
		/*
		 * Who waits for a signal does not ask for a connection. Without
		 * the extension a request that waits holds a slot for good.
		 */
		if (pvc_link_has(c->link, PVCALLS_F_DEFER))
			pvc_conn_post_accepts(c);
	}
out:
	mutex_unlock(&psk->ctl);
	return ret;
}

/* What a socket made by accept() inherits, as if TCP had cloned it. */
static void pvc_inherit_socket(struct sock *sk, const struct sock *from)
{
	const unsigned long flags = BIT(SOCK_LINGER) | BIT(SOCK_KEEPOPEN) |
				    BIT(SOCK_DBG) | BIT(SOCK_LOCALROUTE) |
				    BIT(SOCK_URGINLINE) | BIT(SOCK_ZEROCOPY) |
				    BIT(SOCK_RCVTSTAMP) |
				    BIT(SOCK_RCVTSTAMPNS) | BIT(SOCK_TSTAMP_NEW);

	sk->sk_flags |= from->sk_flags & flags;
	sk->sk_lingertime = from->sk_lingertime;
	sk->sk_rcvtimeo = from->sk_rcvtimeo;
	sk->sk_sndtimeo = from->sk_sndtimeo;
	sk->sk_rcvlowat = from->sk_rcvlowat;
	sk->sk_peek_off = from->sk_peek_off;
	sk->sk_sndbuf = from->sk_sndbuf;
	sk->sk_rcvbuf = from->sk_rcvbuf;
	sk->sk_userlocks = from->sk_userlocks &
			   (SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK);
	sk->sk_mark = from->sk_mark;
	sk->sk_reuse = from->sk_reuse;
	sk->sk_reuseport = from->sk_reuseport;
	sk->sk_max_pacing_rate = from->sk_max_pacing_rate;
	sk->sk_pacing_rate = from->sk_pacing_rate;
#ifdef CONFIG_NET_RX_BUSY_POLL
	sk->sk_ll_usec = from->sk_ll_usec;
#endif
}

static void pvc_inherit_tcp(struct sock *sk, const struct sock *from)
{
	const struct tcp_sock *old = tcp_sk(from);
	struct tcp_sock *new = tcp_sk(sk);

	new->nonagle = old->nonagle;
	new->keepalive_time = old->keepalive_time;
	new->keepalive_intvl = old->keepalive_intvl;
	new->keepalive_probes = old->keepalive_probes;
	new->linger2 = old->linger2;
	new->notsent_lowat = old->notsent_lowat;
	new->recvmsg_inq = old->recvmsg_inq;
	new->save_syn = old->save_syn;
	inet_csk(sk)->icsk_syn_retries = inet_csk(from)->icsk_syn_retries;
	inet_csk(sk)->icsk_user_timeout = inet_csk(from)->icsk_user_timeout;
}

static void pvc_inherit(struct socket *newsock, const struct sock *from)
{
	const struct inet_connection_sock *icsk = inet_csk(from);
	struct sock *sk = newsock->sk;
	char name[TCP_CA_NAME_MAX];

	pvc_inherit_socket(sk, from);
	pvc_inherit_tcp(sk, from);
	inet_sk(sk)->tos = inet_sk(from)->tos;
	inet_sk(sk)->uc_ttl = inet_sk(from)->uc_ttl;
	inet_sk(sk)->min_ttl = inet_sk(from)->min_ttl;
	inet_sk(sk)->pmtudisc = inet_sk(from)->pmtudisc;
	pvcalls_inherit_ip_flags(inet_sk(sk), inet_sk(from));
	if (icsk->icsk_ca_setsockopt) {
		strscpy(name, icsk->icsk_ca_ops->name, sizeof(name));
		pvc_native(sk)->setsockopt(newsock, SOL_TCP, TCP_CONGESTION,
					   KERNEL_SOCKPTR(name), strlen(name));
	}
}

/*
 * Gives @newsock, which accept() has made, a TCP socket underneath. Only the
 * kernel's own socket() makes those, so one of its is taken over.
 */
static int pvc_new_sk(struct socket *newsock, const struct sock *from)
{
	struct socket *tmp;
	struct sock *sk;
	int ret;

	ret = __sock_create(sock_net(from), from->sk_family, SOCK_STREAM,
			    IPPROTO_TCP, &tmp, 0);
	if (ret)
		return ret;
	sk = tmp->sk;
	tmp->sk = NULL;
	sock_graft(sk, newsock);
	sock_release(tmp);
	newsock->ops = pvc_remote_ops(from->sk_family);
	pvc_inherit(newsock, from);
	return 0;
}

/* A connection from the backend, if there is one. */
static int pvc_accept_remote(struct socket *newsock, const struct sock *from,
			     struct pvc_conn *l)
{
	struct pvc_conn *c = pvc_conn_accept(l);
	struct pvc_sock *psk = NULL;
	int ret;

	if (IS_ERR_OR_NULL(c))
		return c ? PTR_ERR(c) : -EAGAIN;
	ret = pvc_new_sk(newsock, from);
	if (!ret) {
		psk = pvc_sk_create(newsock->sk);
		ret = psk ? 0 : -ENOMEM;
	}
	if (ret) {
		pvc_conn_unaccept(l, c);
		return ret;
	}
	pvc_sk_set_conn(psk, c);
	newsock->state = SS_CONNECTED;
	pvc_conn_attach(c, newsock->sk);
	return 0;
}

static bool pvc_native_ready(const struct sock *sk)
{
	return inet_sk_state_load(sk) == TCP_LISTEN &&
	       !reqsk_queue_empty(&inet_csk(sk)->icsk_accept_queue);
}

/* A connection from within the guest, if there is one. */
static int pvc_accept_native(struct socket *sock, struct socket *newsock,
			     bool kern)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	int ret;

	if (!pvc_native_ready(sock->sk))
		return -EAGAIN;
	ret = pvcalls_ops_accept(native, sock, newsock, O_NONBLOCK, kern);
	if (!ret)
		pvc_go_local(newsock);
	return ret;
}

/**
 * pvc_accept() - accept()
 * @sock: listening socket
 * @newsock: fresh socket
 * @flags: O_NONBLOCK
 * @kern: on behalf of the kernel
 *
 * Context: process, sleeps; interruptible, the timeout is SO_RCVTIMEO.
 * Return: 0 or the error that TCP gives.
 */
int pvc_accept(struct socket *sock, struct socket *newsock, int flags,
	       bool kern)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = sock->sk;
	struct pvc_sock *psk = pvc_sk(sk);
	struct pvc_conn *l;
	long timeo;
	int ret;

	if (!psk || !READ_ONCE(psk->listening)) {
		ret = pvcalls_ops_accept(pvc_native(sk), sock, newsock, flags,
					 kern);
		if (!ret)
			pvc_go_local(newsock);
		return ret;
	}
	l = pvc_sk_conn(sk);
	if (!l)
		return -EINVAL;

	timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK);
	wait.flags |= WQ_FLAG_EXCLUSIVE;
	add_wait_queue_exclusive(sk_sleep(sk), &wait);
	/* before the look, as in sock_poll_wait() */
	smp_mb();
	for (;;) {
		/* shutdown() has ended it */
		ret = -EINVAL;
		if (!READ_ONCE(psk->listening))
			break;
		pvc_conn_post_accepts(l);
		ret = pvc_accept_native(sock, newsock, kern);
		if (ret == -EAGAIN)
			ret = pvc_accept_remote(newsock, sk, l);
		if (ret != -EAGAIN)
			break;
		timeo = pvc_wait(sk, &wait, timeo);
		if (timeo < 0) {
			ret = timeo;
			break;
		}
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	if (!ret)
		pvc_conn_post_accepts(l);
	pvc_conn_put(l);
	return ret;
}
