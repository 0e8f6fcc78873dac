// SPDX-License-Identifier: GPL-2.0
/* Lies about event channels of many data rings: feature-shared-evtchn. */
#include <errno.h>
#include <string.h>

#include "front.h"

#define MAX_SHARED	64

static struct fe fe;
static struct conn conns[MAX_SHARED + 1];

/* False if the backend has no such extension */
static bool shared_open(void)
{
	if (!fe_offered("feature-shared-evtchn"))
		return false;
	fe_init(&fe);
	fe_reset();
	fe_node("feature-shared-evtchn", "1");
	fe_node("feature-reuse", "1");
	fe_node("feature-open", "1");
	fe_connect(&fe);
	return true;
}

/* A ring on the channel of another one */
static void conn_beside(struct conn *c, const struct conn *first, u32 order)
{
	conn_init(&fe, c, order);
	evt_unbind(fe.evt, c->port);
	c->port = first->port;
}

static void must_beside(struct conn *c, const struct conn *first, u32 order)
{
	s32 ret;

	conn_beside(c, first, order);
	ret = conn_open(&fe, c, PORT_ECHO);
	expect(!ret, "connect on a shared channel: %d", ret);
}

static void release(struct conn *c, bool reuse)
{
	struct raw_req req = req_new(&fe, CMD_RELEASE, c->id);
	s32 ret;

	req.u.release.reuse = reuse;
	ret = fe_call(&fe, &req);
	expect(!ret, "release answered %d", ret);
}

/* @n rings on one channel */
static void open_many(unsigned int n, u32 order)
{
	unsigned int i;

	conn_must_open(&fe, &conns[0], order, PORT_ECHO);
	for (i = 1; i < n; i++)
		must_beside(&conns[i], &conns[0], order);
}

static void echo_many(unsigned int n, u32 len)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		conn_echo(&fe, &conns[i], len + i);
}

static void release_many(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		release(&conns[i], false);
}

/* As it should be: the first ring goes before the others, and comes again. */
static void shared_honest(void)
{
	unsigned int i;

	if (!shared_open())
		return;
	open_many(8, 2);
	echo_many(8, 20000);
	release_many(4);
	for (i = 4; i < 8; i++)
		conn_echo(&fe, &conns[i], 20000);
	for (i = 0; i < 4; i++)
		must_beside(&conns[i], &conns[7], 1);
	echo_many(8, 20000);
	release_many(8);
	/* the last ring has left it: it may be closed */
	evt_unbind(fe.evt, conns[0].port);
	fe_control(&fe);
}

static void shared_too_many(void)
{
	struct conn *more = &conns[MAX_SHARED];
	unsigned int i;
	s32 ret;

	if (!shared_open())
		return;
	open_many(MAX_SHARED, 1);
	conn_beside(more, &conns[0], 1);
	for (i = 0; i < 5; i++) {
		ret = conn_open(&fe, more, PORT_ECHO);
		expect(ret == -ENOBUFS, "one ring too many: %d", ret);
		release(more, false);
	}
	echo_many(MAX_SHARED, 100);
	release(&conns[3], false);
	ret = conn_open(&fe, more, PORT_ECHO);
	expect(!ret, "room for one: %d", ret);
	conns[3] = *more;
	echo_many(MAX_SHARED, 100);
	release_many(MAX_SHARED);
	fe_control(&fe);
}

/* Not in force: the first ring keeps its channel, the second one has none. */
static void shared_unasked(void)
{
	struct conn *first = &conns[0], *second = &conns[1];
	s32 ret;

	fe_open(&fe);
	conn_must_open(&fe, first, 2, PORT_ECHO);
	conn_beside(second, first, 2);
	ret = conn_open(&fe, second, PORT_ECHO);
	expect(is_error(ret), "channel in use: answered %d", ret);
	conn_echo(&fe, first, 50000);
	conn_release(&fe, first);
	fe_control(&fe);
}

/* Sockets that nothing ever happens to must not keep others from hearing. */
static void shared_waiting(void)
{
	struct conn *busy = &conns[0];
	struct raw_req req;
	unsigned int i;

	if (!shared_open())
		return;
	conn_must_open(&fe, busy, 1, PORT_ECHO);
	expect(!fe_socket(&fe, 95) && !fe_bind(&fe, 95, 7212) &&
	       !fe_listen(&fe, 95, 4), "listener");
	for (i = 1; i < 12; i++) {
		conn_beside(&conns[i], busy, 1);
		if (i % 2) {
			req = accept_request(&fe, &conns[i], 95);
		} else {
			expect(!fe_socket(&fe, conns[i].id), "socket");
			req = conn_request(&fe, &conns[i], hole_host, 9);
		}
		fe_push(&fe, &req);
	}
	/* each needs many events, because the ring is small */
	for (i = 0; i < 5; i++)
		conn_echo(&fe, busy, 100000);
	release(busy, false);
	must_beside(&conns[20], &conns[1], 1);
	conn_echo(&fe, &conns[20], 100000);
	/* the others are left as they are */
}

/* Rings come and go on a channel that never gets a rest. */
static void shared_storm(void)
{
	struct conn *c = &conns[4];
	unsigned int i, j;

	if (!shared_open())
		return;
	open_many(4, 1);
	for (i = 0; i < 200; i++) {
		struct raw_req req;

		for (j = 0; j < 20; j++)
			evt_notify(fe.evt, conns[0].port);
		must_beside(c, &conns[0], 1);
		/* the event, and the end of the one that it marks, at once */
		req = req_new(&fe, CMD_RELEASE, c->id);
		evt_notify(fe.evt, conns[0].port);
		fe_push(&fe, &req);
		for (j = 0; j < 20; j++)
			evt_notify(fe.evt, conns[0].port);
		expect(!fe_wait(&fe, req.req_id, CMD_RELEASE).ret, "release");
		pages_free(&fe, &c->data);
		pages_free(&fe, &c->index);
		if (i % 20 == 0)
			echo_many(4, 3000);
	}
	echo_many(4, 50000);
	release_many(4);
	fe_control(&fe);
}

