/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The congestion controls that guests may choose. They are loaded with this
 * module and stay: threads of the kernel have modprobe(8) run for a name that
 * there is not, and no worker may wait for that on a guest's behalf. A policy
 * may leave a guest some of them only; rules.h has the bits for that.
 */
#ifndef PVCALLS_BACK_CONGESTION_H
#define PVCALLS_BACK_CONGESTION_H

#include <linux/types.h>

void pvcalls_congestion_start(void);
void pvcalls_congestion_stop(void);
int pvcalls_congestion_may(const char *name, u32 bits);
const char *pvcalls_congestion_begin(const char *name, u32 bits);

#endif /* PVCALLS_BACK_CONGESTION_H */
