// SPDX-License-Identifier: GPL-2.0
/* See active.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/interrupt.h>
#include <linux/net.h>

#include <net/sock.h>
#include <net/tcp_states.h>

#include "datamap.h"
#include "dgram.h"
#include "fe.h"
#include "pass.h"
#include "policy.h"
#include "pool.h"
#include "reply.h"
#include "ring.h"
#include "sock.h"

/* Runs in a row, of one kind, that decide where an interrupt comes in */
#define PVCALLS_FOLLOW_RUNS	16

/**
 * pvcalls_active_init() - nothing is mapped, nothing has happened
 * @a: zeroed memory
 *
 * Any context.
 */
void pvcalls_active_init(struct pvcalls_active *a)
{
	pvcalls_notify_init(&a->notify);
	pvcalls_zerocopy_init(&a->zerocopy);
}

static u32 *pvcalls_active_word(struct pvcalls_sock *ps, unsigned int offset)
{
	if (!pvcalls_fe_has(ps->fe, PVCALLS_F_WAKEUP))
		return NULL;
	return (u32 *)((u8 *)ps->active.map->intf + offset);
}

static void pvcalls_active_rings(struct pvcalls_sock *ps)
{
	struct pvcalls_active *a = &ps->active;
	struct pvcalls_data_intf *intf = a->map->intf;
	const struct ringbuf_shared in = {
		.prod = &intf->in_prod,
		.cons = &intf->in_cons,
		.data_wake = pvcalls_active_word(ps, PVCALLS_IN_DATA_WAKE),
		.space_wake = pvcalls_active_word(ps, PVCALLS_IN_SPACE_WAKE),
	};
	const struct ringbuf_shared out = {
		.prod = &intf->out_prod,
		.cons = &intf->out_cons,
		.data_wake = pvcalls_active_word(ps, PVCALLS_OUT_DATA_WAKE),
		.space_wake = pvcalls_active_word(ps, PVCALLS_OUT_SPACE_WAKE),
	};

	ringbuf_init(&a->in, &in, RINGBUF_SIZE(a->map->order));
	ringbuf_init(&a->out, &out, RINGBUF_SIZE(a->map->order));
	ringbuf_start_producer(&a->in);
	a->in_cons = 0;
	a->out_prod = 0;
	a->rest = false;
	a->in_waiting = false;
	a->in_done = false;
	a->out_blocked = false;
	a->out_done = false;
	a->err = 0;
	a->dgram_err = 0;
}

/* Has the guest said that it will use the ring again? */
static bool pvcalls_active_reuse(const struct pvcalls_sock *ps)
{
	return ps->release && ps->release->req.u.release.reuse == 1 &&
	       pvcalls_fe_has(ps->fe, PVCALLS_F_REUSE) &&
	       !pvcalls_fe_dead(ps->fe);
}

static void pvcalls_active_unmap(struct pvcalls_sock *ps)
{
	struct pvcalls_active *a = &ps->active;

	if (!a->map)
		return;
	pvcalls_notify_now(&a->notify);
	pvcalls_ring_put(ps->fe, a->ring, ps->work.steered,
			 pvcalls_active_reuse(ps));
	a->ring = NULL;
	a->map = NULL;
	a->irq = 0;
}

/**
 * pvcalls_active_map() - take a guest's data ring and event channel
 * @ps: socket, whose @state keeps its worker from using them before it is time
 * @ref: grant of the indexes page
 * @port: the guest's event channel
 *
 * On any worker. Undone by pvcalls_active_close().
 *
 * Return: 0, or an error number for the guest; see pvcalls_ring_get().
 */
int pvcalls_active_map(struct pvcalls_sock *ps, grant_ref_t ref,
		       evtchn_port_t port)
{
	struct pvcalls_active *a = &ps->active;
	struct pvcalls_ring *ring;

	ring = pvcalls_ring_get(ps->fe, ref, port);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	a->ring = ring;
	a->map = ring->map;
	a->irq = ring->tap.port->irq;
	a->notify.irq = a->irq;
	a->notify.port = ring->tap.port->local;
	ps->work.steered = ring->steered;
	pvcalls_active_steer(ps);
	pvcalls_active_rings(ps);
	return 0;
}

/**
 * pvcalls_active_steer() - have the interrupt come in where the socket is run
 * @ps: socket, perhaps with a data ring
 *
 * An event channel that serves many rings follows one of them. Cheap if there
 * is nothing to do. May sleep.
 */
