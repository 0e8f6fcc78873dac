// SPDX-License-Identifier: GPL-2.0
/* Bytes that nobody uses: those of responses and records have to be zero. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "dgram.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))
#define STALE		0xa5
#define NAME_LEN	28U

#define LISTENER	0x5000
#define PORT		7214

#define OPT_IP_MTU	14

static struct fe fe;
static struct conn conns[2];

static void want_name(const u8 addr[NAME_LEN], u32 len, const char *what,
		      u32 number)
{
	expect(len <= NAME_LEN, "%s %u: a name of %u bytes", what, number, len);
	want_zero(addr + len, NAME_LEN - len, what, number);
}

static void want_clean(const struct raw_rsp *rsp)
{
	static const char what[] = "response to command";

	expect(!rsp->pad, "%s %u: padding 0x%x", what, rsp->cmd, rsp->pad);
	if (rsp->ret)
		expect(!rsp->u.name.len, "%s %u: a name, and error %d", what,
		       rsp->cmd, rsp->ret);
	want_name(rsp->u.name.addr, rsp->u.name.len, what, rsp->cmd);
	want_zero(rsp->u.raw + 40, 8, what, rsp->cmd);
}

static void want_clean_deferred(const struct raw_rsp *rsp)
{
	static const char what[] = "late response to command";
	u32 cmd = rsp->u.deferred.cmd;

	expect(!rsp->pad && !rsp->ret, "%s %u: padding 0x%x, %d", what, cmd,
	       rsp->pad, rsp->ret);
	if (rsp->u.deferred.ret)
		expect(!rsp->u.deferred.len, "%s %u: a name, and error %d",
		       what, cmd, rsp->u.deferred.ret);
	want_name(rsp->u.deferred.addr, rsp->u.deferred.len, what, cmd);
	want_zero(rsp->u.raw + 44, 4, what, cmd);
}

/* What the backend does not write is not zero then. No request is under way. */
static void push(const struct raw_req *req)
{
	memset(fe.sring->slot, STALE, sizeof(fe.sring->slot));
	fe_push(&fe, req);
}

/* The result of a call that waits: its return value, and whose it is */
static s32 late(u32 *req_id)
{
	struct raw_req req = req_new(&fe, CMD_DEFERRED, 0);
	struct raw_rsp rsp;

	push(&req);
	rsp = fe_wait(&fe, req.req_id, CMD_DEFERRED);
	want_clean_deferred(&rsp);
	*req_id = rsp.u.deferred.req_id;
	return rsp.u.deferred.ret;
}

static s32 ask(const struct raw_req *req)
{
	struct raw_rsp rsp;
	u32 whose;
	s32 ret;

	push(req);
	rsp = fe_wait(&fe, req->req_id, req->cmd);
	want_clean(&rsp);
	if (rsp.ret != -EINPROGRESS)
		return rsp.ret;
	ret = late(&whose);
	expect(whose == req->req_id, "late response to another request");
	return ret;
}

/* Its result comes later. */
static void begin(const struct raw_req *req)
{
	struct raw_rsp rsp;

	push(req);
	rsp = fe_wait(&fe, req->req_id, req->cmd);
	want_clean(&rsp);
	expect(rsp.ret == -EINPROGRESS, "command %u: answered %d", req->cmd,
	       rsp.ret);
}

static s32 ask_simple(u32 cmd, u64 id)
{
	struct raw_req req = req_new(&fe, cmd, id);

	return ask(&req);
}

static s32 ask_socket(u64 id, u32 type)
{
	struct raw_req req = req_new(&fe, CMD_SOCKET, id);

	req.u.socket.domain = AF_INET;
	req.u.socket.type = type;
	return ask(&req);
}

