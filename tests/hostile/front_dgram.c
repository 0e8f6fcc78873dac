// SPDX-License-Identifier: GPL-2.0
/* Lies about datagrams: feature-dgram. Dom0 sends them back from PORT_ECHO. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "dgram.h"

#define HEADER		DGRAM_HEADER
#define SIZE(len)	DGRAM_SIZE(len)
#define MOST		65507
#define MOST_CTL	128

struct fe dgram_fe;
struct record dgram_out, dgram_in;

static struct conn conn;

bool dgram_open_with(const char *feature)
{
	if (!fe_offered("feature-dgram") || (feature && !fe_offered(feature)))
		return false;
	fe_init(&dgram_fe);
	fe_reset();
	fe_node("feature-dgram", "1");
	fe_node("feature-wakeup", "1");
	if (feature)
		fe_node(feature, "1");
	fe_connect(&dgram_fe);
	return true;
}

bool dgram_open(void)
{
	return dgram_open_with(NULL);
}

s32 dgram_socket(u64 id, u32 type, u32 protocol)
{
	struct raw_req req = req_new(&dgram_fe, CMD_SOCKET, id);

	req.u.socket.domain = AF_INET;
	req.u.socket.type = type;
	req.u.socket.protocol = protocol;
	return fe_call(&dgram_fe, &req);
}

/* CONNECT without a peer */
static s32 attach(const struct conn *c)
{
	struct raw_req req = conn_request(&dgram_fe, c, peer_host, 0);

	memset(req.u.connect.addr, 0, sizeof(req.u.connect.addr));
	return fe_call(&dgram_fe, &req);
}

void dgram_attach(struct conn *c, u32 order)
{
	s32 ret;

	conn_init(&dgram_fe, c, order);
	ret = dgram_socket(c->id, SOCK_DGRAM, 0);
	expect(!ret, "socket: %d", ret);
	ret = attach(c);
	expect(!ret, "connect without a peer: %d", ret);
}

void dgram_fill(u32 len, u32 seed)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(peer_base + PORT_ECHO),
		.sin_addr.s_addr = inet_addr(peer_host),
	};
	u32 i;

	memset(&dgram_out, 0, HEADER);
	dgram_out.len = len;
	dgram_out.addr_len = sizeof(to);
	memcpy(dgram_out.addr, &to, sizeof(to));
	for (i = 0; i < len; i++)
		dgram_out.data[i] = (i + seed) * 167 >> 3;
}

void dgram_send(struct conn *c, u32 bytes)
{
	u64 end = now_ms() + 10000;
	u32 cons;

	for (;;) {
		cons = GET(c->intf->out_cons);
		if (c->size - (c->out_prod - cons) >= bytes)
			break;
		expect(now_ms() < end, "the ring stays full");
		evt_wait(dgram_fe.evt, 20);
	}
	expect(conn_send(&dgram_fe, c, &dgram_out, bytes) == bytes,
	       "room for a record");
}

bool dgram_next(struct conn *c, unsigned int ms)
{
	u64 end = now_ms() + ms;
	u32 n, rest;

	while (GET(c->intf->in_prod) == c->in_cons) {
		expect(!conn_dead(c), "the socket died: in %d, out %d",
		       GET(c->intf->in_error), GET(c->intf->out_error));
		if (now_ms() >= end)
			return false;
		evt_wait(dgram_fe.evt, 20);
	}
	n = conn_recv(&dgram_fe, c, &dgram_in, HEADER);
	expect(n == HEADER, "%u bytes of a header", n);
	expect(dgram_in.len <= MOST && dgram_in.type <= 1 &&
	       dgram_in.ctl_len <= MOST_CTL && !(dgram_in.ctl_len % 8),
	       "a record of %u and %u bytes, type %u", dgram_in.len,
	       dgram_in.ctl_len, dgram_in.type);
	rest = SIZE(dgram_in.len) - HEADER + dgram_in.ctl_len;
	n = conn_recv(&dgram_fe, c, dgram_in.data, rest);
	expect(n == rest, "half of a record: %u", n);
	return true;
}

