// SPDX-License-Identifier: GPL-2.0
/* Too much of everything, and guests that die in the middle of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

/*
 * More than the backend lets a guest have; the scenario sets those limits
 * (max_sockets, max_deferred, max_pages) lower than they are by default.
 */
#define IDS	3000
#define POLLS	5000
#define RINGS	20	/* of MAX_ORDER */

#define FIRST	0x100000

static struct fe fe;
static struct conn conns[64];

/* Sends one command for each id, all slots in use; returns how many said 0. */
static u32 flood(u32 cmd, u32 count)
{
	u32 sent = 0, got = 0, good = 0;
	struct raw_rsp rsp;

	while (got < count) {
		while (sent < count && sent - got < SLOTS) {
			struct raw_req req = req_new(&fe, cmd, FIRST + sent++);

			if (cmd == CMD_SOCKET) {
				req.u.socket.domain = 2;
				req.u.socket.type = 1;
			}
			fe_push(&fe, &req);
		}
		expect(fe_next(&fe, &rsp, 20000), "no response %u", got);
		expect(!rsp.ret || is_error(rsp.ret), "answered %d", rsp.ret);
		good += !rsp.ret;
		got++;
	}
	return good;
}

static void many_sockets(void)
{
	u32 made, gone;

	fe_open(&fe);
	made = flood(CMD_SOCKET, IDS);
	expect(made >= 1000, "only %u sockets", made);
	expect(made < IDS, "%u sockets, and no end of them", made);
	/* Other sockets may be refused now, but must be possible afterwards. */
	gone = flood(CMD_RELEASE, IDS);
	expect(gone >= made, "%u sockets, %u released", made, gone);
	fe_control(&fe);
}

/* Sockets with the largest rings, as long as they can be mapped */
static void many_pages(void)
{
	unsigned int i;
	s32 ret = 0;

	fe_open(&fe);
	for (i = 0; i < RINGS; i++) {
		conn_init(&fe, &conns[i], MAX_ORDER);
		ret = conn_open(&fe, &conns[i], PORT_ECHO);
		if (ret)
			break;
	}
	expect(i > 1 && i < RINGS, "%u rings", i);
	expect(ret == -ENOBUFS, "ring %u: answered %d", i, ret);
	/* Whoever gives some back may have some. */
	conn_release(&fe, &conns[0]);
	expect(!fe_simple(&fe, CMD_RELEASE, conns[i].id), "release");
	expect(!conn_open(&fe, &conns[i], PORT_ECHO), "not after a release");
	conn_echo(&fe, &conns[i], 10000);
	for (; i; i--)
		conn_release(&fe, &conns[i]);
	fe_control(&fe);
}

/* Sockets that are left to the backend to clean up */
static void many_sockets_left(void)
{
	fe_open(&fe);
	expect(flood(CMD_SOCKET, IDS) >= 1000, "too few sockets");
	fe_state("5");
	expect(be_wait(1 << ST_CLOSING | 1 << ST_CLOSED, 20000),
	       "the backend does not close");
}

static void many_listeners(void)
{
	u32 made;

	fe_open(&fe);
	made = flood(CMD_SOCKET, 1000);
	expect(flood(CMD_LISTEN, made) == made, "listen");
	flood(CMD_RELEASE, made);
	fe_control(&fe);
}

/* However many the guest asks for, Dom0 says how many may wait. */
static void backlog(void)
{
	unsigned int i, asked = somaxconn + 8, up = 0;
	struct raw_req req;
	struct raw_rsp rsp;

	expect(asked <= COUNT(conns), "net.core.somaxconn is too much");
	fe_open(&fe);
	expect(!fe_socket(&fe, 82) && !fe_bind(&fe, 82, 7210) &&
	       !fe_listen(&fe, 82, 0xffffffff), "listener");
	for (i = 0; i < asked; i++) {
		conn_init(&fe, &conns[i], 1);
		expect(!fe_socket(&fe, conns[i].id), "socket");
		req = conn_request(&fe, &conns[i], peer_host, 7210);
		fe_push(&fe, &req);
	}
	while (fe_next(&fe, &rsp, 500)) {
		expect(!rsp.ret, "connect: answered %d", rsp.ret);
		up++;
	}
	/* TCP lets in one more, and says yes to some at the same moment */
	expect(up >= somaxconn && up < asked,
	       "%u connections wait, the limit is %u", up, somaxconn);
	/* the rest is left to the backend */
}

static void request_storm(void)
{
	fe_open(&fe);
	/* One that is wrong each time: the log must not drown in it. */
	expect(!flood(0x4242, 5000), "unknown commands succeed");
	expect(!flood(CMD_POLL, 5000), "poll of unknown sockets succeeds");
	fe_control(&fe);
}

