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

/**
 * struct placement_worker - what placement knows about one worker
 * @load: what it serves already, in rings
 * @node: NUMA node of its CPU
 */
struct placement_worker {
	u32 load;
	int node;
};

u32 placement_choose(const struct placement_worker *w, u32 n, int node,
		     u32 remote_cost);

#endif /* PLACEMENT_H */
