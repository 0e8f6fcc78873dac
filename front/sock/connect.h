/* SPDX-License-Identifier: GPL-2.0 */
/* connect() of TCP sockets. */
#ifndef PVC_CONNECT_H
#define PVC_CONNECT_H

#include "sock/sock.h"

int pvc_connect(struct pvc_sock *psk, struct socket *sock, struct sockaddr *sa,
		int len, int flags);

#endif /* PVC_CONNECT_H */
