// SPDX-License-Identifier: GPL-2.0
/* placement.c against a plain search, and what it promises in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "placement.h"

#define N	8

static u64 cost(struct placement_worker w, int node, u32 remote_cost)
{
	return (u64)w.load +
	       (node == PLACEMENT_ANY_NODE || node == w.node ? 0 : remote_cost);
}

static void the_only_worker(void **state)
{
	struct placement_worker w = { .load = UINT32_MAX, .node = 3 };

	(void)state;
	assert_int_equal(placement_choose(&w, 1, 0, UINT32_MAX), 0);
	assert_int_equal(placement_choose(&w, 1, PLACEMENT_ANY_NODE, 0), 0);
}

static void first_of_equals(void **state)
{
	struct placement_worker w[N] = {};

	(void)state;
	assert_int_equal(placement_choose(w, N, PLACEMENT_ANY_NODE, 2), 0);
	w[0].load = 1;
	assert_int_equal(placement_choose(w, N, 0, 2), 1);
}

static void distance_is_worth_rings(void **state)
{
	struct placement_worker w[2] = {
		{ .load = 2, .node = 0 },
		{ .load = 0, .node = 1 },
	};

	(void)state;
	assert_int_equal(placement_choose(w, 2, 0, 1), 1);
	assert_int_equal(placement_choose(w, 2, 0, 2), 0);
	assert_int_equal(placement_choose(w, 2, 0, 3), 0);
	assert_int_equal(placement_choose(w, 2, 1, 3), 1);
	assert_int_equal(placement_choose(w, 2, PLACEMENT_ANY_NODE, 3), 1);

	/* nor is a worker whose node is unknown nearer to anything */
	w[0].node = PLACEMENT_ANY_NODE;
	w[0].load = 1;
	assert_int_equal(placement_choose(w, 2, PLACEMENT_ANY_NODE, 3), 1);
}

/* A cost near the end of u32 is not a small one */
static void no_overflow(void **state)
{
	struct placement_worker w[2] = {
		{ .load = 10, .node = 1 },
		{ .load = UINT32_MAX, .node = 0 },
	};

	(void)state;
	assert_int_equal(placement_choose(w, 2, 0, UINT32_MAX), 1);
}

static void the_cheapest_of_many(void **state)
{
	struct placement_worker w[N];
	int round, i;

	(void)state;
	srand(1);
	for (round = 0; round < 20000; round++) {
		u32 n = 1 + rand() % N;
		int node = rand() % 4 - 1;
		u32 remote = rand() % 5;
		u32 got;

		for (i = 0; i < N; i++) {
			w[i].load = rand() % 6;
			w[i].node = rand() % 3;
		}
		got = placement_choose(w, n, node, remote);
		assert_true(got < n);
		for (i = 0; i < (int)n; i++) {
			u64 mine = cost(w[got], node, remote);
			u64 other = cost(w[i], node, remote);

			assert_true(mine <= other);
			assert_true(mine < other || (int)got <= i);
		}
	}
}

/* One ring after another: all workers get the same, give or take one */
static void spreads_evenly(void **state)
{
	struct placement_worker w[N] = {};
	int i;

	(void)state;
	for (i = 0; i < N * 10 + 3; i++)
		w[placement_choose(w, N, PLACEMENT_ANY_NODE, 2)].load++;
	for (i = 0; i < N; i++)
		assert_int_equal(w[i].load, i < 3 ? 11 : 10);
}

static void each_in_turn(void **state)
{
	const struct placement_wish wish = { .node = 0, .cpu = 0 };
	struct placement_worker w[3] = { { .load = 9 }, { .load = 0 }, {} };
	u32 turn;

	(void)state;
	for (turn = 0; turn < 12; turn++)
		assert_int_equal(placement_pick(PLACEMENT_ROUND_ROBIN, w, 3,
						&wish, turn), turn % 3);
	assert_int_equal(placement_pick(PLACEMENT_ROUND_ROBIN, w, 3, &wish,
					UINT32_MAX), UINT32_MAX % 3);
}

