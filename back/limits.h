/* SPDX-License-Identifier: GPL-2.0 */
/* How much a guest may have: the module parameters that limit each guest. */
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
