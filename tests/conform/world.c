// SPDX-License-Identifier: GPL-2.0
/* The other end, which is a pvpeer, and names of addresses in traces. */
#define _GNU_SOURCE
#include "conform.h"
#include "order.h"
#include <stdarg.h>

struct world world;
long peer_extra;

static int ctl = -1;

static void die(const char *what)
{
	say("the other end", "%s: %s", what, error_name(errno));
	trace->done = true;
	_exit(0);
}

int sock4(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

int conn4(int fd)
{
	return connect(fd, (void *)&world.v4, sizeof(world.v4));
}

static void first_line(int fd, const char *line)
{
	size_t len = strlen(line);

	if (send(fd, line, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("first line");
}

long peer(const char *fmt, ...)
{
	char line[200];
	va_list ap;
	long ret;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	step(line);
	if (ctl < 0) {
		char first[60];
		int fd = sock4();

		/* cases see the lowest numbers */
		ctl = fcntl(fd, F_DUPFD_CLOEXEC, 200);
		close(fd);
		if (conn4(ctl))
			die("connect to pvpeer");
		snprintf(first, sizeof(first), "ctl %s\n", order_who());
		first_line(ctl, first);
	}
	if (!order_give(ctl, line, sizeof(line), &ret, &peer_extra))
		die("order");
	return ret;
}

const char *peer_ip(void)
{
	static char text[INET_ADDRSTRLEN];

	return inet_ntop(AF_INET, &world.v4.sin_addr, text, sizeof(text));
}

const char *peer_ip6(void)
{
	static char text[INET6_ADDRSTRLEN];

	if (!world.has_v6)
		skip("no IPv6 address of the other end");
	return inet_ntop(AF_INET6, &world.v6.sin6_addr, text, sizeof(text));
}

void peer_hold(int fd, const char *key)
{
	char line[100];

	snprintf(line, sizeof(line), "hold %s.%s\n", order_who(), key);
	first_line(fd, line);
	/* it has read the line when it can be ordered about */
	peer("port %s", key);
}

int peer_conn(const char *key)
{
	int fd = sock4();

	if (fd < 0 || conn4(fd))
		die("connect");
	peer_hold(fd, key);
	return fd;
}

int peer_conn6(const char *key)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	peer_ip6();
	if (fd < 0 || connect(fd, (void *)&world.v6, sizeof(world.v6)))
		die("connect");
	peer_hold(fd, key);
	return fd;
}

struct sockaddr_in closed_port(void)
{
	struct sockaddr_in a = world.v4;

	a.sin_port = htons(peer("listen closed %s 0", peer_ip()));
	peer("close closed");
	return a;
}

struct sockaddr_in hole(void)
{
	struct sockaddr_in a = world.v4;

	a.sin_port = htons(peer("hole hole %s", peer_ip()));
	return a;
}

int listener(int family, int flags, int *port)
{
	struct sockaddr_in6 a6 = { .sin6_family = family };
	struct sockaddr_in *a4 = (void *)&a6;
	socklen_t len = family == AF_INET ? sizeof(*a4) : sizeof(a6);
	int fd = socket(family, SOCK_STREAM | flags, 0);

	if (fd < 0 || bind(fd, (void *)&a6, len) || listen(fd, 16) ||
	    getsockname(fd, (void *)&a6, &len))
		die("listener");
	*port = ntohs(a4->sin_port);
	return fd;
}

int dialled(const char *key)
{
	int port, l = listener(AF_INET, 0, &port), fd;

	if (peer("dial %s %s %d", key, peer_ip(), port) < 0)
		die("dial");
	fd = accept(l, NULL, NULL);
	close(l);
	if (fd < 0)
		die("accept");
	return fd;
}

/* Ports that come up get names in the order in which they do. */
static const char *port_name(unsigned int port)
{
	static unsigned int seen[16];
	static char text[16];
	unsigned int i;

	if (!port)
		return "0";
	if (port == ntohs(world.v4.sin_port))
		return "PEER";
	for (i = 0; i < ARRAY_SIZE(seen) && seen[i] && seen[i] != port; i++)
		;
	if (i < ARRAY_SIZE(seen))
		seen[i] = port;
	snprintf(text, sizeof(text), "p%u", i);
	return text;
}

void show_addr(const char *label, const void *sa, socklen_t len)
{
	const struct sockaddr_in6 *a6 = sa;
	const struct sockaddr_in *a4 = sa;
	char text[INET6_ADDRSTRLEN] = "?";
	const char *ip = text;

	if (len < 2) {
		say(label, "length %u", len);
		return;
	}
	if (a4->sin_family == AF_INET) {
		inet_ntop(AF_INET, &a4->sin_addr, text, sizeof(text));
		if (a4->sin_addr.s_addr == world.v4.sin_addr.s_addr)
			ip = "HOST";
	} else if (a4->sin_family == AF_INET6) {
		inet_ntop(AF_INET6, &a6->sin6_addr, text, sizeof(text));
		if (!memcmp(&a6->sin6_addr, &world.v6.sin6_addr, 16))
			ip = "HOST6";
		else if (IN6_IS_ADDR_V4MAPPED(&a6->sin6_addr) &&
			 !memcmp(a6->sin6_addr.s6_addr + 12,
				 &world.v4.sin_addr, 4))
			ip = "mapped HOST";
	}
	say(label, "family %d length %u %s port %s", a4->sin_family, len, ip,
	    port_name(ntohs(a4->sin_port)));
}

void show_name(const char *label, int fd, bool of_peer)
{
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);
	long ret;

	step(label);
	ret = RC(of_peer ? getpeername(fd, (void *)&ss, &len) :
			   getsockname(fd, (void *)&ss, &len));
	if (ret)
		said(label, ret);
	else
		show_addr(label, &ss, len);
}
