// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets listen as those of Linux's own TCP do: hundreds at once, many threads
 * in accept(), names, addresses that are taken, ends. pvpeer connects.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>

#include "sem.h"

#define MANY	200
#define THREADS	8

/* Orders pvpeer to connect to each port once, meanwhile */
struct dialer {
	pthread_t thread;
	int n, ports[MANY], from[MANY];
};

static void *dialer_main(void *arg)
{
	struct dialer *d = arg;
	int i;

	for (i = 0; i < d->n; i++) {
		MUST("dial", 0, peer("dial many%d %s %d", i, peer_ip(),
				     d->ports[i]));
		d->from[i] = sem_extra;
	}
	return NULL;
}

static int accept_from(int l, int *from)
{
	struct sockaddr_in6 a;
	struct sockaddr_in *a4 = (void *)&a;
	socklen_t len = sizeof(a);
	int fd = accept(l, (void *)&a, &len);

	*from = ntohs(a4->sin_port);
	return fd;
}

/* 200 listeners; @ep: epoll's events, or 0 for poll() */
static void listen_many(uint32_t ep_events)
{
	static struct pollfd p[MANY];
	static int seen[MANY];
	struct epoll_event e;
	struct dialer d = { .n = MANY };
	int ep = -1, i, got = 0, from[MANY], fd, n;

	if (ep_events)
		ep = GET("epoll_create", epoll_create1(0));
	for (i = 0; i < MANY; i++) {
		p[i].fd = listen_any(AF_INET, SOCK_NONBLOCK, &d.ports[i]);
		p[i].events = POLLIN;
		e.events = ep_events;
		e.data.u32 = i;
		if (ep_events)
			MUST("EPOLL_CTL_ADD", 0,
			     epoll_ctl(ep, EPOLL_CTL_ADD, p[i].fd, &e));
	}
	pthread_create(&d.thread, NULL, dialer_main, &d);
	while (got < MANY) {
		sem_step = "wait for connections";
		if (ep_events) {
			MUST("epoll_wait", 1, epoll_wait(ep, &e, 1, 10000));
			p[e.data.u32].revents = POLLIN;
		} else {
			n = GET("poll", poll(p, MANY, 10000));
			TRUE("somebody comes", n > 0);
		}
		for (i = 0; i < MANY; i++) {
			if (!p[i].revents)
				continue;
			EXPECT("revents", POLLIN, p[i].revents);
			p[i].revents = 0;
			fd = GET("accept", accept_from(p[i].fd, &from[i]));
			EXPECT("accept again", -EAGAIN,
			       accept(p[i].fd, NULL, NULL));
			EXPECT("once for each", 0, seen[i]++);
			close(fd);
			got++;
		}
	}
	pthread_join(d.thread, NULL);
	for (i = 0; i < MANY; i++)
		EXPECT("the peer's port", d.from[i], from[i]);
	if (!ep_events)
		EXPECT("no more", 0, poll(p, MANY, 100));
	else
		EXPECT("no more", 0, epoll_wait(ep, &e, 1, 100));
}

static void case_many_poll(void)
{
	listen_many(0);
}

static void case_many_epoll(void)
{
	listen_many(EPOLLIN);
}

