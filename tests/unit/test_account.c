// SPDX-License-Identifier: GPL-2.0
/* back/account: what guests have together, and how much and how often each may have. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "account.h"
#include "bucket.h"

#define SOCKETS	PVCALLS_KIND_SOCKETS
#define GUESTS	5

static const struct pvcalls_limit quarter = { 1000, 25, LONG_MAX, 0 };

static void alone(void **state)
{
	struct pvcalls_tally mine = {}, all = {};

	(void)state;
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &quarter), 250);
	assert_true(pvcalls_use_charge(&mine, &all, SOCKETS, 249, &quarter));
	/* what it has counts against its limit, and does not lower it */
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &quarter), 250);
	assert_false(pvcalls_use_charge(&mine, &all, SOCKETS, 2, &quarter));
	assert_int_equal(mine.use.of[SOCKETS], 249);
	assert_int_equal(all.use.of[SOCKETS], 249);
	assert_true(pvcalls_use_charge(&mine, &all, SOCKETS, 1, &quarter));
	assert_false(pvcalls_use_charge(&mine, &all, SOCKETS, 1, &quarter));
	pvcalls_use_uncharge(&mine, &all, SOCKETS, 250);
	assert_int_equal(mine.use.of[SOCKETS], 0);
	assert_int_equal(all.use.of[SOCKETS], 0);
}

/* A share of what the others leave: each later one gets less, and none nothing. */
static void greedy(void **state)
{
	const long may[GUESTS] = { 250, 187, 140, 105, 79 };
	struct pvcalls_tally guest[GUESTS] = {}, all = {};
	int i;

	(void)state;
	for (i = 0; i < GUESTS; i++) {
		assert_int_equal(pvcalls_use_limit(&guest[i], &all, SOCKETS, &quarter), may[i]);
		assert_true(pvcalls_use_charge(&guest[i], &all, SOCKETS, may[i], &quarter));
		assert_false(pvcalls_use_charge(&guest[i], &all, SOCKETS, 1, &quarter));
	}
	/* the first may not have again what it has given back of more than its share */
	assert_int_equal(pvcalls_use_limit(&guest[0], &all, SOCKETS, &quarter), 122);
	pvcalls_use_uncharge(&guest[0], &all, SOCKETS, 200);
	assert_false(pvcalls_use_charge(&guest[0], &all, SOCKETS, 73, &quarter));
	assert_true(pvcalls_use_charge(&guest[0], &all, SOCKETS, 72, &quarter));
}

static void limits(void **state)
{
	const struct pvcalls_limit most = { 1000, 25, 10, 0 }, everything = { LONG_MAX, 100, LONG_MAX, 0 },
		much = { LONG_MAX, 75, LONG_MAX, 0 }, nothing = { 0, 100, LONG_MAX, 0 }, odd = { 199, 50, LONG_MAX, 0 };
	struct pvcalls_tally mine = {}, all = {};

	(void)state;
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &most), 10);
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &odd), 99);
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &nothing), 0);
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &everything), LONG_MAX);
	/* nothing is too large */
	assert_true(pvcalls_use_limit(&mine, &all, SOCKETS, &much) > LONG_MAX / 2);
	/* the last ones are for use, though a share of them is nothing */
	all.use.of[SOCKETS] = 999;
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &quarter), 1);
	all.use.of[SOCKETS] = 1000;
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &quarter), 0);
	/* a ceiling that has become lower takes nothing away */
	all.use.of[SOCKETS] = 2000;
	mine.use.of[SOCKETS] = 1500;
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &quarter), 125);
	mine.use.of[SOCKETS] = 500;
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &quarter), 0);
	assert_false(pvcalls_use_charge(&mine, &all, SOCKETS, 1, &quarter));
}

