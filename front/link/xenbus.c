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

#include "conn.h"
#include "dev.h"

static unsigned int cmd_order = 2;

static int cmd_order_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, PVCALLS_MAX_CMD_ORDER);
}

static const struct kernel_param_ops cmd_order_ops = {
	.set = cmd_order_set,
	.get = param_get_uint,
};

module_param_cb(cmd_order, &cmd_order_ops, &cmd_order, 0644);
MODULE_PARM_DESC(cmd_order,
		 "Order of the next connection's command ring: 2^n pages, 0 to 4 (default 2, 128 slots), or less where the backend takes no more");

/**
 * struct pvc_front - the device in xenstore
 * @lock: serialises coming up and going down
 * @xdev: the device
 * @dev: the connection, from the moment that the backend may use its ring
 * @up: @dev has been published
 * @old: the last connection, until its backend has let go of all that it mapped
 * @old_gone: woken when @old has gone
 */
struct pvc_front {
	struct mutex lock;
	struct xenbus_device *xdev;
	struct pvc_dev *dev;
	bool up;
	struct pvc_dev *old;
	wait_queue_head_t old_gone;
};

/* A domain has one pvcalls device at most (specification, 1.3.2.1). */
static struct pvc_front pvcalls_front = {
	.lock = __MUTEX_INITIALIZER(pvcalls_front.lock),
	.old_gone = __WAIT_QUEUE_HEAD_INITIALIZER(pvcalls_front.old_gone),
};

/* How long a module that is unloaded waits for a backend to let go */
#define PVC_LET_GO_TIMEOUT	(5 * HZ)

/* The connection that new sockets use, under its own lock */
static struct pvc_dev *pvcalls_dev;
static bool pvcalls_datagrams;
static DEFINE_SPINLOCK(pvcalls_dev_lock);

/**
 * pvc_dev_get() - the connection that new sockets use
 *
 * Context: process.
 * Return: with a reference, or NULL if there is no backend now.
 */
struct pvc_dev *pvc_dev_get(void)
{
	struct pvc_dev *dev;

	spin_lock(&pvcalls_dev_lock);
	dev = pvcalls_dev;
	if (dev)
		kref_get(&dev->ref);
	spin_unlock(&pvcalls_dev_lock);
	return dev;
}

/**
 * pvc_dev_present() - is there a backend now?
 *
 * Context: any. The answer may be outdated when it arrives.
 * Return: true if so.
 */
bool pvc_dev_present(void)
{
	return READ_ONCE(pvcalls_dev);
}

/**
 * pvc_dev_datagrams() - is there a backend for datagrams now?
 *
 * Context: any. The answer may be outdated when it arrives.
 * Return: true if so.
 */
bool pvc_dev_datagrams(void)
{
	return READ_ONCE(pvcalls_datagrams);
}

static void pvc_dev_publish(struct pvc_dev *dev)
{
	spin_lock(&pvcalls_dev_lock);
	WRITE_ONCE(pvcalls_datagrams, dev && pvc_dev_has(dev, PVCALLS_F_DGRAM));
	WRITE_ONCE(pvcalls_dev, dev);
	spin_unlock(&pvcalls_dev_lock);
}

static void pvc_dev_free(struct kref *ref)
{
	struct pvc_dev *dev = container_of(ref, struct pvc_dev, ref);

	xa_destroy(&dev->cmds);
	kfree(dev->watch.node);
	kfree(dev);
}

/**
 * pvc_dev_put() - drop a reference
 * @dev: connection
 *
 * Context: any.
 */
void pvc_dev_put(struct pvc_dev *dev)
{
	kref_put(&dev->ref, pvc_dev_free);
}

static void pvc_front_down(struct pvc_front *front);

static void pvc_dev_broken(struct work_struct *work)
{
	struct pvc_dev *dev = container_of(work, struct pvc_dev, broken);

	mutex_lock(&pvcalls_front.lock);
	if (pvcalls_front.dev == dev) {
		pvc_front_down(&pvcalls_front);
		xenbus_switch_state(pvcalls_front.xdev, XenbusStateClosing);
	}
	mutex_unlock(&pvcalls_front.lock);
	pvc_dev_put(dev);
}

