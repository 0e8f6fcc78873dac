// SPDX-License-Identifier: GPL-2.0
/*
 * A ring whose peer writes whatever it likes into the shared words, at the very
 * moment when we read them. The input decides what we do and what it writes.
 * Whatever it is, we must stay inside the ring.
 */
#include <stdlib.h>
#include <string.h>

#include "ringbuf.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static const uint8_t *input;
static size_t left;

static struct {
	u32 prod;
	u32 cons;
	u32 data_wake;
	u32 space_wake;
} page;

static struct ringbuf ring;

static u32 next(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

static u32 next_u32(void)
{
	u32 v = next();

	v |= next() << 8;
	v |= next() << 16;
	return v | next() << 24;
}

/* What the peer writes: mostly close to what makes sense */
static void peer_writes(u32 *p)
{
	u32 how = next();

	switch (how & 7) {
	case 0:
		*p = next_u32();
		break;
	case 1:
		*p += how >> 3;
		break;
	case 2:
		*p -= how >> 3;
		break;
	case 3:
		*p = ring.cons + ring.size - 16 + (how >> 3);
		break;
	case 4:
		*p = ring.prod - 16 + (how >> 3);
		break;
	case 5:
		*p = ring.cons - 16 + (how >> 3);
		break;
	default:
		break;
	}
}

static u32 last_read;
static u32 reads;

u32 hostile_read(u32 *p)
{
	peer_writes(p);
	reads++;
	last_read = *p;
	return *p;
}

/* Use the bytes: the address sanitizer knows where the ring ends */
static void use_span(uint8_t *bytes, struct ringbuf_span s, u32 len, bool write)
{
	int k;

	MUST(s.len[0] <= ring.size && s.len[1] <= ring.size);
	MUST(s.len[0] + s.len[1] == len);
	for (k = 0; k < 2; k++) {
		MUST(s.off[k] < ring.size);
		MUST(s.len[k] <= ring.size - s.off[k]);
		/* both ends will do */
		if (!s.len[k])
			continue;
		if (write) {
			bytes[s.off[k]] = 1;
			bytes[s.off[k] + s.len[k] - 1] = 2;
		} else {
			MUST(bytes[s.off[k]] + bytes[s.off[k] + s.len[k] - 1] <
			     100);
		}
	}
}

/* As much as there is, or some of it */
static u32 some(u32 most)
{
	u32 how = next();

	if (!most || how < 64)
		return most;
	return how < 128 ? min(how - 64, most) : next_u32() % (most + 1);
}

static void check_count(int n, bool producer, const struct ringbuf *before)
{
	u32 first = producer ? before->cons : before->prod;
	u32 last = producer ? before->prod : before->cons + ring.size;

	MUST(n == -EPROTO || (n >= 0 && (u32)n <= ring.size));
	/* read once, and taken exactly if it made sense */
	MUST(reads == 1);
	MUST((n >= 0) == (last_read - first <= last - first));
	if (n >= 0)
		MUST(last_read == (producer ? ring.cons : ring.prod));
	/* our own index is ours, and the peer's stays where it was if refused */
	if (producer || n < 0)
		MUST(ring.prod == before->prod);
	if (!producer || n < 0)
		MUST(ring.cons == before->cons);
	MUST(ring.prod - ring.cons <= ring.size);
	if (n >= 0 && producer)
		MUST((u32)n == ring.size - (ring.prod - ring.cons));
	if (n >= 0 && !producer)
		MUST((u32)n == ring.prod - ring.cons);
}

static void producer_step(uint8_t *bytes, u32 op)
{
	struct ringbuf before = ring;
	u32 len;
	int n;

	reads = 0;
	n = op & 1 ? ringbuf_wait_space(&ring, 1 + some(ring.size - 1)) :
		     ringbuf_space(&ring);
	check_count(n, true, &before);
	if (n <= 0)
		return;
	len = some((u32)n);
	use_span(bytes, ringbuf_free_span(&ring, 0, len), len, true);
	before = ring;
	reads = 0;
	ringbuf_produce(&ring, len);
	MUST(reads == 1);
	MUST(ring.prod == before.prod + len && ring.cons == before.cons);
	MUST(ring.prod - ring.cons <= ring.size);
}

static void consumer_step(uint8_t *bytes, u32 op)
{
	struct ringbuf before = ring;
	u32 len, skip;
	int n;

	reads = 0;
	n = op & 1 ? ringbuf_wait_data(&ring, 1 + some(ring.size - 1)) :
		     ringbuf_avail(&ring);
	check_count(n, false, &before);
	if (n <= 0)
		return;
	len = some((u32)n);
	skip = some(len);
	use_span(bytes, ringbuf_data_span(&ring, 0, skip), skip, false);
	use_span(bytes, ringbuf_data_span(&ring, skip, len - skip), len - skip,
		 false);
	before = ring;
	reads = 0;
	ringbuf_consume(&ring, len);
	MUST(reads == 1);
	MUST(ring.cons == before.cons + len && ring.prod == before.prod);
	MUST(ring.prod - ring.cons <= ring.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ringbuf_shared sh = { .prod = &page.prod, .cons = &page.cons };
	bool producer;
	uint8_t *bytes;
	u32 how;

	if (size < 6)
		return 0;
	input = data;
	left = size;
	how = next();
	producer = how & 1;
	if (how & 2) {
		sh.data_wake = &page.data_wake;
		sh.space_wake = &page.space_wake;
	}
	memset(&page, 0, sizeof(page));
	ringbuf_init(&ring, &sh, RINGBUF_SIZE(1 + (how >> 2) % 9));
	/* after any number of bytes */
	ring.prod = next_u32();
	ring.cons = ring.prod;
	page.prod = ring.prod;
	page.cons = ring.prod;
	bytes = calloc(1, ring.size);
	MUST(bytes);

	while (left) {
		u32 op = next();

		/* our own words in the page are the peer's to write, too */
		if (op & 0x80) {
			peer_writes(&page.prod);
			peer_writes(&page.cons);
		}
		if (producer)
			producer_step(bytes, op);
		else
			consumer_step(bytes, op);
	}
	free(bytes);
	return 0;
}
