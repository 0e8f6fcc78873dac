// SPDX-License-Identifier: GPL-2.0
/*
 * Requests, indexes and bytes at random, by the seed HOSTILE_SEED: mostly such
 * as make sense, so that they get far, and some that do not. Whatever they are,
 * each request is answered once, and all that wait are answered when their
 * sockets are released.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dgram.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

#define IDS		12U	/* of sockets: 1 and up */
#define RINGS		8U
#define FLYING		20U	/* the rest of the slots is for RELEASE */
#define DEFERRED	4U	/* requests for late results */
#define SESSION		5000U	/* operations until all sockets end */
#define BROKEN		20000U	/* one in so many ends the connection */
/* tcp_peer gives up one that does not read after a minute */
#define END_MS		90000
#define RELEASE_ABORT	1

/**
 * struct flying - a request that is not answered yet
 * @req_id: its number
 * @cmd: its command
 * @id: the socket
 * @deferred: the answer was that the result comes later
 */
struct flying {
	u32 req_id, cmd;
	u64 id;
	bool deferred;
};

static struct fe fe;
static struct conn conns[RINGS];
static struct flying flying[4096];
/* By command, those of the extensions last: how many were done */
static u32 done[CMD_POLL + 1 + CMD_GETSOCKOPT - CMD_SHUTDOWN + 1];
static u32 nr_flying, in_slots, nr_asking;
static bool defers;
static u64 state;

static const u32 some_ops = 20000, many_ops = 1000000;

/* xorshift64*: Vigna, An experimental exploration of Marsaglia's xorshift */
static u32 rnd(u32 below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 2685821657736338717ULL >> 32) % below;
}

static u32 rnd32(void)
{
	return rnd(0x10000) << 16 | rnd(0x10000);
}

static bool one_in(u32 n)
{
	return !rnd(n);
}

/* ---- what is on its way ---- */

static struct flying *flying_find(u32 req_id, u32 cmd, bool deferred)
{
	u32 i;

	for (i = 0; i < nr_flying; i++)
		if (flying[i].req_id == req_id && flying[i].cmd == cmd &&
		    flying[i].deferred == deferred)
			return &flying[i];
	fail("%s command %#x: number %u has not been asked",
	     deferred ? "deferred" : "answered", cmd, req_id);
}

static void flying_end(struct flying *f)
{
	*f = flying[--nr_flying];
}

static bool may_defer(u32 cmd)
{
	return defers && (cmd == CMD_ACCEPT || cmd == CMD_POLL ||
			  cmd == CMD_CONNECT || cmd == CMD_RELEASE);
}

static void want_result(u32 cmd, s32 ret)
{
	if (!ret && cmd <= CMD_POLL)
		done[cmd]++;
	else if (!ret && cmd >= CMD_SHUTDOWN && cmd <= CMD_GETSOCKOPT)
		done[CMD_POLL + 1 + cmd - CMD_SHUTDOWN]++;
	expect(!ret || (is_error(ret) && ret != -EINPROGRESS),
	       "command %#x: return value %d", cmd, ret);
}

static void answered(const struct raw_rsp *rsp)
{
	struct flying *f = flying_find(rsp->req_id, rsp->cmd, false);

	in_slots--;
	if (rsp->ret == -EINPROGRESS && may_defer(rsp->cmd)) {
		f->deferred = true;
		return;
	}
	want_result(rsp->cmd, rsp->ret);
	flying_end(f);
	if (rsp->cmd != CMD_DEFERRED)
		return;
	nr_asking--;
	if (rsp->ret)
		return;
	f = flying_find(rsp->u.deferred.req_id, rsp->u.deferred.cmd, true);
	want_result(f->cmd, rsp->u.deferred.ret);
	flying_end(f);
}

static void take_answers(unsigned int ms)
{
	struct raw_rsp rsp;

	while (fe_next(&fe, &rsp, ms)) {
		answered(&rsp);
		ms = 0;
	}
}

static void push(const struct raw_req *req)
{
	expect(nr_flying < COUNT(flying), "too many are never answered");
	flying[nr_flying++] = (struct flying){
		req->req_id, req->cmd, req->u.id, false
	};
	in_slots++;
	if (req->cmd == CMD_DEFERRED)
		nr_asking++;
	fe_push(&fe, req);
}