static void wishes_count_if_they_may(void **state)
{
	const struct placement_wish wish = { .node = 1, .cpu = 2 };
	const struct placement_worker w[4] = {
		{ .load = 1, .node = 0, .cpu = 0 },
		{ .load = 4, .node = 1, .cpu = 1 },
		{ .load = 9, .node = 1, .cpu = 2 },
		{ .load = 2, .node = 1, .cpu = 3 },
	};

	(void)state;
	assert_int_equal(placement_pick(PLACEMENT_LEAST_LOADED, w, 4, &wish,
					7), 0);
	assert_int_equal(placement_pick(PLACEMENT_NODE, w, 4, &wish, 7), 3);
	assert_int_equal(placement_pick(PLACEMENT_IRQ, w, 4, &wish, 7), 2);
}

static void near_the_interrupt(void **state)
{
	struct placement_wish wish = { .node = 1, .cpu = 5 };
	struct placement_worker w[5] = {
		{ .load = 1, .node = 0, .cpu = 0 },
		{ .load = 3, .node = 0, .cpu = 4 },
		{ .load = 2, .node = 0, .cpu = 4 },
		{ .load = 2, .node = 0, .cpu = 4 },
		{ .load = 2, .node = 1, .cpu = 6 },
	};

	(void)state;
	/* nobody there: on its node */
	assert_int_equal(placement_pick(PLACEMENT_IRQ, w, 5, &wish, 0), 4);
	/* unless that is much worse */
	w[4].load = 1 + PLACEMENT_REMOTE_COST;
	assert_int_equal(placement_pick(PLACEMENT_IRQ, w, 5, &wish, 0), 0);
	/* several there: the first one of the least loaded */
	wish.cpu = 4;
	assert_int_equal(placement_pick(PLACEMENT_IRQ, w, 5, &wish, 0), 2);
	assert_int_equal(placement_on_cpu(w, 5, 4), 2);
	assert_int_equal(placement_on_cpu(w, 5, 7), 5);
	assert_int_equal(placement_on_cpu(w, 0, 0), 0);
	/* not known, and a worker with a number like that of "any" */
	wish.cpu = PLACEMENT_ANY_CPU;
	wish.node = PLACEMENT_ANY_NODE;
	w[4].cpu = PLACEMENT_ANY_CPU;
	assert_int_equal(placement_pick(PLACEMENT_IRQ, w, 5, &wish, 0), 0);
}

static void names(void **state)
{
	u32 i;

	(void)state;
	assert_int_equal(placement_parse("round_robin"), PLACEMENT_ROUND_ROBIN);
	assert_int_equal(placement_parse("least_loaded"),
			 PLACEMENT_LEAST_LOADED);
	assert_int_equal(placement_parse("node\n"), PLACEMENT_NODE);
	assert_int_equal(placement_parse("irq"), PLACEMENT_IRQ);
	for (i = 0; i < PLACEMENT_POLICIES; i++)
		assert_int_equal(placement_parse(placement_name(i)), i);
	assert_int_equal(placement_parse(""), PLACEMENT_POLICIES);
	assert_int_equal(placement_parse("\n"), PLACEMENT_POLICIES);
	assert_int_equal(placement_parse("nod"), PLACEMENT_POLICIES);
	assert_int_equal(placement_parse("nodes"), PLACEMENT_POLICIES);
	assert_int_equal(placement_parse("node\n\n"), PLACEMENT_POLICIES);
	assert_int_equal(placement_parse("irq irq"), PLACEMENT_POLICIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_only_worker),
		cmocka_unit_test(first_of_equals),
		cmocka_unit_test(distance_is_worth_rings),
		cmocka_unit_test(no_overflow),
		cmocka_unit_test(the_cheapest_of_many),
		cmocka_unit_test(spreads_evenly),
		cmocka_unit_test(each_in_turn),
		cmocka_unit_test(wishes_count_if_they_may),
		cmocka_unit_test(near_the_interrupt),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}
