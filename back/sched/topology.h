/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which CPU is on which NUMA node: what the operator says, else what Linux
 * says, which in a PV domain is nothing.
 */
#ifndef PVCALLS_BACK_TOPOLOGY_H
#define PVCALLS_BACK_TOPOLOGY_H

int pvcalls_topology_node(int cpu);
void pvcalls_topology_watch(void (*changed)(void));

#endif /* PVCALLS_BACK_TOPOLOGY_H */
