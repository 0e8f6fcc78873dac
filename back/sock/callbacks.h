/* SPDX-License-Identifier: GPL-2.0 */
/* Callbacks in kernel sockets: they say that there is work, or do a little. */
#ifndef PVCALLS_BACK_CALLBACKS_H
#define PVCALLS_BACK_CALLBACKS_H

struct pvcalls_sock;
struct sock;

/**
 * struct pvcalls_callbacks - what a kernel socket had before
 * @data_ready: the socket's own callback
 * @write_space: likewise
 * @state_change: likewise
 * @error_report: likewise
 */
struct pvcalls_callbacks {
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*error_report)(struct sock *sk);
};

void pvcalls_callbacks_attach(struct pvcalls_sock *ps,
			      const struct pvcalls_callbacks *inherited);
void pvcalls_callbacks_detach(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_CALLBACKS_H */
