// SPDX-License-Identifier: GPL-2.0
/* When to move a ring to another worker; balance.h defines costs. */
#include "balance.h"

/**
 * balance_find() - find an uneven load of all workers
 * @cost: cost of each worker, each below 2^56
 * @n: number of workers, 1 to BALANCE_MAX
 * @least: mean cost below which no worker counts as busy
 * @from: set to the index of the busiest worker
 * @to: set to the index of the least busy worker
 *
 * Context: any.
 * Return: true if a ring should be moved from @from to @to.
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
	/* compare with mean * (1 + 1 / 8) without a division */
	return sum >= least * n && cost[*from] * n >
		sum + (sum >> BALANCE_TOLERANCE_SHIFT);
}

/* Gather the workers on the node of worker @first. Returns their number. */
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
 * balance_find_near() - find an uneven load within a node
 * @cost: cost of each worker, each below 2^56
 * @node: NUMA node of each worker
 * @n: number of workers, 1 to BALANCE_MAX
 * @least: mean cost on a node below which no worker of the node counts as busy
 * @from: set to the index of the busiest worker of the node
 * @to: set to the index of the least busy worker of the node
 *
 * If several nodes are uneven, the node with the largest difference is chosen.
 *
 * Context: any.
 * Return: true if a ring should be moved from @from to @to.
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
 * balance_gain() - by how much moving a ring helps
 * @from: cost of the worker that has the ring
 * @to: cost of the worker that would get the ring
 * @cost: cost of the ring
 *
 * The move that gains most is the best one. Moving a ring that would make the
 * other worker as busy as this one was gains nothing, so that a single busy
 * ring stays.
 *
 * Context: any.
 * Return: the decrease of the busier worker's cost, or 0 if the decrease is not
 * worth a move.
 */
u64 balance_gain(u64 from, u64 to, u64 cost)
{
	/*
	 * may wrap if the ring's counter is ahead of @from; then there is no
	 * gain
	 */
	u64 left = from - cost;
	u64 busier = to + cost > left ? to + cost : left;

	if (busier >= from || from - busier < from >> BALANCE_GAIN_SHIFT)
		return 0;
	return from - busier;
}
