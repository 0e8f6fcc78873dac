/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options of kernel sockets: defaults, the owner, and options that guests may
 * set or read.
 */
#ifndef PVCALLS_BACK_SOCKOPT_H
#define PVCALLS_BACK_SOCKOPT_H

struct pvcalls_call;
struct pvcalls_guest;
struct pvcalls_sock;
struct socket;

void pvcalls_sockopt_init(struct pvcalls_guest *g, struct socket *sock);
void pvcalls_sockopt_owner(struct pvcalls_guest *g, struct socket *sock);
void pvcalls_sockopt_bind(struct pvcalls_guest *g, struct socket *sock);
void pvcalls_sockopt_set(struct pvcalls_sock *ps, struct pvcalls_call *call);
void pvcalls_sockopt_get(struct pvcalls_sock *ps, struct pvcalls_call *call);

#endif /* PVCALLS_BACK_SOCKOPT_H */
