// SPDX-License-Identifier: GPL-2.0
/*
 * The pvcalls device: finding the backend, agreeing on extensions, coming up,
 * going down and coming up again.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <asm/xen/hypercall.h>
#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen/xenbus.h>

#include "conn/conn.h"
#include "link/link.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(cmd_order, 2, 0, PVCALLS_MAX_CMD_ORDER, 0644);
MODULE_PARM_DESC(cmd_order,
		 "Order of the next connection's command ring: 2^n pages, 0 to 4 (default 2, 128 slots), or less where the backend takes no more");

/**
 * struct pvc_front - the device in xenstore
 * @lock: serialises coming up and going down
 * @xdev: the device
 * @link: the connection, from the moment that the backend may use its ring
 * @up: @link has been published
 * @old: the last connection, until its backend has let go of all that it mapped
 * @old_gone: woken when @old has gone
 */
struct pvc_front {
	struct mutex lock;
	struct xenbus_device *xdev;
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

/* How long a module that is unloaded waits for a backend to let go */
#define PVC_LET_GO_TIMEOUT	(5 * HZ)

/* The connection that new sockets use, under its own lock */
static struct pvc_link *pvc_current;
static bool pvc_current_dgram;
static DEFINE_SPINLOCK(pvc_current_lock);

/**
 * pvc_link_get() - the connection that new sockets use
 *
 * Context: process.
 * Return: with a reference, or NULL if there is no backend now.
 */
struct pvc_link *pvc_link_get(void)
{
	struct pvc_link *link;

	spin_lock(&pvc_current_lock);
	link = pvc_current;
	if (link)
		kref_get(&link->ref);
	spin_unlock(&pvc_current_lock);
	return link;
}

/**
 * pvc_link_present() - is there a backend now?
 *
 * Context: any. The answer may be outdated when it arrives.
 * Return: true if so.
 */
bool pvc_link_present(void)
{
	return READ_ONCE(pvc_current);
}

/**
 * pvc_link_datagrams() - is there a backend for datagrams now?
 *
 * Context: any. The answer may be outdated when it arrives.
 * Return: true if so.
 */
bool pvc_link_datagrams(void)
{
	return READ_ONCE(pvc_current_dgram);
}

static void pvc_link_publish(struct pvc_link *link)
{
	spin_lock(&pvc_current_lock);
	WRITE_ONCE(pvc_current_dgram, link && pvc_link_has(link, PVCALLS_F_DGRAM));
	WRITE_ONCE(pvc_current, link);
	spin_unlock(&pvc_current_lock);
}

static void pvc_link_free(struct kref *ref)
{
	struct pvc_link *link = container_of(ref, struct pvc_link, ref);

	xa_destroy(&link->cmds);
	kfree(link->watch.node);
	kfree(link);
}

/**
 * pvc_link_put() - drop a reference
 * @link: connection
 *
 * Context: any.
 */
void pvc_link_put(struct pvc_link *link)
{
	kref_put(&link->ref, pvc_link_free);
}

static void pvc_front_down(struct pvc_front *front);

static void pvc_link_broken(struct work_struct *work)
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

/**
 * pvc_link_break() - give up a backend that broke the protocol
 * @link: connection
 * @rule: what it did, for the log
 *
 * Context: any.
 */
void pvc_link_break(struct pvc_link *link, const char *rule)
{
	if (test_and_set_bit(0, &link->break_once))
		return;
	pr_err_ratelimited("backend %u broke the protocol: %s; connection closed\n",
			   link->otherend, rule);
	kref_get(&link->ref);
	pvc_queue_work(&link->broken);
}

static struct pvc_link *pvc_link_new(struct xenbus_device *xdev)
{
	struct pvc_link *link = kzalloc(sizeof(*link), GFP_KERNEL);

