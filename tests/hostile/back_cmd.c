// SPDX-License-Identifier: GPL-2.0
/* Lies in the command ring, in xenstore, and by saying nothing. */
#include <stdio.h>
#include <string.h>

#include "back.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

/* ---- responses ---- */

static struct raw_rsp *rsp_for(struct be *be, const struct raw_req *req)
{
	struct raw_rsp *rsp = be_slot(be);

	rsp->req_id = req->req_id;
	rsp->cmd = req->cmd;
	rsp->u.id = req->u.id;
	return rsp;
}

static bool unknown_req_id(struct be *be, const struct raw_req *req)
{
	if (req->cmd != CMD_SOCKET)
		return false;
	rsp_for(be, req)->req_id = LIE->value ? LIE->value : req->req_id + 1000;
	be_push(be);
	return true;
}

static bool twice(struct be *be, const struct raw_req *req)
{
	if (req->cmd == CMD_DEFERRED)
		return false;
	be_honest(be, req);
	rsp_for(be, req);
	be_push(be);
	return true;
}

static bool wrong_cmd(struct be *be, const struct raw_req *req)
{
	rsp_for(be, req)->cmd = LIE->value;
	be_push(be);
	return true;
}

static bool prod_far(struct be *be, const struct raw_req *req)
{
	(void)req;
	SET(be->sring->rsp_prod, be->rsp_prod + LIE->value);
	mb();
	evt_notify(be->evt, be->port);
	return true;
}

/* The return value, of each command that a program waits for */
static bool bad_ret(struct be *be, const struct raw_req *req)
{
	if (req->cmd == CMD_RELEASE || req->cmd == CMD_DEFERRED)
		return false;
	be_answer(be, req, LIE->value);
	return true;
}

static bool bad_connect_ret(struct be *be, const struct raw_req *req)
{
	if (req->cmd != CMD_CONNECT)
		return false;
	be_answer(be, req, LIE->value);
	return true;
}

static bool wrong_socket(struct be *be, const struct raw_req *req)
{
	if (req->cmd != CMD_CONNECT)
		return false;
	be_map(be, req->u.id, req->u.connect.ref, req->u.connect.evtchn);
	rsp_for(be, req)->u.id = 0xffffffffffff0000ULL;
	be_push(be);
	return true;
}

/* Success, with nothing behind it */
static bool hollow(struct be *be, const struct raw_req *req)
{
	if (req->cmd != CMD_CONNECT && req->cmd != CMD_ACCEPT)
		return false;
	be_answer(be, req, 0);
	return true;
}

/* A response with an address, or a value, of whatever length */
static void push_nonsense(struct be *be, const struct raw_req *req)
{
	struct raw_rsp *rsp = rsp_for(be, req);

	memset(rsp->u.name.addr, 0xff, sizeof(rsp->u.name.addr));
	rsp->u.name.len = LIE->value;
	be_push(be);
}

static bool bad_name(struct be *be, const struct raw_req *req)
{
	if (req->cmd == CMD_CONNECT)
		be_map(be, req->u.id, req->u.connect.ref,
		       req->u.connect.evtchn);
	else if (req->cmd != CMD_GETNAME && req->cmd != CMD_BIND)
		return false;
	push_nonsense(be, req);
	return true;
}

/* Parts of a value that are too long, or of which there is no end */
static bool bad_value(struct be *be, const struct raw_req *req)
{
	if (req->cmd != CMD_GETSOCKOPT)
		return false;
	push_nonsense(be, req);
	return true;
}

static bool bad_value_ret(struct be *be, const struct raw_req *req)
{
	if (req->cmd != CMD_GETSOCKOPT)
		return false;
	be_answer(be, req, LIE->value);
	return true;
}

/* ---- feature-defer ---- */

static void deferred_result(struct be *be, u32 req_id, u32 cmd, s32 ret)
{
	struct raw_rsp *rsp;

	if (!be->nr_deferred)
		return;
	rsp = be_slot(be);
	rsp->req_id = be->deferred[--be->nr_deferred];
	rsp->cmd = CMD_DEFERRED;
	rsp->u.deferred.req_id = req_id;
	rsp->u.deferred.cmd = cmd;
	rsp->u.deferred.ret = ret;
	be_push(be);
}

enum { NO_SUCH, NOT_DEFERRED, OTHER_CMD, BAD_RET, TWICE, REFUSED, NEVER };

