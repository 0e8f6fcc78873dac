// SPDX-License-Identifier: GPL-2.0
/* rules.c and ruletext.c: what an operator writes, and what it says. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules_text.h"

#define TCP	PVCALLS_MAY_TCP
#define UDP	PVCALLS_MAY_UDP
#define ICMP	PVCALLS_MAY_ICMP
#define CONNECT	PVCALLS_DOOR_CONNECT
#define BIND	PVCALLS_DOOR_BIND

static struct pvcalls_target target(u8 proto, const char *addr, u16 port)
{
	struct pvcalls_target t;
	u8 a[16];

	memset(&t, 0xff, sizeof(t));
	if (inet_pton(AF_INET, addr, a) == 1) {
		pvcalls_target_v4(&t, a);
	} else {
		assert_int_equal(inet_pton(AF_INET6, addr, a), 1);
		pvcalls_target_v6(&t, a);
	}
	t.proto = proto;
	t.port = port;
	return t;
}

static enum pvcalls_denial says(enum pvcalls_local local,
				enum pvcalls_door door, u8 proto,
				const char *addr, u16 port)
{
	struct pvcalls_target t = target(proto, addr, port);

	return pvcalls_rules_ask(&rules, local, door, &t);
}

/* With what is in force by default */
static enum pvcalls_denial ask(enum pvcalls_door door, u8 proto,
			       const char *addr, u16 port)
{
	return says(rules.local ?: PVCALLS_LOCAL_ADDRESSES, door, proto, addr,
		    port);
}

