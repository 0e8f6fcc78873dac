// SPDX-License-Identifier: GPL-2.0
/* connect() */
#define _GNU_SOURCE
#include "conform.h"

static long dial_in(int fd, const struct sockaddr_in *a)
{
	return connect(fd, (void *)a, sizeof(*a));
}

static void plain(void)
{
	int fd = R("socket", sock4());

	show_poll("poll new", fd, POLLHUP);
	show_name("getsockname new", fd, false);
	show_name("getpeername new", fd, true);
	R("connect", conn4(fd));
	show_poll("poll", fd, POLLOUT);
	show_name("getsockname", fd, false);
	show_name("getpeername", fd, true);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	R("connect again", conn4(fd));
	R("bind", bind(fd, (void *)&world.v4, sizeof(world.v4)));
	R("listen", listen(fd, 1));
	R("accept", accept(fd, NULL, NULL));
	R("close", close(fd));
}

static void refused(void)
{
	struct sockaddr_in a = closed_port();
	int fd = sock4();

	R("connect", dial_in(fd, &a));
	show_poll("poll", fd, POLLHUP);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	show_name("getsockname", fd, false);
	show_name("getpeername", fd, true);
	R("send", send(fd, "x", 1, MSG_NOSIGNAL));
	R("recv", recv(fd, &a, 1, 0));
	R("shutdown", shutdown(fd, SHUT_RDWR));
	a = closed_port();
	R("connect again", dial_in(fd, &a));
	R("connect at last", conn4(fd));
	show_poll("poll connected", fd, POLLOUT);
	R("connect once more", conn4(fd));
}

static void refused_nonblock(void)
{
	struct sockaddr_in a = closed_port();
	int fd = sock4();

	set_nonblock(fd, true);
	R("connect", dial_in(fd, &a));
	show_poll("poll", fd, POLLHUP);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	R("getsockopt SO_ERROR again", get_int(fd, SOL_SOCKET, SO_ERROR));
	show_poll("poll after SO_ERROR", fd, POLLHUP);
	show_name("getpeername", fd, true);
	R("connect after SO_ERROR", dial_in(fd, &a));
	R("connect to another", conn4(fd));
	show_poll("poll connecting", fd, POLLOUT);
	R("getsockopt SO_ERROR connected", get_int(fd, SOL_SOCKET, SO_ERROR));
}

static void refused_told_by_connect(void)
{
	struct sockaddr_in a = closed_port();
	int fd = sock4();

	set_nonblock(fd, true);
	R("connect", dial_in(fd, &a));
	poll_for(fd, POLLHUP, 4000);
	R("connect tells", dial_in(fd, &a));
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	show_poll("poll", fd, POLLHUP);
}

static void refused_told_by_recv(void)
{
	struct sockaddr_in a = closed_port();
	int fd = sock4();
	char c;

	set_nonblock(fd, true);
	R("connect", dial_in(fd, &a));
	poll_for(fd, POLLHUP, 4000);
	R("recv tells", recv(fd, &c, 1, 0));
	R("recv", recv(fd, &c, 1, 0));
	R("send", send(fd, "x", 1, MSG_NOSIGNAL));
	show_poll("poll", fd, POLLHUP);
}

static void refused_told_by_send(void)
{
	struct sockaddr_in a = closed_port();
	int fd = sock4();
	char c;

	set_nonblock(fd, true);
	R("connect", dial_in(fd, &a));
	poll_for(fd, POLLHUP, 4000);
	R("send tells", send(fd, "x", 1, MSG_NOSIGNAL));
	R("send", send(fd, "x", 1, MSG_NOSIGNAL));
	R("recv", recv(fd, &c, 1, 0));
	show_poll("poll", fd, POLLHUP);
}

static void nonblock(void)
{
	int fd = sock4();

	set_nonblock(fd, true);
	R("connect", conn4(fd));
	show_poll("poll", fd, POLLOUT);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	R("connect tells", conn4(fd));
	R("connect again", conn4(fd));
	show_name("getpeername", fd, true);
}

static void nonblock_use_at_once(void)
{
	int fd = sock4();

	set_nonblock(fd, true);
	R("connect", conn4(fd));
	poll_for(fd, POLLOUT, 4000);
	peer_hold(fd, "c");
	R("send", send_bytes(fd, 100, 0));
	R("peer", peer("drop c 100"));
	R("connect", conn4(fd));
	R("connect again", conn4(fd));
}

