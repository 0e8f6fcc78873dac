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
 * @w: waiter on the stack of the call
 * @timeo: jiffies that the call may wait
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
 * pvc_waiter_next() - wait, before the call looks once more
 * @w: waiter of the call
 * @sk: socket of the call
 * @mutex: mutex that the caller holds, released while the call waits; or NULL
 *
 * The call has looked for the first time without being on the wait queue. So
 * the first pvc_waiter_next() only puts the call there and does not wait: the
 * look that decides to wait has to come after that.
 *
 * Context: process, sleeps; interruptible.
 * Return: 0 if the call is to look again, or a negative error, see pvc_wait().
 */
long pvc_waiter_next(struct pvc_waiter *w, struct sock *sk, struct mutex *mutex)
{
	long ret;

	if (!w->waiting) {
		add_wait_queue(sk_sleep(sk), &w->wait);
		/* look only once the entry is queued, as in sock_poll_wait() */
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
 * @w: waiter of the call
 * @sk: socket of the call
 *
 * Context: process; does not sleep.
 */
void pvc_waiter_end(struct pvc_waiter *w, struct sock *sk)
{
	if (w->waiting)
		remove_wait_queue(sk_sleep(sk), &w->wait);
}

/**
 * pvc_recv_rearm() - have the next byte announced to threads that sleep already
 * @sk: socket that something was read from
 * @c: the backend's socket
 *
 * Context: process; does not sleep.
 */
void pvc_recv_rearm(struct sock *sk, struct pvc_conn *c)
{
	if (wq_has_sleeper(sk_sleep(sk)) || sock_flag(sk, SOCK_FASYNC))
		pvc_conn_avail(c, true);
}
