// SPDX-License-Identifier: GPL-2.0
/* poll(), select() and epoll, whose order of events is compared */
#define _GNU_SOURCE
#include "conform.h"
#include <sys/select.h>

static char buf[65536];

static int watch(int fd, unsigned int events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };
	int ep = epoll_create1(0);

	R("epoll_ctl add", epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	return ep;
}

static long rewatch(int ep, int fd, unsigned int events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e);
}

#define ALL (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP)

static void level(void)
{
	int fd = peer_conn("c"), ep = watch(fd, EPOLLIN | EPOLLRDHUP);

	show_epoll("epoll_wait", ep, 0);
	peer("send c 100");
	show_epoll("epoll_wait data", ep, 4000);
	show_epoll("epoll_wait again", ep, 0);
	await_bytes(fd, 100);
	R("recv", recv(fd, buf, 60, 0));
	show_epoll("epoll_wait some left", ep, 0);
	R("recv", recv(fd, buf, 60, 0));
	show_epoll("epoll_wait nothing left", ep, 0);
	R("epoll_ctl out", rewatch(ep, fd, EPOLLOUT));
	show_epoll("epoll_wait out", ep, 4000);
	show_epoll("epoll_wait out again", ep, 0);
	R("epoll_ctl all", rewatch(ep, fd, ALL));
	peer("close c");
	poll_for(fd, POLLRDHUP, 4000);
	show_epoll("epoll_wait end", ep, 0);
	show_epoll("epoll_wait end again", ep, 0);
	R("close", close(fd));
	show_epoll("epoll_wait closed", ep, 0);
}

static void edge(void)
{
	int fd = peer_conn("c"), ep = watch(fd, ALL | EPOLLET);

	show_epoll("epoll_wait first", ep, 4000);
	show_epoll("epoll_wait again", ep, 0);
	peer("send c 100");
	show_epoll("epoll_wait data", ep, 4000);
	show_epoll("epoll_wait data again", ep, 50);
	peer("send c 100");
	show_epoll("epoll_wait more data", ep, 4000);
	await_bytes(fd, 200);
	R("recv", recv(fd, buf, 50, 0));
	show_epoll("epoll_wait some left", ep, 50);
	R("recv", recv(fd, buf, 150, 0));
	R("recv", recv(fd, buf, 150, MSG_DONTWAIT));
	show_epoll("epoll_wait nothing left", ep, 50);
	peer("send c 10");
	show_epoll("epoll_wait data after all", ep, 4000);
	R("epoll_ctl the same", rewatch(ep, fd, ALL | EPOLLET));
	show_epoll("epoll_wait armed again", ep, 0);
	show_epoll("epoll_wait", ep, 50);
}

static void edge_end(void)
{
	int fd = peer_conn("c"), ep = watch(fd, ALL | EPOLLET);

	show_epoll("epoll_wait first", ep, 4000);
	peer("shut c");
	show_epoll("epoll_wait its FIN", ep, 4000);
	show_epoll("epoll_wait again", ep, 50);
	R("recv", recv(fd, buf, 10, 0));
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	show_epoll("epoll_wait both ended", ep, 4000);
	R("peer", peer("count c"));
	show_epoll("epoll_wait", ep, 50);
}

static void edge_reset(void)
{
	int fd = peer_conn("c"), ep = watch(fd, ALL | EPOLLET);

	show_epoll("epoll_wait first", ep, 4000);
	peer("rst c");
	show_epoll("epoll_wait its RST", ep, 4000);
	show_epoll("epoll_wait again", ep, 50);
	R("recv", recv(fd, buf, 10, 0));
	R("epoll_ctl", rewatch(ep, fd, ALL | EPOLLET));
	show_epoll("epoll_wait armed again", ep, 0);
}

static void edge_shutdown(void)
{
	int fd = peer_conn("c"), ep = watch(fd, ALL | EPOLLET);

	show_epoll("epoll_wait first", ep, 4000);
	R("shutdown SHUT_RD", shutdown(fd, SHUT_RD));
	show_epoll("epoll_wait", ep, 100);
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	show_epoll("epoll_wait", ep, 100);
}

