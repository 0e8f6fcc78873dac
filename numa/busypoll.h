/* SPDX-License-Identifier: GPL-2.0 */
/* How long a worker that has run dry polls before it sleeps. Pure logic. */
#ifndef BUSYPOLL_H
#define BUSYPOLL_H

#include "placement_port.h"

/* A window below that is not worth looking at the clock; in ns */
#define BUSYPOLL_MIN	1000

u32 busypoll_next(u32 window, u32 limit, u64 dry);

#endif /* BUSYPOLL_H */