void pvcalls_active_steer(struct pvcalls_sock *ps)
{
	struct pvcalls_ring *ring = ps->active.ring;

	if (!ring || !READ_ONCE(ring->tap.steers))
		return;
	if (ring->follows)
		ring->follows--;
	else
		pvcalls_work_steer(&ps->work, ps->active.irq);
}

/**
 * pvcalls_active_follow() - have the interrupt come in where the packets do
 * @ps: socket for which bytes have just been moved in softirq context
 * @cpu: this CPU
 *
 * A program on this host wakes up there, and if that is the interrupt's CPU no
 * other one need be woken. Only where there is a worker, and only until runs of
 * the work outnumber softirqs. Softirq context, and nobody runs the work.
 */
void pvcalls_active_follow(struct pvcalls_sock *ps, int cpu)
{
	int there = READ_ONCE(ps->sock->sk->sk_incoming_cpu);
	struct pvcalls_ring *ring = ps->active.ring;

	if (!READ_ONCE(ring->tap.steers))
		return;
	if (!pvcalls_pool_serves(cpu)) {
		ring->follows = 0;
		pvcalls_work_steer(&ps->work, ps->active.irq);
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
	/* fails if the CPU has just gone */
	irq_set_affinity(ps->active.irq, cpumask_of(there));
	ps->work.steered = 0;
}

/**
 * pvcalls_active_listen() - the connection has come about: hear of events
 * @ps: socket with a data ring, which the caller makes be looked at after this
 */
void pvcalls_active_listen(struct pvcalls_sock *ps)
{
	pvcalls_port_listen(&ps->active.ring->tap, &ps->work);
}

/**
 * pvcalls_active_close() - end the connection, if it is an active socket
 * @ps: socket that is being torn down, without callbacks
 *
 * The peer sees an orderly end only if it has got all that the guest wrote and
 * the guest ended it.
 */
void pvcalls_active_close(struct pvcalls_sock *ps)
{
	struct pvcalls_active *a = &ps->active;

	if (a->connect) {
		pvcalls_reply(a->connect, -ECONNABORTED);
		a->connect = NULL;
	}
	if (a->ring)
		pvcalls_port_hush(&a->ring->tap);
	if (a->map && ps->sock &&
	    (!ps->release || a->reset || !pvcalls_active_drained(ps)))
		sock_no_linger(ps->sock->sk);
}

/**
 * pvcalls_active_let_go() - give the data ring back, if there is one
 * @ps: socket that is PVCALLS_SS_CLOSING
 *
 * Return: false if the network still has pages of it. A dead guest is not
 * waited for: then they are unmapped when the network has let go of them.
 */
bool pvcalls_active_let_go(struct pvcalls_sock *ps)
{
	struct pvcalls_zerocopy *z = &ps->active.zerocopy;

	if (!ps->active.map)
		return true;
	pvcalls_zerocopy_reap(ps);
	if (!list_empty(&z->sends)) {
		if (!pvcalls_fe_dead(ps->fe))
			return false;
		pvcalls_zerocopy_forget(ps);
	}
	pvcalls_active_unmap(ps);
	return true;
}

/* The connection has come about. */
static void pvcalls_active_connected(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call = ps->active.connect;

	ps->active.connect = NULL;
	WRITE_ONCE(ps->state, PVCALLS_SS_CONNECTED);
	set_bit(PVCALLS_SF_IN_READY, &ps->flags);
	pvcalls_active_listen(ps);
	pvcalls_sock_name(ps, call, false);
	pvcalls_reply(call, 0);
}

/*
 * The connection has failed. The guest must have its ring back before it hears
 * that; the socket remains, for another try.
 */
static void pvcalls_active_failed(struct pvcalls_sock *ps, int err)
{
	struct pvcalls_call *call = ps->active.connect;

	ps->active.connect = NULL;
	WRITE_ONCE(ps->state, PVCALLS_SS_IDLE);
	pvcalls_hooks_detach(ps);
	pvcalls_active_unmap(ps);
	pvcalls_reply(call, err);
}

/*
 * One step of the kernel's connect: the first call starts it, later ones ask
 * what has become of it.
 */
static int pvcalls_active_try(struct pvcalls_sock *ps)
{
	/* the callee may change it */
	struct sockaddr_storage addr = ps->active.addr;

	return kernel_connect(ps->sock, (struct sockaddr *)&addr,
			      ps->active.addr_len, O_NONBLOCK);
}

static bool pvcalls_active_pending(const struct pvcalls_sock *ps)
{
	return (1 << READ_ONCE(ps->sock->sk->sk_state)) &
	       (TCPF_SYN_SENT | TCPF_SYN_RECV);
}

/**
 * pvcalls_active_connecting() - has the network answered?
 * @ps: socket that is PVCALLS_SS_CONNECTING
 *
 * Answers the CONNECT if so.
 */
void pvcalls_active_connecting(struct pvcalls_sock *ps)
{
	int ret;

	if (pvcalls_active_pending(ps))
		return;
	ret = pvcalls_active_try(ps);
	if (ret == -EALREADY || ret == -EINPROGRESS)
		return;
	if (ret)
		pvcalls_active_failed(ps, ret);
	else
		pvcalls_active_connected(ps);
}

static int pvcalls_active_start(struct pvcalls_sock *ps,
				struct pvcalls_call *call)
{
	const struct xen_pvcalls_connect *req = &call->req.u.connect;
	struct pvcalls_active *a = &ps->active;
	int ret;

	switch (ps->state) {
	case PVCALLS_SS_IDLE:
		break;
	case PVCALLS_SS_CONNECTING:
		return -EALREADY;
	default:
		return -EISCONN;
	}
	ret = pvcalls_policy_addr(ps->fe, req->addr, req->len, &a->addr);
	if (ret < 0)
		return ret;
	a->addr_len = ret;
	ret = pvcalls_policy_connect(ps->fe, &a->addr);
	if (ret)
		return ret;
	return pvcalls_active_map(ps, req->ref, req->evtchn);
}

/**
 * pvcalls_active_connect() - CONNECT
 * @ps: socket
 * @call: the request
 *
 * Never waits for the network: the answer may come later.
 */
void pvcalls_active_connect(struct pvcalls_sock *ps,
			    struct pvcalls_call *call)
{
	int ret;

	if (pvcalls_is_dgram(ps)) {
		pvcalls_dgram_connect(ps, call);
		return;
	}
	ret = pvcalls_active_start(ps, call);
	if (ret) {
		pvcalls_reply(call, ret);
		return;
	}

	ps->active.connect = call;
	WRITE_ONCE(ps->state, PVCALLS_SS_CONNECTING);
	/* before anything can arrive, or it would not be announced */
	pvcalls_hooks_attach(ps, NULL);
	ret = pvcalls_active_try(ps);
	if (ret && ret != -EINPROGRESS) {
		pvcalls_active_failed(ps, ret);
		return;
	}
	if (!ret) {
		pvcalls_active_connected(ps);
		return;
	}
	/* on this host it may be decided by now */
	pvcalls_active_connecting(ps);
	if (ps->state != PVCALLS_SS_CONNECTING)
		return;
	ret = pvcalls_reply_later(call);
	if (ret) {
		/* the kernel socket must not go on connecting */
		kernel_sock_shutdown(ps->sock, SHUT_RDWR);
		pvcalls_active_failed(ps, ret);
	}
}

/**
 * pvcalls_active_attached() - a socket of datagrams has got its data ring
 * @ps: socket that was PVCALLS_SS_IDLE
 * @call: the request; freed
 * @ret: 0, or a negative error number: it is to be as it was before
 */
void pvcalls_active_attached(struct pvcalls_sock *ps,
			     struct pvcalls_call *call, int ret)
{
	ps->active.connect = call;
	pvcalls_hooks_attach(ps, NULL);
	if (ret)
		pvcalls_active_failed(ps, ret);
	else
		pvcalls_active_connected(ps);
}

/* Send nothing beyond what the guest has published by now. */
static int pvcalls_active_stop(struct pvcalls_active *a)
{
	int avail;

	if (a->stop)
		return 0;
	avail = ringbuf_avail(&a->out);
	if (avail < 0)
		return avail;
	a->stop = true;
	a->stop_at = a->out.cons + avail;
	return 0;
}

/**
 * pvcalls_active_shutdown() - SHUTDOWN
 * @ps: socket
 * @call: the request
 *
 * The FIN is sent when all that had been published before is.
 */
void pvcalls_active_shutdown(struct pvcalls_sock *ps,
			     struct pvcalls_call *call)
{
	const struct pvcalls_req_shutdown *req = (const void *)&call->req.u;
	struct pvcalls_active *a = &ps->active;
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
		kernel_sock_shutdown(ps->sock, SHUT_RD);
		set_bit(PVCALLS_SF_IN_READY, &ps->flags);
	}
	if (how != SHUT_RD && !a->stop) {
		if (pvcalls_active_stop(a))
			pvcalls_pass_broken(ps);
		else
			a->fin = true;
	}
	pvcalls_reply(call, 0);
}

