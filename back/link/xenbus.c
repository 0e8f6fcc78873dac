// SPDX-License-Identifier: GPL-2.0
/*
 * Devices and their states; xenbus.h says what else is here.
 *
 * xenbus's watch thread serves the devices of all guests, of whatever kind, one
 * after the other. So it only notes a frontend's state here. A work of the
 * device's own follows that state, and waits for the guest's end if need be. The
 * work has the device to itself. It may outlive the device, with a reference,
 * where the toolstack has removed the device's directory.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <xen/xenbus.h>

#include "guest/guest.h"
#include "guest/policy.h"
#include "placement.h"
#include "link/link.h"
#include "link/node.h"
#include "link/xenbus.h"

/**
 * struct pvcalls_dev - a device, from probe until its guest has ended
 * @xdev: the device, as xenbus knows it, with a reference
 * @ref: held from probe to remove, and by @work while it is queued
 * @work: follows the frontend
 * @frontend: the frontend's state, as last reported
 * @stale: the frontend has only been seen to end a connection that is older
 *	than this driver. To follow such a frontend would take InitWait back at
 *	once
 * @lock: guards @removed and changes of the device's state
 * @removed: the device is xenbus's no more, and has no state
 * @guest: the guest while connected, else NULL; the work's own
 * @warnings: limits the messages about the guest
 * @failures: attempts to connect that have failed since @since
 * @since: in jiffies
 * @policy: who may do what
 * @watch: tells of what the toolstack writes as the policy
 * @leave: has xenbus's watch thread remove the device; its node is NULL before
 */
struct pvcalls_dev {
	struct xenbus_device *xdev;
	struct kref ref;
	struct work_struct work;
	enum xenbus_state frontend;
	bool stale;
	struct mutex lock;
	bool removed;
	struct pvcalls_guest *guest;
	struct ratelimit_state warnings;
	unsigned int failures;
	unsigned long since;
	struct pvcalls_policy policy;
	struct xenbus_watch watch;
	struct xenbus_watch leave;
};

/*
 * Attempts to connect that may fail in how many jiffies. Until these have passed
 * no further one is made.
 */
#define PVCALLS_DEV_FAILURES	10
#define PVCALLS_DEV_REST	(5 * HZ)

/* The devices' works */
static struct workqueue_struct *pvcalls_dev_wq;

/*
 * Close the device because of what the guest has said. The log and xenstore
 * have a rate limit, because the guest may repeat that at will.
 */
#define pvcalls_dev_refuse(pdev, err, fmt, ...) do { \
	struct pvcalls_dev *__pdev = (pdev); \
	\
	if (__ratelimit(&__pdev->warnings)) \
		xenbus_dev_fatal(__pdev->xdev, err, fmt, ##__VA_ARGS__); \
	else \
		xenbus_switch_state(__pdev->xdev, XenbusStateClosing); \
} while (0)

/*
 * Take the policy that this domain's toolstack may have written into the
 * device's directory; none means the default. One that can't be read leaves the
 * rules as they are, and nobody is served by them from then on.
 */
static void pvcalls_dev_policy(struct pvcalls_dev *pdev)
{
	struct xenbus_device *xdev = pdev->xdev;
	unsigned int len;
	char *text;
	u32 at = 0;
	int err;

	text = xenbus_read(XBT_NIL, xdev->nodename, "policy", &len);
	err = PTR_ERR_OR_ZERO(text);
	/* a directory that goes takes the node away before it ends the device */
	if (err == -ENOENT &&
	    !xenbus_exists(XBT_NIL, xdev->nodename, "frontend-id"))
		return;
	if (err == -ENOENT)
		err = pvcalls_policy_set(&pdev->policy, "", 0, &at);
	else if (!err)
		err = pvcalls_policy_set(&pdev->policy, text, len, &at);
	if (!IS_ERR(text))
		kfree(text);
	if (err) {
		pvcalls_policy_refuse(&pdev->policy);
		pr_err_ratelimited("dom%d: reading %s/policy at %u: %d\n",
				   xdev->otherend_id, xdev->nodename, at, err);
	}
}

static void pvcalls_dev_watched(struct xenbus_watch *watch, const char *path,
				const char *token)
{
	pvcalls_dev_policy(container_of(watch, struct pvcalls_dev, watch));
}

static void pvcalls_dev_free(struct kref *ref)
{
	struct pvcalls_dev *pdev = container_of(ref, struct pvcalls_dev, ref);

	pvcalls_policy_exit(&pdev->policy);
	put_device(&pdev->xdev->dev);
	kfree(pdev);
}

