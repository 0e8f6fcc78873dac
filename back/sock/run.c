// SPDX-License-Identifier: GPL-2.0
/*
 * Runs of sockets, and the tables of functions that sched/, ring/ and the
 * callbacks call.
 */
#include <linux/in.h>
#include <linux/net.h>

#include <net/sock.h>

#include "guest/call.h"
#include "guest/guest.h"
#include "guest/policy.h"
#include "ring/evtchn.h"
#include "ring/tools.h"
#include "sched/worker.h"
#include "sock/conn.h"
#include "sock/connect.h"
#include "sock/dgram.h"
#include "sock/direction.h"
#include "sock/fastpath.h"
#include "sock/inbound.h"
#include "sock/listener.h"
#include "sock/memory.h"
#include "sock/run.h"
#include "sock/sock.h"
#include "sock/stream.h"
#include "trace.h"

/* Commands of a socket that one run executes at most */
#define PVCALLS_CALL_BATCH	8

/**
 * pvcalls_sock_connect() - run the command CONNECT
 * @ps: the socket
 * @call: the request, which is answered and freed, now or later
 *
 * Context: the worker that the socket belongs to; never waits for the network.
 */
void pvcalls_sock_connect(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	ps->type->connect(ps, call);
}

/**
 * pvcalls_sock_release() - run the command RELEASE
 * @ps: the socket
 * @call: the request, which is answered when the socket has been torn down
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_sock_release(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	ps->release = call;
	if (ps->state == PVCALLS_SS_CONNECTED)
		pvcalls_conn_drain(ps);
}

/*
 * Tear a socket down: close the kernel socket, answer all calls except RELEASE,
 * then give the data ring and the event channel back. Returns false if sends
 * still refer to pages of the ring. In that case the work is marked after the
 * sends, and calls pvcalls_conn_let_go() again.
 */
static bool pvcalls_run_close(struct pvcalls_sock *ps)
{
	bool reset = pvcalls_conn_resets(ps);
	struct pvcalls_call *call;

	WRITE_ONCE(ps->state, PVCALLS_SS_CLOSING);
	pvcalls_sock_unhash(ps);
	if (ps->sock->sk->sk_protocol == IPPROTO_TCP)
		pvcalls_inbound_detach(ps->sock->sk);
	pvcalls_callbacks_detach(&ps->callbacks, ps->sock->sk);
	pvcalls_conn_close(ps, reset);
	pvcalls_memory_leave(ps);
	pvcalls_sock_close(ps);
	/* RELEASE has been charged as a call */
	if (!ps->release)
		pvcalls_worker_spend(PVCALLS_CALL_COST);

	while ((call = pvcalls_sock_next(ps)))
		pvcalls_reply(call, -EBADF);
	return pvcalls_conn_let_go(ps);
}

/* Do what the socket's state asks for. Returns whether there is more to do. */
static bool pvcalls_run_state(struct pvcalls_sock *ps)
{
	switch (ps->state) {
	case PVCALLS_SS_CONNECTING:
		pvcalls_connect_check(ps);
		if (ps->state != PVCALLS_SS_CONNECTED)
			return false;
		pvcalls_memory_follow(ps);
		fallthrough;
	case PVCALLS_SS_CONNECTED:
	case PVCALLS_SS_DRAINING:
	case PVCALLS_SS_RESETTING:
		return pvcalls_conn_pass(ps);
	case PVCALLS_SS_LISTENING:
		return !ps->release && pvcalls_listener_pass(ps);
	default:
		return false;
	}
}

/* Run the socket if there is anything to do, and account for the cost. */
static bool pvcalls_run_pass(struct pvcalls_sock *ps)
{
	const struct pvcalls_conn *c = &ps->conn;
	u32 in, out;
	bool more;

	pvcalls_conn_steer(ps);
	if (test_and_clear_bit(PVCALLS_SF_SETTLE, &ps->flags))
		pvcalls_memory_settle(ps);
	if (pvcalls_conn_resting(ps))
		return false;
	pvcalls_memory_follow(ps);
	in = c->in.prod;
	out = c->out.cons;
	more = pvcalls_run_state(ps);
	more |= pvcalls_dgram_shed(ps);
	in = c->in.prod - in;
	out = c->out.cons - out;
	if (in || out)
		trace_pvcalls_move(ps->guest->peer.domid, ps->id, in, out);
	pvcalls_memory_count(ps);
	pvcalls_work_did(&ps->work, in + out,
			 READ_ONCE(ps->sock->sk->sk_incoming_cpu));
	return more;
}

