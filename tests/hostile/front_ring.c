// SPDX-License-Identifier: GPL-2.0
/* Lies in grants, event channels and indexes of data rings. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "front.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static struct fe fe;
static struct conn conns[4];
static u8 junk[1 << 20];

/* Connects with a ring that cannot work; the socket must survive that. */
static void want_refused(struct conn *c, const char *what)
{
	s32 ret = conn_open(&fe, c, PORT_ECHO);

	expect(is_error(ret), "%s: answered %d", what, ret);
	ret = fe_simple(&fe, CMD_RELEASE, c->id);
	expect(!ret, "%s: release answered %d", what, ret);
}

static void ring_orders(void)
{
	static const u32 orders[] = {
		0, 10, 11, 12, 16, 31, 32, 33, 63, 64, 255, 0x7fffffff,
		0x80000000, 0x80000001, 0xffffffff
	};
	struct conn *c = &conns[0];
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < COUNT(orders); i++) {
		conn_init(&fe, c, 1);
		c->intf->ring_order = orders[i];
		want_refused(c, "ring_order");
		conn_free(&fe, c);
	}
	/* The limits themselves are fine */
	for (i = 1; i <= MAX_ORDER; i++) {
		conn_must_open(&fe, c, i, PORT_ECHO);
		conn_echo(&fe, c, 20000);
		conn_release(&fe, c);
	}
	fe_control(&fe);
}

static void index_grants(void)
{
	static const u32 refs[] = {
		2, 3, 7, 31000, 0x8000, 0xffff, 0x10000, 0x7fffffff,
		0x80000000, 0xfffffffe, 0xffffffff
	};
	struct conn *c = &conns[0];
	struct pages readonly;
	struct raw_req req;
	unsigned int i;
	s32 ret;

	fe_open(&fe);
	conn_init(&fe, c, 1);
	for (i = 0; i < COUNT(refs); i++) {
		c->index.ref[0] = refs[i];
		want_refused(c, "grant of the indexes page");
	}
	/* Pages that are granted, but are something else: console, xenstore */
	for (i = 0; i < 2; i++) {
		c->index.ref[0] = i;
		expect(!fe_socket(&fe, c->id), "socket");
		req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
		ret = fe_call(&fe, &req);
		expect(!ret || is_error(ret), "answered %d", ret);
		expect(!fe_simple(&fe, CMD_RELEASE, c->id), "release");
	}
	/* The command ring as indexes page: its slots are what they are */
	c->index.ref[0] = fe.ring_page.ref[0];
	expect(!fe_socket(&fe, c->id), "socket");
	req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
	ret = fe_call(&fe, &req);
	expect(!ret || is_error(ret), "command ring: answered %d", ret);
	expect(!fe_simple(&fe, CMD_RELEASE, c->id), "release");

	pages_alloc(&fe, &readonly, 1, false);
	memcpy(readonly.va, c->intf, PAGE);
	c->index.ref[0] = readonly.ref[0];
	want_refused(c, "read-only indexes page");
	fe_control(&fe);
}

static void data_grants(void)
{
	static const u32 bad[] = { 2, 31000, 0x7fffffff, 0xffffffff };
	struct conn *c = &conns[0];
	struct pages readonly;
	unsigned int i, order, at;
	u32 n;

	fe_open(&fe);
	pages_alloc(&fe, &readonly, 1, false);
	for (order = 1; order <= MAX_ORDER; order += 4) {
		n = 1U << order;
		conn_init(&fe, c, order);
		for (i = 0; i < COUNT(bad); i++) {
			/* first, one in the middle, last, all */
			for (at = 0; at < n; at += n / 2) {
				c->intf->ref[at] = bad[i];
				want_refused(c, "grant of a data page");
				c->intf->ref[at] = c->data.ref[at];
			}
			c->intf->ref[n - 1] = bad[i];
			want_refused(c, "grant of the last data page");
			memset(c->intf->ref, 0xff, n * 4);
			want_refused(c, "grants of all data pages");
			memcpy(c->intf->ref, c->data.ref, n * 4);
		}
		c->intf->ref[n - 1] = readonly.ref[0];
		want_refused(c, "read-only data page");
		memcpy(c->intf->ref, c->data.ref, n * 4);
		/* Nothing is left mapped or bound: all of it works now */
		expect(!conn_open(&fe, c, PORT_ECHO), "connect after all");
		conn_echo(&fe, c, 10000);
		conn_release(&fe, c);
	}
	fe_control(&fe);
}

