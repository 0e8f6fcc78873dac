/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to see in debugfs, below pvcalls_mt_back/. */
#ifndef PVCALLS_BACK_DEBUGFS_H
#define PVCALLS_BACK_DEBUGFS_H

void pvcalls_debugfs_start(void);
void pvcalls_debugfs_stop(void);

#endif /* PVCALLS_BACK_DEBUGFS_H */