static void pvcalls_dev_put(struct pvcalls_dev *pdev)
{
	kref_put(&pdev->ref, pvcalls_dev_free);
}

/* Have the work look at the device. */
static void pvcalls_dev_kick(struct pvcalls_dev *pdev)
{
	kref_get(&pdev->ref);
	if (!queue_work(pvcalls_dev_wq, &pdev->work))
		pvcalls_dev_put(pdev);
}

/*
 * On a worker, which knows the guest for longer than xenbus knows the device. A
 * device that is removed has its last look ahead, or behind.
 */
static void pvcalls_dev_broken(void *arg)
{
	struct pvcalls_dev *pdev = arg;

	/* the workqueue takes no more of this when it is destroyed */
	rcu_read_lock();
	if (!READ_ONCE(pdev->removed))
		pvcalls_dev_kick(pdev);
	rcu_read_unlock();
}

/*
 * Connect to the guest, unless too many attempts have failed. For each of these
 * xenbus has a line in the log, without a limit, and the guest may repeat them at
 * will.
 */
static struct pvcalls_guest *pvcalls_dev_try(struct pvcalls_dev *pdev,
					     struct pvcalls_link_params *params)
{
	struct pvcalls_guest *g;

	if (!time_before(jiffies, pdev->since + PVCALLS_DEV_REST)) {
		pdev->since = jiffies;
		pdev->failures = 0;
	}
	if (pdev->failures >= PVCALLS_DEV_FAILURES)
		return ERR_PTR(-EAGAIN);
	g = pvcalls_link_connect(pdev->xdev, params);
	if (IS_ERR(g))
		pdev->failures++;
	return g;
}

/* Returns 0, or an error number that has been reported in xenstore. */
static int pvcalls_dev_connect(struct pvcalls_dev *pdev)
{
	struct xenbus_device *xdev = pdev->xdev;
	struct pvcalls_link_params params = {
		.warnings = &pdev->warnings,
		.policy = &pdev->policy,
		.broken = pvcalls_dev_broken,
		.broken_arg = pdev,
	};
	struct pvcalls_guest *g;
	unsigned int version;
	int err;

	err = xenbus_gather(XBT_NIL, xdev->otherend,
			    "version", "%u", &version,
			    "port", "%u", &params.port, NULL);
	if (!err)
		err = pvcalls_node_ring(xdev, &params);
	if (err) {
		pvcalls_dev_refuse(pdev, err, "reading %s", xdev->otherend);
		return err;
	}
	if (version != 1) {
		pvcalls_dev_refuse(pdev, -EINVAL, "unknown version %u",
				   version);
		return -EINVAL;
	}
	if (pvcalls_policy_refused(&pdev->policy)) {
		pvcalls_dev_refuse(pdev, -EINVAL, "reading %s/policy",
				   xdev->nodename);
		return -EINVAL;
	}
	params.features = pvcalls_node_features(xdev);
	/*
	 * the toolstack knows the guest's node, but this domain's kernel does
	 * not
	 */
	if (xenbus_scanf(XBT_NIL, xdev->nodename, "node", "%d",
			 &params.node) != 1 || params.node < 0)
		params.node = PLACEMENT_ANY_NODE;
	err = pvcalls_node_mark(xdev, &params.mark);
	if (err) {
		pvcalls_dev_refuse(pdev, err, "reading %s/mark",
				   xdev->nodename);
		return err;
	}

	g = pvcalls_dev_try(pdev, &params);
	if (IS_ERR(g)) {
		err = PTR_ERR(g);
		pvcalls_dev_refuse(pdev, err, "command ring %u, port %u",
				   params.ring_refs[0], params.port);
		return err;
	}
	pdev->guest = g;
	pr_info_ratelimited("dom%d: connected, extensions %#lx, %u slots\n",
			    xdev->otherend_id, params.features,
			    RING_SIZE(&g->ring));
	return 0;
}

/* May there be a connection while the frontend is in this state? */
static bool pvcalls_dev_connects(enum xenbus_state frontend)
{
	return frontend == XenbusStateInitWait ||
	       frontend == XenbusStateInitialised ||
	       frontend == XenbusStateConnected;
}

static void pvcalls_dev_disconnect(struct pvcalls_dev *pdev)
{
	if (!pdev->guest)
		return;
	pvcalls_link_end(pdev->guest);
	pdev->guest = NULL;
	pr_info_ratelimited("dom%d: disconnected\n",
			    pdev->xdev->otherend_id);
}

/*
 * Held to remove a device by xenbus's watch thread, and all of them with the
 * module. The module's removal holds a device while it waits for the watch
 * thread, which must not wait for the device then.
 */
