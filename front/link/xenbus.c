// SPDX-License-Identifier: GPL-2.0
/*
 * The pvcalls device: finding the backend, agreeing on extensions, coming up,
 * going down and coming up again.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen/xenbus.h>

#include "link/cache.h"
#include "link/cmd.h"
#include "link/evtchn.h"
#include "link/link.h"
#include "link/node.h"
#include "link/reserve.h"
#include "pvcalls_compat.h"

/**
 * struct pvc_front - the device in xenstore
 * @lock: serialises coming up and going down
 * @xdev: the device, or NULL
 * @ops: the user of links, constant
 * @link: the link, from the moment that the backend may use the command ring
 * @up: @link has been published
 * @old: the last link, until its backend has let go of all that it mapped;
 *	also read without @lock
 * @old_gone: woken when @old has become NULL
 */
struct pvc_front {
	struct mutex lock;
	struct xenbus_device *xdev;
	const struct pvc_link_ops *ops;
	struct pvc_link *link;
	bool up;
	struct pvc_link *old;
	wait_queue_head_t old_gone;
};

/* A domain has one pvcalls device at most (specification, 1.3.2.1). */
static struct pvc_front pvc_front = {
	.lock = __MUTEX_INITIALIZER(pvc_front.lock),
	.old_gone = __WAIT_QUEUE_HEAD_INITIALIZER(pvc_front.old_gone),
};

/* An unloaded module waits this long for the backend to let go, in jiffies */
#define PVC_LET_GO_TIMEOUT	(5 * HZ)

static void pvc_front_down(struct pvc_front *front);

/* Takes a link down whose backend has broken a rule. */
static void pvc_front_broken(struct work_struct *work)
{
	struct pvc_link *link = container_of(work, struct pvc_link, broken);

	mutex_lock(&pvc_front.lock);
	if (pvc_front.link == link) {
		pvc_front_down(&pvc_front);
		xenbus_switch_state(pvc_front.xdev, XenbusStateClosing);
	}
	mutex_unlock(&pvc_front.lock);
	pvc_link_put(link);
}

static struct pvc_link *pvc_front_new_link(struct xenbus_device *xdev)
{
	struct pvc_link *link = pvc_link_new(xdev->otherend_id,
					     pvc_front_broken);

	if (!link)
		return NULL;
	pvc_evtchns_init(&link->evtchns);
	pvc_cache_init(link);
	return link;
}

/* Makes the command ring and its event channel. */
static int pvc_front_ring(struct xenbus_device *xdev, struct pvc_link *link)
{
	unsigned int pages = 1U << link->ring_order;
	struct xen_pvcalls_sring *sring;
	int ret;

	ret = xenbus_setup_ring(xdev, GFP_KERNEL, (void **)&sring, pages,
				link->sring_refs);
	if (ret)
		return ret;
	SHARED_RING_INIT(sring);
	FRONT_RING_INIT(&link->ring, sring, pages * XEN_PAGE_SIZE);

	ret = xenbus_alloc_evtchn(xdev, &link->port);
	if (ret)
		goto err_ring;
	ret = bind_evtchn_to_irqhandler_lateeoi(link->port, pvc_cmd_irq, 0,
						"pvcalls-front", link);
	if (ret < 0) {
		xenbus_free_evtchn(xdev, link->port);
		goto err_ring;
	}
	link->irq = ret;
	return 0;

err_ring:
	xenbus_teardown_ring((void **)&sring, pages, link->sring_refs);
	return ret;
}

/* Offers a link to a backend that waits for one. */
static void pvc_front_offer(struct pvc_front *front)
{
	struct xenbus_device *xdev = front->xdev;
	struct pvc_link *link;
	int ret;

	if (front->link)
		return;
	link = pvc_front_new_link(xdev);
	if (!link) {
		xenbus_dev_fatal(xdev, -ENOMEM, "new connection");
		return;
	}
	pvc_reserve_look();
	ret = pvc_node_query(xdev, link);
	if (!ret)
		ret = pvc_front_ring(xdev, link);
	if (ret) {
		xenbus_dev_fatal(xdev, ret, "setting up the command ring");
		pvc_link_put(link);
		return;
	}
	front->link = link;
	ret = pvc_node_write(xdev, link);
	if (ret) {
		xenbus_dev_fatal(xdev, ret, "writing to xenstore");
		pvc_front_down(front);
		return;
	}
	xenbus_switch_state(xdev, XenbusStateInitialised);
}

