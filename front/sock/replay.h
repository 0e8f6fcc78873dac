/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets come back: when a backend is there, a work tells it of the sockets
 * that wait in the roster, one after the other, in the order in which programs
 * have bound them. What a socket is, is known by its state, its address, its
 * options and its peer; only the connection is new. Programs notice nothing of
 * it, and need not wait: a call that needs the backend's socket before the work
 * has come to it makes that socket itself.
 */
#ifndef PVC_REPLAY_H
#define PVC_REPLAY_H

#include "link/link.h"

void pvc_replay_init(void);
void pvc_replay_exit(void);

extern const struct pvc_link_ops pvc_replay_link_ops;

#endif /* PVC_REPLAY_H */
