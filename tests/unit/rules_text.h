/* SPDX-License-Identifier: GPL-2.0 */
/* Texts of a policy, for the one test that includes this. */
#ifndef TESTS_RULES_TEXT_H
#define TESTS_RULES_TEXT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "guest/rules.h"

static struct pvcalls_rules rules;

/* As with the parameter congestion=reno,nosuch,cubic,bbr */
const char *pvcalls_congestion_name(u32 i)
{
	static const char * const names[] = { "reno", NULL, "cubic", "bbr" };

	return i < sizeof(names) / sizeof(*names) ? names[i] : NULL;
}

static void read_text(const char *text)
{
	char *copy = strdup(text);
	u32 at;

	/* no zero ends it */
	copy = realloc(copy, strlen(text) + !*text);
	assert_int_equal(pvcalls_rules_parse(&rules, copy, strlen(text), &at),
			 0);
	free(copy);
}

static void refused(const char *text, int err, u32 where)
{
	char *copy = strdup(text);
	u32 at = -1;

	copy = realloc(copy, strlen(text) + !*text);
	assert_int_equal(pvcalls_rules_parse(&rules, copy, strlen(text), &at),
			 err);
	free(copy);
	if (at != where)
		print_error("%s: %u\n", text, at);
	assert_int_equal(at, where);
}

/* A text that makes no sense from a byte on */
struct bad_text {
	const char *text;
	u32 at;
};

static void all_refused(const struct bad_text *bad, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		refused(bad[i].text, -EINVAL, bad[i].at);
}

#endif /* TESTS_RULES_TEXT_H */
