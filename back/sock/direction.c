// SPDX-License-Identifier: GPL-2.0
/* See direction.h. */
#include <linux/fcntl.h>
#include <linux/net.h>

#include "guest/guest.h"
#include "ring/datamap.h"
#include "ring/tools.h"
#include "sock/direction.h"
#include "sock/sock.h"
#include "trace.h"

/**
 * pvcalls_direction_init() - a new data ring: both directions are open
 * @c: connection
 */
void pvcalls_direction_init(struct pvcalls_conn *c)
{
	WRITE_ONCE(c->in_state, PVCALLS_IN_OPEN);
	WRITE_ONCE(c->out_state, PVCALLS_OUT_OPEN);
}

/**
 * pvcalls_direction_owe() - the guest is owed an event about its data ring
 * @ps: socket with a data ring; in its run
 */
void pvcalls_direction_owe(struct pvcalls_sock *ps)
{
	pvcalls_notify_owe(&ps->conn.notify, &ps->tools->events);
}

/**
 * pvcalls_in_set() - the direction to the guest changes its state
 * @ps: socket with a data ring
 * @to: the new state; %PVCALLS_IN_DONE is the last one
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
 * pvcalls_in_end() - nothing more is put into the ring
 * @ps: socket with a data ring; in its run
 * @err: what the guest is told, negative, when it has read what is there
 */
void pvcalls_in_end(struct pvcalls_sock *ps, int err)
{
	struct pvcalls_conn *c = &ps->conn;

	if (c->in_state == PVCALLS_IN_DONE)
		return;
	pvcalls_in_set(ps, PVCALLS_IN_DONE);
	/* the last bytes before their end */
	virt_wmb();
	WRITE_ONCE(c->map->intf->in_error, err);
	pvcalls_direction_owe(ps);
}

/**
 * pvcalls_out_set() - the direction to the network changes its state
 * @ps: socket with a data ring
 * @to: the new state; %PVCALLS_OUT_DONE is the last one
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
 * pvcalls_out_rest() - a pass has left nothing to do
 * @ps: socket with a data ring
 *
 * Does nothing to a direction that waits for room, or is going to end.
 */
void pvcalls_out_rest(struct pvcalls_sock *ps)
{
	if (ps->conn.out_state == PVCALLS_OUT_OPEN)
		pvcalls_out_set(ps, PVCALLS_OUT_RESTING);
}

/**
 * pvcalls_out_wake() - a pass is needed
 * @ps: socket, perhaps with a data ring
 */
void pvcalls_out_wake(struct pvcalls_sock *ps)
{
	if (ps->conn.out_state == PVCALLS_OUT_RESTING)
		pvcalls_out_set(ps, PVCALLS_OUT_OPEN);
}

/**
 * pvcalls_out_block() - the kernel socket is full
 * @ps: socket with a data ring
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
 * @ps: socket with a data ring
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
 * pvcalls_out_limit() - send nothing beyond what the guest has published by now
 * @ps: socket with a data ring
 * @fin: send a FIN after that
 *
 * The first limit stays.
 *
 * Return: 0, or -EPROTO if the guest's index makes no sense.
 */
int pvcalls_out_limit(struct pvcalls_sock *ps, bool fin)
{
	struct pvcalls_conn *c = &ps->conn;
	bool blocked = pvcalls_out_is_blocked(c->out_state);
	int avail;

	if (pvcalls_out_is_limited(c->out_state) ||
	    c->out_state == PVCALLS_OUT_DONE)
		return 0;
	avail = ringbuf_avail(&c->out);
	if (avail < 0)
		return avail;
	c->stop_at = c->out.cons + avail;
	pvcalls_out_set(ps, fin ? PVCALLS_OUT_FIN : PVCALLS_OUT_STOP);
	if (blocked)
		pvcalls_out_block(ps);
	return 0;
}

/**
 * pvcalls_out_end() - nothing more can be sent
 * @ps: socket with a data ring; in its run
 * @err: what the guest is told, negative
 */
void pvcalls_out_end(struct pvcalls_sock *ps, int err)
{
	struct pvcalls_conn *c = &ps->conn;

	if (c->out_state == PVCALLS_OUT_DONE)
		return;
	pvcalls_out_set(ps, PVCALLS_OUT_DONE);
	/* what was taken before the error */
	virt_wmb();
	WRITE_ONCE(c->map->intf->out_error, err);
	pvcalls_direction_owe(ps);
}

/**
 * pvcalls_out_sent() - has the guest's data been sent?
 * @c: of a socket with a data ring
 *
 * Return: true if nothing is left that could be sent.
 */
bool pvcalls_out_sent(const struct pvcalls_conn *c)
{
	return c->out_state == PVCALLS_OUT_DONE ||
	       (pvcalls_out_is_limited(c->out_state) &&
		c->out.cons == c->stop_at);
}

/**
 * pvcalls_out_avail() - what there is to send
 * @c: of a socket with a data ring
 *
 * If that is nothing the guest has been asked to announce the next byte.
 *
 * Return: bytes, or -EPROTO if the guest's index makes no sense.
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
 * pvcalls_direction_broken() - the guest's indexes make no sense
 * @ps: socket that is connected or drains; in its run
 *
 * The connection is reset, and nothing is done with the ring any more.
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
	/* that is how a connection is reset without closing the socket */
	kernel_connect(ps->sock, &addr, sizeof(addr), O_NONBLOCK);
}
