// SPDX-License-Identifier: GPL-2.0
/* Placing of works; placing.h says what it adds to numa/. */
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
/* NULL until there are works that could be placed anew */
static void (*pvcalls_placing_changed)(void);

/**
 * pvcalls_placing_heeds_cpu() - does it matter where packets arrive?
 *
 * Context: any.
 * Return: true if a work whose @cpu_wish changes is to be placed anew.
 */
bool pvcalls_placing_heeds_cpu(void)
{
	u32 policy = READ_ONCE(pvcalls_placement);

	return policy == PLACEMENT_IRQ || policy == PLACEMENT_NODE;
}

/**
 * pvcalls_placing_keeps_node() - must works stay on their node?
 *
 * Context: any.
 * Return: true if the balancer may not move a work to another node.
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
 * @pw: the workers; the first one is chosen among equally good ones
 * @n: number of workers, at least 1
 * @node: NUMA node that is best for the work, or PLACEMENT_ANY_NODE
 * @cpu: CPU on which the work's packets arrive, or PLACEMENT_ANY_CPU
 *
 * Context: any.
 * Return: index of the worker in @pw.
 */
u32 pvcalls_placing_pick(enum placement_policy policy,
			 const struct placement_worker *pw, u32 n, int node,
			 int cpu)
{
	struct placement_wish wish = { .node = node, .cpu = cpu };

	/* a known node of the guest counts for more than that of its packets */
	if (policy == PLACEMENT_IRQ || node == PLACEMENT_ANY_NODE)
		wish.node = pvcalls_topology_node(cpu);
	return placement_pick(policy, pw, n, &wish,
			      (u32)atomic_inc_return(&pvcalls_turn) - 1);
}

/**
 * pvcalls_placing_watch() - register a callback for changes of the policy
 * @changed: called after each change from now on; may sleep
 *
 * Context: any.
 */
void pvcalls_placing_watch(void (*changed)(void))
{
	/* pairs with the barrier in param_set_placement() */
	smp_store_mb(pvcalls_placing_changed, changed);
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
	/*
	 * pairs with pvcalls_placing_watch(): either the callback is called, or
	 * who has registered it sees the new policy
	 */
	smp_store_mb(pvcalls_placement, policy);
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
