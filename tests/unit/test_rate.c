// SPDX-License-Identifier: GPL-2.0
/* rate.c: who may go on, who waits, and who is next. */
#include <setjmp.h>
#include <cmocka.h>

#include "account/rate.h"

#define MS	1000000ULL
#define USERS	9

static u64 now;
unsigned long jiffies;
static struct pvcalls_rate rate;

/* Somebody who always wants more, or has as much left as @left */
static struct user {
	struct pvcalls_claim claim;
	u64 done;
	u64 left;
	unsigned int woken;
	bool ready;
} users[USERS];

u64 ktime_get_ns(void)
{
	return now;
}

static void wake(struct pvcalls_claim *c)
{
	struct user *u = c->owner;

	u->woken++;
	u->ready = true;
}

static int begin(void **state)
{
	unsigned int i;

	(void)state;
	memset(&rate, 0, sizeof(rate));
	memset(users, 0, sizeof(users));
	now = 5000 * MS;
	jiffies = 1250;
	pvcalls_rate_init(&rate, 1000);
	for (i = 0; i < USERS; i++) {
		pvcalls_claim_init(&users[i].claim, wake, &users[i]);
		users[i].left = ~0ULL;
		users[i].ready = true;
	}
	return 0;
}

/* One run: all that may be done, in pieces of 700 */
static void run(struct user *u)
{
	u32 n;

	u->ready = false;
	while (u->left) {
		n = pvcalls_rate_may(&rate, &u->claim, u->left < 700 ? u->left :
						       700);
		if (!n)
			return;
		pvcalls_rate_did(&rate, &u->claim, n);
		u->done += n;
		u->left -= n;
	}
}

static void pass(u64 ns)
{
	now += ns;
	jiffies = now / (4 * MS);
	if (rate.timer.pending && (long)(jiffies - rate.timer.expires) >= 0) {
		rate.timer.pending = false;
		rate.timer.fn(&rate.timer);
	}
}

/* Everybody who is ready runs once in each millisecond. */
static void live(unsigned int ms)
{
	unsigned int i;

	while (ms--) {
		for (i = 0; i < USERS; i++)
			if (users[i].ready)
				run(&users[i]);
		pass(MS);
	}
}

static u64 all_done(void)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < USERS; i++)
		sum += users[i].done;
	return sum;
}

static void any_amount(void **state)
{
	struct pvcalls_claim *c = &users[0].claim;

	(void)state;
	assert_int_equal(pvcalls_rate_may(&rate, c, ~0U), ~0U);
	assert_true(pvcalls_rate_has(&rate, c, ~0U));
	pvcalls_rate_did(&rate, c, ~0U);
	assert_int_equal(rate.bucket.until, 0);
	assert_false(rate.timer.pending);
	/* who has asked by the slow way, as the rate was taken off meanwhile */
	assert_int_equal(pvcalls_rate_ask(&rate, c, 5), 5);
	assert_true(pvcalls_rate_look(&rate, c, 5));
	pvcalls_rate_tell(&rate, c, 5);
	assert_int_equal(rate.bucket.until, 0);
}

static void alone(void **state)
{
	struct user *u = &users[0];

	(void)state;
	pvcalls_rate_set(&rate, 100000);
	run(u);
	/* a tenth of a second's worth but for a crumb, and then it waits */
	assert_int_equal(u->done, 9800);
	assert_int_equal(rate.waits, 1);
	assert_true(rate.timer.pending);
	assert_false(pvcalls_rate_has(&rate, &u->claim, 1));
	/* not before half of it is there again */
	pass(46 * MS);
	assert_int_equal(u->woken, 0);
	pass(12 * MS);
	assert_int_equal(u->woken, 1);
	assert_int_equal(u->claim.own, 1000);
	/* and what there is besides, as nobody else waits */
	assert_true(pvcalls_rate_has(&rate, &u->claim, 5000));
	assert_false(pvcalls_rate_has(&rate, &u->claim, 8000));
	assert_false(rate.timer.pending);
	run(u);
	assert_in_range(u->done, 15000, 16700);
	assert_int_equal(rate.waits, 2);
	/* to look makes nobody wait, and to ask again not twice */
	assert_false(pvcalls_rate_has(&rate, &users[1].claim, 1));
	assert_true(list_empty(&users[1].claim.node));
	assert_int_equal(pvcalls_rate_may(&rate, &u->claim, 1), 0);
	assert_int_equal(rate.waits, 2);
}

static void holds(void **state)
{
	unsigned int i;

	(void)state;
	pvcalls_rate_set(&rate, 500000);
	live(10000);
	assert_in_range(all_done(), 4900000, 5060000);
	/* nobody gets much less than others, who may find the line empty */
	for (i = 0; i < USERS; i++)
		assert_in_range(users[i].done, all_done() / USERS * 3 / 4,
				all_done() / USERS * 5 / 4);
}

/* The first one to run would take it all, again and again */
static void slow(void **state)
{
	unsigned int i;

	(void)state;
	pvcalls_rate_set(&rate, 3000);
	live(60000);
	assert_in_range(all_done(), 175000, 182000);
	for (i = 0; i < USERS; i++)
		assert_in_range(users[i].done, all_done() / USERS * 8 / 10,
				all_done() / USERS * 12 / 10);
}

