/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registration of our struct protos with socket(), and the functions of
 * those: how a socket begins and ends.
 */
#ifndef PVC_PROTOSW_H
#define PVC_PROTOSW_H

#include <linux/types.h>

struct net;
struct proto_ops;

typedef bool pvc_protosw_scope(const struct net *net);
typedef const struct proto_ops *pvc_protosw_ops(int family, int type);

int pvc_protosw_init(pvc_protosw_scope *wanted, pvc_protosw_ops *ops);
void pvc_protosw_exit(void);

#endif /* PVC_PROTOSW_H */