/* One that breaks the rules, or does not read, harms only itself. */
static void shared_broken(void)
{
	unsigned int i;

	if (!shared_open())
		return;
	open_many(8, 1);
	for (i = 0; i < 8; i += 2) {
		if (i & 2)
			SET(conns[i].intf->out_prod, 0x7fffffff + i);
		else
			SET(conns[i].intf->in_cons, 0x12345678 + i);
		want_punished(&fe, &conns[i], "bad index");
	}
	expect(be_state() == ST_CONNECTED, "all had to suffer");
	for (i = 1; i < 8; i += 2)
		conn_echo(&fe, &conns[i], 50000);
	release_many(8);
	fe_control(&fe);
}

/* Channels that are something else, or nobody's */
static void shared_wrong(void)
{
	static const u32 ports[] = { 0, 900, 0x7fffffff, 0xffffffff };
	struct conn *c = &conns[1];
	unsigned int i;
	s32 ret;

	if (!shared_open())
		return;
	conn_must_open(&fe, &conns[0], 2, PORT_ECHO);
	conn_beside(c, &conns[0], 2);
	for (i = 0; i <= sizeof(ports) / sizeof(*ports); i++) {
		c->port = i ? ports[i - 1] : fe.port;
		ret = conn_open(&fe, c, PORT_ECHO);
		expect(is_error(ret), "port %u: answered %d", c->port, ret);
		release(c, false);
	}
	conn_echo(&fe, &conns[0], 50000);
	conn_release(&fe, &conns[0]);
	fe_control(&fe);
}

/* The channel is closed, and its number is another one's soon. */
static void shared_revoke(void)
{
	struct conn *c = &conns[4];
	unsigned int i;
	int port;

	if (!shared_open())
		return;
	for (i = 0; i < 10; i++) {
		open_many(4, 1);
		evt_unbind(fe.evt, conns[0].port);
		if (i % 2) {
			port = evt_unbound(fe.evt, 0);
			expect(port > 0, "evtchn");
			conns[0].port = port;
		}
		conn_beside(c, &conns[0], 1);
		conn_open(&fe, c, PORT_STREAM);
		evt_notify(fe.evt, c->port);
		evt_wait(fe.evt, 20);
		fe_simple(&fe, CMD_RELEASE, c->id);
		release_many(4);
		/* now it is nobody's, and may be named anew */
		if (i % 2) {
			must_beside(c, &conns[0], 1);
			conn_echo(&fe, c, 5000);
			release(c, false);
			evt_unbind(fe.evt, c->port);
		}
	}
	fe_control(&fe);
}

static void again(struct conn *c, u32 port)
{
	struct raw_req req;
	s32 ret;

	c->in_cons = 0;
	c->out_prod = 0;
	c->port = port;
	c->id += 0x10000;
	memset(c->intf, 0, offsetof(struct raw_intf, ring_order));
	req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
	req.u.connect.flags = 1;
	ret = fe_call(&fe, &req);
	expect(!ret, "again: answered %d", ret);
}

/* Kept rings stay on their channel; one may come back with another one. */
static void shared_reuse(void)
{
	unsigned int i, round;
	struct raw_req req;
	u32 port, other;

	if (!shared_open())
		return;
	open_many(6, 2);
	port = conns[0].port;
	other = evt_unbound(fe.evt, 0);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 6; i++)
			release(&conns[i], true);
		for (i = 0; i < 50; i++)
			evt_notify(fe.evt, port);
		for (i = 0; i < 6; i++)
			again(&conns[i], (round + i) % 3 ? port : other);
		echo_many(6, 3000);
	}
	for (i = 0; i < 6; i++)
		release(&conns[i], true);
	req = req_new(&fe, CMD_FORGET, 0);
	req.u.forget.count = 5;
	for (i = 0; i < 5; i++)
		req.u.forget.ref[i] = conns[i].index.ref[0];
	expect(!fe_call(&fe, &req), "forget");
	again(&conns[5], port);
	conn_echo(&fe, &conns[5], 50000);
	for (i = 0; i < 5; i++)
		again(&conns[i], port);
	echo_many(6, 3000);
	release_many(6);
	fe_control(&fe);
}

/* The connection ends with all that there is on it. */
static void shared_end(void)
{
	unsigned int i;

	for (i = 0; i < 5; i++) {
		if (!shared_open())
			return;
		open_many(16, 1);
		echo_many(16, 100);
		release(&conns[0], true);
		release(&conns[1], false);
		evt_notify(fe.evt, conns[0].port);
	}
	fe_open(&fe);
	fe_control(&fe);
}

const struct hcase shared_cases[] = {
	{ "shared-honest", shared_honest, 60, 0, NULL },
	{ "shared-too-many", shared_too_many, 60, 0, NULL },
	{ "shared-unasked", shared_unasked, 30, 0, NULL },
	{ "shared-waiting", shared_waiting, 60, 0, NULL },
	{ "shared-storm", shared_storm, 90, 0, NULL },
	{ "shared-broken", shared_broken, 60, 0, NULL },
	{ "shared-wrong", shared_wrong, 30, 0, NULL },
	{ "shared-revoke", shared_revoke, 60, 0, NULL },
	{ "shared-reuse", shared_reuse, 60, 0, NULL },
	{ "shared-end", shared_end, 60, 0, NULL },
};

const unsigned int shared_count = sizeof(shared_cases) / sizeof(*shared_cases);
