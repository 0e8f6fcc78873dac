/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Balance: when to move a ring from one worker to another. Pure logic, as
 * placement.h is.
 *
 * The caller chooses the unit of costs, and counts a ring's cost in an
 * interval. A worker's cost is the sum of its rings' costs.
 */
#ifndef BALANCE_H
#define BALANCE_H

#include "placement_port.h"

#define BALANCE_MAX		64
/* A cost that exceeds the mean by no more than 1/8 is balanced */
#define BALANCE_TOLERANCE_SHIFT	3
/* A move must reduce the busiest worker's cost by at least 1/16 */
#define BALANCE_GAIN_SHIFT	4

bool balance_find(const u64 *cost, u32 n, u64 least, u32 *from, u32 *to);
bool balance_find_near(const u64 *cost, const int *node, u32 n, u64 least,
		       u32 *from, u32 *to);
u64 balance_gain(u64 from, u64 to, u64 cost);

#endif /* BALANCE_H */
