/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Node map: the NUMA node of each CPU, as an operator writes the topology. Pure
 * logic, as placement.h is.
 */
#ifndef NODEMAP_H
#define NODEMAP_H

#include "placement_port.h"

/* Largest number of a node */
#define NODEMAP_MAX_NODE	1023
/* Node of a CPU that the topology does not name */
#define NODEMAP_NO_NODE	(-1)

int nodemap_parse(const char *s, s16 *node, u32 cpus);

#endif /* NODEMAP_H */
