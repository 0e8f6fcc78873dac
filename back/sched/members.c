// SPDX-License-Identifier: GPL-2.0
/* Members of the pool: starts and ends workers, as members.h says. */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "pvcalls_compat.h"
#include "pvcalls_param.h"
#include "sched/placing.h"
#include "sched/members.h"
#include "sched/pool.h"
#include "sched/thread.h"
#include "sched/topology.h"
#include "sched/worker.h"

static void pvcalls_members_follow(struct work_struct *work);

static DECLARE_WORK(pvcalls_members_work, pvcalls_members_follow);
static enum cpuhp_state pvcalls_members_cpuhp;

/* Parameters, guarded by the pool's mutex; an empty mask means all CPUs */
static unsigned int pvcalls_workers;
static struct cpumask pvcalls_cpus;

/* Find a worker of the pool on @cpu that is not in @taken, and take it. */
static struct pvcalls_worker *
pvcalls_members_take(const struct pvcalls_pool *pool, unsigned long *taken,
		     unsigned int cpu)
{
	unsigned int i;

	for (i = 0; pool && i < pool->n; i++) {
		struct pvcalls_worker *w = pool->w[i];

		if (w->cpu == cpu && !READ_ONCE(w->lost) &&
		    !__test_and_set_bit(i, taken))
			return w;
	}
	return NULL;
}

static bool pvcalls_members_has(const struct pvcalls_pool *pool,
				unsigned int index)
{
	unsigned int i;

	for (i = 0; pool && i < pool->n; i++)
		if (pool->w[i]->index == index)
			return true;
	return false;
}

/*
 * Fill a pool as the parameters and the online CPUs want it. Workers of the old
 * pool that fit are taken over and marked in @taken; the others are new. The
 * caller holds cpus_read_lock(). On error the pool has the workers found so
 * far.
 */
static int pvcalls_members_fill(struct pvcalls_pool *pool,
				const struct pvcalls_pool *old,
				unsigned long *taken,
				const struct cpumask *cpus)
{
	unsigned int n = pvcalls_workers;
	unsigned int cpu, index = 0;

	if (!n)
		n = min_t(unsigned int, cpumask_weight(cpus),
			  PVCALLS_MAX_WORKERS);
	cpu = cpumask_first(cpus);
	while (pool->n < n) {
		struct pvcalls_worker *w;

		w = pvcalls_members_take(old, taken, cpu);
		if (!w) {
			while (pvcalls_members_has(old, index))
				index++;
			w = pvcalls_worker_new(index++, cpu);
			if (IS_ERR(w))
				return PTR_ERR(w);
		}
		pool->w[pool->n++] = w;
		cpumask_set_cpu(cpu, &pool->cpus);
		cpu = cpumask_next(cpu, cpus);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpus);
	}
	return 0;
}

/*
 * End the workers of @pool that are not in @taken. First they hand over all
 * their works.
 */
static void pvcalls_members_retire(struct pvcalls_pool *pool,
				   const unsigned long *taken)
{
	unsigned int i;

	/* after this no thread gives a work to them */
	synchronize_rcu();
	for (i = 0; i < pool->n; i++) {
		if (test_bit(i, taken))
			continue;
		WRITE_ONCE(pool->w[i]->retired, true);
		pvcalls_worker_ask(pool->w[i]);
	}
	for (i = 0; i < pool->n; i++)
		if (!test_bit(i, taken))
			wait_event(pool->w[i]->idle,
				   !atomic_read(&pool->w[i]->load));
	/* after this no thread is still marking a work of theirs */
	synchronize_rcu();
	for (i = 0; i < pool->n; i++)
		if (!test_bit(i, taken))
			pvcalls_worker_free(pool->w[i]);
	kfree(pool);
}

/* Place all works anew. */
static void pvcalls_members_spread(void)
{
	const struct pvcalls_pool *pool = pvcalls_pool_get();
	unsigned int i;

	for (i = 0; pool && i < pool->n; i++)
		pvcalls_worker_ask(pool->w[i]);
}

