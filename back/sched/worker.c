// SPDX-License-Identifier: GPL-2.0
/* See worker.h. */
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include <xen/events.h>

#include "busypoll.h"
#include "placement.h"
#include "pvcalls_param.h"
#include "sched/placing.h"
#include "sched/pool.h"
#include "sched/topology.h"
#include "sched/fairq.h"
#include "sched/worker.h"

/* What a run costs beside the bytes that it moves, in bytes */
#define PVCALLS_RUN_COST	4096

/* Packets arrive on a CPU once they have for so many runs */
#define PVCALLS_CPU_RUNS	16

/* Works that a softirq tries before it leaves the others to the thread */
#define PVCALLS_FAST_RUNS	8

PVCALLS_PARAM_UINT(poll_us, 0, 0, 1000, 0644);
MODULE_PARM_DESC(poll_us,
		 "Microseconds that a worker may poll for work before it sleeps, if that pays, 1 to 1000; 0 (default): none");

/**
 * pvcalls_worker_current() - the worker that this is
 *
 * Return: the running worker. Only worker threads may call it.
 */
struct pvcalls_worker *pvcalls_worker_current(void)
{
	return kthread_data(current);
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

/* One work less; with the worker's lock held. */
static void pvcalls_worker_unload(struct pvcalls_worker *w)
{
	if (atomic_dec_and_test(&w->load) && READ_ONCE(w->retired))
		pvcalls_pool_wake();
}

/**
 * pvcalls_work_exit() - the work belongs to no worker any more
 * @work: as initialised; it may still be queued, which keeps it alive
 *
 * Whoever marks it later has no effect. Process context.
 */
void pvcalls_work_exit(struct pvcalls_work *work)
{
	struct pvcalls_worker *w;

	rcu_read_lock();
	for (;;) {
		w = READ_ONCE(work->worker);
		spin_lock(&w->lock);
		/* it may have been handed over meanwhile */
		if (w == READ_ONCE(work->worker))
			break;
		spin_unlock(&w->lock);
	}
	list_del_init(&work->list);
	set_bit(PVCALLS_WORK_ENDED, &work->state);
	pvcalls_worker_unload(w);
	spin_unlock(&w->lock);
	rcu_read_unlock();
}

/* Put a marked work on a worker's list; under RCU, or in its softirq. */
static void pvcalls_work_queue(struct pvcalls_work *work,
			       struct pvcalls_worker *w)
{
	if (llist_add(&work->node, &w->ready))
		wake_up_process(w->task);
}

static void pvcalls_work_queue_fast(struct pvcalls_work *work,
				    struct pvcalls_worker *w)
{
	if (llist_add(&work->node, &w->fast_ready))
		tasklet_schedule(&w->fast);
}

static void pvcalls_work_mark_how(struct pvcalls_work *work,
				  void (*queue)(struct pvcalls_work *work,
						struct pvcalls_worker *w))
{
	if (test_and_set_bit(PVCALLS_WORK_QUEUED, &work->state))
		return;
	/* from here on nobody hands it over, and its worker is not freed */
	rcu_read_lock();
	if (!test_bit(PVCALLS_WORK_ENDED, &work->state)) {
		work->ops->get(work);
		queue(work, READ_ONCE(work->worker));
	}
	rcu_read_unlock();
}

/**
 * pvcalls_work_mark() - have a work run, soon
 * @work: what; the caller makes sure that it exists during the call
 *
 * Lock-free, for any context. If the work is queued already nothing happens:
 * it will be run, and that run sees everything that was done before this call,
 * because the worker takes the mark away, with a full barrier, before it runs.
 */
void pvcalls_work_mark(struct pvcalls_work *work)
{
	pvcalls_work_mark_how(work, pvcalls_work_queue);
}

/**
 * pvcalls_work_mark_fast() - have a work run, in a softirq if it is little
 * @work: what, see pvcalls_work_mark()
 *
 * Lock-free, for hard interrupts: the softirq runs on the interrupt's CPU.
 */
void pvcalls_work_mark_fast(struct pvcalls_work *work)
{
	pvcalls_work_mark_how(work, pvcalls_work_queue_fast);
}

/*
 * Hand a work over that is marked and was taken off its worker's list. Returns
 * false if it stays, and is to be run.
 */
static bool pvcalls_work_hand_over(struct pvcalls_work *work,
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

/**
 * pvcalls_worker_ask() - have a worker place all its works anew
 * @w: the worker; one that has retired keeps none
 *
 * The caller holds the pool's lock or RCU's. Process context.
 */
void pvcalls_worker_ask(struct pvcalls_worker *w)
{
	struct pvcalls_work *work;

	spin_lock(&w->lock);
	list_for_each_entry(work, &w->works, list) {
		WRITE_ONCE(work->dest, PVCALLS_DEST_POLICY);
		/* what is on the list has not ended, so it exists */
		pvcalls_work_mark(work);
	}
	spin_unlock(&w->lock);
}

/**
 * pvcalls_work_did() - account for what a run has done
 * @work: the work; in its run
 * @bytes: bytes moved
 * @cpu: CPU that its packets arrive on, or PLACEMENT_ANY_CPU
 */
void pvcalls_work_did(struct pvcalls_work *work, u32 bytes, int cpu)
{
	struct pvcalls_worker *w = pvcalls_worker_current();

	WRITE_ONCE(work->cost, work->cost + bytes + PVCALLS_RUN_COST);
	w->stats.bytes += bytes;
	w->stats.cost += bytes + PVCALLS_RUN_COST;
	w->spent += bytes + PVCALLS_RUN_COST;

	if (!bytes)
		return;
	if (cpu != work->cpu_seen || cpu == work->cpu_wish) {
		work->cpu_seen = cpu;
		work->cpu_runs = 0;
	}
	if (cpu == work->cpu_wish || ++work->cpu_runs < PVCALLS_CPU_RUNS)
		return;
	work->cpu_wish = cpu;
	if (pvcalls_placing_heeds_cpu()) {
		WRITE_ONCE(work->dest, PVCALLS_DEST_POLICY);
		pvcalls_work_mark(work);
	}
}

/**
 * pvcalls_work_steer() - have a work's interrupt come in where it is run
 * @work: the work; in its run, or while that can't begin
 * @irq: its interrupt
 *
 * Cheap if it does already. Process or softirq context.
 */
void pvcalls_work_steer(struct pvcalls_work *work, int irq)
{
	const struct pvcalls_worker *w;
	u32 number;
	unsigned int cpu;

	rcu_read_lock();
	w = READ_ONCE(work->worker);
	number = w->number;
	cpu = w->cpu;
	rcu_read_unlock();
	if (work->steered == number)
		return;
	/* fails if the CPU has just gone; then the work is about to move */
	irq_set_affinity(irq, cpumask_of(cpu));
	work->steered = number;
}

/**
 * pvcalls_work_index() - the number in the name of a work's worker's thread
 * @work: work
 *
 * Return: the number, which may be out of date. Any context.
 */
unsigned int pvcalls_work_index(const struct pvcalls_work *work)
{
	unsigned int index;

	rcu_read_lock();
	index = READ_ONCE(work->worker)->index;
	rcu_read_unlock();
	return index;
}

/**
 * pvcalls_worker_spend() - charge this run for more than the bytes it moves
 * @cost: in bytes
 *
 * Only worker threads may call it.
 */
void pvcalls_worker_spend(u32 cost)
{
	pvcalls_worker_current()->spent += cost;
}

static void pvcalls_worker_run(struct pvcalls_worker *w,
			       struct pvcalls_work *work)
{
	u64 before = w->spent;
	bool more;

	if (unlikely(READ_ONCE(work->dest) != PVCALLS_DEST_STAY) &&
	    pvcalls_work_hand_over(work, w))
		return;
	clear_bit(PVCALLS_WORK_QUEUED, &work->state);
	/* whoever finds the mark still set is seen by this run */
	smp_mb__after_atomic();
	more = work->ops->run(work, w);
	pvcalls_fairq_spend(&w->fairq, work,
			    max_t(u64, w->spent - before, PVCALLS_RUN_COST));
	/* someone may have asked since, and found the mark there */
	if (more || READ_ONCE(work->dest) != PVCALLS_DEST_STAY)
		pvcalls_work_mark(work);
	work->ops->put(work);
	w->stats.runs++;
}

/* Returns false if it is the thread's, and still marked. */
static bool pvcalls_worker_try_fast(struct pvcalls_worker *w,
				    struct pvcalls_work *work)
{
	bool asleep, done;

	if (!work->ops->fast)
		return false;
	/* one that was woken for others, but has no CPU yet, is not */
	asleep = READ_ONCE(w->asleep) && llist_empty(&w->ready);
	if (!asleep && atomic_read(&work->fast_cost) >= pvcalls_fairq_sparse())
		return false;
	clear_bit(PVCALLS_WORK_QUEUED, &work->state);
	/* whoever finds the mark still set is seen by this run */
	smp_mb__after_atomic();
	done = work->ops->fast(work, w);
	if (done) {
		w->stats.fast++;
		if (!asleep)
			atomic_add(PVCALLS_RUN_COST, &work->fast_cost);
	}
	/* only the thread hands over; who asked may have found the mark there */
	if (!done || READ_ONCE(work->dest) != PVCALLS_DEST_STAY)
		pvcalls_work_mark(work);
	work->ops->put(work);
	return true;
}

static void pvcalls_worker_fast(struct tasklet_struct *t)
{
	struct pvcalls_worker *w = from_tasklet(w, t, fast);
	struct llist_node *ready;
	unsigned int n = 0;

	ready = llist_reverse_order(llist_del_all(&w->fast_ready));
	while (ready) {
		struct pvcalls_work *work =
			llist_entry(ready, struct pvcalls_work, node);

		ready = ready->next;
		if (n++ >= PVCALLS_FAST_RUNS || !pvcalls_worker_try_fast(w, work))
			pvcalls_work_queue(work, w);
	}
}

static void pvcalls_worker_turn(struct pvcalls_worker *w,
				struct pvcalls_guestq *q)
{
	struct pvcalls_work *work;

	pvcalls_fairq_begin(q);
	while ((work = pvcalls_fairq_take(q)))
		pvcalls_worker_run(w, work);
	pvcalls_fairq_end(&w->fairq, q);
}

/* A turn for each guest that has ready works. */
static void pvcalls_worker_pass(struct pvcalls_worker *w)
{
	LIST_HEAD(round);

	list_splice_init(&w->fairq.queues, &round);
	while (!list_empty(&round))
		pvcalls_worker_turn(w, list_first_entry(&round,
							struct pvcalls_guestq,
							node));
	pvcalls_fairq_round(&w->fairq);
	pvcalls_events_send(&w->events);
	w->stats.passes++;
}

/* Take over what has been marked. Returns whether anything is ready. */
static bool pvcalls_worker_collect(struct pvcalls_worker *w)
{
	struct llist_node *ready;

	ready = llist_reverse_order(llist_del_all(&w->ready));
	while (ready) {
		struct pvcalls_work *work =
			llist_entry(ready, struct pvcalls_work, node);

		ready = ready->next;
		pvcalls_fairq_add(&w->fairq, work);
	}
	return !list_empty(&w->fairq.queues);
}

/*
 * Nothing is ready: poll for as long as seems worth it, unless somebody else
 * wants the CPU. Returns whether there is work.
 */
static bool pvcalls_worker_poll(struct pvcalls_worker *w, u64 begin)
{
	u64 now = begin;
	bool hit = false;

	do {
		cpu_relax();
		hit = !llist_empty(&w->ready);
		now = local_clock();
	} while (!hit && now - begin < w->poll && !need_resched() &&
		 !kthread_should_stop());

	w->stats.polls++;
	w->stats.hits += hit;
	w->stats.polled += now - begin;
	return hit;
}

static int pvcalls_worker_main(void *data)
{
	struct pvcalls_worker *w = data;
	/* when it ran dry; 0: it has not, or polling is off */
	u64 dry = 0;

	for (;;) {
		u32 limit;

		if (pvcalls_worker_collect(w)) {
			if (dry) {
				limit = READ_ONCE(param_poll_us) *
					NSEC_PER_USEC;
				w->poll = busypoll_next(w->poll, limit,
							local_clock() - dry);
				dry = 0;
			}
			pvcalls_worker_pass(w);
			cond_resched();
			continue;
		}
		if (!dry && READ_ONCE(param_poll_us)) {
			dry = local_clock();
			if (w->poll && pvcalls_worker_poll(w, dry))
				continue;
		}
		set_current_state(TASK_IDLE);
		if (!llist_empty(&w->ready)) {
			__set_current_state(TASK_RUNNING);
			continue;
		}
		if (kthread_should_stop())
			break;
		w->stats.sleeps++;
		WRITE_ONCE(w->asleep, true);
		schedule();
		WRITE_ONCE(w->asleep, false);
		__set_current_state(TASK_RUNNING);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/**
 * pvcalls_worker_new() - start a worker
 * @index: the number in its thread's name
 * @cpu: the CPU that it is bound to
 *
 * May sleep; under cpus_read_lock(), with @cpu online.
 *
 * Return: the worker or an error pointer.
 */
struct pvcalls_worker *pvcalls_worker_new(unsigned int index,
					  unsigned int cpu)
{
	static u32 numbers;
	struct pvcalls_worker *w;

	w = kvzalloc_node(sizeof(*w), GFP_KERNEL, cpu_to_node(cpu));
	if (!w)
		return ERR_PTR(-ENOMEM);
	init_llist_head(&w->ready);
	init_llist_head(&w->fast_ready);
	spin_lock_init(&w->lock);
	INIT_LIST_HEAD(&w->works);
	pvcalls_fairq_init(&w->fairq);
	pvcalls_events_init(&w->events);
	tasklet_setup(&w->fast, pvcalls_worker_fast);
	/* under the pool's lock */
	w->number = ++numbers;
	w->index = index;
	w->cpu = cpu;
	w->node = pvcalls_topology_node(cpu);
	w->task = kthread_create_on_node(pvcalls_worker_main, w,
					 cpu_to_node(cpu), "pvcalls_mt/%u",
					 index);
	if (IS_ERR(w->task)) {
		int err = PTR_ERR(w->task);

		kvfree(w);
		return ERR_PTR(err);
	}
	kthread_bind(w->task, cpu);
	wake_up_process(w->task);
	return w;
}

/**
 * pvcalls_worker_free() - stop a worker
 * @w: worker that no work belongs to, and that nobody can find under RCU
 *
 * What is still queued gets its last run. May sleep.
 */
void pvcalls_worker_free(struct pvcalls_worker *w)
{
	tasklet_kill(&w->fast);
	kthread_stop(w->task);
	pvcalls_frags_free(&w->frags);
	kvfree(w);
}
