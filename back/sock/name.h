/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses of sockets: the commands BIND and GETNAME, and addresses in other
 * responses.
 *
 * All functions run on the worker that the socket belongs to.
 */
#ifndef PVCALLS_BACK_NAME_H
#define PVCALLS_BACK_NAME_H

#include <linux/types.h>

struct pvcalls_call;
struct pvcalls_sock;

void pvcalls_name_put(struct pvcalls_sock *ps, struct pvcalls_call *call,
		      bool peer);
void pvcalls_name_get(struct pvcalls_sock *ps, struct pvcalls_call *call);
void pvcalls_name_bind(struct pvcalls_sock *ps, struct pvcalls_call *call);

#endif /* PVCALLS_BACK_NAME_H */