/* Four guests that take all they get, and as many that need a little as what is kept is good for. */
static void kept(void **state)
{
	const struct pvcalls_limit all_of_it = { 1280, 100, LONG_MAX, 128 }, few = { 1280, 100, 1, 128 },
		only = { 64, 100, LONG_MAX, 64 };
	struct pvcalls_tally greedy[4] = {}, small[PVCALLS_KEPT_GUESTS] = {}, all = {}, none = {};
	long may[4] = { 1152, 2, 2, 2 };
	int i;

	(void)state;
	/* what is more: a share, or that little */
	all.use.of[SOCKETS] = 1280 - 128 - 1;
	assert_int_equal(pvcalls_use_limit(&none, &all, SOCKETS, &all_of_it), 2);
	all.use.of[SOCKETS] = 0;
	for (i = 0; i < 4; i++) {
		assert_int_equal(pvcalls_use_limit(&greedy[i], &all, SOCKETS, &all_of_it), may[i]);
		assert_true(pvcalls_use_charge(&greedy[i], &all, SOCKETS, may[i], &all_of_it));
		assert_false(pvcalls_use_charge(&greedy[i], &all, SOCKETS, 1, &all_of_it));
	}
	/* a limit of the guest's own holds there, too */
	assert_int_equal(pvcalls_use_limit(&none, &all, SOCKETS, &few), 1);
	for (i = 0; i < PVCALLS_KEPT_GUESTS - 3; i++) {
		assert_true(pvcalls_use_charge(&small[i], &all, SOCKETS, 2, &all_of_it));
		assert_false(pvcalls_use_charge(&small[i], &all, SOCKETS, 1, &all_of_it));
	}
	/* there is no more than there is */
	assert_int_equal(all.use.of[SOCKETS], 1280);
	assert_int_equal(pvcalls_use_limit(&none, &all, SOCKETS, &all_of_it), 0);
	pvcalls_use_uncharge(&small[0], &all, SOCKETS, 1);
	assert_int_equal(pvcalls_use_limit(&none, &all, SOCKETS, &all_of_it), 1);
	/* who has his share has no more besides */
	pvcalls_use_uncharge(&greedy[0], &all, SOCKETS, 1100);
	assert_int_equal(pvcalls_use_limit(&small[0], &all, SOCKETS, &all_of_it), 1280 - 128 - 178);
	/* where all is kept nobody has more than a little */
	assert_int_equal(pvcalls_use_limit(&none, &none, SOCKETS, &only), 1);
}

static bool force(struct pvcalls_tally *mine, struct pvcalls_tally *all, long n)
{
	return pvcalls_use_force(mine, all, SOCKETS, n, pvcalls_use_limit(mine, all, SOCKETS, &quarter));
}

/* What the kernel takes without asking is charged anyway. */
static void forced(void **state)
{
	struct pvcalls_tally mine = {}, all = {}, other = {};

	(void)state;
	assert_true(force(&mine, &all, 250));
	assert_false(force(&mine, &all, 1));
	assert_int_equal(mine.use.of[SOCKETS], 251);
	assert_int_equal(all.use.of[SOCKETS], 251);
	assert_false(pvcalls_use_charge(&mine, &all, SOCKETS, 1, &quarter));
	assert_true(force(&mine, &all, -1));
	assert_false(force(&mine, &all, 800));
	/* what is beyond its share does not count against others, and is still the guest's */
	assert_int_equal(all.use.of[SOCKETS], 1050);
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &quarter), 250);
	assert_int_equal(pvcalls_use_limit(&other, &all, SOCKETS, &quarter), 187);
	assert_true(force(&other, &all, 187));
	assert_false(force(&other, &all, 1));
	/* the first one may have less since */
	assert_false(force(&mine, &all, 0));
	assert_int_equal(pvcalls_use_limit(&mine, &all, SOCKETS, &quarter), 203);
	/* what is beyond is given back first */
	pvcalls_use_uncharge(&mine, &all, SOCKETS, 840);
	assert_int_equal(pvcalls_use_limit(&other, &all, SOCKETS, &quarter), 199);
	pvcalls_use_uncharge(&mine, &all, SOCKETS, 10);
	assert_int_equal(pvcalls_use_limit(&other, &all, SOCKETS, &quarter), 200);
	assert_true(force(&mine, &all, -200));
	assert_true(force(&other, &all, 0));
	pvcalls_use_uncharge(&other, &all, SOCKETS, 188);
	assert_int_equal(all.use.of[SOCKETS], 0);
	assert_int_equal(all.beyond.of[SOCKETS], 0);
}

