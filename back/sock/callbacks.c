// SPDX-License-Identifier: GPL-2.0
/*
 * Attaching and detaching of callbacks; callbacks.h says what they report.
 *
 * The callbacks run in softirq context, or in process context with the kernel
 * socket locked. They hold sk_callback_lock for reading, so that the owner is
 * not detached meanwhile. The lock is held for writing only to attach and
 * detach.
 */
#include <net/sock.h>

#include "sock/callbacks.h"

/*
 * Find the owner. A connection that a listening socket has not handed out yet
 * has the listener's callbacks but no owner (SK_USER_DATA_NOCOPY).
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

	/* with less room than this, TCP calls again when there is more */
	if (sk->sk_type == SOCK_STREAM && !sk_stream_is_writeable(sk))
		return;

	read_lock_bh(&sk->sk_callback_lock);
	cb = pvcalls_callbacks_owner(sk);
	if (cb) {
		/*
		 * the saved callback clears SOCK_NOSPACE; no thread sleeps on
		 * this socket
		 */
		cb->saved.write_space(sk);
		cb->ops->space(cb, sk);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

/**
 * pvcalls_callbacks_syn() - may somebody connect to a listening socket?
 * @sk: the kernel socket
 * @skb: the packet with the SYN
 *
 * Context: softirq, or process with bottom halves off; takes sk_callback_lock.
 * Return: what the owner says; false if the socket is being closed.
 */
bool pvcalls_callbacks_syn(struct sock *sk, const struct sk_buff *skb)
{
	struct pvcalls_callbacks *cb;
	bool may;

	read_lock_bh(&sk->sk_callback_lock);
	cb = pvcalls_callbacks_owner(sk);
	may = cb && cb->ops->syn(cb, skb);
	read_unlock_bh(&sk->sk_callback_lock);
	return may;
}

/**
 * pvcalls_callbacks_attach() - attach an owner to a kernel socket
 * @cb: the owner, with its @ops
 * @sk: the kernel socket
 * @inherited: for an accepted connection the owner of the listening socket,
 *	whose callbacks the connection has inherited; else NULL
 *
 * More than one call has no further effect. Earlier events are not announced,
 * so the caller must look at the kernel socket after this call.
 *
 * Context: process or softirq; takes sk_callback_lock.
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
 * pvcalls_callbacks_detach() - restore a kernel socket's callbacks
 * @cb: the owner
 * @sk: the kernel socket
 *
 * After this call no callback refers to @cb any more. More than one call has no
 * further effect.
 *
 * Context: process or softirq; takes sk_callback_lock.
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