void dgram_echo(struct conn *c, u32 len)
{
	dgram_fill(len, len);
	dgram_send(c, SIZE(len));
	expect(dgram_next(c, 10000), "no answer to %u bytes", len);
	expect(!dgram_in.type && dgram_in.len == len,
	       "type %u, %u bytes for %u", dgram_in.type, dgram_in.len, len);
	expect(!memcmp(dgram_in.data, dgram_out.data, len), "other bytes");
	expect(dgram_in.addr_len == sizeof(struct sockaddr_in) &&
	       !memcmp(dgram_in.addr, dgram_out.addr, 8),
	       "not from where it went to");
}

static void honest(void)
{
	u32 len;

	if (!dgram_open())
		return;
	dgram_attach(&conn, 6);
	for (len = 0; len < 3000; len += 13)
		dgram_echo(&conn, len);
	dgram_echo(&conn, MOST);
	conn_release(&dgram_fe, &conn);
	fe_control(&dgram_fe);
}

/* Records that make no sense end the socket, and nothing else. */
static void records(void)
{
	static const struct {
		const char *what;
		u32 len, type, bytes;
	} bad[] = {
		{ "a length beyond UDP's", 65528, 0, SIZE(100) },
		{ "a negative length", 0xffffffff, 0, SIZE(100) },
		{ "a length that wraps", 0xffffffd0, 0, SIZE(100) },
		{ "a length beyond what is there", 200, 0, SIZE(100) },
		{ "an error", 0, 1, SIZE(0) },
		{ "no known type", 0, 2, SIZE(0) },
		{ "no known type", 0, 0xffffffff, SIZE(0) },
		{ "a part of a header", 0, 0, 8 },
		{ "one byte", 0, 0, 1 },
		{ "a part of a datagram", 1000, 0, HEADER + 8 },
	};
	unsigned int i;

	if (!dgram_open())
		return;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		fe_again(&dgram_fe);
		dgram_open();
		dgram_attach(&conn, 6);
		dgram_echo(&conn, 10);
		dgram_fill(100, 0);
		dgram_out.len = bad[i].len;
		dgram_out.type = bad[i].type;
		dgram_send(&conn, bad[i].bytes);
		want_punished(&dgram_fe, &conn, bad[i].what);
		if (be_state() == ST_CONNECTED)
			conn_release(&dgram_fe, &conn);
	}
	fe_open(&dgram_fe);
	fe_control(&dgram_fe);
}

/* Where it can't be sent to: an error comes back, and the socket goes on. */
static void addresses(void)
{
	static const struct {
		const char *what;
		u32 addr_len;
		u16 family;
		const char *host;
	} bad[] = {
		{ "no peer", 0, AF_INET, "10.0.0.1" },
		{ "a short address", 1, AF_INET, "10.0.0.1" },
		{ "a long address", 29, AF_INET, "10.0.0.1" },
		{ "a very long address", 0xffffffff, AF_INET, "10.0.0.1" },
		{ "no known family", 16, 77, "10.0.0.1" },
		{ "IPv6, which is not in force", 28, AF_INET6, "10.0.0.1" },
		{ "the loopback", 16, AF_INET, "127.0.0.1" },
		{ "the unspecified address", 16, AF_INET, "0.0.0.0" },
		{ "the broadcast address", 16, AF_INET, "255.255.255.255" },
	};
	struct sockaddr_in to = { .sin_port = htons(9) };
	unsigned int i;

	if (!dgram_open())
		return;
	dgram_attach(&conn, 6);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		dgram_fill(100, 0);
		to.sin_family = bad[i].family;
		to.sin_addr.s_addr = inet_addr(bad[i].host);
		memcpy(dgram_out.addr, &to, sizeof(to));
		dgram_out.addr_len = bad[i].addr_len;
		dgram_send(&conn, SIZE(100));
		expect(dgram_next(&conn, 5000), "%s: no error", bad[i].what);
		expect(dgram_in.type == 1 && is_error(dgram_in.err),
		       "%s: type %u, %d",
		       bad[i].what, dgram_in.type, dgram_in.err);
		dgram_echo(&conn, 100);
	}
	conn_release(&dgram_fe, &conn);
	fe_control(&dgram_fe);
}

