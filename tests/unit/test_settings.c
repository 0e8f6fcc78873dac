// SPDX-License-Identifier: GPL-2.0
/* ruletext.c: limits, rates, and how bytes may be moved. */
#include "rules_text.h"

static void nonsense(void **state)
{
	static const struct bad_text bad[] = {
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
		{ "cap=", 0 }, { "cap=0", 0 }, { "cap=999999", 0 },
		{ "cap=4000000001", 0 }, { "cap=any;cap=any", 8 },
		{ "limits", 0 }, { "limits=", 0 }, { "limits=sockets", 0 },
		{ "limits=sockets:", 0 }, { "limits=socket:1", 0 },
		{ "limits=sockets:1,sockets:2", 0 },
		{ "limits=sockets:1,", 0 }, { "limits=sockets:1:2", 0 },
		{ "limits=sockets:-1", 0 }, { "limits=:1", 0 },
		{ "limits=none,sockets:1", 0 }, { "limits=memory:100000001", 0 },
		{ "limits=none;limits=none", 12 },
	};

	(void)state;
	all_refused(bad, sizeof(bad) / sizeof(*bad));
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

static void has_rates(const char *text, u32 calls, u32 connects, u32 bytes)
{
	read_text(text);
	assert_int_equal(rules.calls, calls);
	assert_int_equal(rules.connects, connects);
	assert_int_equal(rules.bytes, bytes);
}

static void rates(void **state)
{
	(void)state;
	has_rates("", 0, 0, 0);
	has_rates("bytes=any;calls=any;connects=any", 0, 0, 0);
	has_rates("calls=100000000;connects=100000000;bytes=4000000000",
		  100000000, 100000000, 4000000000);
	has_rates("connects=1;bytes=2;calls=3", 3, 1, 2);
}

static void caps(void **state)
{
	(void)state;
	read_text("");
	assert_int_equal(rules.cap, 0);
	read_text("cap=any");
	assert_int_equal(rules.cap, 0);
	read_text("cap=1000000");
	assert_int_equal(rules.cap, PVCALLS_MIN_CAP);
	read_text("cap=4000000000;weight=5");
	assert_int_equal(rules.cap, 4000000000);
}

static void has_ways(const char *text, u32 congestion, u8 shortcuts)
{
	read_text(text);
	assert_int_equal(rules.congestion, congestion);
	assert_int_equal(rules.shortcuts, shortcuts);
}

static void ways(void **state)
{
	(void)state;
	has_ways("", PVCALLS_CONGESTION_ANY, PVCALLS_SHORT_ALL);
	has_ways("congestion=any;shortcuts=direct,zerocopy",
		 PVCALLS_CONGESTION_ANY, PVCALLS_SHORT_ALL);
	has_ways("congestion=none;shortcuts=none", 0, 0);
	has_ways("congestion=bbr,reno;shortcuts=zerocopy", 9,
		 PVCALLS_SHORT_ZEROCOPY);
	has_ways("congestion=cubic,cubic;shortcuts=direct", 4,
		 PVCALLS_SHORT_DIRECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense),
		cmocka_unit_test(limits),
		cmocka_unit_test(rates),
		cmocka_unit_test(ways),
		cmocka_unit_test(caps),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
