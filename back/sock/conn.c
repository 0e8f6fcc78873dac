// SPDX-License-Identifier: GPL-2.0
/* Connections of stream and datagram sockets; conn.h says what runs where. */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/interrupt.h>
#include <linux/net.h>

#include <net/sock.h>

#include "guest/call.h"
#include "guest/guest.h"
#include "pvcalls_compat.h"
#include "ring/datamap.h"
#include "ring/ring.h"
#include "ring/tools.h"
#include "sched/pool.h"
#include "sched/worker.h"
#include "sock/conn.h"
#include "sock/direction.h"
#include "sock/flowlog.h"
#include "sock/name.h"
#include "sock/pace.h"
#include "sock/sock.h"

/* How long to leave the network pages that it has said to have done with */
#define PVCALLS_BUSY_PAUSE	(HZ / 200 + 1)

/* Runs of a kind in a row that decide to which CPU an interrupt goes */
#define PVCALLS_FOLLOW_RUNS	16

static u32 *pvcalls_conn_word(struct pvcalls_sock *ps, unsigned int offset)
{
	if (!pvcalls_guest_has(ps->guest, PVCALLS_F_WAKEUP))
		return NULL;
	return (u32 *)((u8 *)ps->conn.map->intf + offset);
}

static void pvcalls_conn_rings(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	struct pvcalls_data_intf *intf = c->map->intf;
	const struct ringbuf_shared in = {
		.prod = &intf->in_prod,
		.cons = &intf->in_cons,
		.data_wake = pvcalls_conn_word(ps, PVCALLS_IN_DATA_WAKE),
		.space_wake = pvcalls_conn_word(ps, PVCALLS_IN_SPACE_WAKE),
	};
	const struct ringbuf_shared out = {
		.prod = &intf->out_prod,
		.cons = &intf->out_cons,
		.data_wake = pvcalls_conn_word(ps, PVCALLS_OUT_DATA_WAKE),
		.space_wake = pvcalls_conn_word(ps, PVCALLS_OUT_SPACE_WAKE),
	};

	ringbuf_init(&c->in, &in, RINGBUF_SIZE(c->map->order));
	ringbuf_init(&c->out, &out, RINGBUF_SIZE(c->map->order));
	ringbuf_start_producer(&c->in);
	c->in_cons = 0;
	c->out_prod = 0;
	c->err = 0;
	c->dgram_err = 0;
	pvcalls_direction_init(c);
}

/* Has the guest announced another use of the ring? */
static bool pvcalls_conn_reuse(const struct pvcalls_sock *ps)
{
	return ps->release && ps->release->req.u.release.reuse == 1 &&
	       pvcalls_guest_has(ps->guest, PVCALLS_F_REUSE) &&
	       !pvcalls_guest_dead(ps->guest);
}

static void pvcalls_conn_unmap(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;

	if (!c->map)
		return;
	pvcalls_notify_now(&c->notify);
	pvcalls_ring_put(&ps->guest->rings, c->ring, ps->work.steered,
			 pvcalls_conn_reuse(ps), &ps->tools->scratch);
	c->ring = NULL;
	c->map = NULL;
	c->irq = 0;
}

/**
 * pvcalls_conn_map() - map a guest's data ring for a socket
 * @ps: the socket, whose @state keeps its worker from using the ring too early
 * @ref: grant of the indexes page, as the guest says
 * @port: port number of the guest's end of the event channel, as the guest says
 *
 * The call is undone by pvcalls_conn_close() and pvcalls_conn_let_go().
 *
 * Context: any worker.
 * Return: 0, or an error number for the guest; see pvcalls_ring_get().
 */
int pvcalls_conn_map(struct pvcalls_sock *ps, grant_ref_t ref,
		     evtchn_port_t port)
{
	struct pvcalls_conn *c = &ps->conn;
	struct pvcalls_ring *ring;

	ring = pvcalls_ring_get(&ps->guest->rings, ref, port,
				&ps->tools->scratch);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	c->ring = ring;
	c->map = ring->map;
	c->irq = ring->sub.evtchn->irq;
	c->notify.irq = c->irq;
	c->notify.port = ring->sub.evtchn->local;
	ps->work.steered = ring->steered;
	pvcalls_conn_steer(ps);
	pvcalls_conn_rings(ps);
	return 0;
}

/**
 * pvcalls_conn_steer() - send a socket's interrupt to its worker's CPU
 * @ps: the socket, with or without a data ring
 *
 * An event channel that serves many rings follows one of them. The call is
 * cheap if there is nothing to do.
 *
 * Context: process, may sleep.
 */
