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

int pvc_protosw_init(int (*wanted)(const struct net *net),
		     const struct proto_ops *(*ops)(int family, int protocol));
void pvc_protosw_exit(void);

#endif /* PVC_PROTOSW_H */