static bool deferred(struct be *be, const struct raw_req *req)
{
	u32 id = req->req_id;

	if (req->cmd == CMD_DEFERRED && LIE->value == REFUSED) {
		be_answer(be, req, -22);
		return true;
	}
	if (req->cmd != CMD_CONNECT)
		return false;
	if (LIE->value != NOT_DEFERRED)
		be_answer(be, req, -115);
	switch (LIE->value) {
	case NO_SUCH:
		deferred_result(be, id + 1000, CMD_CONNECT, 0);
		break;
	case NOT_DEFERRED:
		deferred_result(be, id, CMD_CONNECT, 0);
		break;
	case OTHER_CMD:
		deferred_result(be, id, CMD_RELEASE, 0);
		break;
	case BAD_RET:
		deferred_result(be, id, CMD_CONNECT, 0x7fffffff);
		break;
	case TWICE:
		deferred_result(be, id, CMD_CONNECT, -111);
		deferred_result(be, id, CMD_CONNECT, -111);
		break;
	}
	return true;
}

/* ---- silence ---- */

static bool silent(struct be *be, const struct raw_req *req)
{
	(void)be;
	return req->cmd == LIE->value;
}

static void silent_data(struct be *be, struct bconn *c)
{
	(void)be;
	(void)c;
}

/* ---- states ---- */

/* Half a second after a program has connected */
static bool due(struct be *be)
{
	static u64 at;

	if (!be->conns[0].used)
		return false;
	if (!at)
		at = now_ms() + 500;
	if (now_ms() < at)
		return false;
	at = ~0ULL;
	return true;
}

static void jump(struct be *be)
{
	char state[16];

	if (!due(be))
		return;
	snprintf(state, sizeof(state), "%d", (int)LIE->value);
	be_state(state);
}

static void state_gone(struct be *be)
{
	if (due(be))
		be_state(NULL);
}

static void vanish(struct be *be)
{
	if (!due(be))
		return;
	be_vanish(be);
	if (LIE->value)
		be_state("6");
}

static void storm(struct be *be)
{
	int i;

	for (i = 0; i < 200; i++) {
		evt_notify(be->evt, be->port);
		if (be->conns[0].used)
			evt_notify(be->evt, be->conns[0].port);
	}
}

/* ---- nodes ---- */

static void bad_keys(void)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{ "versions", NULL }, { "versions", "" }, { "versions", "2" },
		{ "versions", "11" }, { "versions", "abc" },
		{ "versions", "2,3,,4" }, { "function-calls", NULL },
		{ "function-calls", "0" }, { "function-calls", "x" },
		{ "max-page-order", NULL }, { "max-page-order", "0" },
		{ "max-page-order", "x" },
	};
	unsigned int i;

	for (i = 0; i < COUNT(bad); i++) {
		be_close();
		be_node("versions", "1");
		be_node("max-page-order", "4");
		be_node("function-calls", "1");
		be_node(bad[i].key, bad[i].value);
		be_state("2");
		sleep_ms(500);
		expect(front_state() != ST_INITIALISED &&
		       front_state() != ST_CONNECTED,
		       "%s=%s: the frontend came", bad[i].key,
		       bad[i].value ? bad[i].value : "(none)");
	}
}

#define PAIR(n, v, a, f, r, t, x)					\
	{ n, run_lie, 90, 0, &(const struct lie) {			\
		.victim = v, .allow = a, .features = f, .request = r,	\
		.tick = t, .value = (u32)(x) } }

#define RSP(n, v, a, r, x)	PAIR(n, v, a, 0, r, NULL, x)
#define TICK(n, v, a, t, x)	PAIR(n, v, a, 0, NULL, t, x)
#define LATER(n, a, x)		PAIR(n, "connect", a, F_DEFER, deferred, NULL, x)

#define MUTE(n, v, a, c)	RSP("silent-" n, v, a, silent, c)