/* A share is full beyond itself, and much beyond its half until no more than a quarter is left. */
static void fills(void **state)
{
	(void)state;
	assert_int_equal(pvcalls_use_fill(0, 0, PVCALLS_FILL_LITTLE), PVCALLS_FILL_LITTLE);
	assert_int_equal(pvcalls_use_fill(50, 100, PVCALLS_FILL_LITTLE), PVCALLS_FILL_LITTLE);
	assert_int_equal(pvcalls_use_fill(51, 100, PVCALLS_FILL_LITTLE), PVCALLS_FILL_MUCH);
	assert_int_equal(pvcalls_use_fill(100, 100, PVCALLS_FILL_LITTLE), PVCALLS_FILL_MUCH);
	assert_int_equal(pvcalls_use_fill(101, 100, PVCALLS_FILL_LITTLE), PVCALLS_FILL_OVER);
	assert_int_equal(pvcalls_use_fill(26, 100, PVCALLS_FILL_MUCH), PVCALLS_FILL_MUCH);
	assert_int_equal(pvcalls_use_fill(26, 100, PVCALLS_FILL_OVER), PVCALLS_FILL_MUCH);
	assert_int_equal(pvcalls_use_fill(25, 100, PVCALLS_FILL_MUCH), PVCALLS_FILL_LITTLE);
	assert_int_equal(pvcalls_use_fill(25, 100, PVCALLS_FILL_OVER), PVCALLS_FILL_LITTLE);
}

/* Whatever comes, accounts add up, nobody has more than there is, and some is left. */
static void random_guests(void **state)
{
	struct pvcalls_tally guest[GUESTS] = {}, all = {}, *g;
	long has[GUESTS] = {}, sum, n, others;
	uint32_t seed = 1;
	int i, round;
	bool fits;

	(void)state;
	for (round = 0; round < 200000; round++) {
		seed = seed * 1664525 + 1013904223;
		i = (seed >> 8) % GUESTS;
		g = &guest[i];
		n = 1 + (seed >> 27);
		if (seed >> 20 & 1) {
			others = all.use.of[SOCKETS] - g->use.of[SOCKETS];
			fits = 4 * (g->use.of[SOCKETS] + n) <= 1000 - others;
			assert_int_equal(pvcalls_use_charge(g, &all, SOCKETS, n, &quarter), fits);
			has[i] += fits ? n : 0;
		} else if (has[i] >= n) {
			pvcalls_use_uncharge(g, &all, SOCKETS, n);
			has[i] -= n;
		}
		for (sum = i = 0; i < GUESTS; i++) {
			assert_int_equal(guest[i].use.of[SOCKETS], has[i]);
			sum += has[i];
		}
		assert_int_equal(all.use.of[SOCKETS], sum);
		/* three quarters of what the one before has left, five times over */
		assert_true(sum <= 1000 - 237);
	}
}

#define TENTH	PVCALLS_BUCKET_AHEAD

/* A tenth of a second's worth and one more at once, and then by the rate */
static void bucket(void **state)
{
	struct pvcalls_bucket b = {};
	u64 now = 5ULL * PVCALLS_BUCKET_SECOND;

	(void)state;
	assert_int_equal(pvcalls_bucket_wait(&b, now, TENTH), 0);
	assert_int_equal(pvcalls_bucket_take(&b, 1000, now, 1), 1);
	assert_int_equal(b.until, now + 1000000);
	assert_int_equal(pvcalls_bucket_wait(&b, now, TENTH), 0);
	assert_int_equal(pvcalls_bucket_take(&b, 1000, now, 200), 100);
	assert_int_equal(pvcalls_bucket_take(&b, 1000, now, 200), 0);
	assert_int_equal(b.until, now + TENTH + 1000000);
	assert_int_equal(pvcalls_bucket_wait(&b, now, TENTH), 1000000);
	assert_int_equal(pvcalls_bucket_take(&b, 1000, now + 999999, 1), 0);
	assert_int_equal(pvcalls_bucket_wait(&b, now + 999999, TENTH), 1);
	assert_int_equal(pvcalls_bucket_wait(&b, now + 1000000, TENTH), 0);
	assert_int_equal(pvcalls_bucket_take(&b, 1000, now + 1000000, 2), 1);
	assert_int_equal(pvcalls_bucket_take(&b, 1000, now + 1000000, 1), 0);
	/* what was not used in an hour is no credit */
	now += 3600ULL * PVCALLS_BUCKET_SECOND;
	assert_int_equal(pvcalls_bucket_take(&b, 1000, now, 1000), 101);
}