#define OK(...)		assert_int_equal(ask(__VA_ARGS__), PVCALLS_ALLOWED)
#define NO(why, ...)	\
	assert_int_equal(ask(__VA_ARGS__), PVCALLS_DENIED_##why)

static void defaults(void **state)
{
	(void)state;
	read_text("");
	assert_int_equal(rules.local, PVCALLS_LOCAL_UNSET);
	assert_true(rules.listening);
	assert_int_equal(*rules.netns, 0);
	OK(CONNECT, TCP, "192.0.2.1", 22);
	OK(CONNECT, TCP, "10.0.0.1", 65535);
	OK(CONNECT, UDP, "2001:db8::1", 53);
	OK(CONNECT, UDP, "ff02::1", 53);
	OK(CONNECT, ICMP, "255.255.255.255", 0);
	OK(CONNECT, UDP, "128.0.0.1", 1);
	OK(BIND, TCP, "0.0.0.0", 80);
	OK(BIND, TCP, "::", 0);
	OK(BIND, TCP, "10.0.0.1", 443);
	NO(RESERVED, BIND, TCP, "0.0.0.0", 22);
	NO(RESERVED, BIND, UDP, "10.0.0.1", 22);
	NO(RESERVED, BIND, TCP, "::ffff:10.0.0.1", 22);
	OK(BIND, TCP, "10.0.0.1", 21);
	OK(BIND, TCP, "10.0.0.1", 23);
	/* the number of an echo */
	OK(BIND, ICMP, "0.0.0.0", 22);
	/* a socket that has its port already */
	OK(PVCALLS_DOOR_SOURCE, UDP, "10.0.0.1", 22);
}

static void loopback(void **state)
{
	static const char * const to[] = {
		"127.0.0.1", "127.0.0.0", "127.255.255.255", "::1",
		"::ffff:127.0.0.1", "0.0.0.0", "0.1.2.3", "::",
		"::ffff:0.0.0.0",
	};
	unsigned int i;

	(void)state;
	read_text("");
	for (i = 0; i < sizeof(to) / sizeof(*to); i++) {
		bool any = to[i][0] == '0' || !strcmp(to[i], "::") ||
			   !strcmp(to[i], "::ffff:0.0.0.0");

		NO(LOOPBACK, CONNECT, TCP, to[i], 80);
		NO(LOOPBACK, CONNECT, ICMP, to[i], 0);
		if (any)
			OK(BIND, UDP, to[i], 80);
		else
			NO(LOOPBACK, BIND, UDP, to[i], 80);
		if (!any)
			NO(LOOPBACK, PVCALLS_DOOR_SOURCE, UDP, to[i], 80);
		assert_int_equal(says(PVCALLS_LOCAL_ALL, CONNECT, TCP, to[i],
				      80), PVCALLS_ALLOWED);
		assert_int_equal(says(PVCALLS_LOCAL_ALL, BIND, TCP, to[i], 80),
				 PVCALLS_ALLOWED);
		assert_int_equal(says(PVCALLS_LOCAL_NONE, CONNECT, TCP, to[i],
				      80), PVCALLS_DENIED_LOOPBACK);
	}
	/* not quite those */
	OK(CONNECT, TCP, "::2", 80);
	OK(CONNECT, TCP, "::7f00:1", 80);
	OK(CONNECT, TCP, "0:0:0:0:0:fffe:7f00:1", 80);
	OK(CONNECT, TCP, "0:0:0:0:0:ff:7f00:1", 80);
	OK(CONNECT, TCP, "1::ffff:7f00:1", 80);
}

static void targets(void **state)
{
	static const u8 v4[16] = { 192, 0, 2, 1 };
	struct pvcalls_target t = target(TCP, "192.0.2.1", 80);

	(void)state;
	assert_int_equal(t.length, 32);
	assert_memory_equal(t.addr, v4, 16);
	t = target(TCP, "::ffff:192.0.2.1", 80);
	assert_int_equal(t.length, 32);
	assert_memory_equal(t.addr, v4, 16);
	t = target(TCP, "::ff:192.0.2.1", 80);
	assert_int_equal(t.length, 128);
	assert_int_equal(t.addr[11], 0xff);
}

static void own_addresses(void **state)
{
	struct pvcalls_target t = target(TCP, "10.0.0.1", 80);

	(void)state;
	read_text("");
	t.at = PVCALLS_AT_LOCAL;
	assert_int_equal(pvcalls_rules_ask(&rules, PVCALLS_LOCAL_ADDRESSES,
					   CONNECT, &t), PVCALLS_ALLOWED);
	assert_int_equal(pvcalls_rules_ask(&rules, PVCALLS_LOCAL_NONE, CONNECT,
					   &t), PVCALLS_DENIED_LOCAL);
	/* where else should it be bound to? */
	assert_int_equal(pvcalls_rules_ask(&rules, PVCALLS_LOCAL_NONE, BIND,
					   &t), PVCALLS_ALLOWED);
	assert_int_equal(says(PVCALLS_LOCAL_NONE, CONNECT, TCP, "10.0.0.1", 80),
			 PVCALLS_ALLOWED);
	assert_false(pvcalls_rules_need_route(&rules, PVCALLS_LOCAL_ADDRESSES));
	assert_false(pvcalls_rules_need_route(&rules, PVCALLS_LOCAL_ALL));
	assert_true(pvcalls_rules_need_route(&rules, PVCALLS_LOCAL_NONE));

	read_text("allow connect 10.0.0.0/8 port 53\ndeny connect local");
	assert_true(pvcalls_rules_need_route(&rules, PVCALLS_LOCAL_ADDRESSES));
	assert_int_equal(pvcalls_rules_ask(&rules, PVCALLS_LOCAL_ALL, CONNECT,
					   &t), PVCALLS_DENIED_RULE);
	t.port = 53;
	assert_int_equal(pvcalls_rules_ask(&rules, PVCALLS_LOCAL_ALL, CONNECT,
					   &t), PVCALLS_ALLOWED);
	OK(CONNECT, TCP, "10.0.0.1", 80);
	assert_int_equal(says(PVCALLS_LOCAL_ALL, CONNECT, TCP, "::1", 80),
			 PVCALLS_DENIED_RULE);
	assert_int_equal(says(PVCALLS_LOCAL_ALL, CONNECT, TCP, "::", 80),
			 PVCALLS_DENIED_RULE);
}

static void link_local(void **state)
{
	(void)state;
	read_text("local=all;allow connect any;allow bind any");
	NO(SCOPE, CONNECT, TCP, "fe80::1", 80);
	NO(SCOPE, CONNECT, UDP, "febf:ffff::1", 80);
	NO(SCOPE, BIND, UDP, "fe80::1", 80);
	OK(CONNECT, UDP, "fec0::1", 80);
	OK(CONNECT, UDP, "fe7f::1", 80);
	OK(CONNECT, UDP, "fc80::1", 80);
}

static void protocols(void **state)
{
	(void)state;
	read_text("protocols=tcp,ipv6");
	assert_int_equal(rules.may, TCP | PVCALLS_MAY_IPV6);
	OK(CONNECT, TCP, "::2", 80);
	NO(PROTOCOL, CONNECT, UDP, "192.0.2.1", 80);
	NO(PROTOCOL, BIND, ICMP, "0.0.0.0", 0);
	read_text("protocols=udp,listen,icmp");
	NO(PROTOCOL, CONNECT, UDP, "2001:db8::1", 80);
	NO(PROTOCOL, BIND, UDP, "::", 80);
	/* which is IPv4 */
	OK(CONNECT, UDP, "::ffff:192.0.2.1", 80);
	OK(CONNECT, ICMP, "192.0.2.1", 0);
	assert_true(rules.may & PVCALLS_MAY_LISTEN);
	read_text("protocols=none");
	assert_int_equal(rules.may, 0);
	NO(PROTOCOL, CONNECT, TCP, "192.0.2.1", 80);
}

static void reserved(void **state)
{
	(void)state;
	read_text("reserved=1-1023,5000,8000-8100");
	assert_false(rules.listening);
	NO(RESERVED, BIND, TCP, "0.0.0.0", 1);
	NO(RESERVED, BIND, TCP, "0.0.0.0", 1023);
	OK(BIND, TCP, "0.0.0.0", 1024);
	OK(BIND, TCP, "0.0.0.0", 0);
	NO(RESERVED, BIND, UDP, "::", 5000);
	NO(RESERVED, BIND, UDP, "::", 8100);
	OK(BIND, UDP, "::", 8101);
	OK(CONNECT, UDP, "192.0.2.1", 5000);
	read_text("reserved=none");
	OK(BIND, TCP, "0.0.0.0", 22);
	read_text("reserved=listening,22");
	assert_true(rules.listening);
	NO(RESERVED, BIND, TCP, "0.0.0.0", 22);
	read_text("reserved=listening;allow bind");
	OK(BIND, TCP, "0.0.0.0", 22);
}

static void first_match(void **state)
{
	(void)state;
	read_text("allow connect tcp 10.1.0.0/16 port 443\n"
		  "deny connect tcp 10.1.0.0/16\n"
		  "deny connect udp\n"
		  "deny connect 2001:db8:0:4000::/50 port 80-90\n"
		  "allow bind tcp any port 8000-8010\n"
		  "deny bind\n");
	OK(CONNECT, TCP, "10.1.255.255", 443);
	NO(RULE, CONNECT, TCP, "10.1.0.0", 442);
	NO(RULE, CONNECT, TCP, "::ffff:10.1.0.0", 442);
	OK(CONNECT, TCP, "10.2.0.0", 442);
	OK(CONNECT, TCP, "10.0.255.255", 442);
	OK(CONNECT, ICMP, "10.1.0.0", 0);
	NO(RULE, CONNECT, UDP, "192.0.2.1", 53);
	NO(RULE, CONNECT, UDP, "::2", 53);
	NO(RULE, CONNECT, TCP, "2001:db8:0:7fff::1", 80);
	NO(RULE, CONNECT, TCP, "2001:db8:0:4000::", 90);
	OK(CONNECT, TCP, "2001:db8:0:4000::", 91);
	OK(CONNECT, TCP, "2001:db8:0:4000::", 79);
	OK(CONNECT, TCP, "2001:db8:0:8000::", 80);
	OK(CONNECT, TCP, "2001:db8:0:3fff::", 80);
	/* a port of no echo */
	OK(CONNECT, ICMP, "2001:db8:0:4000::", 80);
	OK(BIND, TCP, "0.0.0.0", 8000);
	OK(BIND, TCP, "10.0.0.1", 8010);
	NO(RULE, BIND, UDP, "0.0.0.0", 8000);
	NO(RULE, BIND, TCP, "0.0.0.0", 8011);
	/* the kernel may choose any */
	NO(RULE, BIND, TCP, "0.0.0.0", 0);
	NO(RULE, PVCALLS_DOOR_SOURCE, UDP, "10.0.0.1", 8000);
	OK(PVCALLS_DOOR_SOURCE, TCP, "10.0.0.1", 8000);

	/* families have nothing to do with each other */
	read_text("deny connect 0.0.0.0/0;deny bind ::/0");
	NO(RULE, CONNECT, TCP, "192.0.2.1", 1);
	OK(CONNECT, TCP, "::2", 1);
	NO(RULE, BIND, TCP, "::", 1);
	OK(BIND, TCP, "0.0.0.0", 1);
	read_text("deny connect 192.0.2.1;deny connect 2001:db8::1/128");
	NO(RULE, CONNECT, TCP, "192.0.2.1", 1);
	OK(CONNECT, TCP, "192.0.2.0", 1);
	NO(RULE, CONNECT, TCP, "2001:db8::1", 1);
	OK(CONNECT, TCP, "2001:db8::", 1);
	/* a mapped prefix is one of IPv4 */
	read_text("deny connect ::ffff:c000:200/120");
	NO(RULE, CONNECT, TCP, "192.0.2.77", 1);
	OK(CONNECT, TCP, "192.0.3.0", 1);
}

static void nonsense(void **state)
{
	static const struct bad_text bad[] = {
		{ "x", 0 }, { " local", 1 }, { "local=", 0 }, { "local=x", 0 },
		{ "local=all x", 10 }, { "local=all;local=all", 10 },
		{ "locals=all", 0 }, { "protocols=", 0 },
		{ "protocols=tcp,", 0 }, { "protocols=tcp,none", 0 },
		{ "reserved=", 0 }, { "reserved=0", 0 }, { "reserved=5-4", 0 },
		{ "reserved=65536", 0 }, { "reserved=1-65536", 0 },
		{ "reserved=99999999999", 0 }, { "reserved=1-", 0 },
		{ "reserved=-1", 0 }, { "reserved=022", 0 },
		{ "reserved=1,,2", 0 }, { "reserved=1x", 0 },
		{ "reserved=22,listeningx", 0 },
		{ "netns=", 0 }, { "netns=.", 0 }, { "netns=../x", 0 },
		{ "netns=a/b", 0 }, { "netns=a\x7f", 0 },
		{ "netns=a;netns=a", 8 },
		{ "allow", 5 }, { "deny ", 5 }, { "deny x", 5 },
		{ "\ndeny connect x", 14 }, { "deny connect tcp udp", 17 },
		{ "deny connect any tcp", 17 }, { "deny connect any any", 17 },
		{ "deny bind local", 10 }, { "deny connect local any", 19 },
		{ "deny connect port", 17 }, { "deny connect port 0", 18 },
		{ "deny connect port 0-5", 18 }, { "deny connect port 5-4", 18 },
		{ "deny connect port 5 any", 20 },
		{ "deny connect icmp port 5", 18 },
		{ "deny connect 10.0.0", 13 }, { "deny connect 10.0.0.0.0", 13 },
		{ "deny connect 10.0.0.256", 13 }, { "deny connect 10.0.0.", 13 },
		{ "deny connect 010.0.0.0", 13 }, { "deny connect 10.0.0.0/33", 13 },
		{ "deny connect 10.0.0.0/", 13 }, { "deny connect /8", 13 },
		{ "deny connect ::/129", 13 }, { "deny connect 1:", 13 },
		{ "deny connect :1", 13 }, { "deny connect :::", 13 },
		{ "deny connect 1::2::3", 13 }, { "deny connect 1:2:3:4:5:6:7", 13 },
		{ "deny connect 1:2:3:4:5:6:7:8:9", 13 },
		{ "deny connect 1:2:3:4:5:6:7:8::", 13 },
		{ "deny connect ::1:2:3:4:5:6:7:8", 13 },
		{ "deny connect 12345::", 13 }, { "deny connect g::", 13 },
		{ "deny connect ::ffff:0:0/95", 13 }, { "deny connect ::1:", 13 },
		{ "deny connect ::ffff:10.0.0.1", 13 },
	};

	(void)state;
	all_refused(bad, sizeof(bad) / sizeof(*bad));
}

static void too_much(void **state)
{
	char text[PVCALLS_MAX_POLICY + 2] = "";
	u32 i, at;

	(void)state;
	for (i = 0; i < PVCALLS_MAX_RULES; i++)
		strcat(text, "deny bind\n");
	read_text(text);
	assert_int_equal(rules.nr, PVCALLS_MAX_RULES);
	strcat(text, " deny bind");
	refused(text, -E2BIG, 10 * PVCALLS_MAX_RULES + 1);

	strcpy(text, "reserved=1");
	for (i = 1; i < PVCALLS_MAX_RESERVED; i++)
		strcat(text, ",1");
	read_text(text);
	strcat(text, ",1");
	refused(text, -EINVAL, 0);

	memset(text, 'n', PVCALLS_MAX_NETNS + 6);
	memcpy(text, "netns=", 6);
	text[PVCALLS_MAX_NETNS + 6] = 0;
	read_text(text);
	assert_int_equal(strlen(rules.netns), PVCALLS_MAX_NETNS);
	strcat(text, "n");
	refused(text, -EINVAL, 0);

	memset(text, ' ', sizeof(text));
	assert_int_equal(pvcalls_rules_parse(&rules, text, PVCALLS_MAX_POLICY,
					     &at), 0);
	assert_int_equal(pvcalls_rules_parse(&rules, text,
					     PVCALLS_MAX_POLICY + 1, &at),
			 -E2BIG);
}

/* What is read, and what is written back */
static const char * const texts[][2] = {
	{ "", "protocols=tcp,udp,icmp,ipv6,listen\n"
	      "reserved=22,listening\n" },
	{ " ;\n; local=none ;\t", "local=none\n"
	  "protocols=tcp,udp,icmp,ipv6,listen\n"
	  "reserved=22,listening\n" },
	{ "protocols=none;reserved=none;netns=blue;local=addresses",
	  "local=addresses\nprotocols=none\nreserved=none\n"
	  "netns=blue\n" },
	{ "limits=memory:100000000,sockets:0;netns=a;calls=1000",
	  "protocols=tcp,udp,icmp,ipv6,listen\n"
	  "reserved=22,listening\ncalls=1000\n"
	  "limits=sockets:0,memory:100000000\nnetns=a\n" },
	{ "cap=4000000000;weight=1000;calls=1",
	  "protocols=tcp,udp,icmp,ipv6,listen\n"
	  "reserved=22,listening\ncalls=1\nweight=1000\ncap=4000000000\n" },
	{ "bytes=4000000000;shortcuts=direct;connects=7;congestion=bbr,reno",
	  "protocols=tcp,udp,icmp,ipv6,listen\n"
	  "reserved=22,listening\nconnects=7\nbytes=4000000000\n"
	  "congestion=reno,bbr\nshortcuts=direct\n" },
	{ "weight=5;shortcuts=none;congestion=none;calls=9",
	  "protocols=tcp,udp,icmp,ipv6,listen\n"
	  "reserved=22,listening\ncalls=9\ncongestion=none\n"
	  "shortcuts=none\nweight=5\n" },
	{ "congestion=cubic;shortcuts=zerocopy,direct;bytes=any;connects=any",
	  "protocols=tcp,udp,icmp,ipv6,listen\n"
	  "reserved=22,listening\ncongestion=cubic\n" },
	{ "limits=pages:7", "protocols=tcp,udp,icmp,ipv6,listen\n"
	  "reserved=22,listening\nlimits=pages:7\n" },
	{ "calls=any;limits=none", "protocols=tcp,udp,icmp,ipv6,listen\n"
	  "reserved=22,listening\n" },
	{ "reserved=listening;protocols=udp,ipv6;local=all",
	  "local=all\nprotocols=udp,ipv6\nreserved=listening\n" },
	{ "reserved=1-2,3;protocols=tcp;deny connect;allow  bind\tudp;"
	  "deny connect tcp local port 5;allow connect any port 5-6;"
	  "deny bind icmp 10.1.2.3/12;allow bind 2001:DB8::ffff/33",
	  "protocols=tcp\nreserved=1-2,3\ndeny connect\n"
	  "allow bind udp\ndeny connect tcp local port 5\n"
	  "allow connect port 5-6\ndeny bind icmp 10.0.0.0/12\n"
	  "allow bind 2001:db8:0:0:0:0:0:0/33\n" },
	{ "protocols=tcp;reserved=none;deny bind ::;deny bind 1::/16;"
	  "deny bind 0:0:1::/0;deny connect 1:2:3:4:5:6:7::;"
	  "deny connect ::2:3:4:5:6:7:8;deny connect a::b:c:d",
	  "protocols=tcp\nreserved=none\n"
	  "deny bind 0:0:0:0:0:0:0:0/128\n"
	  "deny bind 1:0:0:0:0:0:0:0/16\n"
	  "deny bind 0:0:0:0:0:0:0:0/0\n"
	  "deny connect 1:2:3:4:5:6:7:0/128\n"
	  "deny connect 0:2:3:4:5:6:7:8/128\n"
	  "deny connect a:0:0:0:0:b:c:d/128\n" },
};

/* What is written back says the same, and fits whatever there is. */
static void written_back(void **state)
{
	struct pvcalls_rules before;
	unsigned int i;
	char *buf;
	int n;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *want = texts[i][1];

		read_text(texts[i][0]);
		buf = malloc(strlen(want) + 1);
		n = pvcalls_rules_print(&rules, buf, strlen(want) + 1);
		assert_int_equal(n, strlen(want));
		assert_string_equal(buf, want);
		buf = realloc(buf, n);
		assert_int_equal(pvcalls_rules_print(&rules, buf, n), -E2BIG);
		free(buf);
		before = rules;
		read_text(want);
		assert_memory_equal(&before, &rules, sizeof(rules));
	}
}