/*
 * Change the pool to what the parameters and the online CPUs want. Works always
 * have a worker. On error nothing has changed.
 */
static int pvcalls_members_apply(void)
{
	DECLARE_BITMAP(taken, PVCALLS_MAX_WORKERS) = {};
	const struct pvcalls_pool *old = pvcalls_pool_get();
	struct pvcalls_pool *pool, *former;
	unsigned int nr_new;
	cpumask_var_t cpus;
	int err = -ENOMEM;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return err;
	if (!alloc_cpumask_var(&cpus, GFP_KERNEL))
		goto free;

	cpus_read_lock();
	if (!cpumask_and(cpus, &pvcalls_cpus, cpu_online_mask)) {
		if (!cpumask_empty(&pvcalls_cpus))
			pr_warn("none of the CPUs %*pbl is online, using all\n",
				cpumask_pr_args(&pvcalls_cpus));
		cpumask_copy(cpus, cpu_online_mask);
	}
	err = pvcalls_members_fill(pool, old, taken, cpus);
	cpus_read_unlock();
	free_cpumask_var(cpus);
	nr_new = pool->n - bitmap_weight(taken, PVCALLS_MAX_WORKERS);
	if (err)
		goto stop;
	if (old && pool->n == old->n && !nr_new)
		goto free;

	former = pvcalls_pool_publish(pool);
	if (former)
		pvcalls_members_retire(former, taken);
	if (nr_new)
		pvcalls_members_spread();
	return 0;

stop:
	while (pool->n--)
		if (!pvcalls_members_has(old, pool->w[pool->n]->index))
			pvcalls_worker_free(pool->w[pool->n]);
free:
	kfree(pool);
	return err;
}

static void pvcalls_members_follow(struct work_struct *work)
{
	int err = 0;

	pvcalls_pool_lock();
	if (pvcalls_pool_get())
		err = pvcalls_members_apply();
	pvcalls_pool_unlock();
	if (err)
		pr_err("can't follow the CPUs that are online (%d)\n", err);
}

static int pvcalls_members_online(unsigned int cpu)
{
	queue_work(pvcalls_unbound_wq, &pvcalls_members_work);
	return 0;
}

/*
 * The scheduler moves the threads of a CPU that goes away to other CPUs. The
 * works follow after the CPU has gone. This function must not wait for a
 * worker: the worker may be in the allocator of pages for grants, and wait
 * there for the CPU to be gone.
 */
static int pvcalls_members_offline(unsigned int cpu)
{
	pvcalls_pool_lose(cpu);
	queue_work(pvcalls_unbound_wq, &pvcalls_members_work);
	return 0;
}

/* The policy or the topology has changed: place all works anew. */
static void pvcalls_members_replace(void)
{
	const struct pvcalls_pool *pool = pvcalls_pool_lock();
	unsigned int i;

	for (i = 0; pool && i < pool->n; i++)
		WRITE_ONCE(pool->w[i]->node,
			   pvcalls_topology_node(pool->w[i]->cpu));
	pvcalls_members_spread();
	pvcalls_pool_unlock();
}

/**
 * pvcalls_members_start() - start the workers
 *
 * Context: process, may sleep; undone by pvcalls_members_stop().
 * Return: 0, or a negative error number with no worker running.
 */
int pvcalls_members_start(void)
{
	int ret;

	pvcalls_placing_watch(pvcalls_members_replace);
	pvcalls_topology_watch(pvcalls_members_replace);
	pvcalls_pool_lock();
	ret = pvcalls_members_apply();
	pvcalls_pool_unlock();
	if (ret)
		return ret;
	ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN,
					"xen/pvcalls_mt_back:online",
					pvcalls_members_online,
					pvcalls_members_offline);
	if (ret < 0) {
		pvcalls_members_stop();
		return ret;
	}
	pvcalls_members_cpuhp = ret;
	/* CPUs may have come or gone before the callbacks were there */
	queue_work(pvcalls_unbound_wq, &pvcalls_members_work);
	return 0;
}

