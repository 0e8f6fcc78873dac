/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receiving: bytes go from the kernel socket's buffers straight into a guest's
 * pages.
 */
#ifndef PVCALLS_BACK_RECEIVE_H
#define PVCALLS_BACK_RECEIVE_H

struct iov_iter;
struct sock;
struct socket;

int pvcalls_receive_locked(struct sock *sk, struct iov_iter *to);
int pvcalls_receive(struct socket *sock, struct iov_iter *to);

#endif /* PVCALLS_BACK_RECEIVE_H */
