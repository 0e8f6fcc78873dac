/* SPDX-License-Identifier: GPL-2.0 */
/* What placement.c needs from its surroundings: the kernel's, or a test's. */
#ifndef PLACEMENT_PORT_H
#define PLACEMENT_PORT_H

#ifdef __KERNEL__

#include <linux/types.h>

#else /* user space */

#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;

#endif /* __KERNEL__ */

#endif /* PLACEMENT_PORT_H */