void pvcalls_conn_steer(struct pvcalls_sock *ps)
{
	struct pvcalls_ring *ring = ps->conn.ring;

	if (!ring || !READ_ONCE(ring->sub.steers))
		return;
	if (ring->follows)
		ring->follows--;
	else
		pvcalls_work_steer(&ps->work, ps->conn.irq);
}

/**
 * pvcalls_conn_follow() - send a socket's interrupt to its packets' CPU
 * @ps: the socket, for which this softirq has just moved bytes
 * @cpu: this CPU
 *
 * A program of this host wakes up on the CPU of the packets. If the interrupt
 * goes to the same CPU, no other CPU need be woken. The interrupt goes only to
 * CPUs with a worker, and only until runs of the work outnumber softirqs.
 *
 * Context: softirq, with PVCALLS_SF_RUNNING held.
 */
void pvcalls_conn_follow(struct pvcalls_sock *ps, int cpu)
{
	int there = READ_ONCE(ps->sock->sk->sk_incoming_cpu);
	struct pvcalls_ring *ring = ps->conn.ring;

	if (!READ_ONCE(ring->sub.steers))
		return;
	if (!pvcalls_pool_serves(cpu)) {
		ring->follows = 0;
		pvcalls_work_steer(&ps->work, ps->conn.irq);
		return;
	}
	if (ring->follows)
		ring->follows = PVCALLS_FOLLOW_RUNS;
	if (there == cpu || there < 0 || !pvcalls_pool_serves(there)) {
		ring->astray = 0;
		return;
	}
	if (++ring->astray < PVCALLS_FOLLOW_RUNS)
		return;
	ring->astray = 0;
	ring->follows = PVCALLS_FOLLOW_RUNS;
	/* the call fails if the CPU has just gone, which does no harm */
	irq_set_affinity(ps->conn.irq, cpumask_of(there));
	ps->work.steered = 0;
}

/**
 * pvcalls_conn_due() - does an event concern this connection?
 * @c: connection whose events are enabled
 *
 * The guest's indexes are compared with their values at the last event, and
 * with their values in the latest run. The latter comparison is needed because
 * an index may have moved by 4 GiB since the last event, in runs without an
 * event.
 *
 * Context: hard interrupt.
 * Return: true if the guest has moved an index since the last event or the
 * latest run.
 */
bool pvcalls_conn_due(const struct pvcalls_conn *c)
{
	u32 prod = READ_ONCE(*c->out.sh.prod);
	u32 cons = READ_ONCE(*c->in.sh.cons);

	return prod != READ_ONCE(c->out.prod) ||
	       cons != READ_ONCE(c->in.cons) ||
	       prod != READ_ONCE(c->out_prod) || cons != READ_ONCE(c->in_cons);
}

/**
 * pvcalls_conn_enable() - enable the events of a connection
 * @ps: the socket, with a data ring, whose work the caller runs or marks
 *	afterwards
 *
 * Context: process; the worker that the socket belongs to.
 */
void pvcalls_conn_enable(struct pvcalls_sock *ps)
{
	pvcalls_evtchn_enable(&ps->conn.ring->sub, ps->type->events, ps);
}

/**
 * pvcalls_conn_attach() - attach a socket to its kernel socket's callbacks
 * @ps: the socket, with a kernel socket
 *
 * More than one call has no further effect. The call is undone by
 * pvcalls_conn_failed(), or when the socket is torn down.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_conn_attach(struct pvcalls_sock *ps)
{
	pvcalls_callbacks_attach(&ps->callbacks, ps->sock->sk, NULL);
}

/**
 * pvcalls_conn_resets() - must the connection end with a RST?
 * @ps: the socket, which is going to be torn down
 *
 * The peer must see an orderly end only if the guest has released the socket
 * and all that the guest has written was sent.
 *
 * Context: the worker that the socket belongs to.
 * Return: true for a RST; also true if there is no connection.
 */
bool pvcalls_conn_resets(const struct pvcalls_sock *ps)
{
	return !ps->release || ps->state == PVCALLS_SS_RESETTING ||
	       !pvcalls_out_sent(&ps->conn);
}

