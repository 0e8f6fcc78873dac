/* SPDX-License-Identifier: GPL-2.0 */
/* What bucket.h needs: the kernel, or a test in user space. */
#ifndef PVCALLS_BACK_BUCKET_PORT_H
#define PVCALLS_BACK_BUCKET_PORT_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;
#endif

#endif /* PVCALLS_BACK_BUCKET_PORT_H */
