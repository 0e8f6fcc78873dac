// SPDX-License-Identifier: GPL-2.0
/* See stream.h. */
#include <linux/bvec.h>
#include <linux/fcntl.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <linux/uio.h>

#include <net/sock.h>
#include <net/tcp_states.h>

#include "ring/datamap.h"
#include "ring/tools.h"
#include "sched/fairq.h"
#include "sock/direction.h"
#include "sock/receive.h"
#include "sock/sock.h"
#include "sock/stream.h"
#include "sock/zerocopy.h"

/*
 * Bytes that are handed to TCP at a time. The guest may refill what was handed
 * over while the rest is being handed over.
 */
#define PVCALLS_CHUNK	65536U

/**
 * pvcalls_stream_bvec() - describe a span of an array
 * @bv: result; room for PVCALLS_MAX_SEGS
 * @pages: of the array
 * @span: which bytes
 *
 * Context: any.
 * Return: entries of @bv.
 */
unsigned int pvcalls_stream_bvec(struct bio_vec *bv, struct page **pages,
				 const struct ringbuf_span *span)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(span->len); i++) {
		u32 off = span->off[i];
		u32 left = span->len[i];

		while (left) {
			u32 len = min_t(u32, left,
					PAGE_SIZE - offset_in_page(off));

			bv[n].bv_page = pages[off >> PAGE_SHIFT];
			bv[n].bv_offset = offset_in_page(off);
			bv[n].bv_len = len;
			n++;
			off += len;
			left -= len;
		}
	}
	return n;
}

/* As much of @len as there is a page for; all if TCP must find memory. */
static u32 pvcalls_stream_room(struct pvcalls_sock *ps, u32 len)
{
	u32 room = pvcalls_frags_room(&ps->tools->frags);

	return room ? min(len, room) : len;
}

/* How many bytes TCP has taken, of @avail that have not been sent before. */
static int pvcalls_stream_send(struct pvcalls_sock *ps, u32 avail, u32 budget)
{
	struct bio_vec *bv = ps->tools->bvec;
	struct pvcalls_conn *c = &ps->conn;
	struct page **pages = pvcalls_datamap_out(c->map);
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	u32 len = min3(avail, budget, PVCALLS_CHUNK);
	struct ringbuf_span span;
	bool by_ref;
	int n;

	/*
	 * A frontend without feature-wakeup only announces new bytes once all
	 * older ones have been given back, so by reference is not for it.
	 */
	by_ref = c->out.sh.data_wake &&
		 pvcalls_zerocopy_wanted(&c->zerocopy, ps->sock->sk, len);
	if (!by_ref)
		len = pvcalls_stream_room(ps, len);
	if (len < avail)
		msg.msg_flags |= MSG_MORE;
	span = ringbuf_data_span(&c->out, c->zerocopy.taken, len);
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv,
		      pvcalls_stream_bvec(bv, pages, &span), len);
	if (by_ref) {
		n = pvcalls_zerocopy_send(&c->zerocopy, c->map, ps->sock, &msg);
		if (n != -ENOBUFS)
			return n;
	}
	n = sock_sendmsg(ps->sock, &msg);
	if (n > 0)
		pvcalls_zerocopy_copied(&c->zerocopy, n);
	return n;
}

/* Bytes that TCP has, about: as many pages are worth a look. */
static u32 pvcalls_stream_queued(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	int n = READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq);

	/* an end without bytes must be met, too */
	return max_t(int, n, PAGE_SIZE);
}

static int pvcalls_stream_recv(struct pvcalls_sock *ps, u32 len)
{
	struct bio_vec *bv = ps->tools->bvec;
	struct pvcalls_conn *c = &ps->conn;
	struct ringbuf_span span = ringbuf_free_span(&c->in, 0, len);
	struct iov_iter to;
	unsigned int n;

	n = pvcalls_stream_bvec(bv, pvcalls_datamap_in(c->map), &span);
	iov_iter_bvec(&to, ITER_DEST, bv, n, len);
	return pvcalls_receive(ps->sock, &to);
}

/*
 * The connection is over for the out direction. An error that has told so is
 * told only once, so it is kept for the in direction.
 */
static void pvcalls_stream_send_error(struct pvcalls_sock *ps, int err)
{
	if (err != -EPIPE)
		ps->conn.err = err;
	pvcalls_out_end(ps, err);
	set_bit(PVCALLS_SF_IN_READY, &ps->flags);
}

/* The kernel socket has no more to give: an orderly end, or an error. */
static void pvcalls_stream_recv_error(struct pvcalls_sock *ps, int err)
{
	struct pvcalls_conn *c = &ps->conn;

	if (!err)
		err = c->err ?: -ENOTCONN;
	else
		c->err = err;
	pvcalls_in_end(ps, err);
	if (c->err)
		pvcalls_out_end(ps, c->err);
}

/**
 * pvcalls_stream_retry() - is it no error, but nothing to do now?
 * @err: what a kernel socket's operation has returned
 *
 * Context: any.
 * Return: true if so.
 */
bool pvcalls_stream_retry(int err)
{
	return err == -EAGAIN || err == -EINTR || err == -ERESTARTSYS;
}

