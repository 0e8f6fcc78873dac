/* SPDX-License-Identifier: GPL-2.0 */
/* What the frontend has at the moment, below /sys/kernel/debug. */
#ifndef PVC_DEBUGFS_H
#define PVC_DEBUGFS_H

void pvc_debugfs_init(void);
void pvc_debugfs_exit(void);

#endif /* PVC_DEBUGFS_H */
