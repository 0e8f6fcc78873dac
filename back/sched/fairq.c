// SPDX-License-Identifier: GPL-2.0
/* The fair queue of a worker; fairq.h describes the algorithm. */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>

#include "pvcalls_param.h"
#include "sched/fairq.h"
#include "sched/queues.h"
#include "sched/work.h"

/*
 * Most budgets that a guest can owe, and how large each of them is at least: a
 * large ring is charged in full if budgets are small, too. And most rounds that
 * pay a debt back, however small the guest's weight is: it waits no longer.
 */
#define PVCALLS_MAX_DEBT	64
#define PVCALLS_DEBT_BUDGET	65536
#define PVCALLS_MAX_ROUNDS	1024

PVCALLS_PARAM_UINT(budget, 1 << 18, 4096, 1 << 30, 0644);
MODULE_PARM_DESC(budget,
		 "Bytes that a ring may move each way before others have their turn, and that a guest may before other guests do, 4096 to 1073741824 (default 262144)");

/**
 * pvcalls_fairq_budget() - the parameter budget
 *
 * Context: any.
 * Return: bytes, 4096 to 2^30.
 */
u32 pvcalls_fairq_budget(void)
{
	return READ_ONCE(param_budget);
}

/**
 * pvcalls_fairq_init() - initialise a fair queue
 * @fq: the fair queue, in zeroed memory
 * @place: the worker's place in each guest's queues, 0 to PVCALLS_PLACES - 1,
 *	which no other worker has at the time. Guests that have owed something to
 *	an earlier worker of that place do not owe it any more
 *
 * Context: any.
 */
void pvcalls_fairq_init(struct pvcalls_fairq *fq, u32 place)
{
	INIT_LIST_HEAD(&fq->queues);
	INIT_LIST_HEAD(&fq->off);
	fq->due = U64_MAX;
	fq->place = place;
}

/**
 * pvcalls_fairq_sparse() - the most that a sparse work may cost in a cycle
 *
 * Context: any.
 * Return: bytes, an eighth of the budget.
 */
u32 pvcalls_fairq_sparse(void)
{
	return pvcalls_fairq_budget() / 8;
}

static struct pvcalls_guestq *
pvcalls_fairq_queue(const struct pvcalls_fairq *fq,
		    const struct pvcalls_work *work)
{
	return &work->queues->on[fq->place];
}

static bool pvcalls_fairq_empty(const struct pvcalls_guestq *q)
{
	return !q->sparse && !q->bulk;
}

/* What a guest gets in a round */
static s64 pvcalls_fairq_quantum(const struct pvcalls_guestq *q)
{
	return div_u64((u64)pvcalls_fairq_budget() * READ_ONCE(q->weight),
		       PVCALLS_WEIGHT_DEFAULT);
}

/* Let a guest off what it owes beyond the limit. */
static void pvcalls_fairq_let_off(struct pvcalls_guestq *q)
{
	u64 most = (u64)PVCALLS_MAX_DEBT *
		   max_t(u32, pvcalls_fairq_budget(), PVCALLS_DEBT_BUDGET);

	most = min_t(u64, most, PVCALLS_MAX_ROUNDS * pvcalls_fairq_quantum(q));
	q->deficit = max_t(s64, q->deficit, -(s64)most);
}

/* Add a work as the last one of a circle. */
static void pvcalls_fairq_push(struct llist_node **last,
			       struct llist_node *node)
{
	if (*last) {
		node->next = (*last)->next;
		(*last)->next = node;
	} else {
		node->next = node;
	}
	*last = node;
}

/* Take the first work off a circle, which has one. */
static struct llist_node *pvcalls_fairq_pop(struct llist_node **last)
{
	struct llist_node *node = (*last)->next;

	if (node == *last)
		*last = NULL;
	else
		(*last)->next = node->next;
	return node;
}

