// SPDX-License-Identifier: GPL-2.0
/*
 * See callbacks.h.
 *
 * The callbacks run in softirq context, or in process context with the socket
 * locked. Holding sk_callback_lock for reading, they keep the socket's owner
 * from being detached; the lock is held for writing only to attach and detach.
 */
#include <net/sock.h>

#include "sock/callbacks.h"

/*
 * A connection that a listening socket has not handed out yet has the
 * listener's callbacks but no owner (SK_USER_DATA_NOCOPY).
 */
static struct pvcalls_callbacks *pvcalls_callbacks_owner(const struct sock *sk)
{
	return (void *)((uintptr_t)READ_ONCE(sk->sk_user_data) &
			SK_USER_DATA_PTRMASK);
}

static void pvcalls_callbacks_data_ready(struct sock *sk)
{
	struct pvcalls_callbacks *cb;

	read_lock_bh(&sk->sk_callback_lock);
	cb = pvcalls_callbacks_owner(sk);
	if (cb)
		cb->ops->data(cb, sk);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void pvcalls_callbacks_state_change(struct sock *sk)
{
	struct pvcalls_callbacks *cb;

	read_lock_bh(&sk->sk_callback_lock);
	cb = pvcalls_callbacks_owner(sk);
	if (cb)
		cb->ops->state(cb, sk);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void pvcalls_callbacks_write_space(struct sock *sk)
{
	struct pvcalls_callbacks *cb;

	/* with less room than that TCP calls again when there is more */
	if (sk->sk_type == SOCK_STREAM && !sk_stream_is_writeable(sk))
		return;

	read_lock_bh(&sk->sk_callback_lock);
	cb = pvcalls_callbacks_owner(sk);
	if (cb) {
		/* takes SOCK_NOSPACE away; nobody sleeps on this socket */
		cb->saved.write_space(sk);
		cb->ops->space(cb, sk);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

/**
 * pvcalls_callbacks_attach() - have a kernel socket tell its owner
 * @cb: the owner, with its @ops
 * @sk: the kernel socket
 * @inherited: for an accepted connection the owner of the listening socket,
 *	whose callbacks the connection has inherited; else NULL
 *
 * Idempotent. What happened before is not announced: the caller must look.
 *
 * Context: process or softirq.
 */
void pvcalls_callbacks_attach(struct pvcalls_callbacks *cb, struct sock *sk,
			      const struct pvcalls_callbacks *inherited)
{
	write_lock_bh(&sk->sk_callback_lock);
	if (pvcalls_callbacks_owner(sk) == cb)
		goto unlock;
	if (inherited) {
		cb->saved = inherited->saved;
	} else {
		cb->saved.data_ready = sk->sk_data_ready;
		cb->saved.write_space = sk->sk_write_space;
		cb->saved.state_change = sk->sk_state_change;
		cb->saved.error_report = sk->sk_error_report;
	}
	__rcu_assign_sk_user_data_with_flags(sk, cb, SK_USER_DATA_NOCOPY);
	WRITE_ONCE(sk->sk_data_ready, pvcalls_callbacks_data_ready);
	WRITE_ONCE(sk->sk_write_space, pvcalls_callbacks_write_space);
	WRITE_ONCE(sk->sk_state_change, pvcalls_callbacks_state_change);
	WRITE_ONCE(sk->sk_error_report, pvcalls_callbacks_state_change);
unlock:
	write_unlock_bh(&sk->sk_callback_lock);
}

/**
 * pvcalls_callbacks_detach() - give a kernel socket its callbacks back
 * @cb: the owner
 * @sk: the kernel socket
 *
 * When this returns no callback refers to @cb any more. Idempotent.
 *
 * Context: process or softirq.
 */
void pvcalls_callbacks_detach(struct pvcalls_callbacks *cb, struct sock *sk)
{
	write_lock_bh(&sk->sk_callback_lock);
	if (pvcalls_callbacks_owner(sk) == cb) {
		WRITE_ONCE(sk->sk_data_ready, cb->saved.data_ready);
		WRITE_ONCE(sk->sk_write_space, cb->saved.write_space);
		WRITE_ONCE(sk->sk_state_change, cb->saved.state_change);
		WRITE_ONCE(sk->sk_error_report, cb->saved.error_report);
		rcu_assign_sk_user_data(sk, NULL);
	}
	write_unlock_bh(&sk->sk_callback_lock);
}
