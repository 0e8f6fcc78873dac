// SPDX-License-Identifier: GPL-2.0
/* What happens to a thread in a call when another one does something */
#define _GNU_SOURCE
#include "conform.h"

static char buf[1000];

static void shutdown_in_recv(void)
{
	static const int hows[] = { SHUT_RD, SHUT_WR, SHUT_RDWR };
	static const char * const names[] = { "SHUT_RD", "SHUT_WR",
					      "SHUT_RDWR" };
	char label[60];
	int i;

	for (i = 0; i < 3; i++) {
		struct blocked b = {};
		int fd = peer_conn("c");

		blocked_start(&b, fd, in_recv);
		snprintf(label, sizeof(label), "shutdown %s", names[i]);
		R(label, shutdown(fd, hows[i]));
		if (hows[i] == SHUT_WR)
			peer("send c 7");
		snprintf(label, sizeof(label), "recv at %s", names[i]);
		blocked_end(label, &b);
		close(fd);
	}
}

static void shutdown_in_send(void)
{
	struct blocked b = {};
	int fd = peer_conn("c");

	R("fill", fill(fd) > 0);
	blocked_start(&b, fd, in_send);
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	blocked_end("send", &b);
	fd = peer_conn("d");
	R("fill", fill(fd) > 0);
	blocked_start(&b, fd, in_send);
	R("shutdown SHUT_RDWR", shutdown(fd, SHUT_RDWR));
	blocked_end("send", &b);
}

static void shutdown_in_accept(void)
{
	int port, l = listener(AF_INET, 0, &port);
	struct blocked b = {}, c = {};

	blocked_start(&b, l, in_accept);
	blocked_start(&c, l, in_accept);
	R("shutdown", shutdown(l, SHUT_RDWR));
	blocked_end("accept", &b);
	blocked_end("accept the other", &c);
}

static void shutdown_in_connect(void)
{
	struct sockaddr_in a = hole();
	struct blocked b = { .arg = &a };
	int fd = sock4();

	blocked_start(&b, fd, in_connect);
	R("shutdown", shutdown(fd, SHUT_RDWR));
	blocked_end("connect", &b);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	R("connect again", conn4(fd));
}

static void shutdown_in_poll(void)
{
	struct blocked b = {};
	int fd = peer_conn("c");

	blocked_start(&b, fd, in_poll);
	R("shutdown", shutdown(fd, SHUT_RDWR));
	blocked_end("poll", &b);
}

static void close_in_recv(void)
{
	struct blocked b = {};
	int fd = peer_conn("c");

	blocked_start(&b, fd, in_recv);
	R("close", close(fd));
	R("peer", peer("send c 9"));
	blocked_end("recv", &b);
	R("peer", peer("count c"));
	fd = peer_conn("d");
	blocked_start(&b, fd, in_recv);
	R("close", close(fd));
	R("peer", peer("rst d"));
	blocked_end("recv", &b);
}

static void close_in_accept(void)
{
	int port, l = listener(AF_INET, 0, &port), fd = -1;
	struct blocked b = { .arg = &fd };

	blocked_start(&b, l, in_accept);
	R("close", close(l));
	R("peer", peer("dial d %s %d", peer_ip(), port));
	blocked_end("accept", &b);
	R("peer", peer("send d 10"));
	R("recv", recv_bytes(fd, 10, 0));
	R("peer", peer("dial e %s %d", peer_ip(), port));
}

static void close_in_connect(void)
{
	struct sockaddr_in a = hole();
	struct blocked b = { .arg = &a };
	int fd = sock4();

	set_time(fd, SO_SNDTIMEO, 700);
	blocked_start(&b, fd, in_connect);
	R("close", close(fd));
	blocked_end("connect", &b);
}

static void close_in_poll(void)
{
	struct blocked b = {};
	int fd = peer_conn("c");

	blocked_start(&b, fd, in_poll);
	R("close", close(fd));
	R("peer", peer("send c 10"));
	blocked_end("poll", &b);
}

static void close_in_send(void)
{
	struct blocked b = {};
	int fd = peer_conn("c");

	R("fill", fill(fd) > 0);
	blocked_start(&b, fd, in_send);
	R("close", close(fd));
	R("peer", peer("rst c"));
	blocked_end("send", &b);
}

