/* SPDX-License-Identifier: GPL-2.0 */
/* The backend's socket behind a socket of datagrams: its ring and its peer. */
#ifndef PVC_DGRAM_CONN_H
#define PVC_DGRAM_CONN_H

#include <linux/types.h>

struct pvc_addr;
struct pvc_conn;
struct pvc_link;
struct pvc_sock;
struct sock;

bool pvc_dgram_dead(const struct pvc_conn *c);
int pvc_dgram_set_peer(struct pvc_conn *c, const struct pvc_addr *to);
struct pvc_link *pvc_dgram_link(void);
int pvc_dgram_attach(struct pvc_sock *psk, struct pvc_conn *c, struct sock *sk);

#endif /* PVC_DGRAM_CONN_H */
