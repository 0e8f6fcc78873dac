// SPDX-License-Identifier: GPL-2.0
/* Event channels of data rings; evtchn.h describes their EOI and its shares. */
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include <xen/events.h>

#include "ring/notify.h"
#include "ring/evtchn.h"
#include "pvcalls_ext.h"

#define PVCALLS_SUBSCRIBER_SHARE	0

/* Give back one share of the EOI. The EOI is given with the last share. */
static void pvcalls_evtchn_settle(struct pvcalls_evtchn *evtchn)
{
	bool found;

	if (!atomic_dec_and_test(&evtchn->shares))
		return;
	/*
	 * No share is left and the channel is masked, so no other thread uses
	 * these fields. A run may see a change before its event arrives, so one
	 * event without a reason is normal. Two of them in a row are spurious.
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
	/* the first event may arrive before the binding function returns */
	WRITE_ONCE(evtchn->irq, irq);
	/*
	 * Hold a share ourselves, so that the count cannot reach zero before
	 * every ring is marked.
	 */
	atomic_inc(&evtchn->shares);
	list_for_each_entry(sub, &evtchn->subs, node) {
		/* most events on a shared channel are for one of its rings */
		if (!sub->ops || !sub->ops->due(sub))
			continue;
		/*
		 * count the share first: a run that has begun may return it at
		 * once
		 */
		atomic_inc(&evtchn->shares);
		if (test_and_set_bit(PVCALLS_SUBSCRIBER_SHARE, &sub->state))
			atomic_dec(&evtchn->shares);
		sub->ops->mark(sub);
	}
	spin_unlock(&evtchn->lock);
	/* without a marked ring this is the last share: the event is served */
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
 * pvcalls_evtchns_init() - initialise the set of a guest's event channels
 * @evtchns: zeroed memory
 *
 * Context: any.
 */
void pvcalls_evtchns_init(struct pvcalls_evtchns *evtchns)
{
	mutex_init(&evtchns->lock);
}

/**
 * pvcalls_evtchn_join() - connect a ring to an event channel
 * @evtchns: the guest's event channels
 * @sub: the ring, in zeroed memory
 * @dev: the guest's xenbus device
 * @port: port number of the guest's end
 * @shared: the channel may serve other rings already
 *
 * Events are ignored before pvcalls_evtchn_enable(). The call is undone by
 * pvcalls_evtchn_leave().
 *
 * Context: process, may sleep.
 * Return: 0; -ENOBUFS if the channel serves %PVCALLS_MAX_SHARED rings already;
 * or another negative error number if @port is not a free channel of the guest.
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
 * @evtchns: the guest's event channels
 * @sub: the ring, which owes no event
 *
 * The event channel is closed when its last ring leaves.
 *
 * Context: process, may sleep.
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
 * pvcalls_evtchn_enable() - have a ring be told of events
 * @sub: the ring
 * @ops: functions that are called about events
 * @owner: value for pvcalls_subscriber.owner, valid until
 *	pvcalls_evtchn_disable()
 *
 * Earlier events are not announced, so the caller must look at the ring after
 * this call.
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
 * @sub: the ring
 *
 * The ring's share of an EOI is given back, because the ring is served no more.
 * More than one call has no further effect.
 *
 * Context: process.
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
 * @sub: the ring
 *
 * The caller must look at the ring after this call, because later changes come
 * with an event of their own.
 *
 * Context: the run of the ring's work, or while that run can't begin.
 * Return: true if the ring has a share of an EOI; then the caller owes a call
 * of pvcalls_evtchn_done().
 */
bool pvcalls_evtchn_take(struct pvcalls_subscriber *sub)
{
	return test_bit(PVCALLS_SUBSCRIBER_SHARE, &sub->state) &&
	       test_and_clear_bit(PVCALLS_SUBSCRIBER_SHARE, &sub->state);
}

/**
 * pvcalls_evtchn_done() - a ring has been looked at
 * @sub: the ring, for which pvcalls_evtchn_take() has returned true
 * @found: the guest had changed the ring
 *
 * Context: process or softirq.
 */
void pvcalls_evtchn_done(struct pvcalls_subscriber *sub, bool found)
{
	if (found)
		WRITE_ONCE(sub->evtchn->found, true);
	pvcalls_evtchn_settle(sub->evtchn);
}
