/* SPDX-License-Identifier: GPL-2.0 */
/* The negotiation in xenstore: what a device's nodes say. */
#ifndef PVC_NODE_H
#define PVC_NODE_H

struct pvc_link;
struct xenbus_device;

int pvc_node_query(struct xenbus_device *xdev, struct pvc_link *link);
int pvc_node_write(struct xenbus_device *xdev, const struct pvc_link *link);
void pvc_node_erase(struct xenbus_device *xdev, const struct pvc_link *link);

#endif /* PVC_NODE_H */
