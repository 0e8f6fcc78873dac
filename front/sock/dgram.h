/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets of datagrams: UDP, and ICMP echoes. The native socket underneath
 * talks to the guest's own addresses, a socket of the backend to all others;
 * which of the two is decided for each datagram. What comes in is taken from
 * both.
 */
#ifndef PVC_DGRAM_H
#define PVC_DGRAM_H

struct proto_ops;
struct pvc_link;
struct pvc_sock;
struct sock;

int pvc_dgram_open(struct pvc_sock *psk, struct sock *sk,
		   struct pvc_link *link);
void pvc_dgram_init(struct proto_ops *ops);

#endif /* PVC_DGRAM_H */
