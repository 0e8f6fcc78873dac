// SPDX-License-Identifier: GPL-2.0
/* cap.c: how much a guest may cost, and for how long it waits. */
#include <setjmp.h>
#include <cmocka.h>

#include "sched/cap.h"

#define MS	1000000ULL
#define RATE	1000000U

#define TURN	((s64)RATE / 200)	/* what a turn may cost */

static u64 now;
static struct pvcalls_cap cap;

static int begin(void **state)
{
	(void)state;
	memset(&cap, 0, sizeof(cap));
	now = 5000 * MS;
	pvcalls_cap_init(&cap);
	pvcalls_cap_set(&cap, RATE);
	return 0;
}

static s64 ask(u32 place, u64 *when)
{
	return pvcalls_cap_ask(&cap, place, now, when);
}

/* Without a cap nothing is counted, and nobody waits. */
static void none(void **state)
{
	u64 when = 7;

	(void)state;
	pvcalls_cap_set(&cap, 0);
	must(!pvcalls_cap_is_set(&cap));
	must(ask(0, &when) == S64_MAX);
	pvcalls_cap_tell(&cap, 1LL << 40, now);
	pvcalls_cap_set(&cap, RATE);
	must(pvcalls_cap_is_set(&cap));
	must(ask(0, &when) == TURN);
	must(when == 7 && !cap.waited);
}

/* Whatever turns cost, a second has no more than the rate, and a tenth. */
static void holds(void **state)
{
	u64 cost = 0, when, begun = now;
	s64 may;
	int i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		may = ask(PVCALLS_PLACES - 1, &when);
		if (!may) {
			must(when > now && when <= now + 100 * MS);
			now = when - 1;
			must(!ask(PVCALLS_PLACES - 1, &when) &&
			     when == now + 1);
			now++;
			may = ask(PVCALLS_PLACES - 1, &when);
		}
		must(may == TURN);
		/* less than it may, and then more */
		may = i % 2 ? 1 : 3000 + may;
		cost += may;
		pvcalls_cap_tell(&cap, may - TURN, now);
		must(cost <= (now - begun) * RATE / 1000 / MS + RATE / 10 +
			     3000 + TURN);
	}
	/* and it gets what it may have */
	must(cost >= (now - begun) * RATE / 1000 / MS);
	must(cap.waited >= 100);
}

/* Who asked first has the first turn, however often others look. */
static void in_turn(void **state)
{
	u64 when[3], last;
	u32 i, turns[3] = {};

	(void)state;
	/* so many are ahead of their time */
	for (i = 0; i < 20; i++)
		must(ask(3, &last) == TURN);
	for (i = 0; i < 3; i++) {
		must(!ask(i, &when[i]));
		must(when[i] == now + (i + 1) * 5 * MS);
	}
	for (i = 0; i < 3000; i++) {
		now += MS;
		/* one looks each millisecond, others when they are told to */
		if (ask(0, &last))
			turns[0]++;
		for (last = 1; last < 3; last++)
			if (now >= when[last] + 8 * MS) {
				must(ask(last, &when[last]) == TURN);
				turns[last]++;
				ask(last, &when[last]);
			}
	}
	must(turns[0] + turns[1] + turns[2] <= 600 + 20);
	must(turns[0] >= 100 && turns[1] >= 50 && turns[2] >= 50);
}

/* A ticket that nobody has used is worth nothing after a while. */
static void old_tickets(void **state)
{
	u64 when, later;
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		must(ask(3, &when) == TURN);
	must(!ask(0, &when) && !ask(1, &later));
	must(cap.waited == 2);
	now = when + 100 * MS;
	must(ask(0, &when) == TURN);
	now = later + 100 * MS + 1;
	/* as long as others have cost all that there was since */
	pvcalls_cap_tell(&cap, 2 * RATE, now);
	must(!ask(1, &later) && later > now);
	must(cap.waited == 3);
	/* nor is one of another cap */
	pvcalls_cap_set(&cap, 0);
	must(ask(1, &later) == S64_MAX);
	must(!cap.ticket[1]);
}

/* What has cost more than a turn may is waited for, ten seconds at most. */
static void debts(void **state)
{
	u64 when = 0;

	(void)state;
	must(ask(0, &when) == TURN);
	pvcalls_cap_tell(&cap, RATE - TURN, now);
	must(!ask(0, &when));
	must(when > now + 900 * MS && when <= now + 905 * MS);
	must(cap.waited == 1);
	now = when;
	must(ask(0, &when) == TURN);
	pvcalls_cap_tell(&cap, 1LL << 55, now);
	must(!ask(0, &when) && when == now + 9905 * MS);
	must(cap.waited == 2);
}

/* What a turn has not cost is there for the next ones, but is not saved up. */
static void given_back(void **state)
{
	u64 when;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		must(ask(i % 5, &when) == TURN);
		pvcalls_cap_tell(&cap, -TURN, now);
	}
	now += 1000 * MS;
	for (i = 0; i < 20; i++)
		must(ask(i, &when) == TURN);
	must(!ask(20, &when));
	cap.until = 1;
	pvcalls_cap_tell(&cap, -(1LL << 40), now);
	must(!cap.until);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(none, begin),
		cmocka_unit_test_setup(holds, begin),
		cmocka_unit_test_setup(in_turn, begin),
		cmocka_unit_test_setup(old_tickets, begin),
		cmocka_unit_test_setup(debts, begin),
		cmocka_unit_test_setup(given_back, begin),
	};

	return cmocka_run_group_tests_name("cap", tests, NULL, NULL);
}
