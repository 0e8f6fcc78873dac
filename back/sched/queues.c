// SPDX-License-Identifier: GPL-2.0
/* The queues of all guests; queues.h says what they are. */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "sched/queues.h"

/* Guards the list, and how much each guest gets */
static DEFINE_SPINLOCK(pvcalls_queues_lock);
static LIST_HEAD(pvcalls_queues_list);

/* Takes a reference to a guest's queues. Call with the lock held. */
static struct pvcalls_queues *pvcalls_queues_find(domid_t domid)
{
	struct pvcalls_queues *q;

	list_for_each_entry(q, &pvcalls_queues_list, list)
		if (q->domid == domid && refcount_inc_not_zero(&q->ref))
			return q;
	return NULL;
}

/**
 * pvcalls_queues_open() - find a guest's queues, or make them
 * @domid: the guest
 *
 * Context: process, may sleep.
 * Return: the queues with a reference, or NULL without memory.
 */
struct pvcalls_queues *pvcalls_queues_open(domid_t domid)
{
	struct pvcalls_queues *q, *fresh;

	fresh = kvzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return NULL;
	refcount_set(&fresh->ref, 1);
	fresh->domid = domid;
	pvcalls_cap_init(&fresh->cap);
	pvcalls_queues_weigh(fresh, PVCALLS_WEIGHT_DEFAULT, 0);

	spin_lock_irq(&pvcalls_queues_lock);
	q = pvcalls_queues_find(domid);
	if (!q)
		list_add_tail(&fresh->list, &pvcalls_queues_list);
	spin_unlock_irq(&pvcalls_queues_lock);
	if (!q)
		return fresh;
	kvfree(fresh);
	return q;
}

/**
 * pvcalls_queues_put() - drop a reference
 * @queues: the queues; with the last reference they have no works
 *
 * Context: any.
 */
void pvcalls_queues_put(struct pvcalls_queues *queues)
{
	unsigned long flags;

	if (!refcount_dec_and_test(&queues->ref))
		return;
	spin_lock_irqsave(&pvcalls_queues_lock, flags);
	list_del(&queues->list);
	spin_unlock_irqrestore(&pvcalls_queues_lock, flags);
	kvfree(queues);
}

static void pvcalls_queues_apply(struct pvcalls_queues *queues)
{
	u32 weight = queues->weight;
	unsigned int i;

	if (queues->ends)
		weight = max_t(u32, weight, PVCALLS_WEIGHT_DEFAULT);
	for (i = 0; i < PVCALLS_PLACES; i++)
		WRITE_ONCE(queues->on[i].weight, weight);
	if (queues->ends && queues->ends == queues->lives)
		pvcalls_cap_set(&queues->cap, 0);
	else
		pvcalls_cap_set(&queues->cap, queues->most);
}

/**
 * pvcalls_queues_weigh() - say how much of each worker a guest gets
 * @queues: its queues
 * @weight: percent of the parameter budget in each round, 1 to 1000
 * @most: what it may cost all workers a second, 1000 to PVCALLS_BUCKET_MAX; 0:
 *	any amount
 *
 * Context: any.
 */
void pvcalls_queues_weigh(struct pvcalls_queues *queues, u32 weight, u32 most)
{
	unsigned long flags;

	spin_lock_irqsave(&pvcalls_queues_lock, flags);
	queues->weight = weight;
	queues->most = most;
	pvcalls_queues_apply(queues);
	spin_unlock_irqrestore(&pvcalls_queues_lock, flags);
}

/**
 * pvcalls_queues_cap() - find the cap of a queue's guest
 * @q: one of the guest's queues
 * @place: which one, as pvcalls_fairq.place
 *
 * Context: any.
 * Return: the cap.
 */
struct pvcalls_cap *pvcalls_queues_cap(struct pvcalls_guestq *q, u32 place)
{
	return &container_of(q - place, struct pvcalls_queues, on[0])->cap;
}

/**
 * pvcalls_queues_begin() - a guest has a connection
 * @queues: the guest's queues
 *
 * Context: any; undone by pvcalls_queues_hurry(), when it has ended.
 */
void pvcalls_queues_begin(struct pvcalls_queues *queues)
{
	unsigned long flags;

	spin_lock_irqsave(&pvcalls_queues_lock, flags);
	queues->lives++;
	pvcalls_queues_apply(queues);
	spin_unlock_irqrestore(&pvcalls_queues_lock, flags);
}

/**
 * pvcalls_queues_hurry() - a connection of a guest begins to end, or has ended
 * @queues: the guest's queues
 * @ends: it begins to
 *
 * Description: Somebody waits for the end, and the guest's pages with it. So the
 * guest gets no less than others meanwhile, and there is no cap unless the guest
 * has another connection, which would have none either.
 *
 * Context: any.
 */
void pvcalls_queues_hurry(struct pvcalls_queues *queues, bool ends)
{
	unsigned long flags;

	spin_lock_irqsave(&pvcalls_queues_lock, flags);
	if (ends) {
		queues->ends++;
	} else {
		queues->ends--;
		queues->lives--;
	}
	pvcalls_queues_apply(queues);
	spin_unlock_irqrestore(&pvcalls_queues_lock, flags);
}
