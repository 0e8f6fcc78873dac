/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may connect to a guest's listening sockets: the owner of the kernel
 * socket is asked for each SYN, and one who may not gets a RST, as if nobody
 * listened.
 */
#ifndef PVCALLS_BACK_INBOUND_H
#define PVCALLS_BACK_INBOUND_H

struct sock;

int pvcalls_inbound_start(void);
void pvcalls_inbound_attach(struct sock *sk);
void pvcalls_inbound_detach(struct sock *sk);

#endif /* PVCALLS_BACK_INBOUND_H */