static enum pvcalls_flow_why pvcalls_conn_why(const struct pvcalls_sock *ps,
					      bool reset)
{
	const struct pvcalls_conn *c = &ps->conn;

	if (c->err)
		return PVCALLS_FLOW_ERROR;
	if (pvcalls_guest_dead(ps->guest))
		return PVCALLS_FLOW_GONE;
	/* datagrams that nobody has read are no reason for a RST */
	if (reset && c->flow.protocol == IPPROTO_TCP)
		return PVCALLS_FLOW_RESET;
	return c->in_state == PVCALLS_IN_DONE && !c->flow.shut ?
	       PVCALLS_FLOW_PEER : PVCALLS_FLOW_CLOSED;
}

/**
 * pvcalls_conn_close() - end a socket's connection, if there is one
 * @ps: the socket, which is being torn down and has no callbacks any more
 * @reset: end the connection with a RST
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_conn_close(struct pvcalls_sock *ps, bool reset)
{
	struct pvcalls_conn *c = &ps->conn;

	if (c->connect) {
		pvcalls_reply(c->connect, -ECONNABORTED);
		c->connect = NULL;
	}
	pvcalls_flowlog_end(ps, pvcalls_conn_why(ps, reset));
	pvcalls_timer_stop(&c->retry);
	pvcalls_pace_end(ps);
	if (c->ring)
		pvcalls_evtchn_disable(&c->ring->sub);
	if (c->map && ps->sock && reset)
		sock_no_linger(ps->sock->sk);
}

/**
 * pvcalls_conn_let_go() - give the data ring back, if there is one
 * @ps: the socket, in PVCALLS_SS_CLOSING, or whose accept has failed
 *
 * Context: the worker that the socket belongs to.
 * Return: false if the network still refers to pages of the ring, and then the
 * work is marked later. A dead guest's socket does not wait for that: the pages
 * are then unmapped when the network has let go of them.
 */
bool pvcalls_conn_let_go(struct pvcalls_sock *ps)
{
	struct pvcalls_zerocopy *z = &ps->conn.zerocopy;

	if (!ps->conn.map)
		return true;
	pvcalls_zerocopy_reap(z);
	if (!list_empty(&z->sends)) {
		if (!pvcalls_guest_dead(ps->guest))
			return false;
		pvcalls_zerocopy_forget(z);
	}
	if (z->by_ref && ps->state == PVCALLS_SS_CLOSING) {
		if (!pvcalls_guest_dead(ps->guest) &&
		    pvcalls_datamap_is_busy(ps->conn.map)) {
			mod_timer(&ps->conn.retry,
				  jiffies + PVCALLS_BUSY_PAUSE);
			return false;
		}
		/* which this socket may not outlive */
		pvcalls_timer_stop(&ps->conn.retry);
	}
	pvcalls_conn_unmap(ps);
	return true;
}

/**
 * pvcalls_conn_connected() - a connection is established
 * @ps: the socket, with a data ring, and with a CONNECT that is answered here
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_conn_connected(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call = ps->conn.connect;

	ps->conn.connect = NULL;
	WRITE_ONCE(ps->state, PVCALLS_SS_CONNECTED);
	set_bit(PVCALLS_SF_IN_READY, &ps->flags);
	pvcalls_flowlog_begin(ps, false);
	pvcalls_conn_enable(ps);
	pvcalls_name_put(ps, call, false);
	pvcalls_reply(call, 0);
}

/**
 * pvcalls_conn_failed() - a connection could not be established
 * @ps: the socket, with a data ring, and with a CONNECT that is answered here
 * @err: the answer, a negative error number
 *
 * The ring is given back before the answer, because the guest may reuse the
 * ring after the answer. The socket remains for another try.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_conn_failed(struct pvcalls_sock *ps, int err)
{
	struct pvcalls_call *call = ps->conn.connect;

	ps->conn.connect = NULL;
	WRITE_ONCE(ps->state, PVCALLS_SS_IDLE);
	pvcalls_callbacks_detach(&ps->callbacks, ps->sock->sk);
	pvcalls_conn_unmap(ps);
	pvcalls_reply(call, err);
}

/**
 * pvcalls_conn_shutdown() - run the command SHUTDOWN
 * @ps: the socket
 * @call: the request, which is answered and freed
 *
 * The FIN is sent after all bytes that the guest published before the command.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_conn_shutdown(struct pvcalls_sock *ps,
			   struct pvcalls_call *call)
{
	const struct pvcalls_req_shutdown *req = (const void *)&call->req.u;
	u32 how = req->how;

	if (ps->state != PVCALLS_SS_CONNECTED) {
		pvcalls_reply(call, -ENOTCONN);
		return;
	}
	if (how > SHUT_RDWR) {
		pvcalls_reply(call, -EINVAL);
		return;
	}
	if (how != SHUT_WR) {
		if (ps->conn.in_state != PVCALLS_IN_DONE)
			ps->conn.flow.shut = true;
		kernel_sock_shutdown(ps->sock, SHUT_RD);
		set_bit(PVCALLS_SF_IN_READY, &ps->flags);
	}
	if (how != SHUT_RD && pvcalls_out_limit(ps, true))
		pvcalls_direction_broken(ps);
	pvcalls_reply(call, 0);
}

/**
 * pvcalls_conn_drain() - begin the end of a connection
 * @ps: the socket, in PVCALLS_SS_CONNECTED, with a RELEASE
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_conn_drain(struct pvcalls_sock *ps)
{
	u8 flags = ps->release->req.u.dummy.dummy[PVCALLS_RELEASE_FLAGS];
	struct pvcalls_conn *c = &ps->conn;

	/* the guest gets no more bytes */
	pvcalls_pace_leave(ps, PVCALLS_PACE_IN);
	if (pvcalls_guest_has(ps->guest, PVCALLS_F_SHUTDOWN) &&
	    (flags & PVCALLS_RELEASE_ABORT)) {
		WRITE_ONCE(ps->state, PVCALLS_SS_RESETTING);
		pvcalls_out_set(ps, PVCALLS_OUT_DONE);
		pvcalls_pace_leave(ps, PVCALLS_PACE_OUT);
		return;
	}
	/*
	 * the program has not read all bytes, so a RST is due (RFC 2525, 2.17)
	 */
	if (ringbuf_space(&c->in) != c->in.size)
		WRITE_ONCE(ps->state, PVCALLS_SS_RESETTING);
	else
		WRITE_ONCE(ps->state, PVCALLS_SS_DRAINING);
	if (pvcalls_out_limit(ps, false))
		pvcalls_direction_broken(ps);
}

