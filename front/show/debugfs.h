/* SPDX-License-Identifier: GPL-2.0 */
/* Files below /sys/kernel/debug that show the link and its sockets. */
#ifndef PVC_DEBUGFS_H
#define PVC_DEBUGFS_H

void pvc_debugfs_init(void);
void pvc_debugfs_exit(void);

#endif /* PVC_DEBUGFS_H */
