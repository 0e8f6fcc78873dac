/* SPDX-License-Identifier: GPL-2.0 */
/* Moves hot rings from the busiest worker to the least busy one. */
#ifndef PVCALLS_BACK_BALANCER_H
#define PVCALLS_BACK_BALANCER_H

void pvcalls_balancer_start(void);
void pvcalls_balancer_stop(void);

#endif /* PVCALLS_BACK_BALANCER_H */
