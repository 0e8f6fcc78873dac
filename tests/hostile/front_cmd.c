// SPDX-License-Identifier: GPL-2.0
/* Lies in the command ring: what a request may say, and when. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "front.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static struct fe fe;
static struct conn conns[40];

static void want_error(s32 ret, const char *what)
{
	expect(is_error(ret), "%s: answered %d", what, ret);
}

static void unknown_commands(void)
{
	static const u32 cmds[] = {
		7, 8, 0x7f, 0xff, 0x100, 0x101, 0x102, 0x103, 0x104, 0x105,
		0x7fffffff, 0x80000000, 0xffffffff
	};
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < COUNT(cmds); i++) {
		struct raw_req req = req_new(&fe, cmds[i], 5);
		s32 ret;

		memset(&req.u, 0xff, sizeof(req.u));
		ret = fe_call(&fe, &req);
		expect(ret == -ENOTSUP_WIRE, "command %u: answered %d",
		       cmds[i], ret);
	}
	fe_control(&fe);
}

static void unknown_ids(void)
{
	static const u64 ids[] = { 0, 1, 0xdeadbeef, ~0ULL, 1ULL << 63 };
	unsigned int i;

	fe_open(&fe);
	conn_init(&fe, &conns[0], 1);
	for (i = 0; i < COUNT(ids); i++) {
		struct raw_req req;
		s32 ret;

		want_error(fe_bind(&fe, ids[i], 7201), "bind");
		want_error(fe_listen(&fe, ids[i], 5), "listen");
		want_error(fe_simple(&fe, CMD_POLL, ids[i]), "poll");
		conns[0].id = ids[i];
		req = conn_request(&fe, &conns[0], peer_host,
				   peer_base + PORT_ECHO);
		want_error(fe_call(&fe, &req), "connect");
		req = accept_request(&fe, &conns[0], ids[i] + 1);
		want_error(fe_call(&fe, &req), "accept");
		/* Nothing to release: an error, or done */
		ret = fe_simple(&fe, CMD_RELEASE, ids[i]);
		expect(!ret || is_error(ret), "release: answered %d", ret);
	}
	fe_control(&fe);
}

static void duplicate_id(void)
{
	struct conn *c = &conns[0];
	int i;

	fe_open(&fe);
	conn_must_open(&fe, c, 2, PORT_ECHO);
	conn_echo(&fe, c, 1000);
	for (i = 0; i < 10; i++)
		want_error(fe_socket(&fe, c->id), "second socket");
	conn_echo(&fe, c, 1000);
	conn_release(&fe, c);
	/* After a release the id is free */
	expect(!fe_socket(&fe, c->id), "id not free after release");
	expect(!fe_simple(&fe, CMD_RELEASE, c->id), "release");
	fe_control(&fe);
}

static void bad_sockets(void)
{
	static const struct {
		u32 domain, type, protocol;
	} bad[] = {
		{ 0, 1, 0 }, { 1, 1, 0 }, { 10, 1, 0 }, { 16, 3, 0 },
		{ 17, 3, 768 }, { 0xffffffff, 1, 0 }, { 2, 0, 0 },
		{ 2, 2, 0 }, { 2, 3, 1 }, { 2, 0x801, 0 }, { 2, 11, 0 },
		{ 2, 0xffffffff, 0 }, { 2, 1, 17 }, { 2, 1, 262 },
		{ 2, 1, 0xffffffff }, { 40, 1, 0 }, { 0x10002, 1, 0 },
	};
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < COUNT(bad); i++) {
		struct raw_req req = req_new(&fe, CMD_SOCKET, 100 + i);

		req.u.socket.domain = bad[i].domain;
		req.u.socket.type = bad[i].type;
		req.u.socket.protocol = bad[i].protocol;
		want_error(fe_call(&fe, &req), "socket");
		/* There must be no such socket now */
		want_error(fe_listen(&fe, 100 + i, 1), "listen");
	}
	fe_control(&fe);
}