static void edge_connect(void)
{
	int fd = sock4(), ep;

	set_nonblock(fd, true);
	ep = watch(fd, ALL | EPOLLET);
	show_epoll("epoll_wait new", ep, 0);
	R("connect", conn4(fd));
	show_epoll("epoll_wait connected", ep, 4000);
	show_epoll("epoll_wait again", ep, 50);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
}

static void edge_refused(void)
{
	struct sockaddr_in a = closed_port();
	int fd = sock4(), ep;

	set_nonblock(fd, true);
	ep = watch(fd, ALL | EPOLLET);
	show_epoll("epoll_wait new", ep, 0);
	R("connect", connect(fd, (void *)&a, sizeof(a)));
	show_epoll("epoll_wait refused", ep, 4000);
	show_epoll("epoll_wait again", ep, 50);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	show_epoll("epoll_wait after SO_ERROR", ep, 50);
}

static void edge_full(void)
{
	int fd = peer_conn("c"), ep = watch(fd, EPOLLOUT | EPOLLET);
	long n;

	show_epoll("epoll_wait first", ep, 4000);
	set_nonblock(fd, true);
	n = fill(fd);
	R("fill", n > 0);
	show_epoll("epoll_wait full", ep, 0);
	R("peer", peer("drop c %ld", n) == n);
	show_epoll("epoll_wait room", ep, 4000);
	R("send", send(fd, buf, 1000, MSG_NOSIGNAL));
	show_epoll("epoll_wait again", ep, 50);
}

static void edge_accept(void)
{
	int port, l = listener(AF_INET, SOCK_NONBLOCK, &port);
	int ep = watch(l, EPOLLIN | EPOLLET), i;

	show_epoll("epoll_wait", ep, 0);
	for (i = 0; i < 3; i++) {
		peer("dial d%d %s %d", i, peer_ip(), port);
		show_epoll("epoll_wait one", ep, 4000);
	}
	for (i = 0; i < 3; i++)
		R("accept", accept(l, NULL, NULL) < 0);
	R("accept", accept(l, NULL, NULL));
	peer("dial e %s %d", peer_ip(), port);
	show_epoll("epoll_wait another", ep, 4000);
}

static void one_shot(void)
{
	int fd = peer_conn("c"), ep = watch(fd, EPOLLIN | EPOLLONESHOT);

	peer("send c 100");
	show_epoll("epoll_wait", ep, 4000);
	show_epoll("epoll_wait again", ep, 50);
	R("epoll_ctl", rewatch(ep, fd, EPOLLIN | EPOLLONESHOT));
	show_epoll("epoll_wait armed", ep, 4000);
	peer("rst c");
	show_epoll("epoll_wait reset", ep, 50);
	R("epoll_ctl", rewatch(ep, fd, EPOLLIN | EPOLLONESHOT));
	show_poll("poll", fd, POLLERR);
	show_epoll("epoll_wait armed", ep, 4000);
}

static void no_events(void)
{
	int fd = peer_conn("c"), ep = watch(fd, 0);

	peer("send c 100");
	await_bytes(fd, 100);
	show_epoll("epoll_wait data", ep, 0);
	peer("rst c");
	show_epoll("epoll_wait reset", ep, 4000);
	fd = peer_conn("d");
	ep = watch(fd, 0);
	peer("close d");
	poll_for(fd, POLLRDHUP, 4000);
	show_epoll("epoll_wait closed", ep, 0);
	shutdown(fd, SHUT_WR);
	show_epoll("epoll_wait both", ep, 4000);
}

