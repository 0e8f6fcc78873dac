// SPDX-License-Identifier: GPL-2.0
/* Lies in xenstore: nodes that make no sense, states out of order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "front.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static struct fe fe;
static struct conn conns[8];

/* The backend must not connect to what the nodes say now. */
static void want_no_connection(const char *what)
{
	u64 end = now_ms() + 1000;

	fe_state("3");
	do {
		long state = be_state();

		expect(state != ST_CONNECTED, "%s: connected", what);
		if (state == ST_CLOSING || state == ST_CLOSED)
			break;
		sleep_ms(10);
	} while (now_ms() < end);
}

static void garbage_nodes(void)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{ "port", NULL }, { "port", "" }, { "port", "abc" },
		{ "port", "0" }, { "port", "-1" }, { "port", "4294967295" },
		{ "port", "99999999999999999999" }, { "port", "0x" },
		{ "ring-ref", NULL }, { "ring-ref", "" }, { "ring-ref", "abc" },
		{ "ring-ref", "-1" }, { "ring-ref", "4294967295" },
		{ "ring-ref", "31000" }, { "ring-ref", "99999999999999999999" },
		{ "ring-page-order", "" }, { "ring-page-order", "abc" },
		{ "ring-page-order", "-1" }, { "ring-page-order", "0" },
		{ "ring-page-order", "1" }, { "ring-page-order", "5" },
		{ "ring-page-order", "31" }, { "ring-page-order", "32" },
		{ "ring-page-order", "4294967295" },
		{ "version", "" }, { "version", "0" }, { "version", "2" },
		{ "version", "abc" },
	};
	char what[64];
	unsigned int i;

	fe_init(&fe);
	for (i = 0; i < COUNT(bad); i++) {
		fe_reset();
		fe_publish(&fe);
		fe_node(bad[i].key, bad[i].value);
		snprintf(what, sizeof(what), "%s=%s", bad[i].key,
			 bad[i].value ? bad[i].value : "(none)");
		want_no_connection(what);
	}
	fe_reset();
	fe_connect(&fe);
	fe_control(&fe);
}

/* Time after time; the scenario counts the lines in Dom0's log. */
static void log_flood(void)
{
	int i;

	fe_init(&fe);
	for (i = 0; i < 60; i++) {
		fe_reset();
		fe_publish(&fe);
		fe_node("version", "3");
		want_no_connection("version=3");
	}
}

static void readonly_ring(void)
{
	struct pages page;
	char ref[16];

	fe_init(&fe);
	fe_reset();
	pages_alloc(&fe, &page, 1, false);
	fe_publish(&fe);
	snprintf(ref, sizeof(ref), "%u", page.ref[0]);
	fe_node("ring-ref", ref);
	want_no_connection("read-only command ring");
}

/* A command ring of two pages, the second one nobody's, or the first again */
static void garbage_pages(void)
{
	static const u32 lies[] = { 31000, 0xffffffff };
	struct raw_req req;
	struct pages page;
	unsigned int i;

	fe_init(&fe);
	for (i = 0; i < COUNT(lies); i++) {
		fe_reset();
		fe_publish(&fe);
		fe_number("ring-page-order", 1);
		fe_number("ring-ref0", fe.ring_page.ref[0]);
		fe_number("ring-ref1", lies[i]);
		want_no_connection("second page of the command ring");
	}

	/* 64 slots in truth, of which we use the first 32 */
	pages_alloc(&fe, &page, 1, true);
	fe_reset();
	fe_number("ring-page-order", 1);
	fe_number("ring-ref0", fe.ring_page.ref[0]);
	fe_number("ring-ref1", page.ref[0]);
	fe_connect(&fe);
	for (i = 0; i < 20; i++)
		expect(fe_simple(&fe, CMD_RELEASE, i) == -EBADF, "release");
	/* more than 32 at a time, but not more than 64 */
	fe_push_raw(&fe, fe.req_prod + 40);
	sleep_ms(100);
	expect(be_state() == ST_CONNECTED, "40 requests are too many");
	fe_push_raw(&fe, fe.req_prod + 40 + 65);
	expect(be_wait(1 << ST_CLOSING | 1 << ST_CLOSED, 5000),
	       "65 requests are not too many");

	/* the last slot is where the indexes are */
	fe_init(&fe);
	fe_reset();
	fe_number("ring-page-order", 1);
	fe_number("ring-ref0", fe.ring_page.ref[0]);
	fe_number("ring-ref1", fe.ring_page.ref[0]);
	fe_connect(&fe);
	req = req_new(&fe, CMD_RELEASE, 1);
	for (i = 0; i < 32; i++)
		fe.sring->slot[i].req = req;
	for (i = 0; i < 200 && be_state() == ST_CONNECTED; i++) {
		fe_push_raw(&fe, i * 16);
		sleep_ms(1);
	}
	fe_init(&fe);
	fe_reset();
	fe_connect(&fe);
	fe_control(&fe);
}

