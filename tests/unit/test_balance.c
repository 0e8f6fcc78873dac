// SPDX-License-Identifier: GPL-2.0
/* balance.c and busypoll.c: what they promise, and where it leads to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "balance.h"
#include "busypoll.h"

#define WORKERS	4
#define RINGS	16

static void even_is_even(void **state)
{
	u64 cost[WORKERS] = { 1000, 1000, 1000, 1000 };
	u32 from, to;

	(void)state;
	assert_false(balance_find(cost, WORKERS, 0, &from, &to));
	/* a mean of 1000, 1125 is within 1/8 of it, 1126 is not */
	cost[2] = 1125;
	cost[1] = 875;
	assert_false(balance_find(cost, WORKERS, 0, &from, &to));
	cost[2] = 1126;
	cost[1] = 874;
	assert_true(balance_find(cost, WORKERS, 0, &from, &to));
	assert_int_equal(from, 2);
	assert_int_equal(to, 1);
}

static void one_worker_is_even(void **state)
{
	u64 cost = 12345;
	u32 from, to;

	(void)state;
	assert_false(balance_find(&cost, 1, 0, &from, &to));
}

static void nobody_is_busy(void **state)
{
	const u64 cost[2] = { 199, 0 };
	u32 from, to;

	(void)state;
	assert_false(balance_find(cost, 2, 100, &from, &to));
	assert_true(balance_find(cost, 2, 99, &from, &to));
	assert_true(balance_find((const u64[]){ 198, 0 }, 2, 99, &from, &to));
}

/* Costs as large as they may be: nothing overflows */
static void large_costs(void **state)
{
	u64 cost[64];
	u32 from, to, i;

	(void)state;
	for (i = 0; i < 64; i++)
		cost[i] = (1ULL << 56) - 1;
	assert_false(balance_find(cost, 64, 1ULL << 50, &from, &to));
	cost[63] = 0;
	cost[5] = (1ULL << 56) - 1;
	for (i = 10; i < 63; i++)
		cost[i] /= 2;
	assert_true(balance_find(cost, 64, 1ULL << 50, &from, &to));
	assert_int_equal(from, 0);
	assert_int_equal(to, 63);
}

/* Nothing leaves its node, however little the other one has to do */
static void nodes_by_themselves(void **state)
{
	u64 cost[6] = { 1000, 10, 1000, 20, 1000, 10 };
	const int node[6] = { 1, 0, 1, 0, 1, 0 };
	u32 from, to;

	(void)state;
	assert_false(balance_find_near(cost, node, 6, 100, &from, &to));
	/* on a node with little to do nobody is busy */
	cost[3] = 200;
	assert_false(balance_find_near(cost, node, 6, 100, &from, &to));
	assert_true(balance_find_near(cost, node, 6, 70, &from, &to));
	assert_int_equal(from, 3);
	assert_int_equal(to, 1);
	/* both are uneven: the one that is more so, wherever it is */
	cost[2] = 1500;
	assert_true(balance_find_near(cost, node, 6, 70, &from, &to));
	assert_int_equal(from, 2);
	assert_int_equal(to, 0);
	cost[5] = 900;
	assert_true(balance_find_near(cost, node, 6, 70, &from, &to));
	assert_int_equal(from, 5);
	assert_int_equal(to, 1);
	/* as many nodes as workers */
	assert_false(balance_find_near(cost, (const int[]){ 0, 1, 2, 3, 4, 5 },
				       6, 1, &from, &to));
	/* a worker that is alone there */
	assert_true(balance_find_near(cost, (const int[]){ 7, 0, 0, 0, 0, 0 },
				      6, 1, &from, &to));
	assert_int_equal(from, 2);
	assert_int_equal(to, 1);
}

static void what_a_move_gains(void **state)
{
	(void)state;
	/* 100 and 20: a ring of 40 makes it even */
	assert_int_equal(balance_gain(100, 20, 40), 40);
	assert_int_equal(balance_gain(100, 20, 10), 10);
	/* then the other one is the busier */
	assert_int_equal(balance_gain(100, 20, 60), 20);
	/* the two change places, or worse */
	assert_int_equal(balance_gain(100, 20, 80), 0);
	assert_int_equal(balance_gain(100, 20, 100), 0);
	assert_int_equal(balance_gain(100, 0, 100), 0);
	/* a ring cannot cost more than its worker, but counters are racy */
	assert_int_equal(balance_gain(100, 20, 150), 0);
	/* less than 1/16 is not worth it */
	assert_int_equal(balance_gain(160, 0, 9), 0);
	assert_int_equal(balance_gain(160, 0, 10), 10);
	assert_int_equal(balance_gain(0, 0, 0), 0);
}