/* All slots hold what waits. That is the guest's own loss, and no overrun. */
static void full_of_accepts(void)
{
	struct raw_req req;
	struct raw_rsp rsp;
	unsigned int i, gone = 0;

	fe_open(&fe);
	expect(!fe_socket(&fe, 80) && !fe_bind(&fe, 80, 7206) &&
	       !fe_listen(&fe, 80, 4), "listener");
	for (i = 0; i < SLOTS - 1; i++) {
		if (i % 2) {
			conn_init(&fe, &conns[i], 1);
			req = accept_request(&fe, &conns[i], 80);
		} else {
			req = req_new(&fe, CMD_POLL, 80);
		}
		fe_push(&fe, &req);
	}
	expect(!fe_next(&fe, &rsp, 500), "answered, with nobody there: %d",
	       rsp.ret);
	expect(be_state() == ST_CONNECTED, "backend gave up");
	req = req_new(&fe, CMD_RELEASE, 80);
	fe_push(&fe, &req);
	for (i = 0; i < SLOTS; i++) {
		expect(fe_next(&fe, &rsp, 5000), "%u of %u answered", i, SLOTS);
		if (rsp.cmd == CMD_RELEASE) {
			expect(!rsp.ret, "release: answered %d", rsp.ret);
			gone = i;
		} else {
			expect(is_error(rsp.ret), "answered %d", rsp.ret);
		}
	}
	/* The in-tree frontend forgets the socket when its release is done. */
	expect(gone == SLOTS - 1, "release answered before what waited");
	fe_control(&fe);
}

/* Accepts that end without a connection while their rings' events come */
static void accept_storm(void)
{
	struct raw_req req[4], release;
	struct raw_rsp rsp;
	unsigned int i, j, round;

	fe_open(&fe);
	for (i = 0; i < COUNT(req); i++)
		conn_init(&fe, &conns[i], 1);
	for (round = 0; round < 200; round++) {
		expect(!fe_socket(&fe, 83) && !fe_bind(&fe, 83, 7211) &&
		       !fe_listen(&fe, 83, 4), "listener");
		for (i = 0; i < COUNT(req); i++) {
			req[i] = accept_request(&fe, &conns[i], 83);
			fe_push(&fe, &req[i]);
		}
		release = req_new(&fe, CMD_RELEASE, 83);
		fe_push(&fe, &release);
		for (j = 0; j < 10; j++)
			for (i = 0; i < COUNT(req); i++)
				evt_notify(fe.evt, conns[i].port);
		for (i = 0; i < COUNT(req); i++) {
			rsp = fe_wait(&fe, req[i].req_id, CMD_ACCEPT);
			expect(rsp.ret == -ECONNABORTED, "accept: %d", rsp.ret);
		}
		rsp = fe_wait(&fe, release.req_id, CMD_RELEASE);
		expect(!rsp.ret, "release: %d", rsp.ret);
	}
	for (i = 0; i < COUNT(req); i++)
		conn_free(&fe, &conns[i]);
	fe_control(&fe);
}

/* With feature-defer nothing limits how many wait, but the backend. */
static void deferred_storm(void)
{
	u32 polls = POLLS, sent = 0, waiting = 0, results = 0, slots = 0;
	bool released = false;
	struct raw_req req;
	struct raw_rsp rsp;

	if (!fe_offered("feature-defer"))
		return;
	fe_init(&fe);
	fe_reset();
	fe_node("feature-defer", "1");
	fe_connect(&fe);
	expect(!fe_socket(&fe, 81) && !fe_bind(&fe, 81, 7207) &&
	       !fe_listen(&fe, 81, 4), "listener");
	while (!released || results < waiting) {
		while (slots < 8) {
			req = req_new(&fe, CMD_DEFERRED, 0);
			fe_push(&fe, &req);
			slots++;
		}
		if (sent < polls) {
			req = req_new(&fe, CMD_POLL, 81);
			fe_push(&fe, &req);
			sent++;
		} else if (sent == polls) {
			req = req_new(&fe, CMD_RELEASE, 81);
			fe_push(&fe, &req);
			sent++;
		}
		while (fe_next(&fe, &rsp, sent > polls ? 10000 : 0)) {
			if (rsp.cmd == CMD_DEFERRED) {
				expect(!rsp.ret, "deferred: %d", rsp.ret);
				expect(rsp.u.deferred.cmd == CMD_POLL &&
				       rsp.u.deferred.ret == -EBADF,
				       "command %u deferred, then %d",
				       rsp.u.deferred.cmd, rsp.u.deferred.ret);
				results++;
				slots--;
				break;
			}
			if (rsp.cmd == CMD_RELEASE)
				released = !rsp.ret;
			else if (rsp.ret == -EINPROGRESS)
				waiting++;
			else
				expect(rsp.ret == -ENOBUFS, "poll: %d",
				       rsp.ret);
			if (sent > polls)
				break;
		}
	}
	expect(waiting > 1000, "only %u polls deferred", waiting);
	expect(waiting < polls, "%u polls deferred, and no end of it", waiting);
}

static void storm(u32 port, u64 ms)
{
	u64 end = now_ms() + ms;
	int i;

	while (now_ms() < end)
		for (i = 0; i < 100; i++)
			evt_notify(fe.evt, port);
}