/* An extension is in force with "1" only. */
static void garbage_features(void)
{
	static const char * const values[] = {
		"2", "yes", "", "-1", "4294967297", "1234567890123456789012345",
	};
	unsigned int i;

	for (i = 0; i < COUNT(values); i++) {
		s32 ret;

		fe_init(&fe);
		fe_reset();
		fe_node("feature-defer", values[i]);
		fe_node("feature-shutdown", values[i]);
		fe_node("feature-names", values[i]);
		fe_node("feature-nonsense", "1");
		fe_connect(&fe);
		ret = fe_simple(&fe, CMD_SHUTDOWN, 1);
		expect(ret == -ENOTSUP_WIRE, "feature-shutdown=%s: %d",
		       values[i], ret);
		ret = fe_simple(&fe, CMD_DEFERRED, 1);
		expect(ret == -ENOTSUP_WIRE, "feature-defer=%s: %d",
		       values[i], ret);
	}
	fe_control(&fe);
}

/* A command ring that is full of lies before the backend first sees it */
static void stale_ring(void)
{
	static const u32 prods[] = { 33, 0x1000, 0x80000000, 0xffffffff };
	unsigned int i;

	for (i = 0; i < COUNT(prods); i++) {
		fe_init(&fe);
		fe_reset();
		memset(fe.sring, 0xff, PAGE);
		SET(fe.sring->req_prod, prods[i]);
		SET(fe.sring->rsp_prod, 0x12345678 * i);
		fe_publish(&fe);
		fe_state("3");
		expect(be_wait(1 << ST_CLOSING | 1 << ST_CLOSED, 5000),
		       "req_prod %u: state %ld", prods[i], be_state());
	}
}

static void busy(void)
{
	struct raw_req req;
	int i;

	fe_open(&fe);
	for (i = 0; i < 4; i++) {
		conn_must_open(&fe, &conns[i], 2, PORT_STREAM);
		conn_wait_in(&fe, &conns[i]);
	}
	conn_init(&fe, &conns[4], 1);
	expect(!fe_socket(&fe, conns[4].id), "socket");
	req = conn_request(&fe, &conns[4], hole_host, 9);
	fe_push(&fe, &req);
}

/* States that a frontend never goes to from Connected, in mid traffic */
static void state_jumps(void)
{
	static const char * const states[] = {
		"1", "2", "3", "5", "6", "7", "8", "9", "99", "4294967295",
		"-1"
	};
	unsigned int i;

	for (i = 0; i < COUNT(states); i++) {
		busy();
		fe_state(states[i]);
		sleep_ms(300);
		expect(be_state() != ST_UNKNOWN, "state %s: the backend's state is gone",
		       states[i]);
	}
}

/* There and back, faster than the backend follows */
static void state_flutter(void)
{
	int i;

	busy();
	for (i = 0; i < 100; i++) {
		fe_state(i % 3 == 0 ? "5" : i % 3 == 1 ? "1" : "4");
		if (i % 10 == 0)
			sleep_ms(5);
	}
	sleep_ms(300);
}

/* Other transport parameters while connected: they were read once. */
static void nodes_change(void)
{
	struct conn *c = &conns[0];

	fe_open(&fe);
	conn_must_open(&fe, c, 2, PORT_ECHO);
	fe_node("port", "1");
	fe_node("ring-ref", "8");
	fe_node("version", "7");
	fe_node("feature-defer", "1");
	fe_state("4");
	conn_echo(&fe, c, 20000);
	expect(fe_simple(&fe, CMD_DEFERRED, 1) == -ENOTSUP_WIRE,
	       "an extension came into force while connected");
	fe_state("3");
	sleep_ms(200);
	if (be_state() == ST_CONNECTED) {
		conn_echo(&fe, c, 20000);
		conn_release(&fe, c);
	}
}

/*
 * Nonsense that xenbus takes for a frontend that has gone for good: afterwards
 * there may be no device any more.
 */
static void state_unknown(void)
{
	busy();
	fe_state("nonsense");
	sleep_ms(500);
	fe_state("0");
	sleep_ms(500);
}

const struct hcase state_cases[] = {
	{ "garbage-nodes", garbage_nodes, 120, 0, NULL },
	{ "log-flood", log_flood, 60, 0, NULL },
	{ "readonly-ring", readonly_ring, 30, 0, NULL },
	{ "garbage-pages", garbage_pages, 60, 0, NULL },
	{ "garbage-features", garbage_features, 60, 0, NULL },
	{ "stale-ring", stale_ring, 60, 0, NULL },
	{ "state-jumps", state_jumps, 120, 0, NULL },
	{ "state-flutter", state_flutter, 60, 0, NULL },
	{ "nodes-change", nodes_change, 30, 0, NULL },
	{ "state-unknown", state_unknown, 30, CASE_LAST, NULL },
};

const unsigned int state_count = COUNT(state_cases);
