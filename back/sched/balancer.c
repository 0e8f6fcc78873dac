// SPDX-License-Identifier: GPL-2.0
/*
 * The balancer moves works between workers, as balancer.h says.
 *
 * In each interval the costs of the workers are compared. Only if they are
 * uneven are the works of the busiest worker looked at. At first the cost of
 * each work so far is noted. If the costs are still uneven in the next
 * interval, the cost of each work since the note decides. So a single interval
 * moves nothing, and a balanced or idle system costs next to nothing.
 */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "balance.h"
#include "pvcalls_compat.h"
#include "pvcalls_param.h"
#include "sched/balancer.h"
#include "sched/placing.h"
#include "sched/pool.h"
#include "sched/worker.h"

/* Below this mean cost in an interval, in bytes, no worker counts as busy */
#define PVCALLS_BUSY_COST	SZ_1M

/* Intervals for which a work stays after it has been moved */
#define PVCALLS_MOVED_REST	8

static void pvcalls_balancer_turn(struct work_struct *work);
static void pvcalls_balancer_reset(void);

PVCALLS_PARAM_UINT_HOOK(balance_ms, 100, 0, 60000, 0644,
			pvcalls_balancer_reset);
MODULE_PARM_DESC(balance_ms,
		 "Milliseconds between looks at whether the workers are evenly loaded, 1 to 60000 (default 100), 0: never");

static DECLARE_DEFERRABLE_WORK(pvcalls_balancer, pvcalls_balancer_turn);
/* Guarded by the pool's mutex: parameters can be written until the very end */
static bool pvcalls_balancer_on;

/* Number of the interval, and of the worker whose works have a note */
static u32 pvcalls_balancer_now;
static u32 pvcalls_balancer_noted;

/* Get each worker's cost in this interval. Returns the pool, locked. */
static const struct pvcalls_pool *pvcalls_balancer_costs(u64 *cost)
{
	const struct pvcalls_pool *pool = pvcalls_pool_lock();
	unsigned int i;

	for (i = 0; pool && i < pool->n; i++) {
		struct pvcalls_worker *w = pool->w[i];
		u64 total = READ_ONCE(w->stats.cost);

		cost[i] = total - w->cost_seen;
		w->cost_seen = total;
	}
	return pool;
}

static void pvcalls_balancer_note(struct pvcalls_worker *w)
{
	struct pvcalls_work *work;

	spin_lock(&w->lock);
	list_for_each_entry(work, &w->works, list)
		work->cost_seen = READ_ONCE(work->cost);
	spin_unlock(&w->lock);
}

/*
 * Returns the work that gains most if moved, or NULL. The worker's lock is
 * held, so its list of works does not change.
 */
static struct pvcalls_work *pvcalls_balancer_find(struct pvcalls_worker *w,
						  u64 from, u64 to)
{
	struct pvcalls_work *work, *best = NULL;
	u64 gain = 0;

	list_for_each_entry(work, &w->works, list) {
		u64 total = READ_ONCE(work->cost);
		u64 g = balance_gain(from, to, total - work->cost_seen);

		work->cost_seen = total;
		if (g <= gain || (work->moved && pvcalls_balancer_now -
				  work->moved < PVCALLS_MOVED_REST))
			continue;
		gain = g;
		best = work;
	}
	return best;
}

static void pvcalls_balancer_move(struct pvcalls_worker *w, u64 from, u64 to,
				  int dest)
{
	struct pvcalls_work *work;

	spin_lock(&w->lock);
	work = pvcalls_balancer_find(w, from, to);
	if (work) {
		work->moved = pvcalls_balancer_now;
		WRITE_ONCE(work->dest, dest);
		pvcalls_work_mark(work);
	}
	spin_unlock(&w->lock);
}

static void pvcalls_balancer_arm(void)
{
	unsigned int ms = READ_ONCE(param_balance_ms);

	if (ms && pvcalls_balancer_on)
		mod_delayed_work(pvcalls_unbound_wq, &pvcalls_balancer,
				 msecs_to_jiffies(ms));
}

static bool pvcalls_balancer_uneven(const struct pvcalls_pool *pool,
				    const u64 *cost, u32 *from, u32 *to)
{
	int node[PVCALLS_MAX_WORKERS];
	unsigned int i;

	if (!pvcalls_placing_keeps_node())
		return balance_find(cost, pool->n, PVCALLS_BUSY_COST, from, to);
	for (i = 0; i < pool->n; i++)
		node[i] = READ_ONCE(pool->w[i]->node);
	return balance_find_near(cost, node, pool->n, PVCALLS_BUSY_COST, from,
				 to);
}

static void pvcalls_balancer_turn(struct work_struct *unused)
{
	u64 cost[PVCALLS_MAX_WORKERS];
	const struct pvcalls_pool *pool = pvcalls_balancer_costs(cost);
	u32 from, to, noted = 0;

	/* pvcalls_work.moved uses 0 for a work that was never moved */
	if (!++pvcalls_balancer_now)
		pvcalls_balancer_now++;
	if (pool && pvcalls_balancer_uneven(pool, cost, &from, &to)) {
		noted = pool->w[from]->number;
		if (noted == pvcalls_balancer_noted)
			pvcalls_balancer_move(pool->w[from], cost[from],
					      cost[to], to);
		else
			pvcalls_balancer_note(pool->w[from]);
	}
	pvcalls_balancer_noted = noted;
	pvcalls_balancer_arm();
	pvcalls_pool_unlock();
}

/**
 * pvcalls_balancer_start() - start the balancer
 *
 * Description: The workers must have been started.
 *
 * Context: process, may sleep; takes the pool's mutex.
 */
void pvcalls_balancer_start(void)
{
	pvcalls_pool_lock();
	pvcalls_balancer_on = true;
	pvcalls_balancer_arm();
	pvcalls_pool_unlock();
}

/**
 * pvcalls_balancer_stop() - stop the balancer
 *
 * Context: process, sleeps; takes the pool's mutex.
 */
void pvcalls_balancer_stop(void)
{
	pvcalls_pool_lock();
	pvcalls_balancer_on = false;
	pvcalls_pool_unlock();
	cancel_delayed_work_sync(&pvcalls_balancer);
}

/* The parameter balance_ms has changed: use the new interval at once. */
static void pvcalls_balancer_reset(void)
{
	pvcalls_pool_lock();
	pvcalls_balancer_arm();
	pvcalls_pool_unlock();
}