/* One turn of a balancer: the move that gains most. Returns if there is one. */
static int turn(const u64 *ring, u32 *where)
{
	u64 cost[WORKERS] = {}, gain = 0;
	int i, best = -1;
	u32 from, to;

	for (i = 0; i < RINGS; i++)
		cost[where[i]] += ring[i];
	if (!balance_find(cost, WORKERS, 1, &from, &to))
		return 0;
	for (i = 0; i < RINGS; i++) {
		u64 g;

		if (where[i] != from)
			continue;
		g = balance_gain(cost[from], cost[to], ring[i]);
		if (g > gain) {
			gain = g;
			best = i;
		}
	}
	if (best < 0)
		return 0;
	where[best] = to;
	return 1;
}

/* Equal streams, all on one worker: in the end at most 1.25 times the mean */
static void comes_to_an_end(void **state)
{
	u64 ring[RINGS], cost[WORKERS];
	u32 where[RINGS];
	int round, turns, i;

	(void)state;
	srand(1);
	for (round = 0; round < 2000; round++) {
		u64 sum = 0, top = 0, largest = 0;

		for (i = 0; i < RINGS; i++) {
			ring[i] = round ? 1 + rand() % (1 + round) : 1000;
			where[i] = rand() % (1 + round % WORKERS);
			sum += ring[i];
			if (ring[i] > largest)
				largest = ring[i];
		}
		for (turns = 0; turn(ring, where); turns++)
			assert_true(turns < 100);
		memset(cost, 0, sizeof(cost));
		for (i = 0; i < RINGS; i++)
			cost[where[i]] += ring[i];
		for (i = 0; i < WORKERS; i++)
			if (cost[i] > top)
				top = cost[i];
		/* or it is one ring that makes the difference */
		if (round)
			assert_true(top * WORKERS * 100 <= sum * 125 ||
				    top * WORKERS <= sum + largest * WORKERS);
		else
			assert_int_equal(top, 4000);
	}
}

static void a_hot_ring_stays(void **state)
{
	u64 ring[RINGS] = { 1000000 };
	u32 where[RINGS] = {};
	int i;

	(void)state;
	for (i = 1; i < RINGS; i++) {
		ring[i] = 1;
		where[i] = i % WORKERS;
	}
	while (turn(ring, where))
		;
	assert_int_equal(where[0], 0);
}

static void polls_when_it_pays(void **state)
{
	u32 w = 0;
	int i;

	(void)state;
	/* work every 10 us, up to 50 us allowed */
	for (i = 0; i < 20; i++)
		w = busypoll_next(w, 50000, 10000);
	assert_in_range(w, 10000, 50000);
	/* no more than it takes */
	assert_true(w < 20000);
	/* and stays so */
	assert_int_equal(busypoll_next(w, 50000, 10000), w);
	assert_int_equal(busypoll_next(w, 50000, w), w);
	/* never beyond what is allowed, also when that becomes less */
	assert_int_equal(busypoll_next(32000, 50000, 49000), 50000);
	assert_int_equal(busypoll_next(32000, 20000, 100), 20000);
}

static void stops_when_it_does_not(void **state)
{
	u32 w = 50000;
	int i;

	(void)state;
	assert_int_equal(busypoll_next(w, 50000, 50001), 25000);
	for (i = 0; i < 10; i++)
		w = busypoll_next(w, 50000, 1000000);
	assert_int_equal(w, 0);
	/* and begins again, small */
	assert_int_equal(busypoll_next(0, 50000, 50000), BUSYPOLL_MIN);
	assert_int_equal(busypoll_next(0, 50000, 50001), 0);
	assert_int_equal(busypoll_next(1999, 50000, 60000), 0);
	assert_int_equal(busypoll_next(2000, 50000, 60000), 1000);
}

static void polling_is_off(void **state)
{
	(void)state;
	assert_int_equal(busypoll_next(5000, 0, 0), 0);
	assert_int_equal(busypoll_next(5000, 0, 1), 0);
	assert_int_equal(busypoll_next(0, 0, 0), 0);
	/* the smallest limit that does anything */
	assert_int_equal(busypoll_next(0, 1000, 500), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(even_is_even),
		cmocka_unit_test(one_worker_is_even),
		cmocka_unit_test(nobody_is_busy),
		cmocka_unit_test(large_costs),
		cmocka_unit_test(nodes_by_themselves),
		cmocka_unit_test(what_a_move_gains),
		cmocka_unit_test(comes_to_an_end),
		cmocka_unit_test(a_hot_ring_stays),
		cmocka_unit_test(polls_when_it_pays),
		cmocka_unit_test(stops_when_it_does_not),
		cmocka_unit_test(polling_is_off),
	};

	return cmocka_run_group_tests_name("balance", tests, NULL, NULL);
}