static void event_storm(void)
{
	struct conn *c = &conns[0], *other = &conns[1];
	pid_t pid[2];
	int i;

	fe_open(&fe);
	conn_must_open(&fe, c, 2, PORT_ECHO);
	conn_must_open(&fe, other, 2, PORT_ECHO);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			storm(i ? c->port : fe.port, 1000);
			_exit(0);
		}
	}
	/* Late EOI may slow this down a lot, but not for ever. */
	for (i = 0; i < 10; i++)
		conn_echo(&fe, other, 2000);
	for (i = 0; i < 2; i++)
		waitpid(pid[i], NULL, 0);
	conn_echo(&fe, c, 2000);
	conn_release(&fe, c);
	conn_release(&fe, other);
	fe_control(&fe);
}

static void want_no_answer(void)
{
	struct raw_rsp rsp;

	expect(!fe_next(&fe, &rsp, 300), "connect to nobody answered: %d",
	       rsp.ret);
}

/* Connects that get no answer from the network: nobody waits for them. */
static void hanging_connects(void)
{
	struct conn *good = &conns[20];
	struct raw_req req;
	struct raw_rsp rsp;
	int i;

	fe_open(&fe);
	for (i = 0; i < 20; i++) {
		conn_init(&fe, &conns[i], 1);
		expect(!fe_socket(&fe, conns[i].id), "socket");
		req = conn_request(&fe, &conns[i], hole_host, 9);
		conns[i].out_prod = req.req_id;
		fe_push(&fe, &req);
	}
	want_no_answer();
	conn_must_open(&fe, good, 2, PORT_ECHO);
	conn_echo(&fe, good, 10000);
	for (i = 0; i < 20; i++) {
		/* a second one on the same socket, and then its release */
		req = conn_request(&fe, &conns[i], hole_host, 9);
		expect(is_error(fe_call(&fe, &req)), "second connect");
		if (i % 2)
			continue;
		expect(!fe_simple(&fe, CMD_RELEASE, conns[i].id), "release");
		rsp = fe_wait(&fe, conns[i].out_prod, CMD_CONNECT);
		expect(is_error(rsp.ret), "released connect: %d", rsp.ret);
		conn_free(&fe, &conns[i]);
	}
	conn_echo(&fe, good, 10000);
	conn_release(&fe, good);
	/* The other half is left as it is. */
}

/*
 * Everything at once: full rings both ways, connects that hang, accepts that
 * wait, events that nobody has taken.
 */
static void everything(void)
{
	struct raw_req req;
	static u8 junk[20000];
	int i;

	fe_open(&fe);
	for (i = 0; i < 12; i++) {
		conn_must_open(&fe, &conns[i], 1 + i % 5, PORT_STREAM);
		while (conn_send(&fe, &conns[i], junk, sizeof(junk)))
			evt_wait(fe.evt, 10);
	}
	expect(!fe_socket(&fe, 90) && !fe_bind(&fe, 90, 7208) &&
	       !fe_listen(&fe, 90, 4), "listener");
	for (; i < 18; i++) {
		conn_init(&fe, &conns[i], 2);
		req = accept_request(&fe, &conns[i], 90);
		fe_push(&fe, &req);
		req = req_new(&fe, CMD_POLL, 90);
		fe_push(&fe, &req);
	}
	for (; i < 26; i++) {
		conn_init(&fe, &conns[i], 3);
		expect(!fe_socket(&fe, conns[i].id), "socket");
		req = conn_request(&fe, &conns[i], hole_host, 9);
		fe_push(&fe, &req);
	}
	want_no_answer();
}

/* A frontend that dies: its ports and pages go without a word. */
static void die_suddenly(void)
{
	int i, status;

	for (i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (!pid) {
			everything();
			raise(SIGKILL);
		}
		waitpid(pid, &status, 0);
		expect(WIFSIGNALED(status), "could not set it up");
	}
}

/* For the scenario: everything, held until the domain is destroyed */
static void hold(void)
{
	everything();
	fputs("holding\n", stderr);
	for (;;) {
		evt_notify(fe.evt, fe.port);
		evt_notify(fe.evt, conns[0].port);
		sleep_ms(1);
	}
}

const struct hcase load_cases[] = {
	{ "many-sockets", many_sockets, 120, 0, NULL },
	{ "many-pages", many_pages, 60, 0, NULL },
	{ "many-sockets-left", many_sockets_left, 120, 0, NULL },
	{ "many-listeners", many_listeners, 60, 0, NULL },
	{ "backlog", backlog, 60, 0, NULL },
	{ "request-storm", request_storm, 120, 0, NULL },
	{ "full-of-accepts", full_of_accepts, 30, 0, NULL },
	{ "accept-storm", accept_storm, 60, 0, NULL },
	{ "deferred-storm", deferred_storm, 120, 0, NULL },
	{ "event-storm", event_storm, 60, 0, NULL },
	{ "hanging-connects", hanging_connects, 60, 0, NULL },
	{ "die-suddenly", die_suddenly, 90, 0, NULL },
	{ "hold", hold, 100000, CASE_NAMED | CASE_LAST, NULL },
};

const unsigned int load_count = COUNT(load_cases);
