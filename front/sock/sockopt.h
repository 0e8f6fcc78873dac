/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options. The native socket underneath checks and keeps them all, so that
 * programs get the answers that TCP gives; those that matter to the real socket
 * are passed on to the backend as well.
 */
#ifndef PVC_SOCKOPT_H
#define PVC_SOCKOPT_H

#include "sock/sock.h"

bool pvc_has_opts(struct pvc_sock *psk, const struct sock *sk);
int pvc_relay_opts(struct pvc_sock *psk, const struct sock *sk,
		   struct pvc_conn *c);
void pvc_relay_reuse(struct pvc_conn *c);
int pvc_setsockopt(struct pvc_sock *psk, struct socket *sock, int level,
		   int name, sockptr_t val, unsigned int len);
int pvc_getsockopt(struct pvc_sock *psk, struct socket *sock, int level,
		   int name, char __user *val, int __user *len);

#endif /* PVC_SOCKOPT_H */
