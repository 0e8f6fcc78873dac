// SPDX-License-Identifier: GPL-2.0
/*
 * See conn.h. How a program's socket learns that something has happened. The
 * kernel's default callbacks may be called in any context, and are called at
 * once. Other parts of the kernel (nfsd, iSCSI) put their own callbacks on a
 * socket: those expect bottom halves, and take locks that are not safe in
 * interrupts. Therefore a work calls them.
 */
#include <net/sock.h>

#include "conn/conn.h"
#include "link/work.h"

/* The default callbacks, as pvc_wake_init() has found them */
static void (*pvc_default_data_ready)(struct sock *sk);
static void (*pvc_default_state_change)(struct sock *sk);
static void (*pvc_default_error_report)(struct sock *sk);

/* Has nobody changed the callbacks of a socket? */
static bool pvc_wake_is_default(const struct sock *sk)
{
	return READ_ONCE(sk->sk_data_ready) == pvc_default_data_ready &&
	       READ_ONCE(sk->sk_state_change) == pvc_default_state_change &&
	       READ_ONCE(sk->sk_error_report) == pvc_default_error_report;
}

/* Calls callbacks that may be anybody's. */
static void pvc_wake_foreign(struct sock *sk, unsigned long what)
{
	void (*state_change)(struct sock *sk) = READ_ONCE(sk->sk_state_change);
	void (*data_ready)(struct sock *sk) = READ_ONCE(sk->sk_data_ready);

	if (what & PVC_WAKE_STATE)
		state_change(sk);
	if (what & PVC_WAKE_DATA)
		data_ready(sk);
	if (what & PVC_WAKE_ERROR)
		sk_error_report(sk);
}

/*
 * Calls the default callbacks, if those are a socket's. The socket's may change
 * at any time: only known ones are called.
 */
static bool pvc_wake_default(struct sock *sk, unsigned long what)
{
	if (unlikely(!pvc_wake_is_default(sk)))
		return false;
	if (what & PVC_WAKE_STATE)
		pvc_default_state_change(sk);
	if (what & PVC_WAKE_DATA)
		pvc_default_data_ready(sk);
	if (what & PVC_WAKE_ERROR)
		pvc_default_error_report(sk);
	return true;
}

/**
 * pvc_wake_sock() - tell a socket that something has happened
 * @sk: socket
 * @what: PVC_WAKE_*
 *
 * Whoever takes foreign callbacks off a socket does so with its lock held, and
 * frees afterwards what they use. So they are called with that lock held, too.
 * The default ones need no lock, which a program may hold for as long as its
 * memory faults.
 *
 * Context: process, sleeps; takes the socket's lock if its callbacks are
 * foreign.
 */
void pvc_wake_sock(struct sock *sk, unsigned long what)
{
	if (pvc_wake_default(sk, what))
		return;
	lock_sock(sk);
	/* callbacks that are not the default ones expect bottom halves */
	local_bh_disable();
	pvc_wake_foreign(sk, what);
	local_bh_enable();
	release_sock(sk);
}

/* Calls callbacks that are not the default ones. The work has a reference. */
static void pvc_wake_work(struct work_struct *work)
{
	struct pvc_conn *c = container_of(work, struct pvc_conn, wake_work);
	unsigned long what;
	struct sock *sk;

	spin_lock_irq(&c->lock);
	what = c->wakes;
	c->wakes = 0;
	sk = c->sk;
	/* close() clears c->sk before it drops the socket's last reference */
	if (sk)
		sock_hold(sk);
	spin_unlock_irq(&c->lock);
	if (sk) {
		pvc_wake_sock(sk, what);
		sock_put(sk);
	}
	pvc_conn_put(c);
}

/**
 * pvc_wake_init() - learn the default callbacks, and serve connections
 * @sk: socket that nobody has changed
 *
 * Context: any.
 */
void pvc_wake_init(const struct sock *sk)
{
	pvc_default_data_ready = sk->sk_data_ready;
	pvc_default_state_change = sk->sk_state_change;
	pvc_default_error_report = sk->sk_error_report;
	pvc_conn_set_waker(pvc_wake_work);
}

/**
 * pvc_wake() - tell a connection's socket that something has happened
 * @c: connection with a socket, and with its lock held
 * @what: PVC_WAKE_*
 *
 * Context: interrupts off.
 */
void pvc_wake(struct pvc_conn *c, unsigned long what)
{
	if (pvc_wake_default(c->sk, what))
		return;
	c->wakes |= what;
	pvc_conn_hold(c);
	if (!pvc_queue_work(&c->wake_work))
		pvc_conn_put(c);
}
