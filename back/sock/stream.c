// SPDX-License-Identifier: GPL-2.0
/* Moving bytes of streams in both directions; stream.h says what runs where. */
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
#include "sched/worker.h"
#include "sock/direction.h"
#include "sock/flowlog.h"
#include "sock/memory.h"
#include "sock/pace.h"
#include "sock/receive.h"
#include "sock/sock.h"
#include "sock/stream.h"
#include "sock/zerocopy.h"

/*
 * Bytes that are handed to TCP at a time. While TCP takes one chunk, the guest
 * can refill the part of the ring that held the chunk before.
 */
#define PVCALLS_CHUNK	65536U

/* How long to leave TCP alone that has no memory, as its own senders do */
#define PVCALLS_MEMORY_PAUSE	(HZ / 50 + 1)

/**
 * pvcalls_stream_bvec() - describe a span of bytes by its pages
 * @bv: array for the result, with an entry for each page that @span touches, at
 *	most PVCALLS_MAX_SEGS
 * @pages: pages of the ring's array
 * @span: the bytes
 *
 * Context: any.
 * Return: number of entries of @bv that are used.
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

/*
 * Limit @len to the page for copying. Without such a page TCP allocates one, so
 * @len stays.
 */
static u32 pvcalls_stream_room(struct pvcalls_sock *ps, u32 len)
{
	u32 room = pvcalls_frags_room(&ps->tools->frags);

	return room ? min(len, room) : len;
}

/*
 * Send some of @avail bytes that have not been sent before. Returns how many
 * TCP has taken, or a negative error number.
 */
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
	 * A frontend without feature-wakeup announces new bytes only after all
	 * older ones have been given back. Sends by reference would delay that,
	 * so they are not used.
	 */
	by_ref = c->out.sh.data_wake &&
		 pvcalls_policy_takes(ps->guest->policy,
				      PVCALLS_SHORT_ZEROCOPY) &&
		 pvcalls_zerocopy_wanted(&c->zerocopy, ps->sock->sk, len);
	if (!by_ref)
		len = pvcalls_stream_room(ps, len);
	/*
	 * a part may be less than a segment, and TCP would wait for the rest,
	 * which does not come before this has gone
	 */
	if (len < avail && ps->fill != PVCALLS_FILL_OVER)
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

/* Estimate the bytes that TCP has, to limit how many pages are described. */
static u32 pvcalls_stream_queued(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	int n = READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq);

	/* TCP numbers its end as if it were a byte */
	if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
		n--;
	return max(n, 0);
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
 * End the direction to the network after an error. The kernel socket reports an
 * error only once, so the error is saved for the direction to the guest.
 */
static void pvcalls_stream_send_error(struct pvcalls_sock *ps, int err)
{
	if (err != -EPIPE)
		ps->conn.err = err;
	pvcalls_out_end(ps, err);
	set_bit(PVCALLS_SF_IN_READY, &ps->flags);
}

/*
 * End the direction to the guest: the kernel socket has reported its end or an
 * error.
 */
static void pvcalls_stream_recv_error(struct pvcalls_sock *ps, int err)
{
	struct pvcalls_conn *c = &ps->conn;

	if (!err)
		err = c->err ?: -ENOTCONN;
	else
		c->err = err;
	pvcalls_in_end(ps, err);
	if (c->err) {
		pvcalls_out_end(ps, c->err);
		pvcalls_flowlog_end(ps, PVCALLS_FLOW_ERROR);
	}
}

/**
 * pvcalls_stream_retry() - does a result mean to try again later?
 * @err: result of a kernel socket's operation
 *
 * Context: any.
 * Return: true if there is no error, but nothing to do now.
 */
bool pvcalls_stream_retry(int err)
{
	return err == -EAGAIN || err == -EINTR || err == -ERESTARTSYS;
}

/* Give bytes back to the guest that the network does not need any more. */
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

