/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers: kernel threads, each bound to one CPU, that do all the work.
 *
 * Whatever has work (a command ring, a socket) embeds a struct pvcalls_work
 * that belongs to one worker for life. Marking it ready is lock-free, needs no
 * memory and is idempotent, so that interrupt handlers and socket callbacks do
 * nothing else. Only the worker runs it, one run at a time: what a work's run
 * touches needs no lock unless others touch it too.
 *
 * Who calls what: interrupt handlers, socket callbacks, other workers and
 * xenbus's thread call pvcalls_work_mark(); the worker calls @run and, at the
 * end of a pass over all that was ready, sends the events that are owed.
 */
#ifndef PVCALLS_BACK_WORKER_H
#define PVCALLS_BACK_WORKER_H

#include <linux/atomic.h>
#include <linux/bvec.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

#include "datamap.h"
#include "frags.h"
#include "pvcalls_ext.h"

struct task_struct;
struct pvcalls_work;
struct pvcalls_worker;

/* More segments than half of the largest ring, begun amid a page, can have */
#define PVCALLS_MAX_SEGS	(BIT(PVCALLS_MAX_PAGE_ORDER - 1) + 2)

/**
 * struct pvcalls_work_ops - a kind of work
 * @run: do it, on its worker; may sleep, but never for the network. True if
 *	there is more to do.
 * @get: take a reference to the object that embeds the work; any context
 * @put: drop it; on a worker
 */
struct pvcalls_work_ops {
	bool (*run)(struct pvcalls_work *work, struct pvcalls_worker *w);
	void (*get)(struct pvcalls_work *work);
	void (*put)(struct pvcalls_work *work);
};

/**
 * struct pvcalls_work - something that a worker has to run now and then
 * @node: on the worker's list of ready work
 * @worker: who runs it
 * @state: bit PVCALLS_WORK_QUEUED
 * @ops: what it is
 *
 * While it is queued, the queue holds a reference to it.
 */
struct pvcalls_work {
	struct llist_node node;
	struct pvcalls_worker *worker;
	unsigned long state;
	const struct pvcalls_work_ops *ops;
};

#define PVCALLS_WORK_QUEUED	0

/**
 * struct pvcalls_notify - an event channel that may be owed an event
 * @node: on its worker's list while an event is owed, else empty
 * @irq: the event channel's interrupt
 */
struct pvcalls_notify {
	struct list_head node;
	int irq;
};

/**
 * struct pvcalls_worker - one worker
 * @ready: work that is to be run
 * @task: the thread
 * @index: its number
 * @cpu: the CPU that it is bound to
 * @node: that CPU's NUMA node
 * @load: how many works belong to it
 * @notify: events owed at the end of the pass; the worker's own
 * @scratch: for mapping and unmapping; the worker's own
 * @bvec: for a data pass; the worker's own
 * @frags: for data that is copied; the worker's own
 */
struct pvcalls_worker {
	struct llist_head ready;
	struct task_struct *task;
	unsigned int index;
	unsigned int cpu;
	int node;
	atomic_t load;
	struct list_head notify;
	struct pvcalls_datamap_scratch scratch;
	struct bio_vec bvec[PVCALLS_MAX_SEGS];
	struct pvcalls_frags frags;
};

int pvcalls_workers_start(void);
void pvcalls_workers_stop(void);
struct pvcalls_worker *pvcalls_worker_current(void);
unsigned int pvcalls_worker_index(const struct pvcalls_worker *w);

void pvcalls_work_init(struct pvcalls_work *work,
		       const struct pvcalls_work_ops *ops);
void pvcalls_work_exit(struct pvcalls_work *work);
void pvcalls_work_mark(struct pvcalls_work *work);

void pvcalls_notify_init(struct pvcalls_notify *n);
void pvcalls_notify_owe(struct pvcalls_notify *n);
void pvcalls_notify_now(struct pvcalls_notify *n);

#endif /* PVCALLS_BACK_WORKER_H */
