// SPDX-License-Identifier: GPL-2.0
/* AF_INET6, and IPv4 through it */
#define _GNU_SOURCE
#include "conform.h"

static int sock6(void)
{
	return socket(AF_INET6, SOCK_STREAM, 0);
}

static struct sockaddr_in6 mapped(const struct sockaddr_in *from)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

	a.sin6_port = from->sin_port;
	memset(a.sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(a.sin6_addr.s6_addr + 12, &from->sin_addr, 4);
	return a;
}

static long bind_any6(int fd, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

	a.sin6_port = htons(port);
	return bind(fd, (void *)&a, sizeof(a));
}

static long bind_any4(int fd, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_port = htons(port);
	return bind(fd, (void *)&a, sizeof(a));
}

static void plain(void)
{
	int fd = sock6();

	peer_ip6();
	show_name("getsockname new", fd, false);
	R("connect", connect(fd, (void *)&world.v6, sizeof(world.v6)));
	show_name("getsockname", fd, false);
	show_name("getpeername", fd, true);
	peer_hold(fd, "c");
	R("send", send_bytes(fd, 1000, 0));
	R("peer", peer("drop c 1000"));
	peer("send c 1000");
	R("recv", recv_bytes(fd, 1000, 0));
	R("getsockopt IPV6_V6ONLY", get_int(fd, IPPROTO_IPV6, IPV6_V6ONLY));
	R("getsockopt SO_DOMAIN", get_int(fd, SOL_SOCKET, SO_DOMAIN));
	peer("rst c");
	show_poll("poll", fd, POLLERR);
	R("close", close(fd));
}

static void refused(void)
{
	struct sockaddr_in6 a = world.v6;
	int fd = sock6();

	a.sin6_port = htons(peer("listen gone %s 0", peer_ip6()));
	peer("close gone");
	R("connect", connect(fd, (void *)&a, sizeof(a)));
	R("connect again", connect(fd, (void *)&world.v6, sizeof(world.v6)));
	inet_pton(AF_INET6, "2001:db8::1", &a.sin6_addr);
	fd = sock6();
	R("connect nowhere", connect(fd, (void *)&a, sizeof(a)));
	inet_pton(AF_INET6, "ff02::1", &a.sin6_addr);
	R("connect multicast", connect(fd, (void *)&a, sizeof(a)));
	inet_pton(AF_INET6, "fe80::1", &a.sin6_addr);
	R("connect link-local without scope", connect(fd, (void *)&a,
						      sizeof(a)));
	a.sin6_scope_id = 9999;
	R("connect link-local bad scope", connect(fd, (void *)&a, sizeof(a)));
}

