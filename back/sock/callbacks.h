/* SPDX-License-Identifier: GPL-2.0 */
/* Callbacks in kernel sockets: they tell their owner what has happened. */
#ifndef PVCALLS_BACK_CALLBACKS_H
#define PVCALLS_BACK_CALLBACKS_H

struct pvcalls_callbacks;
struct sock;

/**
 * struct pvcalls_callback_ops - what the owner of a kernel socket is told
 * @data: there may be data, or a connection to accept; TCP holds the socket's
 *	lock, but for a socket that listens
 * @space: there may be room
 * @state: the connection has come about or ended, or there is an error
 *
 * Context: softirq, or process with the kernel socket locked. Must not sleep.
 */
struct pvcalls_callback_ops {
	void (*data)(struct pvcalls_callbacks *cb, struct sock *sk);
	void (*space)(struct pvcalls_callbacks *cb, struct sock *sk);
	void (*state)(struct pvcalls_callbacks *cb, struct sock *sk);
};

/**
 * struct pvcalls_saved_callbacks - what a kernel socket had before
 * @data_ready: the socket's own callback
 * @write_space: likewise
 * @state_change: likewise
 * @error_report: likewise
 */
struct pvcalls_saved_callbacks {
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*error_report)(struct sock *sk);
};

/**
 * struct pvcalls_callbacks - the owner of a kernel socket; embedded in it
 * @ops: what the owner is told
 * @saved: what the kernel socket had before
 */
struct pvcalls_callbacks {
	const struct pvcalls_callback_ops *ops;
	struct pvcalls_saved_callbacks saved;
};

void pvcalls_callbacks_attach(struct pvcalls_callbacks *cb, struct sock *sk,
			      const struct pvcalls_callbacks *inherited);
void pvcalls_callbacks_detach(struct pvcalls_callbacks *cb, struct sock *sk);

#endif /* PVCALLS_BACK_CALLBACKS_H */
