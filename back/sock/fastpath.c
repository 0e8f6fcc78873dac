// SPDX-License-Identifier: GPL-2.0
/*
 * The fast path of stream sockets.
 *
 * To wake the worker costs two thread switches and an interrupt of another CPU,
 * which is much for few bytes. So the softirq of a packet copies its bytes, as
 * in-kernel users of TCP with parsers do (net/strparser). The softirq of a
 * guest's event sends the guest's bytes, as TCP itself sends in softirq context
 * when an acknowledgment arrives. Larger amounts and everything that is not
 * simple are left to the worker.
 */
#include <linux/bvec.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/tcp.h>
#include <linux/uio.h>

#include <net/sock.h>
#include <net/tcp.h>

#include "guest/guest.h"
#include "pvcalls_compat.h"
#include "pvcalls_param.h"
#include "ring/datamap.h"
#include "ring/frags.h"
#include "ring/ring.h"
#include "sched/queues.h"
#include "sock/conn.h"
#include "sock/direction.h"
#include "sock/fastpath.h"
#include "sock/memory.h"
#include "sock/pace.h"
#include "sock/receive.h"
#include "sock/sock.h"
#include "sock/stream.h"
#include "trace.h"

#define PVCALLS_FASTPATH_MAX	16384U

/* Most segments: the first page in part, and the ring's end within a page */
#define PVCALLS_FASTPATH_SEGS	(PVCALLS_FASTPATH_MAX / PAGE_SIZE + 2)

PVCALLS_PARAM_UINT(direct, 4096, 0, PVCALLS_FASTPATH_MAX, 0644);
MODULE_PARM_DESC(direct,
		 "Bytes that are moved at once, either way, without waking a worker, at most, 0 (never) to 16384 (default 4096)");

/* What softirqs do is no turn of the guest, and so beside its cap. */
static bool pvcalls_fastpath_may(const struct pvcalls_sock *ps)
{
	return pvcalls_policy_takes(ps->guest->policy, PVCALLS_SHORT_DIRECT) &&
	       !pvcalls_cap_is_set(&ps->work.queues->cap);
}

/*
 * Copy @len bytes from TCP into the ring. The caller holds the kernel socket's
 * lock and PVCALLS_SF_RUNNING.
 */
static bool pvcalls_fastpath_move(struct pvcalls_sock *ps, struct sock *sk,
				  u32 len)
{
	struct pvcalls_conn *c = &ps->conn;
	struct bio_vec bv[PVCALLS_FASTPATH_SEGS];
	struct ringbuf_span span;
	struct iov_iter to;
	int n;

	/*
	 * after the ring was full, the worker waits for half of it to be free
	 */
	if (c->in_state != PVCALLS_IN_OPEN ||
	    ringbuf_space(&c->in) < (int)len ||
	    !pvcalls_pace_has(ps, PVCALLS_PACE_IN, len))
		return false;

	span = ringbuf_free_span(&c->in, 0, len);
	n = pvcalls_stream_bvec(bv, pvcalls_datamap_in(c->map), &span);
	iov_iter_bvec(&to, ITER_DEST, bv, n, len);
	n = pvcalls_receive_locked(sk, &to);
	if (n > 0) {
		pvcalls_pace_did(ps, PVCALLS_PACE_IN, n);
		c->flow.in += n;
		trace_pvcalls_move(ps->guest->peer.domid, ps->id, n, 0);
		if (ringbuf_produce(&c->in, n))
			pvcalls_notify_send(&c->notify);
	}
	return n == len && pvcalls_stream_dry(sk);
}

/**
 * pvcalls_fastpath_in() - give a few arrived bytes to the guest
 * @ps: the socket, whose kernel socket can't be detached during the call
 * @sk: the kernel socket, which has announced data
 *
 * Context: softirq, with the kernel socket's lock; in other contexts nothing is
 * done.
 * Return: true if nothing is left to do for the socket's worker.
 */
bool pvcalls_fastpath_in(struct pvcalls_sock *ps, struct sock *sk)
{
	bool done;
	u32 len;

	/* a listening socket calls without its lock, so don't look at it */
	if (sk->sk_type != SOCK_STREAM ||
	    READ_ONCE(ps->state) != PVCALLS_SS_CONNECTED)
		return false;
	/* a task owns the kernel socket, and may be the worker itself */
	if (sock_owned_by_user(sk))
		return false;
	/* the worker sees whether the guest still has too much memory */
	if (READ_ONCE(ps->fill) == PVCALLS_FILL_OVER)
		return false;
	if (!pvcalls_fastpath_may(ps))
		return false;
	len = tcp_sk(sk)->rcv_nxt - tcp_sk(sk)->copied_seq;
	if (!len || len > READ_ONCE(param_direct))
		return false;
	if (test_and_set_bit_lock(PVCALLS_SF_RUNNING, &ps->flags))
		return false;
	/*
	 * The worker may have run since the first look at the state. Pairs with
	 * the release when a connection has been accepted.
	 */
	done = smp_load_acquire(&ps->state) == PVCALLS_SS_CONNECTED &&
	       pvcalls_fastpath_move(ps, sk, len);
	clear_bit_unlock(PVCALLS_SF_RUNNING, &ps->flags);
	return done;
}

/*
 * Get the number of bytes to send; or 0 if there is more to do than sending, or
 * too much to send.
 */
