// SPDX-License-Identifier: GPL-2.0
/* See evtchn.h. */
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include <xen/events.h>

#include "ring/notify.h"
#include "ring/evtchn.h"
#include "pvcalls_ext.h"

#define PVCALLS_SUBSCRIBER_SHARE	0

/* One share of the EOI less; who gives back the last one gives the EOI. */
static void pvcalls_evtchn_settle(struct pvcalls_evtchn *evtchn)
{
	bool found;

	if (!atomic_dec_and_test(&evtchn->shares))
		return;
	/*
	 * The channel is masked, so this is nobody else's now. What an event
	 * tells of may have been seen before it came, but only once in a row.
	 */
	found = evtchn->found || evtchn->found_last;
	evtchn->found_last = evtchn->found;
	evtchn->found = false;
	xen_irq_lateeoi(READ_ONCE(evtchn->irq),
			found ? 0 : XEN_EOI_FLAG_SPURIOUS);
}

static irqreturn_t pvcalls_evtchn_event(int irq, void *data)
{
	struct pvcalls_evtchn *evtchn = data;
	struct pvcalls_subscriber *sub;

	spin_lock(&evtchn->lock);
	/* the first event may come before binding has returned the number */
	WRITE_ONCE(evtchn->irq, irq);
	/* none of those who are marked is the last one before all are */
	atomic_inc(&evtchn->shares);
	list_for_each_entry(sub, &evtchn->subs, node) {
		/* it is mostly meant for one of many */
		if (!sub->ops || !sub->ops->due(sub))
			continue;
		/* a run that has begun may give it back at once */
		atomic_inc(&evtchn->shares);
		if (test_and_set_bit(PVCALLS_SUBSCRIBER_SHARE, &sub->state))
			atomic_dec(&evtchn->shares);
		sub->ops->mark(sub);
	}
	spin_unlock(&evtchn->lock);
	/* if it is for nobody, what it tells of has been seen, or has gone */
	pvcalls_evtchn_settle(evtchn);
	return IRQ_HANDLED;
}

static struct hlist_head *pvcalls_evtchn_bucket(struct pvcalls_evtchns *evtchns,
						evtchn_port_t port)
{
	return &evtchns->all[hash_32(port, PVCALLS_EVTCHN_HASH_BITS)];
}

static struct pvcalls_evtchn *
pvcalls_evtchn_find(struct pvcalls_evtchns *evtchns, evtchn_port_t port)
{
	struct pvcalls_evtchn *evtchn;

	lockdep_assert_held(&evtchns->lock);
	hlist_for_each_entry(evtchn, pvcalls_evtchn_bucket(evtchns, port), hash)
		if (evtchn->port == port)
			return evtchn;
	return NULL;
}

static struct pvcalls_evtchn *
pvcalls_evtchn_new(struct pvcalls_evtchns *evtchns, struct xenbus_device *dev,
		   evtchn_port_t port)
{
	struct pvcalls_evtchn *evtchn;
	int irq;

	evtchn = kzalloc(sizeof(*evtchn), GFP_KERNEL);
	if (!evtchn)
		return ERR_PTR(-ENOMEM);
	evtchn->port = port;
	spin_lock_init(&evtchn->lock);
	INIT_LIST_HEAD(&evtchn->subs);

	irq = bind_interdomain_evtchn_to_irqhandler_lateeoi
		(dev, port, pvcalls_evtchn_event, 0, "pvcalls-mt-data", evtchn);
	if (irq < 0) {
		kfree(evtchn);
		return ERR_PTR(irq);
	}
	WRITE_ONCE(evtchn->irq, irq);
	evtchn->local = pvcalls_notify_find(irq);
	hlist_add_head(&evtchn->hash, pvcalls_evtchn_bucket(evtchns, port));
	return evtchn;
}

/**
 * pvcalls_evtchns_init() - a guest without data rings
 * @evtchns: zeroed memory
 *
 * Any context.
 */
void pvcalls_evtchns_init(struct pvcalls_evtchns *evtchns)
{
	mutex_init(&evtchns->lock);
}

/**
 * pvcalls_evtchn_join() - a ring has an event channel
 * @evtchns: the guest's
 * @sub: zeroed memory
 * @dev: the guest
 * @port: the guest's end
 * @shared: the channel may serve other rings already
 *
 * Nobody hears of events before pvcalls_evtchn_enable(). Process context, may
 * sleep. Undone by pvcalls_evtchn_leave().
 *
 * Return: 0, -ENOBUFS if it serves as many rings as it may, or another negative
 * error number if there is no such channel, or it is in use otherwise.
 */