/**
 * pvcalls_active_drain() - begin to end a connection
 * @ps: socket that is PVCALLS_SS_CONNECTED, with a RELEASE
 */
void pvcalls_active_drain(struct pvcalls_sock *ps)
{
	struct pvcalls_active *a = &ps->active;
	u8 flags = ps->release->req.u.dummy.dummy[PVCALLS_RELEASE_FLAGS];

	WRITE_ONCE(ps->state, PVCALLS_SS_DRAINING);
	if (pvcalls_fe_has(ps->fe, PVCALLS_F_SHUTDOWN) &&
	    (flags & PVCALLS_RELEASE_ABORT)) {
		a->reset = true;
		a->out_done = true;
		return;
	}
	/* the program has not read all (RFC 2525, section 2.17) */
	if (ringbuf_space(&a->in) != a->in.size)
		a->reset = true;
	if (pvcalls_active_stop(a))
		pvcalls_pass_broken(ps);
}

/**
 * pvcalls_active_drained() - has the guest's data been sent?
 * @ps: socket with a data ring
 *
 * Return: true if nothing is left that could be sent.
 */
bool pvcalls_active_drained(const struct pvcalls_sock *ps)
{
	const struct pvcalls_active *a = &ps->active;

	return a->out_done || (a->stop && a->out.cons == a->stop_at);
}