/**
 * pvcalls_conn_eoi() - give back the share of an event's EOI
 * @ps: the socket, for which pvcalls_evtchn_take() has returned true
 *
 * The EOI says whether the guest has moved an index since the last event.
 *
 * Context: process or softirq, with PVCALLS_SF_RUNNING held.
 */
void pvcalls_conn_eoi(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	bool found;

	found = c->in.cons != c->in_cons || c->out.prod != c->out_prod;
	WRITE_ONCE(c->in_cons, c->in.cons);
	WRITE_ONCE(c->out_prod, c->out.prod);
	pvcalls_evtchn_done(&c->ring->sub, found);
}

/**
 * pvcalls_conn_resting() - can a run be skipped?
 * @ps: the socket, whose work has been marked
 *
 * A mark without anything to do mostly comes from an event about bytes that an
 * earlier run has moved. That run has left nothing to do and has asked for an
 * event about the next byte, so a look at the indexes is enough. It is cheaper
 * than pvcalls_conn_pass().
 *
 * Context: process or softirq, with PVCALLS_SF_RUNNING held.
 * Return: true if there is nothing to do.
 */
bool pvcalls_conn_resting(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;

	if (c->out_state != PVCALLS_OUT_RESTING ||
	    ps->state != PVCALLS_SS_CONNECTED ||
	    test_bit(PVCALLS_SF_IN_READY, &ps->flags) ||
	    READ_ONCE(*c->out.sh.prod) != c->out.prod ||
	    READ_ONCE(*c->in.sh.cons) != c->in.cons)
		return false;
	if (pvcalls_evtchn_take(&c->ring->sub))
		pvcalls_conn_eoi(ps);
	return true;
}

/**
 * pvcalls_conn_pass() - move bytes both ways
 * @ps: the socket, which is connected or drains
 *
 * Context: the worker that the socket belongs to.
 * Return: true if the socket is to be run again.
 */
bool pvcalls_conn_pass(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	bool eoi = pvcalls_evtchn_take(&c->ring->sub);
	bool more;

	/* read and check the guest's indexes, which show the event's reason */
	if (eoi && (ringbuf_space(&c->in) < 0 || ringbuf_avail(&c->out) < 0))
		pvcalls_direction_broken(ps);

	more = ps->type->pass_out(ps);
	if (ps->state == PVCALLS_SS_CONNECTED)
		more |= ps->type->pass_in(ps);
	if (more || c->zerocopy.taken)
		pvcalls_out_wake(ps);
	else
		pvcalls_out_rest(ps);
	if (eoi)
		pvcalls_conn_eoi(ps);
	return more;
}
