// SPDX-License-Identifier: GPL-2.0
/*
 * See callbacks.h.
 *
 * The callbacks run in softirq context, or in process context with the socket
 * locked. Holding sk_callback_lock for reading, they keep the socket's object
 * from being detached; the lock is held for writing only to attach and detach.
 */
#include <net/sock.h>

#include "sock/fastpath.h"
#include "sock/callbacks.h"
#include "sock/sock.h"

/*
 * A connection that a listening socket has not handed out yet has the
 * listener's callbacks but no object (SK_USER_DATA_NOCOPY).
 */
static struct pvcalls_sock *pvcalls_callbacks_object(const struct sock *sk)
{
	return (void *)((uintptr_t)READ_ONCE(sk->sk_user_data) &
			SK_USER_DATA_PTRMASK);
}

static void pvcalls_callbacks_data_ready(struct sock *sk)
{
	struct pvcalls_sock *ps;

	read_lock_bh(&sk->sk_callback_lock);
	ps = pvcalls_callbacks_object(sk);
	if (ps && !pvcalls_fastpath_in(ps, sk)) {
		set_bit(PVCALLS_SF_IN_READY, &ps->flags);
		pvcalls_work_mark(&ps->work);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

/* The end of a connection concerns both directions. */
static void pvcalls_callbacks_state_change(struct sock *sk)
{
	struct pvcalls_sock *ps;

	read_lock_bh(&sk->sk_callback_lock);
	ps = pvcalls_callbacks_object(sk);
	if (ps) {
		set_bit(PVCALLS_SF_IN_READY, &ps->flags);
		set_bit(PVCALLS_SF_OUT_READY, &ps->flags);
		pvcalls_work_mark(&ps->work);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

static void pvcalls_callbacks_write_space(struct sock *sk)
{
	struct pvcalls_sock *ps;

	/* with less room than that TCP calls again when there is more */
	if (sk->sk_type == SOCK_STREAM && !sk_stream_is_writeable(sk))
		return;

	read_lock_bh(&sk->sk_callback_lock);
	ps = pvcalls_callbacks_object(sk);
	if (ps) {
		/* takes SOCK_NOSPACE away; nobody sleeps on this socket */
		ps->callbacks.write_space(sk);
		set_bit(PVCALLS_SF_OUT_READY, &ps->flags);
		/* before the look; pairs with that in pvcalls_dgram_out() */
		smp_mb__after_atomic();
		/* called for each datagram that has left */
		if (sk->sk_type == SOCK_STREAM ||
		    READ_ONCE(ps->conn.out_blocked))
			pvcalls_work_mark(&ps->work);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

/**
 * pvcalls_callbacks_attach() - have a kernel socket mark its object ready
 * @ps: object; @ps->sock is set
 * @inherited: for an accepted connection what the listening socket had before,
 *	since it has inherited our callbacks; else NULL
 *
 * Idempotent. What happened before is not announced: the caller must look. On
 * the worker that owns @ps.
 */
void pvcalls_callbacks_attach(struct pvcalls_sock *ps,
			      const struct pvcalls_callbacks *inherited)
{
	struct sock *sk = ps->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	if (pvcalls_callbacks_object(sk) == ps)
		goto unlock;
	if (inherited) {
		ps->callbacks = *inherited;
	} else {
		ps->callbacks.data_ready = sk->sk_data_ready;
		ps->callbacks.write_space = sk->sk_write_space;
		ps->callbacks.state_change = sk->sk_state_change;
		ps->callbacks.error_report = sk->sk_error_report;
	}
	__rcu_assign_sk_user_data_with_flags(sk, ps, SK_USER_DATA_NOCOPY);
	WRITE_ONCE(sk->sk_data_ready, pvcalls_callbacks_data_ready);
	WRITE_ONCE(sk->sk_write_space, pvcalls_callbacks_write_space);
	WRITE_ONCE(sk->sk_state_change, pvcalls_callbacks_state_change);
	WRITE_ONCE(sk->sk_error_report, pvcalls_callbacks_state_change);
unlock:
	write_unlock_bh(&sk->sk_callback_lock);
}

/**
 * pvcalls_callbacks_detach() - give a kernel socket its callbacks back
 * @ps: object; @ps->sock is set
 *
 * When it returns no callback refers to @ps any more. Idempotent. On the
 * worker that owns @ps.
 */
void pvcalls_callbacks_detach(struct pvcalls_sock *ps)
{
	struct sock *sk = ps->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	if (pvcalls_callbacks_object(sk) == ps) {
		WRITE_ONCE(sk->sk_data_ready, ps->callbacks.data_ready);
		WRITE_ONCE(sk->sk_write_space, ps->callbacks.write_space);
		WRITE_ONCE(sk->sk_state_change, ps->callbacks.state_change);
		WRITE_ONCE(sk->sk_error_report, ps->callbacks.error_report);
		rcu_assign_sk_user_data(sk, NULL);
	}
	write_unlock_bh(&sk->sk_callback_lock);
}
