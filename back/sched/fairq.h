/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fair queue: the order in which a worker runs its ready works, with one queue
 * for each guest.
 *
 * Guests share a worker equally, however many works each of them has. In each
 * round a guest's works run until their cost reaches the parameter budget. If
 * the last work exceeded the budget, the excess is taken off the guest's next
 * budgets: deficit round robin (M. Shreedhar and G. Varghese, SIGCOMM 1995).
 * Unlike there, a debt outlives an empty queue, and each round in which the
 * queue is empty pays back one budget. A guest's queue is found by its domain
 * id, so that a queue needs no setup. Two guests whose ids differ by a multiple
 * of 256 share one queue and its budget (as in P. McKenney's stochastic
 * fairness queueing, INFOCOM 1990).
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

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

#define PVCALLS_FAIRQ_QUEUES	256

struct pvcalls_work;

/**
 * struct pvcalls_fifo - queue of ready works, first in, first out
 * @first: the next work to run, or NULL
 * @end: the last work's pointer to the next one; valid unless @first is NULL
 * @nr: number of works
 */
struct pvcalls_fifo {
	struct llist_node *first;
	struct llist_node **end;
	u32 nr;
};

/**
 * struct pvcalls_guestq - a guest's ready works
 * @node: entry in &pvcalls_fairq.queues or in this round's list while the queue
 *	has works
 * @sparse: works whose recent cost is below pvcalls_fairq_sparse()
 * @bulk: all other works
 * @to_go: number of works of @bulk that have yet to run in this cycle
 * @cycle: number of the cycle
 * @deficit: what the guest may still spend in this round, in bytes; a negative
 *	value is the guest's debt
 * @round: number of the round after the last one in which the queue had works
 */
struct pvcalls_guestq {
	struct list_head node;
	struct pvcalls_fifo sparse;
	struct pvcalls_fifo bulk;
	u32 to_go;
	u32 cycle;
	s64 deficit;
	u32 round;
};

/**
 * struct pvcalls_fairq - the ready works of all guests
 * @queues: queues that have works; the head is served next
 * @round: number of the round; each queue with works is served once in a round
 * @queue: all queues, by domain id modulo %PVCALLS_FAIRQ_QUEUES
 */
struct pvcalls_fairq {
	struct list_head queues;
	u32 round;
	struct pvcalls_guestq queue[PVCALLS_FAIRQ_QUEUES];
};

u32 pvcalls_fairq_budget(void);
u32 pvcalls_fairq_sparse(void);
void pvcalls_fairq_init(struct pvcalls_fairq *fq);
void pvcalls_fairq_add(struct pvcalls_fairq *fq, struct pvcalls_work *work);
void pvcalls_fairq_begin(struct pvcalls_guestq *q);
struct pvcalls_work *pvcalls_fairq_take(struct pvcalls_guestq *q);
void pvcalls_fairq_spend(struct pvcalls_fairq *fq, struct pvcalls_work *work,
			 u64 cost);
void pvcalls_fairq_end(struct pvcalls_fairq *fq, struct pvcalls_guestq *q);
void pvcalls_fairq_round(struct pvcalls_fairq *fq);

#endif /* PVCALLS_BACK_FAIRQ_H */
