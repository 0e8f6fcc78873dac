// SPDX-License-Identifier: GPL-2.0
/*
 * Both sides of a ring on weakly ordered memory (weakmem.h), each asleep
 * unless it was notified. The bytes must arrive as they were sent, and it must
 * never get stuck.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ringbuf.h"

enum state {
	RUNNING,
	ASLEEP,		/* until an event comes */
	RESTING,	/* has nothing to do until all else is quiet */
	DONE,
};

static struct {
	bool wakeup;
	u32 size;
	u32 total;
	u32 start;
	struct ringbuf ring[WM_SIDES];
	enum state state[WM_SIDES];
	bool event[WM_SIDES];
	u32 want[WM_SIDES];
	u32 sent;
	u32 got;
	char error[160];
} sim;

#define FAIL(...) do {							\
	if (!sim.error[0])						\
		snprintf(sim.error, sizeof(sim.error), __VA_ARGS__);	\
} while (0)

static uint8_t byte_at(u32 pos)
{
	return (uint8_t)(((pos + 1) * 2654435761U) >> 24);
}

/* What a side waits for; the two together never exceed what the ring has */
static u32 choose_want(u32 most)
{
	u32 limit = min(sim.size / 2, most);

	return sim.wakeup ? 1 + wm_random(limit) : 1;
}

static void sleep_until_event(enum wm_side side)
{
	sim.state[side] = ASLEEP;
	while (sim.state[side] == ASLEEP)
		wm_pause();
}

static void rest(enum wm_side side)
{
	sim.state[side] = RESTING;
	while (sim.state[side] == RESTING)
		wm_pause();
}

static void produce(u32 n)
{
	struct ringbuf *r = &sim.ring[WM_PRODUCER];
	struct ringbuf_span s = ringbuf_free_span(r, 0, n);
	uint8_t data[WM_BYTES];
	u32 i;

	for (i = 0; i < n; i++)
		data[i] = byte_at(sim.sent + i);
	wm_write_bytes(s.off[0], data, s.len[0]);
	if (s.len[1])
		wm_write_bytes(s.off[1], data + s.len[0], s.len[1]);
	sim.sent += n;
	if (ringbuf_produce(r, n))
		sim.event[WM_CONSUMER] = true;
}

static void producer(void)
{
	struct ringbuf *r = &sim.ring[WM_PRODUCER];

	while (sim.sent < sim.total && !sim.error[0]) {
		u32 want = choose_want(sim.total - sim.sent);
		int space = ringbuf_space(r);

		sim.want[WM_PRODUCER] = want;
		if (space >= 0 && space < (int)want)
			space = ringbuf_wait_space(r, want);
		if (space < 0) {
			FAIL("producer: honest index refused at %u", sim.sent);
			break;
		}
		if (space < (int)want) {
			sleep_until_event(WM_PRODUCER);
			continue;
		}
		produce(1 + wm_random(min((u32)space, sim.total - sim.sent)));
		if (wm_random(3) == 0)
			rest(WM_PRODUCER);
	}
	sim.state[WM_PRODUCER] = DONE;
}

static void consume(u32 n)
{
	struct ringbuf *r = &sim.ring[WM_CONSUMER];
	u32 skip = wm_random(n + 1), i;
	struct ringbuf_span a = ringbuf_data_span(r, 0, skip);
	struct ringbuf_span b = ringbuf_data_span(r, skip, n - skip);
	uint8_t data[WM_BYTES];
	bool event;

	memset(data, 0, sizeof(data));
	wm_read_bytes(a.off[0], data, a.len[0]);
	wm_read_bytes(a.off[1], data + a.len[0], a.len[1]);
	wm_read_bytes(b.off[0], data + skip, b.len[0]);
	wm_read_bytes(b.off[1], data + skip + b.len[0], b.len[1]);
	event = ringbuf_consume(r, n);
	wm_mb(); /* a program that uses the bytes has read them by now */
	for (i = 0; i < n; i++)
		if (data[i] != byte_at(sim.got + i)) {
			FAIL("consumer: wrong byte at %u", sim.got + i);
			break;
		}
	sim.got += n;
	if (event)
		sim.event[WM_PRODUCER] = true;
}

static void consumer(void)
{
	struct ringbuf *r = &sim.ring[WM_CONSUMER];

	while (sim.got < sim.total && !sim.error[0]) {
		u32 want = choose_want(sim.total - sim.got);
		int avail = ringbuf_avail(r);

		sim.want[WM_CONSUMER] = want;
		if (avail >= 0 && avail < (int)want)
			avail = ringbuf_wait_data(r, want);
		if (avail < 0) {
			FAIL("consumer: honest index refused at %u", sim.got);
			break;
		}
		if (avail < (int)want) {
			sleep_until_event(WM_CONSUMER);
			continue;
		}
		consume(1 + wm_random((u32)avail));
		if (wm_random(3) == 0)
			rest(WM_CONSUMER);
	}
	sim.state[WM_CONSUMER] = DONE;
}