const struct hcase lie_cases[] = {
	{ "honest", honest, 90, 0, NULL },
	RSP("unknown-req-id", "connect", ERR, unknown_req_id, 0),
	RSP("huge-req-id", "connect", ERR, unknown_req_id, 0xffffffff),
	RSP("response-twice", "echo 1000", OK | ERR, twice, 0),
	RSP("wrong-cmd", "connect", ERR, wrong_cmd, 2),
	RSP("unknown-cmd", "connect", ERR, wrong_cmd, 0xffffffff),
	RSP("rsp-prod-33", "connect", ERR, prod_far, 33),
	RSP("rsp-prod-far", "connect", ERR, prod_far, 0x80000000),
	RSP("rsp-prod-back", "connect", ERR, prod_far, -1),
	RSP("ret-one", "connect", ERR, bad_ret, 1),
	RSP("ret-huge", "connect", ERR, bad_ret, 0x7fffffff),
	RSP("ret-lowest", "connect", ERR, bad_ret, 0x80000000),
	RSP("ret-restart", "connect", ERR, bad_connect_ret, -512),
	RSP("ret-in-progress", "connect", ERR, bad_connect_ret, -115),
	RSP("ret-positive-listen", "listen", ERR, bad_ret, 5),
	RSP("ret-accept", "accept", ERR, bad_ret, -4096),
	RSP("wrong-socket", "echo 1000", OK | ERR, wrong_socket, 0),
	RSP("hollow-connect", "connect", OK | ERR, hollow, 0),
	RSP("hollow-accept", "accept", OK | ERR, hollow, 0),
	PAIR("name-huge", "names", OK | ERR, F_NAMES, bad_name, NULL, ~0U),
	PAIR("name-odd", "names", OK | ERR, F_NAMES, bad_name, NULL, 5),
	PAIR("name-family", "names", OK | ERR, F_NAMES, bad_name, NULL, 16),
	PAIR("value-huge", "options", OK, F_GETSOCKOPT, bad_value, NULL, ~0U),
	PAIR("value-endless", "options", OK, F_GETSOCKOPT, bad_value, NULL, 28),
	PAIR("value-empty", "options", OK, F_GETSOCKOPT, bad_value, NULL, 0),
	PAIR("value-ret", "options", OK | ERR, F_GETSOCKOPT, bad_value_ret,
	     NULL, 0x7fffffff),
	PAIR("value-refused", "options", OK, F_GETSOCKOPT, bad_value_ret, NULL,
	     -ENOTSUP_WIRE),
	LATER("deferred-no-such", ERR, NO_SUCH),
	LATER("deferred-not-deferred", ERR, NOT_DEFERRED),
	LATER("deferred-other-cmd", ERR, OTHER_CMD),
	LATER("deferred-bad-ret", ERR, BAD_RET),
	LATER("deferred-twice", ERR, TWICE),
	LATER("deferred-refused", ERR, REFUSED),
	LATER("deferred-never", KILLED, NEVER),
	MUTE("socket", "connect", OK | ERR | KILLED, CMD_SOCKET),
	MUTE("connect", "connect", KILLED, CMD_CONNECT),
	MUTE("connect-nonblocking", "nonblocking", OK, CMD_CONNECT),
	PAIR("silent-getsockopt", "options", KILLED, F_GETSOCKOPT, silent, NULL,
	     CMD_GETSOCKOPT),
	MUTE("release", "echo 1000", OK, CMD_RELEASE),
	MUTE("bind", "listen", KILLED, CMD_BIND),
	MUTE("listen", "listen", KILLED, CMD_LISTEN),
	MUTE("accept", "accept", KILLED, CMD_ACCEPT),
	MUTE("poll", "poll", OK, CMD_POLL),
	{ "silent-send", run_lie, 90, 0, &(const struct lie) {
		.victim = "send 500000", .allow = KILLED,
		.data = silent_data } },
	{ "silent-recv", run_lie, 90, 0, &(const struct lie) {
		.victim = "recv 1", .allow = KILLED, .data = silent_data } },
	{ "silent-timeout", run_lie, 90, 0, &(const struct lie) {
		.victim = "timeout", .allow = OK, .data = silent_data } },
	TICK("event-storm", "echo 50000", OK, storm, 0),
	TICK("state-1", "recv 1000000", ERR | KILLED, jump, 1),
	TICK("state-2", "recv 1000000", ERR | KILLED, jump, 2),
	TICK("state-3", "recv 1000000", ERR | KILLED, jump, 3),
	TICK("state-5", "recv 1000000", ERR, jump, 5),
	TICK("state-6", "recv 1000000", ERR, jump, 6),
	TICK("state-7", "recv 1000000", ERR | KILLED, jump, 7),
	TICK("state-99", "recv 1000000", ERR | KILLED, jump, 99),
	TICK("state-minus", "recv 1000000", ERR | KILLED, jump, -1),
	TICK("state-gone", "recv 1000000", ERR | KILLED, state_gone, 0),
	TICK("vanish", "recv 1000000", ERR | KILLED, vanish, 0),
	TICK("vanish-closed", "send 5000000", ERR, vanish, 1),
	{ "bad-keys", bad_keys, 120, 0, NULL },
};

const unsigned int lie_count = COUNT(lie_cases);
