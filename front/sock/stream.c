// SPDX-License-Identifier: GPL-2.0
/* See stream.h. */
#include <linux/poll.h>
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "sock/connect.h"
#include "sock/listen.h"
#include "sock/msg.h"
#include "sock/native.h"
#include "sock/policy.h"
#include "sock/stream.h"
#include "sock/wait.h"

static bool pvc_connecting(const struct pvc_conn *c)
{
	return READ_ONCE(c->state) == PVC_CONN_CONNECTING;
}

static bool pvc_connected(const struct pvc_conn *c)
{
	return READ_ONCE(c->state) == PVC_CONN_CONNECTED;
}

static bool pvc_send_ended(const struct sock *sk, const struct pvc_conn *c)
{
	return READ_ONCE(sk->sk_err) || pvc_conn_gone(c) ||
	       READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN ||
	       !(pvc_connected(c) || pvc_connecting(c));
}

/* Sends a piece that there is room for; the program's memory may fault. */
static int pvc_send_some(struct pvc_conn *c, struct msghdr *msg, size_t len,
			 int space)
{
	/* in pieces, so that the backend can begin with the first */
	size_t n = min3(len, (size_t)space, (size_t)c->ring.out.size / 4);

	/* as in TCP, a piece that faults is not sent at all */
	if (pvc_ring_write(&c->ring, 0, n, &msg->msg_iter) < n)
		return -EFAULT;
	pvc_conn_produce(c, n);
	return n;
}

/*
 * The number of a MSG_ZEROCOPY completion is taken before the first piece, and
 * given back if that piece fails. No other thread may take a number in between,
 * so tx_mutex is not released in between.
 */
static int pvc_send(struct sock *sk, struct pvc_conn *c, struct msghdr *msg,
		    size_t len, long timeo)
{
	struct ubuf_info *ubuf = NULL;
	struct pvc_waiter waiter;
	size_t sent = 0;
	int space;
	long ret;

	pvc_waiter_init(&waiter, timeo);
	mutex_lock(&c->tx_mutex);
	for (;;) {
		ret = -EPIPE;
		if (pvc_send_ended(sk, c))
			break;
		/* programs that see packets may have come meanwhile */
		ret = -EPERM;
		if (pvc_policy_filtered(sk))
			break;
		if (pvc_connected(c)) {
			ret = 0;
			if (sent == len)
				break;
			space = pvc_conn_space(c, waiter.waiting);
			if (space > 0) {
				ret = sent ? 0 : pvc_zerocopy_begin(sk, msg,
								    len, &ubuf);
				if (!ret)
					ret = pvc_send_some(c, msg, len - sent,
							    space);
				if (ret < 0)
					break;
				sent += ret;
				continue;
			}
		}
		ret = pvc_waiter_next(&waiter, sk, &c->tx_mutex);
		if (ret)
			break;
	}
	pvc_zerocopy_end(ubuf, sent);
	mutex_unlock(&c->tx_mutex);
	pvc_waiter_end(&waiter, sk);
	return sent ?: ret;
}

/* MSG_FASTOPEN: connect() and sendmsg() in one, which saves nothing here. */
static int pvc_send_open(struct pvc_sock *psk, struct socket *sock,
			 struct msghdr *msg, size_t len)
{
	int flags = msg->msg_flags & MSG_DONTWAIT ? O_NONBLOCK : 0;
	const struct sockaddr *to = msg->msg_name;
	int ret = -EINVAL;

	if (to && msg->msg_namelen >= sizeof(to->sa_family) &&
	    to->sa_family == AF_UNSPEC)
		return -EOPNOTSUPP;
	if (to)
		ret = pvc_connect(psk, sock, msg->msg_name, msg->msg_namelen,
				  flags);
	if (ret)
		return ret;
	msg->msg_flags &= ~MSG_FASTOPEN;
	return READ_ONCE(sock->ops)->sendmsg(sock, msg, len);
}

/* Checks control data as TCP does. */
static int pvc_send_cmsg(struct sock *sk, struct msghdr *msg)
{
	struct sockcm_cookie cookie;

	if (!msg->msg_controllen)
		return 0;
	sockcm_init(&cookie, sk);
	return sock_cmsg_send(sk, msg, &cookie) ? -EINVAL : 0;
}

