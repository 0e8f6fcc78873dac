// SPDX-License-Identifier: GPL-2.0
/* See chan.h. */
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <asm/xen/hypercall.h>
#include <xen/events.h>

#include "chan.h"
#include "dev.h"
#include "ring.h"

/* Rings on a channel that is shared: an event has all of them looked at */
#define PVC_CHAN_RINGS	32

static unsigned int own_evtchns = 512;

static int own_evtchns_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 131072);
}

static const struct kernel_param_ops own_evtchns_ops = {
	.set = own_evtchns_set,
	.get = param_get_uint,
};

module_param_cb(own_evtchns, &own_evtchns_ops, &own_evtchns, 0644);
MODULE_PARM_DESC(own_evtchns,
		 "Data rings that have an event channel each, 0 to 131072 (default 512), half as many of orders 1 to 3; further ones share one among 32");

static irqreturn_t pvc_chan_irq(int irq, void *arg)
{
	struct pvc_chan *chan = arg;
	bool reason = false;
	struct pvc_shm *shm;

	spin_lock(&chan->lock);
	list_for_each_entry(shm, &chan->rings, on_chan)
		/* the last one of the socket before may come late */
		if (shm->user)
			reason |= shm->event(shm->user);
	spin_unlock(&chan->lock);
	xen_irq_lateeoi(irq, reason ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

static int pvc_chan_bind(struct pvc_chan *chan, domid_t otherend)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = DOMID_SELF,
		.remote_dom = otherend,
	};
	int ret;

	ret = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	if (ret)
		return ret;
	ret = bind_evtchn_to_irqhandler_lateeoi(alloc.port, pvc_chan_irq, 0,
						"pvcalls-ring", chan);
	if (ret < 0) {
		struct evtchn_close close = { .port = alloc.port };

		HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
		return ret;
	}
	chan->evtchn = alloc.port;
	chan->irq = ret;
	return 0;
}

static struct pvc_chan *pvc_chan_new(struct pvc_dev *dev, bool shared)
{
	struct pvc_chan *chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	int ret;

	if (!chan)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&chan->list);
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->rings);
	chan->shared = shared;
	ret = pvc_chan_bind(chan, dev->otherend);
	if (ret) {
		kfree(chan);
		return ERR_PTR(ret);
	}
	return chan;
}

/*
 * How many rings may have a channel each, this one among them. Rings that are
 * meant to be small may be thousands, mostly idle: they leave some to others.
 */
static unsigned int pvc_chan_limit(const struct pvc_shm *shm)
{
	unsigned int limit = READ_ONCE(own_evtchns);

	return shm->order < PVC_SMALL_ORDER ? limit / 2 : limit;
}

/* A channel with room for a ring; with the lock held. */
static struct pvc_chan *pvc_chan_find(struct pvc_dev *dev,
				      const struct pvc_shm *shm)
{
	bool share = pvc_dev_has(dev, PVCALLS_F_SHARED_EVTCHN);
	struct pvc_chans *chans = &dev->chans;
	struct pvc_chan *chan, *open;

	open = list_first_entry_or_null(&chans->open, struct pvc_chan, list);
	if (!share || chans->own < pvc_chan_limit(shm)) {
		chan = pvc_chan_new(dev, false);
		/* there may be none left for a ring alone */
		return IS_ERR(chan) && open ? open : chan;
	}
	return open ?: pvc_chan_new(dev, true);
}

/**
 * pvc_chans_init() - there is no channel
 * @chans: zeroed memory
 *
 * Context: any.
 */
void pvc_chans_init(struct pvc_chans *chans)
{
	mutex_init(&chans->lock);
	INIT_LIST_HEAD(&chans->open);
}

/**
 * pvc_chan_join() - give a ring an event channel
 * @dev: connection
 * @shm: ring without one
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC if event channels have run out.
 */
int pvc_chan_join(struct pvc_dev *dev, struct pvc_shm *shm)
{
	struct pvc_chans *chans = &dev->chans;
	struct pvc_chan *chan;

	mutex_lock(&chans->lock);
	chan = pvc_chan_find(dev, shm);
	if (IS_ERR(chan))
		goto unlock;
	chan->nr++;
	if (!chan->shared)
		chans->own++;
	else if (chan->nr == PVC_CHAN_RINGS)
		list_del_init(&chan->list);
	else if (list_empty(&chan->list))
		list_add(&chan->list, &chans->open);
	shm->chan = chan;
	spin_lock_irq(&chan->lock);
	list_add_tail(&shm->on_chan, &chan->rings);
	spin_unlock_irq(&chan->lock);
unlock:
	mutex_unlock(&chans->lock);
	return PTR_ERR_OR_ZERO(chan);
}

/**
 * pvc_chan_leave() - undo pvc_chan_join()
 * @dev: connection
 * @shm: ring that no socket uses any more
 *
 * Context: process, may sleep.
 */
void pvc_chan_leave(struct pvc_dev *dev, struct pvc_shm *shm)
{
	struct pvc_chans *chans = &dev->chans;
	struct pvc_chan *chan = shm->chan;

	mutex_lock(&chans->lock);
	spin_lock_irq(&chan->lock);
	list_del(&shm->on_chan);
	spin_unlock_irq(&chan->lock);
	if (!chan->shared)
		chans->own--;
	else if (list_empty(&chan->list))
		list_add_tail(&chan->list, &chans->open);
	if (!--chan->nr) {
		list_del(&chan->list);
		unbind_from_irqhandler(chan->irq, chan);
		kfree(chan);
	}
	mutex_unlock(&chans->lock);
}