static const struct {
	u16 family;
	u32 len;
} bad_address[] = {
	{ 2, 0 }, { 2, 1 }, { 2, 2 }, { 2, 7 }, { 2, 15 }, { 2, 29 },
	{ 2, 128 }, { 2, 4096 }, { 2, 0x7fffffff }, { 2, 0x80000000 },
	{ 2, 0xffffffff }, { 0, 16 }, { 1, 16 }, { 10, 28 }, { 16, 12 },
	{ 17, 20 }, { 40, 16 }, { 0xffff, 16 },
};

static void bad_addresses_connect(void)
{
	struct conn *c = &conns[0];
	struct raw_req req;
	unsigned int i;

	fe_open(&fe);
	conn_init(&fe, c, 2);
	expect(!fe_socket(&fe, c->id), "socket");
	for (i = 0; i < COUNT(bad_address); i++) {
		req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
		memcpy(req.u.connect.addr, &bad_address[i].family, 2);
		req.u.connect.len = bad_address[i].len;
		want_error(fe_call(&fe, &req), "connect");
	}
	/* The socket took no harm */
	req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
	req.u.connect.flags = 0xffffffff;
	expect(!fe_call(&fe, &req), "connect after bad ones");
	conn_echo(&fe, c, 3000);
	conn_release(&fe, c);
}

static void bad_addresses_bind(void)
{
	struct raw_req req;
	unsigned int i;

	fe_open(&fe);
	expect(!fe_socket(&fe, 50), "socket");
	for (i = 0; i < COUNT(bad_address); i++) {
		req = req_new(&fe, CMD_BIND, 50);
		memcpy(req.u.bind.addr, &bad_address[i].family, 2);
		req.u.bind.addr[2] = 7202 >> 8;
		req.u.bind.addr[3] = 7202 & 0xff;
		req.u.bind.len = bad_address[i].len;
		want_error(fe_call(&fe, &req), "bind");
	}
	expect(!fe_bind(&fe, 50, 7202), "bind after bad ones");
	expect(!fe_listen(&fe, 50, 0xffffffff), "listen");
	expect(!fe_simple(&fe, CMD_RELEASE, 50), "release");
	fe_control(&fe);
}

static void loopback(void)
{
	static const char * const hosts[] = {
		"127.0.0.1", "127.255.255.254", "0.0.0.0"
	};
	struct conn *c = &conns[0];
	struct raw_req req;
	unsigned int i;
	s32 ret;

	fe_open(&fe);
	conn_init(&fe, c, 2);
	expect(!fe_socket(&fe, c->id), "socket");
	for (i = 0; i < COUNT(hosts); i++) {
		req = conn_request(&fe, c, hosts[i], peer_base + PORT_ECHO);
		ret = fe_call(&fe, &req);
		expect(ret == -EACCES || ret == -EPERM,
		       "Dom0's loopback %s: answered %d", hosts[i], ret);
	}
	fe_control(&fe);
}

