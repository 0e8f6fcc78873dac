/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When to move a ring from one worker to another. Pure logic, see placement.h.
 *
 * Costs are in whatever the caller counts for a ring in an interval; a
 * worker's cost is the sum of those of its rings.
 */
#ifndef BALANCE_H
#define BALANCE_H

#include "placement_port.h"

#define BALANCE_MAX		64
/* What exceeds the mean by no more than 1/8 is balanced */
#define BALANCE_TOLERANCE_SHIFT	3
/* A move must take at least 1/16 off the busiest worker */
#define BALANCE_GAIN_SHIFT	4

bool balance_find(const u64 *cost, u32 n, u64 least, u32 *from, u32 *to);
bool balance_find_near(const u64 *cost, const int *node, u32 n, u64 least,
		       u32 *from, u32 *to);
u64 balance_gain(u64 from, u64 to, u64 cost);

#endif /* BALANCE_H */