static bool pvcalls_run_ends(struct pvcalls_sock *ps)
{
	if (pvcalls_guest_dead(ps->guest))
		return true;
	if (!ps->release)
		return false;
	if (!pvcalls_sock_drains(ps) || pvcalls_out_sent(&ps->conn))
		return true;
	pvcalls_reply_maybe_later(ps->release);
	return false;
}

/*
 * Run some of the socket's commands. Further commands wait for the next run, so
 * that other works are not delayed.
 */
static void pvcalls_run_calls(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call;
	int n = PVCALLS_CALL_BATCH;

	while (n-- && (call = pvcalls_sock_next(ps))) {
		pvcalls_out_wake(ps);
		call->run(ps, call);
		if (pvcalls_worker_spend(PVCALLS_CALL_COST))
			break;
	}
}

/* Run a socket. Returns whether there is more to do. */
static bool pvcalls_run_sock(struct pvcalls_sock *ps)
{
	struct pvcalls_guest *g = ps->guest;
	bool closed, more = false;

	if (ps->state == PVCALLS_SS_CLOSING) {
		closed = pvcalls_conn_let_go(ps);
		goto closed;
	}

	if (!pvcalls_guest_dead(g)) {
		pvcalls_run_calls(ps);
		more = pvcalls_run_pass(ps);
		/*
		 * commands that came before RELEASE are answered before
		 * RELEASE, and this run has taken the mark of all of them
		 */
		if (pvcalls_sock_has_calls(ps)) {
			pvcalls_guest_notify(g);
			return true;
		}
	}

	if (!pvcalls_run_ends(ps)) {
		pvcalls_guest_notify(g);
		return more;
	}
	if (!pvcalls_listener_end(ps)) {
		pvcalls_guest_notify(g);
		return true;
	}
	closed = pvcalls_run_close(ps);
closed:
	if (ps->release) {
		if (closed)
			pvcalls_reply(ps->release, 0);
		else
			/* pages are on their way through a slow network */
			pvcalls_reply_maybe_later(ps->release);
	}
	pvcalls_guest_notify(g);
	if (closed)
		pvcalls_sock_drop(ps);
	return false;
}

static bool pvcalls_run_work(struct pvcalls_work *work,
			     struct pvcalls_worker *w)
{
	struct pvcalls_sock *ps = container_of(work, struct pvcalls_sock, work);
	bool more;

	if (!pvcalls_sock_ready(ps))
		return false;
	/* another CPU's softirq is about to finish with the socket */
	while (test_and_set_bit_lock(PVCALLS_SF_RUNNING, &ps->flags))
		cpu_relax();
	ps->tools = &w->tools;
	more = pvcalls_run_sock(ps);
	ps->tools = NULL;
	clear_bit_unlock(PVCALLS_SF_RUNNING, &ps->flags);
	return more;
}

static bool pvcalls_run_fast(struct pvcalls_work *work,
			     struct pvcalls_worker *w)
{
	struct pvcalls_sock *ps = container_of(work, struct pvcalls_sock, work);

	return pvcalls_fastpath_out(ps, &w->tools.frags);
}

static void pvcalls_run_get(struct pvcalls_work *work)
{
	pvcalls_sock_get(container_of(work, struct pvcalls_sock, work));
}

static void pvcalls_run_put(struct pvcalls_work *work)
{
	pvcalls_sock_put(container_of(work, struct pvcalls_sock, work));
}

static const struct pvcalls_work_ops pvcalls_run_work_ops = {
	.run = pvcalls_run_work,
	.fast = pvcalls_run_fast,
	.get = pvcalls_run_get,
	.put = pvcalls_run_put,
};