static void peer_in_recv(void)
{
	struct blocked b = {};
	int fd = peer_conn("c");

	blocked_start(&b, fd, in_recv);
	peer("send c 5");
	blocked_end("recv at data", &b);
	blocked_start(&b, fd, in_recv);
	peer("shut c");
	blocked_end("recv at FIN", &b);
	fd = peer_conn("d");
	blocked_start(&b, fd, in_recv);
	peer("rst d");
	blocked_end("recv at RST", &b);
}

static void peer_in_send(void)
{
	struct blocked b = {};
	int fd = peer_conn("c");

	R("fill", fill(fd) > 0);
	blocked_start(&b, fd, in_send);
	peer("rst c");
	blocked_end("send at RST", &b);
	show_poll("poll", fd, POLLHUP);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	R("recv", recv(fd, buf, 1, 0));
}

static void two_in_recv(void)
{
	struct blocked b = {}, c = {};
	int fd = peer_conn("c");
	long sum;

	blocked_start(&b, fd, in_recv);
	blocked_start(&c, fd, in_recv);
	peer("send c 5");
	peer("close c");
	pthread_join(b.thread, NULL);
	pthread_join(c.thread, NULL);
	sum = b.ret + c.ret;
	R("recv of both", sum);
}

static void two_in_accept(void)
{
	int port, l = listener(AF_INET, 0, &port);
	struct blocked b = {}, c = {};

	blocked_start(&b, l, in_accept);
	blocked_start(&c, l, in_accept);
	R("peer", peer("dial d %s %d", peer_ip(), port));
	R("peer", peer("dial e %s %d", peer_ip(), port));
	blocked_end("accept", &b);
	blocked_end("accept the other", &c);
}

static void reconnect_in_recv(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct blocked b = {};
	int fd = peer_conn("c");

	blocked_start(&b, fd, in_recv);
	R("connect AF_UNSPEC", connect(fd, &none, sizeof(none)));
	blocked_end("recv", &b);
	R("peer", peer("count c"));
}

static void unlisten_in_accept(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int port, l = listener(AF_INET, 0, &port);
	struct blocked b = {};

	blocked_start(&b, l, in_accept);
	R("connect AF_UNSPEC", connect(l, &none, sizeof(none)));
	blocked_end("accept", &b);
}

static void use_while_blocked(void)
{
	struct blocked b = {};
	int fd = peer_conn("c"), n = 0;

	blocked_start(&b, fd, in_recv);
	R("send", send_bytes(fd, 100, 0));
	R("peer", peer("drop c 100"));
	R("setsockopt TCP_NODELAY", set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1));
	R("ioctl FIONREAD", ioctl(fd, FIONREAD, &n));
	show_name("getpeername", fd, true);
	show_poll("poll", fd, POLLOUT);
	R("recv MSG_DONTWAIT", recv(fd, buf, 1, MSG_DONTWAIT));
	R("recv MSG_PEEK|MSG_DONTWAIT", recv(fd, buf, 1, MSG_DONTWAIT |
					     MSG_PEEK));
	peer("send c 10");
	blocked_end("recv", &b);
}

static void connect_while_connecting(void)
{
	struct sockaddr_in a = hole();
	struct blocked b = { .arg = &a };
	int fd = sock4();

	set_time(fd, SO_SNDTIMEO, 1500);
	blocked_start(&b, fd, in_connect);
	show_poll("poll", fd, 0);
	R("send MSG_DONTWAIT", send(fd, buf, 1, MSG_DONTWAIT | MSG_NOSIGNAL));
	R("recv MSG_DONTWAIT", recv(fd, buf, 1, MSG_DONTWAIT));
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	show_name("getpeername", fd, true);
	blocked_end("connect", &b);
}

THEME(threads)
	{ "shutdown_in_recv", shutdown_in_recv },
	{ "shutdown_in_send", shutdown_in_send },
	{ "shutdown_in_accept", shutdown_in_accept },
	{ "shutdown_in_connect", shutdown_in_connect },
	{ "shutdown_in_poll", shutdown_in_poll },
	{ "close_in_recv", close_in_recv },
	{ "close_in_send", close_in_send },
	{ "close_in_accept", close_in_accept },
	{ "close_in_connect", close_in_connect },
	{ "close_in_poll", close_in_poll },
	{ "peer_in_recv", peer_in_recv },
	{ "peer_in_send", peer_in_send },
	{ "two_in_recv", two_in_recv },
	{ "two_in_accept", two_in_accept },
	{ "disconnect_in_recv", reconnect_in_recv },
	{ "disconnect_in_accept", unlisten_in_accept },
	{ "use_while_in_recv", use_while_blocked },
	{ "use_while_in_connect", connect_while_connecting },
THEME_END(threads);
