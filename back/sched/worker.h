/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers: kernel threads, each bound to one CPU, that do all the work.
 *
 * Whatever has work (a command ring, a socket) embeds a struct pvcalls_work
 * that belongs to one worker at a time. Marking it ready is lock-free, needs no
 * memory and is idempotent, so that interrupt handlers and socket callbacks do
 * nothing else. Only the worker runs it, one run at a time: what a work's run
 * touches needs no lock unless others touch it too.
 *
 * What an interrupt has marked with pvcalls_work_mark_fast() is tried in softirq
 * context first (@fast), and is the thread's if it could not be done there. While
 * the thread sleeps nobody waits for it, and so all that is little is done there.
 * While it is awake a work can have that only to some extent, which is charged
 * when the thread has it next, so that guests and rings get their shares.
 *
 * A work changes its worker between two runs: others ask for it, and the worker
 * that takes the marked work off its list hands it over instead of running it.
 * The mark stays, so nobody else looks at @worker meanwhile: whoever puts the
 * mark next sees the new worker. At that point the work owes no event, because
 * its last run was in an earlier pass.
 *
 * Who calls what: interrupt handlers, socket callbacks, other workers and
 * xenbus's thread call pvcalls_work_mark(); the worker calls @run and, at the
 * end of a pass, in which each guest that has ready works has had a turn, sends
 * the events that are owed.
 */
#ifndef PVCALLS_BACK_WORKER_H
#define PVCALLS_BACK_WORKER_H

#include <linux/atomic.h>
#include <linux/bvec.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "ring/datamap.h"
#include "ring/frags.h"
#include "ring/notify.h"
#include "pvcalls_ext.h"
#include "sched/fairq.h"

struct task_struct;
struct pvcalls_work;
struct pvcalls_worker;

/* More segments than half of the largest ring, begun amid a page, can have */
#define PVCALLS_MAX_SEGS	(BIT(PVCALLS_MAX_PAGE_ORDER - 1) + 2)

/* What a call of a guest's costs, in bytes that could have been moved instead */
#define PVCALLS_CALL_COST	16384

/**
 * struct pvcalls_work_ops - a kind of work
 * @run: do it, on its worker; may sleep, but never for the network. True if
 *	there is more to do.
 * @fast: do it in softirq context, if it is little; true if nothing is left to
 *	do. May be called while @run is under way, and must keep out then. NULL:
 *	it is always the thread's
 * @due: has the guest changed anything in its data ring since the last event
 *	was served? For works of rings only; hard interrupt
 * @fast_likely: is it likely that @fast can do it? Likewise
 * @get: take a reference to the object that embeds the work; any context
 * @put: drop it; on a worker or in its softirq
 */
struct pvcalls_work_ops {
	bool (*run)(struct pvcalls_work *work, struct pvcalls_worker *w);
	bool (*fast)(struct pvcalls_work *work, struct pvcalls_worker *w);
	bool (*due)(const struct pvcalls_work *work);
	bool (*fast_likely)(const struct pvcalls_work *work);
	void (*get)(struct pvcalls_work *work);
	void (*put)(struct pvcalls_work *work);
};

/* Values of pvcalls_work.dest; others are indexes into the set of workers */
#define PVCALLS_DEST_STAY	(-1)
#define PVCALLS_DEST_POLICY	(-2)

/**
 * struct pvcalls_work - something that a worker has to run now and then
 * @node: on the worker's list of ready work, or in its guest's queue
 * @worker: who runs it; RCU keeps it from being freed
 * @state: bits of enum pvcalls_work_bit
 * @ops: what it is
 * @domid: the guest
 * @list: on the worker's list of all its works
 * @dest: where it is to be handed over to
 * @steered: number of the worker to whose CPU its interrupt goes, 0: to none
 * @node_wish: NUMA node that it would like to be on, or PLACEMENT_ANY_NODE
 * @cpu_wish: CPU that its packets arrive on, or PLACEMENT_ANY_CPU
 * @cpu_seen: the latest one seen
 * @cpu_runs: for how many runs
 * @fast: what it has cost in softirqs while the worker was awake, in bytes
 * @used: what it has cost of late, in bytes; see fairq.h, like the next one
 * @cycle: when that was
 * @cost: bytes moved, and something for each run
 * @cost_seen: what the balancer has seen of it
 * @moved: the balancer's last turn that moved it
 *
 * While it is queued, the queue holds a reference to it. From @steered on it
 * is the worker's that it belongs to, but for the balancer's.
 */
struct pvcalls_work {
	struct llist_node node;
	struct pvcalls_worker *worker;
	unsigned long state;
	const struct pvcalls_work_ops *ops;
	domid_t domid;
	struct list_head list;
	int dest;
	u32 steered;
	int node_wish;
	int cpu_wish;
	int cpu_seen;
	u32 cpu_runs;
	atomic_t fast_cost;
	u32 used;
	u32 cycle;
	u64 cost;
	u64 cost_seen;
	u32 moved;
};

/**
 * enum pvcalls_work_bit - bits of pvcalls_work.state
 * @PVCALLS_WORK_QUEUED: it is on a worker's list of ready work, or taken off
 *	and not run yet
 * @PVCALLS_WORK_ENDED: it belongs to no worker any more
 */
enum pvcalls_work_bit {
	PVCALLS_WORK_QUEUED,
	PVCALLS_WORK_ENDED,
};

/**
 * struct pvcalls_worker_stats - what a worker has done
 * @passes: passes over all that was ready
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
	u64 passes;
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
 * @fast: runs that
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
 * @fairq: what is to be run; the worker's own
 * @spent: what runs have cost, in bytes; the worker's own
 * @events: owed at the end of the pass; the worker's own
 * @stats: what it has done so far; the worker's own
 * @cost_seen: what the balancer has seen of @stats.cost
 * @poll: how long it polls when it runs dry, in ns; the worker's own
 * @scratch: for mapping and unmapping; the worker's own
 * @bvec: for a data pass; the worker's own
 * @frags: for data that is copied; the worker's own
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
	struct pvcalls_fairq fairq;
	u64 spent;
	struct pvcalls_events events;
	struct pvcalls_worker_stats stats;
	u64 cost_seen;
	u32 poll;
	struct pvcalls_datamap_scratch scratch;
	struct bio_vec bvec[PVCALLS_MAX_SEGS];
	struct pvcalls_frags frags;
};

struct pvcalls_worker *pvcalls_worker_new(unsigned int index,
					  unsigned int cpu);
void pvcalls_worker_ask(struct pvcalls_worker *w);
void pvcalls_worker_free(struct pvcalls_worker *w);
struct pvcalls_worker *pvcalls_worker_current(void);

void pvcalls_work_init(struct pvcalls_work *work,
		       const struct pvcalls_work_ops *ops, domid_t domid,
		       int node, struct pvcalls_worker *near);
void pvcalls_work_exit(struct pvcalls_work *work);
void pvcalls_work_mark(struct pvcalls_work *work);
void pvcalls_work_mark_fast(struct pvcalls_work *work);
void pvcalls_worker_spend(u32 cost);
void pvcalls_work_did(struct pvcalls_work *work, u32 bytes, int cpu);
void pvcalls_work_steer(struct pvcalls_work *work, int irq);
unsigned int pvcalls_work_index(const struct pvcalls_work *work);

#endif /* PVCALLS_BACK_WORKER_H */
