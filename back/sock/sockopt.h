/* SPDX-License-Identifier: GPL-2.0 */
/* Options of the kernel sockets: defaults, owner, and what guests may set. */
#ifndef PVCALLS_BACK_OPTS_H
#define PVCALLS_BACK_OPTS_H

struct pvcalls_call;
struct pvcalls_fe;
struct pvcalls_sock;
struct socket;

void pvcalls_opts_init(struct pvcalls_fe *fe, struct socket *sock);
void pvcalls_opts_owner(struct pvcalls_fe *fe, struct socket *sock);
void pvcalls_opts_bind(struct pvcalls_fe *fe, struct socket *sock);
void pvcalls_opts_set(struct pvcalls_sock *ps, struct pvcalls_call *call);
void pvcalls_opts_get(struct pvcalls_sock *ps, struct pvcalls_call *call);

#endif /* PVCALLS_BACK_OPTS_H */
