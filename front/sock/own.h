/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which sockets are ours, and how they come to be and cease to be.
 *
 * A TCP socket is ours while our upper layer protocol (ULP) is on the socket.
 * The kernel has one slot for a ULP, refuses a second one, and calls the ULP
 * when a listening socket is cloned and when a socket is destroyed. Our ULP is
 * in no list, so that no program can ask for it. pvc_sk_get() finds what we
 * know of a socket in that slot and nowhere else: sk_user_data and the
 * callbacks belong to whoever sets them.
 *
 * A socket of datagrams is never cloned and stays ours; what we know of the
 * socket is the tail of its object, see prot.h.
 */
#ifndef PVC_OWN_H
#define PVC_OWN_H

#include "sock/sock.h"

bool pvc_sk_is_native(const struct sock *sk);
struct pvc_sock *pvc_sk_get(const struct sock *sk);
int pvc_own(struct sock *sk, struct socket *sock);
void pvc_go_local(struct pvc_sock *psk, struct socket *sock);

#endif /* PVC_OWN_H */
