// SPDX-License-Identifier: GPL-2.0
/* A worker's time: much work for the price of a call. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "front.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

#define RINGS	8U	/* of MAX_ORDER */
#define DOOR	0x5000
#define CROWDED	7230	/* port on which nobody accepts */
#define GO	"/tmp/go"
#define LEFT	3000	/* sockets of the guest that leaves */

static struct fe fe;
static struct conn conns[RINGS];

/*
 * Connects to a port where nobody listens: each maps the largest ring, and
 * unmaps it at once. Until somebody ends this.
 */
static void map_loop(void)
{
	struct raw_req req;
	struct raw_rsp rsp;
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < RINGS; i++) {
		conn_init(&fe, &conns[i], MAX_ORDER);
		expect(!fe_socket(&fe, conns[i].id), "socket %u", i);
		req = conn_request(&fe, &conns[i], peer_host,
				   peer_base + PORT_NOBODY);
		expect(fe_call(&fe, &req) == -ECONNREFUSED, "connect %u", i);
	}
	for (i = 0; i < RINGS; i++) {
		req = conn_request(&fe, &conns[i], peer_host,
				   peer_base + PORT_NOBODY);
		fe_push(&fe, &req);
	}
	fputs("holding\n", stderr);
	for (;;) {
		expect(fe_next(&fe, &rsp, 60000), "no answer");
		expect(rsp.cmd == CMD_CONNECT && rsp.ret == -ECONNREFUSED,
		       "command %u: answered %d", rsp.cmd, rsp.ret);
		for (i = 0; conns[i].id != rsp.u.id; i++)
			expect(i + 1 < RINGS, "an answer about nothing");
		req = conn_request(&fe, &conns[i], peer_host,
				   peer_base + PORT_NOBODY);
		fe_push(&fe, &req);
	}
}

/*
 * Requests as fast as they are answered, all of them wrong, events on the command
 * ring and on a data ring, and a byte at a time through it. Until somebody ends
 * this.
 */
static void storm(void)
{
	struct conn *c = &conns[0];
	u32 sent = 0, got = 0;
	struct raw_req req;
	struct raw_rsp rsp;
	u8 byte;

	fe_open(&fe);
	conn_must_open(&fe, c, 2, PORT_ECHO);
	fputs("holding\n", stderr);
	for (;;) {
		for (; sent - got < SLOTS - 1; sent++) {
			req = req_new(&fe, CMD_POLL, DOOR);
			fe_push(&fe, &req);
		}
		evt_notify(fe.evt, fe.port);
		conn_send(&fe, c, "x", 1);
		conn_recv(&fe, c, &byte, 1);
		expect(fe_next(&fe, &rsp, 60000), "no answer");
		expect(rsp.ret == -EBADF, "answered %d", rsp.ret);
		got++;
	}
}

/* A listening socket ends while a crowd waits there. */
static void crowd(void)
{
	fe_open(&fe);
	expect(!fe_socket(&fe, DOOR) && !fe_bind(&fe, DOOR, CROWDED) &&
	       !fe_listen(&fe, DOOR, 0xffffffff), "listener");
	fputs("holding\n", stderr);
	while (access(GO, F_OK))
		sleep_ms(10);
	expect(!fe_simple(&fe, CMD_RELEASE, DOOR), "release");
}

/* Closing all of its sockets takes a while, and others must not wait for it. */
static void leave(void)
{
	struct raw_req req;
	struct raw_rsp rsp;
	u32 sent = 0, got = 0;

	fe_open(&fe);
	while (got < LEFT) {
		for (; sent < LEFT && sent - got < SLOTS; sent++) {
			req = req_new(&fe, CMD_SOCKET, DOOR + 1 + sent);
			req.u.socket.domain = 2;
			req.u.socket.type = 1;
			fe_push(&fe, &req);
		}
		expect(fe_next(&fe, &rsp, 20000), "no response %u", got);
		expect(!rsp.ret, "socket %u: %d", got, rsp.ret);
		got++;
	}
	fputs("holding\n", stderr);
	while (access(GO, F_OK))
		sleep_ms(10);
	fe_state("5");
	expect(be_wait(1 << ST_CLOSING | 1 << ST_CLOSED, 900000),
	       "the backend does not close");
}

/* A congestion control that guests may choose, and that there is not */
static void names(void)
{
	static const char name[16] = "nosuch";
	struct raw_req req;
	unsigned int i, j;

	expect(fe_offered("feature-sockopt"), "no feature-sockopt");
	fe_init(&fe);
	fe_reset();
	fe_node("feature-sockopt", "1");
	fe_connect(&fe);
	expect(!fe_socket(&fe, DOOR), "socket");
	for (i = 0; i < 50; i++) {
		req = req_new(&fe, CMD_SETSOCKOPT, DOOR);
		req.u.setsockopt.count = 4;
		for (j = 0; j < 4; j++) {
			req.u.setsockopt.opt[j].level = IPPROTO_TCP;
			req.u.setsockopt.opt[j].name = TCP_CONGESTION;
			memcpy(&req.u.setsockopt.opt[j].value, name + 4 * j, 4);
		}
		expect(fe_call(&fe, &req) == -ENOENT, "no such");
	}
}

const struct hcase time_cases[] = {
	{ "map-loop", map_loop, 100000, CASE_NAMED | CASE_LAST, NULL },
	{ "storm", storm, 100000, CASE_NAMED | CASE_LAST, NULL },
	{ "crowd", crowd, 1000, CASE_NAMED | CASE_LAST, NULL },
	{ "names", names, 60, CASE_NAMED, NULL },
	{ "leave", leave, 1000, CASE_NAMED | CASE_LAST, NULL },
};

const unsigned int time_count = COUNT(time_cases);
