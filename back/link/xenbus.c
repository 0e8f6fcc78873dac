// SPDX-License-Identifier: GPL-2.0
/*
 * Devices and their states; xenbus.h says what else is here.
 *
 * xenbus's watch thread reports a device's frontend states one at a time. A
 * frontend that breaks the rules is disconnected by a work of its own.
 * pvcalls_dev.lock keeps the two apart.
 */
#include <linux/err.h>
#include <linux/ipv6.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <xen/xenbus.h>

#include "guest/guest.h"
#include "guest/policy.h"
#include "placement.h"
#include "limits.h"
#include "pvcalls_ext.h"
#include "link/link.h"
#include "link/xenbus.h"

#define PVCALLS_VERSION	"1"

/**
 * struct pvcalls_dev - a device, from probe to remove
 * @xdev: the device, as xenbus knows it
 * @lock: guards @guest, @stale and changes of the device's state
 * @guest: the guest while connected, else NULL
 * @stale: the frontend has only been seen to end a connection that is older
 *	than this driver. To follow such a frontend would take InitWait back at
 *	once
 * @warnings: limits the messages about the guest
 * @policy: who may do what
 * @watch: tells of what the toolstack writes as the policy
 * @broken: ends the connection of a guest that has broken a rule
 */
struct pvcalls_dev {
	struct xenbus_device *xdev;
	struct mutex lock;
	struct pvcalls_guest *guest;
	bool stale;
	struct ratelimit_state warnings;
	struct pvcalls_policy policy;
	struct xenbus_watch watch;
	struct work_struct broken;
};

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

static const char * const pvcalls_feature_keys[] = PVCALLS_FEATURE_KEYS;

/*
 * Can this domain do what an extension is for? Without IPv6 in the kernel, each
 * attempt to make such a socket would have a worker wait for modprobe(8).
 */
static bool pvcalls_dev_can(unsigned int feature)
{
	return feature != PVCALLS_F_IPV6 || ipv6_mod_enabled();
}

static int pvcalls_dev_write(struct xenbus_device *xdev,
			     struct xenbus_transaction xbt)
{
	const char *node = xdev->nodename;
	unsigned int i;
	int err;

	err = xenbus_write(xbt, node, "versions", PVCALLS_VERSION);
	if (err)
		return err;
	err = xenbus_printf(xbt, node, "max-page-order", "%u",
			    pvcalls_max_order());
	if (err)
		return err;
	err = xenbus_printf(xbt, node, "max-ring-page-order", "%u",
			    pvcalls_max_cmd_order());
	if (err)
		return err;
	err = xenbus_write(xbt, node, "function-calls", XENBUS_FUNCTIONS_CALLS);
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(pvcalls_feature_keys); i++) {
		err = xenbus_write(xbt, node, pvcalls_feature_keys[i],
				   pvcalls_dev_can(i) ? "1" : "0");
		if (err)
			return err;
	}
	return 0;
}

/* Write this backend's abilities to xenstore, all at once. */
static int pvcalls_dev_publish(struct xenbus_device *xdev)
{
	struct xenbus_transaction xbt;
	int err;

	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = pvcalls_dev_write(xdev, xbt);
		if (err) {
			xenbus_transaction_end(xbt, 1);
			return err;
		}
		err = xenbus_transaction_end(xbt, 0);
	} while (err == -EAGAIN);
	return err;
}

/*
 * Does the guest want this extension? Only "1" counts: a number that is 1
 * modulo 2^32 must not.
 */
static bool pvcalls_dev_wants(struct xenbus_device *xdev, const char *key)
{
	char *value = xenbus_read(XBT_NIL, xdev->otherend, key, NULL);
	bool wants;

	if (IS_ERR(value))
		return false;
	wants = !strcmp(value, "1");
	kfree(value);
	return wants;
}

