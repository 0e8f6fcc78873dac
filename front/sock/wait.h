/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that wait for something to happen to their socket. */
#ifndef PVC_WAIT_H
#define PVC_WAIT_H

#include <linux/mutex.h>
#include <linux/wait.h>

struct pvc_conn;
struct sock;

/**
 * struct pvc_waiter - a call that waits for something to happen to its socket
 * @wait: on the socket's wait queue
 * @waiting: @wait is on the wait queue; a look must then ask to be woken
 * @timeo: jiffies that may still be waited
 */
struct pvc_waiter {
	wait_queue_entry_t wait;
	bool waiting;
	long timeo;
};

long pvc_wait(struct sock *sk, wait_queue_entry_t *wait, long timeo);
void pvc_waiter_init(struct pvc_waiter *w, long timeo);
long pvc_waiter_next(struct pvc_waiter *w, struct sock *sk,
		     struct mutex *mutex);
void pvc_waiter_end(struct pvc_waiter *w, struct sock *sk);
void pvc_recv_rearm(struct sock *sk, struct pvc_conn *c);

#endif /* PVC_WAIT_H */
