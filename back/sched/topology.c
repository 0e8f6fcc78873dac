// SPDX-License-Identifier: GPL-2.0
/* The topology that the operator has given; topology.h says when it counts. */
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/topology.h>

#include "nodemap.h"
#include "placement.h"
#include "pvcalls_param.h"
#include "sched/topology.h"

/* The parameter as text and as a table; kernel_param_lock() guards writers */
static char pvcalls_topology_text[1024];
static s16 pvcalls_topology_nodes[NR_CPUS] = {
	[0 ... NR_CPUS - 1] = NODEMAP_NO_NODE
};

/* NULL until there are workers whose nodes could change */
static void (*pvcalls_topology_changed)(void);

/**
 * pvcalls_topology_node() - the NUMA node of a CPU
 * @cpu: the CPU, or PLACEMENT_ANY_CPU
 *
 * Context: any.
 * Return: the node, or PLACEMENT_ANY_NODE.
 */
int pvcalls_topology_node(int cpu)
{
	int node;

	if (cpu < 0)
		return PLACEMENT_ANY_NODE;
	node = READ_ONCE(pvcalls_topology_nodes[cpu]);
	return node == NODEMAP_NO_NODE ? cpu_to_node(cpu) : node;
}

/**
 * pvcalls_topology_watch() - register a callback for changes of the topology
 * @changed: called after each change from now on; may sleep
 *
 * Context: any.
 */
void pvcalls_topology_watch(void (*changed)(void))
{
	/* pairs with the barrier in param_set_topology() */
	smp_store_mb(pvcalls_topology_changed, changed);
}

static int param_set_topology(const char *val, const struct kernel_param *kp)
{
	void (*changed)(void);
	s16 *nodes;
	int cpu, err = -EINVAL;

	nodes = kvmalloc_array(nr_cpu_ids, sizeof(*nodes), GFP_KERNEL);
	if (!nodes)
		return -ENOMEM;
	if (strlen(val) < sizeof(pvcalls_topology_text))
		err = nodemap_parse(val, nodes, nr_cpu_ids);
	if (err) {
		pvcalls_param_err("topology", val,
				  "not of the form CPU[-CPU]:NODE,..., or a CPU that can't be or comes twice");
		goto free;
	}
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		WRITE_ONCE(pvcalls_topology_nodes[cpu], nodes[cpu]);
	strscpy(pvcalls_topology_text, val, sizeof(pvcalls_topology_text));
	strim(pvcalls_topology_text);
	/*
	 * pairs with pvcalls_topology_watch(): either the callback is called,
	 * or who has registered it sees the new nodes
	 */
	smp_mb();
	changed = READ_ONCE(pvcalls_topology_changed);
	if (changed)
		changed();
free:
	kvfree(nodes);
	return err;
}

static int param_get_topology(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", pvcalls_topology_text);
}

static const struct kernel_param_ops param_ops_topology = {
	.set = param_set_topology,
	.get = param_get_topology,
};

module_param_cb(topology, &param_ops_topology, NULL, 0644);
MODULE_PARM_DESC(topology,
		 "NUMA nodes of this domain's CPUs, such as 0-3:0,4-7:1 (default: what Linux says, in a PV domain nothing)");