/**
 * pvcalls_active_eoi() - say whether the event had a reason, and give its EOI
 * @ps: socket for which pvcalls_port_take() has returned true
 *
 * Process or softirq context.
 */
void pvcalls_active_eoi(struct pvcalls_sock *ps)
{
	struct pvcalls_active *a = &ps->active;
	bool found;

	found = a->in.cons != a->in_cons || a->out.prod != a->out_prod;
	WRITE_ONCE(a->in_cons, a->in.cons);
	WRITE_ONCE(a->out_prod, a->out.prod);
	pvcalls_port_done(&a->ring->tap, found);
}

/**
 * pvcalls_active_due() - has the guest moved an index since the last event?
 * @a: of a socket that listens to its event channel
 *
 * To where it was at that event it may have come by way of 4 GiB that runs
 * without an event have seen. What the latest run has seen tells for certain.
 * Hard interrupt.
 *
 * Return: true if so.
 */
bool pvcalls_active_due(const struct pvcalls_active *a)
{
	u32 prod = READ_ONCE(*a->out.sh.prod);
	u32 cons = READ_ONCE(*a->in.sh.cons);

	return prod != READ_ONCE(a->out.prod) ||
	       cons != READ_ONCE(a->in.cons) ||
	       prod != READ_ONCE(a->out_prod) || cons != READ_ONCE(a->in_cons);
}

/**
 * pvcalls_active_resting() - is there nothing to do?
 * @ps: socket that has been marked
 *
 * Mostly because of an event about what a run before has seen: cheaper than
 * pvcalls_active_step(), which has found that nothing was left to do, and has
 * asked for an event about the next byte.
 *
 * Return: true if so.
 */
bool pvcalls_active_resting(struct pvcalls_sock *ps)
{
	struct pvcalls_active *a = &ps->active;

	if (!a->rest || ps->state != PVCALLS_SS_CONNECTED ||
	    test_bit(PVCALLS_SF_IN_READY, &ps->flags) ||
	    READ_ONCE(*a->out.sh.prod) != a->out.prod ||
	    READ_ONCE(*a->in.sh.cons) != a->in.cons)
		return false;
	if (pvcalls_port_take(&a->ring->tap))
		pvcalls_active_eoi(ps);
	return true;
}

/**
 * pvcalls_active_step() - move what can be moved
 * @ps: socket that is PVCALLS_SS_CONNECTED or PVCALLS_SS_DRAINING
 *
 * Return: true if there is more to do at once.
 */
bool pvcalls_active_step(struct pvcalls_sock *ps)
{
	struct pvcalls_active *a = &ps->active;
	bool eoi = pvcalls_port_take(&a->ring->tap);
	bool dgram = pvcalls_is_dgram(ps);
	bool more;

	/* the guest's indexes tell whether the event had a reason */
	if (eoi && (ringbuf_space(&a->in) < 0 || ringbuf_avail(&a->out) < 0))
		pvcalls_pass_broken(ps);

	more = dgram ? pvcalls_dgram_out(ps) : pvcalls_pass_out(ps);
	if (ps->state == PVCALLS_SS_CONNECTED)
		more |= dgram ? pvcalls_dgram_in(ps) : pvcalls_pass_in(ps);
	a->rest = !more && !a->stop && !a->out_done && !a->out_blocked &&
		  !a->zerocopy.taken;
	if (eoi)
		pvcalls_active_eoi(ps);
	return more;
}
