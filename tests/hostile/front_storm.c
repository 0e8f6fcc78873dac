// SPDX-License-Identifier: GPL-2.0
/*
 * What goes on and on, for the scenario storm, which looks at Dom0 and at
 * another guest meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "front.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

#define ENOUGH		"/tmp/enough"
#define FLUTTER		10
#define RINGS		8U	/* of MAX_ORDER */
#define CHURN		24U
#define FIRST_CHURN	0x6000
#define BAD_GRANT	31000
#define SAME_IDS	8U
#define SAME_MS		5000
#define WORDS		500

static struct fe fe;
static struct conn conns[CHURN];

static noreturn void flood(u32 port)
{
	fputs("holding\n", stderr);
	for (;;)
		evt_notify(fe.evt, port);
}

/* Events, and no requests */
static void command_flood(void)
{
	fe_open(&fe);
	conn_must_open(&fe, &conns[0], 2, PORT_ECHO);
	conn_echo(&fe, &conns[0], 1000);
	flood(fe.port);
}

/* Events, and no bytes */
static void data_flood(void)
{
	fe_open(&fe);
	conn_must_open(&fe, &conns[0], 2, PORT_ECHO);
	conn_echo(&fe, &conns[0], 1000);
	flood(conns[0].port);
}

/*
 * Command rings that are no grants, one after the other, and states in between
 * that are overtaken before the backend has seen them. Until somebody says that
 * this is enough.
 */
static void node_loop(void)
{
	static const char * const states[] = { "3", "5", "4", "6", "2" };
	unsigned int i, j;

	fe_init(&fe);
	fe_reset();
	fputs("holding\n", stderr);
	for (i = 0; access(ENOUGH, F_OK); i++) {
		fe_publish(&fe);
		fe_number("ring-ref", BAD_GRANT + i % 100);
		fe_state("3");
		expect(be_wait(1 << ST_CLOSING | 1 << ST_CLOSED, 10000),
		       "attempt %u: state %ld", i, be_state());
		for (j = 0; j < FLUTTER; j++) {
			fe_number("ring-ref", BAD_GRANT + j);
			if (i % 10 == 0)
				fe_state(states[j % COUNT(states)]);
		}
		fe_state("1");
		expect(be_wait(1 << ST_INIT_WAIT, 10000),
		       "after attempt %u: state %ld", i, be_state());
	}
	fprintf(stderr, "%u attempts\n", i);
	/* it is served again, if not at once */
	for (i = 0; be_state() != ST_CONNECTED; i++) {
		expect(i < 100, "no connection any more: state %ld",
		       be_state());
		fe_reset();
		fe_publish(&fe);
		fe_state("3");
		be_wait(1 << ST_CONNECTED | 1 << ST_CLOSING, 10000);
		sleep_ms(100);
	}
	fe_state("4");
	fe_control(&fe);
}

/* Rings are unmapped all at once, and others mapped. */
static void mass_release(void)
{
	struct raw_req release[RINGS];
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < RINGS; i++)
		conn_init(&fe, &conns[i], MAX_ORDER);
	fputs("holding\n", stderr);
	for (;;) {
		for (i = 0; i < RINGS; i++) {
			struct raw_intf *intf = conns[i].intf;

			memset(intf, 0, offsetof(struct raw_intf, ring_order));
			expect(!conn_open(&fe, &conns[i], PORT_ECHO),
			       "connect %u", i);
		}
		for (i = 0; i < RINGS; i++) {
			release[i] = req_new(&fe, CMD_RELEASE, conns[i].id);
			fe_push(&fe, &release[i]);
		}
		for (i = 0; i < RINGS; i++)
			expect(!fe_wait(&fe, release[i].req_id,
					CMD_RELEASE).ret, "release %u", i);
	}
}

/* The next request about a socket: make it, connect it in vain, end it */
static void churn_next(unsigned int i, u32 step)
{
	struct conn *c = &conns[i];
	struct raw_req req;

	switch (step % 4) {
	case 0:
		req = req_new(&fe, CMD_SOCKET, c->id);
		req.u.socket.domain = 2;
		req.u.socket.type = 1;
		break;
	case 1:
		req = conn_request(&fe, c, peer_host, peer_base + PORT_NOBODY);
		break;
	case 2:
		req = conn_request(&fe, c, peer_host, peer_base + PORT_ECHO);
		if (i % 2)
			req.u.connect.ref = BAD_GRANT;
		break;
	default:
		req = req_new(&fe, CMD_RELEASE, c->id);
		break;
	}
	fe_push(&fe, &req);
}

