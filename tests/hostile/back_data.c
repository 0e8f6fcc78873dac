// SPDX-License-Identifier: GPL-2.0
/* Lies in the indexes of data rings. */
#include <string.h>

#include "back.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static u8 junk[4096];

/* Serves honestly for a while, so that the lie comes in mid traffic. */
static bool not_yet(struct be *be, struct bconn *c)
{
	if (c->step >= 20)
		return false;
	conn_echo(be, c);
	conn_put(be, c, junk, 500);
	return true;
}

static void say(struct be *be, struct bconn *c, u32 *word, u32 value)
{
	SET(*word, value);
	mb();
	evt_notify(be->evt, c->port);
}

static void in_prod(struct be *be, struct bconn *c)
{
	if (not_yet(be, c))
		return;
	say(be, c, &c->intf->in_prod,
	    GET(c->intf->in_cons) + c->size + LIE->value);
}

/* Back behind what has been read already */
static void in_prod_back(struct be *be, struct bconn *c)
{
	if (not_yet(be, c))
		return;
	say(be, c, &c->intf->in_prod, GET(c->intf->in_cons) - LIE->value);
}

static void out_cons(struct be *be, struct bconn *c)
{
	if (c->step < 20) {
		c->out_cons = GET(c->intf->out_prod);
		say(be, c, &c->intf->out_cons, c->out_cons);
		return;
	}
	say(be, c, &c->intf->out_cons, GET(c->intf->out_prod) + LIE->value);
}

static void out_cons_back(struct be *be, struct bconn *c)
{
	say(be, c, &c->intf->out_cons,
	    GET(c->intf->out_prod) - c->size - LIE->value);
}

/* Before anything was ever sent */
static void at_once(struct be *be, struct bconn *c)
{
	SET(c->intf->in_prod, c->size + LIE->value);
	say(be, c, &c->intf->out_cons, LIE->value);
}

static void in_error(struct be *be, struct bconn *c)
{
	if (not_yet(be, c))
		return;
	say(be, c, (u32 *)&c->intf->in_error, LIE->value);
}

static void out_error(struct be *be, struct bconn *c)
{
	say(be, c, (u32 *)&c->intf->out_error, LIE->value);
}

/* An error that goes away again, time after time */
static void flicker(struct be *be, struct bconn *c)
{
	say(be, c, (u32 *)&c->intf->in_error, c->step % 2 ? -104 : 0);
	say(be, c, (u32 *)&c->intf->out_error, c->step % 2 ? 0 : -32);
	conn_echo(be, c);
}

/* What only the frontend writes: it has its own copies. */
static void scribble(struct be *be, struct bconn *c)
{
	u32 prod = GET(c->intf->out_prod), cons = GET(c->intf->in_cons);

	if (c->step < 3) {
		conn_echo(be, c);
		return;
	}
	/* Only with nothing under way, as this backend believes them. */
	if (prod != c->out_cons || cons != c->in_prod) {
		conn_echo(be, c);
		return;
	}
	SET(c->intf->ring_order, 0xffffffff);
	memset(c->intf->ref, c->step, sizeof(c->intf->ref));
	memset(c->intf->pad1, c->step, sizeof(c->intf->pad1));
	memset(c->intf->pad2, c->step, sizeof(c->intf->pad2));
	evt_notify(be->evt, c->port);
}

static void indexes(struct be *be, struct bconn *c)
{
	if (not_yet(be, c))
		return;
	SET(c->intf->in_cons, 0x9e3779b9 * c->step);
	SET(c->intf->out_prod, 0x85ebca6b * c->step);
	evt_notify(be->evt, c->port);
}

static void thresholds(struct be *be, struct bconn *c)
{
	SET(c->intf->in_data_wake, 0x9e3779b9 * c->step);
	SET(c->intf->in_space_wake, 0x85ebca6b * c->step);
	SET(c->intf->out_data_wake, 0xc2b2ae35 * c->step);
	SET(c->intf->out_space_wake, 0x27d4eb2f * c->step);
	conn_echo(be, c);
	evt_notify(be->evt, c->port);
}

/* Takes the ring away while the frontend uses it. */
static void unmap(struct be *be, struct bconn *c)
{
	if (!not_yet(be, c))
		be_unmap(be, c);
}

static bool let_go;

/* Says that it has let go of a ring, */
static bool keep(struct be *be, const struct raw_req *req)
{
	if (req->cmd != CMD_RELEASE)
		return false;
	be_answer(be, req, 0);
	let_go = true;
	return true;
}

/* and goes on to write there. */
static void kept(struct be *be, struct bconn *c)
{
	if (let_go)
		memset(c->in, 0x5a, 2 * c->size);
	else
		conn_echo(be, c);
}

