// SPDX-License-Identifier: GPL-2.0
/*
 * Two real threads on one ring, on the machine's own memory: each sleeps on a
 * condition unless it was notified, and the bytes are checked. The peer's
 * words live apart from the threads' private state, as in the shared page.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "ringbuf.h"

#define SIZE	4096U
#define TOTAL	(3U << 20)
#define STUCK	20	/* seconds without an event */

/* What an event channel does: remembers that there was an event */
struct event {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool pending;
	u32 count;
};

struct side {
	struct ringbuf ring;
	struct event *mine;
	struct event *peer;
	u32 most;	/* bytes at a time */
	unsigned int seed;
	const char *error;
};

static struct {
	u32 prod __attribute__((aligned(64)));
	u32 cons __attribute__((aligned(64)));
	u32 data_wake __attribute__((aligned(64)));
	u32 space_wake;
	uint8_t bytes[SIZE];
} shared;

static uint8_t byte_at(u32 pos)
{
	return (uint8_t)((pos * 2654435761U) >> 23);
}

static void event_send(struct event *e)
{
	pthread_mutex_lock(&e->lock);
	e->pending = true;
	e->count++;
	pthread_cond_signal(&e->cond);
	pthread_mutex_unlock(&e->lock);
}

static bool event_wait(struct event *e)
{
	struct timespec until;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STUCK;
	pthread_mutex_lock(&e->lock);
	while (!e->pending && !ret)
		ret = pthread_cond_timedwait(&e->cond, &e->lock, &until);
	e->pending = false;
	pthread_mutex_unlock(&e->lock);
	return !ret;
}

static void *produce(void *arg)
{
	struct side *s = arg;
	u32 sent = 0, i, k;

	while (sent < TOTAL) {
		u32 want = s->ring.sh.data_wake ? s->most / 2 : 1;
		struct ringbuf_span span;
		u32 n;
		int space;

		want = min(want, TOTAL - sent);
		space = ringbuf_space(&s->ring);
		if (space >= 0 && space < (int)want)
			space = ringbuf_wait_space(&s->ring, want);
		if (space < 0) {
			s->error = "producer: honest index refused";
			break;
		}
		if (space < (int)want) {
			if (event_wait(s->mine))
				continue;
			s->error = "producer: stuck";
			break;
		}
		n = 1 + rand_r(&s->seed) % s->most;
		n = min(n, min((u32)space, TOTAL - sent));
		span = ringbuf_free_span(&s->ring, 0, n);
		for (k = 0; k < 2; k++)
			for (i = 0; i < span.len[k]; i++)
				shared.bytes[span.off[k] + i] = byte_at(sent++);
		if (ringbuf_produce(&s->ring, n))
			event_send(s->peer);
	}
	return NULL;
}

static void *consume(void *arg)
{
	struct side *s = arg;
	u32 got = 0, i, k;

	while (got < TOTAL) {
		u32 want = s->ring.sh.data_wake ? s->most / 2 : 1;
		struct ringbuf_span span;
		int avail;
		u32 n;

		want = min(want, TOTAL - got);
		avail = ringbuf_avail(&s->ring);
		if (avail >= 0 && avail < (int)want)
			avail = ringbuf_wait_data(&s->ring, want);
		if (avail < 0) {
			s->error = "consumer: honest index refused";
			break;
		}
		if (avail < (int)want) {
			if (event_wait(s->mine))
				continue;
			s->error = "consumer: stuck";
			break;
		}
		n = 1 + rand_r(&s->seed) % s->most;
		n = min(n, (u32)avail);
		span = ringbuf_data_span(&s->ring, 0, n);
		for (k = 0; k < 2; k++)
			for (i = 0; i < span.len[k]; i++)
				if (shared.bytes[span.off[k] + i] !=
				    byte_at(got++)) {
					s->error = "consumer: wrong byte";
					return NULL;
				}
		if (ringbuf_consume(&s->ring, n))
			event_send(s->peer);
	}
	return NULL;
}

static void stress(bool wakeup, u32 most_produced, u32 most_consumed)
{
	struct ringbuf_shared sh = {
		.prod = &shared.prod,
		.cons = &shared.cons,
		.data_wake = wakeup ? &shared.data_wake : NULL,
		.space_wake = wakeup ? &shared.space_wake : NULL,
	};
	struct event ev[2] = {
		{ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 },
		{ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 },
	};
	struct side p = { .mine = &ev[0], .peer = &ev[1], .seed = 1,
			  .most = most_produced };
	struct side c = { .mine = &ev[1], .peer = &ev[0], .seed = 2,
			  .most = most_consumed };
	pthread_t thread[2];

	memset(&shared, 0, sizeof(shared));
	ringbuf_init(&p.ring, &sh, SIZE);
	ringbuf_init(&c.ring, &sh, SIZE);
	/* the indexes wrap half way */
	shared.prod = shared.cons = 0U - TOTAL / 2;
	p.ring.prod = p.ring.cons = c.ring.prod = c.ring.cons = shared.prod;

	assert_int_equal(pthread_create(&thread[0], NULL, produce, &p), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, consume, &c), 0);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	if (p.error || c.error)
		fail_msg("%s, chunks %u and %u: %s", wakeup ? "thresholds" :
			 "version 1", most_produced, most_consumed,
			 c.error ? c.error : p.error);
}

static void run_all(bool wakeup)
{
	/* a slow consumer, a slow producer, equals, and byte by byte */
	stress(wakeup, SIZE, 64);
	stress(wakeup, 64, SIZE);
	stress(wakeup, 1500, 1500);
	stress(wakeup, 4, 4);
}

static void threads_version_1(void **state)
{
	(void)state;
	run_all(false);
}

static void threads_thresholds(void **state)
{
	(void)state;
	run_all(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_version_1),
		cmocka_unit_test(threads_thresholds),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
