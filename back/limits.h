/* SPDX-License-Identifier: GPL-2.0 */
/* The limits of each guest: module parameters that say how much it may have. */
#ifndef PVCALLS_BACK_LIMITS_H
#define PVCALLS_BACK_LIMITS_H

#include <linux/types.h>

u32 pvcalls_max_order(void);
u32 pvcalls_max_cmd_order(void);
u32 pvcalls_max_sockets(void);
u32 pvcalls_max_deferred(void);
u32 pvcalls_max_pages(void);
u32 pvcalls_reuse_pages(void);
unsigned long pvcalls_reuse_time(void);

#endif /* PVCALLS_BACK_LIMITS_H */