static u32 pvcalls_fastpath_avail(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	int avail;

	if (c->in_state == PVCALLS_IN_WAITING ||
	    test_bit(PVCALLS_SF_IN_READY, &ps->flags) ||
	    ringbuf_space(&c->in) < 0)
		return 0;
	avail = ringbuf_avail(&c->out);
	if (avail <= 0 || avail > READ_ONCE(param_direct))
		return 0;
	/* the worker waits for the guest's turn */
	if (!pvcalls_pace_has(ps, PVCALLS_PACE_OUT, avail))
		return 0;
	return pvcalls_memory_covers(ps, avail) ? avail : 0;
}

/**
 * pvcalls_fastpath_likely() - is an event likely to be about few bytes?
 * @c: connection whose events are enabled
 *
 * Bulk data goes straight to the worker, because a softirq would only cost
 * time.
 *
 * Context: hard interrupt.
 * Return: true if a softirq should try first.
 */
bool pvcalls_fastpath_likely(const struct pvcalls_conn *c)
{
	u32 avail = READ_ONCE(*c->out.sh.prod) - READ_ONCE(c->out.cons);

	return avail <= READ_ONCE(param_direct) &&
	       READ_ONCE(c->in_state) != PVCALLS_IN_WAITING;
}

/*
 * Would TCP's own function take bytes now, without sleeping and without an
 * error?
 */
static bool pvcalls_fastpath_sendable(struct sock *sk)
{
	return !sock_owned_by_user(sk) &&
	       READ_ONCE(sk->sk_prot)->sendmsg == tcp_sendmsg &&
	       (sk->sk_state == TCP_ESTABLISHED ||
		sk->sk_state == TCP_CLOSE_WAIT) &&
	       !sk->sk_err && !(sk->sk_shutdown & SEND_SHUTDOWN) &&
	       sk_stream_memory_free(sk);
}

/*
 * Send @len bytes. Returns how many TCP has taken, or a negative error number.
 * Security modules are not asked, because they would judge the program that was
 * interrupted.
 */
static int pvcalls_fastpath_send(struct pvcalls_conn *c, struct sock *sk,
				 struct pvcalls_frags *frags, u32 len)
{
	struct page **pages = pvcalls_datamap_out(c->map);
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct bio_vec bv[PVCALLS_FASTPATH_SEGS];
	struct pvcalls_atomic_alloc saved;
	struct ringbuf_span span;
	int n = -EAGAIN;

	span = ringbuf_data_span(&c->out, 0, len);
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv,
		      pvcalls_stream_bvec(bv, pages, &span), len);
	bh_lock_sock(sk);
	if (pvcalls_fastpath_sendable(sk)) {
		pvcalls_frags_swap(frags, sk);
		pvcalls_atomic_begin(sk, &saved);
		n = tcp_sendmsg_locked(sk, &msg, len);
		pvcalls_atomic_end(sk, &saved);
		pvcalls_frags_swap(frags, sk);
	}
	bh_unlock_sock(sk);
	return n;
}

static bool pvcalls_fastpath_forward(struct pvcalls_sock *ps,
				     struct pvcalls_frags *frags)
{
	struct pvcalls_conn *c = &ps->conn;
	u32 len;
	int n;

	/* who added a call may have found the mark that this softirq serves */
	if (ps->todo || !llist_empty(&ps->calls))
		return false;
	if (pvcalls_conn_resting(ps))
		return true;
	if (c->out_state != PVCALLS_OUT_RESTING)
		return false;
	/*
	 * the state rests again when a look at the ring has found no more bytes
	 */
	pvcalls_out_wake(ps);
	len = pvcalls_fastpath_avail(ps);
	if (!len)
		return false;
	n = pvcalls_fastpath_send(c, ps->sock->sk, frags, len);
	if (n <= 0)
		return false;
	pvcalls_pace_did(ps, PVCALLS_PACE_OUT, n);
	c->flow.out += n;
	trace_pvcalls_move(ps->guest->peer.domid, ps->id, 0, n);
	if (ringbuf_consume(&c->out, n))
		pvcalls_notify_send(&c->notify);
	/* after the EOI, bytes that the look below misses raise a new event */
	if (pvcalls_evtchn_take(&c->ring->sub))
		pvcalls_conn_eoi(ps);
	pvcalls_conn_follow(ps, smp_processor_id());
	/* a peer with a small window makes many segments of few bytes */
	if (pvcalls_out_avail(c) || !pvcalls_memory_covers(ps, 0))
		return false;
	pvcalls_out_rest(ps);
	return true;
}

/**
 * pvcalls_fastpath_out() - send a few bytes from the guest
 * @ps: the socket, whose work has been marked
 * @frags: pages of the worker whose softirq this is
 *
 * Context: softirq.
 * Return: true if nothing is left to do for the socket's worker.
 */
bool pvcalls_fastpath_out(struct pvcalls_sock *ps, struct pvcalls_frags *frags)
{
	bool done;

	if (test_and_set_bit_lock(PVCALLS_SF_RUNNING, &ps->flags))
		return false;
	/*
	 * Pairs with the release when a connection has been accepted. The
	 * policy may go once the socket is torn down, so look at it later.
	 */
	done = smp_load_acquire(&ps->state) == PVCALLS_SS_CONNECTED &&
	       ps->sock->sk->sk_type == SOCK_STREAM &&
	       pvcalls_fastpath_may(ps) &&
	       !pvcalls_guest_dead(ps->guest) &&
	       pvcalls_fastpath_forward(ps, frags);
	clear_bit_unlock(PVCALLS_SF_RUNNING, &ps->flags);
	return done;
}
