// SPDX-License-Identifier: GPL-2.0
/*
 * poll(), select() and epoll, level- and edge-triggered, and the options and
 * ioctls of a socket are as those of Linux's own TCP.
 */
#define _GNU_SOURCE
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "sem.h"

#define ALL	(POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP)

static int ep_new(int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };
	int ep = GET("epoll_create", epoll_create1(0));

	MUST("EPOLL_CTL_ADD", 0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	return ep;
}

static long ep_mod(int ep, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return RC(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e));
}

/* Events, or 0 if none come within @ms */
static long ep_wait(int ep, int ms)
{
	struct epoll_event e;
	int n = epoll_wait(ep, &e, 1, ms);

	return n < 0 ? -errno : n ? (long)e.events : 0;
}

/* Edge after edge until @want is there, e.g. while a stack sends in pieces */
static long ep_until(int ep, uint32_t want, int ms)
{
	double end = now() + ms / 1000.0;
	long got = 0, n;

	while ((got & want) != want && now() < end) {
		n = ep_wait(ep, 100);
		if (n < 0)
			return n;
		got |= n;
	}
	return got;
}

static void case_poll_states(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), port = 0, l;

	EXPECT("a new socket", POLLOUT | POLLHUP,
	       poll_now(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
	l = listen_any(AF_INET, 0, &port);
	EXPECT("a listener", 0, poll_now(l, POLLIN | POLLOUT | POLLRDHUP, 0));
	MUST("dial", 0, peer("dial states %s %d", peer_ip(), port));
	EXPECT("a connection has come", POLLIN,
	       poll_now(l, POLLIN | POLLOUT | POLLRDHUP, 5000));
	fd = GET("accept", accept(l, NULL, NULL));
	EXPECT("no more", 0, poll_now(l, POLLIN, 100));
	EXPECT("connected", POLLOUT,
	       poll_now(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
	MUST("send", 100, peer("send states 100"));
	EXPECT("data", POLLIN, poll_now(fd, POLLIN | POLLRDHUP, 5000));
	EXPECT("data, no more asked", 0, poll_now(fd, 0, 0));
	EXPECT("read a part", 50, get_bytes(fd, 50, 0));
	EXPECT("data", POLLIN | POLLOUT,
	       poll_now(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
	EXPECT("read the rest", 50, get_bytes(fd, 50, 50));
	EXPECT("no data", 0, poll_now(fd, POLLIN | POLLRDHUP, 0));
	MUST("shut", 0, peer("shut states"));
	EXPECT("the peer has ended", POLLIN | POLLRDHUP,
	       poll_now(fd, POLLIN | POLLRDHUP, 5000));
	EXPECT("but we may send", POLLIN | POLLOUT | POLLRDHUP,
	       poll_now(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
	shutdown(fd, SHUT_WR);
	EXPECT("both have ended", ALL & ~POLLERR,
	       poll_now(fd, POLLIN | POLLOUT | POLLRDHUP, 5000));
}

static void case_poll_out(void)
{
	int fd = peer_hold("out");
	long n = fill(fd);

	EXPECT("no room", 0, poll_now(fd, POLLIN | POLLOUT, 0));
	EXPECT("the peer reads", n, peer("recv out %ld", n));
	EXPECT("room", POLLOUT, poll_now(fd, POLLIN | POLLOUT, 5000));
	n = fill(fd);
	MUST("reset", 0, peer("rst out"));
	BITS("reset", ALL, ALL, poll_now(fd, POLLOUT, 5000) |
	     poll_now(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
}

static long select_now(int fd, int which, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	fd_set r, w, x;
	int n;

	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	FD_SET(fd, &r);
	FD_SET(fd, &w);
	FD_SET(fd, &x);
	n = select(fd + 1, which & 1 ? &r : NULL, which & 2 ? &w : NULL,
		   which & 4 ? &x : NULL, &tv);
	if (n < 0)
		return -errno;
	return n ? (which & 1 && FD_ISSET(fd, &r)) |
		   (which & 2 && FD_ISSET(fd, &w)) << 1 |
		   (which & 4 && FD_ISSET(fd, &x)) << 2 : 0;
}

static void case_select(void)
{
	int fd = peer_hold("select");
	long n;

	EXPECT("room, no data", 2, select_now(fd, 7, 1000));
	EXPECT("no data", 0, select_now(fd, 1, 50));
	MUST("send", 10, peer("send select 10"));
	EXPECT("data", 1, select_now(fd, 5, 5000));
	n = fill(fd);
	EXPECT("data, no room", 1, select_now(fd, 7, 1000));
	EXPECT("no room", 0, select_now(fd, 2, 50));
	EXPECT("the peer reads", n, peer("recv select %ld", n));
	EXPECT("room", 2, select_now(fd, 6, 5000));
}

static long call_poll_in(struct blocked *b)
{
	return poll_now(b->fd, POLLIN | POLLRDHUP, 20000);
}

static long call_epoll(struct blocked *b)
{
	return ep_wait(b->fd, 20000);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void case_wake(void)
{
	int fd = peer_hold("wake"), ep;
	struct blocked b, c;

	ep = ep_new(fd, EPOLLIN | EPOLLRDHUP);
	blocked_start(&b, fd, call_poll_in);
	blocked_start(&c, ep, call_epoll);
	MUST("send", 10, peer("send wake 10"));
	EXPECT("poll", POLLIN, blocked_end(&b, "poll and data"));
	EXPECT("epoll", POLLIN, blocked_end(&c, "epoll and data"));
	EXPECT("read", 10, get_bytes(fd, 10, 0));
	blocked_start(&b, fd, call_poll_in);
	blocked_start(&c, ep, call_epoll);
	MUST("shut", 0, peer("shut wake"));
	EXPECT("poll", POLLIN | POLLRDHUP, blocked_end(&b, "poll and FIN"));
	EXPECT("epoll", POLLIN | POLLRDHUP, blocked_end(&c, "epoll and FIN"));

	fd = peer_hold("wake2");
	ep = ep_new(fd, EPOLLIN | EPOLLRDHUP);
	blocked_start(&b, fd, call_poll_in);
	blocked_start(&c, ep, call_epoll);
	EXPECT("shutdown", 0, shutdown(fd, SHUT_RDWR));
	BITS("poll", POLLHUP, POLLHUP, blocked_end(&b, "poll and shutdown"));
	BITS("epoll", POLLHUP, POLLHUP, blocked_end(&c, "epoll and shutdown"));

	fd = peer_hold("wake3");
	ep = ep_new(fd, EPOLLIN | EPOLLRDHUP);
	blocked_start(&b, fd, call_poll_in);
	blocked_start(&c, ep, call_epoll);
	MUST("reset", 0, peer("rst wake3"));
	BITS("poll", POLLHUP | POLLERR, POLLHUP | POLLERR,
	     blocked_end(&b, "poll and reset"));
	BITS("epoll", POLLHUP | POLLERR, POLLHUP | POLLERR,
	     blocked_end(&c, "epoll and reset"));

	fd = peer_hold("wake4");
	signal(SIGUSR1, on_signal);
	blocked_start(&b, fd, call_poll_in);
	pthread_kill(b.thread, SIGUSR1);
	EXPECT("poll and a signal", -EINTR, blocked_end(&b, "poll, signal"));
}

static void case_epoll_level(void)
{
	int fd = peer_hold("level"), ep = ep_new(fd, EPOLLIN);

	EXPECT("no data", 0, ep_wait(ep, 50));
	MUST("send", 100, peer("send level 100"));
	EXPECT("data", EPOLLIN, ep_wait(ep, 5000));
	EXPECT("still data", EPOLLIN, ep_wait(ep, 5000));
	EXPECT("a part", 99, get_bytes(fd, 99, 0));
	EXPECT("still data", EPOLLIN, ep_wait(ep, 5000));
	EXPECT("the rest", 1, get_bytes(fd, 1, 99));
	EXPECT("no data", 0, ep_wait(ep, 50));
	EXPECT("now for room", 0, ep_mod(ep, fd, EPOLLIN | EPOLLOUT));
	EXPECT("room", EPOLLOUT, ep_wait(ep, 1000));
	EXPECT("once", 0, ep_mod(ep, fd, EPOLLOUT | EPOLLONESHOT));
	EXPECT("room", EPOLLOUT, ep_wait(ep, 1000));
	EXPECT("once only", 0, ep_wait(ep, 50));
}

static void case_epoll_edge_in(void)
{
	int fd = peer_hold("edge"), ep = ep_new(fd, EPOLLIN | EPOLLET), i;
	long at = 0;

	EXPECT("no data", 0, ep_wait(ep, 50));
	for (i = 0; i < 10; i++) {
		MUST("send", 100, peer("send edge 100"));
		EXPECT("an edge for new data", EPOLLIN, ep_wait(ep, 5000));
		EXPECT("no edge without new data", 0, ep_wait(ep, 50));
		/* the rest of what has been announced stays */
		EXPECT("a part", 30, get_bytes(fd, 30, at));
		at += 30;
		EXPECT("no edge for a part read", 0, ep_wait(ep, 50));
	}
	EXPECT("the rest", 700, get_bytes(fd, 700, at));
	at += 700;
	for (i = 0; i < 10; i++) {
		MUST("send", 100, peer("send edge 100"));
		EXPECT("an edge for new data", EPOLLIN, ep_wait(ep, 5000));
		EXPECT("all of it", 100, get_bytes(fd, 100, at));
		at += 100;
	}
	MUST("shut", 0, peer("shut edge"));
	BITS("an edge for the end", EPOLLIN, EPOLLIN, ep_wait(ep, 5000));
	EXPECT("the end", 0, get_bytes(fd, 1, at));
}

static void case_epoll_edge_ends(void)
{
	uint32_t all = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	int fd = peer_hold("edge_end"), ep = ep_new(fd, all);

	EXPECT("room", EPOLLOUT, ep_wait(ep, 1000));
	EXPECT("once only", 0, ep_wait(ep, 50));
	MUST("shut", 0, peer("shut edge_end"));
	BITS("the peer's end", EPOLLIN | EPOLLRDHUP,
	     EPOLLIN | EPOLLRDHUP | EPOLLHUP, ep_wait(ep, 5000));
	EXPECT("once only", 0, ep_wait(ep, 50));
	shutdown(fd, SHUT_WR);
	BITS("our end", EPOLLHUP, EPOLLHUP, ep_until(ep, EPOLLHUP, 5000));

	fd = peer_hold("edge_rst");
	ep = ep_new(fd, all);
	EXPECT("room", EPOLLOUT, ep_wait(ep, 1000));
	MUST("reset", 0, peer("rst edge_rst"));
	BITS("reset", EPOLLHUP | EPOLLERR, EPOLLHUP | EPOLLERR,
	     ep_until(ep, EPOLLHUP | EPOLLERR, 5000));
}

static void case_epoll_edge_out(void)
{
	char key[20];
	int fd, ep, i;
	long n;

	for (i = 0; i < 3; i++) {
		snprintf(key, sizeof(key), "edge_out%d", i);
		fd = peer_hold(key);
		ep = ep_new(fd, EPOLLOUT | EPOLLET);
		EXPECT("room", EPOLLOUT, ep_wait(ep, 1000));
		EXPECT("once only", 0, ep_wait(ep, 50));
		n = fill(fd);
		ep_wait(ep, 0);
		EXPECT("no room", 0, ep_wait(ep, 50));
		EXPECT("the peer reads", n, peer("recv %s %ld", key, n));
		EXPECT("an edge for room", EPOLLOUT, ep_wait(ep, 5000));
	}
}

/* An event loop as servers have them: both ways, never blocking, small reads */
static void case_epoll_edge_loop(void)
{
	const long total = 2 * MIB;
	static char out[100000], in[8192];
	int fd = peer_connect("echo\n"), ep;
	long sent = 0, got = 0, n;
	bool room = true;

	set_nonblock(fd, true);
	ep = ep_new(fd, EPOLLIN | EPOLLOUT | EPOLLET);
	while (got < total) {
		long e = ep_wait(ep, 10000);

		MUST("an edge", 1, e > 0);
		room |= !!(e & EPOLLOUT);
		while (room && sent < total) {
			n = total - sent < (long)sizeof(out) ? total - sent :
							       sizeof(out);
			pattern_fill(out, n, sent);
			n = RC(send(fd, out, n, 0));
			if (n == -EAGAIN)
				room = false;
			else
				MUST("send", 1, n > 0);
			sent += n > 0 ? n : 0;
		}
		while (e & EPOLLIN) {
			n = RC(recv(fd, in, 1 + got % sizeof(in), 0));
			if (n == -EAGAIN)
				break;
			MUST("recv", 1, n > 0);
			MUST("bytes", -1000, pattern_bad(in, n, got) == -1 ?
			     -1000 : 0);
			got += n;
			if (got == total)
				break;
		}
	}
	EXPECT("all of it", total, sent);
}

static long call_exclusive(struct blocked *b)
{
	return ep_wait(b->fd, 3000);
}

static void case_epoll_several(void)
{
	int fd = peer_hold("several"), ep[4], outer, i, woken = 0;
	struct blocked b[4];

	for (i = 0; i < 4; i++) {
		ep[i] = ep_new(fd, EPOLLIN | EPOLLEXCLUSIVE);
		blocked_start(&b[i], ep[i], call_exclusive);
	}
	MUST("send", 10, peer("send several 10"));
	for (i = 0; i < 4; i++)
		woken += blocked_end(&b[i], "EPOLLEXCLUSIVE") == EPOLLIN;
	TRUE("at least one was told", woken >= 1);
	outer = ep_new(ep[0], EPOLLIN);
	EXPECT("an epoll in an epoll", EPOLLIN, ep_wait(outer, 1000));
	EXPECT("read", 10, get_bytes(fd, 10, 0));
	EXPECT("nothing more", 0, ep_wait(outer, 50));
	MUST("send", 10, peer("send several 10"));
	EXPECT("an epoll in an epoll", EPOLLIN, ep_wait(outer, 5000));
	EXPECT("close", 0, close(fd));
	EXPECT("closed", 0, ep_wait(ep[0], 50));
}

static void case_rcvlowat(void)
{
	int fd = peer_hold("lowat");
	char buf[100];

	EXPECT("set it", 0, set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 50));
	EXPECT("get it", 50, get_int(fd, SOL_SOCKET, SO_RCVLOWAT));
	MUST("send", 30, peer("send lowat 30"));
	EXPECT("not enough", 0, poll_now(fd, POLLIN, 200));
	MUST("send", 30, peer("send lowat 30"));
	EXPECT("enough", POLLIN, poll_now(fd, POLLIN, 5000));
	EXPECT("read", 60, recv(fd, buf, 100, 0));
	MUST("send", 10, peer("send lowat 10"));
	MUST("shut", 0, peer("shut lowat"));
	EXPECT("the end is enough", POLLIN, poll_now(fd, POLLIN, 5000));
	EXPECT("read", 10, recv(fd, buf, 100, 0));
}

static volatile int sigios;

static void on_io(int sig)
{
	(void)sig;
	sigios++;
}

/* Ten bytes more make a signal. */
static void expect_sigio(const char *what)
{
	int i;

	sigios = 0;
	MUST("send", 10, peer("send sigio 10"));
	for (i = 0; i < 100 && !sigios; i++)
		usleep(20000);
	TRUE(what, sigios > 0);
}

static void case_sigio(void)
{
	int fd = peer_hold("sigio");

	signal(SIGIO, on_io);
	EXPECT("F_SETOWN", 0, fcntl(fd, F_SETOWN, getpid()));
	EXPECT("O_ASYNC", 0, fcntl(fd, F_SETFL, O_ASYNC));
	expect_sigio("SIGIO");
	EXPECT("read all", 10, get_bytes(fd, 10, 0));
	expect_sigio("SIGIO after all was read");
	expect_sigio("SIGIO though nothing was read");
	EXPECT("read all", 20, get_bytes(fd, 20, 10));
	expect_sigio("SIGIO after all was read");
}

static long ioctl_int(int fd, unsigned long name)
{
	int value = -1;

	return ioctl(fd, name, &value) ? -errno : value;
}

static void case_ioctls(void)
{
	int fd = peer_hold("ioctls"), one = 1, zero = 0, i;
	char buf[10];
	long n;

	EXPECT("FIONREAD", 0, ioctl_int(fd, FIONREAD));
	MUST("send", 100, peer("send ioctls 100"));
	EXPECT("wait for data", POLLIN, poll_now(fd, POLLIN, 5000));
	EXPECT("FIONREAD", 100, ioctl_int(fd, FIONREAD));
	EXPECT("read", 40, get_bytes(fd, 40, 0));
	EXPECT("FIONREAD", 60, ioctl_int(fd, FIONREAD));
	EXPECT("read", 60, get_bytes(fd, 60, 40));
	EXPECT("FIONBIO", 0, ioctl(fd, FIONBIO, &one));
	EXPECT("O_NONBLOCK", O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT("recv", -EAGAIN, recv(fd, buf, 10, 0));
	EXPECT("FIONBIO", 0, ioctl(fd, FIONBIO, &zero));
	EXPECT("no O_NONBLOCK", 0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	n = fill(fd);
	TRUE("SIOCOUTQ", ioctl_int(fd, SIOCOUTQ) > 0);
	EXPECT("the peer reads", n, peer("recv ioctls %ld", n));
	for (i = 0; i < 100 && ioctl_int(fd, SIOCOUTQ); i++)
		usleep(20000);
	EXPECT("SIOCOUTQ", 0, ioctl_int(fd, SIOCOUTQ));
	EXPECT("SIOCATMARK", 0, ioctl_int(fd, SIOCATMARK));
	EXPECT("FIONREAD of a listener", -EINVAL, ({
		int port = 0, l = listen_any(AF_INET, 0, &port);

		ioctl(l, FIONREAD, &one);
	}));
}

static const struct check checks[] = {
	{ "poll_states", case_poll_states },
	{ "poll_out", case_poll_out },
	{ "select", case_select },
	{ "wake", case_wake },
	{ "epoll_level", case_epoll_level },
	{ "epoll_edge_in", case_epoll_edge_in },
	{ "epoll_edge_ends", case_epoll_edge_ends },
	{ "epoll_edge_out", case_epoll_edge_out },
	{ "epoll_edge_loop", case_epoll_edge_loop },
	{ "epoll_several", case_epoll_several },
	{ "rcvlowat", case_rcvlowat },
	{ "sigio", case_sigio },
	{ "ioctls", case_ioctls },
};

int main(int argc, char **argv)
{
	return checks_main(argc, argv, "poll, select, epoll and ioctls.",
			   checks, ARRAY_SIZE(checks));
}
