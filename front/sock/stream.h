/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sendmsg(), recvmsg() and poll() on a TCP socket: between a program's memory
 * and the ring. They follow tcp_sendmsg(), tcp_recvmsg() and tcp_poll() in what
 * they return when.
 */
#ifndef PVC_STREAM_H
#define PVC_STREAM_H

#include <linux/poll.h>

#include "sock/sock.h"

int pvc_sendmsg(struct pvc_sock *psk, struct socket *sock, struct msghdr *msg,
		size_t len);
int pvc_recvmsg(struct pvc_sock *psk, struct socket *sock, struct msghdr *msg,
		size_t len, int flags);
__poll_t pvc_poll(struct pvc_sock *psk, struct file *file, struct socket *sock,
		  struct poll_table_struct *wait);

#endif /* PVC_STREAM_H */
