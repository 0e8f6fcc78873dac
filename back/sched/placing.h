/* SPDX-License-Identifier: GPL-2.0 */
/* The policy by which works are placed: numa/ with what the kernel knows. */
#ifndef PVCALLS_BACK_PLACING_H
#define PVCALLS_BACK_PLACING_H

#include <linux/types.h>

struct pvcalls_set;
struct pvcalls_work;

bool pvcalls_placing_heeds_cpu(void);
bool pvcalls_placing_keeps_node(void);
u32 pvcalls_placing_pick(const struct pvcalls_set *set,
			 const struct pvcalls_work *work);

#endif /* PVCALLS_BACK_PLACING_H */
