// SPDX-License-Identifier: GPL-2.0
/* See evtchn.h. */
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <asm/xen/hypercall.h>
#include <xen/events.h>

#include "link/evtchn.h"
#include "link/link.h"
#include "link/ring.h"
#include "pvcalls_param.h"

/* Rings on a channel that is shared: an event has all of them looked at */
#define PVC_EVTCHN_RINGS	32

PVCALLS_PARAM_UINT(own_evtchns, 512, 0, 131072, 0644);
MODULE_PARM_DESC(own_evtchns,
		 "Data rings that have an event channel each, 0 to 131072 (default 512), half as many of orders 1 to 3; further ones share one among 32");

static irqreturn_t pvc_evtchn_irq(int irq, void *arg)
{
	struct pvc_evtchn *evtchn = arg;
	bool reason = false;
	struct pvc_shm *shm;

	spin_lock(&evtchn->lock);
	list_for_each_entry(shm, &evtchn->rings, on_evtchn)
		/* the last one of the socket before may come late */
		if (shm->user)
			reason |= shm->event(shm->user);
	spin_unlock(&evtchn->lock);
	xen_irq_lateeoi(irq, reason ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

static int pvc_evtchn_bind(struct pvc_evtchn *evtchn, domid_t otherend)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = DOMID_SELF,
		.remote_dom = otherend,
	};
	int ret;

	ret = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	if (ret)
		return ret;
	ret = bind_evtchn_to_irqhandler_lateeoi(alloc.port, pvc_evtchn_irq, 0,
						"pvcalls-ring", evtchn);
	if (ret < 0) {
		struct evtchn_close close = { .port = alloc.port };

		HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
		return ret;
	}
	evtchn->port = alloc.port;
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
	INIT_LIST_HEAD(&evtchn->rings);
	evtchn->shared = shared;
	ret = pvc_evtchn_bind(evtchn, link->otherend);
	if (ret) {
		kfree(evtchn);
		return ERR_PTR(ret);
	}
	return evtchn;
}

/*
 * How many rings may have a channel each, this one among them. Rings that are
 * meant to be small may be thousands, mostly idle: they leave some to others.
 */
static unsigned int pvc_evtchn_limit(const struct pvc_shm *shm)
{
	unsigned int limit = READ_ONCE(param_own_evtchns);

	return shm->order < PVC_SMALL_ORDER ? limit / 2 : limit;
}

/* A channel with room for a ring; with the lock held. */
static struct pvc_evtchn *pvc_evtchn_find(struct pvc_link *link,
					  const struct pvc_shm *shm)
{
	bool share = pvc_link_has(link, PVCALLS_F_SHARED_EVTCHN);
	struct pvc_evtchns *evtchns = &link->evtchns;
	struct pvc_evtchn *evtchn, *open;

	open = list_first_entry_or_null(&evtchns->open, struct pvc_evtchn, list);
	if (!share || evtchns->own < pvc_evtchn_limit(shm)) {
		evtchn = pvc_evtchn_new(link, false);
		/* there may be none left for a ring alone */
		return IS_ERR(evtchn) && open ? open : evtchn;
	}
	return open ?: pvc_evtchn_new(link, true);
}

/**
 * pvc_evtchns_init() - there is no channel
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
 * @link: connection
 * @shm: ring without one
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC if event channels have run out.
 */
int pvc_evtchn_join(struct pvc_link *link, struct pvc_shm *shm)
{
	struct pvc_evtchns *evtchns = &link->evtchns;
	struct pvc_evtchn *evtchn;

	mutex_lock(&evtchns->lock);
	evtchn = pvc_evtchn_find(link, shm);
	if (IS_ERR(evtchn))
		goto unlock;
	evtchn->nr++;
	if (!evtchn->shared)
		evtchns->own++;
	else if (evtchn->nr == PVC_EVTCHN_RINGS)
		list_del_init(&evtchn->list);
	else if (list_empty(&evtchn->list))
		list_add(&evtchn->list, &evtchns->open);
	shm->evtchn = evtchn;
	spin_lock_irq(&evtchn->lock);
	list_add_tail(&shm->on_evtchn, &evtchn->rings);
	spin_unlock_irq(&evtchn->lock);
unlock:
	mutex_unlock(&evtchns->lock);
	return PTR_ERR_OR_ZERO(evtchn);
}

/**
 * pvc_evtchn_leave() - undo pvc_evtchn_join()
 * @link: connection
 * @shm: ring that no socket uses any more
 *
 * Context: process, may sleep.
 */
void pvc_evtchn_leave(struct pvc_link *link, struct pvc_shm *shm)
{
	struct pvc_evtchns *evtchns = &link->evtchns;
	struct pvc_evtchn *evtchn = shm->evtchn;

	mutex_lock(&evtchns->lock);
	spin_lock_irq(&evtchn->lock);
	list_del(&shm->on_evtchn);
	spin_unlock_irq(&evtchn->lock);
	if (!evtchn->shared)
		evtchns->own--;
	else if (list_empty(&evtchn->list))
		list_add_tail(&evtchn->list, &evtchns->open);
	if (!--evtchn->nr) {
		list_del(&evtchn->list);
		unbind_from_irqhandler(evtchn->irq, evtchn);
		kfree(evtchn);
	}
	mutex_unlock(&evtchns->lock);
}
