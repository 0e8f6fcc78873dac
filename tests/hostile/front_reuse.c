// SPDX-License-Identifier: GPL-2.0
/* Lies about data rings that are to be used again: feature-reuse. */
#include <errno.h>
#include <string.h>

#include "front.h"

static struct fe fe;
static struct conn conns[64];

/* False if the backend has no such extension */
static bool reuse_open(void)
{
	if (!fe_offered("feature-reuse"))
		return false;
	fe_init(&fe);
	fe_reset();
	fe_node("feature-reuse", "1");
	fe_node("feature-open", "1");
	fe_connect(&fe);
	return true;
}

/* Another socket for the ring */
static void next_socket(struct conn *c)
{
	static u64 id = 0x2000;

	c->id = id++;
	c->in_cons = 0;
	c->out_prod = 0;
}

static void clear_indexes(struct conn *c)
{
	memset(c->intf, 0, offsetof(struct raw_intf, ring_order));
}

/* CONNECT that creates its socket */
static s32 conn_direct(struct conn *c, int port)
{
	struct raw_req req;

	next_socket(c);
	req = conn_request(&fe, c, peer_host, peer_base + port);
	req.u.connect.flags = 1;
	return fe_call(&fe, &req);
}

static void must_direct(struct conn *c, int port, const char *what)
{
	s32 ret = conn_direct(c, port);

	expect(!ret, "%s: connect answered %d", what, ret);
}

static void release_for_reuse(struct conn *c)
{
	struct raw_req req = req_new(&fe, CMD_RELEASE, c->id);
	s32 ret;

	req.u.release.reuse = 1;
	ret = fe_call(&fe, &req);
	expect(!ret, "release answered %d", ret);
}

static s32 forget(u32 count, const u32 *refs, u32 n)
{
	struct raw_req req = req_new(&fe, CMD_FORGET, 0);

	req.u.forget.count = count;
	memcpy(req.u.forget.ref, refs, n * sizeof(*refs));
	return fe_call(&fe, &req);
}

/* As it should be: many sockets with one ring, which can be freed afterwards. */
static void reuse_honest(void)
{
	struct conn *c = &conns[0];
	unsigned int i;

	if (!reuse_open())
		return;
	conn_init(&fe, c, 3);
	for (i = 0; i < 50; i++) {
		clear_indexes(c);
		must_direct(c, PORT_ECHO, "again");
		conn_echo(&fe, c, 1000 * i + 1);
		release_for_reuse(c);
	}
	expect(!forget(1, c->index.ref, 1), "forget");
	conn_free(&fe, c);
	conn_must_open(&fe, c, 3, PORT_ECHO);
	conn_echo(&fe, c, 50000);
	conn_release(&fe, c);
}

/* One ring for two sockets at a time, with its channel or with another one */
static void reuse_twice(void)
{
	struct conn *c = &conns[0], second;
	s32 ret;
	int port;

	if (!reuse_open())
		return;
	conn_must_open(&fe, c, 3, PORT_ECHO);
	conn_echo(&fe, c, 1000);
	release_for_reuse(c);
	clear_indexes(c);
	must_direct(c, PORT_ECHO, "again");
	second = *c;
	ret = conn_direct(&second, PORT_ECHO);
	expect(is_error(ret), "ring in use: answered %d", ret);
	expect(!fe_simple(&fe, CMD_RELEASE, second.id), "release");
	port = evt_unbound(fe.evt, 0);
	expect(port > 0, "evtchn");
	second.port = port;
	ret = conn_direct(&second, PORT_ECHO);
	expect(is_error(ret), "ring in use, other channel: answered %d", ret);
	expect(!fe_simple(&fe, CMD_RELEASE, second.id), "release");
	conn_echo(&fe, c, 50000);
	conn_release(&fe, c);
	fe_control(&fe);
}

