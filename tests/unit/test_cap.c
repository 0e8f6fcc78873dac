// SPDX-License-Identifier: GPL-2.0
/* cap.c: how much a guest may cost, and for how long it waits. */
#include <setjmp.h>
#include <cmocka.h>

#include "sched/cap.h"

#define MS	1000000ULL
#define RATE	1000000U

static u64 now;
static struct pvcalls_cap cap;

u64 ktime_get_ns(void)
{
	return now;
}

static int begin(void **state)
{
	(void)state;
	memset(&cap, 0, sizeof(cap));
	now = 5000 * MS;
	pvcalls_cap_init(&cap);
	return 0;
}

/* Without a cap nothing is counted, and nobody waits. */
static void none(void **state)
{
	u64 wait = 7;

	(void)state;
	must(pvcalls_cap_may(&cap, &wait) == S64_MAX);
	pvcalls_cap_did(&cap, 1ULL << 40);
	must(pvcalls_cap_may(&cap, &wait) == S64_MAX);
	pvcalls_cap_set(&cap, RATE);
	must(pvcalls_cap_may(&cap, &wait) == RATE / 10 + 1);
	must(wait == 7 && !cap.waited);
}

/* Whatever a turn costs, a second has no more than the rate, and a tenth. */
static void holds(void **state)
{
	u64 cost = 0, wait, begun = now;
	s64 may;
	int i;

	(void)state;
	pvcalls_cap_set(&cap, RATE);
	for (i = 0; i < 10000; i++) {
		wait = 0;
		may = pvcalls_cap_may(&cap, &wait);
		if (!may) {
			must(wait > 0 && wait <= 100 * MS);
			now += wait;
			/* then there is a turn, and a large one */
			may = pvcalls_cap_may(&cap, &wait);
			must(may >= RATE / 20);
		}
		must(may <= RATE / 10 + 1);
		cost += may / 3 + 1;
		pvcalls_cap_did(&cap, may / 3 + 1);
		must(cost <= (now - begun) * RATE / 1000 / MS + RATE / 10 + 2);
	}
	/* and it gets what it may have */
	must(cost >= (now - begun) * RATE / 1000 / MS);
	must(cap.waited >= 100);
}

/* What has cost more than a turn may is waited for, two seconds at most. */
static void debts(void **state)
{
	u64 wait = 0;

	(void)state;
	pvcalls_cap_set(&cap, RATE);
	must(pvcalls_cap_may(&cap, &wait));
	pvcalls_cap_did(&cap, RATE);
	must(!pvcalls_cap_may(&cap, &wait) && wait == 950 * MS);
	must(cap.waited == 1);
	now += wait - 1;
	must(!pvcalls_cap_may(&cap, &wait) && wait == 1);
	must(cap.waited == 1);
	now += wait;
	must(pvcalls_cap_may(&cap, &wait));
	pvcalls_cap_did(&cap, 1ULL << 40);
	must(!pvcalls_cap_may(&cap, &wait) && wait == 1950 * MS);
	must(cap.waited == 2);
	/* also where the cap is another one meanwhile; and there is none */
	pvcalls_cap_set(&cap, 1000 * RATE);
	must(!pvcalls_cap_may(&cap, &wait) && wait == 1950 * MS);
	pvcalls_cap_set(&cap, 0);
	must(pvcalls_cap_may(&cap, &wait) == S64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(none, begin),
		cmocka_unit_test_setup(holds, begin),
		cmocka_unit_test_setup(debts, begin),
	};

	return cmocka_run_group_tests_name("cap", tests, NULL, NULL);
}
