// SPDX-License-Identifier: GPL-2.0
/* See wait.h. */
#include <linux/sched/signal.h>
#include <net/sock.h>

#include "conn/conn.h"
#include "sock/wait.h"

/**
 * pvc_wait() - wait until the socket wakes its waiters
 * @sk: socket
 * @wait: entry that is on its wait queue
 * @timeo: jiffies that may still be waited
 *
 * Context: process, sleeps; interruptible.
 * Return: jiffies left, 0 or more, or a negative error: -EAGAIN when the time
 * is over, else what a signal means for a call with this timeout.
 */
long pvc_wait(struct sock *sk, wait_queue_entry_t *wait, long timeo)
{
	if (!timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(timeo);
	return wait_woken(wait, TASK_INTERRUPTIBLE, timeo);
}

/**
 * pvc_waiter_init() - a call begins that may have to wait
 * @w: the call's, on its stack
 * @timeo: jiffies that it may wait
 *
 * Context: process; does not sleep.
 */
void pvc_waiter_init(struct pvc_waiter *w, long timeo)
{
	init_waitqueue_func_entry(&w->wait, woken_wake_function);
	INIT_LIST_HEAD(&w->wait.entry);
	w->wait.private = current;
	w->waiting = false;
	w->timeo = timeo;
}

/**
 * pvc_waiter_next() - there was nothing: wait, or look once more
 * @w: the call's
 * @sk: its socket
 * @mutex: held by the caller, but not while it waits; or NULL
 *
 * The first look was made without being on the wait queue. So the first call
 * puts it there and does not wait: the look that decides to wait comes after
 * that.
 *
 * Context: process, sleeps; interruptible.
 * Return: 0: look again; or a negative error, see pvc_wait().
 */
long pvc_waiter_next(struct pvc_waiter *w, struct sock *sk, struct mutex *mutex)
{
	long ret;

	if (!w->waiting) {
		add_wait_queue(sk_sleep(sk), &w->wait);
		/* before the look, as in sock_poll_wait() */
		smp_mb();
		w->waiting = true;
		return 0;
	}
	if (mutex)
		mutex_unlock(mutex);
	ret = pvc_wait(sk, &w->wait, w->timeo);
	if (mutex)
		mutex_lock(mutex);
	if (ret < 0)
		return ret;
	w->timeo = ret;
	return 0;
}

/**
 * pvc_waiter_end() - the call is over
 * @w: the call's
 * @sk: its socket
 *
 * Context: process; does not sleep.
 */
void pvc_waiter_end(struct pvc_waiter *w, struct sock *sk)
{
	if (w->waiting)
		remove_wait_queue(sk_sleep(sk), &w->wait);
}

/**
 * pvc_recv_rearm() - have the next byte announced to who need not look before
 * @sk: socket that something was read from
 * @c: the backend's
 *
 * Context: process; does not sleep.
 */
void pvc_recv_rearm(struct sock *sk, struct pvc_conn *c)
{
	if (wq_has_sleeper(sk_sleep(sk)) || sock_flag(sk, SOCK_FASYNC))
		pvc_conn_avail(c, true);
}