/* The kept ring, but not its channel: all is mapped anew. */
static void reuse_other_port(void)
{
	struct conn *c = &conns[0];
	unsigned int i;
	int port;

	if (!reuse_open())
		return;
	conn_must_open(&fe, c, 3, PORT_ECHO);
	for (i = 0; i < 5; i++) {
		conn_echo(&fe, c, 5000);
		release_for_reuse(c);
		port = evt_unbound(fe.evt, 0);
		expect(port > 0, "evtchn");
		evt_unbind(fe.evt, c->port);
		c->port = port;
		clear_indexes(c);
		must_direct(c, PORT_ECHO, "other channel");
	}
	/* a port that is nobody's */
	release_for_reuse(c);
	port = c->port;
	c->port = 900;
	expect(is_error(conn_direct(c, PORT_ECHO)), "bad channel");
	expect(!fe_simple(&fe, CMD_RELEASE, c->id), "release");
	c->port = port;
	clear_indexes(c);
	must_direct(c, PORT_ECHO, "the right channel");
	conn_echo(&fe, c, 5000);
	conn_release(&fe, c);
	fe_control(&fe);
}

/* Another channel that has the old one's number: only the guest is deaf. */
static void reuse_same_port(void)
{
	struct conn *c = &conns[0];
	int port;

	if (!reuse_open())
		return;
	conn_must_open(&fe, c, 3, PORT_ECHO);
	conn_echo(&fe, c, 5000);
	release_for_reuse(c);
	evt_unbind(fe.evt, c->port);
	port = evt_unbound(fe.evt, 0);
	expect(port > 0, "evtchn");
	c->port = port;
	clear_indexes(c);
	must_direct(c, PORT_STREAM, "other channel");
	evt_notify(fe.evt, c->port);
	evt_wait(fe.evt, 50);
	expect(!fe_simple(&fe, CMD_RELEASE, c->id), "release");
	fe_control(&fe);
}

/* What the page says of a kept ring does not count. */
static void reuse_change_order(void)
{
	static const u32 orders[] = { 0, 1, 2, 9, 31, 0xffffffff };
	struct conn *c = &conns[0];
	unsigned int i;

	if (!reuse_open())
		return;
	conn_must_open(&fe, c, 3, PORT_ECHO);
	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		conn_echo(&fe, c, 50000);
		release_for_reuse(c);
		clear_indexes(c);
		SET(c->intf->ring_order, orders[i]);
		memset(c->intf->ref, 0x55 + i, sizeof(c->intf->ref));
		must_direct(c, PORT_ECHO, "order changed");
	}
	conn_echo(&fe, c, 50000);
	conn_release(&fe, c);
	fe_control(&fe);
}

/* Indexes of the socket before, or nonsense */
static void reuse_stale_indexes(void)
{
	struct conn *c = &conns[0];
	unsigned int i;

	if (!reuse_open())
		return;
	for (i = 0; i < 8; i++) {
		fe_again(&fe);
		conn_must_open(&fe, c, 2, PORT_ECHO);
		conn_echo(&fe, c, 100000);
		release_for_reuse(c);
		if (i & 1)
			memset(c->intf, 0x11 * i,
			       offsetof(struct raw_intf, ring_order));
		if (!conn_direct(c, PORT_STREAM)) {
			evt_notify(fe.evt, c->port);
			evt_wait(fe.evt, 50);
		}
		release_for_reuse(c);
		clear_indexes(c);
		must_direct(c, PORT_ECHO, "after that");
		conn_echo(&fe, c, 20000);
		conn_release(&fe, c);
	}
	fe_control(&fe);
}

/* Grants and channels of kept rings go away, and nobody says so. */
static void reuse_revoke(void)
{
	struct conn *c = &conns[0];
	unsigned int i;

	if (!reuse_open())
		return;
	for (i = 0; i < 5; i++) {
		conn_must_open(&fe, c, 4, PORT_ECHO);
		conn_echo(&fe, c, 5000);
		release_for_reuse(c);
		evt_notify(fe.evt, c->port);
		pages_free(&fe, &c->data);
		pages_free(&fe, &c->index);
		if (i & 1)
			evt_unbind(fe.evt, c->port);
		/* the grant is still in the backend's hands */
		if (!conn_direct(c, PORT_STREAM))
			evt_wait(fe.evt, 50);
		fe_simple(&fe, CMD_RELEASE, c->id);
		fe_control(&fe);
	}
}