/* Give the guest back what the network needs no more. */
static void pvcalls_stream_give_back(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	u32 len;

	if (!c->zerocopy.taken)
		return;
	len = pvcalls_zerocopy_reap(&c->zerocopy);
	if (len && ringbuf_consume(&c->out, len))
		pvcalls_direction_owe(ps);
}

/* The ring is empty, or empty up to where the guest wants to stop. */
static void pvcalls_stream_idle_out(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	struct sock *sk = ps->sock->sk;
	bool fin = c->out_state == PVCALLS_OUT_FIN;

	/* a close sends its FIN now, though the pages are not free yet */
	if (ps->state == PVCALLS_SS_DRAINING && c->zerocopy.taken &&
	    !(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
		fin = true;
	if (fin && c->out.cons + c->zerocopy.taken == c->stop_at) {
		pvcalls_out_set(ps, PVCALLS_OUT_STOP);
		kernel_sock_shutdown(ps->sock, SHUT_WR);
	}
	/* the guest may have nothing to send, and still wants to know */
	if (READ_ONCE(sk->sk_state) == TCP_CLOSE && READ_ONCE(sk->sk_err))
		pvcalls_stream_send_error(ps, -READ_ONCE(sk->sk_err));
}

/**
 * pvcalls_stream_out() - send what the guest has written
 * @ps: socket that is PVCALLS_SS_CONNECTED or PVCALLS_SS_DRAINING
 *
 * Until the ring is empty, TCP is full, or the budget is used up.
 *
 * Return: true if the budget is used up.
 */
bool pvcalls_stream_out(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	u32 budget = pvcalls_fairq_budget();

	pvcalls_stream_give_back(ps);
	if (c->out_state == PVCALLS_OUT_DONE)
		return false;
	if (pvcalls_out_is_blocked(c->out_state) &&
	    !test_bit(PVCALLS_SF_OUT_READY, &ps->flags))
		return false;
	pvcalls_out_unblock(ps);

	for (;;) {
		int n, avail = pvcalls_out_avail(c);

		if (avail < 0) {
			pvcalls_direction_broken(ps);
			return false;
		}
		if (!avail) {
			pvcalls_stream_idle_out(ps);
			return false;
		}
		if (!budget)
			return true;

		clear_bit(PVCALLS_SF_OUT_READY, &ps->flags);
		/* whatever makes room after this try sets it again */
		smp_mb__after_atomic();
		n = pvcalls_stream_send(ps, avail, budget);
		if (n > 0) {
			budget -= n;
			pvcalls_stream_give_back(ps);
		} else if (pvcalls_stream_retry(n)) {
			pvcalls_out_block(ps);
			return false;
		} else {
			pvcalls_stream_send_error(ps, n ?: -EIO);
			return false;
		}
	}
}

/*
 * Free bytes in the ring, if they are enough to go on, or 0, with the guest
 * asked to say when there are. After the ring has been full a good deal must
 * become free before it is worth while, if the guest can be asked for that.
 */
static int pvcalls_stream_space(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	u32 want = c->in.size / 2;
	u32 need = c->in_state == PVCALLS_IN_WAITING ? want : 1;
	int space = ringbuf_space(&c->in);

	if (space >= 0 && space < need)
		space = ringbuf_wait_space(&c->in, want);
	if (space < 0)
		return space;
	if (space < need) {
		pvcalls_in_set(ps, c->in.sh.space_wake ? PVCALLS_IN_WAITING :
							 PVCALLS_IN_OPEN);
		return 0;
	}
	pvcalls_in_set(ps, PVCALLS_IN_OPEN);
	return space;
}

/**
 * pvcalls_stream_dry() - is it certain that TCP has nothing, not even an end?
 * @sk: a kernel socket
 *
 * Context: any.
 * Return: true if so.
 */
bool pvcalls_stream_dry(const struct sock *sk)
{
	return skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	       !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) &&
	       !READ_ONCE(sk->sk_err) && READ_ONCE(sk->sk_state) != TCP_CLOSE;
}

/**
 * pvcalls_stream_in() - give the guest what has arrived
 * @ps: socket that is PVCALLS_SS_CONNECTED
 *
 * Until TCP is empty, the ring is full, or the budget is used up.
 *
 * Return: true if the budget is used up.
 */
bool pvcalls_stream_in(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	u32 budget = pvcalls_fairq_budget();

	while (c->in_state != PVCALLS_IN_DONE &&
	       test_bit(PVCALLS_SF_IN_READY, &ps->flags)) {
		int n, space = pvcalls_stream_space(ps);
		u32 len;

		if (space < 0) {
			pvcalls_direction_broken(ps);
			return false;
		}
		if (!space)
			return false;
		if (!budget)
			return true;

		len = min3((u32)space, budget,
			   pvcalls_stream_queued(ps->sock->sk));
		clear_bit(PVCALLS_SF_IN_READY, &ps->flags);
		/* whatever arrives after this look sets it again */
		smp_mb__after_atomic();
		n = pvcalls_stream_recv(ps, len);
		if (n > 0) {
			budget -= n;
			if (ringbuf_produce(&c->in, n))
				pvcalls_direction_owe(ps);
			if (n == len || !pvcalls_stream_dry(ps->sock->sk))
				set_bit(PVCALLS_SF_IN_READY, &ps->flags);
		} else if (!pvcalls_stream_retry(n)) {
			pvcalls_stream_recv_error(ps, n);
		}
	}
	return false;
}
