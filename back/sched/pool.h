/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool: the workers, and the choice of a worker for each work. members.h
 * decides which workers there are.
 *
 * The pool is published under RCU. A worker that leaves the pool is asked to
 * hand over all its works, and is freed when it has none. So a worker that was
 * found in the pool exists until rcu_read_unlock(). A worker that was given a
 * work before rcu_read_unlock() exists until it has handed the work over.
 */
#ifndef PVCALLS_BACK_POOL_H
#define PVCALLS_BACK_POOL_H

#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

#include "sched/worker.h"

/**
 * struct pvcalls_pool - the pool of workers
 * @n: number of workers, 1 to %PVCALLS_MAX_WORKERS
 * @w: the workers
 * @cpus: CPUs to which the workers are bound
 */
struct pvcalls_pool {
	unsigned int n;
	struct pvcalls_worker *w[PVCALLS_MAX_WORKERS];
	struct cpumask cpus;
};

const struct pvcalls_pool *pvcalls_pool_lock(void);
const struct pvcalls_pool *pvcalls_pool_get(void);
struct pvcalls_pool *pvcalls_pool_publish(struct pvcalls_pool *pool);
void pvcalls_pool_unlock(void);
bool pvcalls_pool_serves(unsigned int cpu);
void pvcalls_pool_lose(unsigned int cpu);

void pvcalls_work_init(struct pvcalls_work *work,
		       const struct pvcalls_work_ops *ops,
		       struct pvcalls_queues *queues, int node,
		       struct pvcalls_worker *near);
bool pvcalls_work_hand_over(struct pvcalls_work *work,
			    struct pvcalls_worker *from);

#endif /* PVCALLS_BACK_POOL_H */
