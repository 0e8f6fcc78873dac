/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wing show/: what the module shows in debugfs, in the directory
 * pvcalls_mt_back, and by netlink (netlink.h), which changes policies as well.
 *
 * It offers the files guests, accounts, sockets and workers, and the family
 * "pvcalls". It may use all other wings, which do not use show/. Readers are in
 * process context. They hold the list of guests, the list of policies or the
 * pool's mutex, so no guest, no device and no worker goes away meanwhile; of
 * accounts they have copies.
 */
#ifndef PVCALLS_BACK_DEBUGFS_H
#define PVCALLS_BACK_DEBUGFS_H

void pvcalls_debugfs_start(void);
void pvcalls_debugfs_stop(void);

#endif /* PVCALLS_BACK_DEBUGFS_H */
