/* SPDX-License-Identifier: GPL-2.0 */
/* Our operations of sockets, which name everything that programs call. */
#ifndef PVC_TABLES_H
#define PVC_TABLES_H

struct proto_ops;

const struct proto_ops *pvc_tables_ops(int family, int protocol);
void pvc_tables_init(void);

#endif /* PVC_TABLES_H */
