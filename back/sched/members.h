/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Members of the pool: how many workers there are, and on which CPUs. The
 * parameters and the online CPUs decide.
 */
#ifndef PVCALLS_BACK_MEMBERS_H
#define PVCALLS_BACK_MEMBERS_H

int pvcalls_members_start(void);
void pvcalls_members_stop(void);

#endif /* PVCALLS_BACK_MEMBERS_H */
