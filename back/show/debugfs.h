/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wing show/: what the module shows in debugfs, in the directory
 * pvcalls_mt_back.
 *
 * It offers the files guests, accounts, sockets and workers. It may use all
 * other wings, which do not use show/. Readers of the files are in process
 * context. They hold the list of guests or the pool's mutex, so no guest and no
 * worker goes away meanwhile; of accounts they have copies.
 */
#ifndef PVCALLS_BACK_DEBUGFS_H
#define PVCALLS_BACK_DEBUGFS_H

void pvcalls_debugfs_start(void);
void pvcalls_debugfs_stop(void);

#endif /* PVCALLS_BACK_DEBUGFS_H */