/* Publishes the link, since the backend has mapped the command ring. */
static void pvc_front_connect(struct pvc_front *front)
{
	if (!front->link || front->up)
		return;
	if (pvc_cmd_start(front->link)) {
		xenbus_dev_fatal(front->xdev, -ENOMEM, "starting commands");
		pvc_front_down(front);
		return;
	}
	front->up = true;
	pvc_link_publish(front->link);
	front->ops->began(front->link);
	xenbus_switch_state(front->xdev, XenbusStateConnected);
	pr_info("connected to backend %u, extensions 0x%lx\n",
		front->link->otherend, front->link->features);
}

/*
 * Frees what the backend had mapped of a link: the backend has let go, or the
 * frontend waits no longer. unregister_xenbus_watch() waits for callbacks of
 * the watch, which take the device's lock: only xenbus's watch thread, which
 * runs those callbacks, may hold that lock here.
 */
static void pvc_front_let_go(struct pvc_front *front, struct pvc_link *link)
{
	if (!link)
		return;
	if (link->watch.node)
		unregister_xenbus_watch(&link->watch);
	xenbus_teardown_ring((void **)&link->ring.sring, 1U << link->ring_order,
			     link->sring_refs);
	front->ops->let_go(link);
	pvc_cache_free(link);
	pvc_link_put(link);
}

/* Takes the old link, and tells pvc_xenbus_exit() of that. */
static struct pvc_link *pvc_front_take_old(struct pvc_front *front)
{
	struct pvc_link *link = front->old;

	WRITE_ONCE(front->old, NULL);
	wake_up(&front->old_gone);
	return link;
}

/* Looks whether the backend of the old link has let go. */
static void pvc_front_old_changed(struct xenbus_watch *watch, const char *path,
				  const char *token)
{
	struct pvc_link *link = container_of(watch, struct pvc_link, watch);
	struct pvc_front *front = &pvc_front;

	mutex_lock(&front->lock);
	if (front->old != link)
		goto out;
	switch (pvcalls_read_state(watch->node)) {
	case XenbusStateConnected:
	case XenbusStateClosing:
		break;
	default:
		pvc_front_let_go(front, pvc_front_take_old(front));
	}
out:
	mutex_unlock(&front->lock);
}

/* Waits in the background until the backend of an ended link lets go. */
static void pvc_front_retire(struct pvc_front *front, struct pvc_link *link)
{
	link->watch.callback = pvc_front_old_changed;
	link->watch.node = kstrdup(front->xdev->otherend, GFP_KERNEL);
	WRITE_ONCE(front->old, link);
	if (link->watch.node && !register_xenbus_watch(&link->watch))
		return;
	kfree(link->watch.node);
	link->watch.node = NULL;
	pvc_front_let_go(front, pvc_front_take_old(front));
}

/* Ends the link, and has every program told at once. */
static void pvc_front_down(struct pvc_front *front)
{
	struct pvc_link *link = front->link;

	if (!link)
		return;
	pvc_link_publish(NULL);
	unbind_from_irqhandler(link->irq, link);
	pvc_cmd_stop(link);
	pvc_cache_stop(link);
	front->ops->ended(link);
	pvc_node_erase(front->xdev, link);
	if (front->up)
		pr_info("disconnected from backend %u\n",
			link->otherend);
	front->up = false;
	front->link = NULL;
	pvc_front_retire(front, link);
}

/*
 * Is a closed backend about to begin anew? Its state may be that of the last
 * link, until the backend sees that the frontend initialises. A backend that is
 * not online takes the device away instead.
 */
static bool pvc_front_begins(struct pvc_front *front)
{
	return !front->link && front->xdev->state == XenbusStateInitialising &&
	       xenbus_read_unsigned(front->xdev->otherend, "online", 0);
}

