/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Placing: the policy of the parameter placement, applied by numa/ to what the
 * kernel knows.
 */
#ifndef PVCALLS_BACK_PLACING_H
#define PVCALLS_BACK_PLACING_H

#include <linux/types.h>

#include "placement.h"

bool pvcalls_placing_heeds_cpu(void);
bool pvcalls_placing_keeps_node(void);
enum placement_policy pvcalls_placing_policy(void);
u32 pvcalls_placing_pick(enum placement_policy policy,
			 const struct placement_worker *pw, u32 n, int node,
			 int cpu);
void pvcalls_placing_watch(void (*changed)(void));

#endif /* PVCALLS_BACK_PLACING_H */
