// SPDX-License-Identifier: GPL-2.0
/*
 * The indexes and events of a connected socket's ring. Copying is done by
 * stream.c under pvc_conn.rx_mutex or tx_mutex; everything here is short and
 * under pvc_conn.lock, because the interrupt and poll() look too.
 */
#include <net/sock.h>
#include <xen/events.h>

#include "conn/conn.h"

/**
 * pvc_sane_error() - an error that the backend has told
 * @err: what it has written
 *
 * Return: @err, or -EPROTO where that is none.
 */
int pvc_sane_error(s32 err)
{
	return err < 0 && err >= -EHWPOISON ? err : -EPROTO;
}

/* What has ended, for the program. Call with c->lock held. */
static void pvc_conn_tell(struct pvc_conn *c)
{
	struct sock *sk = c->sk;
	int shut = 0, err = 0;

	if (!sk)
		return;
	/* datagrams: the socket goes on without this one of the backend's */
	if (sk->sk_type == SOCK_DGRAM) {
		WRITE_ONCE(sk->sk_err, ENETDOWN);
		pvc_wake(c, PVC_WAKE_ERROR);
		return;
	}
	if (c->in_err) {
		shut |= RCV_SHUTDOWN;
		if (c->in_err != -ENOTCONN) {
			/* as after a RST: both directions are gone */
			shut |= SEND_SHUTDOWN;
			err = c->in_err;
		}
	}
	if (c->out_err) {
		shut |= SEND_SHUTDOWN;
		if (!err && c->out_err != -ENOTCONN)
			err = c->out_err;
	}
	if (err)
		WRITE_ONCE(sk->sk_err, -err);
	/* who sees the end sees why */
	smp_wmb();
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | shut);
	pvc_wake(c, PVC_WAKE_STATE | (err ? PVC_WAKE_ERROR : 0));
	if (!err)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/**
 * pvc_conn_end() - a direction of the connection has ended
 * @c: object, with lock held
 * @in_err: why nothing more comes in, negative, or 0 if more may
 * @out_err: why nothing more goes out, negative, or 0 if more may
 *
 * The first reason of each direction counts.
 *
 * Context: interrupts off.
 */
void pvc_conn_end(struct pvc_conn *c, int in_err, int out_err)
{
	bool tell = false;

	if (in_err && !c->in_err) {
		c->in_err = pvc_sane_error(in_err);
		tell = true;
	}
	if (out_err && !c->out_err) {
		c->out_err = pvc_sane_error(out_err);
		tell = true;
	}
	if (tell)
		pvc_conn_tell(c);
}

/* Call with c->lock held. */
static void pvc_conn_broken(struct pvc_conn *c, const char *what)
{
	/* every look at the index finds it again */
	if (c->in_err && c->out_err)
		return;
	pr_err_ratelimited("backend %u: %s makes no sense, socket %llu reset\n",
			   c->link->otherend, what, c->id);
	pvc_conn_end(c, -ECONNRESET, -ECONNRESET);
}

/**
 * pvc_conn_break() - the backend has broken a rule
 * @c: connected object
 * @what: which index or record made no sense
 *
 * Context: process; does not sleep.
 */
void pvc_conn_break(struct pvc_conn *c, const char *what)
{
	spin_lock_irq(&c->lock);
	pvc_conn_broken(c, what);
	spin_unlock_irq(&c->lock);
}

/**
 * pvc_conn_attach() - a connection that came in gets its program's socket
 * @c: connected object
 * @sk: socket
 *
 * Context: process.
 */
void pvc_conn_attach(struct pvc_conn *c, struct sock *sk)
{
	spin_lock_irq(&c->lock);
	c->sk = sk;
	if (c->in_err || c->out_err)
		pvc_conn_tell(c);
	spin_unlock_irq(&c->lock);
}

static void pvc_conn_wake_writer(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
					   EPOLLWRBAND);
	rcu_read_unlock();
	sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
}

/*
 * Has nobody anything to hear about an index? It is where it was at the last
 * event, and not by way of 4 GiB, as the program has seen it there, too.
 */
static bool pvc_conn_heard(u32 index, u32 at_event, const u32 *seen)
{
	return index == at_event && index == READ_ONCE(*seen);
}

/*
 * Is the ring as it was at the last event? Mostly because this one is meant for
 * another ring on the same event channel; without the lock, since what it looks
 * at is the handler's own, or is looked at again by whoever changes it.
 */
static bool pvc_conn_still(const struct pvc_conn *c)
{
	const struct pvcalls_data_intf *intf = c->ring.intf;

	return pvc_conn_heard(READ_ONCE(intf->in_prod), c->in_seen,
			      &c->ring.in.prod) &&
	       pvc_conn_heard(READ_ONCE(intf->out_cons), c->out_seen,
			      &c->ring.out.cons) &&
	       READ_ONCE(intf->in_error) == READ_ONCE(c->in_err) &&
	       READ_ONCE(intf->out_error) == READ_ONCE(c->out_err) &&
	       !READ_ONCE(c->draining);
}

/* Call with c->lock held. */
static void pvc_conn_data_ready(struct pvc_conn *c)
{
	struct sock *sk = c->sk;
	int n;

	if (!sk)
		return;
	/* a signal for all that comes, though nobody has read what came before */
	if (sock_flag(sk, SOCK_FASYNC)) {
		n = ringbuf_avail(&c->ring.in);
		if (n >= 0 && n < c->ring.in.size)
			ringbuf_wait_data(&c->ring.in, n + 1);
	}
	pvc_wake(c, PVC_WAKE_DATA);
}