static void pvc_front_changed(struct xenbus_device *xdev,
			      enum xenbus_state state)
{
	struct pvc_front *front = &pvc_front;

	mutex_lock(&front->lock);
	if (front->xdev != xdev)
		goto out;
	switch (state) {
	case XenbusStateInitWait:
		/* the backend's driver may have been loaded anew */
		if (front->up)
			pvc_front_down(front);
		pvc_front_let_go(front, pvc_front_take_old(front));
		pvc_front_offer(front);
		break;
	case XenbusStateConnected:
		pvc_front_connect(front);
		break;
	case XenbusStateClosing:
	case XenbusStateClosed:
		if (pvc_front_begins(front))
			break;
		pvc_front_down(front);
		if (xdev->state != XenbusStateClosed)
			xenbus_frontend_closed(xdev);
		break;
	default:
		break;
	}
out:
	mutex_unlock(&front->lock);
}

static int pvc_front_probe(struct xenbus_device *xdev,
			   const struct xenbus_device_id *id)
{
	struct pvc_front *front = &pvc_front;
	int ret = 0;

	mutex_lock(&front->lock);
	if (front->xdev) {
		xenbus_dev_error(xdev, -EBUSY, "only one pvcalls device");
		ret = -EBUSY;
	} else {
		front->xdev = xdev;
		pvc_link_expect(true);
		/* a driver before this one may have left another state */
		xenbus_switch_state(xdev, XenbusStateInitialising);
	}
	mutex_unlock(&front->lock);
	return ret;
}

static void pvc_front_remove(struct xenbus_device *xdev)
{
	struct pvc_front *front = &pvc_front;

	mutex_lock(&front->lock);
	pvc_link_expect(false);
	pvc_front_down(front);
	front->xdev = NULL;
	mutex_unlock(&front->lock);
}

/*
 * Begins anew after save and restore or migration. The old backend is gone, and
 * so nothing is mapped any more.
 */
static int pvc_front_resume(struct xenbus_device *xdev)
{
	struct pvc_link *old;

	mutex_lock(&pvc_front.lock);
	pvc_front_down(&pvc_front);
	old = pvc_front_take_old(&pvc_front);
	mutex_unlock(&pvc_front.lock);
	pvc_front_let_go(&pvc_front, old);
	return xenbus_switch_state(xdev, XenbusStateInitialising);
}

static const struct xenbus_device_id pvc_front_ids[] = {
	{ "pvcalls" },
	{ "" }
};

static struct xenbus_driver pvc_front_driver = {
	.name = "pvcalls_mt_front",
	.ids = pvc_front_ids,
	.probe = pvc_front_probe,
	.remove = pvc_front_remove,
	.resume = pvc_front_resume,
	.otherend_changed = pvc_front_changed,
	.not_essential = true,
};

MODULE_ALIAS("xen:pvcalls");

/**
 * pvc_xenbus_init() - register the driver of the device
 * @ops: the user of links
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int pvc_xenbus_init(const struct pvc_link_ops *ops)
{
	pvc_front.ops = ops;
	/*
	 * The driver has no owner: otherwise xenbus would hold the module for
	 * the device's sake, and the module could not be replaced. Sockets hold
	 * the module; the driver core lets go of the device first.
	 */
	return __xenbus_register_frontend(&pvc_front_driver, NULL,
					  KBUILD_MODNAME);
}

/**
 * pvc_xenbus_exit() - unregister the driver of the device
 *
 * Description: The backend gets PVC_LET_GO_TIMEOUT to let go of all that it
 * mapped.
 *
 * Context: process, sleeps.
 */
void pvc_xenbus_exit(void)
{
	struct pvc_front *front = &pvc_front;
	struct pvc_link *old;

	xenbus_unregister_driver(&pvc_front_driver);
	wait_event_timeout(front->old_gone, !READ_ONCE(front->old),
			   PVC_LET_GO_TIMEOUT);
	mutex_lock(&front->lock);
	old = pvc_front_take_old(front);
	mutex_unlock(&front->lock);
	pvc_front_let_go(&pvc_front, old);
}