/* Grants that overlap are allowed by Xen. Garbage arrives, no more. */
static void overlapping_grants(void)
{
	struct conn *c = &conns[0];
	struct raw_req req;
	unsigned int i, kind;
	u8 buf[512];

	fe_open(&fe);
	for (kind = 0; kind < 3; kind++) {
		conn_init(&fe, c, 3);
		for (i = 0; i < 8; i++)
			c->intf->ref[i] =
				kind == 0 ? c->data.ref[0] :	/* one page */
				kind == 1 ? c->index.ref[0] :	/* the indexes */
				fe.ring_page.ref[0];		/* the commands */
		expect(!fe_socket(&fe, c->id), "socket");
		req = conn_request(&fe, c, peer_host, peer_base + PORT_STREAM);
		fe_push(&fe, &req);
		/*
		 * The peer's bytes may be on top of the indexes and of the
		 * command ring soon, so nothing can be expected from either.
		 */
		for (i = 0; i < 100; i++) {
			evt_wait(fe.evt, 5);
			memset(buf, i, sizeof(buf));
			memcpy(c->out, buf, sizeof(buf));
			SET(c->intf->in_cons, i * 512);
			SET(c->intf->out_prod, i * 512);
			evt_notify(fe.evt, c->port);
		}
		fe_reset();
		fe_open(&fe);
	}
	fe_control(&fe);
}

static void bad_ports(void)
{
	static const u32 ports[] = {
		0, 1, 2, 3, 900, 1022, 4095, 0x20000, 0x7fffffff, 0x80000000,
		0xffffffff
	};
	struct conn *c = &conns[0], *other = &conns[1];
	unsigned int i;
	u32 good;

	fe_open(&fe);
	conn_must_open(&fe, other, 1, PORT_ECHO);
	conn_init(&fe, c, 2);
	good = c->port;
	for (i = 0; i < COUNT(ports); i++) {
		c->port = ports[i];
		want_refused(c, "port");
	}
	c->port = fe.port;
	want_refused(c, "the command ring's port");
	c->port = other->port;
	want_refused(c, "another socket's port");
	c->port = good;
	expect(!conn_open(&fe, c, PORT_ECHO), "connect after all");
	conn_echo(&fe, c, 10000);
	conn_release(&fe, c);
	conn_echo(&fe, other, 10000);
	conn_release(&fe, other);
	fe_control(&fe);
}

/* What the indexes page holds before the backend sees it is no index. */
static void stale_indexes(void)
{
	static const u32 values[] = { 1, 4096, 0x10000, 0x80000000, ~0U };
	struct conn *c = &conns[0];
	unsigned int i, word;

	fe_open(&fe);
	for (word = 0; word < 6; word++) {
		for (i = 0; i < COUNT(values); i++) {
			conn_init(&fe, c, 1);
			((u32 *)c->intf)[word / 3 * 16 + word % 3] = values[i];
			/* Works, is refused or dies: it may not matter */
			if (!conn_open(&fe, c, PORT_STREAM)) {
				evt_notify(fe.evt, c->port);
				evt_wait(fe.evt, 50);
			}
			if (be_state() == ST_CONNECTED) {
				expect(!fe_simple(&fe, CMD_RELEASE, c->id),
				       "release");
				conn_free(&fe, c);
			}
			fe_again(&fe);
		}
	}
	fe_control(&fe);
}

/* With the ring full, the backend's index stands still. */
static void wait_full(struct conn *c)
{
	u64 end = now_ms() + 10000;

	while (GET(c->intf->in_prod) - c->in_cons != c->size) {
		expect(now_ms() < end, "the peer does not fill the ring");
		evt_wait(fe.evt, 20);
	}
}

enum which { OUT_PROD, IN_CONS };

/* Writes one index wrong, before or during traffic, on a fresh socket. */
static void lie_index(enum which which, u32 beyond, bool traffic)
{
	struct conn *c = &conns[0], *good = &conns[1];
	char what[80];

	snprintf(what, sizeof(what), "%s off by 0x%x%s",
		 which == OUT_PROD ? "out_prod" : "in_cons", beyond,
		 traffic ? " in traffic" : "");
	fe_again(&fe);
	conn_must_open(&fe, good, 1, PORT_ECHO);
	conn_must_open(&fe, c, 2, PORT_STREAM);
	conn_wait_in(&fe, c);
	if (traffic) {
		u32 got = 0, n;

		while (got < 100000) {
			conn_wait_in(&fe, c);
			n = conn_recv(&fe, c, junk, 3000);
			got += n;
			conn_send(&fe, c, junk, n / 2);
		}
	}
	wait_full(c);
	if (which == OUT_PROD)
		SET(c->intf->out_prod, GET(c->intf->out_cons) + c->size +
		    beyond);
	else
		SET(c->intf->in_cons, GET(c->intf->in_prod) + beyond);
	evt_notify(fe.evt, c->port);
	want_punished(&fe, c, what);
	if (be_state() != ST_CONNECTED)
		return;
	/* Only this socket: nobody else notices */
	conn_echo(&fe, good, 3000);
	conn_release(&fe, good);
	conn_release(&fe, c);
}

static const u32 beyonds[] = { 1, 4096, 0x1000000, 0x7fffffff, 0x80000000 };