/**
 * pvc_conn_event() - the backend has done something to the ring
 * @arg: &struct pvc_conn
 *
 * Context: hard interrupt.
 * Return: true if the event had a reason.
 */
bool pvc_conn_event(void *arg)
{
	struct pvc_conn *c = arg;
	bool found = false, reason;
	s32 in_err, out_err;
	int space;
	u32 prod;

	if (pvc_conn_still(c))
		goto out;
	spin_lock(&c->lock);
	in_err = pvc_ring_in_error(&c->ring);
	out_err = pvc_ring_out_error(&c->ring);
	prod = READ_ONCE(c->ring.intf->in_prod);
	if (!pvc_conn_heard(prod, c->in_seen, &c->ring.in.prod)) {
		c->in_seen = prod;
		found = true;
		pvc_conn_data_ready(c);
	}
	space = ringbuf_space(&c->ring.out);
	if (c->ring.out.cons != c->out_seen) {
		c->out_seen = c->ring.out.cons;
		found = true;
	}
	/* others may have written since: no event would tell of the rest */
	if (c->nospace && space >= 0 && space < pvc_conn_want_space(c))
		space = ringbuf_wait_space(&c->ring.out,
					   pvc_conn_want_space(c));
	if (space < 0) {
		pvc_conn_broken(c, "out_cons index");
	} else if (c->nospace && space >= pvc_conn_want_space(c)) {
		c->nospace = false;
		found = true;
		if (c->sk)
			pvc_conn_wake_writer(c->sk);
	}
	if ((in_err && !c->in_err) || (out_err && !c->out_err)) {
		found = true;
		pvc_conn_end(c, in_err, out_err);
	}
	if (c->draining) {
		found = true;
		pvc_conn_drain(c);
	}
	spin_unlock(&c->lock);
out:
	/* what it tells of may have been seen before, but only once in a row */
	reason = found || c->found;
	c->found = found;
	return reason;
}

/**
 * pvc_conn_space() - room for what a program wants to send
 * @c: connected object
 * @wait: if there is less than pvc_conn_want_space(), have writers woken when
 *	there is that much
 *
 * Context: process; does not sleep.
 * Return: bytes, 0 if the peer's index made no sense and the socket was reset.
 */
int pvc_conn_space(struct pvc_conn *c, bool wait)
{
	bool others;
	int n;

	spin_lock_irq(&c->lock);
	n = ringbuf_space(&c->ring.out);
	if (wait && n >= 0 && n < pvc_conn_want_space(c)) {
		others = c->nospace;
		c->nospace = true;
		n = ringbuf_wait_space(&c->ring.out, pvc_conn_want_space(c));
		if (n >= (int)pvc_conn_want_space(c)) {
			c->nospace = false;
			/* the event may be about what they do not wait for */
			if (others && c->sk)
				pvc_conn_wake_writer(c->sk);
		}
	}
	if (n < 0) {
		pvc_conn_broken(c, "out_cons index");
		n = 0;
	}
	spin_unlock_irq(&c->lock);
	return n;
}

/**
 * pvc_conn_produce() - publish what was written to the out ring
 * @c: connected object, tx_mutex held
 * @len: bytes
 *
 * Context: process; does not sleep.
 */
void pvc_conn_produce(struct pvc_conn *c, u32 len)
{
	bool notify;

	spin_lock_irq(&c->lock);
	notify = ringbuf_produce(&c->ring.out, len);
	spin_unlock_irq(&c->lock);
	if (notify)
		notify_remote_via_irq(c->ring.irq);
}

/*
 * The threshold has been moved beyond what is there. Was there no event about
 * it yet, then perhaps none comes any more, and others may have gone to sleep
 * in view of the old threshold. Call with c->lock held.
 */
static void pvc_conn_announce(struct pvc_conn *c)
{
	if (c->ring.in.prod == c->in_seen)
		return;
	WRITE_ONCE(c->in_seen, c->ring.in.prod);
	/* one that comes all the same had its reason */
	WRITE_ONCE(c->found, true);
	if (c->sk)
		pvc_wake(c, PVC_WAKE_DATA);
}

/**
 * pvc_conn_avail() - what has come in
 * @c: connected object
 * @arm: have readers woken as soon as there is more than that, and all others
 *	who wait for what there is
 *
 * Context: process; does not sleep.
 * Return: bytes, 0 if the peer's index made no sense and the socket was reset.
 */
int pvc_conn_avail(struct pvc_conn *c, bool arm)
{
	int n;

	spin_lock_irq(&c->lock);
	n = ringbuf_avail(&c->ring.in);
	if (arm && n >= 0 && n < c->ring.in.size) {
		n = ringbuf_wait_data(&c->ring.in, n + 1);
		if (n > 0)
			pvc_conn_announce(c);
	}
	if (n < 0) {
		pvc_conn_broken(c, "in_prod index");
		n = 0;
	}
	spin_unlock_irq(&c->lock);
	return n;
}

/**
 * pvc_conn_consume() - give back what was read from the in ring
 * @c: connected object, rx_mutex held
 * @len: bytes
 *
 * Context: process; does not sleep.
 */
void pvc_conn_consume(struct pvc_conn *c, u32 len)
{
	bool notify;

	spin_lock_irq(&c->lock);
	notify = ringbuf_consume(&c->ring.in, len);
	spin_unlock_irq(&c->lock);
	if (notify)
		notify_remote_via_irq(c->ring.irq);
}
