// SPDX-License-Identifier: GPL-2.0
/* See placing.h. */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "placement.h"
#include "pvcalls_param.h"
#include "sched/placing.h"
#include "sched/topology.h"

static u32 pvcalls_placement = PLACEMENT_LEAST_LOADED;
static atomic_t pvcalls_turn;
/* NULL: there is no work yet that could be placed anew */
static void (*pvcalls_placing_changed)(void);

/**
 * pvcalls_placing_heeds_cpu() - does it matter where packets arrive?
 *
 * Return: true if a work whose @cpu_wish changes is to be placed anew. Any
 * context.
 */
bool pvcalls_placing_heeds_cpu(void)
{
	u32 policy = READ_ONCE(pvcalls_placement);

	return policy == PLACEMENT_IRQ || policy == PLACEMENT_NODE;
}

/**
 * pvcalls_placing_keeps_node() - are works to stay on their node?
 *
 * Return: true if the balancer may not move them to another. Any context.
 */
bool pvcalls_placing_keeps_node(void)
{
	return READ_ONCE(pvcalls_placement) == PLACEMENT_NODE;
}

/**
 * pvcalls_placing_policy() - the policy in force
 *
 * Context: any.
 * Return: the policy.
 */
enum placement_policy pvcalls_placing_policy(void)
{
	return READ_ONCE(pvcalls_placement);
}

/**
 * pvcalls_placing_pick() - find a worker by a policy
 * @policy: the policy
 * @pw: the workers; of several that are as good the first one is found
 * @n: how many, at least 1
 * @node: NUMA node that the work would like to be on, or PLACEMENT_ANY_NODE
 * @cpu: CPU that the work's packets arrive on, or PLACEMENT_ANY_CPU
 *
 * Context: any.
 * Return: an index into @pw.
 */
u32 pvcalls_placing_pick(enum placement_policy policy,
			 const struct placement_worker *pw, u32 n, int node,
			 int cpu)
{
	struct placement_wish wish = { .node = node, .cpu = cpu };

	/* where the guest is known to be counts for more than its packets */
	if (policy == PLACEMENT_IRQ || node == PLACEMENT_ANY_NODE)
		wish.node = pvcalls_topology_node(cpu);
	return placement_pick(policy, pw, n, &wish,
			      (u32)atomic_inc_return(&pvcalls_turn) - 1);
}

/**
 * pvcalls_placing_watch() - have changes of the policy be heeded
 * @changed: called after each change from now on; may sleep
 *
 * Context: any.
 */
void pvcalls_placing_watch(void (*changed)(void))
{
	WRITE_ONCE(pvcalls_placing_changed, changed);
}

static int param_set_placement(const char *val, const struct kernel_param *kp)
{
	u32 policy = placement_parse(val);
	void (*changed)(void);

	if (policy == PLACEMENT_POLICIES) {
		pvcalls_param_err("placement", val,
				  "not round_robin, least_loaded, node or irq");
		return -EINVAL;
	}
	WRITE_ONCE(pvcalls_placement, policy);
	changed = READ_ONCE(pvcalls_placing_changed);
	if (changed)
		changed();
	return 0;
}

static int param_get_placement(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n",
			  placement_name(READ_ONCE(pvcalls_placement)));
}

static const struct kernel_param_ops param_ops_placement = {
	.set = param_set_placement,
	.get = param_get_placement,
};

module_param_cb(placement, &param_ops_placement, NULL, 0644);
MODULE_PARM_DESC(placement,
		 "Which worker serves a socket: round_robin, least_loaded (default), node, irq");
