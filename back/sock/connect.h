/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How stream sockets connect.
 *
 * On the worker that the socket belongs to; never waits for the network.
 */
#ifndef PVCALLS_BACK_CONNECT_H
#define PVCALLS_BACK_CONNECT_H

struct pvcalls_call;
struct pvcalls_sock;

void pvcalls_connect_stream(struct pvcalls_sock *ps,
			    struct pvcalls_call *call);
void pvcalls_connect_check(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_CONNECT_H */