static void changes(void **state)
{
	unsigned int i;

	(void)state;
	pvcalls_rate_set(&rate, 1);
	pvcalls_rate_did(&rate, &users[0].claim, 1000000);
	live(1);
	for (i = 0; i < USERS; i++)
		assert_false(users[i].ready);
	assert_true(rate.timer.expires > jiffies + 1000);
	/* the same again changes nothing */
	pvcalls_rate_set(&rate, 1);
	assert_int_equal(users[0].woken, 0);
	/* another one holds at once, for all of them, and so does its timer */
	pvcalls_rate_set(&rate, 90000);
	for (i = 0; i < USERS; i++)
		assert_int_equal(users[i].woken, 1);
	assert_true(list_empty(&rate.line));
	live(1000);
	assert_in_range(all_done(), 90000, 100000);
	for (i = 0; i < USERS; i++)
		users[i].left = 100;
	pvcalls_rate_set(&rate, 0);
	live(1);
	for (i = 0; i < USERS; i++)
		assert_int_equal(users[i].left, 0);
	assert_true(list_empty(&rate.line));
	/* the timer may still come, and finds nobody */
	pass(3600000 * MS);
}

static void leaves(void **state)
{
	(void)state;
	/* one that has never waited, at a rate for which nobody has */
	pvcalls_rate_leave(&rate, &users[3].claim);
	pvcalls_rate_set(&rate, 10000);
	live(1);
	assert_int_equal(rate.waits, USERS);
	pvcalls_rate_leave(&rate, &users[0].claim);
	pvcalls_rate_leave(&rate, &users[1].claim);
	pvcalls_rate_leave(&rate, &users[1].claim);
	live(2000);
	assert_int_equal(users[0].woken, 0);
	assert_int_equal(users[1].woken, 0);
	assert_true(users[2].woken > 5);
	/* those who have never waited, or not since, have nothing to leave */
	assert_false(users[0].claim.waited);
	assert_true(users[2].claim.waited);
	/* and it is nobody's business how often others had to wait */
	rate.waits = 0;
	/* what was its own is nobody's */
	users[2].claim.own = 7;
	pvcalls_rate_leave(&rate, &users[2].claim);
	assert_int_equal(users[2].claim.own, 0);
}

/* A newcomer does not pass those who wait, though there is room. */
static void line(void **state)
{
	(void)state;
	pvcalls_rate_set(&rate, 100000);
	pvcalls_rate_did(&rate, &users[0].claim, 10001);
	run(&users[0]);
	pass(40 * MS);
	assert_int_equal(users[0].woken, 0);
	assert_int_equal(pvcalls_rate_may(&rate, &users[1].claim, 10), 0);
	assert_false(pvcalls_rate_has(&rate, &users[2].claim, 10));
	pass(20 * MS);
	assert_int_equal(users[0].claim.own, 1000);
	assert_true(pvcalls_rate_has(&rate, &users[0].claim, 1000));
	assert_false(pvcalls_rate_has(&rate, &users[0].claim, 1001));
	assert_int_equal(users[1].claim.own, 0);
	pass(20 * MS);
	assert_int_equal(users[1].claim.own, 1000);
	/* what is one's own is used up first, and more is a debt */
	now = rate.bucket.until;
	pvcalls_rate_did(&rate, &users[1].claim, 400);
	assert_int_equal(users[1].claim.own, 600);
	assert_int_equal(rate.bucket.until, now);
	pvcalls_rate_did(&rate, &users[1].claim, 700);
	assert_int_equal(users[1].claim.own, 0);
	assert_int_equal(rate.bucket.until, now + MS);
}

/*
 * To move something takes time, in which there is room for a little more. Who
 * wants much does not take that, or it would move crumbs without an end.
 */
static void crumbs(void **state)
{
	static const u32 rates[] = { 1000, 123457, 1000000, 125000000 };
	struct user *u = &users[0];
	unsigned int i, pieces;
	u64 end, done;
	u32 n;

	(void)state;
	for (i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		begin(NULL);
		pvcalls_rate_init(&rate, 65536);
		pvcalls_rate_set(&rate, rates[i]);
		done = pieces = 0;
		for (end = now + 2000 * MS; now < end;) {
			n = pvcalls_rate_may(&rate, &u->claim, 65536);
			if (!n) {
				pass(MS);
				continue;
			}
			pass(MS / 100);
			pvcalls_rate_did(&rate, &u->claim, n);
			done += n;
			pieces++;
		}
		assert_in_range(done, rates[i] * 19ULL / 10,
				rates[i] * 22ULL / 10);
		assert_in_range(pieces, 10, 100 + done / 32768);
	}
	/* but all that is wanted may be little */
	pvcalls_rate_set(&rate, 1000000);
	u->claim.own = 0;
	assert_int_equal(pvcalls_rate_may(&rate, &u->claim, 65536), 65536);
	pvcalls_rate_did(&rate, &u->claim, 65536);
	assert_int_equal(pvcalls_rate_may(&rate, &u->claim, 30000), 30000);
	pvcalls_rate_did(&rate, &u->claim, 30000);
	assert_true(pvcalls_rate_has(&rate, &u->claim, 4465));
	assert_false(pvcalls_rate_has(&rate, &u->claim, 4466));
	assert_int_equal(pvcalls_rate_may(&rate, &u->claim, 4465), 4465);
	/* and what is one's own may be done whatever there is besides */
	u->claim.own = 3;
	assert_int_equal(pvcalls_rate_may(&rate, &u->claim, 5000), 3);
	u->claim.own = 0;
	assert_int_equal(pvcalls_rate_may(&rate, &u->claim, 5000), 0);
	assert_false(list_empty(&u->claim.node));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(any_amount, begin),
		cmocka_unit_test_setup(alone, begin),
		cmocka_unit_test_setup(holds, begin),
		cmocka_unit_test_setup(slow, begin),
		cmocka_unit_test_setup(changes, begin),
		cmocka_unit_test_setup(leaves, begin),
		cmocka_unit_test_setup(line, begin),
		cmocka_unit_test_setup(crumbs, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