static struct pvcalls_sock *pvcalls_run_owner(struct pvcalls_callbacks *cb)
{
	return container_of(cb, struct pvcalls_sock, callbacks);
}

static void pvcalls_run_data(struct pvcalls_callbacks *cb, struct sock *sk)
{
	struct pvcalls_sock *ps = pvcalls_run_owner(cb);

	if (pvcalls_fastpath_in(ps, sk))
		return;
	if (READ_ONCE(ps->state) == PVCALLS_SS_LISTENING)
		pvcalls_listener_queued(ps);
	set_bit(PVCALLS_SF_IN_READY, &ps->flags);
	pvcalls_work_mark(&ps->work);
}

static void pvcalls_run_space(struct pvcalls_callbacks *cb, struct sock *sk)
{
	struct pvcalls_sock *ps = pvcalls_run_owner(cb);

	set_bit(PVCALLS_SF_OUT_READY, &ps->flags);
	/* set the flag before reading the state; pvcalls_dgram_out() pairs */
	smp_mb__after_atomic();
	/* a datagram socket calls for each datagram sent, even if not full */
	if (sk->sk_type == SOCK_STREAM ||
	    pvcalls_out_is_blocked(READ_ONCE(ps->conn.out_state)))
		pvcalls_work_mark(&ps->work);
}

/* Mark the work for both directions, because both end with the connection. */
static void pvcalls_run_change(struct pvcalls_callbacks *cb, struct sock *sk)
{
	struct pvcalls_sock *ps = pvcalls_run_owner(cb);

	set_bit(PVCALLS_SF_IN_READY, &ps->flags);
	set_bit(PVCALLS_SF_OUT_READY, &ps->flags);
	pvcalls_work_mark(&ps->work);
}

static bool pvcalls_run_syn(struct pvcalls_callbacks *cb,
			    const struct sk_buff *skb)
{
	return pvcalls_policy_hears(pvcalls_run_owner(cb)->guest, skb);
}

static const struct pvcalls_callback_ops pvcalls_run_callbacks = {
	.data = pvcalls_run_data,
	.space = pvcalls_run_space,
	.state = pvcalls_run_change,
	.syn = pvcalls_run_syn,
};

static bool pvcalls_run_due(const struct pvcalls_subscriber *sub)
{
	const struct pvcalls_sock *ps = sub->owner;

	return pvcalls_conn_due(&ps->conn);
}

static void pvcalls_run_mark(struct pvcalls_subscriber *sub)
{
	struct pvcalls_sock *ps = sub->owner;

	if (pvcalls_fastpath_likely(&ps->conn))
		pvcalls_work_mark_fast(&ps->work);
	else
		pvcalls_work_mark(&ps->work);
}

static const struct pvcalls_subscriber_ops pvcalls_run_events = {
	.due = pvcalls_run_due,
	.mark = pvcalls_run_mark,
};

static const struct pvcalls_sock_type pvcalls_stream_type = {
	.work = &pvcalls_run_work_ops,
	.callbacks = &pvcalls_run_callbacks,
	.events = &pvcalls_run_events,
	.connect = pvcalls_connect_stream,
	.pass_out = pvcalls_stream_out,
	.pass_in = pvcalls_stream_in,
};

static const struct pvcalls_sock_type pvcalls_dgram_type = {
	.work = &pvcalls_run_work_ops,
	.callbacks = &pvcalls_run_callbacks,
	.events = &pvcalls_run_events,
	.connect = pvcalls_dgram_connect,
	.pass_out = pvcalls_dgram_out,
	.pass_in = pvcalls_dgram_in,
};

/**
 * pvcalls_sock_type() - get the functions of a socket type
 * @type: SOCK_STREAM or SOCK_DGRAM
 *
 * Context: any.
 * Return: the table of functions.
 */
const struct pvcalls_sock_type *pvcalls_sock_type(u32 type)
{
	return type == SOCK_DGRAM ? &pvcalls_dgram_type : &pvcalls_stream_type;
}