/* Handle a ring without bytes to send, before a limit or at all. */
static void pvcalls_stream_idle_out(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	struct sock *sk = ps->sock->sk;
	bool fin = c->out_state == PVCALLS_OUT_FIN;

	/* send a close's FIN now, although sends still refer to pages */
	if (ps->state == PVCALLS_SS_DRAINING && c->zerocopy.taken &&
	    !(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
		fin = true;
	if (fin && c->out.cons + c->zerocopy.taken == c->stop_at) {
		pvcalls_out_set(ps, PVCALLS_OUT_STOP);
		kernel_sock_shutdown(ps->sock, SHUT_WR);
	}
	/* report an error even if the guest has nothing to send */
	if (READ_ONCE(sk->sk_state) == TCP_CLOSE && READ_ONCE(sk->sk_err))
		pvcalls_stream_send_error(ps, -READ_ONCE(sk->sk_err));
}

/*
 * Wait until the kernel socket has room. TCP also says that there is none if it
 * has room, but no memory, and then it does not call back.
 */
static void pvcalls_stream_block(struct pvcalls_sock *ps)
{
	pvcalls_out_block(ps);
	if (sk_stream_is_writeable(ps->sock->sk))
		mod_timer(&ps->conn.retry, jiffies + PVCALLS_MEMORY_PAUSE);
}

/*
 * Count @n bytes that have moved in a run. The first time is in what a run
 * costs anyway, each further one costs no less than a step: a guest that adds a
 * byte while the one before is sent, or a peer that sends such bytes, would
 * otherwise keep the worker for as long as a whole budget of such bytes takes.
 */
static void pvcalls_stream_step(u32 *budget, u32 *step, u32 n)
{
	u32 little = n < *step ? *step - n : 0;

	*budget -= min(*budget, n + little);
	if (little)
		pvcalls_worker_spend(little);
	*step = PVCALLS_STEP_COST;
}

/*
 * How much of @avail bytes may be sent at once? None where it is others' turn at
 * the guest's rate.
 */
static u32 pvcalls_stream_may(struct pvcalls_sock *ps, u32 avail, u32 budget)
{
	u32 len = min3(avail, PVCALLS_CHUNK, min_not_zero(budget, ps->part));

	/* what can only fail needs no turn */
	if (READ_ONCE(ps->sock->sk->sk_state) == TCP_CLOSE)
		return len;
	return pvcalls_pace_may(ps, PVCALLS_PACE_OUT, len);
}

/**
 * pvcalls_stream_out() - send bytes from the guest
 * @ps: the socket, in PVCALLS_SS_CONNECTED, PVCALLS_SS_DRAINING or
 *	PVCALLS_SS_RESETTING
 *
 * Bytes are sent until the ring is empty, TCP is full, the budget is used up, or
 * the guest's rate has others' turn come.
 *
 * Context: the worker that the socket belongs to; never waits for the network.
 * Return: true if the budget is used up.
 */
bool pvcalls_stream_out(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	u32 budget = pvcalls_fairq_budget(), step = 0;

	pvcalls_stream_give_back(ps);
	if (c->out_state == PVCALLS_OUT_DONE)
		return false;
	if (pvcalls_out_is_blocked(c->out_state) &&
	    !test_bit(PVCALLS_SF_OUT_READY, &ps->flags))
		return false;
	pvcalls_out_unblock(ps);

	for (;;) {
		int n, avail = pvcalls_out_avail(c);
		u32 may;

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
		/*
		 * clear the flag before the try, so that room made afterwards
		 * sets it
		 */
		smp_mb__after_atomic();
		if (pvcalls_memory_full(ps)) {
			/* TCP has room, so its timer would come at once */
			pvcalls_out_block(ps);
			return false;
		}
		may = pvcalls_stream_may(ps, avail, budget);
		if (!may) {
			pvcalls_out_block(ps);
			return false;
		}
		n = pvcalls_stream_send(ps, avail, may);
		if (n > 0) {
			pvcalls_pace_did(ps, PVCALLS_PACE_OUT, n);
			c->flow.out += n;
			pvcalls_stream_step(&budget, &step, n);
			pvcalls_stream_give_back(ps);
		} else if (pvcalls_stream_retry(n)) {
			pvcalls_stream_block(ps);
			return false;
		} else {
			pvcalls_stream_send_error(ps, n ?: -EIO);
			return false;
		}
	}
}

/*
 * Get the free bytes of the ring; or 0 if they are too few, after asking the
 * guest for an event. After the ring has been full, half of it must become free
 * first, because small steps cost more. A guest without feature-wakeup can't be
 * asked for that.
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
 * pvcalls_stream_dry() - has TCP neither bytes nor an end?
 * @sk: the kernel socket
 *
 * Context: any.
 * Return: true if there is certainly nothing to receive.
 */
bool pvcalls_stream_dry(const struct sock *sk)
{
	return skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	       !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) &&
	       !READ_ONCE(sk->sk_err) && READ_ONCE(sk->sk_state) != TCP_CLOSE;
}

/**
 * pvcalls_stream_in() - give bytes to the guest
 * @ps: the socket, in PVCALLS_SS_CONNECTED
 *
 * Bytes are copied until TCP is empty, the ring is full, the budget is used up,
 * or the guest's rate has others' turn come.
 *
 * Context: the worker that the socket belongs to; never waits for the network.
 * Return: true if the budget is used up.
 */
bool pvcalls_stream_in(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	u32 budget = pvcalls_fairq_budget(), step = 0;

	while (c->in_state != PVCALLS_IN_DONE &&
	       test_bit(PVCALLS_SF_IN_READY, &ps->flags)) {
		int n, space = pvcalls_stream_space(ps);
		u32 has, len, may;

		if (space < 0) {
			pvcalls_direction_broken(ps);
			return false;
		}
		if (!space)
			return false;
		if (!budget)
			return true;

		has = pvcalls_stream_queued(ps->sock->sk);
		/* one page at least, so that an end without bytes is seen */
		len = min3((u32)space, budget, max_t(u32, has, PAGE_SIZE));
		/* which needs no turn */
		if (has) {
			has = min(has, len);
			may = pvcalls_pace_may(ps, PVCALLS_PACE_IN, has);
			if (!may)
				return false;
			if (may < has)
				len = may;
		}
		clear_bit(PVCALLS_SF_IN_READY, &ps->flags);
		/*
		 * clear the flag before the look, so that later bytes set it
		 * again
		 */
		smp_mb__after_atomic();
		n = pvcalls_stream_recv(ps, len);
		if (n > 0) {
			pvcalls_pace_did(ps, PVCALLS_PACE_IN, n);
			c->flow.in += n;
			pvcalls_stream_step(&budget, &step, n);
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
