/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The NUMA node of each CPU: as the operator says, or else as Linux says. In a
 * PV domain Linux knows none.
 */
#ifndef PVCALLS_BACK_TOPOLOGY_H
#define PVCALLS_BACK_TOPOLOGY_H

int pvcalls_topology_node(int cpu);
void pvcalls_topology_watch(void (*changed)(void));

#endif /* PVCALLS_BACK_TOPOLOGY_H */
