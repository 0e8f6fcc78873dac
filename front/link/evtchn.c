// SPDX-License-Identifier: GPL-2.0
/* See evtchn.h. */
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <asm/xen/hypercall.h>
#include <xen/events.h>

#include "link/evtchn.h"
#include "link/link.h"
#include "link/reserve.h"
#include "pvcalls_param.h"

/* Rings on a shared event channel. Every event looks at all of them. */
#define PVC_EVTCHN_RINGS	32

PVCALLS_PARAM_UINT(own_evtchns, 512, 0, 131072, 0644);
MODULE_PARM_DESC(own_evtchns,
		 "Data rings that have an event channel each, 0 to 131072 (default 512), half as many of orders 1 to 3; further ones share one among 32");

static irqreturn_t pvc_evtchn_irq(int irq, void *arg)
{
	struct pvc_evtchn *evtchn = arg;
	struct pvc_subscriber *sub;
	bool reason = false;

	spin_lock(&evtchn->lock);
	list_for_each_entry(sub, &evtchn->subscribers, list)
		/* an event may come after its socket has left the ring */
		if (sub->user)
			reason |= sub->event(sub->user);
	spin_unlock(&evtchn->lock);
	xen_irq_lateeoi(irq, reason ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

static int pvc_evtchn_bind(struct pvc_evtchn *evtchn, struct pvc_link *link)
{
	/* a ring that cannot have an event channel alone can share one */
	bool spare = !evtchn->shared &&
		     pvc_link_has(link, PVCALLS_F_SHARED_EVTCHN);
	evtchn_port_t port;
	int ret;

	ret = pvc_reserve_evtchn(link->otherend, spare, &port);
	if (ret)
		return ret;
	ret = bind_evtchn_to_irqhandler_lateeoi(port, pvc_evtchn_irq, 0,
						"pvcalls-ring", evtchn);
	if (ret < 0) {
		struct evtchn_close close = { .port = port };

		HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
		pvc_reserve_evtchn_gone();
		return ret;
	}
	evtchn->port = port;
	evtchn->irq = ret;
	return 0;
}

static struct pvc_evtchn *pvc_evtchn_new(struct pvc_link *link, bool shared)
{
	struct pvc_evtchn *evtchn = kzalloc(sizeof(*evtchn), GFP_KERNEL);
	int ret;

	if (!evtchn)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&evtchn->list);
	spin_lock_init(&evtchn->lock);
	INIT_LIST_HEAD(&evtchn->subscribers);
	evtchn->shared = shared;
	ret = pvc_evtchn_bind(evtchn, link);
	if (ret) {
		kfree(evtchn);
		return ERR_PTR(ret);
	}
	return evtchn;
}

/*
 * The number of rings that may have an event channel each, the new one among
 * them. Small rings may be thousands, and they are mostly idle: therefore they
 * leave half of the event channels to large rings.
 */
static unsigned int pvc_evtchn_limit(bool small)
{
	unsigned int limit = READ_ONCE(param_own_evtchns);

	return small ? limit / 2 : limit;
}

/* Finds an event channel with room for a ring. Call with evtchns->lock held. */
static struct pvc_evtchn *pvc_evtchn_find(struct pvc_link *link, bool small)
{
	bool share = pvc_link_has(link, PVCALLS_F_SHARED_EVTCHN);
	struct pvc_evtchns *evtchns = &link->evtchns;
	struct pvc_evtchn *evtchn, *open;

	open = list_first_entry_or_null(&evtchns->open, struct pvc_evtchn,
					list);
	if (!share || evtchns->own < pvc_evtchn_limit(small)) {
		evtchn = pvc_evtchn_new(link, false);
		if (!share || !IS_ERR(evtchn))
			return evtchn;
	}
	return open ?: pvc_evtchn_new(link, true);
}

/**
 * pvc_evtchns_init() - begin without event channels
 * @evtchns: zeroed memory
 *
 * Context: any.
 */
void pvc_evtchns_init(struct pvc_evtchns *evtchns)
{
	mutex_init(&evtchns->lock);
	INIT_LIST_HEAD(&evtchns->open);
}

/**
 * pvc_evtchn_join() - give a ring an event channel
 * @link: the link
 * @sub: the ring's part, with its event() filled in and no user
 * @small: the ring is a small one
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC if event channels have run out.
 */
int pvc_evtchn_join(struct pvc_link *link, struct pvc_subscriber *sub,
		    bool small)
{
	struct pvc_evtchns *evtchns = &link->evtchns;
	struct pvc_evtchn *evtchn;

	mutex_lock(&evtchns->lock);
	evtchn = pvc_evtchn_find(link, small);
	if (IS_ERR(evtchn))
		goto unlock;
	evtchn->nr++;
	if (!evtchn->shared)
		evtchns->own++;
	else if (evtchn->nr == PVC_EVTCHN_RINGS)
		list_del_init(&evtchn->list);
	else if (list_empty(&evtchn->list))
		list_add(&evtchn->list, &evtchns->open);
	sub->evtchn = evtchn;
	spin_lock_irq(&evtchn->lock);
	list_add_tail(&sub->list, &evtchn->subscribers);
	spin_unlock_irq(&evtchn->lock);
unlock:
	mutex_unlock(&evtchns->lock);
	return PTR_ERR_OR_ZERO(evtchn);
}

/**
 * pvc_evtchn_leave() - undo pvc_evtchn_join()
 * @link: the link
 * @sub: the part of a ring that no socket uses any more
 *
 * Context: process, may sleep.
 */
void pvc_evtchn_leave(struct pvc_link *link, struct pvc_subscriber *sub)
{
	struct pvc_evtchns *evtchns = &link->evtchns;
	struct pvc_evtchn *evtchn = sub->evtchn;

	mutex_lock(&evtchns->lock);
	spin_lock_irq(&evtchn->lock);
	list_del(&sub->list);
	spin_unlock_irq(&evtchn->lock);
	if (!evtchn->shared)
		evtchns->own--;
	else if (list_empty(&evtchn->list))
		list_add_tail(&evtchn->list, &evtchns->open);
	if (!--evtchn->nr) {
		list_del(&evtchn->list);
		unbind_from_irqhandler(evtchn->irq, evtchn);
		pvc_reserve_evtchn_gone();
		kfree(evtchn);
	}
	mutex_unlock(&evtchns->lock);
}

/**
 * pvc_evtchn_set_user() - say who handles a ring's events from now on
 * @sub: the ring's part, which has joined
 * @user: argument of the part's event(), or NULL for nobody
 *
 * When the function returns, no event is being handled for the user before.
 *
 * Context: any.
 */
void pvc_evtchn_set_user(struct pvc_subscriber *sub, void *user)
{
	unsigned long flags;

	spin_lock_irqsave(&sub->evtchn->lock, flags);
	sub->user = user;
	spin_unlock_irqrestore(&sub->evtchn->lock, flags);
}
