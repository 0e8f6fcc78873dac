/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs of sockets: a socket's commands, moving of bytes, and the socket's end,
 * on the worker that the socket belongs to. It also holds the tables that
 * softirqs and events come in by.
 */
#ifndef PVCALLS_BACK_RUN_H
#define PVCALLS_BACK_RUN_H

#include <linux/types.h>

struct pvcalls_call;
struct pvcalls_sock;
struct pvcalls_sock_type;

const struct pvcalls_sock_type *pvcalls_sock_type(u32 type);

void pvcalls_sock_connect(struct pvcalls_sock *ps, struct pvcalls_call *call);
void pvcalls_sock_release(struct pvcalls_sock *ps, struct pvcalls_call *call);

#endif /* PVCALLS_BACK_RUN_H */