/* IPv6's ways to Dom0's loopback and to its interfaces, to connect and to bind */
static void own_ipv6(void)
{
	static const struct {
		const char *host;
		u32 scope;
		bool bind;
	} bad[] = {
		{ "::1", 0, true }, { "::", 0, false },
		{ "::ffff:127.0.0.1", 0, true },
		{ "::ffff:127.255.255.254", 0, true },
		{ "::ffff:0.0.0.0", 0, false },
		{ "fe80::1", 0, true }, { "fe80::1", 2, true },
		{ "febf::1", 1, true }, { "ff02::1", 2, true },
		{ "2001:db8::1", 2, true }, { "::1", 1, true },
	};
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	struct conn *c = &conns[0];
	struct raw_req req;
	unsigned int i;
	s32 ret;

	if (!fe_offered("feature-ipv6"))
		return;
	fe_init(&fe);
	fe_reset();
	fe_node("feature-ipv6", "1");
	fe_connect(&fe);
	conn_init(&fe, c, 2);
	req = req_new(&fe, CMD_SOCKET, c->id);
	req.u.socket.domain = AF_INET6;
	req.u.socket.type = SOCK_STREAM;
	expect(!fe_call(&fe, &req), "socket of IPv6");
	to.sin6_port = htons(peer_base + PORT_ECHO);
	for (i = 0; i < COUNT(bad); i++) {
		inet_pton(AF_INET6, bad[i].host, &to.sin6_addr);
		to.sin6_scope_id = bad[i].scope;
		req = conn_request(&fe, c, "127.0.0.1", 0);
		memcpy(req.u.connect.addr, &to, sizeof(to));
		req.u.connect.len = sizeof(to);
		ret = fe_call(&fe, &req);
		expect(ret == -EACCES, "connect to %s, scope %u: answered %d",
		       bad[i].host, bad[i].scope, ret);
		if (!bad[i].bind)
			continue;
		req = req_new(&fe, CMD_BIND, c->id);
		memcpy(req.u.bind.addr, &to, sizeof(to));
		req.u.bind.len = sizeof(to);
		ret = fe_call(&fe, &req);
		expect(ret == -EACCES, "bind to %s, scope %u: answered %d",
		       bad[i].host, bad[i].scope, ret);
	}
	expect(!fe_simple(&fe, CMD_RELEASE, c->id), "release");
	expect(!fe_socket(&fe, 51), "socket");
	expect(fe_bind(&fe, 51, 22) == -EACCES, "bind to port 22");
	expect(fe_bind(&fe, 51, peer_base + PORT_ECHO) == -EADDRINUSE,
	       "bind to a port on which Dom0 listens");
	expect(!fe_simple(&fe, CMD_RELEASE, 51), "release");
	fe_control(&fe);
}

/* Each command on sockets that are in the wrong state for it */
static void wrong_states(void)
{
	struct conn *c = &conns[0], *spare = &conns[1];
	struct raw_req req;
	s32 ret;

	fe_open(&fe);
	conn_must_open(&fe, c, 2, PORT_ECHO);
	conn_init(&fe, spare, 2);

	/* An active one */
	want_error(fe_simple(&fe, CMD_POLL, c->id), "poll of an active socket");
	req = accept_request(&fe, spare, c->id);
	want_error(fe_call(&fe, &req), "accept on an active socket");
	want_error(fe_bind(&fe, c->id, 7203), "bind of an active socket");
	want_error(fe_listen(&fe, c->id, 1), "listen on an active socket");
	spare->id = c->id;
	req = conn_request(&fe, spare, peer_host, peer_base + PORT_ECHO);
	want_error(fe_call(&fe, &req), "second connect");
	req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
	want_error(fe_call(&fe, &req), "second connect with the same ring");
	conn_echo(&fe, c, 5000);

	/* One that is nothing yet */
	expect(!fe_socket(&fe, 60), "socket");
	want_error(fe_simple(&fe, CMD_POLL, 60), "poll of an idle socket");
	spare->id = 61;
	req = accept_request(&fe, spare, 60);
	want_error(fe_call(&fe, &req), "accept on an idle socket");

	/* A bound one, and a passive one */
	expect(!fe_bind(&fe, 60, 7203), "bind");
	want_error(fe_bind(&fe, 60, 7204), "second bind");
	want_error(fe_simple(&fe, CMD_POLL, 60), "poll of a bound socket");
	expect(!fe_listen(&fe, 60, 4), "listen");
	spare->id = 60;
	req = conn_request(&fe, spare, peer_host, peer_base + PORT_ECHO);
	want_error(fe_call(&fe, &req), "connect of a passive socket");
	want_error(fe_bind(&fe, 60, 7204), "bind of a passive socket");

	/* One whose port is taken */
	expect(!fe_socket(&fe, 62), "socket");
	ret = fe_bind(&fe, 62, 7203);
	if (!ret)
		ret = fe_listen(&fe, 62, 4);
	expect(ret == -EADDRINUSE, "port in use: answered %d", ret);

	expect(!fe_simple(&fe, CMD_RELEASE, 60), "release");
	expect(!fe_simple(&fe, CMD_RELEASE, 62), "release");
	conn_release(&fe, c);
	fe_control(&fe);
}

