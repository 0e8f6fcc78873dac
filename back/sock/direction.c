// SPDX-License-Identifier: GPL-2.0
/* Changes of the two directions' states; states.h has the states. */
#include <linux/fcntl.h>
#include <linux/net.h>

#include "guest/guest.h"
#include "pvcalls_compat.h"
#include "ring/datamap.h"
#include "ring/tools.h"
#include "sock/direction.h"
#include "sock/flowlog.h"
#include "sock/pace.h"
#include "sock/sock.h"
#include "trace.h"

/**
 * pvcalls_direction_init() - open both directions
 * @c: the connection, with a new data ring
 *
 * Context: a worker, before the connection is established.
 */
void pvcalls_direction_init(struct pvcalls_conn *c)
{
	WRITE_ONCE(c->in_state, PVCALLS_IN_OPEN);
	WRITE_ONCE(c->out_state, PVCALLS_OUT_OPEN);
}

/**
 * pvcalls_direction_owe() - owe the guest an event about its data ring
 * @ps: the socket, with a data ring
 *
 * The event is sent at the end of the worker's round.
 *
 * Context: the worker that the socket belongs to, in the socket's run.
 */
void pvcalls_direction_owe(struct pvcalls_sock *ps)
{
	pvcalls_notify_owe(&ps->conn.notify, &ps->tools->events);
}

/**
 * pvcalls_in_set() - change the state of the direction to the guest
 * @ps: the socket, with a data ring
 * @to: the new state; %PVCALLS_IN_DONE is final
 *
 * Context: the worker that the socket belongs to, in the socket's run.
 */
void pvcalls_in_set(struct pvcalls_sock *ps, enum pvcalls_in_state to)
{
	enum pvcalls_in_state from = ps->conn.in_state;

	if (from == to || from == PVCALLS_IN_DONE)
		return;
	WRITE_ONCE(ps->conn.in_state, to);
	trace_pvcalls_conn_state(ps->guest->peer.domid, ps->id, from, to);
}

/**
 * pvcalls_in_end() - end the direction to the guest
 * @ps: the socket, with a data ring
 * @err: negative error number that the guest sees once it has read all bytes
 *
 * Context: the worker that the socket belongs to, in the socket's run.
 */
void pvcalls_in_end(struct pvcalls_sock *ps, int err)
{
	struct pvcalls_conn *c = &ps->conn;

	if (c->in_state == PVCALLS_IN_DONE)
		return;
	pvcalls_in_set(ps, PVCALLS_IN_DONE);
	pvcalls_pace_leave(ps, PVCALLS_PACE_IN);
	/* write the last index before the error that ends the bytes */
	virt_wmb();
	WRITE_ONCE(c->map->intf->in_error, err);
	pvcalls_direction_owe(ps);
}

/**
 * pvcalls_out_set() - change the state of the direction to the network
 * @ps: the socket, with a data ring
 * @to: the new state; %PVCALLS_OUT_DONE is final
 *
 * Context: process or softirq, with PVCALLS_SF_RUNNING held.
 */
void pvcalls_out_set(struct pvcalls_sock *ps, enum pvcalls_out_state to)
{
	enum pvcalls_out_state from = ps->conn.out_state;

	if (from == to || from == PVCALLS_OUT_DONE)
		return;
	WRITE_ONCE(ps->conn.out_state, to);
	trace_pvcalls_conn_state(ps->guest->peer.domid, ps->id, from, to);
}

/**
 * pvcalls_out_rest() - a run has left nothing to do
 * @ps: the socket, with a data ring
 *
 * A direction that waits for room or is going to end stays in its state.
 *
 * Context: process or softirq, with PVCALLS_SF_RUNNING held.
 */
void pvcalls_out_rest(struct pvcalls_sock *ps)
{
	if (ps->conn.out_state == PVCALLS_OUT_OPEN)
		pvcalls_out_set(ps, PVCALLS_OUT_RESTING);
}

/**
 * pvcalls_out_wake() - a run must look at the ring
 * @ps: the socket, with or without a data ring
 *
 * Context: process or softirq, with PVCALLS_SF_RUNNING held.
 */
void pvcalls_out_wake(struct pvcalls_sock *ps)
{
	if (ps->conn.out_state == PVCALLS_OUT_RESTING)
		pvcalls_out_set(ps, PVCALLS_OUT_OPEN);
}

/**
 * pvcalls_out_block() - the kernel socket is full
 * @ps: the socket, with a data ring
 *
 * Context: the worker that the socket belongs to, in the socket's run.
 */
void pvcalls_out_block(struct pvcalls_sock *ps)
{
	switch (ps->conn.out_state) {
	case PVCALLS_OUT_OPEN:
	case PVCALLS_OUT_RESTING:
		pvcalls_out_set(ps, PVCALLS_OUT_BLOCKED);
		break;
	case PVCALLS_OUT_STOP:
		pvcalls_out_set(ps, PVCALLS_OUT_STOP_BLOCKED);
		break;
	case PVCALLS_OUT_FIN:
		pvcalls_out_set(ps, PVCALLS_OUT_FIN_BLOCKED);
		break;
	default:
		break;
	}
}

