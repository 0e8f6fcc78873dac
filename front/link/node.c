// SPDX-License-Identifier: GPL-2.0
/* See node.h. */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/xenbus.h>

#include "link/link.h"
#include "link/node.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(cmd_order, 2, 0, PVCALLS_MAX_CMD_ORDER, 0644);
MODULE_PARM_DESC(cmd_order,
		 "Order of the next connection's command ring: 2^n pages, 0 to 4 (default 2, 128 slots), or less where the backend takes no more");

static const char * const pvc_keys[PVCALLS_F_COUNT] = PVCALLS_FEATURE_KEYS;

/**
 * pvc_node_query() - read what the backend offers
 * @xdev: the device
 * @link: its features and the orders of its rings are set
 *
 * Context: process, sleeps for xenstore.
 * Return: 0; -EPROTO if the backend offers no version 1, or another negative
 * error number.
 */
int pvc_node_query(struct xenbus_device *xdev, struct pvc_link *link)
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
	/* writers wait for room for a whole datagram: a threshold */
	if (!pvc_link_has(link, PVCALLS_F_WAKEUP))
		__clear_bit(PVCALLS_F_DGRAM, &link->features);
	return 0;
}

/*
 * Writes where the command ring is, as block devices do: a ring of one page has
 * the key of version 1.
 */
static int pvc_node_write_ring(struct xenbus_device *xdev,
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

/**
 * pvc_node_write() - write what the backend needs to know to connect
 * @xdev: the device; all is written at once into its directory
 * @link: a link with a command ring
 *
 * Context: process, sleeps for xenstore.
 * Return: 0 or a negative error number.
 */
int pvc_node_write(struct xenbus_device *xdev, const struct pvc_link *link)
{
	struct xenbus_transaction xbt;
	int f, ret;

	do {
		ret = xenbus_transaction_start(&xbt);
		if (ret)
			return ret;
		ret = xenbus_printf(xbt, xdev->nodename, "version", "1");
		if (!ret)
			ret = pvc_node_write_ring(xdev, xbt, link);
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

/**
 * pvc_node_erase() - erase the keys of extensions
 * @xdev: the device
 * @link: the link that has ended
 *
 * The next frontend of this device may know none of them, and would leave the
 * keys as they are.
 *
 * Context: process, sleeps for xenstore.
 */
void pvc_node_erase(struct xenbus_device *xdev, const struct pvc_link *link)
{
	int f;

	if (link->ring_order)
		xenbus_rm(XBT_NIL, xdev->nodename, "ring-page-order");
	for_each_set_bit(f, &link->features, PVCALLS_F_COUNT)
		xenbus_rm(XBT_NIL, xdev->nodename, pvc_keys[f]);
}
