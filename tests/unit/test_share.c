// SPDX-License-Identifier: GPL-2.0
/* share.c: what users have together, and how much each may have. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "link/share.h"

#define PAGES	PVC_KIND_PAGES
#define USERS	4

static void shares(void **state)
{
	(void)state;
	assert_int_equal(pvc_share(100, 75), 75);
	assert_int_equal(pvc_share(30208, 75), 22656);
	/* rounded down, but never nothing */
	assert_int_equal(pvc_share(199, 50), 99);
	assert_int_equal(pvc_share(1, 1), 1);
	assert_int_equal(pvc_share(0, 75), 1);
	/* all is all, and nothing is too large */
	assert_int_equal(pvc_share(12345, 100), 12345);
	assert_int_equal(pvc_share(LONG_MAX, 100), LONG_MAX);
	assert_true(pvc_share(LONG_MAX, 75) > LONG_MAX / 2);
}

static void one_user(void **state)
{
	struct pvc_use use = {}, *const u[] = { &use };

	(void)state;
	assert_int_equal(pvc_use_left(u, 1, PAGES, 10), 10);
	assert_true(pvc_use_charge(u, 1, PAGES, 7, 10));
	assert_int_equal(pvc_use_left(u, 1, PAGES, 10), 3);
	assert_false(pvc_use_charge(u, 1, PAGES, 4, 10));
	assert_int_equal(use.of[PAGES], 7);
	assert_true(pvc_use_charge(u, 1, PAGES, 3, 10));
	assert_false(pvc_use_charge(u, 1, PAGES, 1, 10));
	/* a limit that has become lower takes nothing away */
	assert_int_equal(pvc_use_left(u, 1, PAGES, 5), 0);
	assert_false(pvc_use_charge(u, 1, PAGES, 1, 5));
	/* other kinds are not concerned */
	assert_true(pvc_use_charge(u, 1, PVC_KIND_RINGS, 10, 10));
	assert_int_equal(use.of[PVC_KIND_SOCKETS], 0);
	pvc_use_uncharge(u, 1, PAGES, 10);
	assert_int_equal(use.of[PAGES], 0);
	assert_int_equal(use.of[PVC_KIND_RINGS], 10);
}

/* Who has made a user namespace pays for all users in it. */
static void owners(void **state)
{
	struct pvc_use owner = {}, a = {}, b = {};
	struct pvc_use *const first[] = { &a, &owner };
	struct pvc_use *const second[] = { &b, &owner };

	(void)state;
	assert_true(pvc_use_charge(first, 2, PAGES, 6, 10));
	assert_int_equal(pvc_use_left(second, 2, PAGES, 10), 4);
	/* all or nobody */
	assert_false(pvc_use_charge(second, 2, PAGES, 5, 10));
	assert_int_equal(b.of[PAGES], 0);
	assert_int_equal(owner.of[PAGES], 6);
	assert_true(pvc_use_charge(second, 2, PAGES, 4, 10));
	assert_int_equal(owner.of[PAGES], 10);
	pvc_use_uncharge(first, 2, PAGES, 6);
	assert_int_equal(a.of[PAGES], 0);
	assert_int_equal(b.of[PAGES], 4);
	assert_int_equal(owner.of[PAGES], 4);
}

/* Whatever comes, each has what was charged to him, up to his limit. */
static void random_users(void **state)
{
	struct pvc_use use[USERS] = {}, *set[USERS];
	long has[USERS] = {}, n;
	uint32_t seed = 1;
	unsigned int i, nr, round;
	bool ok, fits;

	(void)state;
	for (round = 0; round < 100000; round++) {
		seed = seed * 1664525 + 1013904223;
		n = 1 + (seed >> 28);
		for (i = nr = 0; i < USERS; i++)
			if (seed >> (8 + i) & 1)
				set[nr++] = &use[i];
		if (seed >> 16 & 1) {
			fits = true;
			for (i = 0; i < nr; i++)
				fits &= set[i]->of[PAGES] + n <= 50;
			ok = pvc_use_charge(set, nr, PAGES, n, 50);
			assert_int_equal(ok, fits);
			for (i = 0; i < USERS; i++)
				if (ok && (seed >> (8 + i) & 1))
					has[i] += n;
		} else {
			ok = true;
			for (i = 0; i < nr; i++)
				ok &= set[i]->of[PAGES] >= n;
			if (ok)
				pvc_use_uncharge(set, nr, PAGES, n);
			for (i = 0; i < USERS; i++)
				if (ok && (seed >> (8 + i) & 1))
					has[i] -= n;
		}
		for (i = 0; i < USERS; i++)
			assert_int_equal(use[i].of[PAGES], has[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),
		cmocka_unit_test(one_user),
		cmocka_unit_test(owners),
		cmocka_unit_test(random_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
