/* SPDX-License-Identifier: GPL-2.0 */
/* What is reached through the backend, and what stays in the guest. */
#ifndef PVC_ROUTE_H
#define PVC_ROUTE_H

#include <linux/types.h>

struct pvc_addr;
struct sock;

int pvc_route_remote(const struct sock *sk, const struct pvc_addr *to);
bool pvc_is_elsewhere(int ifindex);
bool pvc_bound_elsewhere(const struct sock *sk);

#endif /* PVC_ROUTE_H */