	if (!link)
		return NULL;
	kref_init(&link->ref);
	spin_lock_init(&link->lock);
	spin_lock_init(&link->conns_lock);
	INIT_LIST_HEAD(&link->backlog);
	INIT_LIST_HEAD(&link->held);
	pvc_evtchns_init(&link->evtchns);
	pvc_cache_init(link);
	INIT_LIST_HEAD(&link->conns);
	INIT_WORK(&link->broken, pvc_link_broken);
	xa_init_flags(&link->cmds, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ);
	link->otherend = xdev->otherend_id;
	return link;
}

static const char * const pvc_keys[PVCALLS_F_COUNT] = PVCALLS_FEATURE_KEYS;

/* Reads what the backend offers. */
static int pvc_front_query(struct xenbus_device *xdev, struct pvc_link *link)
{
	char *versions, *p, *v;
	bool found = false;
	unsigned int calls;
	int f;

	versions = xenbus_read(XBT_NIL, xdev->otherend, "versions", NULL);
	if (IS_ERR(versions))
		return PTR_ERR(versions);
	for (p = versions; (v = strsep(&p, ",")); )
		found |= !strcmp(v, "1");
	kfree(versions);
	calls = xenbus_read_unsigned(xdev->otherend, "function-calls", 0);
	link->max_order = xenbus_read_unsigned(xdev->otherend, "max-page-order",
					       0);
	if (!found || calls != 1 || !link->max_order) {
		xenbus_dev_error(xdev, -EPROTO, "backend offers no version 1");
		return -EPROTO;
	}
	link->max_order = min_t(unsigned int, link->max_order,
				PVCALLS_MAX_PAGE_ORDER);
	link->ring_order = min(READ_ONCE(param_cmd_order),
			       xenbus_read_unsigned(xdev->otherend,
						    "max-ring-page-order", 0));
	for (f = 0; f < PVCALLS_F_COUNT; f++)
		if (xenbus_read_unsigned(xdev->otherend, pvc_keys[f], 0) ==
		    1)
			__set_bit(f, &link->features);
	/* who waits for room for a datagram has to say how much that is */
	if (!pvc_link_has(link, PVCALLS_F_WAKEUP))
		__clear_bit(PVCALLS_F_DGRAM, &link->features);
	return 0;
}

/* As block devices do: the names of version 1 if one page is all. */
static int pvc_front_write_ring(struct xenbus_device *xdev,
				struct xenbus_transaction xbt,
				const struct pvc_link *link)
{
	unsigned int i;
	char key[24];
	int ret;

	if (!link->ring_order)
		return xenbus_printf(xbt, xdev->nodename, "ring-ref", "%u",
				     link->sring_refs[0]);
	ret = xenbus_printf(xbt, xdev->nodename, "ring-page-order", "%u",
			    link->ring_order);
	for (i = 0; !ret && i < 1U << link->ring_order; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		ret = xenbus_printf(xbt, xdev->nodename, key, "%u",
				    link->sring_refs[i]);
	}
	return ret;
}

static int pvc_front_write(struct xenbus_device *xdev, struct pvc_link *link)
{
	struct xenbus_transaction xbt;
	int f, ret;

	do {
		ret = xenbus_transaction_start(&xbt);
		if (ret)
			return ret;
		ret = xenbus_printf(xbt, xdev->nodename, "version", "1");
		if (!ret)
			ret = pvc_front_write_ring(xdev, xbt, link);
		if (!ret)
			ret = xenbus_printf(xbt, xdev->nodename, "port", "%u",
					    link->port);
		for (f = 0; !ret && f < PVCALLS_F_COUNT; f++)
			ret = xenbus_printf(xbt, xdev->nodename,
					    pvc_keys[f], "%u",
					    pvc_link_has(link, f));
		if (ret) {
			xenbus_transaction_end(xbt, 1);
			return ret;
		}
		ret = xenbus_transaction_end(xbt, 0);
	} while (ret == -EAGAIN);
	return ret;
}

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

/* The backend waits for us. */
static void pvc_front_offer(struct pvc_front *front)
{
	struct xenbus_device *xdev = front->xdev;
	struct pvc_link *link;
	int ret;

	if (front->link)
		return;
	link = pvc_link_new(xdev);
	if (!link) {
		xenbus_dev_fatal(xdev, -ENOMEM, "new connection");
		return;
	}
	ret = pvc_front_query(xdev, link);
	if (!ret)
		ret = pvc_front_ring(xdev, link);
	if (ret) {
		xenbus_dev_fatal(xdev, ret, "setting up the command ring");
		pvc_link_put(link);
		return;
	}
	front->link = link;
	ret = pvc_front_write(xdev, link);
	if (ret) {
		xenbus_dev_fatal(xdev, ret, "writing to xenstore");
		pvc_front_down(front);
		return;
	}
	xenbus_switch_state(xdev, XenbusStateInitialised);
}

/* The backend has mapped the command ring. */
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
	xenbus_switch_state(front->xdev, XenbusStateConnected);
	pr_info("connected to backend %u, extensions 0x%lx\n",
		front->link->otherend, front->link->features);
}

/*
 * The backend maps nothing of a connection any more, or is not waited for any
 * longer. Call with the device's lock held only in xenbus's watch thread.
 */