/**
 * pvc_dev_break() - give up a backend that broke the protocol
 * @dev: connection
 * @rule: what it did, for the log
 *
 * Context: any.
 */
void pvc_dev_break(struct pvc_dev *dev, const char *rule)
{
	if (test_and_set_bit(0, &dev->break_once))
		return;
	pr_err_ratelimited("pvcalls: backend %u broke the protocol: %s; connection closed\n",
			   dev->otherend, rule);
	kref_get(&dev->ref);
	pvc_queue_work(&dev->broken);
}

static struct pvc_dev *pvc_dev_new(struct xenbus_device *xdev)
{
	struct pvc_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	kref_init(&dev->ref);
	spin_lock_init(&dev->lock);
	spin_lock_init(&dev->conns_lock);
	INIT_LIST_HEAD(&dev->backlog);
	INIT_LIST_HEAD(&dev->held);
	pvc_chans_init(&dev->chans);
	pvc_pool_init(dev);
	INIT_LIST_HEAD(&dev->conns);
	INIT_WORK(&dev->broken, pvc_dev_broken);
	xa_init_flags(&dev->cmds, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ);
	dev->otherend = xdev->otherend_id;
	return dev;
}

static const char * const pvcalls_keys[PVCALLS_F_COUNT] = PVCALLS_FEATURE_KEYS;

/* Reads what the backend offers. */
static int pvc_front_query(struct xenbus_device *xdev, struct pvc_dev *dev)
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
	dev->max_order = xenbus_read_unsigned(xdev->otherend, "max-page-order",
					      0);
	if (!found || calls != 1 || !dev->max_order) {
		xenbus_dev_error(xdev, -EPROTO, "backend offers no version 1");
		return -EPROTO;
	}
	dev->max_order = min_t(unsigned int, dev->max_order,
			       PVCALLS_MAX_PAGE_ORDER);
	dev->ring_order = min(READ_ONCE(cmd_order),
			      xenbus_read_unsigned(xdev->otherend,
						   "max-ring-page-order", 0));
	for (f = 0; f < PVCALLS_F_COUNT; f++)
		if (xenbus_read_unsigned(xdev->otherend, pvcalls_keys[f], 0) ==
		    1)
			__set_bit(f, &dev->features);
	/* who waits for room for a datagram has to say how much that is */
	if (!pvc_dev_has(dev, PVCALLS_F_WAKEUP))
		__clear_bit(PVCALLS_F_DGRAM, &dev->features);
	return 0;
}

/* As block devices do: the names of version 1 if one page is all. */
static int pvc_front_write_ring(struct xenbus_device *xdev,
				struct xenbus_transaction xbt,
				const struct pvc_dev *dev)
{
	unsigned int i;
	char key[24];
	int ret;

	if (!dev->ring_order)
		return xenbus_printf(xbt, xdev->nodename, "ring-ref", "%u",
				     dev->sring_refs[0]);
	ret = xenbus_printf(xbt, xdev->nodename, "ring-page-order", "%u",
			    dev->ring_order);
	for (i = 0; !ret && i < 1U << dev->ring_order; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		ret = xenbus_printf(xbt, xdev->nodename, key, "%u",
				    dev->sring_refs[i]);
	}
	return ret;
}

static int pvc_front_write(struct xenbus_device *xdev, struct pvc_dev *dev)
{
	struct xenbus_transaction xbt;
	int f, ret;

	do {
		ret = xenbus_transaction_start(&xbt);
		if (ret)
			return ret;
		ret = xenbus_printf(xbt, xdev->nodename, "version", "1");
		if (!ret)
			ret = pvc_front_write_ring(xdev, xbt, dev);
		if (!ret)
			ret = xenbus_printf(xbt, xdev->nodename, "port", "%u",
					    dev->evtchn);
		for (f = 0; !ret && f < PVCALLS_F_COUNT; f++)
			ret = xenbus_printf(xbt, xdev->nodename,
					    pvcalls_keys[f], "%u",
					    pvc_dev_has(dev, f));
		if (ret) {
			xenbus_transaction_end(xbt, 1);
			return ret;
		}
		ret = xenbus_transaction_end(xbt, 0);
	} while (ret == -EAGAIN);
	return ret;
}