static void ask_late_results(void)
{
	struct raw_req req;

	while (defers && nr_asking < DEFERRED) {
		req = req_new(&fe, CMD_DEFERRED, 0);
		push(&req);
	}
}

static void release(u64 id)
{
	struct raw_req req = req_new(&fe, CMD_RELEASE, id);

	req.u.release.flags = RELEASE_ABORT;
	push(&req);
}

/* Sockets end until what waits for them leaves slots for others. */
static void make_room(void)
{
	u64 end = now_ms() + END_MS;

	while (in_slots >= FLYING) {
		if (in_slots < SLOTS - DEFERRED)
			release(1 + rnd(IDS));
		take_answers(1);
		expect(now_ms() < end, "%u requests are not answered, command %#x among them",
		       in_slots, flying[0].cmd);
	}
}

/* ---- a request ---- */

static u64 some_id(void)
{
	return one_in(50) ? rnd32() : 1 + rnd(IDS);
}

static void some_bytes(void *to, u32 len)
{
	u8 *bytes = to;

	while (len--)
		*bytes++ = rnd(256);
}

/* One of this domain, if @own. Returns the length. */
static u32 some_address(u8 addr[28], bool own)
{
	static const u16 ports[] = {
		PORT_ORDERS, PORT_GREET, PORT_STREAM, PORT_ECHO, PORT_NOBODY,
	};
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	in.sin_port = htons(peer_base + ports[rnd(COUNT(ports))]);
	switch (own ? 3 : rnd(12)) {
	case 0:
		some_bytes(addr, 28);
		return rnd(40);
	case 1:
		in.sin_addr.s_addr = inet_addr(hole_host);
		break;
	case 2:
		in.sin_addr.s_addr = one_in(2) ? 0 : htonl(INADDR_LOOPBACK);
		break;
	case 3:
		in.sin_port = htons(20000 + rnd(50));
		in.sin_addr.s_addr = 0;
		break;
	case 4:
		in6.sin6_port = in.sin_port;
		in6.sin6_addr.s6_addr[15] = rnd(2);
		in6.sin6_scope_id = one_in(4) ? rnd(5) : 0;
		memcpy(addr, &in6, 28);
		return sizeof(in6);
	default:
		in.sin_addr.s_addr = inet_addr(peer_host);
	}
	memcpy(addr, &in, sizeof(in));
	return sizeof(in);
}

static void some_socket(struct raw_req *req)
{
	static const u32 domains[] = { AF_INET, AF_INET, AF_INET6, 1, 16 };
	static const u32 types[] = {
		SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET,
	};
	static const u32 protocols[] = {
		0, 0, 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 262,
	};

	req->u.socket.domain = domains[rnd(COUNT(domains))];
	req->u.socket.type = types[rnd(COUNT(types))];
	req->u.socket.protocol = protocols[rnd(COUNT(protocols))];
}

static void some_options(struct raw_req *req)
{
	static const u16 levels[] = { SOL_SOCKET, 0, IPPROTO_TCP, 41, 58 };
	u32 i;

	req->u.setsockopt.count = one_in(20) ? rnd32() : 1 + rnd(5);
	for (i = 0; i < 5; i++)
		req->u.setsockopt.opt[i] = (struct raw_opt){
			levels[rnd(COUNT(levels))], rnd(80),
			one_in(4) ? rnd32() : rnd(10)
		};
}

/* A ring and its event channel, which mostly belong together */
static void some_ring(u32 *ref, u32 *evtchn)
{
	const struct conn *c = &conns[rnd(RINGS)];

	*ref = one_in(100) ? rnd32() : c->index.ref[0];
	if (one_in(20))
		c = &conns[rnd(RINGS)];
	*evtchn = one_in(100) ? rnd(100) : c->port;
}