static void unasked(void)
{
	s32 ret;

	fe_open(&dgram_fe);
	ret = dgram_socket(1, SOCK_DGRAM, 0);
	expect(is_error(ret), "datagrams without the extension: %d", ret);
	if (!dgram_open())
		return;
	expect(is_error(dgram_socket(1, SOCK_RAW, 0)), "SOCK_RAW");
	expect(is_error(dgram_socket(1, SOCK_DGRAM, 6)), "TCP");
	expect(is_error(dgram_socket(1, SOCK_DGRAM, 58)), "ICMPv6");
	expect(is_error(dgram_socket(1, SOCK_DGRAM, 0x10000)), "protocol");
	fe_control(&dgram_fe);
}

/* Commands for connections, and CONNECT again and again */
static void commands(void)
{
	struct raw_req req;
	struct conn two;
	unsigned int i;

	if (!dgram_open())
		return;
	conn_init(&dgram_fe, &conn, 6);
	conn_init(&dgram_fe, &two, 6);
	expect(!dgram_socket(conn.id, SOCK_DGRAM, 0), "socket");
	expect(fe_listen(&dgram_fe, conn.id, 5) == -EOPNOTSUPP, "listen");
	req = accept_request(&dgram_fe, &two, conn.id);
	expect(is_error(fe_call(&dgram_fe, &req)), "accept");
	expect(is_error(fe_simple(&dgram_fe, CMD_POLL, conn.id)), "poll");
	/* a ring that is none; then it is as before */
	conn.intf->ring_order = 11;
	expect(is_error(attach(&conn)), "ring order");
	conn.intf->ring_order = 6;
	expect(!attach(&conn), "attach");
	dgram_echo(&conn, 100);
	/* another ring and channel are not heeded */
	req = conn_request(&dgram_fe, &two, peer_host, peer_base + PORT_ECHO);
	for (i = 0; i < 50; i++) {
		req = conn_request(&dgram_fe, &two, peer_host,
				   peer_base + PORT_ECHO);
		req.u.connect.id = conn.id;
		expect(!fe_call(&dgram_fe, &req), "connect again");
		dgram_echo(&conn, i);
	}
	expect(fe_listen(&dgram_fe, conn.id, 5) == -EOPNOTSUPP, "listen");
	conn_release(&dgram_fe, &conn);
	conn_free(&dgram_fe, &two);
	fe_control(&dgram_fe);
}

/* What does not fit into a ring is dropped, and not in the way of the rest. */
static void small(void)
{
	if (!dgram_open())
		return;
	dgram_attach(&conn, 1);
	dgram_echo(&conn, 100);
	dgram_echo(&conn, PAGE - HEADER);
	/* asks pvdgecho for bursts: one of datagrams of 6000 bytes */
	dgram_fill(16, 0);
	memcpy(dgram_out.data, (u32 []){ 0x70766467, 1, 3, 6000 }, 16);
	dgram_send(&conn, SIZE(16));
	expect(!dgram_next(&conn, 500), "one of 6000 bytes in a ring of 4096");
	dgram_echo(&conn, 100);
	/* and one of many that nobody reads for a while */
	dgram_fill(16, 0);
	memcpy(dgram_out.data, (u32 []){ 0x70766467, 1, 500, 1000 }, 16);
	dgram_send(&conn, SIZE(16));
	sleep_ms(300);
	while (dgram_next(&conn, 500))
		expect(!dgram_in.type && dgram_in.len == 1000,
		       "type %u, %u bytes", dgram_in.type, dgram_in.len);
	dgram_echo(&conn, 100);
	conn_release(&dgram_fe, &conn);
	fe_control(&dgram_fe);
}

