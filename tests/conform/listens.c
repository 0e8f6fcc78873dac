// SPDX-License-Identifier: GPL-2.0
/* bind(), listen(), accept() */
#define _GNU_SOURCE
#include "conform.h"

static const struct sockaddr_in any = { .sin_family = AF_INET };

static long dial(const char *key, int port)
{
	return peer("dial %s %s %d", key, peer_ip(), port);
}

static long bind_any(int fd, int port)
{
	struct sockaddr_in a = any;

	a.sin_port = htons(port);
	return bind(fd, (void *)&a, sizeof(a));
}

static void plain(void)
{
	int l = R("socket", sock4()), fd, port;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	R("accept new", accept(l, NULL, NULL));
	R("bind", bind_any(l, 0));
	R("bind again", bind_any(l, 0));
	show_name("getsockname", l, false);
	show_poll("poll bound", l, POLLHUP);
	R("accept bound", accept(l, NULL, NULL));
	R("listen", listen(l, 5));
	R("listen again", listen(l, 7));
	show_poll("poll listening", l, 0);
	show_name("getpeername", l, true);
	getsockname(l, (void *)&a, &len);
	port = ntohs(a.sin_port);
	R("peer", dial("d", port));
	show_poll("poll with a connection", l, POLLIN);
	fd = accept(l, (void *)&a, &len);
	R("accept", fd < 0 ? fd : 0);
	a.sin_port = htons(ntohs(a.sin_port) == peer_extra ? 0 : 1);
	show_addr("accept's name", &a, len);
	show_poll("poll after accept", l, 0);
	show_name("getsockname accepted", fd, false);
	show_poll("poll accepted", fd, POLLOUT);
	R("peer", peer("send d 100"));
	R("recv", recv_bytes(fd, 100, 0));
	R("bind accepted", bind_any(fd, 0));
	R("listen accepted", listen(fd, 1));
	R("connect accepted", conn4(fd));
}

static void unbound(void)
{
	int l = sock4(), fd;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	R("listen", listen(l, 5));
	show_name("getsockname", l, false);
	getsockname(l, (void *)&a, &len);
	R("peer", dial("d", ntohs(a.sin_port)));
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
	R("bind", bind_any(l, 0));
}

static void nonblock(void)
{
	int port, l = listener(AF_INET, SOCK_NONBLOCK, &port), fd;

	R("accept", accept(l, NULL, NULL));
	R("peer", dial("d", port));
	poll_for(l, POLLIN, 4000);
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
	R("fcntl F_GETFL", fcntl(fd, F_GETFL));
	R("fcntl F_GETFD", fcntl(fd, F_GETFD));
	R("accept again", accept(l, NULL, NULL));
	R("peer", dial("e", port));
	poll_for(l, POLLIN, 4000);
	fd = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	R("accept4", fd < 0 ? fd : 0);
	R("fcntl F_GETFL", fcntl(fd, F_GETFL));
	R("fcntl F_GETFD", fcntl(fd, F_GETFD));
	R("accept4 bad flags", accept4(l, NULL, NULL, 1));
}

static void names_of_accept(void)
{
	int port, l = listener(AF_INET, 0, &port);
	struct sockaddr_in a;
	socklen_t len = 4;

	memset(&a, 0xee, sizeof(a));
	dial("d", port);
	R("accept little room", accept(l, (void *)&a, &len) < 0);
	R("its length", len);
	a.sin_port = 0;
	hex("what was written", &a, 8);
	dial("e", port);
	len = 0;
	R("accept no room", accept(l, (void *)&a, &len) < 0);
	R("its length", len);
	dial("f", port);
	len = 200;
	R("accept much room", accept(l, (void *)&a, &len) < 0);
	R("its length", len);
	dial("g", port);
	poll_for(l, POLLIN, 4000);
	len = -1;
	R("accept negative length", accept(l, (void *)&a, &len));
	set_nonblock(l, true);
	R("accept the same again", accept(l, NULL, NULL));
	dial("h", port);
	poll_for(l, POLLIN, 4000);
	R("accept bad pointer", accept(l, (void *)1, &len));
}

static void in_use(void)
{
	int port, l = listener(AF_INET, 0, &port), two = sock4();

	R("bind", bind_any(two, port));
	R("setsockopt SO_REUSEADDR", set_int(two, SOL_SOCKET, SO_REUSEADDR, 1));
	R("bind with SO_REUSEADDR", bind_any(two, port));
	R("close", close(l));
	R("bind when closed", bind_any(two, port));
	R("listen", listen(two, 1));
}

