// SPDX-License-Identifier: GPL-2.0
/* ruletext.c: limits, rates, and how bytes may be moved. */
#include "rules_text.h"

static void nonsense(void **state)
{
	static const struct {
		const char *text;
		u32 at;
	} bad[] = {
		{ "calls=0", 0 }, { "calls=", 0 }, { "calls=none", 0 },
		{ "calls=100000001", 0 }, { "calls=1;calls=any", 8 },
		{ "connects=0", 0 }, { "connects=", 0 }, { "connects=none", 0 },
		{ "connects=100000001", 0 }, { "connects=1;connects=1", 11 },
		{ "bytes=0", 0 }, { "bytes=", 0 }, { "bytes=none", 0 },
		{ "bytes=4000000001", 0 }, { "bytes=99999999999999999999", 0 },
		{ "bytes=1K", 0 }, { "bytes=any;bytes=1", 10 },
		{ "congestion=", 0 }, { "congestion=nosuch", 0 },
		{ "congestion=reno,", 0 }, { "congestion=reno,none", 0 },
		{ "congestion=ren", 0 }, { "congestion=renoo", 0 },
		{ "calls=1; congestion=cubic,vegas", 9 },
		{ "congestion=any,reno", 0 },
		{ "congestion=any;congestion=any", 15 },
		{ "shortcuts=", 0 }, { "shortcuts=yes", 0 },
		{ "shortcuts=direct,none", 0 }, { "shortcuts=direct,", 0 },
		{ "shortcuts=none;shortcuts=none", 15 },
		{ "weight=0", 0 }, { "weight=", 0 }, { "weight=any", 0 },
		{ "weight=1001", 0 }, { "weight=1;weight=1", 9 },
		{ "limits", 0 }, { "limits=", 0 }, { "limits=sockets", 0 },
		{ "limits=sockets:", 0 }, { "limits=socket:1", 0 },
		{ "limits=sockets:1,sockets:2", 0 },
		{ "limits=sockets:1,", 0 }, { "limits=sockets:1:2", 0 },
		{ "limits=sockets:-1", 0 }, { "limits=:1", 0 },
		{ "limits=none,sockets:1", 0 }, { "limits=memory:100000001", 0 },
		{ "limits=none;limits=none", 12 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(bad[i].text, -EINVAL, bad[i].at);
}

static void limits(void **state)
{
	(void)state;
	read_text("");
	assert_int_equal(rules.limited, 0);
	read_text("limits=none");
	assert_int_equal(rules.limited, 0);
	read_text("limits=ports:3,memory:0");
	assert_int_equal(rules.limited, 1 << PVCALLS_KIND_PORTS |
					1 << PVCALLS_KIND_MEMORY);
	assert_int_equal(rules.limit[PVCALLS_KIND_PORTS], 3);
	assert_int_equal(rules.limit[PVCALLS_KIND_MEMORY], 0);
	assert_int_equal(rules.limit[PVCALLS_KIND_SOCKETS], 0);
	read_text("limits=sockets:1,listeners:2,queued:3,ports:4,pages:5,"
		  "calls:6,pinned:7,memory:100000000");
	assert_int_equal(rules.limited, (1 << PVCALLS_KINDS) - 1);
	assert_int_equal(rules.limit[PVCALLS_KIND_SOCKETS], 1);
	assert_int_equal(rules.limit[PVCALLS_KIND_LISTENERS], 2);
	assert_int_equal(rules.limit[PVCALLS_KIND_QUEUED], 3);
	assert_int_equal(rules.limit[PVCALLS_KIND_PAGES], 5);
	assert_int_equal(rules.limit[PVCALLS_KIND_CALLS], 6);
	assert_int_equal(rules.limit[PVCALLS_KIND_PINNED], 7);
	assert_int_equal(rules.limit[PVCALLS_KIND_MEMORY], PVCALLS_MAX_LIMIT);
}

static void rates(void **state)
{
	(void)state;
	read_text("");
	assert_int_equal(rules.calls, 0);
	assert_int_equal(rules.connects, 0);
	assert_int_equal(rules.bytes, 0);
	read_text("bytes=any;calls=any;connects=any");
	assert_int_equal(rules.calls, 0);
	assert_int_equal(rules.connects, 0);
	assert_int_equal(rules.bytes, 0);
	read_text("calls=100000000;connects=100000000;bytes=4000000000");
	assert_int_equal(rules.calls, 100000000);
	assert_int_equal(rules.connects, 100000000);
	assert_int_equal(rules.bytes, 4000000000);
	read_text("connects=1;bytes=2;calls=3");
	assert_int_equal(rules.calls, 3);
	assert_int_equal(rules.connects, 1);
	assert_int_equal(rules.bytes, 2);
}

static void ways(void **state)
{
	(void)state;
	read_text("");
	assert_int_equal(rules.congestion, PVCALLS_CONGESTION_ANY);
	assert_int_equal(rules.shortcuts, PVCALLS_SHORT_ALL);
	read_text("congestion=any;shortcuts=direct,zerocopy");
	assert_int_equal(rules.congestion, PVCALLS_CONGESTION_ANY);
	assert_int_equal(rules.shortcuts, PVCALLS_SHORT_ALL);
	read_text("congestion=none;shortcuts=none");
	assert_int_equal(rules.congestion, 0);
	assert_int_equal(rules.shortcuts, 0);
	read_text("congestion=bbr,reno;shortcuts=zerocopy");
	assert_int_equal(rules.congestion, 9);
	assert_int_equal(rules.shortcuts, PVCALLS_SHORT_ZEROCOPY);
	read_text("congestion=cubic,cubic;shortcuts=direct");
	assert_int_equal(rules.congestion, 4);
	assert_int_equal(rules.shortcuts, PVCALLS_SHORT_DIRECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense),
		cmocka_unit_test(limits),
		cmocka_unit_test(rates),
		cmocka_unit_test(ways),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
