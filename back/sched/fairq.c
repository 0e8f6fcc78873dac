// SPDX-License-Identifier: GPL-2.0
/* See turns.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/moduleparam.h>

#include "turns.h"
#include "worker.h"

/* Turns that a guest is made to wait at most */
#define PVCALLS_MAX_DEBT	64

static int param_set_budget(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 4096, 1 << 30);
}

static const struct kernel_param_ops param_ops_budget = {
	.set = param_set_budget,
	.get = param_get_uint,
};

static unsigned int pvcalls_budget = 1 << 18;
module_param_cb(budget, &param_ops_budget, &pvcalls_budget, 0644);
MODULE_PARM_DESC(budget,
		 "Bytes that a ring may move each way before others have their turn, and that a guest may before other guests do, 4096 to 1073741824 (default 262144)");

/**
 * pvcalls_turns_budget() - the parameter
 *
 * Return: bytes. Any context.
 */
u32 pvcalls_turns_budget(void)
{
	return READ_ONCE(pvcalls_budget);
}

/**
 * pvcalls_turns_init() - nothing is ready
 * @t: zeroed memory
 */
void pvcalls_turns_init(struct pvcalls_turns *t)
{
	INIT_LIST_HEAD(&t->queues);
}

/**
 * pvcalls_turns_little() - what a work may cost in a cycle and still go first
 *
 * Return: bytes. Any context.
 */
u32 pvcalls_turns_little(void)
{
	return pvcalls_turns_budget() / 8;
}

static struct pvcalls_queue *pvcalls_turns_queue(struct pvcalls_turns *t,
						 const struct pvcalls_work *work)
{
	return &t->queue[work->guest % PVCALLS_QUEUES];
}

static bool pvcalls_turns_empty(const struct pvcalls_queue *q)
{
	return !q->little.first && !q->much.first;
}

static void pvcalls_turns_push(struct pvcalls_fifo *f, struct llist_node *node)
{
	if (!f->first)
		f->end = &f->first;
	node->next = NULL;
	*f->end = node;
	f->end = &node->next;
	f->nr++;
}

static struct llist_node *pvcalls_turns_pop(struct pvcalls_fifo *f)
{
	struct llist_node *node = f->first;

	f->first = node->next;
	f->nr--;
	return node;
}

/**
 * pvcalls_turns_add() - a work is ready
 * @t: not in a turn
 * @work: on no list
 */
void pvcalls_turns_add(struct pvcalls_turns *t, struct pvcalls_work *work)
{
	struct pvcalls_queue *q = pvcalls_turns_queue(t, work);
	u32 cycles = q->cycle - work->cycle;
	u32 soft = atomic_xchg(&work->soft, 0);

	if (pvcalls_turns_empty(q)) {
		q->left += (s64)(t->round - q->round) * pvcalls_turns_budget();
		q->left = min_t(s64, q->left, 0);
		list_add_tail(&q->node, &t->queues);
	}
	q->left -= soft;
	work->used += soft;
	work->used -= min_t(u64, work->used,
			    (u64)cycles * pvcalls_turns_little());
	work->cycle = q->cycle;
	if (work->used < pvcalls_turns_little())
		pvcalls_turns_push(&q->little, &work->node);
	else
		pvcalls_turns_push(&q->much, &work->node);
}

/**
 * pvcalls_turns_begin() - it is this guest's turn
 * @q: queue that has works
 */
void pvcalls_turns_begin(struct pvcalls_queue *q)
{
	s64 budget = pvcalls_turns_budget();

	/* it may have been much larger when that was spent */
	q->left = max_t(s64, q->left, -PVCALLS_MAX_DEBT * budget) + budget;
}

/* The next one of those that have cost much. */
static struct llist_node *pvcalls_turns_much(struct pvcalls_queue *q)
{
	struct llist_node *node = pvcalls_turns_pop(&q->much);

	if (q->to_go)
		q->to_go--;
	if (!q->to_go) {
		q->to_go = q->much.nr;
		q->cycle++;
	}
	return node;
}

/**
 * pvcalls_turns_take() - the next work of this turn
 * @q: queue whose turn it is
 *
 * Return: it, on no list, or NULL: the turn is over.
 */
struct pvcalls_work *pvcalls_turns_take(struct pvcalls_queue *q)
{
	struct llist_node *node;

	if (pvcalls_turns_empty(q) || q->left <= 0)
		return NULL;
	if (q->little.first)
		node = pvcalls_turns_pop(&q->little);
	else
		node = pvcalls_turns_much(q);
	return llist_entry(node, struct pvcalls_work, node);
}

/**
 * pvcalls_turns_spend() - a work has been run
 * @t: of the worker
 * @work: it
 * @cost: of the run, in bytes
 */
void pvcalls_turns_spend(struct pvcalls_turns *t, struct pvcalls_work *work,
			 u64 cost)
{
	pvcalls_turns_queue(t, work)->left -= cost;
	/* what was much is forgotten after some cycles */
	work->used = min_t(u64, work->used + cost, pvcalls_turns_budget());
}

/**
 * pvcalls_turns_end() - the turn is over
 * @t: of the worker
 * @q: queue whose turn it was; the last one to have another, if it has works
 */
void pvcalls_turns_end(struct pvcalls_turns *t, struct pvcalls_queue *q)
{
	if (!pvcalls_turns_empty(q)) {
		list_move_tail(&q->node, &t->queues);
		return;
	}
	list_del(&q->node);
	q->round = t->round + 1;
}

/**
 * pvcalls_turns_round() - each guest with works has had a turn
 * @t: of the worker
 */
void pvcalls_turns_round(struct pvcalls_turns *t)
{
	t->round++;
}
