// SPDX-License-Identifier: GPL-2.0
/* See guest.h. */
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include <xen/events.h>
#include <xen/xenbus.h>

#include "link/cmd.h"
#include "guest/guest.h"
#include "guest/call.h"
#include "sock/sock.h"

static DEFINE_MUTEX(pvcalls_guest_lock);
static LIST_HEAD(pvcalls_guest_list);

/**
 * pvcalls_guest_for_each() - look at all connected frontends
 * @fn: called for each; may sleep, must not connect or disconnect any
 * @arg: for @fn
 *
 * May sleep.
 */
void pvcalls_guest_for_each(void (*fn)(struct pvcalls_guest *g, void *arg),
			    void *arg)
{
	struct pvcalls_guest *g;

	mutex_lock(&pvcalls_guest_lock);
	list_for_each_entry(g, &pvcalls_guest_list, all)
		fn(g, arg);
	mutex_unlock(&pvcalls_guest_lock);
}

/**
 * pvcalls_guest_get() - take a reference
 * @g: frontend
 *
 * Any context.
 */
void pvcalls_guest_get(struct pvcalls_guest *g)
{
	kref_get(&g->ref);
}

static void pvcalls_guest_free(struct kref *ref)
{
	struct pvcalls_guest *g = container_of(ref, struct pvcalls_guest, ref);

	kvfree(g->slots);
	kvfree(g);
}

/**
 * pvcalls_guest_put() - drop a reference
 * @g: frontend; may be freed
 *
 * Any context.
 */
void pvcalls_guest_put(struct pvcalls_guest *g)
{
	kref_put(&g->ref, pvcalls_guest_free);
}

/**
 * pvcalls_guest_notify() - send the event that responses are owed, if any
 * @g: frontend
 *
 * Every run that may have answered requests ends with it. The caller must be
 * the command ring's run or hold a live socket, so that the event channel is
 * there. May sleep.
 */
void pvcalls_guest_notify(struct pvcalls_guest *g)
{
	if (test_bit(PVCALLS_GUEST_NOTIFY, &g->flags) &&
	    test_and_clear_bit(PVCALLS_GUEST_NOTIFY, &g->flags))
		notify_remote_via_irq(g->irq);
}

static irqreturn_t pvcalls_guest_event(int irq, void *data)
{
	struct pvcalls_guest *g = data;

	/* the first event may come before binding has returned the number */
	g->irq = irq;
	set_bit(PVCALLS_GUEST_EOI, &g->flags);
	pvcalls_work_mark(&g->work);
	return IRQ_HANDLED;
}

static int pvcalls_guest_attach(struct pvcalls_guest *g,
				struct pvcalls_guest_params *params)
{
	void *pages;
	int err;

	err = xenbus_map_ring_valloc(g->dev, params->ring_refs,
				     1U << params->ring_order, &pages);
	if (err)
		return err;
	BACK_RING_INIT(&g->ring, (struct xen_pvcalls_sring *)pages,
		       XEN_PAGE_SIZE << params->ring_order);
	g->slots = kvmalloc_array(RING_SIZE(&g->ring), sizeof(*g->slots),
				  GFP_KERNEL);
	if (!g->slots) {
		err = -ENOMEM;
		goto unmap;
	}

	err = bind_interdomain_evtchn_to_irqhandler_lateeoi(g->dev,
							    params->port,
							    pvcalls_guest_event, 0,
							    "pvcalls-mt-cmd",
							    g);
	if (err < 0)
		goto unmap;
	WRITE_ONCE(g->irq, err);
	return 0;

unmap:
	xenbus_unmap_ring_vfree(g->dev, pages);
	return err;
}

/**
 * pvcalls_guest_create() - connect to a frontend
 * @dev: xenbus device; must stay until pvcalls_guest_destroy()
 * @params: what the frontend said
 *
 * May sleep.
 *
 * Return: the frontend, whose requests are being served, or an error pointer.
 */
struct pvcalls_guest *pvcalls_guest_create(struct xenbus_device *dev,
					   struct pvcalls_guest_params *params)
{
	struct pvcalls_guest *g;
	int err;

	g = kvzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return ERR_PTR(-ENOMEM);

	kref_init(&g->ref);
	g->dev = dev;
	g->domid = dev->otherend_id;
	g->node = params->node;
	g->mark = params->mark;
	g->features = params->features;
	g->warnings = params->warnings;
	g->broken = params->broken;
	g->broken_arg = params->broken_arg;
	init_completion(&g->stopped);
	spin_lock_init(&g->rsp_lock);
	INIT_LIST_HEAD(&g->results);
	spin_lock_init(&g->sock_lock);
	INIT_LIST_HEAD(&g->sock_list);
	init_waitqueue_head(&g->gone);
	pvcalls_rings_init(g);

	err = pvcalls_socks_init(g);
	if (err)
		goto free;
	pvcalls_work_init(&g->work, &pvcalls_cmd_ops, g->domid, g->node,
			  NULL);
	err = pvcalls_guest_attach(g, params);
	if (err)
		goto exit;

	mutex_lock(&pvcalls_guest_lock);
	list_add_tail(&g->all, &pvcalls_guest_list);
	mutex_unlock(&pvcalls_guest_lock);

	/* requests may have been published before the event channel was there */
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
 * pvcalls_guest_destroy() - end the connection to a frontend
 * @g: frontend; the caller's reference is dropped
 *
 * Closes all sockets at once, whatever state they are in, gives all pages
 * back, and closes all event channels. Waits for the workers but never for the
 * network. Must not be called on a worker.
 */
void pvcalls_guest_destroy(struct pvcalls_guest *g)
{
	mutex_lock(&pvcalls_guest_lock);
	list_del(&g->all);
	mutex_unlock(&pvcalls_guest_lock);

	set_bit(PVCALLS_GUEST_DEAD, &g->flags);

	/* no further request will be read, so no socket or call be made */
	pvcalls_work_mark(&g->work);
	wait_for_completion(&g->stopped);

	pvcalls_socks_mark_all(g);
	wait_event(g->gone, !atomic_read(&g->live));
	pvcalls_rings_exit(g);

	unbind_from_irqhandler(g->irq, g);
	xenbus_unmap_ring_vfree(g->dev, g->ring.sring);
	pvcalls_reply_flush(g);
	pvcalls_socks_exit(g);
	pvcalls_work_exit(&g->work);
	pvcalls_guest_put(g);
}
