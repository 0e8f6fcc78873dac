/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Passive sockets: listen, accept, poll.
 *
 * Any number of accepts and polls may wait on a socket. Everything here runs
 * on the worker that the socket belongs to.
 */
#ifndef PVCALLS_BACK_LISTENER_H
#define PVCALLS_BACK_LISTENER_H

#include <linux/list.h>

struct pvcalls_call;
struct pvcalls_sock;

/**
 * struct pvcalls_listener - what a passive socket has
 * @accepts: ACCEPTs that wait for a connection, the oldest first
 * @polls: POLLs that wait for one
 */
struct pvcalls_listener {
	struct list_head accepts;
	struct list_head polls;
};

void pvcalls_listener_init(struct pvcalls_listener *p);
void pvcalls_listener_close(struct pvcalls_sock *ps);

void pvcalls_listener_listen(struct pvcalls_sock *ps,
			     struct pvcalls_call *call);
void pvcalls_listener_accept(struct pvcalls_sock *ps,
			     struct pvcalls_call *call);
void pvcalls_listener_poll(struct pvcalls_sock *ps, struct pvcalls_call *call);
bool pvcalls_listener_step(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_LISTENER_H */