static void accept_ids(void)
{
	struct conn *c = &conns[0], *other = &conns[1], *third = &conns[2];
	struct raw_req req, pending;
	struct raw_rsp rsp;

	fe_open(&fe);
	conn_must_open(&fe, c, 2, PORT_ECHO);
	expect(!fe_socket(&fe, 70) && !fe_bind(&fe, 70, 7205) &&
	       !fe_listen(&fe, 70, 4), "listener");
	conn_init(&fe, other, 2);
	other->id = c->id;
	req = accept_request(&fe, other, 70);
	want_error(fe_call(&fe, &req), "accept with the id of an active socket");
	other->id = 70;
	req = accept_request(&fe, other, 70);
	want_error(fe_call(&fe, &req), "accept with the listener's own id");

	/* An id that a waiting accept has named already */
	other->id = 71;
	pending = accept_request(&fe, other, 70);
	fe_push(&fe, &pending);
	conn_init(&fe, third, 2);
	third->id = 71;
	req = accept_request(&fe, third, 70);
	want_error(fe_call(&fe, &req), "second accept with the same new id");
	want_error(fe_socket(&fe, 71), "socket with the id of an accept");
	want_error(fe_listen(&fe, 71, 1), "listen on what is not accepted yet");
	/* and the ring of a waiting accept, once more */
	third->id = 72;
	req = accept_request(&fe, other, 70);
	req.u.accept.id_new = 72;
	want_error(fe_call(&fe, &req), "second accept with the same port");

	expect(!fe_simple(&fe, CMD_RELEASE, 70), "release of the listener");
	rsp = fe_wait(&fe, pending.req_id, CMD_ACCEPT);
	want_error(rsp.ret, "accept that was waiting at the release");
	conn_echo(&fe, c, 3000);
	conn_release(&fe, c);
	fe_control(&fe);
}

/* An accept that fails gives its new id up while commands name it. */
static void accept_race(void)
{
	struct raw_req accept, poll[20];
	struct conn *c = &conns[0];
	unsigned int i, j;

	fe_open(&fe);
	expect(!fe_socket(&fe, 73) && !fe_bind(&fe, 73, 7209) &&
	       !fe_listen(&fe, 73, 4), "listener");
	conn_init(&fe, c, 1);
	c->index.ref[0] = 31000;
	for (i = 0; i < 300; i++) {
		accept = accept_request(&fe, c, 73);
		fe_push(&fe, &accept);
		for (j = 0; j < COUNT(poll); j++) {
			poll[j] = req_new(&fe, CMD_POLL, c->id);
			fe_push(&fe, &poll[j]);
		}
		want_error(fe_wait(&fe, accept.req_id, CMD_ACCEPT).ret,
			   "accept with a bad grant");
		for (j = 0; j < COUNT(poll); j++)
			want_error(fe_wait(&fe, poll[j].req_id, CMD_POLL).ret,
				   "poll of what is not accepted");
	}
	expect(!fe_simple(&fe, CMD_RELEASE, 73), "release");
	fe_control(&fe);
}

static void release_twice(void)
{
	struct conn *c = &conns[0];
	struct raw_req first, second;
	struct raw_rsp rsp;
	int i;

	fe_open(&fe);
	for (i = 0; i < 20; i++) {
		conn_must_open(&fe, c, 1, PORT_ECHO);
		conn_echo(&fe, c, 100);
		/* Both under way at once */
		first = req_new(&fe, CMD_RELEASE, c->id);
		second = req_new(&fe, CMD_RELEASE, c->id);
		second.u.release.reuse = i;
		second.u.release.flags = 0xff;
		fe_push(&fe, &first);
		fe_push(&fe, &second);
		rsp = fe_wait(&fe, first.req_id, CMD_RELEASE);
		expect(!rsp.ret, "release: answered %d", rsp.ret);
		rsp = fe_wait(&fe, second.req_id, CMD_RELEASE);
		expect(!rsp.ret || is_error(rsp.ret), "second release: %d",
		       rsp.ret);
		conn_free(&fe, c);
	}
	fe_control(&fe);
}