/* A record that is not as it should be, after some that are */
static void record(struct be *be, struct bconn *c)
{
	static const struct {
		u32 len, type, err, addr_len, bytes, ctl_len, ctl;
	} bad[] = {
		{ 65528, 0, 0, 16, 152, 0, 0 },
		{ 0xffffffff, 0, 0, 16, 152, 0, 0 },
		{ 0xffffffd0, 0, 0, 16, 152, 0, 0 },
		{ 200, 0, 0, 16, 152, 0, 0 },
		{ 0, 2, 0, 16, 48, 0, 0 },
		{ 0, 0, 0, 16, 8, 0, 0 },
		{ 0, 0, 0, 16, 1, 0, 0 },
		{ 0, 1, 5, 0, 48, 0, 0 },
		{ 0, 1, -512, 0, 48, 0, 0 },
		{ 0, 1, 0x80000000, 0, 48, 0, 0 },
		{ 100, 0, 0, 3, 152, 0, 0 },
		{ 100, 0, 0, 29, 152, 0, 0 },
		{ 100, 0, 0, 0xffffffff, 152, 0, 0 },
		/* control data: descriptors (SCM_RIGHTS) of no length */
		{ 100, 0, 0, 16, 160, 8, 1 | 1 << 16 },
	};
	u32 header[40] = {
		bad[LIE->value].len, bad[LIE->value].type, bad[LIE->value].err,
		bad[LIE->value].addr_len, 0x5f1b0002, 0x0100000a,
		[11] = bad[LIE->value].ctl_len, bad[LIE->value].ctl,
	};

	if (c->step < 10)
		conn_echo(be, c);
	else if (c->step == 10)
		conn_put(be, c, header, bad[LIE->value].bytes);
}

#define DGRAM(n, a, x)							\
	{ n, run_lie, 90, 0, &(const struct lie) {			\
		.victim = "datagrams 100000", .allow = a, .data = record, \
		.value = x, .features = F_DGRAM | F_WAKEUP | F_NAMES } }

#define DATA(n, v, a, d, x)						\
	{ n, run_lie, 90, 0, &(const struct lie) {			\
		.victim = v, .allow = a, .data = d, .value = (u32)(x) } }

#define BOTH(n, v, a, d, x)						\
	{ n, run_lie, 90, 0, &(const struct lie) {			\
		.victim = v, .allow = a, .data = d, .value = (u32)(x),	\
		.features = F_WAKEUP | F_SHUTDOWN | F_NAMES } }

#define RECV	"recv 10000000"
#define SEND	"send 10000000"

const struct hcase data_cases[] = {
	DATA("in-prod-1", RECV, ERR, in_prod, 1),
	DATA("in-prod-page", RECV, ERR, in_prod, 4096),
	DATA("in-prod-far", RECV, ERR, in_prod, 0x80000000),
	BOTH("in-prod-1-wakeup", RECV, ERR, in_prod, 1),
	DATA("in-prod-back", RECV, ERR, in_prod_back, 1),
	DATA("in-prod-far-back", RECV, ERR, in_prod_back, 0x1000000),
	DATA("out-cons-1", SEND, ERR, out_cons, 1),
	DATA("out-cons-far", SEND, ERR, out_cons, 0x7fffffff),
	BOTH("out-cons-1-wakeup", SEND, ERR, out_cons, 1),
	DATA("out-cons-back", SEND, ERR, out_cons_back, 1),
	DATA("out-cons-far-back", SEND, ERR, out_cons_back, 0x1000000),
	DATA("at-once-recv", RECV, ERR, at_once, 1),
	DATA("at-once-send", SEND, ERR, at_once, 1),
	DATA("in-error-positive", RECV, ERR, in_error, 5),
	DATA("in-error-huge", RECV, ERR, in_error, 0x7fffffff),
	DATA("in-error-lowest", RECV, ERR, in_error, 0x80000000),
	DATA("in-error-restart", RECV, ERR, in_error, -512),
	DATA("in-error-again", RECV, ERR | KILLED, in_error, -11),
	DATA("out-error-positive", SEND, ERR, out_error, 5),
	DATA("out-error-huge", SEND, ERR, out_error, 0x7fffffff),
	DATA("out-error-restart", SEND, ERR, out_error, -512),
	DATA("error-flicker", "echo 1000000", OK | ERR, flicker, 0),
	DATA("scribble-refs", "echo 50000", OK, scribble, 0),
	DATA("scribble-indexes", RECV, ERR | KILLED, indexes, 0),
	BOTH("scribble-thresholds", "echo 50000", OK, thresholds, 0),
	{ "datagrams", run_lie, 90, 0, &(const struct lie) {
		.victim = "datagrams 200", .allow = OK,
		.features = F_DGRAM | F_WAKEUP | F_NAMES } },
	DGRAM("datagram-len-udp", ERR, 0),
	DGRAM("datagram-len-negative", ERR, 1),
	DGRAM("datagram-len-wraps", ERR, 2),
	DGRAM("datagram-len-beyond", ERR, 3),
	DGRAM("datagram-type", ERR, 4),
	DGRAM("datagram-header-part", ERR, 5),
	DGRAM("datagram-one-byte", ERR, 6),
	DGRAM("datagram-error-positive", ERR, 7),
	DGRAM("datagram-error-restart", ERR, 8),
	DGRAM("datagram-error-lowest", ERR, 9),
	DGRAM("datagram-name-short", KILLED, 10),
	DGRAM("datagram-name-long", KILLED, 11),
	DGRAM("datagram-name-huge", KILLED, 12),
	DGRAM("datagram-rights", KILLED, 13),
	DATA("unmap-in-use", RECV, ERR | KILLED, unmap, 0),
	{ "release-mapped", run_lie, 90, 0, &(const struct lie) {
		.victim = "echo 20000", .allow = OK, .request = keep,
		.data = kept } },
};

const unsigned int data_count = COUNT(data_cases);
