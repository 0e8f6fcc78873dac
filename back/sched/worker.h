/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers, as those know them that have work for them: kernel threads, each
 * bound to one CPU, that run all the works (work.h).
 *
 * Who calls what: interrupt handlers, socket callbacks, other workers and
 * xenbus's thread call pvcalls_work_mark(). The worker's thread (thread.h) runs
 * the work and, when each guest that has ready works has had a turn, sends the
 * events that are owed.
 */
#ifndef PVCALLS_BACK_WORKER_H
#define PVCALLS_BACK_WORKER_H

#include <linux/atomic.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "ring/tools.h"
#include "sched/fairq.h"
#include "sched/work.h"

struct task_struct;

/* Workers that there can be */
#define PVCALLS_MAX_WORKERS	64

/* What a run costs beside the bytes that it moves, in bytes */
#define PVCALLS_RUN_COST	4096

/**
 * struct pvcalls_worker_stats - what a worker has done
 * @rounds: turns for all that was ready
 * @runs: works run
 * @bytes: bytes moved, both ways
 * @cost: of its works, see struct pvcalls_work
 * @moved: works handed over
 * @fast: works done in softirq context; that one's own
 * @sleeps: how often it went to sleep
 * @polls: how often it polled
 * @hits: how often that met work
 * @polled: time spent on it, in ns
 */
struct pvcalls_worker_stats {
	u64 rounds;
	u64 runs;
	u64 bytes;
	u64 cost;
	u64 moved;
	u64 fast;
	u64 sleeps;
	u64 polls;
	u64 hits;
	u64 polled;
};

/**
 * struct pvcalls_worker - one worker
 * @ready: work that has been marked
 * @task: the thread
 * @asleep: it is, or is about to be woken
 * @fast_ready: work that interrupts have marked
 * @fast: tries them
 * @number: unique, never 0
 * @index: the number in the thread's name
 * @cpu: the CPU that it is bound to
 * @node: that CPU's NUMA node
 * @lost: its CPU has gone away
 * @retired: it gets no work any more, and is to hand over what it has
 * @lock: guards @works, and pvcalls_work.worker of those on it; taken in
 *	process context only, two of them in the order of @number
 * @works: all works that belong to it
 * @load: how many
 * @idle: woken when @load reaches 0, if it has retired
 * @fairq: what is to be run; the worker's own
 * @spent: what runs have cost, in bytes; the worker's own
 * @stats: what it has done so far; the worker's own
 * @cost_seen: what the balancer has seen of @stats.cost
 * @poll: how long it polls when it runs dry, in ns; the worker's own
 * @tools: for the rings that its works have; the worker's own
 */
struct pvcalls_worker {
	struct llist_head ready;
	struct task_struct *task;
	bool asleep;
	struct llist_head fast_ready;
	struct tasklet_struct fast;
	u32 number;
	unsigned int index;
	unsigned int cpu;
	int node;
	bool lost;
	bool retired;
	spinlock_t lock;
	struct list_head works;
	atomic_t load;
	wait_queue_head_t idle;
	struct pvcalls_fairq fairq;
	u64 spent;
	struct pvcalls_worker_stats stats;
	u64 cost_seen;
	u32 poll;
	struct pvcalls_tools tools;
};

struct pvcalls_worker *pvcalls_worker_current(void);
void pvcalls_worker_ask(struct pvcalls_worker *w);
void pvcalls_worker_unload(struct pvcalls_worker *w);
void pvcalls_worker_spend(u32 cost);

void pvcalls_work_exit(struct pvcalls_work *work);
void pvcalls_work_queue(struct pvcalls_work *work, struct pvcalls_worker *w);
void pvcalls_work_mark(struct pvcalls_work *work);
void pvcalls_work_mark_fast(struct pvcalls_work *work);
void pvcalls_work_did(struct pvcalls_work *work, u32 bytes, int cpu);
void pvcalls_work_steer(struct pvcalls_work *work, int irq);
unsigned int pvcalls_work_index(const struct pvcalls_work *work);

#endif /* PVCALLS_BACK_WORKER_H */
