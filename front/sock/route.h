/* SPDX-License-Identifier: GPL-2.0 */
/* What is reached through the backend, and what stays in the guest. */
#ifndef PVC_ROUTE_H
#define PVC_ROUTE_H

#include <linux/types.h>

struct net;
struct pvc_addr;
struct sock;

bool pvc_route_remote(struct net *net, const struct pvc_addr *a);
bool pvc_bound_elsewhere(const struct sock *sk);

#endif /* PVC_ROUTE_H */
