// SPDX-License-Identifier: GPL-2.0
/* See worker.h. */
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include <xen/events.h>

#include "placement.h"
#include "worker.h"

#define PVCALLS_MAX_WORKERS	64

/* A ring moves to another node only if that saves it this many neighbours */
#define PVCALLS_REMOTE_COST	2

static int param_set_workers(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, PVCALLS_MAX_WORKERS);
}

static const struct kernel_param_ops param_ops_workers = {
	.set = param_set_workers,
	.get = param_get_uint,
};

static unsigned int pvcalls_nr_workers;
module_param_cb(workers, &param_ops_workers, &pvcalls_nr_workers, 0444);
MODULE_PARM_DESC(workers,
		 "Worker threads, 1 to 64; 0 (default): one for each CPU online");

static struct pvcalls_worker *pvcalls_worker[PVCALLS_MAX_WORKERS];

/**
 * pvcalls_notify_init() - nothing owed, no event channel
 * @n: notification to initialise
 */
void pvcalls_notify_init(struct pvcalls_notify *n)
{
	INIT_LIST_HEAD(&n->node);
	n->irq = -1;
}

/**
 * pvcalls_notify_owe() - an event is to be sent at the end of this pass
 * @n: to whom; many calls in one pass make one event
 *
 * On the worker whose work @n belongs to.
 */
void pvcalls_notify_owe(struct pvcalls_notify *n)
{
	if (list_empty(&n->node))
		list_add_tail(&n->node, &pvcalls_worker_current()->notify);
}

/**
 * pvcalls_notify_now() - send the event if one is owed
 * @n: to whom
 *
 * To be called before the event channel goes away. On the worker whose work @n
 * belongs to.
 */
void pvcalls_notify_now(struct pvcalls_notify *n)
{
	if (list_empty(&n->node))
		return;
	list_del_init(&n->node);
	notify_remote_via_irq(n->irq);
}

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
 * pvcalls_worker_index() - the number in the name of a worker's thread
 * @w: worker
 *
 * Return: 0 to 63. Any context.
 */
unsigned int pvcalls_worker_index(const struct pvcalls_worker *w)
{
	return w->index;
}

/**
 * pvcalls_work_init() - give a work to the least loaded worker
 * @work: to initialise
 * @ops: what it is
 *
 * Any context. Undone by pvcalls_work_exit().
 */
void pvcalls_work_init(struct pvcalls_work *work,
		       const struct pvcalls_work_ops *ops)
{
	struct placement_worker pw[PVCALLS_MAX_WORKERS];
	struct pvcalls_worker *w;
	unsigned int i;

	for (i = 0; i < pvcalls_nr_workers; i++) {
		pw[i].load = atomic_read(&pvcalls_worker[i]->load);
		pw[i].node = pvcalls_worker[i]->node;
	}
	i = placement_choose(pw, pvcalls_nr_workers, PLACEMENT_ANY_NODE,
			     PVCALLS_REMOTE_COST);
	w = pvcalls_worker[i];
	atomic_inc(&w->load);

	work->worker = w;
	work->state = 0;
	work->ops = ops;
}

/**
 * pvcalls_work_exit() - the work is no load any more
 * @work: as initialised; it may still be queued, which keeps it alive
 *
 * Any context.
 */
void pvcalls_work_exit(struct pvcalls_work *work)
{
	atomic_dec(&work->worker->load);
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
	struct pvcalls_worker *w = work->worker;

	if (test_and_set_bit(PVCALLS_WORK_QUEUED, &work->state))
		return;
	work->ops->get(work);
	if (llist_add(&work->node, &w->ready))
		wake_up_process(w->task);
}

static void pvcalls_worker_pass(struct pvcalls_worker *w,
				struct llist_node *ready)
{
	struct pvcalls_notify *n, *next;

	ready = llist_reverse_order(ready);
	while (ready) {
		struct pvcalls_work *work =
			llist_entry(ready, struct pvcalls_work, node);

		/* once unmarked it may be on the list again */
		ready = ready->next;
		clear_bit(PVCALLS_WORK_QUEUED, &work->state);
		/* whoever finds the mark still set is seen by this run */
		smp_mb__after_atomic();
		if (work->ops->run(work, w))
			pvcalls_work_mark(work);
		work->ops->put(work);
	}

	list_for_each_entry_safe(n, next, &w->notify, node)
		pvcalls_notify_now(n);
}

static int pvcalls_worker_main(void *data)
{
	struct pvcalls_worker *w = data;

	for (;;) {
		struct llist_node *ready = llist_del_all(&w->ready);

		if (ready) {
			pvcalls_worker_pass(w, ready);
			cond_resched();
			continue;
		}
		set_current_state(TASK_IDLE);
		if (!llist_empty(&w->ready)) {
			__set_current_state(TASK_RUNNING);
			continue;
		}
		if (kthread_should_stop())
			break;
		schedule();
		__set_current_state(TASK_RUNNING);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static struct pvcalls_worker *pvcalls_worker_new(unsigned int index,
						 unsigned int cpu)
{
	struct pvcalls_worker *w;

	w = kvzalloc_node(sizeof(*w), GFP_KERNEL, cpu_to_node(cpu));
	if (!w)
		return ERR_PTR(-ENOMEM);
	init_llist_head(&w->ready);
	INIT_LIST_HEAD(&w->notify);
	w->index = index;
	w->cpu = cpu;
	w->node = cpu_to_node(cpu);
	w->task = kthread_create_on_node(pvcalls_worker_main, w, w->node,
					 "pvcalls_mt/%u", index);
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
 * pvcalls_workers_start() - start the threads
 *
 * May sleep.
 *
 * Return: 0 or a negative error number; then none is running.
 */
int pvcalls_workers_start(void)
{
	unsigned int cpu, i = 0;
	int err = 0;

	cpus_read_lock();
	if (!pvcalls_nr_workers)
		pvcalls_nr_workers = min_t(unsigned int, num_online_cpus(),
					   PVCALLS_MAX_WORKERS);
	cpu = cpumask_first(cpu_online_mask);
	while (i < pvcalls_nr_workers) {
		struct pvcalls_worker *w = pvcalls_worker_new(i, cpu);

		if (IS_ERR(w)) {
			err = PTR_ERR(w);
			break;
		}
		pvcalls_worker[i++] = w;
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	cpus_read_unlock();

	if (err) {
		pvcalls_nr_workers = i;
		pvcalls_workers_stop();
	}
	return err;
}

/**
 * pvcalls_workers_stop() - stop the threads
 *
 * All works must have been ended; what is still queued gets its last run. May
 * sleep.
 */
void pvcalls_workers_stop(void)
{
	while (pvcalls_nr_workers) {
		struct pvcalls_worker *w = pvcalls_worker[--pvcalls_nr_workers];

		kthread_stop(w->task);
		pvcalls_frags_free(&w->frags);
		kvfree(w);
	}
}
