/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Works: what workers run.
 *
 * A command ring and a socket each embed a struct pvcalls_work, which belongs
 * to one worker at a time. To mark a work needs neither a lock nor memory, and
 * a second mark has no effect. So interrupt handlers and socket callbacks only
 * mark works (worker.h). Only the worker runs the work, one run at a time: data
 * that only runs touch needs no lock.
 *
 * A work that an interrupt has marked with pvcalls_work_mark_fast() is tried in
 * softirq context first (@fast). The thread gets the work if the softirq could
 * not do all of it. While the thread sleeps, no other work waits for the
 * thread, and so the softirq does all sparse work. While the thread is awake,
 * softirqs run a work only up to a limit. What this costs is charged at the
 * work's next run in the thread, so that guests and rings get their fair
 * shares.
 *
 * A work changes its worker between two runs. Other threads set @dest and mark
 * the work. The worker that takes the marked work off its list hands it over
 * instead of running it (pool.h). The mark stays set meanwhile, so no other
 * thread looks at @worker, and the next one to set the mark sees the new
 * worker. At that point the work owes no event, because its last run was in an
 * earlier round.
 */
#ifndef PVCALLS_BACK_WORK_H
#define PVCALLS_BACK_WORK_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

struct pvcalls_queues;
struct pvcalls_work;
struct pvcalls_worker;

/*
 * Costs in bytes that could have been moved instead: of a guest's call, which is
 * also that of a socket that is closed without one; of what takes some hundred
 * instructions, such as to read a request
 */
#define PVCALLS_CALL_COST	16384
#define PVCALLS_STEP_COST	4096

/**
 * struct pvcalls_work_ops - a kind of work
 * @run: run the work, on its worker; may sleep, but never for the network.
 *	Returns true if there is more to do
 * @fast: run the work in softirq context, if it is sparse. Returns true if
 *	nothing is left to do. May be called while @run is under way, and must
 *	do nothing then. NULL if the work is always run by the thread
 * @get: take a reference to the object that embeds the work; any context
 * @put: drop the reference; on a worker or in its softirq
 */
struct pvcalls_work_ops {
	bool (*run)(struct pvcalls_work *work, struct pvcalls_worker *w);
	bool (*fast)(struct pvcalls_work *work, struct pvcalls_worker *w);
	void (*get)(struct pvcalls_work *work);
	void (*put)(struct pvcalls_work *work);
};

/* Values of pvcalls_work.dest; other values are indexes into the pool */
#define PVCALLS_DEST_STAY	(-1)
#define PVCALLS_DEST_POLICY	(-2)

/**
 * struct pvcalls_work - something that a worker runs when marked
 * @node: entry in a list of ready works of the worker, or in a fair queue
 * @worker: the worker that runs the work; RCU protects it
 * @state: bits of enum pvcalls_work_bit
 * @ops: operations of this kind of work
 * @queues: queues of the guest, one for each worker
 * @list: entry in pvcalls_worker.works
 * @dest: the worker to hand the work over to: index into the pool, or
 *	PVCALLS_DEST_STAY or PVCALLS_DEST_POLICY
 * @steered: number of the worker to whose CPU the work's interrupt goes, or 0
 * @node_wish: NUMA node that is best for the work, or PLACEMENT_ANY_NODE
 * @cpu_wish: CPU on which the work's packets arrive, or PLACEMENT_ANY_CPU
 * @cpu_seen: CPU on which the last packets arrived, while it differs from
 *	@cpu_wish
 * @cpu_runs: number of runs in a row with @cpu_seen
 * @used: recent cost, in bytes; see fairq.h
 * @cycle: cycle of the fair queue in which @used was updated
 * @cost: bytes moved, and PVCALLS_RUN_COST for each run; only grows
 * @cost_seen: value of @cost that the balancer has noted
 * @moved: number of the balancer's interval that last moved the work; 0 for
 *	none
 *
 * While the work is queued, the queue holds a reference to its object. Only the
 * work's worker uses the members from @steered on, except that @cost_seen and
 * @moved are the balancer's.
 */
struct pvcalls_work {
	struct llist_node node;
	struct pvcalls_worker *worker;
	unsigned long state;
	const struct pvcalls_work_ops *ops;
	struct pvcalls_queues *queues;
	struct list_head list;
	int dest;
	u32 steered;
	int node_wish;
	int cpu_wish;
	int cpu_seen;
	u32 cpu_runs;
	u32 used;
	u32 cycle;
	u64 cost;
	u64 cost_seen;
	u32 moved;
};

/**
 * enum pvcalls_work_bit - bits of pvcalls_work.state
 * @PVCALLS_WORK_QUEUED: the work is marked: it is on a list of ready works, or
 *	is about to be run
 * @PVCALLS_WORK_ENDED: the work belongs to no worker any more
 */
enum pvcalls_work_bit {
	PVCALLS_WORK_QUEUED,
	PVCALLS_WORK_ENDED,
};

#endif /* PVCALLS_BACK_WORK_H */