/* A queue has works again: its guest has saved nothing up. */
static void pvcalls_fairq_enter(struct pvcalls_fairq *fq,
				struct pvcalls_guestq *q)
{
	if (q->deficit < 0) {
		pvcalls_fairq_let_off(q);
		q->deficit += min_t(u32, fq->round - q->round,
				    PVCALLS_MAX_ROUNDS) *
			      pvcalls_fairq_quantum(q);
	}
	q->deficit = min_t(s64, q->deficit, 0);
	list_add_tail(&q->node, &fq->queues);
}

/**
 * pvcalls_fairq_may_fast() - may a softirq run a work of a busy worker?
 * @fq: fair queue of the worker
 * @work: the work
 *
 * Description: All works of a guest together may cost in softirqs what a sparse
 * work may, until it is the guest's turn, which is charged for that.
 *
 * Context: softirq of the worker's CPU.
 * Return: true if so.
 */
bool pvcalls_fairq_may_fast(const struct pvcalls_fairq *fq,
			    const struct pvcalls_work *work)
{
	return atomic_read(&pvcalls_fairq_queue(fq, work)->fast) <
	       pvcalls_fairq_sparse();
}

/**
 * pvcalls_fairq_spend_fast() - charge a guest for a run in a softirq
 * @fq: fair queue of the worker
 * @work: the work that was run
 * @cost: cost of the run, in bytes
 *
 * Context: softirq of the worker's CPU.
 */
void pvcalls_fairq_spend_fast(struct pvcalls_fairq *fq,
			      const struct pvcalls_work *work, u32 cost)
{
	atomic_add(cost, &pvcalls_fairq_queue(fq, work)->fast);
}

/* Each cycle since a work was looked at makes it cheaper. */
static void pvcalls_fairq_forget(const struct pvcalls_guestq *q,
				 struct pvcalls_work *work)
{
	u32 cycles = q->cycle - work->cycle;

	work->used -= min_t(u64, work->used,
			    (u64)cycles * pvcalls_fairq_sparse());
	work->cycle = q->cycle;
}

/**
 * pvcalls_fairq_alone() - give a round to the only work that is ready
 * @fq: fair queue of the worker, outside of a guest's share of a round
 * @work: the work, which is on no list
 *
 * Description: Mostly there is no other work, and what pvcalls_fairq_add() and
 * a round would do is known beforehand: a sparse work of a guest that owes
 * nothing is run, and the round ends. The caller runs it, and then calls
 * pvcalls_fairq_spend().
 *
 * Context: the worker that @fq belongs to.
 * Return: the guest's queue; or NULL if the work is to be added, since there are
 * others, or since it is no such work, or since the guest has a cap.
 */
struct pvcalls_guestq *pvcalls_fairq_alone(struct pvcalls_fairq *fq,
					   struct pvcalls_work *work)
{
	struct pvcalls_guestq *q = pvcalls_fairq_queue(fq, work);

	if (!list_empty(&fq->queues) || q->deficit < 0 ||
	    pvcalls_cap_is_set(&work->queues->cap) ||
	    q->cycle != work->cycle || atomic_read(&q->fast) ||
	    work->used >= pvcalls_fairq_sparse())
		return NULL;
	q->deficit = pvcalls_fairq_quantum(q);
	q->round = ++fq->round;
	return q;
}

/**
 * pvcalls_fairq_add() - add a work that is ready
 * @fq: fair queue of the worker, outside of a guest's share of a round
 * @work: the work, which is on no list
 *
 * Context: the worker that @fq belongs to.
 */
void pvcalls_fairq_add(struct pvcalls_fairq *fq, struct pvcalls_work *work)
{
	struct pvcalls_guestq *q = pvcalls_fairq_queue(fq, work);

	if (pvcalls_fairq_empty(q))
		pvcalls_fairq_enter(fq, q);
	if (work->cycle != q->cycle)
		pvcalls_fairq_forget(q, work);
	if (work->used < pvcalls_fairq_sparse()) {
		pvcalls_fairq_push(&q->sparse, &work->node);
	} else {
		pvcalls_fairq_push(&q->bulk, &work->node);
		q->nr_bulk++;
	}
}

/**
 * pvcalls_fairq_begin() - begin a guest's share of a round
 * @q: the guest's queue, which has works
 *
 * Context: the worker that @q belongs to.
 */