static int pvc_front_ring(struct xenbus_device *xdev, struct pvc_dev *dev)
{
	unsigned int pages = 1U << dev->ring_order;
	struct xen_pvcalls_sring *sring;
	int ret;

	ret = xenbus_setup_ring(xdev, GFP_KERNEL, (void **)&sring, pages,
				dev->sring_refs);
	if (ret)
		return ret;
	SHARED_RING_INIT(sring);
	FRONT_RING_INIT(&dev->ring, sring, pages * XEN_PAGE_SIZE);

	ret = xenbus_alloc_evtchn(xdev, &dev->evtchn);
	if (ret)
		goto err_ring;
	ret = bind_evtchn_to_irqhandler_lateeoi(dev->evtchn, pvc_cmd_irq, 0,
						"pvcalls-front", dev);
	if (ret < 0) {
		xenbus_free_evtchn(xdev, dev->evtchn);
		goto err_ring;
	}
	dev->irq = ret;
	return 0;

err_ring:
	xenbus_teardown_ring((void **)&sring, pages, dev->sring_refs);
	return ret;
}

/* The backend waits for us. */
static void pvc_front_offer(struct pvc_front *front)
{
	struct xenbus_device *xdev = front->xdev;
	struct pvc_dev *dev;
	int ret;

	if (front->dev)
		return;
	dev = pvc_dev_new(xdev);
	if (!dev) {
		xenbus_dev_fatal(xdev, -ENOMEM, "new connection");
		return;
	}
	ret = pvc_front_query(xdev, dev);
	if (!ret)
		ret = pvc_front_ring(xdev, dev);
	if (ret) {
		xenbus_dev_fatal(xdev, ret, "setting up the command ring");
		pvc_dev_put(dev);
		return;
	}
	front->dev = dev;
	ret = pvc_front_write(xdev, dev);
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
	if (!front->dev || front->up)
		return;
	if (pvc_cmd_start(front->dev)) {
		xenbus_dev_fatal(front->xdev, -ENOMEM, "starting commands");
		pvc_front_down(front);
		return;
	}
	front->up = true;
	pvc_dev_publish(front->dev);
	xenbus_switch_state(front->xdev, XenbusStateConnected);
	pr_info("pvcalls: connected to backend %u, extensions 0x%lx\n",
		front->dev->otherend, front->dev->features);
}

/*
 * The backend maps nothing of a connection any more, or is not waited for any
 * longer. Call with the device's lock held only in xenbus's watch thread.
 */
static void pvc_front_let_go(struct pvc_dev *dev)
{
	if (!dev)
		return;
	if (dev->watch.node)
		unregister_xenbus_watch(&dev->watch);
	xenbus_teardown_ring((void **)&dev->ring.sring, 1U << dev->ring_order,
			     dev->sring_refs);
	pvc_conn_free_all(dev);
	pvc_pool_free(dev);
	pvc_dev_put(dev);
}

static struct pvc_dev *pvc_front_take_old(struct pvc_front *front)
{
	struct pvc_dev *dev = front->old;

	WRITE_ONCE(front->old, NULL);
	wake_up(&front->old_gone);
	return dev;
}

