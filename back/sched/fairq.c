// SPDX-License-Identifier: GPL-2.0
/* See fairq.h. */
#include <linux/kernel.h>
#include <linux/moduleparam.h>

#include "pvcalls_param.h"
#include "sched/fairq.h"
#include "sched/work.h"

/* Turns that a guest is made to wait at most */
#define PVCALLS_MAX_DEBT	64

PVCALLS_PARAM_UINT(budget, 1 << 18, 4096, 1 << 30, 0644);
MODULE_PARM_DESC(budget,
		 "Bytes that a ring may move each way before others have their turn, and that a guest may before other guests do, 4096 to 1073741824 (default 262144)");

/**
 * pvcalls_fairq_budget() - the parameter
 *
 * Return: bytes. Any context.
 */
u32 pvcalls_fairq_budget(void)
{
	return READ_ONCE(param_budget);
}

/**
 * pvcalls_fairq_init() - nothing is ready
 * @fq: zeroed memory
 */
void pvcalls_fairq_init(struct pvcalls_fairq *fq)
{
	INIT_LIST_HEAD(&fq->queues);
}

/**
 * pvcalls_fairq_sparse() - what a work may cost in a cycle and still go first
 *
 * Return: bytes. Any context.
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
 * pvcalls_fairq_add() - a work is ready
 * @fq: not in a turn
 * @work: on no list
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
 * pvcalls_fairq_begin() - it is this guest's turn
 * @q: queue that has works
 */
void pvcalls_fairq_begin(struct pvcalls_guestq *q)
{
	s64 budget = pvcalls_fairq_budget();

	/* it may have been much larger when that was spent */
	q->deficit = max_t(s64, q->deficit, -PVCALLS_MAX_DEBT * budget);
	q->deficit += budget;
}

/* The next one of those that have cost much. */
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
 * pvcalls_fairq_take() - the next work of this turn
 * @q: queue whose turn it is
 *
 * Return: it, on no list, or NULL: the turn is over.
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
 * pvcalls_fairq_spend() - a work has been run
 * @fq: of the worker
 * @work: it
 * @cost: of the run, in bytes
 */
void pvcalls_fairq_spend(struct pvcalls_fairq *fq, struct pvcalls_work *work,
			 u64 cost)
{
	pvcalls_fairq_queue(fq, work)->deficit -= cost;
	/* what was much is forgotten after some cycles */
	work->used = min_t(u64, work->used + cost, pvcalls_fairq_budget());
}

/**
 * pvcalls_fairq_end() - the turn is over
 * @fq: of the worker
 * @q: queue whose turn it was; the last one to have another, if it has works
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
 * pvcalls_fairq_round() - each guest with works has had a turn
 * @fq: of the worker
 */
void pvcalls_fairq_round(struct pvcalls_fairq *fq)
{
	fq->round++;
}
