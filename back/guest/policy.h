/* SPDX-License-Identifier: GPL-2.0 */
/* The policy: which addresses a guest may use, and the mark of its sockets. */
#ifndef PVCALLS_BACK_POLICY_H
#define PVCALLS_BACK_POLICY_H

#include <linux/socket.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

struct pvcalls_guest;

u32 pvcalls_mark(domid_t domid);

int pvcalls_policy_addr(struct pvcalls_guest *g, const u8 *addr, u32 len,
			struct sockaddr_storage *out);
int pvcalls_policy_connect(struct pvcalls_guest *g,
			   const struct sockaddr_storage *addr);
int pvcalls_policy_bind(struct pvcalls_guest *g,
			const struct sockaddr_storage *addr);

#endif /* PVCALLS_BACK_POLICY_H */
