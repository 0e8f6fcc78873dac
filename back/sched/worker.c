// SPDX-License-Identifier: GPL-2.0
/* See worker.h. */
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include <xen/events.h>

#include "sched/placing.h"
#include "sched/worker.h"

/* Packets arrive on a CPU once they have for so many runs */
#define PVCALLS_CPU_RUNS	16

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
 * pvcalls_worker_unload() - a worker has one work less
 * @w: worker; its lock is held
 *
 * Context: process, under RCU: whoever waits for the last work frees @w.
 */
void pvcalls_worker_unload(struct pvcalls_worker *w)
{
	if (atomic_dec_and_test(&w->load) && READ_ONCE(w->retired))
		wake_up(&w->idle);
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

/**
 * pvcalls_work_queue() - put a marked work on a worker's list
 * @work: the work
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