static unsigned long pvcalls_dev_features(struct xenbus_device *xdev)
{
	unsigned long features = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvcalls_feature_keys); i++)
		if (pvcalls_dev_can(i) &&
		    pvcalls_dev_wants(xdev, pvcalls_feature_keys[i]))
			features |= BIT(i);
	return features;
}

/*
 * Read the command ring's grants. There is one, unless the guest says how many.
 */
static int pvcalls_dev_ring(struct xenbus_device *xdev,
			    struct pvcalls_link_params *params)
{
	unsigned int i;
	char key[24];
	int err;

	err = xenbus_scanf(XBT_NIL, xdev->otherend, "ring-page-order", "%u",
			   &params->ring_order);
	if (err == -ENOENT) {
		params->ring_order = 0;
		return xenbus_gather(XBT_NIL, xdev->otherend, "ring-ref", "%u",
				     &params->ring_refs[0], NULL);
	}
	if (err != 1 || params->ring_order > pvcalls_max_cmd_order())
		return -EINVAL;
	for (i = 0; i < 1U << params->ring_order; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		err = xenbus_gather(XBT_NIL, xdev->otherend, key, "%u",
				    &params->ring_refs[i], NULL);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Read the mark of the guest's sockets. This domain's toolstack may have
 * written the mark into the device's directory. A mark that can't be read is an
 * error: without the mark, rules for the guest's sockets would not match.
 */
static int pvcalls_dev_mark(struct xenbus_device *xdev, u32 *mark)
{
	char *value = xenbus_read(XBT_NIL, xdev->nodename, "mark", NULL);
	int err;

	if (IS_ERR(value)) {
		err = PTR_ERR(value);
		*mark = pvcalls_mark(xdev->otherend_id);
		return err == -ENOENT ? 0 : err;
	}
	err = kstrtou32(value, 0, mark);
	kfree(value);
	return err;
}

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

static void pvcalls_dev_broken(void *arg)
{
	struct pvcalls_dev *pdev = arg;

	schedule_work(&pdev->broken);
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
		err = pvcalls_dev_ring(xdev, &params);
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
	params.features = pvcalls_dev_features(xdev);
	/*
	 * the toolstack knows the guest's node, but this domain's kernel does
	 * not
	 */
	if (xenbus_scanf(XBT_NIL, xdev->nodename, "node", "%d",
			 &params.node) != 1 || params.node < 0)
		params.node = PLACEMENT_ANY_NODE;
	err = pvcalls_dev_mark(xdev, &params.mark);
	if (err) {
		pvcalls_dev_refuse(pdev, err, "reading %s/mark",
				   xdev->nodename);
		return err;
	}

	g = pvcalls_link_connect(xdev, &params);
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

static void pvcalls_dev_disconnect(struct pvcalls_dev *pdev)
{
	if (!pdev->guest)
		return;
	pvcalls_link_end(pdev->guest);
	pdev->guest = NULL;
	pr_info_ratelimited("dom%d: disconnected\n",
			    pdev->xdev->otherend_id);
}

static void pvcalls_dev_broken_work(struct work_struct *work)
{
	struct pvcalls_dev *pdev = container_of(work, struct pvcalls_dev,
						broken);

	mutex_lock(&pdev->lock);
	/* the device may have another connection by now */
	if (pdev->guest &&
	    test_bit(PVCALLS_GUEST_BROKEN, &pdev->guest->flags)) {
		pvcalls_dev_disconnect(pdev);
		xenbus_switch_state(pdev->xdev, XenbusStateClosing);
	}
	mutex_unlock(&pdev->lock);
}

/* Follow the frontend's state. Returns whether the device is to go away. */
static bool pvcalls_dev_follow(struct pvcalls_dev *pdev,
			       enum xenbus_state frontend)
{
	struct xenbus_device *xdev = pdev->xdev;

	if (frontend != XenbusStateClosing && frontend != XenbusStateClosed)
		pdev->stale = false;
	switch (frontend) {
	case XenbusStateInitialising:
		/* the frontend begins anew, whatever its state was before */
		if (xdev->state == XenbusStateInitWait)
			break;
		pvcalls_dev_disconnect(pdev);
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
		if (pdev->stale)
			break;
		pvcalls_dev_disconnect(pdev);
		if (xdev->state != XenbusStateClosed)
			xenbus_switch_state(xdev, XenbusStateClosing);
		break;
	case XenbusStateClosed:
		if (pdev->stale && xenbus_dev_is_online(xdev))
			break;
		pvcalls_dev_disconnect(pdev);
		xenbus_switch_state(xdev, XenbusStateClosed);
		return !xenbus_dev_is_online(xdev);
	case XenbusStateUnknown:
		/* the frontend's directory is gone, and so is the guest */
		pvcalls_dev_disconnect(pdev);
		xenbus_switch_state(xdev, XenbusStateClosed);
		return true;
	default:
		pvcalls_dev_refuse(pdev, -EINVAL, "frontend in state %d",
				   frontend);
		break;
	}
	return false;
}

static void pvcalls_xenbus_changed(struct xenbus_device *xdev,
				   enum xenbus_state frontend)
{
	struct pvcalls_dev *pdev = dev_get_drvdata(&xdev->dev);
	bool gone;

	mutex_lock(&pdev->lock);
	gone = pvcalls_dev_follow(pdev, frontend);
	mutex_unlock(&pdev->lock);
	/*
	 * outside of the lock, because pvcalls_xenbus_remove() takes the lock
	 */
	if (gone)
		device_unregister(&xdev->dev);
}

static void pvcalls_dev_unwatch(struct pvcalls_dev *pdev)
{
	unregister_xenbus_watch(&pdev->watch);
	kfree(pdev->watch.node);
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
	mutex_init(&pdev->lock);
	pdev->stale = true;
	ratelimit_state_init(&pdev->warnings, 5 * HZ, 10);
	INIT_WORK(&pdev->broken, pvcalls_dev_broken_work);
	err = pvcalls_policy_init(&pdev->policy, xdev->otherend_id);
	if (err)
		goto free;
	dev_set_drvdata(&xdev->dev, pdev);
	pvcalls_dev_policy(pdev);
	err = xenbus_watch_pathfmt(xdev, &pdev->watch, NULL,
				   pvcalls_dev_watched, "%s/policy",
				   xdev->nodename);
	if (err)
		goto exit_policy;

	err = pvcalls_dev_publish(xdev);
	if (!err)
		err = xenbus_switch_state(xdev, XenbusStateInitWait);
	if (!err)
		return 0;

	pvcalls_dev_unwatch(pdev);
exit_policy:
	dev_set_drvdata(&xdev->dev, NULL);
	pvcalls_policy_exit(&pdev->policy);
free:
	kfree(pdev);
	return err;
}

static void pvcalls_xenbus_remove(struct xenbus_device *xdev)
{
	struct pvcalls_dev *pdev = dev_get_drvdata(&xdev->dev);

	pvcalls_dev_unwatch(pdev);
	mutex_lock(&pdev->lock);
	pvcalls_dev_disconnect(pdev);
	mutex_unlock(&pdev->lock);
	/* without a connection this work is not scheduled again */
	cancel_work_sync(&pdev->broken);
	dev_set_drvdata(&xdev->dev, NULL);
	pvcalls_policy_exit(&pdev->policy);
	kfree(pdev);
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
	/*
	 * The module is not named as owner: xenbus would hold a reference to
	 * the module for each device, and the module could not be replaced
	 * while guests use it. The driver core calls remove for all devices
	 * first.
	 */
	return __xenbus_register_backend(&pvcalls_xenbus_driver, NULL,
					 KBUILD_MODNAME);
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
	xenbus_unregister_driver(&pvcalls_xenbus_driver);
}

MODULE_ALIAS("xen-backend:pvcalls");