/* Indexes that make no sense, and a release amid traffic */
static void indexes(void)
{
	unsigned int i;

	if (!dgram_open())
		return;
	dgram_attach(&conn, 6);
	dgram_echo(&conn, 10);
	SET(conn.intf->out_prod, conn.out_prod + conn.size + 8);
	want_punished(&dgram_fe, &conn, "out_prod beyond the ring");
	fe_again(&dgram_fe);
	dgram_open();
	dgram_attach(&conn, 6);
	dgram_echo(&conn, 10);
	SET(conn.intf->in_cons, conn.in_cons + 8);
	want_punished(&dgram_fe, &conn, "in_cons beyond in_prod");
	fe_again(&dgram_fe);
	dgram_open();
	for (i = 0; i < 20; i++) {
		dgram_attach(&conn, 6);
		dgram_fill(1000, i);
		dgram_send(&conn, SIZE(1000));
		dgram_send(&conn, SIZE(1000));
		conn_release(&dgram_fe, &conn);
	}
	fe_control(&dgram_fe);
}

struct control {
	const char *what;
	u16 level, type;
	u32 len;
	u32 value[6];
	u32 ctl_len;
};

/* Puts control data before what dgram_fill() has made; how long it is then */
static u32 with_control(const struct control *ctl)
{
	u32 room = ctl->ctl_len < 256 ? ctl->ctl_len : 0;

	memmove(dgram_out.data + room, dgram_out.data, dgram_out.len);
	memset(dgram_out.data, 0, room);
	memcpy(dgram_out.data, &ctl->level, room < 32 ? room : 32);
	dgram_out.ctl_len = ctl->ctl_len;
	return SIZE(dgram_out.len) + room;
}

#define V4(a, b, c, d)	((a) | (b) << 8 | (c) << 16 | (u32)(d) << 24)

/* Control data that may not be, then such that makes no record */
static void controls(void)
{
	static const struct control refused[] = {
		{ "the loopback", 0, 8, 12, { 0, V4(127, 0, 0, 1) }, 24 },
		{ "a foreign address", 0, 8, 12, { 0, V4(192, 0, 2, 1) }, 24 },
		{ "half an address", 0, 8, 8, { 0, V4(10, 0, 0, 1) }, 16 },
		{ "a TTL of 0", 0, 2, 4, { 0 }, 16 },
		{ "a mark", 1, 36, 4, { 1 }, 16 },
		{ "options of IP", 0, 7, 12, { 0 }, 24 },
		{ "a value beyond all", 0, 2, 0xffffffff, { 64 }, 16 },
		{ "a value that wraps", 0, 2, 0xfffffff8, { 64 }, 16 },
		{ "a value without end", 0, 2, 16, { 64 }, 16 },
		{ "rights to files", 1, 1, 4, { 0 }, 16 },
		{ "rights of no length", 1, 1, 0, { 0 }, 8 },
		{ "a TTL of no length", 0, 2, 0, { 0 }, 8 },
	};
	static const struct control broken[] = {
		{ "an odd length", 0, 2, 4, { 64 }, 12 },
		{ "too much of it", 0, 2, 4, { 64 }, 136 },
		{ "a length that wraps", 0, 2, 4, { 64 }, 0xfffffff8 },
	};
	static const struct control fine = { "", 0, 2, 4, { 64 }, 16 };
	unsigned int i;

	if (!dgram_open())
		return;
	dgram_attach(&conn, 6);
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		dgram_fill(100, 0);
		dgram_send(&conn, with_control(&refused[i]));
		expect(dgram_next(&conn, 5000), "%s: no error",
		       refused[i].what);
		expect(dgram_in.type == 1 && is_error(dgram_in.err),
		       "%s: type %u, %d",
		       refused[i].what, dgram_in.type, dgram_in.err);
		dgram_echo(&conn, 100);
	}
	dgram_fill(100, 0);
	dgram_send(&conn, with_control(&fine));
	expect(dgram_next(&conn, 5000) && !dgram_in.type && dgram_in.len == 100,
	       "a TTL of 64");
	conn_release(&dgram_fe, &conn);
	for (i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		fe_again(&dgram_fe);
		dgram_open();
		dgram_attach(&conn, 6);
		dgram_fill(100, 0);
		dgram_send(&conn, with_control(&broken[i]));
		want_punished(&dgram_fe, &conn, broken[i].what);
		if (be_state() == ST_CONNECTED)
			conn_release(&dgram_fe, &conn);
	}
	fe_open(&dgram_fe);
	fe_control(&dgram_fe);
}