static void some_words(struct raw_req *req)
{
	switch (req->cmd) {
	case CMD_SOCKET:
		some_socket(req);
		break;
	case CMD_CONNECT:
		req->u.connect.len = some_address(req->u.connect.addr,
						  false);
		req->u.connect.flags = rnd(2);
		some_ring(&req->u.connect.ref, &req->u.connect.evtchn);
		break;
	case CMD_RELEASE:
		req->u.release.reuse = rnd(2);
		req->u.release.flags = rnd(4);
		break;
	case CMD_BIND:
		req->u.bind.len = some_address(req->u.bind.addr, one_in(2));
		break;
	case CMD_LISTEN:
		req->u.listen.backlog = rnd(20);
		break;
	case CMD_ACCEPT:
		req->u.accept.id_new = some_id();
		some_ring(&req->u.accept.ref, &req->u.accept.evtchn);
		break;
	case CMD_SHUTDOWN:
		req->u.shutdown.how = rnd(4);
		break;
	case CMD_SETSOCKOPT:
		some_options(req);
		break;
	case CMD_FORGET:
		req->u.forget.count = rnd(13);
		req->u.forget.ref[0] = conns[rnd(RINGS)].index.ref[0];
		req->u.forget.ref[1] = rnd32();
		break;
	case CMD_GETSOCKOPT:
		req->u.getsockopt.level = one_in(2) ? SOL_SOCKET : IPPROTO_TCP;
		req->u.getsockopt.name = rnd(80);
		req->u.getsockopt.offset = one_in(4) ? rnd(300) : 0;
		break;
	}
}

static void ask(void)
{
	static const u32 commands[] = {
		CMD_SOCKET, CMD_SOCKET, CMD_CONNECT, CMD_CONNECT, CMD_CONNECT,
		CMD_RELEASE, CMD_RELEASE, CMD_BIND, CMD_LISTEN, CMD_ACCEPT,
		CMD_POLL, CMD_SHUTDOWN, CMD_GETNAME, CMD_SETSOCKOPT,
		CMD_FORGET, CMD_GETSOCKOPT,
	};
	u32 cmd = one_in(200) ? rnd32() : commands[rnd(COUNT(commands))];
	struct raw_req req = req_new(&fe, cmd, some_id());

	some_words(&req);
	if (one_in(20))
		some_bytes(req.u.raw + rnd(56), 1);
	/* ours are counted */
	if (req.cmd != CMD_DEFERRED)
		push(&req);
}

/* ---- a data ring ---- */

/* The beginning of a record, for a socket of datagrams */
static void some_record(struct conn *c)
{
	u32 most = sizeof(dgram_out), len;

	dgram_fill(rnd(400), rnd(256));
	if (one_in(5))
		some_bytes((u8 *)&dgram_out + rnd(DGRAM_HEADER), 1);
	len = DGRAM_SIZE(dgram_out.len) + dgram_out.ctl_len;
	if (c->out_prod - GET(c->intf->out_cons) > c->size)
		c->out_prod = GET(c->intf->out_cons);
	conn_send(&fe, c, &dgram_out, len < most ? len : DGRAM_HEADER);
}

static void lie(struct conn *c)
{
	u32 *words[] = {
		&c->intf->in_cons, &c->intf->in_prod, &c->intf->in_data_wake,
		&c->intf->in_space_wake, &c->intf->out_cons,
		&c->intf->out_prod, &c->intf->out_data_wake,
		&c->intf->out_space_wake, &c->intf->ring_order,
		&c->intf->ref[rnd(1U << MAX_ORDER)],
	};

	SET(*words[rnd(COUNT(words))], one_in(2) ? rnd32() : rnd(c->size));
}

/* The ring as it was, for a next socket */
static void honest_again(struct conn *c)
{
	u32 order = 0;

	while (c->data.n >> order > 1)
		order++;
	memset(c->intf, 0, offsetof(struct raw_intf, ring_order));
	c->intf->ring_order = order;
	memcpy(c->intf->ref, c->data.ref, c->data.n * sizeof(u32));
	c->in_cons = 0;
	c->out_prod = 0;
}

static void touch_ring(void)
{
	struct conn *c = &conns[rnd(RINGS)];
	u32 cons = GET(c->intf->out_cons);

	switch (rnd(12)) {
	case 0:
		lie(c);
		break;
	case 1:
		honest_again(c);
		break;
	case 2:
		some_bytes(c->data.va + rnd(c->data.n * PAGE - 64), 64);
		break;
	case 3:
	case 4:
		some_record(c);
		break;
	case 5:
	case 6:
	case 7:
		c->in_cons = GET(c->intf->in_prod);
		SET(c->intf->in_cons, c->in_cons);
		break;
	default:
		c->out_prod = cons + rnd(c->size + 1);
		SET(c->intf->out_prod, c->out_prod);
	}
	mb();
	evt_notify(fe.evt, c->port);
}

