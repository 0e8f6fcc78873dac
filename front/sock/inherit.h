/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a socket that accept() makes for a connection from the backend inherits
 * from the listening socket, as if TCP had cloned it.
 */
#ifndef PVC_INHERIT_H
#define PVC_INHERIT_H

struct sock;
struct socket;

void pvc_inherit_owner(struct sock *sk, struct sock *from);
void pvc_inherit(struct socket *newsock, const struct sock *from);

#endif /* PVC_INHERIT_H */