/* Something has changed in the directory of a backend that is to let go. */
static void pvc_front_old_changed(struct xenbus_watch *watch, const char *path,
				  const char *token)
{
	struct pvc_dev *dev = container_of(watch, struct pvc_dev, watch);
	struct pvc_front *front = &pvcalls_front;

	mutex_lock(&front->lock);
	if (front->old != dev)
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
static void pvc_front_keep(struct pvc_front *front, struct pvc_dev *dev)
{
	dev->watch.callback = pvc_front_old_changed;
	dev->watch.node = kstrdup(front->xdev->otherend, GFP_KERNEL);
	WRITE_ONCE(front->old, dev);
	if (dev->watch.node && !register_xenbus_watch(&dev->watch))
		return;
	kfree(dev->watch.node);
	dev->watch.node = NULL;
	pvc_front_let_go(pvc_front_take_old(front));
}

/* A frontend that has not heard of extensions may be the next one here. */
static void pvc_front_erase(struct xenbus_device *xdev,
			    const struct pvc_dev *dev)
{
	int f;

	if (dev->ring_order)
		xenbus_rm(XBT_NIL, xdev->nodename, "ring-page-order");
	for_each_set_bit(f, &dev->features, PVCALLS_F_COUNT)
		xenbus_rm(XBT_NIL, xdev->nodename, pvcalls_keys[f]);
}

/* Ends the connection: every program learns of it at once. */
static void pvc_front_down(struct pvc_front *front)
{
	struct pvc_dev *dev = front->dev;

	if (!dev)
		return;
	pvc_dev_publish(NULL);
	unbind_from_irqhandler(dev->irq, dev);
	pvc_cmd_stop(dev);
	pvc_pool_stop(dev);
	pvc_conn_reset_all(dev);
	pvc_front_erase(front->xdev, dev);
	if (front->up)
		pr_info("pvcalls: disconnected from backend %u\n",
			dev->otherend);
	front->up = false;
	front->dev = NULL;
	pvc_front_keep(front, dev);
}

/*
 * A backend that is still closed from the last time is no reason to close: it
 * has yet to see that we begin anew. Unless the device is being taken away.
 */
static bool pvc_front_begins(struct pvc_front *front)
{
	return !front->dev && front->xdev->state == XenbusStateInitialising &&
	       xenbus_read_unsigned(front->xdev->otherend, "online", 0);
}

static void pvc_front_changed(struct xenbus_device *xdev,
			      enum xenbus_state state)
{
	struct pvc_front *front = &pvcalls_front;

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
	struct pvc_front *front = &pvcalls_front;
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
	struct pvc_front *front = &pvcalls_front;

	mutex_lock(&front->lock);
	pvc_front_down(front);
	front->xdev = NULL;
	mutex_unlock(&front->lock);
}

/* After save and restore or migration: nothing of the old backend is left. */
static int pvc_front_resume(struct xenbus_device *xdev)
{
	struct pvc_dev *old;

	mutex_lock(&pvcalls_front.lock);
	pvc_front_down(&pvcalls_front);
	old = pvc_front_take_old(&pvcalls_front);
	mutex_unlock(&pvcalls_front.lock);
	pvc_front_let_go(old);
	return xenbus_switch_state(xdev, XenbusStateInitialising);
}

static const struct xenbus_device_id pvcalls_front_ids[] = {
	{ "pvcalls" },
	{ "" }
};

static struct xenbus_driver pvcalls_front_driver = {
	.name = "pvcalls_mt_front",
	.ids = pvcalls_front_ids,
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
	return __xenbus_register_frontend(&pvcalls_front_driver, NULL,
					  KBUILD_MODNAME);
}

/**
 * pvc_xenbus_exit() - let go of the device
 *
 * Waits a few seconds for the backend to let go of what it has mapped.
 *
 * Context: process, sleeps.
 */
void pvc_xenbus_exit(void)
{
	struct pvc_front *front = &pvcalls_front;
	struct pvc_dev *old;

	xenbus_unregister_driver(&pvcalls_front_driver);
	wait_event_timeout(front->old_gone, !READ_ONCE(front->old),
			   PVC_LET_GO_TIMEOUT);
	mutex_lock(&front->lock);
	old = pvc_front_take_old(front);
	mutex_unlock(&front->lock);
	pvc_front_let_go(old);
}
