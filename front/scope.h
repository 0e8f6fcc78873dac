/* SPDX-License-Identifier: GPL-2.0 */
/* Whose sockets are taken: of which processes, and in which namespaces. */
#ifndef PVC_SCOPE_H
#define PVC_SCOPE_H

#include <linux/types.h>

struct net;

bool pvc_scope_allows(const struct net *net);
bool pvc_scope_has(const struct net *net);

int pvc_scope_init(void);
void pvc_scope_exit(void);

#endif /* PVC_SCOPE_H */
