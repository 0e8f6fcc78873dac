// SPDX-License-Identifier: GPL-2.0
/*
 * ringbuf.c, one call at a time: spans, checks of the peer's index, and when
 * an event is due. Everything is compared with the same rule written down a
 * second time, on 64-bit positions that never wrap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ringbuf.h"

struct page {
	u32 prod;
	u32 cons;
	u32 data_wake;
	u32 space_wake;
};

/* Positions before, at and after the two places where u32 arithmetic turns */
static const uint64_t bases[] = {
	1ULL << 32, (1ULL << 32) - 3, (2ULL << 32) - 8, (3ULL << 31) - 5,
	(3ULL << 31), (1ULL << 32) + 12345,
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define for_each_base(b) \
	for (b = bases; b < bases + ARRAY_SIZE(bases); b++)

/* A side that has seen positions @cons and @prod, of which it wrote one */
static struct ringbuf ring_at(struct page *p, bool wakeup, u32 size,
			      uint64_t cons, uint64_t prod)
{
	struct ringbuf_shared sh = { .prod = &p->prod, .cons = &p->cons };
	struct ringbuf r;

	if (wakeup) {
		sh.data_wake = &p->data_wake;
		sh.space_wake = &p->space_wake;
	}
	memset(p, 0, sizeof(*p));
	ringbuf_init(&r, &sh, size);
	r.prod = p->prod = (u32)prod;
	r.cons = p->cons = (u32)cons;
	return r;
}

static void init_ignores_the_page(void **state)
{
	struct page p = { 5, 9, 7, 7 };
	struct ringbuf_shared sh = { .prod = &p.prod, .cons = &p.cons };
	struct ringbuf r;

	(void)state;
	memset(&r, 0xa5, sizeof(r));
	ringbuf_init(&r, &sh, 4096);
	assert_int_equal(r.prod, 0);
	assert_int_equal(r.cons, 0);
	assert_int_equal(r.size, 4096);
	assert_ptr_equal(r.sh.prod, &p.prod);
	assert_ptr_equal(r.sh.cons, &p.cons);
	/* cons 9 of 0 produced bytes makes no sense */
	assert_int_equal(ringbuf_space(&r), -EPROTO);
	p.cons = 0;
	assert_int_equal(ringbuf_space(&r), 4096);
	assert_int_equal(ringbuf_avail(&r), 5);
}

static void sizes_of_the_protocol(void **state)
{
	u32 order;

	(void)state;
	/* half of 2^order pages of 4096 bytes */
	for (order = 1; order <= 9; order++)
		assert_int_equal(RINGBUF_SIZE(order), (4096U << order) / 2);
}

/*
 * Who produces and has not waited for space gets no event about it, whether the
 * threshold is zero from the start or not; until it waits.
 */
static void start_producer(void **state)
{
	const u32 size = 4096;
	struct page p, old;
	struct ringbuf prod, cons;

	(void)state;
	prod = ring_at(&p, true, size, 0, 0);
	cons = ring_at(&p, true, size, 0, 0);
	ringbuf_start_producer(&prod);
	ringbuf_produce(&prod, size);
	assert_int_equal(ringbuf_avail(&cons), size);
	assert_false(ringbuf_consume(&cons, 1));
	assert_false(ringbuf_consume(&cons, size / 2));
	assert_int_equal(ringbuf_wait_space(&prod, size), size / 2 + 1);
	assert_true(ringbuf_consume(&cons, size / 2 - 1));

	/* nothing else is touched, and nothing without thresholds */
	prod = ring_at(&p, true, size, 0, 0);
	old = p;
	ringbuf_start_producer(&prod);
	old.space_wake = p.space_wake;
	assert_memory_equal(&p, &old, sizeof(p));
	prod = ring_at(&p, false, size, 0, 0);
	old = p;
	ringbuf_start_producer(&prod);
	assert_memory_equal(&p, &old, sizeof(p));
}

/* A span must name exactly the bytes at positions pos to pos + len, in order */
static void check_span(struct ringbuf_span s, u32 size, uint64_t pos, u32 len)
{
	assert_int_equal((uint64_t)s.len[0] + s.len[1], len);
	assert_int_equal(s.off[0], pos % size);
	assert_int_equal(s.off[1], 0);
	assert_true((uint64_t)s.off[0] + s.len[0] <= size);
	assert_true(s.len[1] <= s.off[0]);
	if (s.len[1])
		assert_int_equal(s.off[0] + s.len[0], size);
}

static void spans_small_all(void **state)
{
	const u32 size = 8;
	const uint64_t *b;
	struct page p;
	u32 fill, len, skip, at;

	(void)state;
	for_each_base(b)
	for (at = 0; at < 2 * size; at++)
	for (fill = 0; fill <= size; fill++) {
		uint64_t cons = *b + at, prod = cons + fill;
		struct ringbuf r = ring_at(&p, false, size, cons, prod);

		for (skip = 0; skip <= size - fill; skip++)
			for (len = 0; len <= size - fill - skip; len++)
				check_span(ringbuf_free_span(&r, skip, len),
					   size, prod + skip, len);
		for (skip = 0; skip <= fill; skip++)
			for (len = 0; len <= fill - skip; len++)
				check_span(ringbuf_data_span(&r, skip, len),
					   size, cons + skip, len);
	}
}

static void spans_every_order(void **state)
{
	const uint64_t *b;
	struct page p;
	u32 order;
	int i;

	(void)state;
	srand(1);
	for (order = 1; order <= 9; order++)
	for_each_base(b)
	for (i = 0; i < 2000; i++) {
		u32 size = RINGBUF_SIZE(order);
		uint64_t cons = *b + rand();
		u32 fill = rand() % (size + 1);
		struct ringbuf r = ring_at(&p, false, size, cons, cons + fill);
		u32 skip = rand() % (fill + 1);
		u32 len = rand() % (fill - skip + 1);

		check_span(ringbuf_data_span(&r, skip, len), size, cons + skip,
			   len);
		check_span(ringbuf_data_span(&r, 0, fill), size, cons, fill);
		check_span(ringbuf_free_span(&r, 0, size - fill), size,
			   cons + fill, size - fill);
	}
}

static void fill_and_drain_every_order(void **state)
{
	const uint64_t *b;
	struct page p;
	u32 order;

	(void)state;
	for (order = 1; order <= 9; order++)
	for_each_base(b) {
		u32 size = RINGBUF_SIZE(order);
		struct ringbuf w = ring_at(&p, false, size, *b, *b);
		struct ringbuf r = ring_at(&p, false, size, *b, *b);

		assert_int_equal(ringbuf_avail(&r), 0);
		assert_int_equal(ringbuf_space(&w), size);
		ringbuf_produce(&w, size - 1);
		assert_int_equal(p.prod, (u32)(*b + size - 1));
		assert_int_equal(ringbuf_space(&w), 1);
		ringbuf_produce(&w, 1);
		assert_int_equal(ringbuf_space(&w), 0);
		assert_int_equal(ringbuf_wait_space(&w, 1), 0);
		assert_int_equal(ringbuf_avail(&r), size);
		ringbuf_consume(&r, 1);
		assert_int_equal(p.cons, (u32)(*b + 1));
		assert_int_equal(ringbuf_avail(&r), size - 1);
		assert_int_equal(ringbuf_space(&w), 1);
		ringbuf_consume(&r, size - 1);
		assert_int_equal(ringbuf_wait_data(&r, 1), 0);
		assert_int_equal(ringbuf_wait_space(&w, 1), size);
	}
}

/* Deltas worth trying around an index, as a hostile peer would */
static u32 hostile_delta(int i)
{
	static const u32 far[] = {
		0x7fffffff, 0x80000000, 0x80000001, 0xffff0000, 0x10000,
		0x40000000, 0xc0000000,
	};

	return i < 81 ? (u32)(i - 40) : far[i - 81];
}

#define HOSTILE_DELTAS	(81 + 7)

static void hostile_cons(void **state)
{
	const u32 size = 16;
	const uint64_t *b;
	struct page p;
	u32 fill;
	int i;

	(void)state;
	for_each_base(b)
	for (fill = 0; fill <= size; fill++)
	for (i = 0; i < HOSTILE_DELTAS; i++) {
		uint64_t cons = *b, prod = cons + fill;
		struct ringbuf r = ring_at(&p, false, size, cons, prod);
		u32 delta = hostile_delta(i);
		/* may stay, may move up to what was produced, nothing else */
		bool valid = delta <= fill;
		int want = valid ? (int)(size - fill + delta) : -EPROTO;

		p.cons = (u32)cons + delta;
		/* what stands in our own word is nobody's business */
		p.prod = (u32)rand();
		assert_int_equal(ringbuf_space(&r), want);
		assert_int_equal(r.cons, (u32)cons + (valid ? delta : 0));
		assert_int_equal(r.prod, (u32)prod);
		assert_int_equal(ringbuf_wait_space(&r, 1), want);
		/* still the old state: an honest value is taken */
		p.cons = (u32)prod;
		assert_int_equal(ringbuf_space(&r), size);
	}
}

static void hostile_prod(void **state)
{
	const u32 size = 16;
	const uint64_t *b;
	struct page p;
	u32 fill;
	int i;

	(void)state;
	for_each_base(b)
	for (fill = 0; fill <= size; fill++)
	for (i = 0; i < HOSTILE_DELTAS; i++) {
		uint64_t cons = *b, prod = cons + fill;
		struct ringbuf r = ring_at(&p, false, size, cons, prod);
		u32 delta = hostile_delta(i);
		/* may stay, may fill the free space, nothing else */
		bool valid = delta <= size - fill;
		int want = valid ? (int)(fill + delta) : -EPROTO;

		p.prod = (u32)prod + delta;
		p.cons = (u32)rand();
		assert_int_equal(ringbuf_avail(&r), want);
		assert_int_equal(r.prod, (u32)prod + (valid ? delta : 0));
		assert_int_equal(r.cons, (u32)cons);
		assert_int_equal(ringbuf_wait_data(&r, 1), want);
		p.prod = (u32)(cons + size);
		assert_int_equal(ringbuf_avail(&r), size);
	}
}

/* An index that was accepted can not be taken back in a later call */
static void hostile_going_back(void **state)
{
	struct page p;
	struct ringbuf r;

	(void)state;
	r = ring_at(&p, false, 4096, 0, 0);
	ringbuf_produce(&r, 100);
	p.cons = 60;
	assert_int_equal(ringbuf_space(&r), 4096 - 40);
	p.cons = 59;
	assert_int_equal(ringbuf_space(&r), -EPROTO);
	assert_int_equal(ringbuf_wait_space(&r, 1), -EPROTO);
	p.cons = 101;
	assert_int_equal(ringbuf_space(&r), -EPROTO);

	r = ring_at(&p, false, 4096, 0, 0);
	p.prod = 4096;
	assert_int_equal(ringbuf_avail(&r), 4096);
	ringbuf_consume(&r, 1);
	p.prod = 4095;
	assert_int_equal(ringbuf_avail(&r), -EPROTO);
	assert_int_equal(ringbuf_wait_data(&r, 1), -EPROTO);
	p.prod = 4098;
	assert_int_equal(ringbuf_avail(&r), -EPROTO);
	p.prod = 4097;
	assert_int_equal(ringbuf_avail(&r), 4096);
}

/*
 * Version 1: an event to the consumer if it had everything that was published
 * before and not yet all of this, an event to the producer if the ring was full. The peer's index is
 * the one in the page, which may be newer than what this side has checked.
 */
static void notify_version_1(void **state)
{
	const u32 size = 8;
	const uint64_t *b;
	struct page p;
	u32 fill, len, moved;

	(void)state;
	for_each_base(b)
	for (fill = 0; fill <= size; fill++) {
		for (len = 1; len <= size - fill; len++)
		for (moved = 0; moved <= fill + len; moved++) {
			struct ringbuf r = ring_at(&p, false, size, *b,
						   *b + fill);

			p.cons = (u32)(*b + moved);
			assert_int_equal(ringbuf_produce(&r, len),
					 moved >= fill && moved < fill + len);
			assert_int_equal(p.prod, (u32)(*b + fill + len));
		}
		for (len = 1; len <= fill; len++)
		for (moved = fill; moved <= size + len; moved++) {
			struct ringbuf r = ring_at(&p, false, size, *b,
						   *b + fill);

			p.prod = (u32)(*b + moved);
			assert_int_equal(ringbuf_consume(&r, len),
					 moved >= size);
			assert_int_equal(p.cons, (u32)(*b + len));
		}
	}
}

/* Thresholds: an event if old <= wake < new, modulo 2^32 */
static void notify_thresholds(void **state)
{
	const u32 size = 8;
	const uint64_t *b;
	struct page p;
	u32 len;
	int i;

	(void)state;
	for_each_base(b)
	for (len = 1; len <= size; len++)
	for (i = 0; i < HOSTILE_DELTAS; i++) {
		u32 delta = hostile_delta(i);
		struct ringbuf r;

		r = ring_at(&p, true, size, *b, *b);
		p.data_wake = (u32)*b + delta;
		p.space_wake = (u32)rand();
		assert_int_equal(ringbuf_produce(&r, len), delta < len);

		r = ring_at(&p, true, size, *b, *b + size);
		p.space_wake = (u32)*b + delta;
		p.data_wake = (u32)rand();
		assert_int_equal(ringbuf_consume(&r, len), delta < len);
	}
}

/* The step that gives the waiter what it wants, and only that one, wakes it */
static void threshold_means_what_was_wanted(void **state)
{
	const u32 size = 8;
	const uint64_t *b;
	struct page p;
	u32 fill, want, step, got;

	(void)state;
	for_each_base(b)
	for (fill = 0; fill < size; fill++)
	for (want = fill + 1; want <= size; want++)
	for (step = 1; step <= size - fill; step++) {
		struct ringbuf w, r;

		/* data: the consumer has seen fill bytes and wants more */
		w = ring_at(&p, true, size, *b, *b + fill);
		r = ring_at(&p, true, size, *b, *b + fill);
		assert_int_equal(ringbuf_wait_data(&r, want), fill);
		assert_int_equal(p.space_wake, 0);
		for (got = fill; got + step <= size; got += step)
			assert_int_equal(ringbuf_produce(&w, step),
					 got < want && got + step >= want);

		/* space: the producer has seen fill free bytes */
		w = ring_at(&p, true, size, *b, *b + size - fill);
		r = ring_at(&p, true, size, *b, *b + size - fill);
		assert_int_equal(ringbuf_wait_space(&w, want), fill);
		assert_int_equal(p.data_wake, 0);
		for (got = fill; got + step <= size; got += step)
			assert_int_equal(ringbuf_consume(&r, step),
					 got < want && got + step >= want);
	}
}

/* The look after announcing sees what came in between */
static void wait_looks_again(void **state)
{
	struct page p;
	struct ringbuf r;

	(void)state;
	r = ring_at(&p, true, 64, 0, 0);
	assert_int_equal(ringbuf_avail(&r), 0);
	p.prod = 7;
	assert_int_equal(ringbuf_wait_data(&r, 9), 7);
	assert_int_equal(p.data_wake, 8);

	r = ring_at(&p, true, 64, 0, 64);
	assert_int_equal(ringbuf_space(&r), 0);
	p.cons = 7;
	assert_int_equal(ringbuf_wait_space(&r, 9), 7);
	assert_int_equal(p.space_wake, 8);
}

/* Version 1 must leave the padding of the indexes page alone */
static void version_1_writes_no_threshold(void **state)
{
	struct page p;
	struct ringbuf r = ring_at(&p, false, 64, 0, 0);

	(void)state;
	p.data_wake = p.space_wake = 77;
	ringbuf_wait_space(&r, 64);
	ringbuf_wait_data(&r, 64);
	ringbuf_produce(&r, 1);
	ringbuf_consume(&r, 1);
	assert_int_equal(p.data_wake, 77);
	assert_int_equal(p.space_wake, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_ignores_the_page),
		cmocka_unit_test(sizes_of_the_protocol),
		cmocka_unit_test(start_producer),
		cmocka_unit_test(spans_small_all),
		cmocka_unit_test(spans_every_order),
		cmocka_unit_test(fill_and_drain_every_order),
		cmocka_unit_test(hostile_cons),
		cmocka_unit_test(hostile_prod),
		cmocka_unit_test(hostile_going_back),
		cmocka_unit_test(notify_version_1),
		cmocka_unit_test(notify_thresholds),
		cmocka_unit_test(threshold_means_what_was_wanted),
		cmocka_unit_test(wait_looks_again),
		cmocka_unit_test(version_1_writes_no_threshold),
	};

	return cmocka_run_group_tests_name("ringbuf", tests, NULL, NULL);
}
