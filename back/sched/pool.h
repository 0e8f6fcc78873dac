/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool of workers: which ones there are, on which CPUs, and which one gets
 * which work.
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

#define PVCALLS_MAX_WORKERS	64

struct pvcalls_work;
struct pvcalls_worker;

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

int pvcalls_pool_start(void);
void pvcalls_pool_stop(void);

struct pvcalls_worker *pvcalls_pool_choose(const struct pvcalls_work *work,
					   int dest);
bool pvcalls_pool_serves(unsigned int cpu);
void pvcalls_pool_wake(void);
void pvcalls_pool_replace(void);

const struct pvcalls_pool *pvcalls_pool_lock(void);
void pvcalls_pool_unlock(void);

#endif /* PVCALLS_BACK_POOL_H */