int pvcalls_evtchn_join(struct pvcalls_evtchns *evtchns,
			struct pvcalls_subscriber *sub,
			struct xenbus_device *dev, evtchn_port_t port,
			bool shared)
{
	struct pvcalls_evtchn *evtchn = NULL;

	mutex_lock(&evtchns->lock);
	if (shared)
		evtchn = pvcalls_evtchn_find(evtchns, port);
	if (!evtchn)
		evtchn = pvcalls_evtchn_new(evtchns, dev, port);
	else if (evtchn->nr >= PVCALLS_MAX_SHARED)
		evtchn = ERR_PTR(-ENOBUFS);
	if (!IS_ERR(evtchn)) {
		evtchn->nr++;
		sub->evtchn = evtchn;
		spin_lock_irq(&evtchn->lock);
		sub->steers = list_empty(&evtchn->subs);
		list_add_tail(&sub->node, &evtchn->subs);
		spin_unlock_irq(&evtchn->lock);
	}
	mutex_unlock(&evtchns->lock);
	return PTR_ERR_OR_ZERO(evtchn);
}

/**
 * pvcalls_evtchn_leave() - undo pvcalls_evtchn_join()
 * @evtchns: the guest's
 * @sub: ring; owes no event
 *
 * With the last ring the event channel is closed. Process context, may sleep.
 */
void pvcalls_evtchn_leave(struct pvcalls_evtchns *evtchns,
			  struct pvcalls_subscriber *sub)
{
	struct pvcalls_evtchn *evtchn = sub->evtchn;
	struct pvcalls_subscriber *first;

	pvcalls_evtchn_disable(sub);
	mutex_lock(&evtchns->lock);
	spin_lock_irq(&evtchn->lock);
	list_del(&sub->node);
	first = list_first_entry_or_null(&evtchn->subs,
					 struct pvcalls_subscriber, node);
	if (first)
		WRITE_ONCE(first->steers, true);
	spin_unlock_irq(&evtchn->lock);
	if (!--evtchn->nr) {
		hlist_del(&evtchn->hash);
		unbind_from_irqhandler(READ_ONCE(evtchn->irq), evtchn);
		kfree(evtchn);
	}
	mutex_unlock(&evtchns->lock);
}

/**
 * pvcalls_evtchn_enable() - hear of events from now on
 * @sub: ring
 * @ops: called about events
 * @owner: what @ops find in pvcalls_subscriber.owner; stays until
 *	pvcalls_evtchn_disable()
 *
 * What happened before is not announced: the caller must look, after this.
 *
 * Context: process.
 */
void pvcalls_evtchn_enable(struct pvcalls_subscriber *sub,
			   const struct pvcalls_subscriber_ops *ops,
			   void *owner)
{
	spin_lock_irq(&sub->evtchn->lock);
	sub->owner = owner;
	sub->ops = ops;
	spin_unlock_irq(&sub->evtchn->lock);
}

/**
 * pvcalls_evtchn_disable() - undo pvcalls_evtchn_enable()
 * @sub: ring
 *
 * Its share of an EOI is given back: whoever made the event is served no more.
 * Idempotent. Process context.
 */
void pvcalls_evtchn_disable(struct pvcalls_subscriber *sub)
{
	spin_lock_irq(&sub->evtchn->lock);
	sub->ops = NULL;
	spin_unlock_irq(&sub->evtchn->lock);
	if (pvcalls_evtchn_take(sub))
		pvcalls_evtchn_done(sub, true);
}

/**
 * pvcalls_evtchn_take() - has there been an event?
 * @sub: ring
 *
 * To be asked before the ring is looked at for the last time. In the run of its
 * work, or while that can't begin.
 *
 * Return: true if so; then pvcalls_evtchn_done() must follow.
 */
bool pvcalls_evtchn_take(struct pvcalls_subscriber *sub)
{
	return test_bit(PVCALLS_SUBSCRIBER_SHARE, &sub->state) &&
	       test_and_clear_bit(PVCALLS_SUBSCRIBER_SHARE, &sub->state);
}

/**
 * pvcalls_evtchn_done() - a ring has been looked at
 * @sub: ring, for which pvcalls_evtchn_take() has returned true
 * @found: there was a reason for the event
 *
 * Process or softirq context.
 */
void pvcalls_evtchn_done(struct pvcalls_subscriber *sub, bool found)
{
	if (found)
		WRITE_ONCE(sub->evtchn->found, true);
	pvcalls_evtchn_settle(sub->evtchn);
}
