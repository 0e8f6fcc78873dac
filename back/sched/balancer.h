/* SPDX-License-Identifier: GPL-2.0 */
/* The balancer: moves busy works from the busiest worker to the idlest one. */
#ifndef PVCALLS_BACK_BALANCER_H
#define PVCALLS_BACK_BALANCER_H

void pvcalls_balancer_start(void);
void pvcalls_balancer_stop(void);

#endif /* PVCALLS_BACK_BALANCER_H */
