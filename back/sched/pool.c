// SPDX-License-Identifier: GPL-2.0
/* The pool of workers and the owner of each work; pool.h describes both. */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>

#include "placement.h"
#include "sched/placing.h"
#include "sched/pool.h"
#include "sched/worker.h"

/* Guards changes of the pool, and the parameters that describe the pool */
static DEFINE_MUTEX(pvcalls_pool_mutex);
static struct pvcalls_pool __rcu *pvcalls_pool;

/**
 * pvcalls_pool_get() - the pool of workers, while it can't change
 *
 * Context: between pvcalls_pool_lock() and pvcalls_pool_unlock().
 * Return: the pool, or NULL if the workers have not started.
 */
const struct pvcalls_pool *pvcalls_pool_get(void)
{
	return rcu_dereference_protected(pvcalls_pool,
					 lockdep_is_held(&pvcalls_pool_mutex));
}

/**
 * pvcalls_pool_lock() - keep the pool of workers from changing
 *
 * Context: process, may sleep; undone by pvcalls_pool_unlock().
 * Return: the pool, or NULL if the workers have not started.
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
 * pvcalls_pool_publish() - replace the pool of workers
 * @pool: the new pool, or NULL if there are to be no workers
 *
 * Readers may use the former pool until synchronize_rcu().
 *
 * Context: between pvcalls_pool_lock() and pvcalls_pool_unlock().
 * Return: the former pool, which the caller now owns, or NULL.
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
 * Find a worker by the policy. Among equally good workers the work's own one is
 * chosen, or the one that was named as near. The reason: a socket's calls come
 * from the worker of its guest's command ring, and waking another worker for
 * each call costs more than the call. Returns the worker's index in @pool.
 */
static u32 pvcalls_pool_pick(const struct pvcalls_pool *pool,
			     const struct pvcalls_work *work)
{
	enum placement_policy policy = pvcalls_placing_policy();
	struct placement_worker pw[PVCALLS_MAX_WORKERS];
	unsigned int i, here = 0;

	/* the first of equally good workers is chosen, so begin with its own */
	for (i = 0; i < pool->n && policy != PLACEMENT_ROUND_ROBIN; i++)
		if (pool->w[i] == work->worker)
			here = i;
	for (i = 0; i < pool->n; i++) {
		const struct pvcalls_worker *w = pool->w[(here + i) % pool->n];

		pw[i].load = atomic_read(&w->load);
		pw[i].node = READ_ONCE(w->node);
		pw[i].cpu = w->cpu;
		/* the work's own load is no reason to leave its worker */
		if (w == work->worker && pw[i].load)
			pw[i].load--;
	}
	i = pvcalls_placing_pick(policy, pw, pool->n, work->node_wish,
				 work->cpu_wish);
	return (here + i) % pool->n;
}

/*
 * Find the worker that is to have @work, which the caller may give away. @dest
 * is an index into the pool; or PVCALLS_DEST_POLICY; or PVCALLS_DEST_STAY for
 * the worker that has the work. The caller holds rcu_read_lock() until the work
 * is on the worker's list, so that the worker exists.
 */
static struct pvcalls_worker *
pvcalls_pool_choose(const struct pvcalls_work *work, int dest)
{
	const struct pvcalls_pool *pool = rcu_dereference(pvcalls_pool);

	/* without a pool all works have ended: the work gets its last run */
	if (dest == PVCALLS_DEST_STAY || !pool)
		return work->worker;
	/* the pool may have changed since @dest was chosen */
	if (dest < 0 || dest >= pool->n)
		dest = pvcalls_pool_pick(pool, work);
	return pool->w[dest];
}

/**
 * pvcalls_pool_serves() - is there a worker on a CPU?
 * @cpu: the CPU
 *
 * Context: any.
 * Return: true if there is one; the pool may change at any time.
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
 * pvcalls_pool_lose() - mark the workers of a CPU that goes away
 * @cpu: the CPU, whose workers will not be taken over
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
 * @work: the work to initialise
 * @ops: operations of this kind of work
 * @queues: queues of the guest, which holds them for as long as the work exists
 * @node: NUMA node that is best for the work, or PLACEMENT_ANY_NODE
 * @near: the worker that is chosen among equally good ones, or NULL. One work
 *	less than it has counts as its load
 *
 * The work may be run before this function returns. The call is undone by
 * pvcalls_work_exit().
 *
 * Context: process; takes pvcalls_worker.lock.
 */
void pvcalls_work_init(struct pvcalls_work *work,
		       const struct pvcalls_work_ops *ops,
		       struct pvcalls_queues *queues, int node,
		       struct pvcalls_worker *near)
{
	struct pvcalls_worker *w;

	memset(work, 0, sizeof(*work));
	work->ops = ops;
	work->queues = queues;
	work->dest = PVCALLS_DEST_STAY;
	work->node_wish = node;
	work->cpu_wish = PLACEMENT_ANY_CPU;
	work->cpu_seen = PLACEMENT_ANY_CPU;
	work->worker = near;

	/*
	 * RCU, because a worker that ends waits for readers that have chosen it
	 */
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
 * pvcalls_work_hand_over() - give a work to the worker that it is to have
 * @work: work that is marked, and off its worker's ready list
 * @from: the worker that has the work
 *
 * Context: the thread of @from; takes pvcalls_worker.lock of both workers.
 * Return: true if another worker has the work now; false if the caller is to
 * run the work.
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
	/*
	 * the new worker owns the work once the work is on its list, not before
	 */
	if (moved)
		pvcalls_work_queue(work, to);
unlock:
	rcu_read_unlock();
	return moved;
}
