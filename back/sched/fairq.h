/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose turn it is: a worker's ready works, in a queue for each guest.
 *
 * Guests take turns, whatever number of works each has: in its turn a guest
 * runs works until what they have cost is as much as the parameter budget. What
 * the last of them cost beyond that is taken off its next turns: deficit round
 * robin (M. Shreedhar and G. Varghese, SIGCOMM 1995), but that a guest owes it
 * also when it had nothing else to run, and is let off a turn's worth by each
 * round without it. Guests find their queues by their domain ids, so that
 * nothing has to be set up for one; two that are 256 apart share a queue, and
 * its turns (as in P. McKenney's stochastic fairness queueing, INFOCOM 1990).
 *
 * Of a guest's works those go first that have cost little of late, an eighth of
 * the budget, as sparse flows do in FQ-CoDel (RFC 8290): an exchange does not
 * wait for all the bulk beside it. The others run in the order in which they
 * became ready, and each cycle of them gives every work another eighth.
 *
 * All of it is the worker's own.
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
 * struct pvcalls_fifo - ready works, in the order in which they became so
 * @first: the next to run, or NULL
 * @end: where the pointer to one more goes; while there are any
 * @nr: how many
 */
struct pvcalls_fifo {
	struct llist_node *first;
	struct llist_node **end;
	u32 nr;
};

/**
 * struct pvcalls_guestq - a guest's ready works
 * @node: in &pvcalls_fairq.queues, or the list of this round; while there are
 *	works
 * @sparse: those that have cost little of late
 * @bulk: the others
 * @to_go: of @bulk, before the cycle is over
 * @cycle: counts cycles
 * @deficit: what may be spent in this turn; negative: what was spent beyond it
 * @round: after the one of its last turn
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
 * @queues: those that have works, the one whose turn is next first
 * @round: counts rounds, in which each queue that has works has a turn
 * @queue: all of them
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