/* Sockets and rings come and go, and connects fail, some with bad grants. */
static void churn(void)
{
	u32 step[CHURN] = { 0 };
	struct raw_rsp rsp;
	unsigned int i;

	fe_open(&fe);
	for (i = 0; i < CHURN; i++) {
		conn_init(&fe, &conns[i], 1 + i % 5);
		conns[i].id = FIRST_CHURN + i;
		churn_next(i, 0);
	}
	fputs("holding\n", stderr);
	for (;;) {
		expect(fe_next(&fe, &rsp, 20000), "no answer");
		i = rsp.u.id - FIRST_CHURN;
		expect(i < CHURN, "an answer about nothing");
		if (step[i] % 4 == 0 || step[i] % 4 == 3)
			expect(!rsp.ret, "command %u: %d", rsp.cmd, rsp.ret);
		if (step[i] % 4 == 1)
			expect(rsp.ret == -ECONNREFUSED, "nobody: %d", rsp.ret);
		memset(conns[i].intf, 0, offsetof(struct raw_intf, ring_order));
		churn_next(i, ++step[i]);
	}
}

/* Words that say whose they are, there and back */
static void talk(struct conn *c, u32 domid, u32 round)
{
	u32 words[WORDS], back[WORDS], got = 0, i;
	u64 end = now_ms() + 10000;

	for (i = 0; i < WORDS; i++)
		words[i] = domid << 16 ^ round << 10 ^ i;
	expect(conn_send(&fe, c, words, sizeof(words)) == sizeof(words),
	       "no room for %zu bytes", sizeof(words));
	while (got < sizeof(back)) {
		got += conn_recv(&fe, c, (u8 *)back + got, sizeof(back) - got);
		if (got == sizeof(back))
			break;
		expect(!conn_dead(c), "the socket died");
		expect(now_ms() < end, "%u of %zu bytes came back", got,
		       sizeof(back));
		evt_wait(fe.evt, 20);
	}
	for (i = 0; i < WORDS; i++)
		expect(back[i] == words[i], "word %u is 0x%x, not 0x%x", i,
		       back[i], words[i]);
}

/* Two guests do this at a time. All that they say of themselves is equal. */
static void same_ids(void)
{
	long domid = xs_number("domid", -1);
	u64 end = now_ms() + SAME_MS;
	u32 round, i;
	s32 ret;

	expect(domid > 0, "which domain is this?");
	fe_open(&fe);
	for (i = 0; i < SAME_IDS; i++)
		conn_init(&fe, &conns[i], 2);
	for (round = 0; now_ms() < end; round++) {
		for (i = 0; i < SAME_IDS; i++) {
			struct conn *c = &conns[i];

			c->id = i * 0x100;
			c->in_cons = 0;
			c->out_prod = 0;
			memset(c->intf, 0,
			       offsetof(struct raw_intf, ring_order));
			ret = conn_open(&fe, c, PORT_ECHO);
			expect(!ret, "connect %u: %d", i, ret);
		}
		for (i = 0; i < SAME_IDS; i++)
			talk(&conns[i], domid, round);
		for (i = 0; i < SAME_IDS; i++)
			expect(!fe_simple(&fe, CMD_RELEASE, conns[i].id),
			       "release %u", i);
	}
}

const struct hcase storm_cases[] = {
	{ "command-flood", command_flood, 1000, CASE_NAMED | CASE_LAST, NULL },
	{ "data-flood", data_flood, 1000, CASE_NAMED | CASE_LAST, NULL },
	{ "node-loop", node_loop, 300, CASE_NAMED, NULL },
	{ "mass-release", mass_release, 1000, CASE_NAMED | CASE_LAST, NULL },
	{ "churn", churn, 1000, CASE_NAMED | CASE_LAST, NULL },
	{ "same-ids", same_ids, 60, CASE_NAMED, NULL },
};

const unsigned int storm_count = COUNT(storm_cases);