static void pending(void)
{
	struct sockaddr_in a = hole();
	int fd = sock4();
	char c;

	set_nonblock(fd, true);
	R("connect", dial_in(fd, &a));
	R("connect again", dial_in(fd, &a));
	show_poll("poll", fd, 0);
	R("send", send(fd, "x", 1, MSG_NOSIGNAL));
	R("recv", recv(fd, &c, 1, 0));
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	show_name("getpeername", fd, true);
	show_name("getsockname", fd, false);
	R("bind", bind(fd, (void *)&world.v4, sizeof(world.v4)));
	R("listen", listen(fd, 1));
	R("accept", accept(fd, NULL, NULL));
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	show_poll("poll after SHUT_WR", fd, 0);
	R("close", close(fd));
}

static void pending_shutdown(void)
{
	struct sockaddr_in a = hole();
	int fd = sock4();
	char c;

	set_nonblock(fd, true);
	R("connect", dial_in(fd, &a));
	R("shutdown SHUT_RDWR", shutdown(fd, SHUT_RDWR));
	show_poll("poll", fd, POLLHUP);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	R("recv", recv(fd, &c, 1, 0));
	R("send", send(fd, "x", 1, MSG_NOSIGNAL));
	R("connect", dial_in(fd, &a));
}

static void timeout(void)
{
	struct sockaddr_in a = hole();
	int fd = sock4();
	char c;

	R("setsockopt SO_SNDTIMEO", set_time(fd, SO_SNDTIMEO, 200));
	R("connect", dial_in(fd, &a));
	R("connect again", dial_in(fd, &a));
	set_nonblock(fd, true);
	R("connect without waiting", dial_in(fd, &a));
	R("recv", recv(fd, &c, 1, 0));
	show_poll("poll", fd, 0);
}

static void disconnect(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = peer_conn("c");
	char c;

	R("connect AF_UNSPEC", connect(fd, &none, sizeof(none)));
	show_poll("poll", fd, POLLHUP);
	show_name("getsockname", fd, false);
	show_name("getpeername", fd, true);
	R("peer", peer("count c"));
	R("recv", recv(fd, &c, 1, 0));
	R("send", send(fd, "x", 1, MSG_NOSIGNAL));
	R("connect AF_UNSPEC again", connect(fd, &none, sizeof(none)));
	R("connect", conn4(fd));
	peer_hold(fd, "d");
	R("send", send_bytes(fd, 100, 0));
	R("peer", peer("drop d 100"));
}

static void disconnect_new(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = sock4();

	R("connect AF_UNSPEC", connect(fd, &none, sizeof(none)));
	R("connect AF_UNSPEC short", connect(fd, &none, sizeof(none.sa_family)));
	R("connect", conn4(fd));
}

static void disconnect_listening(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int port, fd = listener(AF_INET, 0, &port);

	R("connect", conn4(fd));
	R("connect AF_UNSPEC", connect(fd, &none, sizeof(none)));
	set_nonblock(fd, true);
	R("accept", accept(fd, NULL, NULL));
	show_poll("poll", fd, POLLHUP);
	R("peer", peer("dial d %s %d", peer_ip(), port));
	set_nonblock(fd, false);
	R("connect at last", conn4(fd));
}

static void bound(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = sock4();

	R("bind", bind(fd, (void *)&a, sizeof(a)));
	show_name("getsockname bound", fd, false);
	R("connect", conn4(fd));
	show_name("getsockname", fd, false);
	show_name("getpeername", fd, true);
	peer_hold(fd, "c");
	a.sin_port = htons(peer("port c"));
	show_addr("peer's view", &a, sizeof(a));
}

static void bound_to_host(void)
{
	struct sockaddr_in a = world.v4;
	int fd = sock4();

	a.sin_port = 0;
	R("bind", bind(fd, (void *)&a, sizeof(a)));
	show_name("getsockname bound", fd, false);
	R("connect", conn4(fd));
	show_name("getsockname", fd, false);
	R("bind again", bind(fd, (void *)&a, sizeof(a)));
}