/* ---- sessions ---- */

/* A connection with some of the extensions */
static void begin(void)
{
	static const char * const features[] = {
		"feature-defer", "feature-shutdown", "feature-names",
		"feature-ipv6", "feature-wakeup", "feature-sockopt",
		"feature-reuse", "feature-open", "feature-shared-evtchn",
		"feature-dgram", "feature-getsockopt",
	};
	u32 i;

	fe_init(&fe);
	fe_reset();
	defers = false;
	for (i = 0; i < COUNT(features); i++) {
		if (one_in(4) || !fe_offered(features[i]))
			continue;
		fe_node(features[i], "1");
		defers |= i == 0;
	}
	fe_connect(&fe);
	nr_flying = 0;
	in_slots = 0;
	nr_asking = 0;
	for (i = 0; i < RINGS; i++)
		conn_init(&fe, &conns[i], 1 + rnd(4));
}

/* After the backend has let go of it all */
static void forget(void)
{
	u32 i;

	fe_reset();
	for (i = 0; i < RINGS; i++)
		conn_free(&fe, &conns[i]);
	pages_free(&fe, &fe.ring_page);
	close(fe.evt);
	close(fe.gnt);
}

/* More requests than the ring has slots for: the connection must end. */
static void end_broken(void)
{
	fe_push_raw(&fe, fe.req_prod + SLOTS + 1 + rnd(1U << 30));
	expect(be_wait(1 << ST_CLOSING | 1 << ST_CLOSED, END_MS),
	       "a bad req_prod: state %ld", be_state());
	forget();
}

/* All sockets end, and all that waits is answered. */
static void end_well(void)
{
	u64 end = now_ms() + END_MS;
	u32 n = nr_flying, i;
	u64 ids[COUNT(flying)];

	expect(be_state() == ST_CONNECTED, "state %ld", be_state());
	for (i = 0; i < n; i++)
		ids[i] = flying[i].id;
	for (i = 0; i < n + IDS; i++) {
		make_room();
		release(i < n ? ids[i] : 1 + i - n);
		ask_late_results();
	}
	while (nr_flying > nr_asking) {
		expect(now_ms() < end, "%u requests are not answered, command %#x among them",
		       nr_flying - nr_asking, flying[0].cmd);
		take_answers(20);
		ask_late_results();
	}
	forget();
}

static void operate(void)
{
	make_room();
	take_answers(0);
	ask_late_results();
	if (one_in(2))
		ask();
	else
		touch_ring();
}

/*
 * Who is refused everything finds nothing. Nobody connects to us, so ACCEPT and
 * POLL do not succeed, and some extensions may not be offered.
 */
static void want_done(u32 operations)
{
	u32 i;

	for (i = 0; i < COUNT(done); i++) {
		fprintf(stderr, "%s%u", i ? " " : "done by command: ",
			done[i]);
		expect(i > CMD_LISTEN || done[i] >= operations / 20000,
		       "%u commands number %u were done", done[i], i);
	}
	fputs("\n", stderr);
}

static void random_operations(void)
{
	u32 operations = *(const u32 *)case_now->data, n;
	const char *seed = getenv("HOSTILE_SEED");

	state = seed ? strtoull(seed, NULL, 0) : (u64)time(NULL);
	fprintf(stderr, "HOSTILE_SEED=%llu\n", (unsigned long long)state);
	state |= 1ULL << 63;
	begin();
	for (n = 1; n <= operations; n++) {
		operate();
		if (n == operations || (n % SESSION && !one_in(BROKEN)))
			continue;
		if (n % SESSION)
			end_broken();
		else
			end_well();
		begin();
	}
	end_well();
	want_done(operations);
}

const struct hcase random_cases[] = {
	{ "random", random_operations, 400, 0, &some_ops },
	{ "random-long", random_operations, 7200, CASE_NAMED, &many_ops },
};

const unsigned int random_count = COUNT(random_cases);
