/* SPDX-License-Identifier: GPL-2.0 */
/* Which destinations are reached through the backend. */
#ifndef PVC_ROUTE_H
#define PVC_ROUTE_H

#include <linux/types.h>

struct net;
struct pvc_addr;

bool pvc_route_remote(struct net *net, const struct pvc_addr *a);

#endif /* PVC_ROUTE_H */