static void several(void)
{
	int one = peer_conn("c"), two = peer_conn("d");
	int ep = watch(one, EPOLLIN), ep2 = watch(one, EPOLLIN | EPOLLET);
	struct epoll_event e = { .events = EPOLLIN, .data.fd = two };

	R("epoll_ctl add", epoll_ctl(ep, EPOLL_CTL_ADD, two, &e));
	R("epoll_ctl add again", epoll_ctl(ep, EPOLL_CTL_ADD, two, &e));
	peer("send c 10");
	show_epoll("epoll_wait", ep, 4000);
	show_epoll("epoll_wait the other", ep2, 4000);
	peer("send d 10");
	poll_for(two, POLLIN, 4000);
	show_epoll("epoll_wait", ep, 4000);
	R("epoll_ctl del", epoll_ctl(ep, EPOLL_CTL_DEL, one, NULL));
	show_epoll("epoll_wait", ep, 4000);
}

static void selects(void)
{
	int fd = peer_conn("c");
	struct timeval tv = { 0, 0 };
	fd_set r, w, e;
	int ret, i;

	for (i = 0; i < 4; i++) {
		if (i == 1) {
			peer("send c 10");
			poll_for(fd, POLLIN, 4000);
		} else if (i == 2) {
			peer("shut c");
			poll_for(fd, POLLRDHUP, 4000);
		} else if (i == 3) {
			peer("rst c");
			poll_for(fd, POLLHUP, 4000);
		}
		FD_ZERO(&r);
		FD_SET(fd, &r);
		w = r;
		e = r;
		ret = select(fd + 1, &r, &w, &e, &tv);
		say("select", "%d read %d write %d except %d", ret,
		    FD_ISSET(fd, &r), FD_ISSET(fd, &w), FD_ISSET(fd, &e));
	}
}

static void sleepers(void)
{
	int fd = peer_conn("c");
	struct blocked one = {}, two = {};

	blocked_start(&one, fd, in_poll);
	blocked_start(&two, fd, in_poll);
	peer("send c 10");
	blocked_end("poll wakes", &one);
	blocked_end("poll wakes the other", &two);
	recv(fd, buf, 10, 0);
	blocked_start(&one, fd, in_poll);
	peer("rst c");
	blocked_end("poll wakes at a reset", &one);
}

static void exclusive(void)
{
	int port, l = listener(AF_INET, SOCK_NONBLOCK, &port);
	int one = watch(l, EPOLLIN | EPOLLEXCLUSIVE);
	int two = watch(l, EPOLLIN | EPOLLEXCLUSIVE);

	R("epoll_ctl mod", rewatch(one, l, EPOLLIN | EPOLLEXCLUSIVE));
	peer("dial d %s %d", peer_ip(), port);
	poll_for(l, POLLIN, 4000);
	show_epoll("epoll_wait", one, 4000);
	show_epoll("epoll_wait the other", two, 4000);
	R("accept", accept(l, NULL, NULL) < 0);
	show_epoll("epoll_wait", one, 50);
	show_epoll("epoll_wait the other", two, 50);
}

static void nested(void)
{
	int fd = peer_conn("c"), inner = watch(fd, EPOLLIN);
	int outer = watch(inner, EPOLLIN);

	show_epoll("epoll_wait", outer, 0);
	peer("send c 10");
	show_epoll("epoll_wait", outer, 4000);
	show_poll("poll an epoll", inner, POLLIN);
	recv(fd, buf, 10, 0);
	show_epoll("epoll_wait", outer, 0);
}

THEME(polls)
	{ "epoll_level", level },
	{ "epoll_edge", edge },
	{ "epoll_edge_end", edge_end },
	{ "epoll_edge_reset", edge_reset },
	{ "epoll_edge_shutdown", edge_shutdown },
	{ "epoll_edge_connect", edge_connect },
	{ "epoll_edge_refused", edge_refused },
	{ "epoll_edge_full", edge_full },
	{ "epoll_edge_accept", edge_accept },
	{ "epoll_oneshot", one_shot },
	{ "epoll_no_events", no_events },
	{ "epoll_several", several },
	{ "epoll_exclusive", exclusive },
	{ "epoll_nested", nested },
	{ "select", selects },
	{ "poll_sleepers", sleepers },
THEME_END(polls);
