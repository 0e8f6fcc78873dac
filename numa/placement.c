// SPDX-License-Identifier: GPL-2.0
/* Choice of a worker; placement.h describes the policies. */
#include "placement.h"

/**
 * placement_choose() - find a worker for a new ring
 * @w: the workers
 * @n: number of workers, at least 1
 * @node: NUMA node of the ring's memory, or PLACEMENT_ANY_NODE
 * @remote_cost: how many rings less a worker on another node must have to be
 *	chosen in spite of the distance
 *
 * The loads may be slightly out of date, which makes the choice slightly worse.
 *
 * Context: any.
 * Return: index of the least loaded worker, the first one among equals.
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

/**
 * placement_on_cpu() - find a worker on a CPU
 * @w: the workers
 * @n: number of workers
 * @cpu: the CPU
 *
 * Context: any.
 * Return: index of the least loaded worker on @cpu, the first one among equals;
 * or @n if there is none.
 */
u32 placement_on_cpu(const struct placement_worker *w, u32 n, int cpu)
{
	u32 best = n;
	u32 i;

	for (i = 0; i < n; i++) {
		if (w[i].cpu != cpu)
			continue;
		if (best == n || w[i].load < w[best].load)
			best = i;
	}
	return best;
}

/**
 * placement_pick() - find a worker for a ring by a policy
 * @policy: the policy
 * @w: the workers
 * @n: number of workers, at least 1
 * @wish: node and CPU that are best for the ring. For PLACEMENT_IRQ @wish->node
 *	is the node of @wish->cpu
 * @turn: number of the ring, for PLACEMENT_ROUND_ROBIN; grows by one for each
 *	ring
 *
 * Context: any.
 * Return: index of the worker.
 */
u32 placement_pick(enum placement_policy policy,
		   const struct placement_worker *w, u32 n,
		   const struct placement_wish *wish, u32 turn)
{
	int node = PLACEMENT_ANY_NODE;
	u32 there;

	if (policy == PLACEMENT_ROUND_ROBIN)
		return turn % n;
	if (policy == PLACEMENT_IRQ && wish->cpu != PLACEMENT_ANY_CPU) {
		there = placement_on_cpu(w, n, wish->cpu);
		if (there < n)
			return there;
	}
	if (policy != PLACEMENT_LEAST_LOADED)
		node = wish->node;
	return placement_choose(w, n, node, PLACEMENT_REMOTE_COST);
}

static const char * const placement_names[PLACEMENT_POLICIES] = {
	[PLACEMENT_ROUND_ROBIN]		= "round_robin",
	[PLACEMENT_LEAST_LOADED]	= "least_loaded",
	[PLACEMENT_NODE]		= "node",
	[PLACEMENT_IRQ]			= "irq",
};

/**
 * placement_name() - get a policy's name
 * @policy: the policy, below PLACEMENT_POLICIES
 *
 * Context: any.
 * Return: the name that placement_parse() takes.
 */
const char *placement_name(u32 policy)
{
	return placement_names[policy];
}

/* Is @s the same as @name? One end of line after @s is ignored. */
static bool placement_is(const char *s, const char *name)
{
	while (*name && *s == *name) {
		s++;
		name++;
	}
	if (*s == '\n')
		s++;
	return !*s && !*name;
}

/**
 * placement_parse() - find a policy by its name
 * @name: the name, after which one end of line is ignored
 *
 * Context: any.
 * Return: the policy, or PLACEMENT_POLICIES if no policy has that name.
 */
u32 placement_parse(const char *name)
{
	u32 i;

	for (i = 0; i < PLACEMENT_POLICIES; i++)
		if (placement_is(name, placement_names[i]))
			break;
	return i;
}
