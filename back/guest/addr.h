/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses as guests write them. Pure: no guest, no sockets, no allocation, no
 * locks.
 */
#ifndef PVCALLS_BACK_ADDR_H
#define PVCALLS_BACK_ADDR_H

#include <linux/socket.h>
#include <linux/types.h>

struct pvcalls_target;

int pvcalls_addr_take(const u8 *addr, u32 len, bool v6,
		      struct sockaddr_storage *out);
void pvcalls_addr_target(const struct sockaddr_storage *addr,
			 struct pvcalls_target *t);
void pvcalls_addr_name(struct sockaddr_storage *addr,
		       struct pvcalls_target *t);

#endif /* PVCALLS_BACK_ADDR_H */
