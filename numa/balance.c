// SPDX-License-Identifier: GPL-2.0
/* See balance.h. */
#include "balance.h"

/**
 * balance_find() - is the load uneven?
 * @cost: of each worker, each below 2^56
 * @n: how many workers, at most 64
 * @least: with a mean below that nobody is busy
 * @from: set to the busiest worker
 * @to: set to the least busy one
 *
 * Any context.
 *
 * Return: true if something should be moved from @from to @to.
 */
bool balance_find(const u64 *cost, u32 n, u64 least, u32 *from, u32 *to)
{
	u64 sum = 0;
	u32 i;

	*from = 0;
	*to = 0;
	for (i = 0; i < n; i++) {
		sum += cost[i];
		if (cost[i] > cost[*from])
			*from = i;
		if (cost[i] < cost[*to])
			*to = i;
	}
	/* cost > mean * (1 + 1 / 8), without a division */
	return sum >= least * n && cost[*from] * n >
		sum + (sum >> BALANCE_TOLERANCE_SHIFT);
}

/**
 * balance_gain() - what does moving a ring gain?
 * @from: cost of the worker that has it
 * @to: cost of the worker that would get it
 * @cost: of the ring
 *
 * The move that gains most is the best one. A ring that makes the other worker
 * as busy as this one was gains nothing, so that a single hot ring stays.
 * Any context.
 *
 * Return: by how much less busy the busier of the two would be, or 0 if that
 * is too little to be worth it.
 */
u64 balance_gain(u64 from, u64 to, u64 cost)
{
	/* wraps if counters that ran on make @cost too large, for no gain */
	u64 left = from - cost;
	u64 busier = to + cost > left ? to + cost : left;

	if (busier >= from || from - busier < from >> BALANCE_GAIN_SHIFT)
		return 0;
	return from - busier;
}
