/* SPDX-License-Identifier: GPL-2.0 */
/* What bucket.h needs: the kernel, or a test in user space. */
#ifndef PVCALLS_BACK_BUCKET_PORT_H
#define PVCALLS_BACK_BUCKET_PORT_H

#ifdef __KERNEL__
#include <linux/math64.h>
#include <linux/types.h>

#define pvcalls_bucket_div(n, by)	div64_u64(n, by)
#else
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define pvcalls_bucket_div(n, by)	((n) / (by))
#endif

#endif /* PVCALLS_BACK_BUCKET_PORT_H */
