// SPDX-License-Identifier: GPL-2.0
/* See fe.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include <xen/events.h>
#include <xen/xenbus.h>

#include "cmd.h"
#include "fe.h"
#include "reply.h"
#include "sock.h"

static DEFINE_MUTEX(pvcalls_fe_lock);
static LIST_HEAD(pvcalls_fe_list);

/**
 * pvcalls_fe_for_each() - look at all connected frontends
 * @fn: called for each; may sleep, must not connect or disconnect any
 * @arg: for @fn
 *
 * May sleep.
 */
void pvcalls_fe_for_each(void (*fn)(struct pvcalls_fe *fe, void *arg),
			 void *arg)
{
	struct pvcalls_fe *fe;

	mutex_lock(&pvcalls_fe_lock);
	list_for_each_entry(fe, &pvcalls_fe_list, all)
		fn(fe, arg);
	mutex_unlock(&pvcalls_fe_lock);
}

/**
 * pvcalls_fe_get() - take a reference
 * @fe: frontend
 *
 * Any context.
 */
void pvcalls_fe_get(struct pvcalls_fe *fe)
{
	kref_get(&fe->ref);
}

static void pvcalls_fe_free(struct kref *ref)
{
	struct pvcalls_fe *fe = container_of(ref, struct pvcalls_fe, ref);

	kvfree(fe->slots);
	kvfree(fe);
}

/**
 * pvcalls_fe_put() - drop a reference
 * @fe: frontend; may be freed
 *
 * Any context.
 */
void pvcalls_fe_put(struct pvcalls_fe *fe)
{
	kref_put(&fe->ref, pvcalls_fe_free);
}

/**
 * pvcalls_fe_notify() - send the event that responses are owed, if any
 * @fe: frontend
 *
 * Every run that may have answered requests ends with it. The caller must be
 * the command ring's run or hold a live socket, so that the event channel is
 * there. May sleep.
 */
void pvcalls_fe_notify(struct pvcalls_fe *fe)
{
	if (test_bit(PVCALLS_FE_NOTIFY, &fe->flags) &&
	    test_and_clear_bit(PVCALLS_FE_NOTIFY, &fe->flags))
		notify_remote_via_irq(fe->irq);
}

static irqreturn_t pvcalls_fe_event(int irq, void *data)
{
	struct pvcalls_fe *fe = data;

	/* the first event may come before binding has returned the number */
	fe->irq = irq;
	set_bit(PVCALLS_FE_EOI, &fe->flags);
	pvcalls_work_mark(&fe->work);
	return IRQ_HANDLED;
}

static int pvcalls_fe_attach(struct pvcalls_fe *fe,
			     struct pvcalls_fe_params *params)
{
	void *pages;
	int err;

	err = xenbus_map_ring_valloc(fe->dev, params->ring_refs,
				     1U << params->ring_order, &pages);
	if (err)
		return err;
	BACK_RING_INIT(&fe->ring, (struct xen_pvcalls_sring *)pages,
		       XEN_PAGE_SIZE << params->ring_order);
	fe->slots = kvmalloc_array(RING_SIZE(&fe->ring), sizeof(*fe->slots),
				   GFP_KERNEL);
	if (!fe->slots) {
		err = -ENOMEM;
		goto unmap;
	}

	err = bind_interdomain_evtchn_to_irqhandler_lateeoi(fe->dev,
							    params->port,
							    pvcalls_fe_event, 0,
							    "pvcalls-mt-cmd",
							    fe);
	if (err < 0)
		goto unmap;
	WRITE_ONCE(fe->irq, err);
	return 0;

unmap:
	xenbus_unmap_ring_vfree(fe->dev, pages);
	return err;
}

/**
 * pvcalls_fe_create() - connect to a frontend
 * @dev: xenbus device; must stay until pvcalls_fe_destroy()
 * @params: what the frontend said
 *
 * May sleep.
 *
 * Return: the frontend, whose requests are being served, or an error pointer.
 */
struct pvcalls_fe *pvcalls_fe_create(struct xenbus_device *dev,
				     struct pvcalls_fe_params *params)
{
	struct pvcalls_fe *fe;
	int err;

	fe = kvzalloc(sizeof(*fe), GFP_KERNEL);
	if (!fe)
		return ERR_PTR(-ENOMEM);

	kref_init(&fe->ref);
	fe->dev = dev;
	fe->domid = dev->otherend_id;
	fe->node = params->node;
	fe->mark = params->mark;
	fe->features = params->features;
	fe->warnings = params->warnings;
	fe->broken = params->broken;
	fe->broken_arg = params->broken_arg;
	init_completion(&fe->stopped);
	spin_lock_init(&fe->rsp_lock);
	INIT_LIST_HEAD(&fe->results);
	spin_lock_init(&fe->sock_lock);
	INIT_LIST_HEAD(&fe->sock_list);
	init_waitqueue_head(&fe->gone);
	pvcalls_rings_init(fe);

	err = pvcalls_socks_init(fe);
	if (err)
		goto free;
	pvcalls_work_init(&fe->work, &pvcalls_cmd_ops, fe->domid, fe->node,
			  NULL);
	err = pvcalls_fe_attach(fe, params);
	if (err)
		goto exit;

	mutex_lock(&pvcalls_fe_lock);
	list_add_tail(&fe->all, &pvcalls_fe_list);
	mutex_unlock(&pvcalls_fe_lock);

	/* requests may have been published before the event channel was there */
	pvcalls_work_mark(&fe->work);
	return fe;

exit:
	pvcalls_work_exit(&fe->work);
	pvcalls_socks_exit(fe);
free:
	pvcalls_fe_put(fe);
	return ERR_PTR(err);
}

/**
 * pvcalls_fe_destroy() - end the connection to a frontend
 * @fe: frontend; the caller's reference is dropped
 *
 * Closes all sockets at once, whatever state they are in, gives all pages
 * back, and closes all event channels. Waits for the workers but never for the
 * network. Must not be called on a worker.
 */
void pvcalls_fe_destroy(struct pvcalls_fe *fe)
{
	mutex_lock(&pvcalls_fe_lock);
	list_del(&fe->all);
	mutex_unlock(&pvcalls_fe_lock);

	set_bit(PVCALLS_FE_DEAD, &fe->flags);

	/* no further request will be read, so no socket or call be made */
	pvcalls_work_mark(&fe->work);
	wait_for_completion(&fe->stopped);

	pvcalls_socks_mark_all(fe);
	wait_event(fe->gone, !atomic_read(&fe->live));
	pvcalls_rings_exit(fe);

	unbind_from_irqhandler(fe->irq, fe);
	xenbus_unmap_ring_vfree(fe->dev, fe->ring.sring);
	pvcalls_reply_flush(fe);
	pvcalls_socks_exit(fe);
	pvcalls_work_exit(&fe->work);
	pvcalls_fe_put(fe);
}
