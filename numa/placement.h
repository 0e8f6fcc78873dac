/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which worker gets which ring. Pure logic: no threads, no topology of its
 * own, no allocation, no locks; compiled into the backend and, unchanged, into
 * the unit tests.
 */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include "placement_port.h"

/* "Any node will do": the caller does not know where the ring's memory is */
#define PLACEMENT_ANY_NODE	(-1)
/* likewise for the CPU that its packets arrive on */
#define PLACEMENT_ANY_CPU	(-1)

/* A ring goes to another node only if that saves it this many neighbours */
#define PLACEMENT_REMOTE_COST	8

/**
 * enum placement_policy - how a worker is chosen
 * @PLACEMENT_ROUND_ROBIN: in turn
 * @PLACEMENT_LEAST_LOADED: the one with the fewest rings
 * @PLACEMENT_NODE: likewise, but preferably on the ring's node
 * @PLACEMENT_IRQ: on the CPU that the ring's packets arrive on, else near it
 * @PLACEMENT_POLICIES: how many there are
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
 * @load: what it serves already, in rings
 * @node: NUMA node of its CPU
 * @cpu: its CPU
 */
struct placement_worker {
	u32 load;
	int node;
	int cpu;
};

/**
 * struct placement_wish - where a ring would like to be
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
