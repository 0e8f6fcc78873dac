/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Listening sockets: the commands LISTEN, ACCEPT and POLL.
 *
 * Any number of ACCEPTs and POLLs may wait on a socket. All functions run on
 * the worker that the socket belongs to, except for pvcalls_listener_queued().
 */
#ifndef PVCALLS_BACK_LISTENER_H
#define PVCALLS_BACK_LISTENER_H

#include <linux/types.h>

struct pvcalls_call;
struct pvcalls_sock;

void pvcalls_listener_queued(struct pvcalls_sock *ps);
bool pvcalls_listener_end(struct pvcalls_sock *ps);

void pvcalls_listener_listen(struct pvcalls_sock *ps,
			     struct pvcalls_call *call);
void pvcalls_listener_accept(struct pvcalls_sock *ps,
			     struct pvcalls_call *call);
void pvcalls_listener_poll(struct pvcalls_sock *ps, struct pvcalls_call *call);
bool pvcalls_listener_pass(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_LISTENER_H */
