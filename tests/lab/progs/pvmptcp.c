// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of MPTCP are captured as TCP whose peer does not speak MPTCP. What
 * options say is compared with the kernel's own MPTCP after such a fallback.
 *
 *   pvmptcp ADDRESS PORT [CHECK]...   as root in the guest; PORT is pvpeer's in
 *                                     Dom0, which also has the address fd00::1
 */
#define _GNU_SOURCE
#include "attack.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP	284
#endif
#define MPTCP_INFO	1
#define MPTCP_TCPINFO	2
#define MPTCP_ADDRS	3

#define HOST6		"fd00::1"
#define PROTO_OURS	257	/* IPPROTO_PVCALLS: MPTCP's own is 3 after it */
#define CAPTURE		"/sys/module/pvcalls_mt_front/parameters/capture"
#define ENABLED		"/proc/sys/net/mptcp/enabled"

static const int families[] = { AF_INET, AF_INET6 };

static int mptcp(int family)
{
	return RC(socket(family, SOCK_STREAM, IPPROTO_MPTCP));
}

static int protocol_of(int fd)
{
	return get_int(fd, SOL_SOCKET, SO_PROTOCOL);
}

/* Is there MPTCP at all? If not, then a captured call says the same. */
static bool have_mptcp(void)
{
	int fd, err;

	put_file(CAPTURE, "off");
	fd = mptcp(AF_INET);
	put_file(CAPTURE, "all");
	if (fd >= 0) {
		EXPECT("a native socket's protocol", IPPROTO_MPTCP,
		       protocol_of(fd));
		close(fd);
		return true;
	}
	err = fd;
	EXPECT("no MPTCP", -EPROTONOSUPPORT, err);
	EXPECT("no MPTCP, captured", err, mptcp(AF_INET));
	EXPECT("no MPTCP, captured IPv6", err, mptcp(AF_INET6));
	return false;
}

static int captured(int family)
{
	int fd = GET("socket", mptcp(family));

	EXPECT("SO_PROTOCOL", IPPROTO_TCP, protocol_of(fd));
	return fd;
}

static struct sockaddr_in6 six(const char *ip, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

	a.sin6_port = htons(port);
	TRUE(ip, inet_pton(AF_INET6, ip, &a.sin6_addr) == 1);
	return a;
}

static long connect_to(int fd, int family, const char *ip, int port)
{
	struct sockaddr_in6 a6;
	struct sockaddr_in a4;

	if (family == AF_INET) {
		a4 = at(ip, port);
		return RC(connect(fd, (void *)&a4, sizeof(a4)));
	}
	a6 = strchr(ip, ':') ? six(ip, port) : mapped(ip, port);
	return RC(connect(fd, (void *)&a6, sizeof(a6)));
}

/* ---- client ---- */

/* A connection that pvpeer holds as @key */
static int held(int family, const char *ip, const char *key)
{
	int fd = captured(family), n;
	char line[100];

	n = snprintf(line, sizeof(line), "hold %s.%s\n", order_who(), key);
	MUST("connect", 0, connect_to(fd, family, ip, peer_port()));
	MUST("the first line", n, send(fd, line, n, MSG_NOSIGNAL));
	EXPECT("SO_PROTOCOL, connected", IPPROTO_TCP, protocol_of(fd));
	return fd;
}

static void exchange(int fd, const char *key)
{
	MUST("out", 100000, put_bytes(fd, 100000, 0));
	EXPECT("out there", 100000, peer("recv %s 100000", key));
	MUST("in", 100000, peer("send %s 100000", key));
	EXPECT("in here", 100000, get_bytes(fd, 100000, 0));
	EXPECT("shutdown", 0, shutdown(fd, SHUT_WR));
	EXPECT("the end there", 0, peer("drain %s", key));
	EXPECT("close there", 0, peer("close %s", key));
	EXPECT("the end", 0, get_bytes(fd, 1, 0));
	close(fd);
}

static void case_client(void)
{
	if (have_mptcp())
		exchange(held(AF_INET, peer_ip(), "four"), "four");
}

static void case_client_v6(void)
{
	if (!have_mptcp())
		return;
	exchange(held(AF_INET6, HOST6, "six"), "six");
	exchange(held(AF_INET6, peer_ip(), "mapped"), "mapped");
}

static void case_nonblock(void)
{
	int fd;

	if (!have_mptcp())
		return;
	fd = GET("socket", socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK,
				  IPPROTO_MPTCP));
	MUST("connect", -EINPROGRESS,
	     connect_to(fd, AF_INET, peer_ip(), peer_port()));
	EXPECT("poll", POLLOUT, poll_now(fd, POLLOUT, 20000));
	EXPECT("SO_ERROR", 0, get_int(fd, SOL_SOCKET, SO_ERROR));
	MUST("connect again", 0,
	     connect_to(fd, AF_INET, peer_ip(), peer_port()));
	close(fd);
	fd = captured(AF_INET);
	EXPECT("refused", -ECONNREFUSED,
	       connect_to(fd, AF_INET, peer_ip(), 9));
	close(fd);
}

