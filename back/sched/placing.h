/* SPDX-License-Identifier: GPL-2.0 */
/* The policy by which works are placed: numa/ with what the kernel knows. */
#ifndef PVCALLS_BACK_PLACING_H
#define PVCALLS_BACK_PLACING_H

#include <linux/types.h>

struct pvcalls_pool;
struct pvcalls_work;

bool pvcalls_placing_heeds_cpu(void);
bool pvcalls_placing_keeps_node(void);
u32 pvcalls_placing_pick(const struct pvcalls_pool *pool,
			 const struct pvcalls_work *work);

#endif /* PVCALLS_BACK_PLACING_H */