/**
 * pvc_sendmsg() - sendmsg()
 * @psk: what we know of @sock
 * @sock: TCP socket
 * @msg: what to send; the address is ignored, as TCP does
 * @len: bytes
 *
 * Context: process, sleeps; interruptible, the timeout is SO_SNDTIMEO.
 * Return: bytes sent or the error that TCP gives.
 */
int pvc_sendmsg(struct pvc_sock *psk, struct socket *sock, struct msghdr *msg,
		size_t len)
{
	struct sock *sk = sock->sk;
	struct pvc_conn *c;
	int ret;

	if (msg->msg_flags & MSG_FASTOPEN)
		return pvc_send_open(psk, sock, msg, len);
	c = pvc_sk_conn(psk);
	/* without a connection the native socket has the right error */
	if (!c)
		return pvc_native(sk)->sendmsg(sock, msg, len);
	ret = -EOPNOTSUPP;
	if (msg->msg_flags & MSG_OOB)
		goto out;
	ret = pvc_send_cmsg(sk, msg);
	if (ret)
		goto out;
	ret = pvc_send(sk, c, msg, min_t(size_t, len, INT_MAX),
		       sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT));
	if (ret == -EPIPE)
		ret = sk_stream_error(sk, msg->msg_flags, ret);
out:
	pvc_conn_put(c);
	return ret;
}

/* Is nothing more going to come? */
static bool pvc_recv_ended(const struct sock *sk, const struct pvc_conn *c)
{
	return !pvc_connecting(c) &&
	       (!pvc_connected(c) || READ_ONCE(sk->sk_err) ||
		READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN);
}

/* Says what recvmsg() returns when nothing is there and nothing will come. */
static int pvc_recv_end(struct sock *sk, const struct pvc_conn *c)
{
	int ret;

	/* a FIN is the end, whatever has come after the FIN */
	if (pvc_connected(c) && c->in_err == -ENOTCONN)
		return 0;
	ret = sock_error(sk);
	if (!ret && !pvc_connected(c) &&
	    !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN))
		ret = -ENOTCONN;
	return ret;
}

/* Takes @n bytes from @skip bytes into the ring, for the program or to drop. */
static int pvc_recv_some(struct sock *sk, struct pvc_conn *c,
			 struct msghdr *msg, u32 skip, size_t n, int flags)
{
	if (!(flags & MSG_TRUNC) && n) {
		if (pvc_ring_read(&c->ring, skip, n, &msg->msg_iter) < n)
			return -EFAULT;
	}
	if (flags & MSG_PEEK) {
		sk_peek_offset_fwd(sk, n);
	} else if (n) {
		sk_peek_offset_bwd(sk, n);
		pvc_conn_consume(c, n);
	}
	return n;
}

static int pvc_recv(struct sock *sk, struct pvc_conn *c, struct msghdr *msg,
		    size_t len, int flags)
{
	size_t target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	struct pvc_waiter waiter;
	size_t got = 0;
	u32 skip, from;
	bool ended;
	long ret;
	int n;

	pvc_waiter_init(&waiter, sock_rcvtimeo(sk, flags & MSG_DONTWAIT));
	mutex_lock(&c->rx_mutex);
	from = max(sk_peek_offset(sk, flags), 0);
	for (;;) {
		/* connect() with AF_UNSPEC has ended the connection */
		ret = -EPIPE;
		if (pvc_conn_gone(c))
			break;
		/* programs that see packets may have come meanwhile */
		ret = -EPERM;
		if (pvc_policy_filtered(sk))
			break;
		ended = pvc_recv_ended(sk, c);
		/* the bytes before an end are visible once the end is */
		smp_rmb();
		skip = flags & MSG_PEEK ? from + got : 0;
		n = pvc_connected(c) ? pvc_conn_avail(c, waiter.waiting) : 0;
		ret = 0;
		if (n > skip) {
			ret = pvc_recv_some(sk, c, msg, skip,
					    min_t(size_t, n - skip, len - got),
					    flags);
			if (ret >= 0)
				got += ret;
			if (ret < 0 || got == len)
				break;
			continue;
		}
		if (got >= target ||
		    (got && skip >= pvc_conn_max_unread(c)))
			break;
		if (ended) {
			ret = got ? 0 : pvc_recv_end(sk, c);
			break;
		}
		ret = pvc_waiter_next(&waiter, sk, &c->rx_mutex);
		if (ret)
			break;
	}
	mutex_unlock(&c->rx_mutex);
	pvc_waiter_end(&waiter, sk);
	if (got && !(flags & MSG_PEEK))
		pvc_recv_rearm(sk, c);
	return got ?: ret;
}

