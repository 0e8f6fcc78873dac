// SPDX-License-Identifier: GPL-2.0
/* See pool.h. */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "pvcalls_param.h"
#include "sched/placing.h"
#include "sched/pool.h"
#include "sched/topology.h"
#include "sched/worker.h"

static void pvcalls_pool_follow(struct work_struct *work);

/* Guards the parameters below and changes of the set */
static DEFINE_MUTEX(pvcalls_pool_mutex);
static struct pvcalls_pool __rcu *pvcalls_pool;
static DECLARE_WAIT_QUEUE_HEAD(pvcalls_pool_idle);
static DECLARE_WORK(pvcalls_pool_work, pvcalls_pool_follow);
static enum cpuhp_state pvcalls_pool_cpuhp;

/* Parameters; no CPU in pvcalls_cpus: all that are online */
static unsigned int pvcalls_workers;
static struct cpumask pvcalls_cpus;

static struct pvcalls_pool *pvcalls_pool_deref(void)
{
	return rcu_dereference_protected(pvcalls_pool,
					 lockdep_is_held(&pvcalls_pool_mutex));
}

/**
 * pvcalls_pool_lock() - keep the set of workers as it is
 *
 * May sleep. Undone by pvcalls_pool_unlock().
 *
 * Return: the set, or NULL if the pool has not started.
 */
const struct pvcalls_pool *pvcalls_pool_lock(void)
{
	mutex_lock(&pvcalls_pool_mutex);
	return pvcalls_pool_deref();
}

/**
 * pvcalls_pool_unlock() - undo pvcalls_pool_lock()
 */
void pvcalls_pool_unlock(void)
{
	mutex_unlock(&pvcalls_pool_mutex);
}

/**
 * pvcalls_pool_wake() - a worker that has retired has no work any more
 *
 * Any context.
 */
void pvcalls_pool_wake(void)
{
	wake_up(&pvcalls_pool_idle);
}

/**
 * pvcalls_pool_choose() - which worker is to have a work?
 * @work: the work; the caller's to give away
 * @dest: index into the set, or PVCALLS_DEST_POLICY, or PVCALLS_DEST_STAY for
 *	the one that it has
 *
 * Under rcu_read_lock(), until the work is on the worker's list.
 *
 * Return: the worker.
 */
struct pvcalls_worker *pvcalls_pool_choose(const struct pvcalls_work *work,
					   int dest)
{
	const struct pvcalls_pool *pool = rcu_dereference(pvcalls_pool);

	/* there is none when all works have ended: it gets its last run */
	if (dest == PVCALLS_DEST_STAY || !pool)
		return work->worker;
	/* the set may have changed since somebody thought of an index */
	if (dest < 0 || dest >= pool->n)
		dest = pvcalls_placing_pick(pool, work);
	return pool->w[dest];
}

/**
 * pvcalls_pool_serves() - is there a worker on a CPU?
 * @cpu: the CPU
 *
 * Any context.
 *
 * Return: true if so, for the moment.
 */
bool pvcalls_pool_serves(unsigned int cpu)
{
	bool serves;

	rcu_read_lock();
	serves = cpumask_test_cpu(cpu, &rcu_dereference(pvcalls_pool)->cpus);
	rcu_read_unlock();
	return serves;
}

