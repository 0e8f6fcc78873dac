/* SPDX-License-Identifier: GPL-2.0 */
/* Which CPU is on which NUMA node, as an operator writes it. Pure logic. */
#ifndef NODEMAP_H
#define NODEMAP_H

#include "placement_port.h"

/* The largest number of a node */
#define NODEMAP_MAX_NODE	1023
/* The node of a CPU that was not named */
#define NODEMAP_NO_NODE	(-1)

int nodemap_parse(const char *s, s16 *node, u32 cpus);

#endif /* NODEMAP_H */
