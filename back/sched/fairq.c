// SPDX-License-Identifier: GPL-2.0
/* The fair queue of a worker; fairq.h describes the algorithm. */
#include <linux/kernel.h>
#include <linux/moduleparam.h>

#include "pvcalls_param.h"
#include "sched/fairq.h"
#include "sched/work.h"

/* Most budgets that a guest can owe, so that it waits no longer than that */
#define PVCALLS_MAX_DEBT	64

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
 *
 * Context: any.
 */
void pvcalls_fairq_init(struct pvcalls_fairq *fq)
{
	INIT_LIST_HEAD(&fq->queues);
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
pvcalls_fairq_queue(struct pvcalls_fairq *fq, const struct pvcalls_work *work)
{
	return &fq->queue[work->domid % PVCALLS_FAIRQ_QUEUES];
}

static bool pvcalls_fairq_empty(const struct pvcalls_guestq *q)
{
	return !q->sparse.first && !q->bulk.first;
}

static void pvcalls_fairq_push(struct pvcalls_fifo *f, struct llist_node *node)
{
	if (!f->first)
		f->end = &f->first;
	node->next = NULL;
	*f->end = node;
	f->end = &node->next;
	f->nr++;
}

static struct llist_node *pvcalls_fairq_pop(struct pvcalls_fifo *f)
{
	struct llist_node *node = f->first;

	f->first = node->next;
	f->nr--;
	return node;
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
	u32 cycles = q->cycle - work->cycle;
	u32 fast = atomic_xchg(&work->fast_cost, 0);

	if (pvcalls_fairq_empty(q)) {
		q->deficit += (s64)(fq->round - q->round) *
			      pvcalls_fairq_budget();
		q->deficit = min_t(s64, q->deficit, 0);
		list_add_tail(&q->node, &fq->queues);
	}
	q->deficit -= fast;
	work->used += fast;
	work->used -= min_t(u64, work->used,
			    (u64)cycles * pvcalls_fairq_sparse());
	work->cycle = q->cycle;
	if (work->used < pvcalls_fairq_sparse())
		pvcalls_fairq_push(&q->sparse, &work->node);
	else
		pvcalls_fairq_push(&q->bulk, &work->node);
}

/**
 * pvcalls_fairq_begin() - begin a guest's share of a round
 * @q: the guest's queue, which has works
 *
 * Context: the worker that @q belongs to.
 */
void pvcalls_fairq_begin(struct pvcalls_guestq *q)
{
	s64 budget = pvcalls_fairq_budget();

	/* the debt was limited by a budget that may have been larger then */
	q->deficit = max_t(s64, q->deficit, -PVCALLS_MAX_DEBT * budget);
	q->deficit += budget;
}

/*
 * Take the next bulk work. When all works of a cycle are taken, the next cycle
 * begins.
 */
static struct llist_node *pvcalls_fairq_bulk(struct pvcalls_guestq *q)
{
	struct llist_node *node = pvcalls_fairq_pop(&q->bulk);

	if (q->to_go)
		q->to_go--;
	if (!q->to_go) {
		q->to_go = q->bulk.nr;
		q->cycle++;
	}
	return node;
}

/**
 * pvcalls_fairq_take() - take a guest's next work in this round
 * @q: the guest's queue, after pvcalls_fairq_begin()
 *
 * Context: the worker that @q belongs to.
 * Return: the work, on no list; or NULL if the guest has used up its budget or
 * has no more works.
 */
struct pvcalls_work *pvcalls_fairq_take(struct pvcalls_guestq *q)
{
	struct llist_node *node;

	if (pvcalls_fairq_empty(q) || q->deficit <= 0)
		return NULL;
	if (q->sparse.first)
		node = pvcalls_fairq_pop(&q->sparse);
	else
		node = pvcalls_fairq_bulk(q);
	return llist_entry(node, struct pvcalls_work, node);
}

/**
 * pvcalls_fairq_spend() - charge a work and its guest for a run
 * @fq: fair queue of the worker
 * @work: the work that was run
 * @cost: cost of the run, in bytes
 *
 * Context: the worker that @fq belongs to.
 */
void pvcalls_fairq_spend(struct pvcalls_fairq *fq, struct pvcalls_work *work,
			 u64 cost)
{
	pvcalls_fairq_queue(fq, work)->deficit -= cost;
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
 * pvcalls_fairq_round() - end a round
 * @fq: fair queue of the worker, all of whose guests with works had their share
 *
 * Context: the worker that @fq belongs to.
 */
void pvcalls_fairq_round(struct pvcalls_fairq *fq)
{
	fq->round++;
}
