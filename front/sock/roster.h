/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The roster has the sockets that come back when a backend has gone: those that
 * a program has bound or made to listen, and those of datagrams. Each is in one
 * of four lists: served, while the backend knows the socket; waiting, until
 * replay.c takes the socket; trying, while replay.c tells a backend of it; or
 * refused, until replay.c tries again. A socket leaves the roster when its
 * program ends listening or takes the address away, when it goes local, and when
 * it is closed.
 */
#ifndef PVC_ROSTER_H
#define PVC_ROSTER_H

#include <linux/types.h>

struct pvc_addr;
struct pvc_sock;
struct sock;

void pvc_roster_init(void (*replay)(void));
void pvc_roster_join(struct pvc_sock *psk, struct sock *sk);
void pvc_roster_leave(struct pvc_sock *psk);
bool pvc_roster_reserves(const struct sock *sk, const struct pvc_addr *a);
struct pvc_sock *pvc_roster_next(void);
void pvc_roster_tried(void);
void pvc_roster_refused(struct pvc_sock *psk);
bool pvc_roster_refusing(void);
void pvc_roster_retry(void);
void pvc_roster_ended(void);

#endif /* PVC_ROSTER_H */