static void case_many_edge(void)
{
	listen_many(EPOLLIN | EPOLLET);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int handed[65536], handed_all;

static long accept_loop(struct blocked *b)
{
	int from, fd;

	for (;;) {
		fd = accept_from(b->fd, &from);
		if (fd < 0)
			return -errno;
		if (get_bytes(fd, 10, 0) != 10)
			sem_fail("no greeting from %d", from);
		pthread_mutex_lock(&lock);
		handed[from]++;
		handed_all++;
		pthread_mutex_unlock(&lock);
		close(fd);
	}
}

/* 8 threads in accept() on one socket, which then ends */
static void case_threads(void)
{
	struct blocked b[THREADS];
	struct dialer d = { .n = MANY };
	int port = 0, l = listen_any(AF_INET, 0, &port), i;

	for (i = 0; i < THREADS; i++)
		blocked_start(&b[i], l, accept_loop);
	for (i = 0; i < MANY; i++) {
		MUST("dial", 0, peer("dial many%d %s %d", i, peer_ip(), port));
		d.from[i] = sem_extra;
		MUST("greet", 10, peer("send many%d 10", i));
	}
	sem_step = "wait until all were accepted";
	while (handed_all < MANY)
		usleep(10000);
	for (i = 0; i < MANY; i++) {
		EXPECT("handed out once", 1, handed[d.from[i]]);
		EXPECT("and closed", 0, peer("drain many%d", i));
	}
	EXPECT("no other", MANY, handed_all);
	EXPECT("shutdown", 0, shutdown(l, SHUT_RD));
	for (i = 0; i < THREADS; i++)
		EXPECT("accept ends", -EINVAL,
		       blocked_end(&b[i], "accept and shutdown"));
}

static void case_accept_flags(void)
{
	int port = 0, l = listen_any(AF_INET, SOCK_NONBLOCK, &port), fd, i;

	EXPECT("nobody there", -EAGAIN, accept(l, NULL, NULL));
	EXPECT("nobody there", -EAGAIN, accept4(l, NULL, NULL, SOCK_CLOEXEC));
	for (i = 0; i < 2; i++) {
		MUST("dial", 0, peer("dial flags %s %d", peer_ip(), port));
		EXPECT("wait", POLLIN, poll_now(l, POLLIN, 5000));
		fd = GET("accept4", accept4(l, NULL, NULL, i ? SOCK_NONBLOCK |
					    SOCK_CLOEXEC : 0));
		EXPECT("O_NONBLOCK", i ? O_NONBLOCK : 0,
		       fcntl(fd, F_GETFL) & O_NONBLOCK);
		EXPECT("FD_CLOEXEC", i, fcntl(fd, F_GETFD) & FD_CLOEXEC);
		MUST("send", 10, peer("send flags 10"));
		EXPECT("data", POLLIN, poll_now(fd, POLLIN, 5000));
		EXPECT("read", 10, get_bytes(fd, 10, 0));
	}
	EXPECT("bad flags", -EINVAL, accept4(l, NULL, NULL, 1));
	EXPECT("recv on it", -ENOTCONN, recv(l, &i, 1, 0));
	EXPECT("send on it", -EPIPE, send(l, &i, 1, MSG_NOSIGNAL));
	EXPECT("connect it", -EISCONN,
	       connect(l, (void *)&sem_addr, sizeof(sem_addr)));
	EXPECT("listen again", 0, listen(l, 3));
}

static void case_names(void)
{
	int port = 0, l = listen_any(AF_INET, 0, &port), fd;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int from;

	TRUE("a real port", port > 0);
	MUST("dial", 0, peer("dial name %s %d", peer_ip(), port));
	from = sem_extra;
	fd = GET("accept", accept(l, (void *)&a, &len));
	EXPECT("its length", sizeof(a), len);
	EXPECT("family", AF_INET, a.sin_family);
	EXPECT("the peer's port", from, ntohs(a.sin_port));
	EXPECT("the peer's address", sem_addr.sin_addr.s_addr,
	       a.sin_addr.s_addr);
	memset(&a, 0, sizeof(a));
	EXPECT("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("the peer's port", from, ntohs(a.sin_port));
	EXPECT("the peer's address", sem_addr.sin_addr.s_addr,
	       a.sin_addr.s_addr);
	EXPECT("getsockname", 0, getsockname(fd, (void *)&a, &len));
	EXPECT("our port", port, ntohs(a.sin_port));
	EXPECT("our address", sem_addr.sin_addr.s_addr, a.sin_addr.s_addr);
	len = 6;
	MUST("dial", 0, peer("dial name2 %s %d", peer_ip(), port));
	TRUE("accept with little room", accept(l, (void *)&a, &len) > 0);
	EXPECT("its real length", sizeof(a), len);
}

static int port_of(int fd)
{
	struct sockaddr_in a = {};
	socklen_t len = sizeof(a);

	EXPECT("getsockname", 0, getsockname(fd, (void *)&a, &len));
	return ntohs(a.sin_port);
}

/* listen() without bind() */
static void case_unbound(void)
{
	int l = socket(AF_INET, SOCK_STREAM, 0), port;

	EXPECT("listen", 0, listen(l, 5));
	port = port_of(l);
	TRUE("a real port", port > 0);
	MUST("dial", 0, peer("dial unbound %s %d", peer_ip(), port));
	TRUE("accept", accept(l, NULL, NULL) > 0);
}

static long call_accept(struct blocked *b)
{
	return RC(accept(b->fd, NULL, NULL));
}

static long call_poll(struct blocked *b)
{
	return poll_now(b->fd, POLLIN, 20000);
}

static void case_ends(void)
{
	int port = 0, l = listen_any(AF_INET, 0, &port);
	struct blocked a, p;
	long ret;

	blocked_start(&a, l, call_accept);
	blocked_start(&p, l, call_poll);
	EXPECT("shutdown", 0, shutdown(l, SHUT_RDWR));
	EXPECT("accept", -EINVAL, blocked_end(&a, "accept and shutdown"));
	BITS("poll", POLLHUP, POLLHUP, blocked_end(&p, "poll and shutdown"));
	EXPECT("nobody listens", -ECONNREFUSED,
	       peer("dial ended %s %d", peer_ip(), port));
	EXPECT("listen again", 0, listen(l, 5));
	port = port_of(l);
	MUST("dial again", 0, peer("dial ended %s %d", peer_ip(), port));
	TRUE("accept again", accept(l, NULL, NULL) > 0);

	/* the last descriptor goes while a thread sleeps: it stays asleep */
	port = 0;
	l = listen_any(AF_INET, 0, &port);
	blocked_start(&p, l, call_poll);
	close(l);
	usleep(100000);
	EXPECT("poll goes on", 0, p.done);
	/* the end of the socket may overtake the caller */
	ret = peer("dial ended2 %s %d", peer_ip(), port);
	TRUE("dial", !ret || ret == -ECONNRESET);
	EXPECT("poll", POLLNVAL, blocked_end(&p, "poll and close"));
	sem_step = "until nobody listens";
	while (peer("dial ended3 %s %d", peer_ip(), port) != -ECONNREFUSED)
		usleep(20000);
}

static int bind_port(int port, int reuse, int *fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int ret;

	a.sin_port = htons(port);
	*fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	if (reuse)
		set_int(*fd, SOL_SOCKET, reuse, 1);
	ret = RC(bind(*fd, (void *)&a, sizeof(a)));
	return ret ?: RC(listen(*fd, 5));
}

static void case_in_use(void)
{
	int port = 0, l = listen_any(AF_INET, 0, &port), fd, taken, two;
	struct sockaddr_in a = { .sin_family = AF_INET };

	EXPECT("our own port", -EADDRINUSE, bind_port(port, 0, &fd));
	EXPECT("our own port", -EADDRINUSE, bind_port(port, SO_REUSEADDR, &fd));
	close(l);
	taken = GET("a port of the peer", peer("listen taken %s 0", peer_ip()));
	EXPECT("the peer's port", -EADDRINUSE, bind_port(taken, 0, &fd));
	MUST("the peer closes", 0, peer("close taken"));
	EXPECT("now it is free", 0, bind_port(taken, 0, &fd));
	close(fd);
	sem_step = "until our port is free again";
	while (bind_port(port, 0, &l) == -EADDRINUSE) {
		close(l);
		usleep(10000);
	}
	close(l);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	inet_pton(AF_INET, "203.0.113.7", &a.sin_addr);
	EXPECT("nobody's address", -EADDRNOTAVAIL,
	       bind(fd, (void *)&a, sizeof(a)));
	EXPECT("the first with SO_REUSEPORT", 0,
	       bind_port(0, SO_REUSEPORT, &fd));
	port = port_of(fd);
	EXPECT("the second with it", 0, bind_port(port, SO_REUSEPORT, &two));
	EXPECT("one without it", -EADDRINUSE, bind_port(port, 0, &taken));
}

/* A server goes away and comes back, while its old connections are around. */
static void case_restart(void)
{
	int port = 0, l, fd, c, i;

	for (i = 0; i < 5; i++) {
		EXPECT("bind and listen", 0,
		       bind_port(port, SO_REUSEADDR, &l));
		port = port_of(l);
		MUST("dial", 0, peer("dial restart%d %s %d", i, peer_ip(),
				     port));
		c = GET("accept", accept(l, NULL, NULL));
		/* we close first, so that TIME_WAIT is ours */
		close(c);
		EXPECT("the peer sees the end", 0, peer("drain restart%d", i));
		MUST("the peer closes", 0, peer("close restart%d", i));
		close(l);
	}
	EXPECT("without SO_REUSEADDR", -EADDRINUSE, bind_port(port, 0, &fd));
}

/* Connections that come, send and go before anybody calls accept() */
static void case_backlog(void)
{
	int port = 0, l = listen_any(AF_INET, 0, &port), fd, i;

	for (i = 0; i < 20; i++) {
		MUST("dial", 0, peer("dial log%d %s %d", i, peer_ip(), port));
		MUST("send", 1000, peer("send log%d 1000", i));
		if (i & 1)
			MUST("close", 0, peer("close log%d", i));
	}
	for (i = 0; i < 20; i++) {
		fd = GET("accept", accept(l, NULL, NULL));
		EXPECT("what had been sent", 1000, get_bytes(fd, 1000, 0));
		if (i & 1)
			EXPECT("the end", 0, get_bytes(fd, 1, 1000));
		else
			EXPECT("no end", 10, put_bytes(fd, 10, 0));
		close(fd);
	}
	for (i = 0; i < 3; i++)
		MUST("dial", 0, peer("dial log%d %s %d", i, peer_ip(), port));
	/* with three waiting */
	close(l);
	for (i = 0; i < 3; i++)
		EXPECT("a reset", -ECONNRESET, peer("drain log%d", i));
}

static const struct check checks[] = {
	{ "many_poll", case_many_poll },
	{ "many_epoll", case_many_epoll },
	{ "many_edge", case_many_edge },
	{ "threads", case_threads },
	{ "accept_flags", case_accept_flags },
	{ "names", case_names },
	{ "unbound", case_unbound },
	{ "ends", case_ends },
	{ "in_use", case_in_use },
	{ "restart", case_restart },
	{ "backlog", case_backlog },
};

int main(int argc, char **argv)
{
	return checks_main(argc, argv, "Sockets that listen.", checks,
			   ARRAY_SIZE(checks));
}
