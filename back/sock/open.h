/* SPDX-License-Identifier: GPL-2.0 */
/* The command SOCKET: which sockets a guest may open. */
#ifndef PVCALLS_BACK_OPEN_H
#define PVCALLS_BACK_OPEN_H

#include <linux/types.h>

struct pvcalls_guest;

int pvcalls_sock_open(struct pvcalls_guest *g, u64 id, u32 domain, u32 type,
		      u32 protocol);

#endif /* PVCALLS_BACK_OPEN_H */