static void bucket_rates(void **state)
{
	struct pvcalls_bucket slow = {}, fast = {};
	u64 now = 1, done = 0;
	unsigned int i;

	(void)state;
	/* one in a second, and not one more */
	assert_int_equal(pvcalls_bucket_take(&slow, 1, now, 5), 1);
	assert_int_equal(pvcalls_bucket_take(&slow, 1, now + PVCALLS_BUCKET_SECOND - TENTH - 1, 5), 0);
	assert_int_equal(pvcalls_bucket_take(&slow, 1, now + PVCALLS_BUCKET_SECOND - TENTH, 5), 1);
	/* a rate that becomes larger holds at once, after the last one's time */
	assert_int_equal(pvcalls_bucket_wait(&slow, now + PVCALLS_BUCKET_SECOND, TENTH), PVCALLS_BUCKET_SECOND - TENTH);
	assert_int_equal(pvcalls_bucket_take(&slow, 100, now + 3ULL * PVCALLS_BUCKET_SECOND, 50), 11);
	/* the fastest one, as often as it lets, for ten seconds */
	for (i = 0; i < 1000; i++, now += PVCALLS_BUCKET_SECOND / 100)
		done += pvcalls_bucket_take(&fast, PVCALLS_BUCKET_MAX, now, ~0U);
	assert_int_equal(done, 400000001ULL + 999 * 39999997ULL);
}

/* What can only be counted once it is done, such as bytes */
static void bucket_debts(void **state)
{
	u64 now = 7ULL * PVCALLS_BUCKET_SECOND, done = 0;
	struct pvcalls_bucket b = {};
	unsigned int i;

	(void)state;
	assert_int_equal(pvcalls_bucket_room(&b, 1000000, now), 100001);
	/* asking counts nothing */
	assert_int_equal(pvcalls_bucket_room(&b, 1000000, now), 100001);
	pvcalls_bucket_spend(&b, 1000000, now, 600000);
	assert_int_equal(b.until, now + 600000000);
	assert_int_equal(pvcalls_bucket_room(&b, 1000000, now), 0);
	assert_int_equal(pvcalls_bucket_wait(&b, now, TENTH), 500000000);
	/* until half of what comes at once is there */
	assert_int_equal(pvcalls_bucket_wait(&b, now, TENTH / 2), 550000000);
	now += 550000000;
	assert_int_equal(pvcalls_bucket_wait(&b, now, TENTH / 2), 0);
	assert_int_equal(pvcalls_bucket_room(&b, 1000000, now), 50001);
	/* to count without having asked is no way to have unused time */
	now += 3600ULL * PVCALLS_BUCKET_SECOND;
	pvcalls_bucket_spend(&b, 1000000, now, 1);
	assert_int_equal(b.until, now + 1000);
	/* the most that there can be, and less than a nanosecond */
	b.until = 0;
	pvcalls_bucket_spend(&b, PVCALLS_BUCKET_MAX, 1, ~0U);
	assert_int_equal(b.until, 1 + 1073741824ULL);
	pvcalls_bucket_spend(&b, PVCALLS_BUCKET_MAX, 1, 1);
	assert_int_equal(b.until, 1 + 1073741825ULL);
	pvcalls_bucket_spend(&b, PVCALLS_BUCKET_MAX, 1, 0);
	assert_int_equal(b.until, 1 + 1073741825ULL);
	/* pieces of any size come to the rate */
	b.until = 0;
	for (now = i = 0; i < 20000; i++, now += 1000000) {
		u32 n = pvcalls_bucket_room(&b, 123457, now);

		if (n > 1 + i % 4096)
			n = 1 + i % 4096;
		pvcalls_bucket_spend(&b, 123457, now, n);
		done += n;
	}
	assert_true(done <= 20 * 123457 + 12346 + 1);
	assert_true(done >= 19 * 123457);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),
		cmocka_unit_test(greedy),
		cmocka_unit_test(limits),
		cmocka_unit_test(kept),
		cmocka_unit_test(forced),
		cmocka_unit_test(fills),
		cmocka_unit_test(random_guests),
		cmocka_unit_test(bucket),
		cmocka_unit_test(bucket_rates),
		cmocka_unit_test(bucket_debts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