static DECLARE_RWSEM(pvcalls_dev_leaving);

static void pvcalls_dev_left(struct xenbus_watch *watch, const char *path,
			     const char *token)
{
	struct pvcalls_dev *pdev = container_of(watch, struct pvcalls_dev,
						leave);

	/* otherwise the module's removal closes the device */
	if (!down_read_trylock(&pvcalls_dev_leaving))
		return;
	xenbus_switch_state(pdev->xdev, XenbusStateClosed);
	device_unregister(&pdev->xdev->dev);
	up_read(&pvcalls_dev_leaving);
}

/*
 * Have the device closed and removed. Only xenbus's watch thread may do that,
 * since it removes devices whose directories are gone; and it sees no directory
 * that the toolstack makes anew, once the device is closed, before the device
 * has gone. A new watch fires at once. Should there be no memory for the watch,
 * the device goes with its directory.
 */
static void pvcalls_dev_leave(struct pvcalls_dev *pdev)
{
	pdev->leave.node = pdev->xdev->nodename;
	pdev->leave.callback = pvcalls_dev_left;
	if (register_xenbus_watch(&pdev->leave)) {
		pdev->leave.node = NULL;
		xenbus_switch_state(pdev->xdev, XenbusStateClosed);
	}
}

/*
 * Follow the frontend's state, which may be the same as before. Returns whether
 * the device is to be closed and to go away.
 */
static bool pvcalls_dev_follow(struct pvcalls_dev *pdev,
			       enum xenbus_state frontend, bool stale)
{
	struct xenbus_device *xdev = pdev->xdev;

	switch (frontend) {
	case XenbusStateInitialising:
		/* the frontend begins anew, whatever its state was before */
		xenbus_switch_state(xdev, XenbusStateInitWait);
		break;
	case XenbusStateInitialised:
		if (xdev->state == XenbusStateInitWait &&
		    !pvcalls_dev_connect(pdev))
			xenbus_switch_state(xdev, XenbusStateConnected);
		break;
	case XenbusStateInitWait:
	case XenbusStateConnected:
		break;
	case XenbusStateClosing:
		if (stale)
			break;
		if (xdev->state != XenbusStateClosed)
			xenbus_switch_state(xdev, XenbusStateClosing);
		break;
	case XenbusStateClosed:
		if (!xenbus_dev_is_online(xdev))
			return true;
		if (!stale)
			xenbus_switch_state(xdev, XenbusStateClosed);
		break;
	case XenbusStateUnknown:
		/* the frontend's directory is gone, and so is the guest */
		return true;
	default:
		pvcalls_dev_refuse(pdev, -EINVAL, "frontend in state %d",
				   frontend);
		break;
	}
	return false;
}

static void pvcalls_dev_work(struct work_struct *work)
{
	struct pvcalls_dev *pdev = container_of(work, struct pvcalls_dev, work);
	enum xenbus_state frontend;
	bool stale, broken;

	/* pairs with pvcalls_xenbus_changed(): an old state is still stale */
	stale = smp_load_acquire(&pdev->stale);
	frontend = READ_ONCE(pdev->frontend);
	broken = pdev->guest &&
		 test_bit(PVCALLS_GUEST_BROKEN, &pdev->guest->flags);

	/* without the lock, for which xenbus's watch thread may wait */
	if (broken || READ_ONCE(pdev->removed) ||
	    !pvcalls_dev_connects(frontend))
		pvcalls_dev_disconnect(pdev);
	mutex_lock(&pdev->lock);
	if (!pdev->removed && !pdev->leave.node) {
		if (broken)
			xenbus_switch_state(pdev->xdev, XenbusStateClosing);
		if (pvcalls_dev_follow(pdev, frontend, stale))
			pvcalls_dev_leave(pdev);
	}
	mutex_unlock(&pdev->lock);
	pvcalls_dev_put(pdev);
}

static void pvcalls_xenbus_changed(struct xenbus_device *xdev,
				   enum xenbus_state frontend)
{
	struct pvcalls_dev *pdev = dev_get_drvdata(&xdev->dev);

	WRITE_ONCE(pdev->frontend, frontend);
	if (frontend != XenbusStateClosing && frontend != XenbusStateClosed) {
		/* the work that sees this sees the state that says so */
		smp_store_release(&pdev->stale, false);
	}
	pvcalls_dev_kick(pdev);
}

