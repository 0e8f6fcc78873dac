// SPDX-License-Identifier: GPL-2.0
/* See balance.h. */
#include "balance.h"

/**
 * balance_find() - is the load uneven?
 * @cost: of each worker, each below 2^56
 * @n: how many workers, at most BALANCE_MAX
 * @least: with a mean below that nobody is busy
 * @from: set to the busiest worker
 * @to: set to the least busy one
 *
 * Context: any.
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

/* The workers of the node of @first */
static u32 balance_node(const u64 *cost, const int *node, u32 n, u32 first,
			u64 *there, u32 *index)
{
	u32 i, count = 0;

	for (i = 0; i < n; i++) {
		if (node[i] != node[first])
			continue;
		there[count] = cost[i];
		index[count++] = i;
	}
	return count;
}

/**
 * balance_find_near() - is the load of a node uneven?
 * @cost: of each worker, each below 2^56
 * @node: of each worker
 * @n: how many workers, at most BALANCE_MAX
 * @least: with a mean on the node below that nobody is busy there
 * @from: set to the busiest worker of the node
 * @to: set to the least busy one there
 *
 * If several are uneven, it is the one with the largest difference.
 *
 * Context: any.
 * Return: true if something should be moved from @from to @to.
 */
bool balance_find_near(const u64 *cost, const int *node, u32 n, u64 least,
		       u32 *from, u32 *to)
{
	u64 there[BALANCE_MAX], most = 0;
	u32 index[BALANCE_MAX];
	u32 first, count, f, t;

	for (first = 0; first < n; first++) {
		count = balance_node(cost, node, n, first, there, index);
		if (!balance_find(there, count, least, &f, &t) ||
		    there[f] - there[t] <= most)
			continue;
		most = there[f] - there[t];
		*from = index[f];
		*to = index[t];
	}
	return most;
}

/**
 * balance_gain() - what does moving a ring gain?
 * @from: cost of the worker that has it
 * @to: cost of the worker that would get it
 * @cost: of the ring
 *
 * The move that gains most is the best one. A ring that makes the other worker
 * as busy as this one was gains nothing, so that a single hot ring stays.
 *
 * Context: any.
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
