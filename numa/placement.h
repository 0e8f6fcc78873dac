/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Placement: which worker gets which ring.
 *
 * All of numa/ is pure logic. It has no threads, no locks and no topology of
 * its own, and allocates nothing. So the same files are compiled into the
 * backend and into the unit tests. Every function may be called in any context.
 */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include "placement_port.h"

/*
 * The caller does not know the node of the ring's memory, so any node will do
 */
#define PLACEMENT_ANY_NODE	(-1)
/* The caller does not know where packets arrive, so any CPU will do */
#define PLACEMENT_ANY_CPU	(-1)

/* A ring goes to another node only if that saves it this many neighbours */
#define PLACEMENT_REMOTE_COST	8

/**
 * enum placement_policy - how a worker is chosen
 * @PLACEMENT_ROUND_ROBIN: the workers get rings in turn
 * @PLACEMENT_LEAST_LOADED: the worker with the fewest rings
 * @PLACEMENT_NODE: the worker with the fewest rings, preferably on the ring's
 *	node
 * @PLACEMENT_IRQ: a worker on the CPU where the ring's packets arrive, or else
 *	on its node
 * @PLACEMENT_POLICIES: number of policies
 */
enum placement_policy {
	PLACEMENT_ROUND_ROBIN,
	PLACEMENT_LEAST_LOADED,
	PLACEMENT_NODE,
	PLACEMENT_IRQ,
	PLACEMENT_POLICIES,
};

/**
 * struct placement_worker - what placement knows about one worker
 * @load: number of rings that the worker serves already
 * @node: NUMA node of @cpu
 * @cpu: CPU to which the worker is bound
 */
struct placement_worker {
	u32 load;
	int node;
	int cpu;
};

/**
 * struct placement_wish - node and CPU that are best for a ring
 * @node: NUMA node, or PLACEMENT_ANY_NODE
 * @cpu: CPU, or PLACEMENT_ANY_CPU
 */
struct placement_wish {
	int node;
	int cpu;
};

u32 placement_choose(const struct placement_worker *w, u32 n, int node,
		     u32 remote_cost);
u32 placement_on_cpu(const struct placement_worker *w, u32 n, int cpu);
u32 placement_pick(enum placement_policy policy,
		   const struct placement_worker *w, u32 n,
		   const struct placement_wish *wish, u32 turn);
const char *placement_name(u32 policy);
u32 placement_parse(const char *name);

#endif /* PLACEMENT_H */