/* Events for rings that no socket uses */
static void reuse_events(void)
{
	struct conn *c = &conns[0];
	unsigned int i;

	if (!reuse_open())
		return;
	conn_must_open(&fe, c, 3, PORT_ECHO);
	conn_echo(&fe, c, 5000);
	release_for_reuse(c);
	for (i = 0; i < 20000; i++)
		evt_notify(fe.evt, c->port);
	fe_control(&fe);
	clear_indexes(c);
	must_direct(c, PORT_ECHO, "after the storm");
	conn_echo(&fe, c, 5000);
	conn_release(&fe, c);
}

/* More than are kept, forgotten in every way that makes no sense */
static void reuse_many(void)
{
	static const u32 counts[] = { 0, 12, 13, 0x7fffffff, 0xffffffff };
	const unsigned int n = sizeof(conns) / sizeof(*conns);
	u32 refs[11];
	unsigned int i;

	if (!reuse_open())
		return;
	for (i = 0; i < n; i++)
		conn_must_open(&fe, &conns[i], 5, PORT_ECHO);
	for (i = 0; i < n; i++)
		release_for_reuse(&conns[i]);
	for (i = 0; i < n; i += 3) {
		clear_indexes(&conns[i]);
		must_direct(&conns[i], PORT_ECHO, "one of many");
		conn_echo(&fe, &conns[i], 1000);
	}
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		expect(forget(counts[i], refs, 0) == -EINVAL, "bad count");
	/* in use, kept, twice, never seen */
	for (i = 0; i < 11; i++)
		refs[i] = i < 6 ? conns[i].index.ref[0] : i < 8 ?
			  conns[n - 2].index.ref[0] : 0xffffff00 + i;
	expect(!forget(11, refs, 11), "forget");
	for (i = 0; i < n; i += 3) {
		conn_echo(&fe, &conns[i], 1000);
		expect(!fe_simple(&fe, CMD_RELEASE, conns[i].id), "release");
	}
	fe_control(&fe);
}

/* CONNECT that creates a socket which is there, or that can't be */
static void open_flag(void)
{
	struct conn *c = &conns[0];
	struct raw_req req;
	u64 id;

	if (!reuse_open())
		return;
	conn_must_open(&fe, c, 2, PORT_ECHO);
	id = c->id;
	req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
	req.u.connect.flags = 1;
	expect(fe_call(&fe, &req) == -EEXIST, "id in use");
	/* family 99 */
	req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
	req.u.connect.id = 0x7777;
	req.u.connect.addr[0] = 99;
	req.u.connect.flags = 1;
	expect(is_error(fe_call(&fe, &req)), "unknown family");
	expect(fe_simple(&fe, CMD_RELEASE, 0x7777) == -EBADF, "no socket");
	/* unknown flags are no flags */
	req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
	req.u.connect.id = 0x7778;
	req.u.connect.flags = 0xfffffffe;
	expect(fe_call(&fe, &req) == -EBADF, "no such flag");
	c->id = id;
	conn_echo(&fe, c, 5000);
	conn_release(&fe, c);
	fe_control(&fe);
}

const struct hcase reuse_cases[] = {
	{ "reuse-honest", reuse_honest, 60, 0, NULL },
	{ "reuse-twice", reuse_twice, 30, 0, NULL },
	{ "reuse-other-port", reuse_other_port, 60, 0, NULL },
	{ "reuse-same-port", reuse_same_port, 30, 0, NULL },
	{ "reuse-change-order", reuse_change_order, 60, 0, NULL },
	{ "reuse-stale-indexes", reuse_stale_indexes, 60, 0, NULL },
	{ "reuse-revoke", reuse_revoke, 60, 0, NULL },
	{ "reuse-events", reuse_events, 60, 0, NULL },
	{ "reuse-many", reuse_many, 120, 0, NULL },
	{ "open-flag", open_flag, 30, 0, NULL },
};

const unsigned int reuse_count = sizeof(reuse_cases) / sizeof(*reuse_cases);