static void to_ipv6(const char *host, u32 scope)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(peer_base + PORT_ECHO),
		.sin6_scope_id = scope,
	};

	inet_pton(AF_INET6, host, &to.sin6_addr);
	memcpy(dgram_out.addr, &to, sizeof(to));
	dgram_out.addr_len = sizeof(to);
}

static void must_refuse(const char *what, u32 scope)
{
	expect(dgram_next(&conn, 5000), "%s, %u: no error", what, scope);
	expect(dgram_in.type == 1 && is_error(dgram_in.err),
	       "%s, %u: type %u, %d", what, scope, dgram_in.type,
	       dgram_in.err);
}

static void echo_ipv6(void)
{
	dgram_fill(100, 0);
	to_ipv6("::ffff:10.0.0.1", 0);
	dgram_send(&conn, SIZE(100));
	expect(dgram_next(&conn, 10000), "no answer");
	expect(!dgram_in.type && dgram_in.len == 100 &&
	       dgram_in.addr_len == sizeof(struct sockaddr_in6) &&
	       !memcmp(dgram_in.addr + 8, dgram_out.addr + 8, 16),
	       "type %u, %u bytes, or from elsewhere", dgram_in.type,
	       dgram_in.len);
}

/* IPv6's ways to Dom0's loopback and interfaces, to send to and to send from */
static void addresses6(void)
{
	static const struct {
		const char *host;
		u32 scope;
	} bad[] = {
		{ "::1", 0 }, { "::1", 1 }, { "::", 0 },
		{ "::ffff:127.0.0.1", 0 }, { "::ffff:0.0.0.0", 0 },
		{ "fe80::1", 0 }, { "fe80::1", 2 }, { "ff02::1", 2 },
		{ "2001:db8::1", 2 },
	};
	static const char * const sources[] = {
		"::1", "::ffff:127.0.0.1", "fe80::1", "2001:db8::1",
	};
	struct control ctl = { "", 41, 50, 20, { 0 }, 32 };
	struct raw_req req;
	unsigned int i;

	if (!dgram_open_with("feature-ipv6"))
		return;
	conn_init(&dgram_fe, &conn, 6);
	req = req_new(&dgram_fe, CMD_SOCKET, conn.id);
	req.u.socket.domain = AF_INET6;
	req.u.socket.type = SOCK_DGRAM;
	expect(!fe_call(&dgram_fe, &req), "socket of IPv6");
	expect(!attach(&conn), "connect without a peer");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		dgram_fill(100, 0);
		to_ipv6(bad[i].host, bad[i].scope);
		dgram_send(&conn, SIZE(100));
		must_refuse(bad[i].host, bad[i].scope);
		echo_ipv6();
	}
	for (i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		dgram_fill(100, 0);
		to_ipv6("::ffff:10.0.0.1", 0);
		inet_pton(AF_INET6, sources[i], ctl.value);
		dgram_send(&conn, with_control(&ctl));
		must_refuse(sources[i], 0);
		echo_ipv6();
	}
	conn_release(&dgram_fe, &conn);
	fe_control(&dgram_fe);
}

const struct hcase dgram_cases[] = {
	{ "dgram-honest", honest, 60, 0, NULL },
	{ "dgram-records", records, 90, 0, NULL },
	{ "dgram-addresses", addresses, 60, 0, NULL },
	{ "dgram-controls", controls, 90, 0, NULL },
	{ "dgram-ipv6", addresses6, 60, 0, NULL },
	{ "dgram-unasked", unasked, 30, 0, NULL },
	{ "dgram-commands", commands, 60, 0, NULL },
	{ "dgram-small", small, 60, 0, NULL },
	{ "dgram-indexes", indexes, 60, 0, NULL },
};

const unsigned int dgram_count = sizeof(dgram_cases) / sizeof(*dgram_cases);
