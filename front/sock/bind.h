/* SPDX-License-Identifier: GPL-2.0 */
/* bind(), and the binding that listen(), connect() and datagrams need. */
#ifndef PVC_BIND_H
#define PVC_BIND_H

#include "sock/sock.h"

int pvc_bind(struct pvc_sock *psk, struct socket *sock, struct sockaddr *sa,
	     int len);
int pvc_bind_again(struct pvc_sock *psk, struct sock *sk,
		   struct pvc_link *link);
int pvc_bind_any(struct socket *sock, struct pvc_sock *psk);

#endif /* PVC_BIND_H */
