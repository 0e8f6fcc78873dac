/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wing sched/: workers run works, each guest in its fair share.
 *
 * It offers works (work.h), the workers that run them (worker.h, thread.h),
 * fair queues (fairq.h) and each guest's (queues.h), the pool of workers and its
 * members (pool.h, members.h), placing, the balancer and the topology
 * (placing.h, balancer.h, topology.h). It may use ring/tools.h, numa/ and
 * include/; it knows neither guests nor sockets.
 *
 * Workers are kernel threads, each bound to one CPU. Interrupt handlers, socket
 * callbacks, other workers and xenbus's thread call pvcalls_work_mark(). The
 * worker's thread runs the work. At the end of a round, when each guest with
 * ready works has been served, and between its turns once they have cost a
 * budget, the thread sends the events that are owed.
 *
 * Locks: the pool's mutex guards the set of workers; process context takes it,
 * and holds it while workers start and end. Inside it is pvcalls_worker.lock, a
 * spinlock of process context that guards a worker's list of works. RCU
 * protects the pool and its workers for readers. Marking is lock-free and
 * allowed in any context.
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

/* Most workers in the pool */
#define PVCALLS_MAX_WORKERS	64

/* Cost of a run in addition to the bytes that it moves, in bytes */
#define PVCALLS_RUN_COST	4096

/**
 * struct pvcalls_worker_stats - counters of a worker
 * @rounds: rounds, in each of which all guests with ready works were served
 * @runs: runs of works by the thread
 * @bytes: bytes moved, both ways
 * @cost: cost of the worker's works, see struct pvcalls_work
 * @moved: works handed over
 * @fast: works done in softirq context; written by the softirq, all others by
 *	the thread
 * @sleeps: how often the thread went to sleep
 * @polls: how often the thread polled
 * @hits: how often polling found a work
 * @polled: time spent on polling, in ns
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
 * @ready: works that have been marked
 * @task: the thread
 * @asleep: the thread sleeps, or has been woken and not run yet
 * @fast_ready: works that interrupts have marked
 * @fast: the softirq, which tries the works of @fast_ready
 * @number: unique, never 0
 * @index: the number in the thread's name
 * @cpu: CPU to which the thread is bound
 * @node: NUMA node of @cpu
 * @lost: @cpu has gone away
 * @retired: the worker gets no works any more, and is to hand over all that it
 *	has
 * @lock: guards @works, and pvcalls_work.worker of the works on it; taken in
 *	process context only, locks of two workers in the order of @number
 * @works: all works that belong to the worker
 * @load: number of works in @works
 * @idle: woken when @load reaches 0 and @retired is set
 * @fairq: works to run; used by the thread only
 * @spent: cost of all runs so far, in bytes, without what @tools know; used by
 *	the thread only
 * @began: @spent when the run under way began
 * @stats: counters, which other threads only read
 * @cost_seen: value of @stats.cost that the balancer has noted
 * @poll: how long to poll when no work is ready, in ns; used by the thread only
 * @tools: tools for the rings of the works; used by the worker only
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
	u64 began;
	struct pvcalls_worker_stats stats;
	u64 cost_seen;
	u32 poll;
	struct pvcalls_tools tools;
};

struct pvcalls_worker *pvcalls_worker_current(void);
void pvcalls_worker_ask(struct pvcalls_worker *w);
void pvcalls_worker_unload(struct pvcalls_worker *w);
bool pvcalls_worker_spend(u64 cost);
bool pvcalls_worker_is_over(void);

void pvcalls_work_exit(struct pvcalls_work *work);
void pvcalls_work_queue(struct pvcalls_work *work, struct pvcalls_worker *w);
void pvcalls_work_mark(struct pvcalls_work *work);
void pvcalls_work_mark_fast(struct pvcalls_work *work);
void pvcalls_work_did(struct pvcalls_work *work, u32 bytes, int cpu);
void pvcalls_work_steer(struct pvcalls_work *work, int irq);
unsigned int pvcalls_work_index(const struct pvcalls_work *work);

#endif /* PVCALLS_BACK_WORKER_H */
