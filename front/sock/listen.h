/* SPDX-License-Identifier: GPL-2.0 */
/* listen() and accept(). */
#ifndef PVC_LISTEN_H
#define PVC_LISTEN_H

#include "sock/sock.h"

int pvc_listen(struct pvc_sock *psk, struct socket *sock, int backlog);
bool pvc_listen_leave(struct pvc_sock *psk, struct socket *sock);
int pvc_accept(struct pvc_sock *psk, struct socket *sock,
	       struct socket *newsock, int flags, bool kern);
int pvc_accept_pass(struct socket *sock, struct socket *newsock, int flags,
		    bool kern);

#endif /* PVC_LISTEN_H */
