// SPDX-License-Identifier: GPL-2.0
/* See placing.h. */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "placement.h"
#include "pvcalls_param.h"
#include "sched/placing.h"
#include "sched/pool.h"
#include "sched/topology.h"
#include "sched/worker.h"

static u32 pvcalls_placement = PLACEMENT_LEAST_LOADED;
static atomic_t pvcalls_turn;

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
 * pvcalls_placing_pick() - find a worker by the policy
 * @pool: the workers; under RCU
 * @work: for which work; the caller's to give away
 *
 * Of several that are as good it is the one that the work is on, or has to do
 * with: a socket's calls come from the worker of its guest's command ring, and
 * to wake another one for each costs more than they do. Any context.
 *
 * Return: its index in @pool.
 */
u32 pvcalls_placing_pick(const struct pvcalls_pool *pool,
			 const struct pvcalls_work *work)
{
	struct placement_worker pw[PVCALLS_MAX_WORKERS];
	enum placement_policy policy = READ_ONCE(pvcalls_placement);
	struct placement_wish wish = {
		.node = work->node_wish,
		.cpu = work->cpu_wish,
	};
	unsigned int i, here = 0;

	/* where the guest is known to be counts for more than its packets */
	if (policy == PLACEMENT_IRQ || wish.node == PLACEMENT_ANY_NODE)
		wish.node = pvcalls_topology_node(wish.cpu);
	/* the first one of equals is chosen */
	for (i = 0; i < pool->n && policy != PLACEMENT_ROUND_ROBIN; i++)
		if (pool->w[i] == work->worker)
			here = i;
	for (i = 0; i < pool->n; i++) {
		const struct pvcalls_worker *w = pool->w[(here + i) % pool->n];

		pw[i].load = atomic_read(&w->load);
		pw[i].node = READ_ONCE(w->node);
		pw[i].cpu = w->cpu;
		/* what it is itself is no reason to go away */
		if (w == work->worker && pw[i].load)
			pw[i].load--;
	}
	i = placement_pick(policy, pw, pool->n, &wish,
			   (u32)atomic_inc_return(&pvcalls_turn) - 1);
	return (here + i) % pool->n;
}

static int param_set_placement(const char *val, const struct kernel_param *kp)
{
	u32 policy = placement_parse(val);

	if (policy == PLACEMENT_POLICIES) {
		pvcalls_param_err("placement", val,
				  "not round_robin, least_loaded, node or irq");
		return -EINVAL;
	}
	WRITE_ONCE(pvcalls_placement, policy);
	pvcalls_pool_replace();
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
