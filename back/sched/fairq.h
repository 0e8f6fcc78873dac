/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fair queue: the order in which a worker runs its ready works, with one queue
 * for each guest.
 *
 * Guests share a worker by their weights, however many works each of them has:
 * equally, unless policies say otherwise. In each round a guest's works run
 * until their cost reaches the guest's quantum, which is the parameter budget
 * times the weight. If the last work exceeded the quantum, the excess is taken
 * off the guest's next ones: deficit round robin (M. Shreedhar and G. Varghese,
 * SIGCOMM 1995). Unlike there, a debt outlives an empty queue, and each round in
 * which the queue is empty pays back one quantum. There is a limit to debts, so
 * that a guest waits for 1024 rounds at most. A guest brings its queues
 * along, one for each worker (queues.h), and works know them, so a worker needs
 * neither a search nor memory when a guest comes.
 *
 * Of a guest's works the sparse ones run first, as sparse flows do in FQ-CoDel
 * (RFC 8290), so that a short exchange does not wait for bulk data. A work is
 * sparse while its recent cost is below an eighth of the budget. The bulk works
 * run in the order in which they became ready. A cycle ends when each of them
 * has run, and takes an eighth of the budget off the recent cost of every work.
 *
 * Only the worker uses its fair queue, so there is no lock.
 */
#ifndef PVCALLS_BACK_FAIRQ_H
#define PVCALLS_BACK_FAIRQ_H

#include <linux/cache.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

/* A guest's weight, in percent of the parameter budget */
#define PVCALLS_WEIGHT_DEFAULT	100

struct pvcalls_work;

/**
 * struct pvcalls_guestq - a guest's ready works on a worker
 * @node: entry in &pvcalls_fairq.queues or in this round's list while the queue
 *	has works
 * @sparse: the last of the works whose recent cost is below
 *	pvcalls_fairq_sparse(), or NULL. It points to the first one
 * @bulk: likewise, of all other works
 * @nr_bulk: number of works of @bulk
 * @to_go: number of works of @bulk that have yet to run in this cycle
 * @cycle: number of the cycle
 * @round: number of the round after the last one in which the queue had works
 * @deficit: what the guest may still spend in this round, in bytes; a negative
 *	value is the guest's debt
 * @fast: cost in softirqs that has not been charged yet, in bytes
 * @weight: what the guest gets in a round, in percent of the parameter budget,
 *	1 to 1000; others write this
 *
 * The queue is one cache line, which only its worker writes, but for @weight.
 * The worker's softirqs add to @fast.
 */
struct pvcalls_guestq {
	struct list_head node;
	struct llist_node *sparse;
	struct llist_node *bulk;
	u32 nr_bulk;
	u32 to_go;
	u32 cycle;
	u32 round;
	s64 deficit;
	atomic_t fast;
	u32 weight;
} ____cacheline_aligned;

/**
 * struct pvcalls_fairq - the ready works of all guests
 * @queues: queues that have works; the head is served next
 * @round: number of the round; each queue with works is served once in a round
 * @place: the worker's place in each guest's queues
 * @off: queues with works whose turn is put off
 * @due: when the first turn of those is, in nanoseconds, or U64_MAX
 */
struct pvcalls_fairq {
	struct list_head queues;
	u32 round;
	u32 place;
	struct list_head off;
	u64 due;
};

u32 pvcalls_fairq_budget(void);
u32 pvcalls_fairq_sparse(void);
void pvcalls_fairq_init(struct pvcalls_fairq *fq, u32 place);
bool pvcalls_fairq_may_fast(const struct pvcalls_fairq *fq,
			    const struct pvcalls_work *work);
void pvcalls_fairq_spend_fast(struct pvcalls_fairq *fq,
			      const struct pvcalls_work *work, u32 cost);
struct pvcalls_guestq *pvcalls_fairq_alone(struct pvcalls_fairq *fq,
					   struct pvcalls_work *work);
void pvcalls_fairq_add(struct pvcalls_fairq *fq, struct pvcalls_work *work);
void pvcalls_fairq_begin(struct pvcalls_guestq *q);
struct pvcalls_work *pvcalls_fairq_take(struct pvcalls_guestq *q);
void pvcalls_fairq_spend(struct pvcalls_guestq *q, struct pvcalls_work *work,
			 u64 cost, u64 once);
void pvcalls_fairq_end(struct pvcalls_fairq *fq, struct pvcalls_guestq *q);
void pvcalls_fairq_put_off(struct pvcalls_fairq *fq, struct pvcalls_guestq *q,
			   u64 when);
void pvcalls_fairq_recall(struct pvcalls_fairq *fq);
void pvcalls_fairq_round(struct pvcalls_fairq *fq);

#endif /* PVCALLS_BACK_FAIRQ_H */
