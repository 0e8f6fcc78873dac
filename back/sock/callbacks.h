/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Callbacks of kernel sockets: they report to the kernel socket's owner what
 * has happened.
 */
#ifndef PVCALLS_BACK_CALLBACKS_H
#define PVCALLS_BACK_CALLBACKS_H

#include <linux/types.h>

struct pvcalls_callbacks;
struct sk_buff;
struct sock;

/**
 * struct pvcalls_callback_ops - reports to the owner of a kernel socket
 * @data: there may be data or a connection to accept. A stream's kernel socket
 *	is locked, unless the socket listens
 * @space: there may be room for sending
 * @state: the connection has come about or ended, or there is an error
 * @syn: somebody wants to connect to the listening socket. Returns whether he
 *	may
 *
 * Context: softirq, or process with bottom halves off or the kernel socket
 * locked. Must not sleep.
 */
struct pvcalls_callback_ops {
	void (*data)(struct pvcalls_callbacks *cb, struct sock *sk);
	void (*space)(struct pvcalls_callbacks *cb, struct sock *sk);
	void (*state)(struct pvcalls_callbacks *cb, struct sock *sk);
	bool (*syn)(struct pvcalls_callbacks *cb, const struct sk_buff *skb);
};

/**
 * struct pvcalls_saved_callbacks - callbacks that a kernel socket had before
 * @data_ready: the kernel socket's own callback for data
 * @write_space: the kernel socket's own callback for room
 * @state_change: the kernel socket's own callback for changes of its state
 * @error_report: the kernel socket's own callback for errors
 */
struct pvcalls_saved_callbacks {
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*error_report)(struct sock *sk);
};

/**
 * struct pvcalls_callbacks - owner of a kernel socket, embedded in the owner's
 * object
 * @ops: the owner's functions
 * @saved: callbacks that the kernel socket had before
 */
struct pvcalls_callbacks {
	const struct pvcalls_callback_ops *ops;
	struct pvcalls_saved_callbacks saved;
};

void pvcalls_callbacks_attach(struct pvcalls_callbacks *cb, struct sock *sk,
			      const struct pvcalls_callbacks *inherited);
bool pvcalls_callbacks_syn(struct sock *sk, const struct sk_buff *skb);
void pvcalls_callbacks_detach(struct pvcalls_callbacks *cb, struct sock *sk);

#endif /* PVCALLS_BACK_CALLBACKS_H */