static void to_mapped(void)
{
	struct sockaddr_in6 a = mapped(&world.v4);
	int fd = sock6();

	R("connect", connect(fd, (void *)&a, sizeof(a)));
	show_name("getsockname", fd, false);
	show_name("getpeername", fd, true);
	peer_hold(fd, "c");
	R("send", send_bytes(fd, 1000, 0));
	R("peer", peer("drop c 1000"));
	R("getsockopt IP_TTL", get_int(fd, IPPROTO_IP, IP_TTL));
	R("getsockopt IPV6_UNICAST_HOPS", get_int(fd, IPPROTO_IPV6,
						  IPV6_UNICAST_HOPS));
	R("setsockopt IP_TOS", set_int(fd, IPPROTO_IP, IP_TOS, 8));
	R("setsockopt IPV6_V6ONLY", set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	R("setsockopt IPV6_ADDRFORM", set_int(fd, IPPROTO_IPV6, IPV6_ADDRFORM,
					      AF_INET));
	show_name("getpeername as IPv4", fd, true);
	R("getsockopt SO_DOMAIN", get_int(fd, SOL_SOCKET, SO_DOMAIN));
	fd = sock6();
	R("setsockopt IPV6_V6ONLY", set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	R("connect IPv6 only", connect(fd, (void *)&a, sizeof(a)));
	R("bind IPv6 only", bind(fd, (void *)&a, sizeof(a)));
	fd = sock6();
	R("connect AF_INET address", conn4(fd));
}

static void dual(void)
{
	int l = sock6(), fd;
	struct sockaddr_in6 a = {};
	socklen_t len = sizeof(a);

	peer_ip6();
	R("bind", bind_any6(l, 0));
	R("listen", listen(l, 5));
	show_name("getsockname", l, false);
	getsockname(l, (void *)&a, &len);
	R("peer over IPv4", peer("dial d %s %d", peer_ip(),
				 ntohs(a.sin6_port)));
	R("peer over IPv6", peer("dial e %s %d", peer_ip6(),
				 ntohs(a.sin6_port)));
	fd = accept(l, NULL, NULL);
	show_name("getpeername IPv4", fd, true);
	show_name("getsockname IPv4", fd, false);
	R("getsockopt SO_DOMAIN", get_int(fd, SOL_SOCKET, SO_DOMAIN));
	R("getsockopt IPV6_V6ONLY", get_int(fd, IPPROTO_IPV6, IPV6_V6ONLY));
	peer("send d 10");
	R("recv", recv_bytes(fd, 10, 0));
	fd = accept(l, NULL, NULL);
	show_name("getpeername IPv6", fd, true);
	show_name("getsockname IPv6", fd, false);
	peer("send e 10");
	R("recv", recv_bytes(fd, 10, 0));
}

/* A port that nobody has, of neither family */
static int free_port(void)
{
	int fd = sock6(), port;
	struct sockaddr_in6 a = {};
	socklen_t len = sizeof(a);

	bind_any6(fd, 0);
	getsockname(fd, (void *)&a, &len);
	port = ntohs(a.sin6_port);
	close(fd);
	return port;
}

static void only(void)
{
	int l = sock6(), fd, port = free_port();

	peer_ip6();
	R("setsockopt IPV6_V6ONLY", set_int(l, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	R("bind", bind_any6(l, port));
	R("setsockopt IPV6_V6ONLY bound", set_int(l, IPPROTO_IPV6, IPV6_V6ONLY,
						  0));
	R("listen", listen(l, 5));
	R("peer over IPv4", peer("dial d %s %d", peer_ip(), port));
	R("peer over IPv6", peer("dial e %s %d", peer_ip6(), port));
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
	fd = sock4();
	R("bind IPv4 to the port", bind_any4(fd, port));
	R("listen", listen(fd, 5));
	R("peer over IPv4", peer("dial f %s %d", peer_ip(), port));
	fd = accept(fd, NULL, NULL);
	show_name("getpeername", fd, true);
}

static void conflicts(void)
{
	int l = sock6(), fd = sock4(), port;
	struct sockaddr_in6 a = {};
	socklen_t len = sizeof(a);

	R("bind", bind_any6(l, 0));
	getsockname(l, (void *)&a, &len);
	port = ntohs(a.sin6_port);
	R("bind IPv4 to the port", bind_any4(fd, port));
	R("listen", listen(l, 1));
	R("bind IPv4 to the port", bind_any4(fd, port));
	close(l);
	R("bind IPv4 when closed", bind_any4(fd, port));
	R("listen", listen(fd, 1));
	l = sock6();
	R("bind IPv6 to the port", bind_any6(l, port));
	set_int(l, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	R("bind IPv6 only to the port", bind_any6(l, port));
}

static void bound_mapped(void)
{
	struct sockaddr_in host = world.v4;
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);
	int l = sock6(), fd;

	host.sin_port = 0;
	a = mapped(&host);
	R("bind", bind(l, (void *)&a, sizeof(a)));
	show_name("getsockname", l, false);
	R("listen", listen(l, 5));
	getsockname(l, (void *)&a, &len);
	R("peer", peer("dial d %s %d", peer_ip(), ntohs(a.sin6_port)));
	fd = accept(l, NULL, NULL);
	show_name("getpeername", fd, true);
	show_name("getsockname", fd, false);
}

static void bound_host(void)
{
	struct sockaddr_in6 a = world.v6;
	socklen_t len = sizeof(a);
	int l = sock6(), fd;

	peer_ip6();
	a.sin6_port = 0;
	R("bind", bind(l, (void *)&a, sizeof(a)));
	show_name("getsockname", l, false);
	R("listen", listen(l, 5));
	getsockname(l, (void *)&a, &len);
	R("peer", peer("dial d %s %d", peer_ip6(), ntohs(a.sin6_port)));
	fd = accept(l, NULL, NULL);
	show_name("getpeername", fd, true);
	fd = sock6();
	inet_pton(AF_INET6, "2001:db8::1", &a.sin6_addr);
	R("bind elsewhere", bind(fd, (void *)&a, sizeof(a)));
	inet_pton(AF_INET6, "ff02::1", &a.sin6_addr);
	R("bind multicast", bind(fd, (void *)&a, sizeof(a)));
	inet_pton(AF_INET6, "fe80::1", &a.sin6_addr);
	R("bind link-local without scope", bind(fd, (void *)&a, sizeof(a)));
}

static void unbound(void)
{
	struct sockaddr_in6 a = {};
	socklen_t len = sizeof(a);
	int l = sock6(), fd;

	R("listen", listen(l, 5));
	show_name("getsockname", l, false);
	getsockname(l, (void *)&a, &len);
	R("peer", peer("dial d %s %d", peer_ip(), ntohs(a.sin6_port)));
	fd = accept(l, NULL, NULL);
	show_name("getpeername", fd, true);
}

static void bound_connect(void)
{
	struct sockaddr_in6 a;
	int fd = sock6();

	R("bind", bind_any6(fd, 0));
	a = mapped(&world.v4);
	R("connect to IPv4", connect(fd, (void *)&a, sizeof(a)));
	show_name("getsockname", fd, false);
	fd = sock6();
	peer_ip6();
	R("bind", bind_any6(fd, 0));
	R("connect to IPv6", connect(fd, (void *)&world.v6, sizeof(world.v6)));
	show_name("getsockname", fd, false);
	R("connect short", connect(sock6(), (void *)&world.v6, 24));
	R("connect shorter", connect(sock6(), (void *)&world.v6, 23));
}

static void lengths(void)
{
	int fd = peer_conn6("c");
	static const int lens[] = { 0, 2, 16, 24, 28, 40, -1 };
	char label[60], room[64];
	socklen_t len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		len = lens[i];
		snprintf(label, sizeof(label), "getpeername length %d",
			 lens[i]);
		R(label, getpeername(fd, (void *)room, &len));
		R("its length", len);
	}
}

THEME(ipv6)
	{ "ipv6", plain },
	{ "ipv6_refused", refused },
	{ "ipv6_mapped", to_mapped },
	{ "ipv6_dual", dual },
	{ "ipv6_only", only },
	{ "ipv6_conflicts", conflicts },
	{ "ipv6_bind_mapped", bound_mapped },
	{ "ipv6_bind_host", bound_host },
	{ "ipv6_unbound", unbound },
	{ "ipv6_bind_connect", bound_connect },
	{ "ipv6_lengths", lengths },
THEME_END(ipv6);
