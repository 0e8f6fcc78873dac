/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connecting of stream sockets.
 *
 * All functions run on the worker that the socket belongs to, and never wait
 * for the network.
 */
#ifndef PVCALLS_BACK_CONNECT_H
#define PVCALLS_BACK_CONNECT_H

struct pvcalls_call;
struct pvcalls_sock;

void pvcalls_connect_stream(struct pvcalls_sock *ps,
			    struct pvcalls_call *call);
void pvcalls_connect_check(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_CONNECT_H */
