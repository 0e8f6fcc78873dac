/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One direction of a PV Calls data ring, seen from one side.
 *
 * This is pure logic on indexes: no Xen, no sockets, no allocation, no locks.
 * The same file is compiled into both modules, the unit tests and the fuzzers.
 * The model in tests/model follows the file line by line.
 *
 * Rules (docs/SECURITY.md, "Rules for shared memory"): this side's index lives
 * in private memory and is only ever written to the shared page. The peer's
 * index is read once and checked, and only the checked copy is used.
 *
 * A struct ringbuf has no lock. The caller must serialise the producer's calls
 * of a side, and also the consumer's calls. No function sleeps, and all may be
 * called in any context.
 */
#ifndef RINGBUF_H
#define RINGBUF_H

#include "ringbuf_port.h"

/* Bytes of each of the two rings in 2^order pages of 4 KiB */
#define RINGBUF_SIZE(order)	(1U << ((order) + 11))

/**
 * struct ringbuf_shared - addresses of one direction's shared words
 * @prod: producer's index, written by the producer only
 * @cons: consumer's index, written by the consumer only
 * @data_wake: threshold at which the consumer wants an event, written by the
 *	consumer; NULL without feature-wakeup
 * @space_wake: threshold at which the producer wants an event, written by the
 *	producer; NULL without feature-wakeup
 *
 * Both thresholds are NULL or neither is. The peer can change all of these
 * words at any time.
 */
struct ringbuf_shared {
	u32 *prod;
	u32 *cons;
	u32 *data_wake;
	u32 *space_wake;
};

/**
 * struct ringbuf - private state of one side of one direction
 * @sh: the shared words
 * @size: bytes in the ring, a power of two from 2^12 to 2^20
 * @prod: producer's index: this side's own, or the last checked copy of the
 *	peer's
 * @cons: consumer's index: this side's own, or the last checked copy of the
 *	peer's
 */
struct ringbuf {
	struct ringbuf_shared sh;
	u32 size;
	u32 prod;
	u32 cons;
};

/**
 * struct ringbuf_span - at most two stretches of the ring's bytes
 * @off: offsets of the stretches from the start of this direction's bytes
 * @len: lengths of the stretches in bytes. @len[1] is 0 unless the span wraps,
 *	and then @off[1] is 0
 */
struct ringbuf_span {
	u32 off[2];
	u32 len[2];
};

void ringbuf_init(struct ringbuf *r, const struct ringbuf_shared *sh, u32 size);

int ringbuf_space(struct ringbuf *r);
struct ringbuf_span ringbuf_free_span(const struct ringbuf *r, u32 skip,
				      u32 len);
bool ringbuf_produce(struct ringbuf *r, u32 len);
int ringbuf_wait_space(struct ringbuf *r, u32 want);
void ringbuf_start_producer(struct ringbuf *r);

int ringbuf_avail(struct ringbuf *r);
struct ringbuf_span ringbuf_data_span(const struct ringbuf *r, u32 skip,
				      u32 len);
bool ringbuf_consume(struct ringbuf *r, u32 len);
int ringbuf_wait_data(struct ringbuf *r, u32 want);

#endif /* RINGBUF_H */