/* ---- server ---- */

static int listening(int family, int *port)
{
	struct sockaddr_in6 a = { .sin6_family = family };
	int fd = captured(family);
	socklen_t len = sizeof(a);

	MUST("bind", 0, bind(fd, (void *)&a, family == AF_INET ?
			     sizeof(struct sockaddr_in) : sizeof(a)));
	MUST("listen", 0, listen(fd, 10));
	MUST("getsockname", 0, getsockname(fd, (void *)&a, &len));
	*port = ntohs(a.sin6_port);
	return fd;
}

/* From Dom0, and from within by TCP and by MPTCP */
static void server(int family, const char *host, const char *within)
{
	int port, fd = listening(family, &port), c, d, i;

	MUST("from Dom0", 0, peer("dial s %s %d", host, port));
	EXPECT("poll", POLLIN, poll_now(fd, POLLIN, 20000));
	c = GET("accept", accept(fd, NULL, NULL));
	EXPECT("SO_PROTOCOL, accepted", IPPROTO_TCP, protocol_of(c));
	EXPECT("to it", 1000, peer("send s 1000"));
	EXPECT("from it", 1000, get_bytes(c, 1000, 0));
	EXPECT("back", 1000, put_bytes(c, 1000, 0));
	EXPECT("back there", 1000, peer("recv s 1000"));
	close(c);
	for (i = 0; i < 2; i++) {
		d = i ? captured(family) :
			GET("socket", socket(family, SOCK_STREAM, 0));
		MUST("within", 0, connect_to(d, family, within, port));
		c = GET("accept within", accept(fd, NULL, NULL));
		EXPECT("SO_PROTOCOL, within", IPPROTO_TCP, protocol_of(c));
		EXPECT("into it", 1000, put_bytes(d, 1000, 0));
		EXPECT("out of it", 1000, get_bytes(c, 1000, 0));
		close(c);
		close(d);
	}
	close(fd);
}

static void case_server(void)
{
	if (have_mptcp())
		server(AF_INET, peer_ip(), LOCAL);
}

static void case_server_v6(void)
{
	if (!have_mptcp())
		return;
	server(AF_INET6, HOST6, "::1");
	server(AF_INET6, peer_ip(), LOCAL);
}

/* What the guest keeps is TCP. */
static void case_local(void)
{
	int fd, c, port;
	struct sockaddr_in a = at(LOCAL, 0);
	socklen_t len = sizeof(a);

	if (!have_mptcp())
		return;
	fd = captured(AF_INET);
	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	MUST("listen", 0, listen(fd, 10));
	MUST("getsockname", 0, getsockname(fd, (void *)&a, &len));
	port = ntohs(a.sin_port);
	EXPECT("SO_PROTOCOL, local", IPPROTO_TCP, protocol_of(fd));
	c = captured(AF_INET);
	MUST("connect", 0, connect_to(c, AF_INET, LOCAL, port));
	EXPECT("Dom0 to it", -ECONNREFUSED,
	       peer("dial l %s %d", peer_ip(), port));
	close(c);
	close(fd);
}

/* ---- options ---- */

struct asked {
	int level, name;
	const char *what;
};

