// SPDX-License-Identifier: GPL-2.0
/* Marking and accounting of works; worker.h says who calls what. */
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include <xen/events.h>

#include "sched/placing.h"
#include "sched/worker.h"

/* Runs in a row with packets on another CPU after which that CPU counts */
#define PVCALLS_CPU_RUNS	16

/**
 * pvcalls_worker_current() - the worker that runs this code
 *
 * Description: Only the thread of a worker has a current worker.
 *
 * Context: any worker.
 * Return: the running worker.
 */
struct pvcalls_worker *pvcalls_worker_current(void)
{
	return kthread_data(current);
}

/**
 * pvcalls_worker_unload() - count a work that leaves a worker
 * @w: the worker
 *
 * Context: process, with @w->lock and rcu_read_lock() held. The latter keeps
 * @w, which the thread that waits for the last work frees.
 */
void pvcalls_worker_unload(struct pvcalls_worker *w)
{
	if (atomic_dec_and_test(&w->load) && READ_ONCE(w->retired))
		wake_up(&w->idle);
}

/**
 * pvcalls_work_exit() - take a work away from its worker
 * @work: the work; if it is still queued, the queue's reference keeps it
 *
 * Later marks have no effect.
 *
 * Context: process; takes pvcalls_worker.lock.
 */
void pvcalls_work_exit(struct pvcalls_work *work)
{
	struct pvcalls_worker *w;

	rcu_read_lock();
	for (;;) {
		w = READ_ONCE(work->worker);
		spin_lock(&w->lock);
		/*
		 * the work may have been handed over before the lock was held
		 */
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

/**
 * pvcalls_work_queue() - put a marked work on a worker's ready list
 * @work: the work, whose reference goes to the list
 * @w: the worker
 *
 * Context: any, under RCU or in the worker's softirq.
 */
void pvcalls_work_queue(struct pvcalls_work *work, struct pvcalls_worker *w)
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
	/* the mark keeps the work where it is, and RCU keeps the worker */
	rcu_read_lock();
	if (!test_bit(PVCALLS_WORK_ENDED, &work->state)) {
		work->ops->get(work);
		queue(work, READ_ONCE(work->worker));
	}
	rcu_read_unlock();
}

/**
 * pvcalls_work_mark() - have a work run by its worker
 * @work: the work, which the caller keeps from being freed during the call
 *
 * If the work is marked already, this call does nothing, because the coming run
 * sees everything that precedes the call: the worker clears the mark, with a
 * full barrier, before it runs the work.
 *
 * Context: any; lock-free.
 */
void pvcalls_work_mark(struct pvcalls_work *work)
{
	pvcalls_work_mark_how(work, pvcalls_work_queue);
}

/**
 * pvcalls_work_mark_fast() - have a work run, by a softirq if it is sparse
 * @work: the work, as for pvcalls_work_mark()
 *
 * Context: hard interrupt, lock-free: the softirq runs on the interrupt's CPU.
 */
void pvcalls_work_mark_fast(struct pvcalls_work *work)
{
	pvcalls_work_mark_how(work, pvcalls_work_queue_fast);
}

/**
 * pvcalls_worker_ask() - have a worker place all its works anew
 * @w: the worker, which hands all works over if it has retired
 *
 * The caller holds the pool's mutex or rcu_read_lock(), so that @w exists.
 *
 * Context: process; takes pvcalls_worker.lock.
 */
void pvcalls_worker_ask(struct pvcalls_worker *w)
{
	struct pvcalls_work *work;

	spin_lock(&w->lock);
	list_for_each_entry(work, &w->works, list) {
		WRITE_ONCE(work->dest, PVCALLS_DEST_POLICY);
		/* a work on the list has not ended, so its object exists */
		pvcalls_work_mark(work);
	}
	spin_unlock(&w->lock);
}

/**
 * pvcalls_work_did() - account for the bytes that a run has moved
 * @work: the work, which is being run
 * @bytes: number of bytes moved, both ways
 * @cpu: CPU on which the work's packets arrive, or PLACEMENT_ANY_CPU
 *
 * Context: the worker that @work belongs to.
 */
void pvcalls_work_did(struct pvcalls_work *work, u32 bytes, int cpu)
{
	/* nobody else gives the work away meanwhile */
	struct pvcalls_worker *w = work->worker;

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
 * pvcalls_work_steer() - send a work's interrupt to its worker's CPU
 * @work: the work, in its run or while its run can't begin
 * @irq: interrupt of the work's event channel
 *
 * The call is cheap if the interrupt goes there already.
 *
 * Context: process or softirq.
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
	/* if the CPU has just gone this fails, and the work is about to move */
	irq_set_affinity(irq, cpumask_of(cpu));
	work->steered = number;
}

/**
 * pvcalls_work_index() - number in a worker's name
 * @work: a work of the worker
 *
 * Context: any.
 * Return: the number in the name of the worker's thread. The work may have
 * another worker by then.
 */
unsigned int pvcalls_work_index(const struct pvcalls_work *work)
{
	unsigned int index;

	rcu_read_lock();
	index = READ_ONCE(work->worker)->index;
	rcu_read_unlock();
	return index;
}

static bool pvcalls_worker_has_spent(const struct pvcalls_worker *w)
{
	return w->spent - w->began + w->tools.scratch.cost >=
	       pvcalls_fairq_budget();
}

/**
 * pvcalls_worker_spend() - charge this run for more than the bytes it moves
 * @cost: additional cost of the run, in bytes
 *
 * Context: any worker.
 * Return: as pvcalls_worker_is_over().
 */
bool pvcalls_worker_spend(u64 cost)
{
	struct pvcalls_worker *w = pvcalls_worker_current();

	w->spent += cost;
	return pvcalls_worker_has_spent(w);
}

/**
 * pvcalls_worker_is_over() - has this run cost as much as others' turn is due?
 *
 * Description: What a guest can make long looks here between its pieces, the
 * first one of which is done in any case.
 *
 * Context: any worker.
 * Return: true if the run has cost the parameter budget, and the rest is for the
 * next run.
 */
bool pvcalls_worker_is_over(void)
{
	return pvcalls_worker_has_spent(pvcalls_worker_current());
}
