// SPDX-License-Identifier: GPL-2.0
/* See placement.h. */
#include "placement.h"

/**
 * placement_choose() - find a worker for a new ring
 * @w: the workers
 * @n: how many; at least 1
 * @node: node that the ring's memory is on, or PLACEMENT_ANY_NODE
 * @remote_cost: by how many rings a worker on another node must be less loaded
 *	to be chosen in spite of the distance
 *
 * May be called from any context. The loads may be slightly out of date: the
 * choice is then slightly worse.
 *
 * Return: index of the least loaded worker; the first one of several.
 */
u32 placement_choose(const struct placement_worker *w, u32 n, int node,
		     u32 remote_cost)
{
	u64 best_cost = (u64)-1;
	u32 best = 0;
	u32 i;

	for (i = 0; i < n; i++) {
		u64 cost = w[i].load;

		if (node != PLACEMENT_ANY_NODE && w[i].node != node)
			cost += remote_cost;
		if (cost < best_cost) {
			best_cost = cost;
			best = i;
		}
	}
	return best;
}
