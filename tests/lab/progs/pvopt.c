// SPDX-License-Identifier: GPL-2.0
/*
 * Options, families and names of sockets are as those of Linux's own TCP:
 * programs give up when an option that has always worked does not.
 */
#define _GNU_SOURCE
#include "sem.h"

struct option {
	const char *what;
	int level, name, value, back;
};

/* Set, then get; back may differ from what was set */
static const struct option options[] = {
	{ "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1, 1 },
	{ "SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1, 1 },
	{ "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1, 1 },
	{ "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 0, 0 },
	{ "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1, 1 },
	{ "SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 3, 3 },
	{ "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 7, 7 },
	{ "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 1, 1 },
	{ "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 50000, 100000 },
	{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 60000, 120000 },
	{ "SO_TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP, 1, 1 },
	{ "SO_TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP, 0, 0 },
	{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1, 1 },
	{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 0, 0 },
	{ "TCP_CORK", IPPROTO_TCP, TCP_CORK, 1, 1 },
	{ "TCP_CORK", IPPROTO_TCP, TCP_CORK, 0, 0 },
	{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 77, 77 },
	{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 33, 33 },
	{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 5, 5 },
	{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 9000, 9000 },
	{ "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, 10, 10 },
	{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 4, 4 },
	{ "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 9999, 9999 },
	{ "IP_TOS", IPPROTO_IP, IP_TOS, 16, 16 },
	{ "IP_TTL", IPPROTO_IP, IP_TTL, 60, 60 },
	{ "IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, 1, 1 },
	{ "IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, 1, 1 },
	{ "IP_RECVERR", IPPROTO_IP, IP_RECVERR, 0, 0 },
	{ "IP_BIND_ADDRESS_NO_PORT", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, 1 },
};

static void set_and_get(int fd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];

		EXPECT(o->what, 0, set_int(fd, o->level, o->name, o->value));
		EXPECT(o->what, o->back, get_int(fd, o->level, o->name));
	}
}

static void facts(int fd, int family, int listening)
{
	EXPECT("SO_ERROR", 0, get_int(fd, SOL_SOCKET, SO_ERROR));
	EXPECT("SO_TYPE", SOCK_STREAM, get_int(fd, SOL_SOCKET, SO_TYPE));
	EXPECT("SO_DOMAIN", family, get_int(fd, SOL_SOCKET, SO_DOMAIN));
	EXPECT("SO_PROTOCOL", IPPROTO_TCP, get_int(fd, SOL_SOCKET,
						   SO_PROTOCOL));
	EXPECT("SO_ACCEPTCONN", listening, get_int(fd, SOL_SOCKET,
						   SO_ACCEPTCONN));
}

static void case_set_new(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	facts(fd, AF_INET, 0);
	set_and_get(fd);
	EXPECT("connect with all of them", 0,
	       connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	EXPECT("first line", 5, send(fd, "echo\n", 5, 0));
	EXPECT("send", 100, put_bytes(fd, 100, 0));
	EXPECT("echo", 100, get_bytes(fd, 100, 0));
	EXPECT("TCP_NODELAY stays", 0, get_int(fd, IPPROTO_TCP, TCP_NODELAY));
	EXPECT("TCP_KEEPCNT stays", 5, get_int(fd, IPPROTO_TCP, TCP_KEEPCNT));
}

static void case_set_connected(void)
{
	int fd = peer_connect("echo\n");

	facts(fd, AF_INET, 0);
	set_and_get(fd);
	EXPECT("TCP_QUICKACK", 0, set_int(fd, IPPROTO_TCP, TCP_QUICKACK, 1));
	EXPECT("send", 100, put_bytes(fd, 100, 0));
	EXPECT("echo", 100, get_bytes(fd, 100, 0));
}

static void case_set_listening(void)
{
	int port = 0, l = listen_any(AF_INET, 0, &port), fd;

	facts(l, AF_INET, 1);
	EXPECT("TCP_NODELAY", 0, set_int(l, IPPROTO_TCP, TCP_NODELAY, 1));
	EXPECT("SO_KEEPALIVE", 0, set_int(l, SOL_SOCKET, SO_KEEPALIVE, 1));
	EXPECT("SO_RCVTIMEO", 0, set_time(l, SO_RCVTIMEO, 7000));
	MUST("dial", 0, peer("dial inherit %s %d", peer_ip(), port));
	fd = GET("accept", accept(l, NULL, NULL));
	facts(fd, AF_INET, 0);
	EXPECT("TCP_NODELAY is inherited", 1,
	       get_int(fd, IPPROTO_TCP, TCP_NODELAY));
	EXPECT("SO_KEEPALIVE is inherited", 1,
	       get_int(fd, SOL_SOCKET, SO_KEEPALIVE));
	set_and_get(fd);
	EXPECT("TCP_DEFER_ACCEPT", 0,
	       set_int(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1));
	TRUE("TCP_DEFER_ACCEPT", get_int(l, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
}

static void case_unknown(void)
{
	int fd = peer_connect("echo\n"), value = 0;
	socklen_t len = sizeof(value);

	EXPECT("SOL_SOCKET 999", -ENOPROTOOPT, set_int(fd, SOL_SOCKET, 999, 1));
	EXPECT("SOL_SOCKET 999", -ENOPROTOOPT, get_int(fd, SOL_SOCKET, 999));
	EXPECT("IPPROTO_TCP 999", -ENOPROTOOPT,
	       set_int(fd, IPPROTO_TCP, 999, 1));
	EXPECT("IPPROTO_TCP 999", -ENOPROTOOPT, get_int(fd, IPPROTO_TCP, 999));
	EXPECT("IPPROTO_IP 999", -ENOPROTOOPT, set_int(fd, IPPROTO_IP, 999, 1));
	EXPECT("level 99", -ENOPROTOOPT, set_int(fd, 99, 1, 1));
	EXPECT("too short", -EINVAL, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY,
						&value, 1));
	EXPECT("too short", -EINVAL, setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE,
						&value, 1));
	EXPECT("out of range", -EINVAL, set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE,
						0));
	EXPECT("out of range", -EINVAL, set_int(fd, IPPROTO_IP, IP_TTL, 300));
	EXPECT("set SO_TYPE", -ENOPROTOOPT,
	       set_int(fd, SOL_SOCKET, SO_TYPE, 1));
	len = 1;
	EXPECT("a byte of it", 0, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY,
					     &value, &len));
	EXPECT("a byte of it", 1, len);
}

static void case_info(void)
{
	int fd = peer_connect("echo\n");
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	char name[20];

	EXPECT("TCP_INFO", 0, getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info,
					 &len));
	EXPECT("its state is TCP_ESTABLISHED", 1, info.tcpi_state);
	TRUE("TCP_MAXSEG", get_int(fd, IPPROTO_TCP, TCP_MAXSEG) > 0);
	len = sizeof(name);
	EXPECT("TCP_CONGESTION", 0, getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION,
					       name, &len));
	EXPECT("set TCP_CONGESTION", 0,
	       setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
}

static void name_is(const char *what, int family, const void *sa, int port)
{
	const struct sockaddr_in6 *a6 = sa;
	const struct sockaddr_in *a4 = sa;
	const unsigned char *ip;

	EXPECT(what, family, a4->sin_family);
	EXPECT(what, port, ntohs(a4->sin_port));
	if (family == AF_INET) {
		ip = (void *)&a4->sin_addr;
	} else {
		TRUE(what, IN6_IS_ADDR_V4MAPPED(&a6->sin6_addr));
		ip = a6->sin6_addr.s6_addr + 12;
	}
	EXPECT(what, 0, memcmp(ip, &sem_addr.sin_addr, 4));
}

static void case_names(void)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = peer_hold("names"), port;

	EXPECT("getpeername", 0, getpeername(fd, (void *)&ss, &len));
	EXPECT("its length", sizeof(struct sockaddr_in), len);
	name_is("peer", AF_INET, &ss, ntohs(sem_addr.sin_port));
	len = 4;
	EXPECT("getpeername with little room", 0,
	       getpeername(fd, (void *)&ss, &len));
	EXPECT("its real length", sizeof(struct sockaddr_in), len);
	len = sizeof(ss);
	EXPECT("getsockname", 0, getsockname(fd, (void *)&ss, &len));
	EXPECT("its length", sizeof(struct sockaddr_in), len);
	port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	EXPECT("the port that the peer sees", port, peer("port names"));
	EXPECT("the connection's address is known", 1,
	       ((struct sockaddr_in *)&ss)->sin_addr.s_addr != 0);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	len = sizeof(ss);
	EXPECT("a new socket's name", 0, getsockname(fd, (void *)&ss, &len));
	EXPECT("no port yet", 0, ((struct sockaddr_in *)&ss)->sin_port);
}

static void case_bind_connect(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), port;
	socklen_t len = sizeof(a);
	char line[80];

	EXPECT("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	EXPECT("getsockname", 0, getsockname(fd, (void *)&a, &len));
	port = ntohs(a.sin_port);
	TRUE("a port", port);
	EXPECT("bind twice", -EINVAL, bind(fd, (void *)&a, sizeof(a)));
	EXPECT("connect", 0, connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	snprintf(line, sizeof(line), "hold %s.bound\n", order_who());
	EXPECT("first line", strlen(line), send(fd, line, strlen(line), 0));
	EXPECT("the port that the peer sees", port, peer("port bound"));
}

static int mapped(struct sockaddr_in6 *a, int port)
{
	memset(a, 0, sizeof(*a));
	a->sin6_family = AF_INET6;
	a->sin6_port = htons(port);
	a->sin6_addr.s6_addr[10] = 0xff;
	a->sin6_addr.s6_addr[11] = 0xff;
	memcpy(a->sin6_addr.s6_addr + 12, &sem_addr.sin_addr, 4);
	return sizeof(*a);
}

static void case_v4_mapped(void)
{
	int fd = GET("socket", socket(AF_INET6, SOCK_STREAM, 0));
	struct sockaddr_in6 a;
	socklen_t len = mapped(&a, ntohs(sem_addr.sin_port));

	facts(fd, AF_INET6, 0);
	EXPECT("IPV6_V6ONLY", 0, get_int(fd, IPPROTO_IPV6, IPV6_V6ONLY));
	MUST("connect", 0, connect(fd, (void *)&a, len));
	EXPECT("send", 5, send(fd, "echo\n", 5, 0));
	EXPECT("send", 100000, put_bytes(fd, 100000, 0));
	EXPECT("echo", 100000, get_bytes(fd, 100000, 0));
	EXPECT("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("its length", sizeof(a), len);
	name_is("peer", AF_INET6, &a, ntohs(sem_addr.sin_port));
	EXPECT("getsockname", 0, getsockname(fd, (void *)&a, &len));
	TRUE("mapped", IN6_IS_ADDR_V4MAPPED(&a.sin6_addr));

	fd = GET("socket", socket(AF_INET6, SOCK_STREAM, 0));
	EXPECT("IPV6_V6ONLY", 0, set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	mapped(&a, ntohs(sem_addr.sin_port));
	EXPECT("IPv6 only", -ENETUNREACH, connect(fd, (void *)&a, sizeof(a)));
}

static void case_dual_stack(void)
{
	int port = 0, l = listen_any(AF_INET6, 0, &port), fd;
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);

	facts(l, AF_INET6, 1);
	MUST("dial over IPv4", 0, peer("dial dual %s %d", peer_ip(), port));
	port = sem_extra;
	fd = GET("accept", accept(l, (void *)&a, &len));
	EXPECT("its length", sizeof(a), len);
	name_is("accept", AF_INET6, &a, port);
	memset(&a, 0, sizeof(a));
	EXPECT("getpeername", 0, getpeername(fd, (void *)&a, &len));
	name_is("getpeername", AF_INET6, &a, port);
	facts(fd, AF_INET6, 0);
	MUST("send", 1000, peer("send dual 1000"));
	EXPECT("read", 1000, get_bytes(fd, 1000, 0));
}

static void case_v6_only(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	int l = GET("socket", socket(AF_INET6, SOCK_STREAM, 0)), four;
	socklen_t len = sizeof(a);
	int port;

	EXPECT("IPV6_V6ONLY", 0, set_int(l, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	MUST("bind", 0, bind(l, (void *)&a, sizeof(a)));
	MUST("listen", 0, listen(l, 5));
	MUST("getsockname", 0, getsockname(l, (void *)&a, &len));
	port = ntohs(a.sin6_port);
	EXPECT("no IPv4 there", -ECONNREFUSED,
	       peer("dial only6 %s %d", peer_ip(), port));
	four = listen_any(AF_INET, 0, &port);
	EXPECT("IPv4 has its own", 0, peer("dial only4 %s %d", peer_ip(),
					   port));
	EXPECT("the port", ntohs(a.sin6_port), port);
	TRUE("accept", GET("accept", accept(four, NULL, NULL)) > 0);
}

static const struct check checks[] = {
	{ "set_new", case_set_new },
	{ "set_connected", case_set_connected },
	{ "set_listening", case_set_listening },
	{ "unknown", case_unknown },
	{ "info", case_info },
	{ "names", case_names },
	{ "bind_connect", case_bind_connect },
	{ "v4_mapped", case_v4_mapped },
	{ "dual_stack", case_dual_stack },
	{ "v6_only", case_v6_only },
};

int main(int argc, char **argv)
{
	return checks_main(argc, argv, "Options, families and names.", checks,
			   ARRAY_SIZE(checks));
}
