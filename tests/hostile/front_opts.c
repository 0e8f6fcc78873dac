// SPDX-License-Identifier: GPL-2.0
/* Lies about socket options: feature-sockopt and feature-getsockopt. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "front.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))
#define PART		28
#define OPT_IP_MTU	14

static struct fe fe;
static struct conn conn;
static struct raw_rsp answer;

/* False if the backend has no such extensions */
static bool opts_open(void)
{
	if (!fe_offered("feature-sockopt") || !fe_offered("feature-getsockopt"))
		return false;
	fe_init(&fe);
	fe_reset();
	fe_node("feature-names", "1");
	fe_node("feature-sockopt", "1");
	fe_node("feature-getsockopt", "1");
	fe_connect(&fe);
	conn_must_open(&fe, &conn, 2, PORT_ECHO);
	return true;
}

static void opts_end(void)
{
	conn_echo(&fe, &conn, 3000);
	conn_release(&fe, &conn);
	fe_control(&fe);
}

static s32 set(u64 id, u32 count, u16 level, u16 name, s32 value)
{
	struct raw_req req = req_new(&fe, CMD_SETSOCKOPT, id);
	unsigned int i;

	req.u.setsockopt.count = count;
	for (i = 0; i < COUNT(req.u.setsockopt.opt); i++)
		req.u.setsockopt.opt[i] = (struct raw_opt){
			level, name, value
		};
	return fe_call(&fe, &req);
}

/* Bytes that came, or an error */
static int get(u64 id, u16 level, u16 name, u32 offset)
{
	struct raw_req req = req_new(&fe, CMD_GETSOCKOPT, id);

	req.u.getsockopt.level = level;
	req.u.getsockopt.name = name;
	req.u.getsockopt.offset = offset;
	fe_push(&fe, &req);
	answer = fe_wait(&fe, req.req_id, CMD_GETSOCKOPT);
	if (answer.ret)
		return answer.ret;
	expect(answer.u.name.len <= PART, "%u bytes", answer.u.name.len);
	return answer.u.name.len;
}

static void counts(void)
{
	static const u32 bad[] = { 0, 6, 7, 0x7fffffff, 0xffffffff };
	unsigned int i;

	if (!opts_open())
		return;
	for (i = 0; i < COUNT(bad); i++)
		expect(is_error(set(conn.id, bad[i], SOL_SOCKET, SO_KEEPALIVE,
				    1)), "%u options", bad[i]);
	expect(is_error(set(conn.id + 1, 1, SOL_SOCKET, SO_KEEPALIVE, 1)),
	       "no such socket");
	expect(!set(conn.id, 5, SOL_SOCKET, SO_KEEPALIVE, 1), "keepalive");
	opts_end();
}

/*
 * All numbers, of all levels that there are. None of them may do harm to the
 * connection or to anybody else's; those that a guest may not set do nothing.
 */
static void every_option(void)
{
	static const u16 levels[] = { 1, 0, 6, 17, 41, 58, 255, 263, 0xffff };
	static const s32 values[] = { 0, 1, -1, 0x7fffffff };
	unsigned int i, j;
	u32 name;

	if (!opts_open())
		return;
	for (i = 0; i < COUNT(levels); i++)
		for (name = 0; name < 128; name++)
			for (j = 0; j < COUNT(values); j++)
				set(conn.id, 1, levels[i], name, values[j]);
	expect(!set(conn.id, 1, IPPROTO_TCP, TCP_CORK, 0), "uncork");
	opts_end();
}

/* TCP_CONGESTION: @count options of four bytes each */
static s32 set_name(const char name[20], u32 count)
{
	struct raw_req req = req_new(&fe, CMD_SETSOCKOPT, conn.id);
	unsigned int i;

	req.u.setsockopt.count = count;
	for (i = 0; i < count; i++) {
		req.u.setsockopt.opt[i].level = IPPROTO_TCP;
		req.u.setsockopt.opt[i].name = TCP_CONGESTION;
		memcpy(&req.u.setsockopt.opt[i].value, name + 4 * i, 4);
	}
	return fe_call(&fe, &req);
}

static void congestion(void)
{
	if (!opts_open())
		return;
	expect(!set_name("reno", 1), "reno");
	expect(!set_name("cubic\0\0", 2), "cubic");
	expect(!set_name("reno\0\0\0\0\0\0\0\0\0\0\0", 4), "reno and zeros");
	/* not one that would make this domain load a module */
	expect(set_name("bbr", 1) == -EPERM, "not one for guests");
	expect(set_name("none-such\0\0", 3) == -EPERM, "no such");
	expect(set_name("\0\0\0", 1) == -EPERM, "no name");
	expect(set_name(",\0\0", 1) == -EPERM, "no name but a comma");
	expect(set_name("reno,cubic\0", 3) == -EPERM, "two names");
	expect(set_name("renorenorenoreno", 4) == -EPERM, "a name without end");
	/* the fifth is another name */
	expect(set_name("renorenorenorenoreno", 5) == -EPERM, "a long name");
	expect(set_name("re\0", 1) == -EPERM, "half a name");
	opts_end();
}

static void reading(void)
{
	static const u16 levels[] = { 1, 0, 6, 17, 41, 255, 0xffff };
	static const u32 offsets[] = {
		1, PART, 100, 4096, 0x7fffffff, 0x80000000, 0xffffffff
	};
	unsigned int i, told = 0;
	u32 name, whole;
	int n;

	if (!opts_open())
		return;
	for (whole = 0; (n = get(conn.id, 6, TCP_INFO, whole)) > 0; whole += n)
		expect(whole < 1024, "TCP_INFO has no end");
	expect(!n && whole >= 104, "TCP_INFO: %u bytes, then %d", whole, n);
	for (i = 0; i < COUNT(offsets); i++) {
		u32 at = offsets[i];
		int want = at >= whole ? 0 :
			   whole - at < PART ? (int)(whole - at) : PART;

		n = get(conn.id, 6, TCP_INFO, at);
		expect(n == want, "%d bytes at %u, not %d", n, at, want);
	}
	for (i = 0; i < COUNT(levels); i++)
		for (name = 0; name < 256; name++)
			told += get(conn.id, levels[i], name, 0) >= 0;
	/* and that is a number */
	expect(told == 3, "%u options are told", told);
	expect(get(conn.id, 0, OPT_IP_MTU, 0) == 4, "IP_MTU");
	expect(get(conn.id, 0, OPT_IP_MTU, 3) == 1, "its last byte");
	expect(is_error(get(conn.id + 1, 6, TCP_INFO, 0)), "no such socket");
	/* one that has no route, and one that is no connection */
	expect(!fe_socket(&fe, 90), "socket");
	expect(is_error(get(90, 0, OPT_IP_MTU, 0)), "IP_MTU without a peer");
	expect(get(90, 6, TCP_INFO, 0) == PART, "TCP_INFO without a peer");
	expect(!fe_simple(&fe, CMD_RELEASE, 90), "release");
	opts_end();
}

const struct hcase opts_cases[] = {
	{ "option-counts", counts, 30, 0, NULL },
	{ "option-numbers", every_option, 60, 0, NULL },
	{ "option-congestion", congestion, 30, 0, NULL },
	{ "option-values", reading, 60, 0, NULL },
};

const unsigned int opts_count = COUNT(opts_cases);