static void lie_out_prod(void)
{
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < COUNT(beyonds); i++) {
		lie_index(OUT_PROD, beyonds[i], false);
		lie_index(OUT_PROD, beyonds[i], true);
	}
	fe_control(&fe);
}

static void lie_in_cons(void)
{
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < COUNT(beyonds); i++) {
		lie_index(IN_CONS, beyonds[i], false);
		lie_index(IN_CONS, beyonds[i], true);
	}
	fe_control(&fe);
}

/* The backend read these once, when it mapped the ring. */
static void change_order(void)
{
	static const u32 orders[] = { 0, 1, 9, 31, 0xffffffff };
	struct conn *c = &conns[0];
	unsigned int i;

	fe_open(&fe);
	conn_must_open(&fe, c, 3, PORT_ECHO);
	for (i = 0; i < COUNT(orders); i++) {
		SET(c->intf->ring_order, orders[i]);
		memset(c->intf->ref, 0x55 + i, sizeof(c->intf->ref));
		conn_echo(&fe, c, 50000);
	}
	conn_release(&fe, c);
	fe_control(&fe);
}

/* The backend's own words, written by the guest */
static void scribble_indexes(void)
{
	struct conn *c = &conns[0];
	unsigned int i;

	fe_open(&fe);
	conn_must_open(&fe, c, 2, PORT_ECHO);
	for (i = 1; i <= 20; i++) {
		u32 in_prod = c->in_cons, out_cons = c->out_prod;

		conn_echo(&fe, c, 5000);
		in_prod = c->in_cons;
		out_cons = c->out_prod;
		SET(c->intf->in_prod, 0x9e3779b9 * i);
		SET(c->intf->out_cons, 0x85ebca6b * i);
		SET(c->intf->in_error, (s32)(0x7fffffff / i));
		SET(c->intf->out_error, -(s32)i * 1000000);
		memset(c->intf->pad1, i, sizeof(c->intf->pad1));
		memset(c->intf->pad2, i, sizeof(c->intf->pad2));
		evt_notify(fe.evt, c->port);
		evt_wait(fe.evt, 5);
		SET(c->intf->in_prod, in_prod);
		SET(c->intf->out_cons, out_cons);
		SET(c->intf->in_error, 0);
		SET(c->intf->out_error, 0);
	}
	conn_release(&fe, c);
	fe_control(&fe);
}

/* Thresholds are advice; nonsense in them harms only who writes it. */
static void scribble_thresholds(void)
{
	struct conn *c = &conns[0];
	unsigned int i;

	if (!fe_offered("feature-wakeup"))
		return;
	fe_init(&fe);
	fe_reset();
	fe_node("feature-wakeup", "1");
	fe_connect(&fe);
	conn_must_open(&fe, c, 2, PORT_ECHO);
	for (i = 1; i <= 20; i++) {
		SET(c->intf->in_data_wake, 0x9e3779b9 * i);
		SET(c->intf->in_space_wake, 0x85ebca6b * i);
		SET(c->intf->out_data_wake, 0xc2b2ae35 * i);
		SET(c->intf->out_space_wake, 0x27d4eb2f * i);
		conn_echo(&fe, c, 5000);
	}
	conn_release(&fe, c);
}

/* Grants that go away under the backend: only the guest forgets them. */
static void revoke(void)
{
	struct conn *c = &conns[0], *good = &conns[1];
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < 5; i++) {
		conn_must_open(&fe, good, 1, PORT_ECHO);
		conn_must_open(&fe, c, 4, PORT_STREAM);
		conn_wait_in(&fe, c);
		pages_free(&fe, &c->data);
		evt_notify(fe.evt, c->port);
		pages_free(&fe, &c->index);
		evt_notify(fe.evt, c->port);
		evt_unbind(fe.evt, c->port);
		conn_echo(&fe, good, 20000);
		expect(!fe_simple(&fe, CMD_RELEASE, c->id), "release");
		conn_release(&fe, good);
	}
	fe_control(&fe);
}

const struct hcase ring_cases[] = {
	{ "ring-orders", ring_orders, 60, 0, NULL },
	{ "index-grants", index_grants, 30, 0, NULL },
	{ "data-grants", data_grants, 60, 0, NULL },
	{ "overlapping-grants", overlapping_grants, 60, 0, NULL },
	{ "bad-ports", bad_ports, 30, 0, NULL },
	{ "stale-indexes", stale_indexes, 120, 0, NULL },
	{ "lie-out-prod", lie_out_prod, 120, 0, NULL },
	{ "lie-in-cons", lie_in_cons, 120, 0, NULL },
	{ "change-order", change_order, 30, 0, NULL },
	{ "scribble-indexes", scribble_indexes, 60, 0, NULL },
	{ "scribble-thresholds", scribble_thresholds, 60, 0, NULL },
	{ "revoke", revoke, 60, 0, NULL },
};

const unsigned int ring_count = COUNT(ring_cases);
