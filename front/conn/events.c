// SPDX-License-Identifier: GPL-2.0
/*
 * See conn.h. The indexes and events of a connection's ring. Programs, poll()
 * and the interrupt look at the indexes: therefore all functions here are short
 * and take pvc_conn.lock. Bytes are copied elsewhere, under pvc_conn.rx_mutex
 * or tx_mutex.
 */
#include <net/sock.h>
#include <xen/events.h>

#include "conn/conn.h"

/**
 * pvc_sane_error() - make an error number of what the backend has written
 * @err: what the backend has written
 *
 * Context: any.
 * Return: @err, or -EPROTO if @err is no error number.
 */
int pvc_sane_error(s32 err)
{
	return err < 0 && err >= -EHWPOISON ? err : -EPROTO;
}

/* Tells the program which direction has ended. Call with c->lock held. */
static void pvc_conn_tell(struct pvc_conn *c)
{
	struct sock *sk = c->sk;
	int shut = 0, err = 0;

	if (!sk)
		return;
	/* a socket of datagrams goes on, and gets another connection */
	if (sk->sk_type == SOCK_DGRAM) {
		if (pvc_link_ended(c->link)) {
			/* those who wait for space look again */
			pvc_wake(c, PVC_WAKE_STATE);
			return;
		}
		WRITE_ONCE(sk->sk_err, ENETDOWN);
		pvc_wake(c, PVC_WAKE_ERROR);
		return;
	}
	if (c->in_err) {
		shut |= RCV_SHUTDOWN;
		if (c->in_err != -ENOTCONN) {
			/* both directions are gone, as after a RST */
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
	/* sk_err is written before sk_shutdown: the reason before the end */
	smp_wmb();
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | shut);
	pvc_wake(c, PVC_WAKE_STATE | (err ? PVC_WAKE_ERROR : 0));
	if (!err)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/**
 * pvc_conn_end() - end one direction of a connection, or both
 * @c: connected connection, with its lock held
 * @in_err: why no more bytes come in, negative, or 0 if more may
 * @out_err: why no more bytes go out, negative, or 0 if more may
 *
 * The first reason of each direction counts.
 *
 * Context: interrupts off.
 */
void pvc_conn_end(struct pvc_conn *c, int in_err, int out_err)
{
	bool tell = false;

	if (in_err && !c->in_err) {
		WRITE_ONCE(c->in_err, pvc_sane_error(in_err));
		tell = true;
	}
	if (out_err && !c->out_err) {
		WRITE_ONCE(c->out_err, pvc_sane_error(out_err));
		tell = true;
	}
	if (tell)
		pvc_conn_tell(c);
}

/* Resets a connection after a rule was broken. Call with c->lock held. */
static void pvc_conn_broken(struct pvc_conn *c, const char *what)
{
	/* a broken index is found at every look, but reported once */
	if (c->in_err && c->out_err)
		return;
	pr_err_ratelimited("backend %u: %s makes no sense, socket %llu reset\n",
			   c->link->otherend, what, c->id);
	pvc_conn_end(c, -ECONNRESET, -ECONNRESET);
}

/**
 * pvc_conn_break() - reset a connection whose backend has broken a rule
 * @c: connected connection
 * @what: which index or record made no sense, for the log
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
 * pvc_conn_attach() - tell a connection which socket of a program it has
 * @c: connection that came in, or that listens
 * @sk: socket
 *
 * Context: process; does not sleep.
 */
void pvc_conn_attach(struct pvc_conn *c, struct sock *sk)
{
	spin_lock_irq(&c->lock);
	/* close() has forgotten the socket, for good */
	if (!pvc_conn_gone(c)) {
		c->sk = sk;
		if (c->in_err || c->out_err)
			pvc_conn_tell(c);
	}
	spin_unlock_irq(&c->lock);
}

/* Wakes those who wait for free space. */
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
 * Is an index known to events and to programs alike? An index that is where the
 * last event found it may have gone round by 4 GiB meanwhile: then programs saw
 * another value in between.
 */
static bool pvc_conn_heard(u32 index, u32 at_event, const u32 *seen)
{
	return index == at_event && index == READ_ONCE(*seen);
}

/*
 * Is the ring as it was at the last event? Mostly so, if several rings share
 * the event channel. The look takes no lock: the handler alone changes some of
 * the values, and a program that changes the others looks at the ring itself.
 */
static bool pvc_conn_still(const struct pvc_conn *c)
{
	const struct pvcalls_data_intf *intf = c->ring.intf;

	return pvc_conn_heard(READ_ONCE(intf->in_prod),
			      READ_ONCE(c->seen.in_prod),
			      &c->ring.in.prod) &&
	       pvc_conn_heard(READ_ONCE(intf->out_cons), c->seen.out_cons,
			      &c->ring.out.cons) &&
	       READ_ONCE(intf->in_error) == READ_ONCE(c->in_err) &&
	       READ_ONCE(intf->out_error) == READ_ONCE(c->out_err) &&
	       READ_ONCE(c->state) != PVC_CONN_DRAINING;
}

/* Wakes those who wait for bytes. Call with c->lock held. */
static void pvc_conn_data_ready(struct pvc_conn *c)
{
	struct sock *sk = c->sk;
	int n;

	if (!sk)
		return;
	/* a signal is due for every byte, even if nobody reads the others */
	if (sock_flag(sk, SOCK_FASYNC)) {
		n = ringbuf_avail(&c->ring.in);
		if (n >= 0 && n < c->ring.in.size)
			ringbuf_wait_data(&c->ring.in, n + 1);
	}
	pvc_wake(c, PVC_WAKE_DATA);
}

/**
 * pvc_conn_drained() - has the backend taken all that was written?
 * @c: connected or draining connection, with its lock held
 *
 * If not, an event comes as soon as the backend has.
 *
 * Context: interrupts off.
 * Return: true if so, and if the backend takes no more.
 */
bool pvc_conn_drained(struct pvc_conn *c)
{
	u32 size = c->ring.out.size;
	int space;

	if (c->out_err)
		return true;
	space = ringbuf_wait_space(&c->ring.out, size);
	return space < 0 || space == size;
}

/* Goes on with a close that waits for the out ring. With c->lock held. */
static void pvc_conn_drain(struct pvc_conn *c)
{
	if (!pvc_conn_drained(c))
		return;
	pvc_conn_move(c, PVC_CONN_RELEASING);
	pvc_conn_release(c);
	pvc_conn_put(c);
}

/**
 * pvc_conn_event() - handle the ring's event
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
	if (!pvc_conn_heard(prod, c->seen.in_prod, &c->ring.in.prod)) {
		WRITE_ONCE(c->seen.in_prod, prod);
		found = true;
		pvc_conn_data_ready(c);
	}
	space = ringbuf_space(&c->ring.out);
	if (c->ring.out.cons != c->seen.out_cons) {
		c->seen.out_cons = c->ring.out.cons;
		found = true;
	}
	/* another writer may have taken the space: ask for an event anew */
	if (c->seen.nospace && space >= 0 && space < pvc_conn_want_space(c))
		space = ringbuf_wait_space(&c->ring.out,
					   pvc_conn_want_space(c));
	if (space < 0) {
		pvc_conn_broken(c, "out_cons index");
	} else if (c->seen.nospace && space >= pvc_conn_want_space(c)) {
		c->seen.nospace = false;
		found = true;
		if (c->sk)
			pvc_conn_wake_writer(c->sk);
	}
	if ((in_err && !c->in_err) || (out_err && !c->out_err)) {
		found = true;
		pvc_conn_end(c, in_err, out_err);
	}
	if (c->state == PVC_CONN_DRAINING) {
		found = true;
		pvc_conn_drain(c);
	}
	spin_unlock(&c->lock);
out:
	/* an event's cause may have been seen, but not twice in a row */
	reason = found || READ_ONCE(c->seen.found);
	WRITE_ONCE(c->seen.found, found);
	return reason;
}

/**
 * pvc_conn_space() - how much can a program send?
 * @c: connected connection
 * @wait: if fewer than pvc_conn_want_space() bytes are free, have writers woken
 *	when so many are
 *
 * Context: process; does not sleep.
 * Return: number of free bytes; 0 if the peer's index made no sense and the
 * connection was reset.
 */
int pvc_conn_space(struct pvc_conn *c, bool wait)
{
	bool others;
	int n;

	spin_lock_irq(&c->lock);
	n = ringbuf_space(&c->ring.out);
	if (wait && n >= 0 && n < pvc_conn_want_space(c)) {
		others = c->seen.nospace;
		c->seen.nospace = true;
		n = ringbuf_wait_space(&c->ring.out, pvc_conn_want_space(c));
		if (n >= (int)pvc_conn_want_space(c)) {
			c->seen.nospace = false;
			/* the event may have come before the others waited */
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

/*
 * Sends an event. On the host that the guest has migrated to, the port of a link
 * that has ended may be somebody else's.
 */
static void pvc_conn_notify(const struct pvc_conn *c)
{
	if (!pvc_link_ended(c->link))
		notify_remote_via_evtchn(c->ring.port);
}

/**
 * pvc_conn_produce() - publish bytes that were written to the out ring
 * @c: connected connection, tx_mutex held
 * @len: number of bytes
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
		pvc_conn_notify(c);
}

/*
 * Wakes readers after the threshold has been moved beyond bytes that no event
 * has told of: perhaps none will, while other readers sleep in view of the old
 * threshold. Call with c->lock held.
 */
static void pvc_conn_announce(struct pvc_conn *c)
{
	if (c->ring.in.prod == c->seen.in_prod)
		return;
	WRITE_ONCE(c->seen.in_prod, c->ring.in.prod);
	/* an event that comes all the same has its reason */
	WRITE_ONCE(c->seen.found, true);
	if (c->sk)
		pvc_wake(c, PVC_WAKE_DATA);
}

/**
 * pvc_conn_avail() - how much has come in?
 * @c: connected connection
 * @arm: have readers woken as soon as more comes in; readers who wait for what
 *	is there are woken at once
 *
 * Context: process; does not sleep.
 * Return: number of bytes; 0 if the peer's index made no sense and the
 * connection was reset.
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
 * pvc_conn_consume() - free bytes that were read from the in ring
 * @c: connected connection, rx_mutex held
 * @len: number of bytes
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
		pvc_conn_notify(c);
}