/* Nobody runs and nothing is on its way: was somebody forgotten? */
static void quiet(void)
{
	u32 used = sim.sent - sim.got;

	if (sim.state[WM_CONSUMER] == ASLEEP && used >= sim.want[WM_CONSUMER])
		FAIL("consumer sleeps over %u bytes, wanted %u, at %u", used,
		     sim.want[WM_CONSUMER], sim.got);
	if (sim.state[WM_PRODUCER] == ASLEEP &&
	    sim.size - used >= sim.want[WM_PRODUCER])
		FAIL("producer sleeps over %u free bytes, wanted %u, at %u",
		     sim.size - used, sim.want[WM_PRODUCER], sim.sent);
	if (sim.state[WM_PRODUCER] == RESTING)
		sim.state[WM_PRODUCER] = RUNNING;
	else if (sim.state[WM_CONSUMER] == RESTING)
		sim.state[WM_CONSUMER] = RUNNING;
	else
		FAIL("deadlock at %u sent, %u got", sim.sent, sim.got);
}

static void init_side(enum wm_side side)
{
	struct wm_shared *v = &wm_view[side];
	struct ringbuf_shared sh = { .prod = &v->prod, .cons = &v->cons };

	if (sim.wakeup) {
		sh.data_wake = &v->data_wake;
		sh.space_wake = &v->space_wake;
	}
	ringbuf_init(&sim.ring[side], &sh, sim.size);
	sim.ring[side].prod = sim.start;
	sim.ring[side].cons = sim.start;
	sim.state[side] = RUNNING;
}

static void run(bool wakeup, uint64_t seed)
{
	memset(&sim, 0, sizeof(sim));
	wm_reset(seed, 0, 0);
	sim.wakeup = wakeup;
	sim.size = 4U << wm_random(5); /* 4 to 64 */
	sim.total = 1 + wm_random(8 * sim.size);
	sim.start = 0U - wm_random(8 * sim.size);
	wm_reset(seed, sim.start, sim.start);
	init_side(WM_PRODUCER);
	init_side(WM_CONSUMER);
	wm_start(WM_PRODUCER, producer);
	wm_start(WM_CONSUMER, consumer);

	while (!sim.error[0]) {
		bool can[WM_SIDES];
		int i;

		for (i = 0; i < WM_SIDES; i++) {
			if (sim.state[i] == ASLEEP && sim.event[i]) {
				sim.event[i] = false;
				sim.state[i] = RUNNING;
			}
			can[i] = sim.state[i] == RUNNING;
		}
		if (can[0] || can[1])
			wm_run(can[0] && can[1] ? wm_random(2) : can[1]);
		else if (sim.state[0] == DONE && sim.state[1] == DONE)
			break;
		else if (!wm_settle_one())
			quiet();
	}
	if (!sim.error[0] && sim.got != sim.total)
		FAIL("%u bytes of %u", sim.got, sim.total);
	if (sim.error[0])
		fail_msg("%s, seed %llu: %s",
			 wakeup ? "thresholds" : "version 1",
			 (unsigned long long)seed, sim.error);
}

static void run_all(bool wakeup)
{
	const char *rounds = getenv("SIM_ROUNDS");
	uint64_t seed, n = rounds ? strtoull(rounds, NULL, 10) : 2000;

	for (seed = 1; seed <= n; seed++)
		run(wakeup, seed);
}

static void stream_version_1(void **state)
{
	(void)state;
	run_all(false);
}

static void stream_thresholds(void **state)
{
	(void)state;
	run_all(true);
}

/* A word of the peer's that is read twice can change in between */
static void reads_each_word_once(void **state)
{
	struct ringbuf *p = &sim.ring[WM_PRODUCER];
	struct ringbuf *c = &sim.ring[WM_CONSUMER];
	int wakeup;

	(void)state;
	for (wakeup = 0; wakeup < 2; wakeup++) {
		memset(&sim, 0, sizeof(sim));
		sim.wakeup = wakeup;
		sim.size = 64;
		wm_reset(1, 0, 0);
		init_side(WM_PRODUCER);
		init_side(WM_CONSUMER);

		wm_direct(WM_PRODUCER);
		assert_int_equal(ringbuf_space(p), 64);
		assert_int_equal(wm_reads, 1);
		assert_int_equal(ringbuf_wait_space(p, 1), 64);
		assert_int_equal(wm_reads, 2);
		assert_true(ringbuf_produce(p, 1));
		assert_int_equal(wm_reads, 3);

		wm_direct(WM_CONSUMER);
		assert_int_equal(ringbuf_wait_data(c, 1), 1);
		assert_int_equal(wm_reads, 4);
		assert_int_equal(ringbuf_avail(c), 1);
		assert_int_equal(wm_reads, 5);
		ringbuf_consume(c, 1);
		assert_int_equal(wm_reads, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_word_once),
		cmocka_unit_test(stream_version_1),
		cmocka_unit_test(stream_thresholds),
	};

	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