static void pvc_front_let_go(struct pvc_link *link)
{
	if (!link)
		return;
	if (link->watch.node)
		unregister_xenbus_watch(&link->watch);
	xenbus_teardown_ring((void **)&link->ring.sring, 1U << link->ring_order,
			     link->sring_refs);
	pvc_conn_free_all(link);
	pvc_cache_free(link);
	pvc_link_put(link);
}

static struct pvc_link *pvc_front_take_old(struct pvc_front *front)
{
	struct pvc_link *link = front->old;

	WRITE_ONCE(front->old, NULL);
	wake_up(&front->old_gone);
	return link;
}

/* Something has changed in the directory of a backend that is to let go. */
static void pvc_front_old_changed(struct xenbus_watch *watch, const char *path,
				  const char *token)
{
	struct pvc_link *link = container_of(watch, struct pvc_link, watch);
	struct pvc_front *front = &pvc_front;

	mutex_lock(&front->lock);
	if (front->old != link)
		goto out;
	switch (xenbus_read_driver_state(watch->node)) {
	case XenbusStateConnected:
	case XenbusStateClosing:
		break;
	default:
		pvc_front_let_go(pvc_front_take_old(front));
	}
out:
	mutex_unlock(&front->lock);
}

/* Keeps what the backend may have mapped until it lets go. */
static void pvc_front_keep(struct pvc_front *front, struct pvc_link *link)
{
	link->watch.callback = pvc_front_old_changed;
	link->watch.node = kstrdup(front->xdev->otherend, GFP_KERNEL);
	WRITE_ONCE(front->old, link);
	if (link->watch.node && !register_xenbus_watch(&link->watch))
		return;
	kfree(link->watch.node);
	link->watch.node = NULL;
	pvc_front_let_go(pvc_front_take_old(front));
}

/* A frontend that has not heard of extensions may be the next one here. */
static void pvc_front_erase(struct xenbus_device *xdev,
			    const struct pvc_link *link)
{
	int f;

	if (link->ring_order)
		xenbus_rm(XBT_NIL, xdev->nodename, "ring-page-order");
	for_each_set_bit(f, &link->features, PVCALLS_F_COUNT)
		xenbus_rm(XBT_NIL, xdev->nodename, pvc_keys[f]);
}

/* Ends the connection: every program learns of it at once. */
static void pvc_front_down(struct pvc_front *front)
{
	struct pvc_link *link = front->link;

	if (!link)
		return;
	pvc_link_publish(NULL);
	unbind_from_irqhandler(link->irq, link);
	pvc_cmd_stop(link);
	pvc_cache_stop(link);
	pvc_conn_reset_all(link);
	pvc_front_erase(front->xdev, link);
	if (front->up)
		pr_info("disconnected from backend %u\n",
			link->otherend);
	front->up = false;
	front->link = NULL;
	pvc_front_keep(front, link);
}

/*
 * A backend that is still closed from the last time is no reason to close: it
 * has yet to see that we begin anew. Unless the device is being taken away.
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
		/* again, if the backend's driver was loaded anew */
		if (front->up)
			pvc_front_down(front);
		pvc_front_let_go(pvc_front_take_old(front));
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
		/* after a driver that has been here before */
		xenbus_switch_state(xdev, XenbusStateInitialising);
	}
	mutex_unlock(&front->lock);
	return ret;
}

static void pvc_front_remove(struct xenbus_device *xdev)
{
	struct pvc_front *front = &pvc_front;

	mutex_lock(&front->lock);
	pvc_front_down(front);
	front->xdev = NULL;
	mutex_unlock(&front->lock);
}

/* After save and restore or migration: nothing of the old backend is left. */
static int pvc_front_resume(struct xenbus_device *xdev)
{
	struct pvc_link *old;

	mutex_lock(&pvc_front.lock);
	pvc_front_down(&pvc_front);
	old = pvc_front_take_old(&pvc_front);
	mutex_unlock(&pvc_front.lock);
	pvc_front_let_go(old);
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
 * pvc_xenbus_init() - look for the device
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int pvc_xenbus_init(void)
{
	/*
	 * Without an owner, or xenbus would hold the module for the device, and
	 * it could not be replaced. Sockets hold it; the driver core lets go of
	 * the device first.
	 */
	return __xenbus_register_frontend(&pvc_front_driver, NULL,
					  KBUILD_MODNAME);
}

/**
 * pvc_xenbus_exit() - let go of the device
 *
 * Description: Waits a few seconds for the backend to let go of what it has
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
	pvc_front_let_go(old);
}
