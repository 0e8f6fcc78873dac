/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Busy polling: how long a worker without ready works polls before it sleeps.
 * Pure logic, as placement.h is.
 */
#ifndef BUSYPOLL_H
#define BUSYPOLL_H

#include "placement_port.h"

/* Smallest window, in ns: less is not worth looking at the clock */
#define BUSYPOLL_MIN	1000

u32 busypoll_next(u32 window, u32 limit, u64 dry);

#endif /* BUSYPOLL_H */