static void ask_options(u64 id)
{
	static const struct {
		u16 level, name;
		u32 offset;
	} asked[] = {
		{ IPPROTO_TCP, TCP_INFO, 0 }, { IPPROTO_TCP, TCP_INFO, 28 },
		{ IPPROTO_TCP, TCP_INFO, 100 }, { IPPROTO_TCP, TCP_INFO, 4096 },
		{ IPPROTO_TCP, TCP_MAXSEG, 0 }, { IPPROTO_TCP, TCP_MAXSEG, 3 },
		{ IPPROTO_IP, OPT_IP_MTU, 1 }, { 0xffff, 0xffff, 0 },
	};
	struct raw_req req;
	unsigned int i;

	req = req_new(&fe, CMD_SETSOCKOPT, id);
	req.u.setsockopt.count = 1;
	req.u.setsockopt.opt[0] = (struct raw_opt){
		SOL_SOCKET, SO_KEEPALIVE, 1
	};
	expect(!ask(&req), "keepalive");
	for (i = 0; i < COUNT(asked); i++) {
		req = req_new(&fe, CMD_GETSOCKOPT, id);
		req.u.getsockopt.level = asked[i].level;
		req.u.getsockopt.name = asked[i].name;
		req.u.getsockopt.offset = asked[i].offset;
		ask(&req);
	}
}

static void ask_listener(void)
{
	struct raw_req req;

	expect(!ask_socket(LISTENER, SOCK_STREAM), "socket");
	req = req_new(&fe, CMD_BIND, LISTENER);
	req.u.bind.addr[0] = AF_INET;
	req.u.bind.addr[2] = PORT >> 8;
	req.u.bind.addr[3] = PORT & 0xff;
	req.u.bind.len = 16;
	expect(!ask(&req), "bind");
	req.req_id = fe.next_id++;
	expect(is_error(ask(&req)), "bind again");
	req = req_new(&fe, CMD_LISTEN, LISTENER);
	req.u.listen.backlog = 4;
	expect(!ask(&req), "listen");
}

/* A connection from the one to the other; its two results come in any order */
static void ask_connection(void)
{
	struct raw_req accept, connect;
	unsigned int i, results = 1;
	struct raw_rsp rsp;
	u32 whose;

	accept = accept_request(&fe, &conns[1], LISTENER);
	begin(&accept);
	expect(!ask_socket(conns[0].id, SOCK_STREAM), "socket");
	connect = conn_request(&fe, &conns[0], peer_host, PORT);
	push(&connect);
	rsp = fe_wait(&fe, connect.req_id, CMD_CONNECT);
	want_clean(&rsp);
	expect(!rsp.ret || rsp.ret == -EINPROGRESS, "connect: %d", rsp.ret);
	results += !!rsp.ret;
	for (i = 0; i < results; i++)
		expect(!late(&whose), "request %u failed", whose);
}

static void responses(void)
{
	static const char * const features[] = {
		"feature-defer", "feature-shutdown", "feature-names",
		"feature-sockopt", "feature-getsockopt", "feature-reuse",
	};
	struct raw_req req, poll;
	unsigned int i;
	u32 whose;

	fe_init(&fe);
	fe_reset();
	for (i = 0; i < COUNT(features); i++) {
		expect(fe_offered(features[i]), "no %s", features[i]);
		fe_node(features[i], "1");
	}
	fe_connect(&fe);
	conn_init(&fe, &conns[0], 1);
	conn_init(&fe, &conns[1], 1);
	expect(ask_simple(0x4242, 1) == -ENOTSUP_WIRE, "an unknown command");
	expect(is_error(ask_simple(CMD_POLL, 1)), "an unknown socket");
	expect(is_error(ask_socket(1, 77)), "an unknown type");
	ask_listener();
	ask_connection();
	for (i = 0; i < 2; i++) {
		req = req_new(&fe, CMD_GETNAME, conns[0].id);
		req.u.shutdown.how = i;	/* at the same place */
		expect(!ask(&req), "name %u", i);
	}
	req = req_new(&fe, CMD_GETNAME, LISTENER);
	req.u.shutdown.how = 1;
	expect(is_error(ask(&req)), "a peer of what listens");
	ask_options(conns[0].id);
	req = req_new(&fe, CMD_SHUTDOWN, conns[0].id);
	req.u.shutdown.how = SHUT_WR;
	expect(!ask(&req), "shutdown");
	req = req_new(&fe, CMD_FORGET, 0);
	req.u.forget.count = 1;
	req.u.forget.ref[0] = conns[0].index.ref[0];
	expect(!ask(&req), "forget");
	for (i = 0; i < 2; i++)
		expect(!ask_simple(CMD_RELEASE, conns[i].id), "release");
	poll = req_new(&fe, CMD_POLL, LISTENER);
	begin(&poll);
	expect(!ask_simple(CMD_RELEASE, LISTENER), "release");
	expect(is_error(late(&whose)) && whose == poll.req_id,
	       "a poll of what has gone");
	fe_open(&fe);
	fe_control(&fe);
}

