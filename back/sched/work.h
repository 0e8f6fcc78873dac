/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Works: what a worker has to run now and then.
 *
 * Whatever has work (a command ring, a socket) embeds a struct pvcalls_work
 * that belongs to one worker at a time. Marking the work ready is lock-free,
 * needs no memory and is idempotent, so that interrupt handlers and socket
 * callbacks do nothing else (worker.h). Only the worker runs the work, one run
 * at a time: what a work's run touches needs no lock unless others touch it
 * too.
 *
 * What an interrupt has marked with pvcalls_work_mark_fast() is tried in
 * softirq context first (@fast), and is left to the thread if the softirq could
 * not do it. While the thread sleeps nobody waits for the thread, and so the
 * softirq does all that is little. While the thread is awake softirqs run a
 * work only to some extent, which is charged when the thread runs the work
 * next, so that guests and rings get their shares.
 *
 * A work changes its worker between two runs: others ask for it, and the worker
 * that takes the marked work off its list hands it over instead of running it
 * (pool.h). The mark stays, so nobody else looks at @worker meanwhile: whoever
 * puts the mark next sees the new worker. At that point the work owes no event,
 * because its last run was in an earlier round.
 */
#ifndef PVCALLS_BACK_WORK_H
#define PVCALLS_BACK_WORK_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

struct pvcalls_work;
struct pvcalls_worker;

/* What a call of a guest costs, in bytes that could have been moved instead */
#define PVCALLS_CALL_COST	16384

/**
 * struct pvcalls_work_ops - a kind of work
 * @run: do it, on its worker; may sleep, but never for the network. True if
 *	there is more to do.
 * @fast: do it in softirq context, if it is little; true if nothing is left to
 *	do. May be called while @run is under way, and must keep out then. NULL:
 *	it is always the thread's
 * @get: take a reference to the object that embeds the work; any context
 * @put: drop it; on a worker or in its softirq
 */
struct pvcalls_work_ops {
	bool (*run)(struct pvcalls_work *work, struct pvcalls_worker *w);
	bool (*fast)(struct pvcalls_work *work, struct pvcalls_worker *w);
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
 * @fast_cost: what it has cost in softirqs while the worker was awake, in bytes
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

#endif /* PVCALLS_BACK_WORK_H */
