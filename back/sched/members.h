/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Members of the pool: how many workers there are to be and on which CPUs, as
 * the parameters and the CPUs that are online want it.
 */
#ifndef PVCALLS_BACK_MEMBERS_H
#define PVCALLS_BACK_MEMBERS_H

int pvcalls_members_start(void);
void pvcalls_members_stop(void);

#endif /* PVCALLS_BACK_MEMBERS_H */