/**
 * pvcalls_out_unblock() - there may be room in the kernel socket
 * @ps: the socket, with a data ring
 *
 * Context: the worker that the socket belongs to, in the socket's run.
 */
void pvcalls_out_unblock(struct pvcalls_sock *ps)
{
	switch (ps->conn.out_state) {
	case PVCALLS_OUT_BLOCKED:
		pvcalls_out_set(ps, PVCALLS_OUT_OPEN);
		break;
	case PVCALLS_OUT_STOP_BLOCKED:
		pvcalls_out_set(ps, PVCALLS_OUT_STOP);
		break;
	case PVCALLS_OUT_FIN_BLOCKED:
		pvcalls_out_set(ps, PVCALLS_OUT_FIN);
		break;
	default:
		break;
	}
}

/**
 * pvcalls_out_limit() - limit sending to what is published now
 * @ps: the socket, with a data ring
 * @fin: send a FIN after the last of these bytes
 *
 * If there is a limit already, that one stays.
 *
 * Context: the worker that the socket belongs to, in the socket's run.
 * Return: 0, or -EPROTO if the guest's index makes no sense.
 */
int pvcalls_out_limit(struct pvcalls_sock *ps, bool fin)
{
	struct pvcalls_conn *c = &ps->conn;
	enum pvcalls_out_state to = fin ? PVCALLS_OUT_FIN : PVCALLS_OUT_STOP;
	int avail;

	if (pvcalls_out_is_limited(c->out_state) ||
	    c->out_state == PVCALLS_OUT_DONE)
		return 0;
	avail = ringbuf_avail(&c->out);
	if (avail < 0)
		return avail;
	c->stop_at = c->out.cons + avail;
	/* one step, since others look whether the direction is blocked */
	if (pvcalls_out_is_blocked(c->out_state))
		to = fin ? PVCALLS_OUT_FIN_BLOCKED : PVCALLS_OUT_STOP_BLOCKED;
	pvcalls_out_set(ps, to);
	return 0;
}

/**
 * pvcalls_out_end() - end the direction to the network
 * @ps: the socket, with a data ring
 * @err: negative error number that the guest sees
 *
 * Context: the worker that the socket belongs to, in the socket's run.
 */
void pvcalls_out_end(struct pvcalls_sock *ps, int err)
{
	struct pvcalls_conn *c = &ps->conn;

	if (c->out_state == PVCALLS_OUT_DONE)
		return;
	pvcalls_out_set(ps, PVCALLS_OUT_DONE);
	pvcalls_pace_leave(ps, PVCALLS_PACE_OUT);
	/* write the index of what was taken before the error */
	virt_wmb();
	WRITE_ONCE(c->map->intf->out_error, err);
	pvcalls_direction_owe(ps);
}

/**
 * pvcalls_out_sent() - have all bytes of the guest been sent?
 * @c: connection with a data ring
 *
 * Context: the worker that the socket belongs to.
 * Return: true if nothing is left that can be sent.
 */
bool pvcalls_out_sent(const struct pvcalls_conn *c)
{
	return c->out_state == PVCALLS_OUT_DONE ||
	       (pvcalls_out_is_limited(c->out_state) &&
		c->out.cons == c->stop_at);
}

/**
 * pvcalls_out_avail() - get the number of bytes to send
 * @c: connection with a data ring
 *
 * If there are none, the guest has been asked for an event about the next byte.
 *
 * Context: process or softirq, with PVCALLS_SF_RUNNING held.
 * Return: number of bytes, 0 to the ring's size, or -EPROTO if the guest's
 * index makes no sense.
 */
int pvcalls_out_avail(struct pvcalls_conn *c)
{
	u32 taken = c->zerocopy.taken;
	int avail = ringbuf_avail(&c->out);

	if (avail == taken && taken < c->out.size)
		avail = ringbuf_wait_data(&c->out, taken + 1);
	if (avail < 0)
		return avail;
	if (pvcalls_out_is_limited(c->out_state))
		avail = min_t(u32, avail, c->stop_at - c->out.cons);
	return avail - taken;
}

/**
 * pvcalls_direction_broken() - reset a connection with a bad index
 * @ps: the socket, which is connected or drains
 *
 * The guest's index makes no sense, so the ring is not used any more.
 *
 * Context: the worker that the socket belongs to, in the socket's run.
 */
void pvcalls_direction_broken(struct pvcalls_sock *ps)
{
	struct sockaddr addr = { .sa_family = AF_UNSPEC };

	if (ps->conn.in_state == PVCALLS_IN_DONE &&
	    ps->conn.out_state == PVCALLS_OUT_DONE)
		return;
	pvcalls_guest_warn(ps->guest, "socket %llx: bad index, connection reset\n",
			   ps->id);
	ps->conn.err = -EPROTO;
	pvcalls_in_end(ps, -EPROTO);
	pvcalls_out_end(ps, -EPROTO);
	pvcalls_flowlog_end(ps, PVCALLS_FLOW_ERROR);
	/* AF_UNSPEC resets a connection without closing the kernel socket */
	kernel_connect(ps->sock, pvcalls_sa(&addr), sizeof(addr), O_NONBLOCK);
}
