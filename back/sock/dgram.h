/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams (feature-dgram): the arrays of the data ring hold records in place
 * of a stream of bytes.
 *
 * All functions run on the worker that the socket belongs to, and never wait
 * for the network.
 */
#ifndef PVCALLS_BACK_DGRAM_H
#define PVCALLS_BACK_DGRAM_H

#include <linux/types.h>

struct pvcalls_call;
struct pvcalls_sock;

void pvcalls_dgram_connect(struct pvcalls_sock *ps, struct pvcalls_call *call);
bool pvcalls_dgram_out(struct pvcalls_sock *ps);
bool pvcalls_dgram_in(struct pvcalls_sock *ps);
bool pvcalls_dgram_shed(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_DGRAM_H */