/* Values with their padding; a number of an interface is no guest's business */
static void want_clean_controls(void)
{
	const u8 *at = dgram_in.data, *end = at + dgram_in.ctl_len;

	while (at < end) {
		struct {
			u16 level, type;
			u32 len;
		} ctl;
		u32 size;

		memcpy(&ctl, at, sizeof(ctl));
		size = sizeof(ctl) + ((ctl.len + 7) & ~7U);
		expect(ctl.len <= 20 && size <= (u32)(end - at),
		       "a value of %u bytes", ctl.len);
		want_zero(at + sizeof(ctl) + ctl.len,
			  size - sizeof(ctl) - ctl.len, "value", ctl.type);
		if (!ctl.level && ctl.type == IP_PKTINFO)
			want_zero(at + sizeof(ctl), 4, "interface of value",
				  ctl.type);
		at += size;
	}
}

static void want_clean_record(u32 round)
{
	u32 from = dgram_in.ctl_len + dgram_in.len, i;

	want_name(dgram_in.addr, dgram_in.addr_len, "record", round);
	if (!dgram_in.type)
		expect(!dgram_in.err, "record %u: error %d", round,
		       dgram_in.err);
	if (dgram_in.addr_len == 16)
		want_zero(dgram_in.addr + 8, 8, "address of record", round);
	want_clean_controls();
	/* what follows the bytes is as it was, or zero */
	for (i = from; i < DGRAM_SIZE(dgram_in.len) - DGRAM_HEADER +
	     dgram_in.ctl_len; i++)
		expect(!dgram_in.data[i] || dgram_in.data[i] == STALE,
		       "record %u: 0x%x after its bytes", round,
		       dgram_in.data[i]);
}

static void ask_values(u64 id)
{
	static const u16 names[] = { IP_RECVTTL, IP_RECVTOS, IP_PKTINFO };
	struct raw_req req = req_new(&dgram_fe, CMD_SETSOCKOPT, id);
	unsigned int i;

	req.u.setsockopt.count = COUNT(names);
	for (i = 0; i < COUNT(names); i++)
		req.u.setsockopt.opt[i] = (struct raw_opt){
			IPPROTO_IP, names[i], 1
		};
	expect(!fe_call(&dgram_fe, &req), "options");
}

static void records(void)
{
	static const u8 loopback[4] = { 127, 0, 0, 1 };
	struct conn *c = &conns[0];
	u32 len, controls = 0;

	if (!dgram_open_with("feature-sockopt"))
		return;
	dgram_attach(c, 4);
	ask_values(c->id);
	for (len = 0; len < 20; len++) {
		/* a datagram, and one that can't be sent */
		memset(c->in, STALE, c->size);
		dgram_fill(len, len);
		dgram_send(c, DGRAM_SIZE(len));
		expect(dgram_next(c, 10000), "no answer to %u bytes", len);
		expect(!dgram_in.type && dgram_in.len == len,
		       "type %u, %u bytes for %u", dgram_in.type, dgram_in.len,
		       len);
		want_clean_record(len);
		controls += dgram_in.ctl_len;
		memset(c->in, STALE, c->size);
		memcpy(dgram_out.addr + 4, loopback, sizeof(loopback));
		dgram_send(c, DGRAM_SIZE(len));
		expect(dgram_next(c, 10000), "no error");
		expect(dgram_in.type == 1 && is_error(dgram_in.err) &&
		       !dgram_in.len && !dgram_in.ctl_len &&
		       !dgram_in.addr_len, "type %u, %d, %u bytes",
		       dgram_in.type, dgram_in.err, dgram_in.len);
		want_clean_record(len);
	}
	expect(controls, "no values, though they were asked for");
	conn_release(&dgram_fe, c);
	fe_control(&dgram_fe);
}

const struct hcase unused_cases[] = {
	{ "unused-responses", responses, 60, 0, NULL },
	{ "unused-records", records, 60, 0, NULL },
};

const unsigned int unused_count = COUNT(unused_cases);