/* The frontend's business; the in-tree one does reuse those in flight. */
static void request_ids(void)
{
	struct raw_req req;
	struct raw_rsp rsp;
	int i;

	fe_open(&fe);
	for (i = 0; i < 100; i++) {
		req = req_new(&fe, CMD_RELEASE, 999);
		req.req_id = i % 3 ? 0xffffffff : 7;
		fe_push(&fe, &req);
	}
	for (i = 0; i < 100; i++)
		expect(fe_next(&fe, &rsp, 5000) && rsp.cmd == CMD_RELEASE &&
		       (rsp.req_id == 7 || rsp.req_id == 0xffffffff),
		       "response %d is missing or wrong", i);
	fe_control(&fe);
}

/* Requests without slots: the command ring itself lies. */
static void ring_overrun(u32 ahead, const char *what)
{
	u64 end = now_ms() + 5000;

	fe_open(&fe);
	fe_push_raw(&fe, fe.req_prod + ahead);
	while (be_state() == ST_CONNECTED) {
		expect(now_ms() < end, "%s: the backend does not mind", what);
		evt_wait(fe.evt, 20);
	}
	expect(be_wait(1 << ST_CLOSING | 1 << ST_CLOSED, 5000),
	       "%s: state %ld", what, be_state());
}

static void overrun(void)
{
	ring_overrun(33, "33 requests ahead");
	ring_overrun(1000, "1000 requests ahead");
	ring_overrun(0x80000000, "2^31 requests ahead");
	ring_overrun(-1, "one request back");
	ring_overrun(-33, "33 requests back");
}

/* The guest may write what only the backend should: it has its own copy. */
static void ring_scribble(void)
{
	struct raw_req req;
	struct raw_rsp rsp;
	int i, got = 0;

	fe_open(&fe);
	for (i = 0; i < 50; i++) {
		SET(fe.sring->rsp_prod, 0xdeadbeef * i);
		SET(fe.sring->req_event, 0x1234567 * i);
		memset(fe.sring->pad, i, sizeof(fe.sring->pad));
		req = req_new(&fe, CMD_RELEASE, 998);
		memcpy(&fe.sring->slot[fe.req_prod % SLOTS].req, &req,
		       sizeof(req));
		fe_push_raw(&fe, ++fe.req_prod);
		/* It has to come to its senses by its next response. */
		for (got = 0; got < 2000; got++) {
			if (GET(fe.sring->rsp_prod) == fe.req_prod)
				break;
			evt_wait(fe.evt, 5);
		}
		expect(got < 2000, "rsp_prod was not written again");
		expect(fe_next(&fe, &rsp, 1000) && rsp.req_id == req.req_id,
		       "wrong response");
	}
	SET(fe.sring->rsp_event, fe.rsp_cons + 1);
	fe_control(&fe);
}

const struct hcase cmd_cases[] = {
	{ "unknown-commands", unknown_commands, 30, 0, NULL },
	{ "unknown-ids", unknown_ids, 30, 0, NULL },
	{ "duplicate-id", duplicate_id, 30, 0, NULL },
	{ "bad-sockets", bad_sockets, 30, 0, NULL },
	{ "bad-addresses-connect", bad_addresses_connect, 30, 0, NULL },
	{ "bad-addresses-bind", bad_addresses_bind, 30, 0, NULL },
	{ "loopback", loopback, 30, 0, NULL },
	{ "own-ipv6", own_ipv6, 30, 0, NULL },
	{ "wrong-states", wrong_states, 30, 0, NULL },
	{ "accept-ids", accept_ids, 30, 0, NULL },
	{ "accept-race", accept_race, 60, 0, NULL },
	{ "release-twice", release_twice, 60, 0, NULL },
	{ "request-ids", request_ids, 30, 0, NULL },
	{ "overrun", overrun, 60, 0, NULL },
	{ "ring-scribble", ring_scribble, 30, 0, NULL },
};

const unsigned int cmd_count = COUNT(cmd_cases);
