/* SPDX-License-Identifier: GPL-2.0 */
/* Names, shutdown and ioctls of TCP sockets. */
#ifndef PVC_NAMES_H
#define PVC_NAMES_H

#include "sock/sock.h"

bool pvc_is_over(const struct sock *sk, struct pvc_conn *c);
int pvc_getname(struct pvc_sock *psk, struct socket *sock, struct sockaddr *sa,
		int peer);
int pvc_shutdown(struct pvc_sock *psk, struct socket *sock, int how);
int pvc_ioctl(struct pvc_sock *psk, struct socket *sock, unsigned int cmd,
	      unsigned long arg);
int pvc_peek_len(struct pvc_sock *psk, struct socket *sock);

#endif /* PVC_NAMES_H */