static void pvcalls_dev_unwatch(struct pvcalls_dev *pdev)
{
	unregister_xenbus_watch(&pdev->watch);
	kfree(pdev->watch.node);
	/* the work makes no watch any more */
	if (pdev->leave.node)
		unregister_xenbus_watch(&pdev->leave);
}

static int pvcalls_xenbus_probe(struct xenbus_device *xdev,
				const struct xenbus_device_id *id)
{
	struct pvcalls_dev *pdev;
	int err;

	pdev = kzalloc(sizeof(*pdev), GFP_KERNEL);
	if (!pdev)
		return -ENOMEM;
	pdev->xdev = xdev;
	kref_init(&pdev->ref);
	INIT_WORK(&pdev->work, pvcalls_dev_work);
	mutex_init(&pdev->lock);
	pdev->stale = true;
	pdev->since = jiffies;
	ratelimit_state_init(&pdev->warnings, 5 * HZ, 10);
	err = pvcalls_policy_init(&pdev->policy, xdev->otherend_id);
	if (err) {
		kfree(pdev);
		return err;
	}
	get_device(&xdev->dev);
	dev_set_drvdata(&xdev->dev, pdev);
	pvcalls_dev_policy(pdev);
	err = xenbus_watch_pathfmt(xdev, &pdev->watch, NULL,
				   pvcalls_dev_watched, "%s/policy",
				   xdev->nodename);
	if (err)
		goto put;

	err = pvcalls_node_publish(xdev);
	if (!err)
		err = xenbus_switch_state(xdev, XenbusStateInitWait);
	if (!err)
		return 0;

	pvcalls_dev_unwatch(pdev);
put:
	pvcalls_policy_hide(&pdev->policy);
	dev_set_drvdata(&xdev->dev, NULL);
	pvcalls_dev_put(pdev);
	return err;
}

static void pvcalls_xenbus_remove(struct xenbus_device *xdev)
{
	struct pvcalls_dev *pdev = dev_get_drvdata(&xdev->dev);

	mutex_lock(&pdev->lock);
	WRITE_ONCE(pdev->removed, true);
	mutex_unlock(&pdev->lock);
	pvcalls_dev_unwatch(pdev);
	pvcalls_policy_hide(&pdev->policy);
	dev_set_drvdata(&xdev->dev, NULL);
	pvcalls_dev_kick(pdev);
	/*
	 * xenbus is about to say Closed: the guest has its pages back by then.
	 * Where the directory is gone nobody is told, and the caller is xenbus's
	 * watch thread, which must not wait for a guest.
	 */
	if (xenbus_exists(XBT_NIL, xdev->nodename, "state"))
		flush_work(&pdev->work);
	pvcalls_dev_put(pdev);
}

static const struct xenbus_device_id pvcalls_xenbus_ids[] = {
	{ "pvcalls" },
	{ "" }
};

static struct xenbus_driver pvcalls_xenbus_driver = {
	.name = KBUILD_MODNAME,
	.ids = pvcalls_xenbus_ids,
	.probe = pvcalls_xenbus_probe,
	.remove = pvcalls_xenbus_remove,
	.otherend_changed = pvcalls_xenbus_changed,
};

/**
 * pvcalls_xenbus_register() - register the xenbus driver
 *
 * Context: process, may sleep; undone by pvcalls_xenbus_unregister().
 * Return: 0 or a negative error number.
 */
int pvcalls_xenbus_register(void)
{
	int err;

	pvcalls_dev_wq = alloc_workqueue("pvcalls_dev", WQ_UNBOUND, 0);
	if (!pvcalls_dev_wq)
		return -ENOMEM;
	/*
	 * The module is not named as owner: xenbus would hold a reference to
	 * the module for each device, and the module could not be replaced
	 * while guests use it. The driver core calls remove for all devices
	 * first.
	 */
	err = __xenbus_register_backend(&pvcalls_xenbus_driver, NULL,
					KBUILD_MODNAME);
	if (err)
		destroy_workqueue(pvcalls_dev_wq);
	return err;
}

/**
 * pvcalls_xenbus_unregister() - unregister the xenbus driver
 *
 * Description: All connections end first. The devices are left in
 * XenbusStateClosed.
 *
 * Context: process, sleeps.
 */
void pvcalls_xenbus_unregister(void)
{
	down_write(&pvcalls_dev_leaving);
	xenbus_unregister_driver(&pvcalls_xenbus_driver);
	up_write(&pvcalls_dev_leaving);
	/* workers may not have seen that the devices were removed */
	synchronize_rcu();
	/* devices that are gone may still have guests that end */
	destroy_workqueue(pvcalls_dev_wq);
}

MODULE_ALIAS("xen-backend:pvcalls");