/* What SOL_MPTCP says, and options that programs set on connections */
static const struct asked asked[] = {
	{ SOL_MPTCP, MPTCP_INFO, "MPTCP_INFO" },
	{ SOL_MPTCP, MPTCP_TCPINFO, "MPTCP_TCPINFO" },
	{ SOL_MPTCP, MPTCP_ADDRS, "MPTCP_SUBFLOW_ADDRS" },
	{ SOL_MPTCP, 77, "no option of MPTCP" },
	{ SOL_TCP, TCP_NODELAY, "TCP_NODELAY" },
	{ SOL_TCP, TCP_KEEPCNT, "TCP_KEEPCNT" },
	{ SOL_TCP, TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT" },
	{ SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE" },
};

#define ASKED	ARRAY_SIZE(asked)

struct answers {
	long set[ASKED], get[ASKED], state;
};

static void answers_of(int fd, struct answers *a)
{
	struct tcp_info info = {};
	socklen_t len;
	char buf[200];
	size_t i;

	for (i = 0; i < ASKED; i++) {
		a->set[i] = set_int(fd, asked[i].level, asked[i].name, 1);
		memset(buf, 0, sizeof(buf));
		len = sizeof(buf);
		a->get[i] = RC(getsockopt(fd, asked[i].level, asked[i].name,
					  buf, &len));
		if (!a->get[i])
			a->get[i] = len * 256 + buf[0];
	}
	len = sizeof(info);
	a->state = RC(getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len)) ?:
		   info.tcpi_state;
}

static void compare(const struct answers *want, const struct answers *have)
{
	char what[80];
	size_t i;

	for (i = 0; i < ASKED; i++) {
		snprintf(what, sizeof(what), "setsockopt %s", asked[i].what);
		EXPECT(what, want->set[i], have->set[i]);
		snprintf(what, sizeof(what), "getsockopt %s", asked[i].what);
		EXPECT(what, want->get[i], have->get[i]);
	}
	EXPECT("state", want->state, have->state);
}

/* The kernel's own MPTCP, whose peer speaks TCP */
static void native(int family, struct answers *a)
{
	int port = 0, l, fd;

	put_file(CAPTURE, "off");
	l = listen_any(AF_INET6, 0, &port);
	fd = GET("native socket", mptcp(family));
	put_file(CAPTURE, "all");
	EXPECT("a native socket's protocol", IPPROTO_MPTCP, protocol_of(fd));
	MUST("native connect", 0,
	     connect_to(fd, family, family == AF_INET ? LOCAL : "::1", port));
	answers_of(fd, a);
	close(fd);
	close(l);
}

static void case_options(void)
{
	struct answers want, have;
	size_t i;
	int fd;

	if (!have_mptcp())
		return;
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		native(families[i], &want);
		EXPECT("native MPTCP_INFO", families[i] == AF_INET ?
		       -EOPNOTSUPP : -ENOPROTOOPT, want.get[0]);
		fd = held(families[i], families[i] == AF_INET ? peer_ip() :
			  HOST6, i ? "six" : "four");
		answers_of(fd, &have);
		compare(&want, &have);
		close(fd);
		fd = captured(families[i]);
		EXPECT("MPTCP_INFO, unconnected", want.get[0],
		       get_int(fd, SOL_MPTCP, MPTCP_INFO));
		close(fd);
	}
}

/* ---- who may ---- */

static void case_disabled(void)
{
	size_t i;
	int want;

	if (!have_mptcp())
		return;
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		put_file(ENABLED, "0");
		put_file(CAPTURE, "off");
		want = mptcp(families[i]);
		put_file(CAPTURE, "all");
		EXPECT("native", -ENOPROTOOPT, want);
		EXPECT("captured", want, mptcp(families[i]));
		put_file(ENABLED, "1");
		close(captured(families[i]));
	}
}

static void case_scope(void)
{
	int fd;

	if (!have_mptcp())
		return;
	/* a type that MPTCP does not have */
	EXPECT("datagrams", -EPROTONOSUPPORT,
	       RC(socket(AF_INET, SOCK_DGRAM, IPPROTO_MPTCP)));
	put_file(CAPTURE, "off");
	fd = GET("socket", mptcp(AF_INET));
	EXPECT("SO_PROTOCOL, off", IPPROTO_MPTCP, protocol_of(fd));
	close(fd);
	put_file(CAPTURE, "all");
	MUST("unshare", 0, unshare(CLONE_NEWNET));
	fd = GET("socket", mptcp(AF_INET));
	EXPECT("SO_PROTOCOL, elsewhere", IPPROTO_MPTCP, protocol_of(fd));
	EXPECT("connect", -ENETUNREACH,
	       connect_to(fd, AF_INET, peer_ip(), peer_port()));
	close(fd);
	EXPECT("our number", -EPROTONOSUPPORT,
	       RC(socket(AF_INET, SOCK_STREAM, PROTO_OURS + 3)));
	EXPECT("our number, IPv6", -EPROTONOSUPPORT,
	       RC(socket(AF_INET6, SOCK_STREAM, PROTO_OURS + 3)));
}

/* Nothing stays of sockets that were made and of those that could not be. */
static void case_many(void)
{
	long before = refs();
	int i, fd;

	if (!have_mptcp())
		return;
	for (i = 0; i < 300; i++) {
		if (i % 100 == 50)
			put_file(ENABLED, "0");
		if (i % 100 == 75)
			put_file(ENABLED, "1");
		fd = mptcp(families[i % 2]);
		EXPECT("socket", i % 100 / 25 == 2, fd == -ENOPROTOOPT);
		if (fd >= 0)
			close(fd);
	}
	refs_back(before);
}

static const struct check checks[] = {
	{ "client", case_client },
	{ "client_v6", case_client_v6 },
	{ "nonblock", case_nonblock },
	{ "server", case_server },
	{ "server_v6", case_server_v6 },
	{ "local", case_local },
	{ "options", case_options },
	{ "disabled", case_disabled },
	{ "scope", case_scope },
	{ "many", case_many },
};

int main(int argc, char **argv)
{
	return checks_main(argc, argv,
			   "Sockets of MPTCP are captured as TCP.",
			   checks, ARRAY_SIZE(checks));
}
