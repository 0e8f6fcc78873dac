// SPDX-License-Identifier: GPL-2.0
/* See pool.h. */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>

#include "placement.h"
#include "sched/placing.h"
#include "sched/pool.h"
#include "sched/worker.h"

/* Guards changes of the set, and what the parameters say of it */
static DEFINE_MUTEX(pvcalls_pool_mutex);
static struct pvcalls_pool __rcu *pvcalls_pool;

/**
 * pvcalls_pool_get() - the set of workers, while that is kept as it is
 *
 * Context: between pvcalls_pool_lock() and pvcalls_pool_unlock().
 * Return: the set, or NULL if the pool has not started.
 */
const struct pvcalls_pool *pvcalls_pool_get(void)
{
	return rcu_dereference_protected(pvcalls_pool,
					 lockdep_is_held(&pvcalls_pool_mutex));
}

/**
 * pvcalls_pool_lock() - keep the set of workers as it is
 *
 * Context: may sleep. Undone by pvcalls_pool_unlock().
 * Return: the set, or NULL if the pool has not started.
 */
const struct pvcalls_pool *pvcalls_pool_lock(void)
{
	mutex_lock(&pvcalls_pool_mutex);
	return pvcalls_pool_get();
}

/**
 * pvcalls_pool_unlock() - undo pvcalls_pool_lock()
 *
 * Context: process.
 */
void pvcalls_pool_unlock(void)
{
	mutex_unlock(&pvcalls_pool_mutex);
}

/**
 * pvcalls_pool_publish() - make another set of workers the pool's
 * @pool: the set, or NULL: there are no workers any more
 *
 * Those who have found the former set may use it until synchronize_rcu().
 *
 * Context: between pvcalls_pool_lock() and pvcalls_pool_unlock().
 * Return: the former set, which is the caller's, or NULL.
 */
struct pvcalls_pool *pvcalls_pool_publish(struct pvcalls_pool *pool)
{
	struct pvcalls_pool *old;

	old = rcu_dereference_protected(pvcalls_pool,
					lockdep_is_held(&pvcalls_pool_mutex));
	rcu_assign_pointer(pvcalls_pool, pool);
	return old;
}

/*
 * Find a worker by the policy. Of several that are as good it is the one that
 * the work is on, or has to do with: a socket's calls come from the worker of
 * its guest's command ring, and to wake another one for each costs more than
 * they do. Returns its index in @pool.
 */
static u32 pvcalls_pool_pick(const struct pvcalls_pool *pool,
			     const struct pvcalls_work *work)
{
	enum placement_policy policy = pvcalls_placing_policy();
	struct placement_worker pw[PVCALLS_MAX_WORKERS];
	unsigned int i, here = 0;

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
	i = pvcalls_placing_pick(policy, pw, pool->n, work->node_wish,
				 work->cpu_wish);
	return (here + i) % pool->n;
}

/*
 * Which worker is to have @work, which is the caller's to give away? @dest is
 * an index into the set, or PVCALLS_DEST_POLICY, or PVCALLS_DEST_STAY for the
 * one that has the work. Under rcu_read_lock(), until the work is on the
 * worker's list.
 */
static struct pvcalls_worker *
pvcalls_pool_choose(const struct pvcalls_work *work, int dest)
{
	const struct pvcalls_pool *pool = rcu_dereference(pvcalls_pool);

	/* there is none when all works have ended: it gets its last run */
	if (dest == PVCALLS_DEST_STAY || !pool)
		return work->worker;
	/* the set may have changed since somebody thought of an index */
	if (dest < 0 || dest >= pool->n)
		dest = pvcalls_pool_pick(pool, work);
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

/**
 * pvcalls_pool_lose() - a CPU has gone away, and so have its workers
 * @cpu: the CPU
 *
 * Context: any.
 */
void pvcalls_pool_lose(unsigned int cpu)
{
	const struct pvcalls_pool *pool;
	unsigned int i;

	rcu_read_lock();
	pool = rcu_dereference(pvcalls_pool);
	for (i = 0; pool && i < pool->n; i++)
		if (pool->w[i]->cpu == cpu)
			WRITE_ONCE(pool->w[i]->lost, true);
	rcu_read_unlock();
}

/**
 * pvcalls_work_init() - give a work to a worker
 * @work: to initialise
 * @ops: what it is
 * @domid: the guest
 * @node: NUMA node that it would like to be on, or PLACEMENT_ANY_NODE
 * @near: the worker that it has to do with, if that is as good as another one;
 *	or NULL. Being that one's already does not count as its load.
 *
 * It may be run before this returns. Process context. Undone by
 * pvcalls_work_exit().
 */
void pvcalls_work_init(struct pvcalls_work *work,
		       const struct pvcalls_work_ops *ops, domid_t domid,
		       int node, struct pvcalls_worker *near)
{
	struct pvcalls_worker *w;

	memset(work, 0, sizeof(*work));
	work->ops = ops;
	work->domid = domid;
	work->dest = PVCALLS_DEST_STAY;
	work->node_wish = node;
	work->cpu_wish = PLACEMENT_ANY_CPU;
	work->cpu_seen = PLACEMENT_ANY_CPU;
	work->worker = near;

	/* a worker that retires waits for those who may have chosen it */
	rcu_read_lock();
	w = pvcalls_pool_choose(work, PVCALLS_DEST_POLICY);
	spin_lock(&w->lock);
	WRITE_ONCE(work->worker, w);
	list_add_tail(&work->list, &w->works);
	atomic_inc(&w->load);
	spin_unlock(&w->lock);
	rcu_read_unlock();
}

/**
 * pvcalls_work_hand_over() - give a work to another worker, if it wants one
 * @work: marked, and taken off its worker's list
 * @from: that worker
 *
 * Context: the worker's thread.
 * Return: false if the work stays, and is to be run.
 */
bool pvcalls_work_hand_over(struct pvcalls_work *work,
			    struct pvcalls_worker *from)
{
	struct pvcalls_worker *to, *first, *second;
	bool moved = false;

	rcu_read_lock();
	to = pvcalls_pool_choose(work, xchg(&work->dest, PVCALLS_DEST_STAY));
	if (to == from)
		goto unlock;
	first = from->number < to->number ? from : to;
	second = first == from ? to : from;
	spin_lock(&first->lock);
	spin_lock_nested(&second->lock, SINGLE_DEPTH_NESTING);
	moved = !test_bit(PVCALLS_WORK_ENDED, &work->state);
	if (moved) {
		WRITE_ONCE(work->worker, to);
		list_move_tail(&work->list, &to->works);
		atomic_inc(&to->load);
		pvcalls_worker_unload(from);
		from->stats.moved++;
	}
	spin_unlock(&second->lock);
	spin_unlock(&first->lock);
	/* it is the other one's when it is on its list, and not before */
	if (moved)
		pvcalls_work_queue(work, to);
unlock:
	rcu_read_unlock();
	return moved;
}
