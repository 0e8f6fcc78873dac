/* SPDX-License-Identifier: GPL-2.0 */
/* What numa/ needs from its surroundings: the kernel or a unit test. */
#ifndef PLACEMENT_PORT_H
#define PLACEMENT_PORT_H

#ifdef __KERNEL__

#include <linux/errno.h>
#include <linux/types.h>

#else /* user space */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int16_t s16;
typedef uint32_t u32;
typedef uint64_t u64;

#endif /* __KERNEL__ */

#endif /* PLACEMENT_PORT_H */
