/* SPDX-License-Identifier: GPL-2.0 */
/* Which sockets are ours, and how they come to be and cease to be. */
#ifndef PVC_OWN_H
#define PVC_OWN_H

#include "sock/sock.h"

bool pvc_sk_is_native(const struct sock *sk);
struct pvc_sock *pvc_sk_get(const struct sock *sk);
int pvc_own(struct sock *sk, struct socket *sock);
void pvc_go_local(struct pvc_sock *psk, struct socket *sock);

#endif /* PVC_OWN_H */