static void longest_text(void **state)
{
	char *buf, text[PVCALLS_MAX_POLICY + 1] = "";
	unsigned int i;

	(void)state;
	strcpy(text, "local=addresses\nreserved=10000-10001");
	for (i = 1; i < PVCALLS_MAX_RESERVED; i++)
		strcat(text, ",10000-10001");
	strcat(text, "\nnetns=");
	memset(text + strlen(text), 'n', PVCALLS_MAX_NETNS);
	read_text(text);
	rules.calls = PVCALLS_MAX_CALLS;
	rules.connects = PVCALLS_MAX_CALLS;
	rules.bytes = PVCALLS_BUCKET_MAX;
	rules.congestion = 13;
	rules.shortcuts = PVCALLS_SHORT_ZEROCOPY;
	rules.weight = PVCALLS_MAX_WEIGHT;
	rules.cap = PVCALLS_BUCKET_MAX;
	rules.limited = (1 << PVCALLS_KINDS) - 1;
	for (i = 0; i < PVCALLS_KINDS; i++)
		rules.limit[i] = PVCALLS_MAX_LIMIT;
	rules.nr = PVCALLS_MAX_RULES;
	for (i = 0; i < rules.nr; i++) {
		rules.rule[i] = (struct pvcalls_rule){
			.allow = true, .protos = ICMP, .length = 128,
			.bits = 128, .ports = { 10000, 10001 },
		};
		memset(rules.rule[i].addr, 0xff, 16);
	}
	buf = malloc(PVCALLS_POLICY_SIZE);
	/* and sixteen names of congestion controls, of 15 letters */
	assert_true(pvcalls_rules_print(&rules, buf, PVCALLS_POLICY_SIZE -
					16 * 16) > 0);
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(loopback),
		cmocka_unit_test(targets),
		cmocka_unit_test(own_addresses),
		cmocka_unit_test(link_local),
		cmocka_unit_test(protocols),
		cmocka_unit_test(reserved),
		cmocka_unit_test(first_match),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(too_much),
		cmocka_unit_test(written_back),
		cmocka_unit_test(longest_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