/**
 * pvcalls_members_stop() - stop the workers
 *
 * Description: All works must have ended. A work that is still queued gets its
 * last run.
 *
 * Context: process, sleeps; takes the pool's mutex.
 */
void pvcalls_members_stop(void)
{
	struct pvcalls_pool *pool;

	if (pvcalls_members_cpuhp)
		cpuhp_remove_state_nocalls(pvcalls_members_cpuhp);
	cancel_work_sync(&pvcalls_members_work);

	pvcalls_pool_lock();
	pool = pvcalls_pool_publish(NULL);
	synchronize_rcu();
	while (pool->n)
		pvcalls_worker_free(pool->w[--pool->n]);
	pvcalls_pool_unlock();
	kfree(pool);
}

static int param_set_workers(const char *val, const struct kernel_param *kp)
{
	unsigned int n, before;
	int err;

	err = pvcalls_param_parse("workers", val, 0, PVCALLS_MAX_WORKERS, &n);
	if (err)
		return err;
	pvcalls_pool_lock();
	before = pvcalls_workers;
	pvcalls_workers = n;
	err = pvcalls_pool_get() ? pvcalls_members_apply() : 0;
	if (err)
		pvcalls_workers = before;
	pvcalls_pool_unlock();
	if (err)
		pr_err("workers: can't start so many (%d)\n", err);
	return err;
}

static int param_get_workers(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%u\n", pvcalls_workers);
}

static const struct kernel_param_ops param_ops_workers = {
	.set = param_set_workers,
	.get = param_get_workers,
};

module_param_cb(workers, &param_ops_workers, NULL, 0644);
MODULE_PARM_DESC(workers,
		 "Worker threads, 1 to 64; 0 (default): one for each CPU online that they may use");

/* Returns what is wrong with the list of CPUs, or NULL. */
static const char *pvcalls_check_cpus(const char *val, struct cpumask *cpus)
{
	if (cpulist_parse(val, cpus))
		return "not a list of CPUs such as 0-3,8";
	if (!cpumask_subset(cpus, cpu_possible_mask))
		return "there can't be such a CPU";
	if (!cpumask_empty(cpus) && !cpumask_intersects(cpus, cpu_online_mask))
		return "none of them is online";
	return NULL;
}

static int param_set_cpus(const char *val, const struct kernel_param *kp)
{
	cpumask_var_t cpus, before;
	const char *wrong;
	int err = -ENOMEM;

	if (!alloc_cpumask_var(&cpus, GFP_KERNEL))
		return err;
	if (!alloc_cpumask_var(&before, GFP_KERNEL))
		goto free;
	err = -EINVAL;
	wrong = pvcalls_check_cpus(val, cpus);
	if (wrong) {
		pvcalls_param_err("cpus", val, "%s", wrong);
		goto free_both;
	}
	pvcalls_pool_lock();
	cpumask_copy(before, &pvcalls_cpus);
	cpumask_copy(&pvcalls_cpus, cpus);
	err = pvcalls_pool_get() ? pvcalls_members_apply() : 0;
	if (err)
		cpumask_copy(&pvcalls_cpus, before);
	pvcalls_pool_unlock();
	if (err)
		pr_err("cpus: can't start workers there (%d)\n", err);
free_both:
	free_cpumask_var(before);
free:
	free_cpumask_var(cpus);
	return err;
}

static int param_get_cpus(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%*pbl\n", cpumask_pr_args(&pvcalls_cpus));
}

static const struct kernel_param_ops param_ops_cpus = {
	.set = param_set_cpus,
	.get = param_get_cpus,
};

module_param_cb(cpus, &param_ops_cpus, NULL, 0644);
MODULE_PARM_DESC(cpus,
		 "CPUs that workers are bound to, such as 0-3,8 (default: all that are online)");