static void reuse_bound(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int one = sock4(), two = sock4(), port;

	set_int(one, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(two, SOL_SOCKET, SO_REUSEADDR, 1);
	R("bind", bind_any(one, 0));
	getsockname(one, (void *)&a, &len);
	port = ntohs(a.sin_port);
	R("bind another", bind_any(two, port));
	R("listen", listen(one, 1));
	R("listen another", listen(two, 1));
}

static void reuse_port(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int one = sock4(), two = sock4(), three = sock4(), port;

	R("setsockopt SO_REUSEPORT", set_int(one, SOL_SOCKET, SO_REUSEPORT, 1));
	R("setsockopt SO_REUSEPORT", set_int(two, SOL_SOCKET, SO_REUSEPORT, 1));
	R("bind", bind_any(one, 0));
	getsockname(one, (void *)&a, &len);
	port = ntohs(a.sin_port);
	R("bind another", bind_any(two, port));
	R("bind without", bind_any(three, port));
	R("listen", listen(one, 1));
	R("listen another", listen(two, 1));
	R("peer", dial("d", port));
	R("one of them", !(poll_for(one, POLLIN, 300) & POLLIN) +
	  !(poll_for(two, POLLIN, 300) & POLLIN));
}

static void restart(void)
{
	int port, l = listener(AF_INET, 0, &port), fd, two = sock4();

	dial("d", port);
	fd = accept(l, NULL, NULL);
	close(l);
	/* ours is the side that ends it: the port is in TIME_WAIT */
	R("close", close(fd));
	R("peer", peer("count d"));
	R("peer", peer("close d"));
	R("setsockopt SO_REUSEADDR", set_int(two, SOL_SOCKET, SO_REUSEADDR, 1));
	R("bind with SO_REUSEADDR", bind_any(two, port));
	R("listen", listen(two, 1));
}

static void elsewhere(void)
{
	struct sockaddr_in a = world.v4;
	int fd = sock4();

	inet_pton(AF_INET, "203.0.113.1", &a.sin_addr);
	a.sin_port = 0;
	R("bind to another's address", bind(fd, (void *)&a, sizeof(a)));
	inet_pton(AF_INET, "255.255.255.255", &a.sin_addr);
	R("bind to broadcast", bind(fd, (void *)&a, sizeof(a)));
	inet_pton(AF_INET, "224.0.0.1", &a.sin_addr);
	R("bind to multicast", bind(fd, (void *)&a, sizeof(a)));
	a = world.v4;
	R("bind to the peer's port", bind(fd, (void *)&a, sizeof(a)));
	a.sin_port = 0;
	R("bind", bind(fd, (void *)&a, sizeof(a)));
	show_name("getsockname", fd, false);
}

static void privileged(void)
{
	int fd = sock4(), ret;

	R("bind port 999 as root", bind_any(fd, 999));
	close(fd);
	fd = sock4();
	step("setresuid");
	ret = setresuid(1000, 1000, 1000);
	R("setresuid", ret);
	R("bind port 998", bind_any(fd, 998));
	R("bind port 0", bind_any(fd, 0));
	R("listen", listen(fd, 1));
}

static void gone_before_accept(void)
{
	int port, l = listener(AF_INET, 0, &port), fd;

	dial("d", port);
	peer("send d 50");
	peer("close d");
	fd = accept(l, NULL, NULL);
	R("accept closed one", fd < 0 ? fd : 0);
	R("recv", recv_bytes(fd, 50, 0));
	show_poll("poll", fd, POLLRDHUP);
	R("recv", recv_bytes(fd, 1, 0));
	R("send", send(fd, "x", 1, MSG_NOSIGNAL));
}

static void reset_before_accept(void)
{
	int port, l = listener(AF_INET, 0, &port), fd;
	char c;

	dial("d", port);
	poll_for(l, POLLIN, 4000);
	peer("rst d");
	show_poll("poll", l, POLLIN);
	fd = accept(l, NULL, NULL);
	R("accept reset one", fd < 0 ? fd : 0);
	show_poll("poll accepted", fd, POLLERR);
	show_name("getpeername", fd, true);
	R("recv", recv(fd, &c, 1, 0));
	R("recv again", recv(fd, &c, 1, 0));
}

static void close_pending(void)
{
	int port, l = listener(AF_INET, 0, &port);

	dial("d", port);
	dial("e", port);
	poll_for(l, POLLIN, 4000);
	R("close", close(l));
	R("peer's connection", peer("count d"));
	R("peer's other connection", peer("count e"));
	R("peer", dial("f", port));
}

static void shutdown_listening(void)
{
	int port, l = listener(AF_INET, 0, &port);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd;

	R("shutdown SHUT_WR", shutdown(l, SHUT_WR));
	R("peer", dial("d", port));
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
	R("shutdown SHUT_RD", shutdown(l, SHUT_RD));
	show_poll("poll", l, POLLHUP);
	R("accept", accept(l, NULL, NULL));
	R("peer", dial("e", port));
	R("getsockopt SO_ACCEPTCONN", get_int(l, SOL_SOCKET, SO_ACCEPTCONN));
	show_name("getsockname", l, false);
	R("shutdown again", shutdown(l, SHUT_RDWR));
	R("listen again", listen(l, 5));
	getsockname(l, (void *)&a, &len);
	R("it has its port", ntohs(a.sin_port) == port);
	R("peer", dial("f", ntohs(a.sin_port)));
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
}

static void io_listening(void)
{
	int port, l = listener(AF_INET, 0, &port);
	char c;

	R("send", send(l, "x", 1, MSG_NOSIGNAL));
	R("recv", recv(l, &c, 1, 0));
	R("recv MSG_DONTWAIT", recv(l, &c, 1, MSG_DONTWAIT));
	R("recv MSG_PEEK", recv(l, &c, 1, MSG_PEEK));
	R("write", write(l, "x", 1));
	R("read", read(l, &c, 1));
	R("connect", conn4(l));
	R("getsockopt SO_ACCEPTCONN", get_int(l, SOL_SOCKET, SO_ACCEPTCONN));
	R("getsockopt SO_ERROR", get_int(l, SOL_SOCKET, SO_ERROR));
}

static void timeouts(void)
{
	int port, l = listener(AF_INET, 0, &port), fd;

	R("setsockopt SO_RCVTIMEO", set_time(l, SO_RCVTIMEO, 150));
	R("accept", accept(l, NULL, NULL));
	dial("d", port);
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
	R("recv inherits it", recv_bytes(fd, 1, 0));
}

/* What a listening socket gives to those that it accepts */
static const struct {
	const char *label;
	int level, name, value;
} inherited[] = {
	{ "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1 },
	{ "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1 },
	{ "SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 4 },
	{ "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 3 },
	{ "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 40000 },
	{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 40000 },
	{ "SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE, 1 },
	{ "SO_TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP, 1 },
	{ "SO_ZEROCOPY", SOL_SOCKET, SO_ZEROCOPY, 1 },
	{ "SO_MARK", SOL_SOCKET, SO_MARK, 5 },
	{ "SO_BUSY_POLL", SOL_SOCKET, SO_BUSY_POLL, 5 },
	{ "SO_MAX_PACING_RATE", SOL_SOCKET, SO_MAX_PACING_RATE, 9999 },
	{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1 },
	{ "TCP_CORK", IPPROTO_TCP, TCP_CORK, 1 },
	{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 55 },
	{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 5 },
	{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 5 },
	{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 5 },
	{ "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, 5 },
	{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 5000 },
	{ "TCP_WINDOW_CLAMP", IPPROTO_TCP, TCP_WINDOW_CLAMP, 50000 },
	{ "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 5000 },
	{ "TCP_INQ", IPPROTO_TCP, TCP_INQ, 1 },
	{ "TCP_SAVE_SYN", IPPROTO_TCP, TCP_SAVE_SYN, 1 },
	{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 1 },
	{ "IP_TOS", IPPROTO_IP, IP_TOS, 8 },
	{ "IP_TTL", IPPROTO_IP, IP_TTL, 44 },
	{ "IP_RECVTTL", IPPROTO_IP, IP_RECVTTL, 1 },
	{ "IP_RECVTOS", IPPROTO_IP, IP_RECVTOS, 1 },
	{ "IP_PKTINFO", IPPROTO_IP, IP_PKTINFO, 1 },
	{ "IP_RECVERR", IPPROTO_IP, IP_RECVERR, 1 },
	{ "IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, 1 },
	{ "IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, 1 },
	{ "IP_MINTTL", IPPROTO_IP, IP_MINTTL, 3 },
};

static void inherit(void)
{
	int port, l = listener(AF_INET, 0, &port), fd;
	char label[60], cc[20] = "";
	socklen_t len = sizeof(cc);
	struct linger linger = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inherited); i++) {
		snprintf(label, sizeof(label), "setsockopt %s", inherited[i].label);
		R(label, set_int(l, inherited[i].level, inherited[i].name, inherited[i].value));
	}
	R("setsockopt SO_LINGER", set_linger(l, 1, 3));
	R("setsockopt TCP_CONGESTION",
	  setsockopt(l, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	dial("d", port);
	/* the listener defers */
	peer("send d 10");
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
	for (i = 0; i < ARRAY_SIZE(inherited); i++) {
		snprintf(label, sizeof(label), "getsockopt %s inherited",
			 inherited[i].label);
		R(label, get_int(fd, inherited[i].level, inherited[i].name));
	}
	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, &len);
	say("getsockopt TCP_CONGESTION inherited", "%s", cc);
	len = sizeof(linger);
	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	say("getsockopt SO_LINGER inherited", "%d %d", linger.l_onoff,
	    linger.l_linger);
	R("fcntl F_GETOWN", fcntl(fd, F_GETOWN));
}

static void defer(void)
{
	int port, l = sock4(), fd;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	R("setsockopt TCP_DEFER_ACCEPT",
	  set_int(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5));
	R("bind", bind_any(l, 0));
	R("listen", listen(l, 5));
	getsockname(l, (void *)&a, &len);
	port = ntohs(a.sin_port);
	R("peer", dial("d", port));
	show_poll("poll before data", l, 0);
	set_nonblock(l, true);
	R("accept before data", accept(l, NULL, NULL));
	R("peer", peer("send d 10"));
	show_poll("poll after data", l, POLLIN);
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
	R("recv", recv_bytes(fd, 10, 0));
	R("getsockopt TCP_DEFER_ACCEPT",
	  get_int(l, IPPROTO_TCP, TCP_DEFER_ACCEPT));
}

static void several(void)
{
	int port, l = listener(AF_INET, 0, &port), fd, i;
	struct sockaddr_in a;
	socklen_t len;
	char key[10];
	int in_order = 0;
	long ports[12];

	for (i = 0; i < 12; i++) {
		snprintf(key, sizeof(key), "d%d", i);
		R("peer", dial(key, port));
		ports[i] = peer_extra;
	}
	for (i = 0; i < 12; i++) {
		len = sizeof(a);
		fd = accept(l, (void *)&a, &len);
		in_order += ntohs(a.sin_port) == ports[i];
		peer("send d%d %d", i, i + 1);
		R("recv", recv_bytes(fd, i + 1, 0));
	}
	R("in the order in which they came", in_order);
	set_nonblock(l, true);
	R("accept", accept(l, NULL, NULL));
}

static void on_host(void)
{
	struct sockaddr_in a = world.v4;
	socklen_t len = sizeof(a);
	int l = sock4(), fd, two = sock4(), port;

	a.sin_port = 0;
	R("bind", bind(l, (void *)&a, sizeof(a)));
	show_name("getsockname", l, false);
	R("listen", listen(l, 5));
	R("getsockopt SO_ACCEPTCONN", get_int(l, SOL_SOCKET, SO_ACCEPTCONN));
	show_poll("poll", l, 0);
	getsockname(l, (void *)&a, &len);
	port = ntohs(a.sin_port);
	R("bind another", bind(two, (void *)&a, sizeof(a)));
	R("bind another to any", bind_any(two, port));
	R("peer", dial("d", port));
	fd = accept(l, NULL, NULL);
	R("accept", fd < 0 ? fd : 0);
	show_name("getsockname accepted", fd, false);
	R("getsockopt SO_ACCEPTCONN", get_int(fd, SOL_SOCKET, SO_ACCEPTCONN));
	R("bind again", bind_any(l, 0));
	R("connect", conn4(l));
	R("shutdown", shutdown(l, SHUT_RD));
	R("getsockopt SO_ACCEPTCONN", get_int(l, SOL_SOCKET, SO_ACCEPTCONN));
	R("peer", dial("e", port));
	R("listen again", listen(l, 5));
	show_name("getsockname again", l, false);
	R("close", close(l));
	R("peer", dial("f", port));
}

static void backlogs(void)
{
	int l = sock4();

	R("bind", bind_any(l, 0));
	R("listen -1", listen(l, -1));
	R("listen 0", listen(l, 0));
	R("listen 1000000", listen(l, 1000000));
}

THEME(listens)
	{ "listen", plain },
	{ "listen_host", on_host },
	{ "listen_unbound", unbound },
	{ "listen_nonblock", nonblock },
	{ "accept_names", names_of_accept },
	{ "bind_in_use", in_use },
	{ "bind_reuseaddr", reuse_bound },
	{ "bind_reuseport", reuse_port },
	{ "bind_restart", restart },
	{ "bind_elsewhere", elsewhere },
	{ "bind_privileged", privileged },
	{ "accept_closed", gone_before_accept },
	{ "accept_reset", reset_before_accept },
	{ "listen_close_pending", close_pending },
	{ "listen_shutdown", shutdown_listening },
	{ "listen_io", io_listening },
	{ "accept_timeout", timeouts },
	{ "accept_inherits", inherit },
	{ "accept_deferred", defer },
	{ "accept_several", several },
	{ "listen_backlogs", backlogs },
THEME_END(listens);
