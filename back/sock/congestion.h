/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The congestion controls that guests may choose. They are loaded with this
 * module and stay: threads of the kernel have modprobe(8) run for a name that
 * there is not, and no worker may wait for that on a guest's behalf.
 */
#ifndef PVCALLS_BACK_CONGESTION_H
#define PVCALLS_BACK_CONGESTION_H

void pvcalls_congestion_start(void);
void pvcalls_congestion_stop(void);
int pvcalls_congestion_may(const char *name);

#endif /* PVCALLS_BACK_CONGESTION_H */
