/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Passive sockets: listen, accept, poll.
 *
 * Any number of accepts and polls may wait on a socket. Everything here runs
 * on the worker that the socket belongs to.
 */
#ifndef PVCALLS_BACK_PASSIVE_H
#define PVCALLS_BACK_PASSIVE_H

#include <linux/list.h>

struct pvcalls_call;
struct pvcalls_sock;

/**
 * struct pvcalls_passive - what a passive socket has
 * @accepts: ACCEPTs that wait for a connection, the oldest first
 * @polls: POLLs that wait for one
 */
struct pvcalls_passive {
	struct list_head accepts;
	struct list_head polls;
};

void pvcalls_passive_init(struct pvcalls_passive *p);
void pvcalls_passive_close(struct pvcalls_sock *ps);

void pvcalls_passive_listen(struct pvcalls_sock *ps,
			    struct pvcalls_call *call);
void pvcalls_passive_accept(struct pvcalls_sock *ps,
			    struct pvcalls_call *call);
void pvcalls_passive_poll(struct pvcalls_sock *ps, struct pvcalls_call *call);
bool pvcalls_passive_step(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_PASSIVE_H */