static void bound_without_port(void)
{
	struct sockaddr_in a = world.v4;
	int fd = sock4();

	a.sin_port = 0;
	R("setsockopt IP_BIND_ADDRESS_NO_PORT",
	  set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
	R("bind", bind(fd, (void *)&a, sizeof(a)));
	show_name("getsockname bound", fd, false);
	R("connect", conn4(fd));
	show_name("getsockname", fd, false);
}

static void same_pair(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int one = sock4(), two = sock4();
	socklen_t len = sizeof(a);

	set_int(one, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(two, SOL_SOCKET, SO_REUSEADDR, 1);
	R("bind", bind(one, (void *)&a, sizeof(a)));
	getsockname(one, (void *)&a, &len);
	R("bind another", bind(two, (void *)&a, sizeof(a)));
	R("connect", conn4(one));
	R("connect another", conn4(two));
	show_poll("poll another", two, POLLHUP);
}

static void to_itself(void)
{
	struct sockaddr_in a = world.v4;
	socklen_t len = sizeof(a);
	int fd = sock4();
	char buf[10];

	a.sin_port = 0;
	R("bind", bind(fd, (void *)&a, sizeof(a)));
	getsockname(fd, (void *)&a, &len);
	R("connect", dial_in(fd, &a));
	show_name("getpeername", fd, true);
	R("send", send(fd, "hello", 5, MSG_NOSIGNAL));
	R("recv", recv(fd, buf, sizeof(buf), 0));
}

static void where_nobody_is(void)
{
	static const char * const where[] = {
		"203.0.113.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
	};
	struct sockaddr_in a = world.v4;
	char label[60];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(where); i++) {
		int fd = sock4();

		inet_pton(AF_INET, where[i], &a.sin_addr);
		set_nonblock(fd, true);
		snprintf(label, sizeof(label), "connect %s", where[i]);
		R(label, dial_in(fd, &a));
		show_name("getsockname", fd, false);
		show_poll("poll", fd, POLLHUP);
		R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
		close(fd);
	}
	a = world.v4;
	a.sin_port = 0;
	R("connect port 0", dial_in(sock4(), &a));
}

static void fastopen(void)
{
	struct sockaddr_in a = world.v4;
	int fd = sock4();

	R("setsockopt TCP_FASTOPEN_CONNECT",
	  set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	R("connect", dial_in(fd, &a));
	peer_hold(fd, "c");
	R("send", send_bytes(fd, 100, 0));
	R("peer", peer("drop c 100"));
	fd = sock4();
	R("sendto MSG_FASTOPEN", sendto(fd, "close\n", 6, MSG_FASTOPEN |
					MSG_NOSIGNAL, (void *)&a, sizeof(a)));
	R("connect", dial_in(fd, &a));
}

static void many_at_once(void)
{
	int i, fd[20];

	for (i = 0; i < 20; i++) {
		fd[i] = sock4();
		set_nonblock(fd[i], true);
		R("connect", conn4(fd[i]));
	}
	for (i = 0; i < 20; i++) {
		show_poll("poll", fd[i], POLLOUT);
		R("getsockopt SO_ERROR", get_int(fd[i], SOL_SOCKET, SO_ERROR));
	}
}

THEME(connects)
	{ "connect", plain },
	{ "connect_refused", refused },
	{ "connect_refused_nonblock", refused_nonblock },
	{ "connect_refused_by_connect", refused_told_by_connect },
	{ "connect_refused_by_recv", refused_told_by_recv },
	{ "connect_refused_by_send", refused_told_by_send },
	{ "connect_nonblock", nonblock },
	{ "connect_nonblock_use", nonblock_use_at_once },
	{ "connect_pending", pending },
	{ "connect_pending_shutdown", pending_shutdown },
	{ "connect_timeout", timeout },
	{ "connect_unspec", disconnect },
	{ "connect_unspec_new", disconnect_new },
	{ "connect_unspec_listening", disconnect_listening },
	{ "connect_bound", bound },
	{ "connect_bound_host", bound_to_host },
	{ "connect_bound_no_port", bound_without_port },
	{ "connect_same_pair", same_pair },
	{ "connect_itself", to_itself },
	{ "connect_nowhere", where_nobody_is },
	{ "connect_fastopen", fastopen },
	{ "connect_many", many_at_once },
THEME_END(connects);
