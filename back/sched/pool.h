/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool: the workers that there are, and which one gets which work.
 * members.h says which ones there are to be.
 *
 * The set of workers is published under RCU. A worker that is in it no more is
 * asked to hand over all its works and freed when it has none; so a worker
 * that was found in the set is there until rcu_read_unlock(), and one that a
 * work was given to by then is there until it has handed it over.
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
 * struct pvcalls_pool - the workers that there are
 * @n: how many, at least 1
 * @w: the workers
 * @cpus: the CPUs that they are on
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
		       const struct pvcalls_work_ops *ops, domid_t domid,
		       int node, struct pvcalls_worker *near);
bool pvcalls_work_hand_over(struct pvcalls_work *work,
			    struct pvcalls_worker *from);

#endif /* PVCALLS_BACK_POOL_H */
