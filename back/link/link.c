// SPDX-License-Identifier: GPL-2.0
/*
 * Connecting to a guest and the end of the connection; link.h describes both.
 */
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include <xen/events.h>
#include <xen/xenbus.h>

#include "account/ledger.h"
#include "guest/call.h"
#include "guest/guest.h"
#include "link/cmd.h"
#include "link/link.h"
#include "pvcalls_compat.h"
#include "sched/pool.h"
#include "sched/queues.h"
#include "sched/worker.h"
#include "sock/sock.h"

static irqreturn_t pvcalls_link_event(int irq, void *data)
{
	struct pvcalls_guest *g = data;

	/* the first event may arrive before the binding function returns */
	g->irq = irq;
	set_bit(PVCALLS_GUEST_EOI, &g->flags);
	pvcalls_work_mark(&g->work);
	return IRQ_HANDLED;
}

/*
 * Cached rings may have become too old. Only the command ring's worker has the
 * memory for unmapping them, so its work is marked.
 */
static void pvcalls_link_aged(struct pvcalls_rings *rings)
{
	struct pvcalls_guest *g = container_of(rings, struct pvcalls_guest,
					       rings);

	set_bit(PVCALLS_GUEST_AGE, &g->flags);
	pvcalls_work_mark(&g->work);
}

static int pvcalls_link_attach(struct pvcalls_guest *g,
			       struct pvcalls_link_params *params)
{
	u32 n = 1U << params->ring_order;
	void *pages;
	int err;

	err = pvcalls_account_charge(&g->peer, PVCALLS_KIND_PAGES, n);
	if (err)
		return err;
	err = xenbus_map_ring_valloc(g->peer.dev, params->ring_refs, n, &pages);
	if (err)
		goto uncharge;
	g->cmd_pages = n;
	BACK_RING_INIT(&g->ring, (struct xen_pvcalls_sring *)pages,
		       XEN_PAGE_SIZE << params->ring_order);
	g->slots = kvmalloc_array(RING_SIZE(&g->ring), sizeof(*g->slots),
				  GFP_KERNEL);
	if (!g->slots) {
		err = -ENOMEM;
		goto unmap;
	}

	err = bind_interdomain_evtchn_to_irqhandler_lateeoi(g->peer.dev,
							    params->port,
							    pvcalls_link_event,
							    0,
							    "pvcalls-mt-cmd",
							    g);
	if (err < 0)
		goto unmap;
	WRITE_ONCE(g->irq, err);
	return 0;

unmap:
	xenbus_unmap_ring_vfree(g->peer.dev, pages);
uncharge:
	pvcalls_account_uncharge(g->peer.account, PVCALLS_KIND_PAGES, n);
	return err;
}

/**
 * pvcalls_link_connect() - connect to a guest
 * @dev: xenbus device, valid until pvcalls_link_end()
 * @params: what the guest has said in xenstore
 *
 * Context: process, may sleep.
 * Return: the guest, whose requests are being served, or an error pointer.
 */
struct pvcalls_guest *pvcalls_link_connect(struct xenbus_device *dev,
					   struct pvcalls_link_params *params)
{
	struct pvcalls_guest *g;
	int err;

	g = pvcalls_guest_new();
	if (!g)
		return ERR_PTR(-ENOMEM);

	g->peer.account = pvcalls_account_open(dev->otherend_id);
	g->queues = pvcalls_queues_open(dev->otherend_id);
	if (!g->peer.account || !g->queues) {
		err = -ENOMEM;
		goto free;
	}
	g->peer.dev = dev;
	g->peer.domid = dev->otherend_id;
	g->peer.features = params->features;
	g->peer.warnings = params->warnings;
	g->policy = params->policy;
	g->node = params->node;
	g->mark = params->mark;
	g->broken = params->broken;
	g->broken_arg = params->broken_arg;
	pvcalls_rings_init(&g->rings, &g->peer, pvcalls_link_aged);

	err = pvcalls_socks_init(g);
	if (err)
		goto free;
	pvcalls_work_init(&g->work, &pvcalls_cmd_ops, g->queues, g->node,
			  NULL);
	timer_setup(&g->delay, pvcalls_cmd_delayed, 0);
	err = pvcalls_link_attach(g, params);
	if (err)
		goto exit;

	pvcalls_queues_begin(g->queues);
	pvcalls_guest_show(g);

	/* requests that preceded the binding have raised no event */
	pvcalls_work_mark(&g->work);
	return g;

exit:
	pvcalls_work_exit(&g->work);
	pvcalls_socks_exit(g);
free:
	pvcalls_guest_put(g);
	return ERR_PTR(err);
}

/**
 * pvcalls_link_end() - end the connection to a guest
 * @g: the guest, of which the caller's reference is dropped
 *
 * All sockets are closed at once, in whatever state. All pages are given back,
 * and all event channels are closed. The call waits for the workers, but never
 * for the network.
 *
 * Context: process, sleeps; not a worker.
 */
void pvcalls_link_end(struct pvcalls_guest *g)
{
	pvcalls_guest_hide(g);
	set_bit(PVCALLS_GUEST_DEAD, &g->flags);
	pvcalls_queues_hurry(g->queues, true);

	/*
	 * wait until no request is read any more, so that no new socket or call
	 * comes
	 */
	pvcalls_work_mark(&g->work);
	wait_for_completion(&g->stopped);
	pvcalls_timer_stop(&g->delay);

	pvcalls_socks_end(g);
	pvcalls_rings_exit(&g->rings);

	unbind_from_irqhandler(g->irq, g);
	xenbus_unmap_ring_vfree(g->peer.dev, g->ring.sring);
	pvcalls_account_uncharge(g->peer.account, PVCALLS_KIND_PAGES,
				 g->cmd_pages);
	if (g->forget)
		pvcalls_call_free(g->forget);
	pvcalls_reply_flush(g);
	pvcalls_socks_exit(g);
	pvcalls_work_exit(&g->work);
	pvcalls_queues_hurry(g->queues, false);
	pvcalls_guest_put(g);
}