void pvcalls_fairq_begin(struct pvcalls_guestq *q)
{
	if (atomic_read(&q->fast))
		q->deficit -= atomic_xchg(&q->fast, 0);
	if (q->deficit < 0)
		pvcalls_fairq_let_off(q);
	/* a cap may have ended the turn before with some of the quantum left */
	q->deficit = min_t(s64, q->deficit, 0) + pvcalls_fairq_quantum(q);
}

/*
 * Take the next bulk work. When all works of a cycle are taken, the next cycle
 * begins.
 */
static struct llist_node *pvcalls_fairq_bulk(struct pvcalls_guestq *q)
{
	struct llist_node *node = pvcalls_fairq_pop(&q->bulk);

	q->nr_bulk--;
	if (q->to_go)
		q->to_go--;
	if (!q->to_go) {
		q->to_go = q->nr_bulk;
		q->cycle++;
	}
	return node;
}

/**
 * pvcalls_fairq_take() - take a guest's next work in this round
 * @q: the guest's queue, after pvcalls_fairq_begin()
 *
 * Context: the worker that @q belongs to.
 * Return: the work, on no list; or NULL if the guest has used up its quantum or
 * has no more works.
 */
struct pvcalls_work *pvcalls_fairq_take(struct pvcalls_guestq *q)
{
	struct llist_node *node;

	if (pvcalls_fairq_empty(q) || q->deficit <= 0)
		return NULL;
	if (q->sparse)
		node = pvcalls_fairq_pop(&q->sparse);
	else
		node = pvcalls_fairq_bulk(q);
	return llist_entry(node, struct pvcalls_work, node);
}

/**
 * pvcalls_fairq_spend() - charge a work and its guest for a run
 * @q: the guest's queue
 * @work: the work that was run
 * @cost: cost of the run, in bytes
 * @once: further cost, in bytes, which says nothing about the next runs, and so
 *	does not make the work a bulk one
 *
 * Context: the worker that @q belongs to.
 */
void pvcalls_fairq_spend(struct pvcalls_guestq *q, struct pvcalls_work *work,
			 u64 cost, u64 once)
{
	q->deficit -= cost + once;
	/* the limit makes a bulk work sparse again after some idle cycles */
	work->used = min_t(u64, work->used + cost, pvcalls_fairq_budget());
}

/**
 * pvcalls_fairq_end() - end a guest's share of a round
 * @fq: fair queue of the worker
 * @q: the guest's queue, which goes to the end of the list if it still has
 *	works
 *
 * Context: the worker that @fq belongs to.
 */
void pvcalls_fairq_end(struct pvcalls_fairq *fq, struct pvcalls_guestq *q)
{
	if (!pvcalls_fairq_empty(q)) {
		list_move_tail(&q->node, &fq->queues);
		return;
	}
	list_del(&q->node);
	q->round = fq->round + 1;
}

/**
 * pvcalls_fairq_put_off() - put a guest's turn off
 * @fq: fair queue of the worker
 * @q: the guest's queue, which has works
 * @when: the moment of the turn, in nanoseconds
 *
 * Context: the worker that @fq belongs to.
 */
void pvcalls_fairq_put_off(struct pvcalls_fairq *fq, struct pvcalls_guestq *q,
			   u64 when)
{
	list_move_tail(&q->node, &fq->off);
	fq->due = min(fq->due, when);
}

/**
 * pvcalls_fairq_recall() - have all turns that were put off in the next round
 * @fq: fair queue of the worker, outside of a round
 *
 * Context: the worker that @fq belongs to.
 */
void pvcalls_fairq_recall(struct pvcalls_fairq *fq)
{
	list_splice_tail_init(&fq->off, &fq->queues);
	fq->due = U64_MAX;
}

/**
 * pvcalls_fairq_round() - end a round
 * @fq: fair queue of the worker, all of whose guests with works had their share
 *
 * Context: the worker that @fq belongs to.
 */
void pvcalls_fairq_round(struct pvcalls_fairq *fq)
{
	fq->round++;
}
