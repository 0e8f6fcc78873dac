// SPDX-License-Identifier: GPL-2.0
/* See turns.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/moduleparam.h>

#include "turns.h"

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
 * pvcalls_turns_add() - a work is ready
 * @t: not in a turn
 * @guest: whose
 * @work: its node, which is on no list
 */
void pvcalls_turns_add(struct pvcalls_turns *t, domid_t guest,
		       struct llist_node *work)
{
	struct pvcalls_queue *q = &t->queue[guest % PVCALLS_QUEUES];

	if (!q->first) {
		q->left += (s64)(t->round - q->round) * pvcalls_turns_budget();
		q->left = min_t(s64, q->left, 0);
		q->end = &q->first;
		list_add_tail(&q->node, &t->queues);
	}
	work->next = NULL;
	*q->end = work;
	q->end = &work->next;
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

/**
 * pvcalls_turns_take() - the next work of this turn
 * @q: queue whose turn it is
 *
 * Return: it, on no list, or NULL: the turn is over.
 */
struct llist_node *pvcalls_turns_take(struct pvcalls_queue *q)
{
	struct llist_node *work = q->first;

	if (!work || q->left <= 0)
		return NULL;
	q->first = work->next;
	return work;
}

/**
 * pvcalls_turns_spend() - a work has been run
 * @q: queue whose turn it is
 * @cost: of the run, in bytes
 */
void pvcalls_turns_spend(struct pvcalls_queue *q, u64 cost)
{
	q->left -= cost;
}

/**
 * pvcalls_turns_end() - the turn is over
 * @t: of the worker
 * @q: queue whose turn it was; the last one to have another, if it has works
 */
void pvcalls_turns_end(struct pvcalls_turns *t, struct pvcalls_queue *q)
{
	if (q->first) {
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
