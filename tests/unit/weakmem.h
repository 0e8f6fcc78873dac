/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of a machine with weak ordering, for two sides that share a ring.
 *
 * Included ahead of ringbuf.c (gcc -include) in place of ringbuf_port.h, so
 * that the very code that runs in the kernel runs here on memory where
 *
 * - a store is seen by the other side late, and stores to different places in
 *   any order, unless a write barrier stands between them;
 * - a store that has arrived at the other side is seen by its reads only after
 *   another while, in any order, unless a read barrier stands between them;
 * - a read of ring bytes happens late, unless a barrier stands before the next
 *   step;
 * - a full barrier ends all of that;
 *
 * and where the other side may run between any two of these steps. That is at
 * least as weak as the kernel's memory model for what ringbuf.c does, apart
 * from stores that become visible before an earlier read: a store here never
 * does, as each depends on the reads before it.
 */
#ifndef WEAKMEM_H
#define WEAKMEM_H

#define RINGBUF_PORT_H /* instead of it */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t u32;

#define READ_ONCE(x)		wm_read(&(x))
#define WRITE_ONCE(x, v)	wm_write(&(x), (v))
#define virt_mb()		wm_mb()
#define virt_rmb()		wm_rmb()
#define virt_wmb()		wm_wmb()
#define min(a, b)		((a) < (b) ? (a) : (b))

enum wm_side { WM_PRODUCER, WM_CONSUMER, WM_SIDES };

#define WM_BYTES	64	/* largest ring */

/**
 * struct wm_shared - what the two sides share
 * @prod: producer's index
 * @cons: consumer's index
 * @data_wake: consumer's threshold
 * @space_wake: producer's threshold
 * @bytes: the ring
 *
 * There is one of it for each side: what that side's reads would return now.
 */
struct wm_shared {
	u32 prod;
	u32 cons;
	u32 data_wake;
	u32 space_wake;
	uint8_t bytes[WM_BYTES];
};

extern struct wm_shared wm_view[WM_SIDES];

/* Words read so far */
extern unsigned int wm_reads;

u32 wm_read(const u32 *p);
void wm_write(u32 *p, u32 v);
void wm_mb(void);
void wm_rmb(void);
void wm_wmb(void);

void wm_write_bytes(u32 off, const uint8_t *data, u32 len);
void wm_read_bytes(u32 off, uint8_t *data, u32 len);

void wm_reset(uint64_t seed, u32 prod, u32 cons);
u32 wm_random(u32 below);
bool wm_settle_one(void);
void wm_direct(enum wm_side side);

void wm_start(enum wm_side side, void (*fn)(void));
void wm_run(enum wm_side side);
void wm_pause(void);

#endif /* WEAKMEM_H */
