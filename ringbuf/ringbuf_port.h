/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ringbuf.c needs from its surroundings: the kernel, a module or a test.
 */
#ifndef RINGBUF_PORT_H
#define RINGBUF_PORT_H

#ifdef __KERNEL__

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <asm/barrier.h>

#else /* user space */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t u32;

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define virt_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define virt_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define virt_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#ifndef min
#define min(a, b)		((a) < (b) ? (a) : (b))
#endif

#endif /* __KERNEL__ */

#endif /* RINGBUF_PORT_H */