/**
 * pvc_recvmsg() - recvmsg()
 * @psk: what we know of @sock
 * @sock: TCP socket
 * @msg: where to
 * @len: bytes
 * @flags: MSG_*
 *
 * Context: process, sleeps; interruptible, the timeout is SO_RCVTIMEO.
 * Return: bytes received, 0 at the end, or the error that TCP gives.
 */
int pvc_recvmsg(struct pvc_sock *psk, struct socket *sock, struct msghdr *msg,
		size_t len, int flags)
{
	struct pvc_conn *c = NULL;
	struct sock *sk = sock->sk;
	int ret;

	if (!(flags & MSG_ERRQUEUE))
		c = pvc_sk_conn(psk);
	if (!c)
		return pvc_native(sk)->recvmsg(sock, msg, len, flags);
	if (flags & MSG_OOB)
		ret = -EINVAL;
	else if (READ_ONCE(c->state) == PVC_CONN_LISTENING)
		ret = -ENOTCONN;
	else if (pvc_policy_filtered(sk))
		ret = -EPERM;
	else
		ret = pvc_recv(sk, c, msg, min_t(size_t, len, INT_MAX), flags);
	if (ret >= 0 && pvc_connected(c))
		pvc_put_inq(sk, c, msg);
	pvc_conn_put(c);
	return ret;
}

/* While the backend is away @c is NULL or of no use, and nothing comes in. */
static __poll_t pvc_poll_listen(const struct pvc_sock *psk, struct sock *sk,
				struct pvc_conn *c)
{
	if (c)
		pvc_conn_post_accepts(c);
	if ((c && pvc_conn_acceptable(c)) || READ_ONCE(psk->again.err))
		return EPOLLIN | EPOLLRDNORM;
	return inet_sk_state_load(sk) == TCP_LISTEN ? inet_csk_listen_poll(sk) :
						      0;
}

static __poll_t pvc_poll_once(struct sock *sk, struct pvc_conn *c, u8 shutdown)
{
	__poll_t mask = 0;

	if (shutdown == SHUTDOWN_MASK || READ_ONCE(c->state) == PVC_CONN_FAILED)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (pvc_connected(c)) {
		if (pvc_conn_avail(c, true) >=
		    sock_rcvlowat(sk, 0, pvc_conn_max_unread(c)))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (shutdown & SEND_SHUTDOWN ||
		    pvc_conn_space(c, true) >= pvc_conn_want_space(c))
			mask |= EPOLLOUT | EPOLLWRNORM;
	} else if (!pvc_connecting(c)) {
		mask |= EPOLLOUT | EPOLLWRNORM;
	}
	/* sk_err was written before sk_shutdown, which was read before */
	smp_rmb();
	if (READ_ONCE(sk->sk_err) ||
	    !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

static __poll_t pvc_poll_stream(struct sock *sk, struct pvc_conn *c)
{
	__poll_t mask;
	u8 shutdown;

	/* an end that comes meanwhile is to show as a whole */
	do {
		shutdown = READ_ONCE(sk->sk_shutdown);
		mask = pvc_poll_once(sk, c, shutdown);
	} while (shutdown != READ_ONCE(sk->sk_shutdown));
	return mask;
}

/**
 * pvc_poll() - poll(), select(), epoll
 * @psk: what we know of @sock
 * @file: of the socket
 * @sock: TCP socket
 * @wait: poll table
 *
 * Context: process, may sleep.
 * Return: events, as TCP gives them.
 */
__poll_t pvc_poll(struct pvc_sock *psk, struct file *file, struct socket *sock,
		  struct poll_table_struct *wait)
{
	bool listens = pvc_sk_state(psk) == PVC_SK_LISTENING;
	struct pvc_conn *c = NULL;
	__poll_t mask;

	if (listens && pvc_listen_leave(psk, sock))
		listens = false;
	else
		c = pvc_sk_conn(psk);
	if (!c && !listens)
		return pvc_native(sock->sk)->poll(file, sock, wait);
	sock_poll_wait(file, sock, wait);
	if (listens)
		mask = pvc_poll_listen(psk, sock->sk, c);
	else if (pvc_conn_unused(c))
		mask = EPOLLOUT | EPOLLWRNORM | EPOLLHUP;
	else
		mask = pvc_poll_stream(sock->sk, c);
	if (c)
		pvc_conn_put(c);
	return mask;
}