/* A worker of the set on this CPU that is not taken yet. */
static struct pvcalls_worker *pvcalls_pool_take(const struct pvcalls_pool *pool,
						unsigned long *taken,
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

static bool pvcalls_pool_has(const struct pvcalls_pool *pool, unsigned int index)
{
	unsigned int i;

	for (i = 0; pool && i < pool->n; i++)
		if (pool->w[i]->index == index)
			return true;
	return false;
}

/*
 * Fill a set as the parameters and the CPUs that are online want it: with
 * workers of the old one where they fit, which are marked as taken, and else
 * with new ones. Under cpus_read_lock(). On error it has what it got so far.
 */
static int pvcalls_pool_fill(struct pvcalls_pool *pool,
			     const struct pvcalls_pool *old,
			     unsigned long *taken, const struct cpumask *cpus)
{
	unsigned int n = pvcalls_workers;
	unsigned int cpu, index = 0;

	if (!n)
		n = min_t(unsigned int, cpumask_weight(cpus),
			  PVCALLS_MAX_WORKERS);
	cpu = cpumask_first(cpus);
	while (pool->n < n) {
		struct pvcalls_worker *w = pvcalls_pool_take(old, taken, cpu);

		if (!w) {
			while (pvcalls_pool_has(old, index))
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

/* Workers of the set that are not taken hand all over, and end. */
static void pvcalls_pool_retire(struct pvcalls_pool *pool,
				const unsigned long *taken)
{
	unsigned int i;

	/* from here on nobody gives them any work */
	synchronize_rcu();
	for (i = 0; i < pool->n; i++) {
		if (test_bit(i, taken))
			continue;
		WRITE_ONCE(pool->w[i]->retired, true);
		pvcalls_worker_ask(pool->w[i]);
	}
	for (i = 0; i < pool->n; i++)
		if (!test_bit(i, taken))
			wait_event(pvcalls_pool_idle,
				   !atomic_read(&pool->w[i]->load));
	/* those who were just marking a work of theirs are done */
	synchronize_rcu();
	for (i = 0; i < pool->n; i++)
		if (!test_bit(i, taken))
			pvcalls_worker_free(pool->w[i]);
	kfree(pool);
}

/* Have all works be placed anew. */
static void pvcalls_pool_spread(void)
{
	struct pvcalls_pool *pool = pvcalls_pool_deref();
	unsigned int i;

	for (i = 0; pool && i < pool->n; i++)
		pvcalls_worker_ask(pool->w[i]);
}

/*
 * Make the set what it should be. Works are never without a worker; on error
 * nothing has changed.
 */
static int pvcalls_pool_apply(void)
{
	DECLARE_BITMAP(taken, PVCALLS_MAX_WORKERS) = {};
	struct pvcalls_pool *old = pvcalls_pool_deref();
	struct pvcalls_pool *pool;
	unsigned int nr_new;
	cpumask_var_t cpus;
	int err = -ENOMEM;

	lockdep_assert_held(&pvcalls_pool_mutex);
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
	err = pvcalls_pool_fill(pool, old, taken, cpus);
	cpus_read_unlock();
	free_cpumask_var(cpus);
	nr_new = pool->n - bitmap_weight(taken, PVCALLS_MAX_WORKERS);
	if (err)
		goto stop;
	if (old && pool->n == old->n && !nr_new)
		goto free;

	rcu_assign_pointer(pvcalls_pool, pool);
	if (old)
		pvcalls_pool_retire(old, taken);
	if (nr_new)
		pvcalls_pool_spread();
	return 0;

stop:
	while (pool->n--)
		if (!pvcalls_pool_has(old, pool->w[pool->n]->index))
			pvcalls_worker_free(pool->w[pool->n]);
free:
	kfree(pool);
	return err;
}

static void pvcalls_pool_follow(struct work_struct *work)
{
	int err = 0;

	mutex_lock(&pvcalls_pool_mutex);
	if (pvcalls_pool_deref())
		err = pvcalls_pool_apply();
	mutex_unlock(&pvcalls_pool_mutex);
	if (err)
		pr_err("can't follow the CPUs that are online (%d)\n", err);
}

static int pvcalls_pool_online(unsigned int cpu)
{
	queue_work(system_unbound_wq, &pvcalls_pool_work);
	return 0;
}

/*
 * The scheduler moves the threads of a CPU that goes away to others. Their
 * works follow when it has gone: a worker may be waiting for just that, in the
 * allocator of pages for grants, so it must not be waited for here.
 */
static int pvcalls_pool_offline(unsigned int cpu)
{
	const struct pvcalls_pool *pool;
	unsigned int i;

	rcu_read_lock();
	pool = rcu_dereference(pvcalls_pool);
	for (i = 0; pool && i < pool->n; i++)
		if (pool->w[i]->cpu == cpu)
			WRITE_ONCE(pool->w[i]->lost, true);
	rcu_read_unlock();
	queue_work(system_unbound_wq, &pvcalls_pool_work);
	return 0;
}

/**
 * pvcalls_pool_start() - start the workers
 *
 * May sleep. Undone by pvcalls_pool_stop().
 *
 * Return: 0 or a negative error number; then none is running.
 */
int pvcalls_pool_start(void)
{
	int ret;

	mutex_lock(&pvcalls_pool_mutex);
	ret = pvcalls_pool_apply();
	mutex_unlock(&pvcalls_pool_mutex);
	if (ret)
		return ret;
	ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN,
					"xen/pvcalls_mt_back:online",
					pvcalls_pool_online,
					pvcalls_pool_offline);
	if (ret < 0) {
		pvcalls_pool_stop();
		return ret;
	}
	pvcalls_pool_cpuhp = ret;
	/* what came or went before anybody looked */
	queue_work(system_unbound_wq, &pvcalls_pool_work);
	return 0;
}

/**
 * pvcalls_pool_stop() - stop the workers
 *
 * All works must have been ended; what is still queued gets its last run. May
 * sleep.
 */
void pvcalls_pool_stop(void)
{
	struct pvcalls_pool *pool;

	if (pvcalls_pool_cpuhp)
		cpuhp_remove_state_nocalls(pvcalls_pool_cpuhp);
	cancel_work_sync(&pvcalls_pool_work);

	mutex_lock(&pvcalls_pool_mutex);
	pool = pvcalls_pool_deref();
	RCU_INIT_POINTER(pvcalls_pool, NULL);
	synchronize_rcu();
	while (pool->n)
		pvcalls_worker_free(pool->w[--pool->n]);
	mutex_unlock(&pvcalls_pool_mutex);
	kfree(pool);
}

/**
 * pvcalls_pool_replace() - have all works be placed anew
 *
 * Since the policy, or what it goes by, has changed. May sleep.
 */
void pvcalls_pool_replace(void)
{
	struct pvcalls_pool *pool;
	unsigned int i;

	mutex_lock(&pvcalls_pool_mutex);
	pool = pvcalls_pool_deref();
	for (i = 0; pool && i < pool->n; i++)
		WRITE_ONCE(pool->w[i]->node,
			   pvcalls_topology_node(pool->w[i]->cpu));
	pvcalls_pool_spread();
	mutex_unlock(&pvcalls_pool_mutex);
}

static int param_set_workers(const char *val, const struct kernel_param *kp)
{
	unsigned int n, before;
	int err;

	err = pvcalls_param_parse("workers", val, 0, PVCALLS_MAX_WORKERS, &n);
	if (err)
		return err;
	mutex_lock(&pvcalls_pool_mutex);
	before = pvcalls_workers;
	pvcalls_workers = n;
	err = pvcalls_pool_deref() ? pvcalls_pool_apply() : 0;
	if (err)
		pvcalls_workers = before;
	mutex_unlock(&pvcalls_pool_mutex);
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

/* Returns what is wrong with it, or NULL. */
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
	mutex_lock(&pvcalls_pool_mutex);
	cpumask_copy(before, &pvcalls_cpus);
	cpumask_copy(&pvcalls_cpus, cpus);
	err = pvcalls_pool_deref() ? pvcalls_pool_apply() : 0;
	if (err)
		cpumask_copy(&pvcalls_cpus, before);
	mutex_unlock(&pvcalls_pool_mutex);
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
