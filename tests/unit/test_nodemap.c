// SPDX-License-Identifier: GPL-2.0
/* nodemap.c: what it reads and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nodemap.h"

#define CPUS	8

/* The nodes as digits, '-' for none; or "error" */
static const char *parse(const char *s)
{
	static char text[CPUS + 1];
	/* exactly as long, so that the sanitizer sees what is beyond */
	s16 *node = malloc(CPUS * sizeof(*node));
	char *copy = strdup(s);
	int i, err;

	err = nodemap_parse(copy, node, CPUS);
	for (i = 0; i < CPUS; i++)
		text[i] = node[i] == NODEMAP_NO_NODE ? '-' : '0' + node[i] % 10;
	free(copy);
	free(node);
	if (err) {
		assert_int_equal(err, -EINVAL);
		return "error";
	}
	return text;
}

static void reads(void **state)
{
	(void)state;
	assert_string_equal(parse(""), "--------");
	assert_string_equal(parse("\n"), "--------");
	assert_string_equal(parse("0:0"), "0-------");
	assert_string_equal(parse("7:1"), "-------1");
	assert_string_equal(parse("0-3:0,4-7:1"), "00001111");
	assert_string_equal(parse("0-3:0,4-7:1\n"), "00001111");
	assert_string_equal(parse("4-7:1,0-3:0"), "00001111");
	assert_string_equal(parse("0:0,2:0,1:1,3:1"), "0101----");
	assert_string_equal(parse("3-3:2"), "---2----");
	assert_string_equal(parse("00-03:01"), "1111----");
	assert_string_equal(parse("0:1023"), "3-------");
}

static void refuses(void **state)
{
	static const char * const bad[] = {
		"x", "0", "0-3", ":", ":0", "0:", "-1:0", "0-:0", "0-3:",
		"3-0:0", "8:0", "0-8:0", "0:1024", "0:-1", "0:99999999999",
		"4294967296:0", "0:4294967296", "18446744073709551616:0",
		"0:0,", ",0:0", "0:0,,1:0", "0:0 1:0", " 0:0", "0:0 ",
		"0:0,0:0", "0-3:0,3:1", "0:0\n1:0", "0:0\n\n", "\n0:0",
		"0:0;1:1", "0x1:0", "0-1-2:0", "0:0:0", "+1:0",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *got = parse(bad[i]);

		if (strcmp(got, "error"))
			fail_msg("\"%s\" was read as %s", bad[i], got);
	}
}

/* Everything that the format can say comes back as it was */
static void there_and_back(void **state)
{
	int round, i;

	(void)state;
	srand(1);
	for (round = 0; round < 5000; round++) {
		char want[CPUS + 1] = "", text[200] = "";
		const char *got;

		for (i = 0; i < CPUS; ) {
			int end = i + rand() % (CPUS - i), node = rand() % 4;
			char item[32];

			if (rand() % 4 == 0) {
				want[i++] = '-';
				continue;
			}
			if (end == i)
				snprintf(item, sizeof(item), "%d:%d", i, node);
			else
				snprintf(item, sizeof(item), "%d-%d:%d", i,
					 end, node);
			if (*text)
				strcat(text, ",");
			strcat(text, item);
			while (i <= end)
				want[i++] = '0' + node;
		}
		got = parse(text);
		if (strcmp(got, want))
			fail_msg("\"%s\" was read as %s", text, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(there_and_back),
	};

	return cmocka_run_group_tests_name("nodemap", tests, NULL, NULL);
}
