/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for ringbuf_port.h (gcc -include): every word that is read from
 * shared memory may have been changed by the peer just before.
 */
#ifndef HOSTILE_PORT_H
#define HOSTILE_PORT_H

#define RINGBUF_PORT_H /* instead of it */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t u32;

u32 hostile_read(u32 *p);

#define READ_ONCE(x)		hostile_read(&(x))
#define WRITE_ONCE(x, v)	((void)((x) = (v)))
#define virt_mb()		((void)0)
#define virt_rmb()		((void)0)
#define virt_wmb()		((void)0)
#define min(a, b)		((a) < (b) ? (a) : (b))

#endif /* HOSTILE_PORT_H */
