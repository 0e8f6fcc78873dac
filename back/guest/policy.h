/* SPDX-License-Identifier: GPL-2.0 */
/* Who may do what: addresses and limits. */
#ifndef PVCALLS_BACK_POLICY_H
#define PVCALLS_BACK_POLICY_H

#include <linux/socket.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

struct pvcalls_guest;

u32 pvcalls_max_order(void);
u32 pvcalls_max_cmd_order(void);
u32 pvcalls_max_sockets(void);
u32 pvcalls_max_deferred(void);
u32 pvcalls_max_pages(void);
u32 pvcalls_reuse_pages(void);
unsigned long pvcalls_reuse_time(void);
u32 pvcalls_mark(domid_t domid);

int pvcalls_policy_addr(struct pvcalls_guest *g, const u8 *addr, u32 len,
			struct sockaddr_storage *out);
int pvcalls_policy_connect(struct pvcalls_guest *g,
			   const struct sockaddr_storage *addr);
int pvcalls_policy_bind(struct pvcalls_guest *g,
			const struct sockaddr_storage *addr);

#endif /* PVCALLS_BACK_POLICY_H */
