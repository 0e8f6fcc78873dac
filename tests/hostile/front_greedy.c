// SPDX-License-Identifier: GPL-2.0
/* All that a guest can get of what it shares with others. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "front.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

/* More than a guest may have of anything */
#define MOST	50000

/*
 * More than the guest's share of pages, and not more than the 127 times that Xen
 * lets one page be mapped
 */
#define RINGS	120

/* Where tests/lab/progs/pvknock comes to */
#define DOORS		3
#define FIRST_DOOR	7220

/* Sockets that are to be bound: more than a guest may have ports */
#define SOCKETS	6000

/* Datagram sockets that never get a ring, where tests/lab/progs/pvlast sends to */
#define UNREAD		100
#define FIRST_UNREAD	7400

#define BACKLOG	4096
#define NOBODY	0x10000		/* listens, and nobody connects to it */
#define DOOR	0x10001
#define BOUND	0x100000
#define PLAIN	0x200000
#define UNREAD_ID	0x300000

static struct fe fe;
static struct conn rings[RINGS];

/*
 * Sends a command for each id from @first on until one is refused, and returns
 * how many were not. The others must all be told @refusal.
 */
static u32 take(u32 cmd, u64 first, bool same, u32 count, s32 refusal)
{
	u32 sent = 0, got = 0, good = 0;
	struct raw_rsp rsp;

	while (got < sent || (sent < count && sent == good)) {
		while (sent < count && sent - got < SLOTS - 1 && got == good) {
			struct raw_req req = req_new(&fe, cmd, first);

			if (!same)
				req.u.socket.id += sent;
			if (cmd == CMD_SOCKET) {
				req.u.socket.domain = 2;
				req.u.socket.type = 1;
			} else if (cmd == CMD_BIND) {
				req.u.bind.addr[0] = 2;
				req.u.bind.len = 16;
			} else if (cmd == CMD_LISTEN) {
				req.u.listen.backlog = BACKLOG;
			}
			fe_push(&fe, &req);
			sent++;
		}
		expect(fe_next(&fe, &rsp, 20000), "no response %u", got);
		if (!rsp.ret || rsp.ret == -EINPROGRESS)
			good++;
		else
			expect(rsp.ret == refusal, "command %u, %u: answered %d",
			       cmd, got, rsp.ret);
		got++;
	}
	expect(good && good < MOST, "command %u: %u, and no end of them", cmd,
	       good);
	return good;
}

/* A ring whose data pages are those of all the others, too */
static struct raw_req ring_request(struct conn *c, const struct pages *data)
{
	int port = evt_unbound(fe.evt, BACK_DOMID);
	unsigned int i;

	expect(port > 0, "evtchn: %s", strerror(-port));
	c->id = 0x20000 + (c - rings);
	c->port = port;
	pages_alloc(&fe, &c->index, 1, true);
	c->intf = (struct raw_intf *)c->index.va;
	c->intf->ring_order = MAX_ORDER;
	for (i = 0; i < 1U << MAX_ORDER; i++)
		c->intf->ref[i] = data->ref[i];
	return accept_request(&fe, c, NOBODY);
}

static u32 take_rings(void)
{
	struct raw_req req;
	struct pages data;
	u32 i;
	s32 ret;

	pages_alloc(&fe, &data, 1U << MAX_ORDER, true);
	for (i = 0; i < RINGS; i++) {
		req = ring_request(&rings[i], &data);
		ret = fe_call(&fe, &req);
		if (ret == -EINPROGRESS)
			continue;
		expect(ret == -ENOBUFS, "ring %u: answered %d", i, ret);
		break;
	}
	expect(i && i < RINGS, "%u rings, and no end of them", i);
	return i;
}

static void listener(u64 id, u16 port)
{
	expect(!fe_socket(&fe, id) && !fe_bind(&fe, id, port) &&
	       !fe_listen(&fe, id, BACKLOG), "no listener on port %u", port);
}

/* Asks for more and more, and gets none of it. */
static void insist(void)
{
	static const u32 cmds[] = { CMD_SOCKET, CMD_LISTEN, CMD_POLL };
	struct raw_req req;
	unsigned int i;

	for (i = 0; ; i++) {
		req = req_new(&fe, cmds[i % COUNT(cmds)], NOBODY);
		if (req.cmd == CMD_SOCKET) {
			req.u.socket.id = PLAIN + MOST;
			req.u.socket.domain = 2;
			req.u.socket.type = 1;
		} else if (req.cmd == CMD_LISTEN) {
			req.u.socket.id = PLAIN;
		}
		expect(fe_call(&fe, &req), "command %u: not refused", req.cmd);
		sleep_ms(2);
	}
}

static void greedy(void)
{
	u32 maps, ports, listeners, sockets, calls, i;

	expect(fe_offered("feature-defer"), "no feature-defer");
	fe_init(&fe);
	fe_reset();
	fe_node("feature-defer", "1");
	fe_connect(&fe);
	listener(NOBODY, FIRST_DOOR - 1);
	for (i = 0; i < DOORS; i++)
		listener(DOOR + i, FIRST_DOOR + i);

	maps = take_rings();
	/* of those that can be bound some can listen as well */
	expect(take(CMD_SOCKET, BOUND, false, SOCKETS, -ENFILE) == SOCKETS,
	       "too few sockets");
	ports = take(CMD_BIND, BOUND, false, SOCKETS, -ENOBUFS);
	expect(ports < SOCKETS, "%u ports, and no end of them", ports);
	listeners = take(CMD_LISTEN, BOUND, false, ports, -ENOBUFS);
	expect(listeners < ports, "%u listeners, and no end of them", listeners);
	sockets = take(CMD_SOCKET, PLAIN, false, MOST, -ENFILE);
	calls = take(CMD_POLL, NOBODY, true, MOST, -ENOBUFS);
	fprintf(stderr, "%u rings, %u ports, %u listeners, %u calls, %u sockets\nholding\n",
		maps, ports, listeners, calls, SOCKETS + sockets);
	insist();
}

static void unread(void)
{
	struct raw_req req;
	unsigned int i;

	expect(fe_offered("feature-dgram"), "no feature-dgram");
	fe_init(&fe);
	fe_reset();
	fe_node("feature-dgram", "1");
	fe_node("feature-wakeup", "1");
	fe_connect(&fe);
	for (i = 0; i < UNREAD; i++) {
		req = req_new(&fe, CMD_SOCKET, UNREAD_ID + i);
		req.u.socket.domain = 2;
		req.u.socket.type = 2;
		expect(!fe_call(&fe, &req) &&
		       !fe_bind(&fe, UNREAD_ID + i, FIRST_UNREAD + i),
		       "no socket on port %u", FIRST_UNREAD + i);
	}
	fprintf(stderr, "holding\n");
	for (;;)
		sleep_ms(1000);
}

const struct hcase greedy_cases[] = {
	{ "greedy", greedy, 100000, CASE_NAMED | CASE_LAST, NULL },
	{ "unread", unread, 100000, CASE_NAMED | CASE_LAST, NULL },
};

const unsigned int greedy_count = COUNT(greedy_cases);
