/* SPDX-License-Identifier: GPL-2.0 */
/* What rules.h and its two files need: the kernel, or a test in user space. */
#ifndef PVCALLS_BACK_RULES_PORT_H
#define PVCALLS_BACK_RULES_PORT_H

#ifdef __KERNEL__

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#else /* user space */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#endif /* __KERNEL__ */

#endif /* PVCALLS_BACK_RULES_PORT_H */
