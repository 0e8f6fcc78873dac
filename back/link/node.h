/* SPDX-License-Identifier: GPL-2.0 */
/* The negotiation in xenstore: what a device's nodes say. */
#ifndef PVCALLS_BACK_NODE_H
#define PVCALLS_BACK_NODE_H

#include <linux/types.h>

struct pvcalls_link_params;
struct xenbus_device;

int pvcalls_node_publish(struct xenbus_device *xdev);
unsigned long pvcalls_node_features(struct xenbus_device *xdev);
int pvcalls_node_ring(struct xenbus_device *xdev,
		      struct pvcalls_link_params *params);
int pvcalls_node_mark(struct xenbus_device *xdev, u32 *mark);

#endif /* PVCALLS_BACK_NODE_H */
