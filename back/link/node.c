// SPDX-License-Identifier: GPL-2.0
/* What the nodes of a device in xenstore say, and the other side's. */
#include <linux/err.h>
#include <linux/ipv6.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <xen/xenbus.h>

#include "guest/policy.h"
#include "limits.h"
#include "link/link.h"
#include "link/node.h"
#include "pvcalls_ext.h"

#define PVCALLS_VERSION	"1"

static const char * const pvcalls_node_keys[] = PVCALLS_FEATURE_KEYS;

/*
 * Can this domain do what an extension is for? Without IPv6 in the kernel, each
 * attempt to make such a socket would have a worker wait for modprobe(8).
 */
static bool pvcalls_node_can(unsigned int feature)
{
	return feature != PVCALLS_F_IPV6 || ipv6_mod_enabled();
}

static int pvcalls_node_write(struct xenbus_device *xdev,
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
	for (i = 0; i < ARRAY_SIZE(pvcalls_node_keys); i++) {
		err = xenbus_write(xbt, node, pvcalls_node_keys[i],
				   pvcalls_node_can(i) ? "1" : "0");
		if (err)
			return err;
	}
	return 0;
}

/**
 * pvcalls_node_publish() - write this backend's abilities to xenstore
 * @xdev: the device; all is written at once into its directory
 *
 * Context: process, sleeps for xenstore.
 * Return: 0 or a negative error number.
 */
int pvcalls_node_publish(struct xenbus_device *xdev)
{
	struct xenbus_transaction xbt;
	int err;

	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = pvcalls_node_write(xdev, xbt);
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
static bool pvcalls_node_wants(struct xenbus_device *xdev, const char *key)
{
	char *value = xenbus_read(XBT_NIL, xdev->otherend, key, NULL);
	bool wants;

	if (IS_ERR(value))
		return false;
	wants = !strcmp(value, "1");
	kfree(value);
	return wants;
}

/**
 * pvcalls_node_features() - the extensions that a guest wants, and that there are
 * @xdev: the device
 *
 * Context: process, sleeps for xenstore.
 * Return: a bit for each, by PVCALLS_F_*.
 */
unsigned long pvcalls_node_features(struct xenbus_device *xdev)
{
	unsigned long features = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvcalls_node_keys); i++)
		if (pvcalls_node_can(i) &&
		    pvcalls_node_wants(xdev, pvcalls_node_keys[i]))
			features |= BIT(i);
	return features;
}

/**
 * pvcalls_node_ring() - read the command ring's grants
 * @xdev: the device
 * @params: its order and its grants are set. There is one grant, unless the
 *	guest says how many
 *
 * Context: process, sleeps for xenstore.
 * Return: 0 or a negative error number.
 */
int pvcalls_node_ring(struct xenbus_device *xdev,
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

/**
 * pvcalls_node_mark() - read the mark of a guest's sockets
 * @xdev: the device
 * @mark: what this domain's toolstack may have written into the device's
 *	directory, or else what the parameter says
 *
 * Description: A mark that can't be read is an error: without the mark, rules for
 * the guest's sockets would not match.
 *
 * Context: process, sleeps for xenstore.
 * Return: 0 or a negative error number.
 */
int pvcalls_node_mark(struct xenbus_device *xdev, u32 *mark)
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
