// SPDX-License-Identifier: GPL-2.0
/*
 * Servers that are to come back when their backend has gone and another one is
 * there, and the client that asks them:
 *
 *   pvcomeback serve PEER
 *	TCP on 7101 with a blocked accept() and a blocked poll(); TCP on a port
 *	of the kernel's choice and connected UDP on 7105, peer PEER:7200, with
 *	epoll; UDP on 7104 with a blocked recvfrom() and IP_TTL 77. Prints that
 *	port when all are at work, and goes to the background.
 *   pvcomeback away PEER
 *	While there is no backend: TCP and UDP cannot reach PEER; TCP on 7110
 *	and UDP on 7111 can be bound. Goes to the background, and serves them,
 *	once there is a backend. The TCP server first connects to PEER:7101 and
 *	the UDP server sends to PEER:7104, with the sockets that could not.
 *   pvcomeback own ADDRESS
 *	Sockets that answer as those of "serve": TCP at ADDRESS:7120 and UDP at
 *	ADDRESS:7121. Many others are bound there before. Prints "ready".
 *   pvcomeback rob ADDRESS
 *	As another user, tries to bind to the two ports of "own", and keeps what
 *	it gets. Prints "ready" once it was refused both.
 *   pvcomeback ask ADDRESS tcp|udp PORT [SECONDS [FROM]]
 *	Asks until it gets an answer, at most 20 seconds. Prints the answer.
 *   pvcomeback take PORT
 *	Holds a TCP port until killed. Prints "taken".
 *
 * An answer of a server of "serve" is what it has seen so far: errors of
 * accept(), recvfrom() and poll(), looks without a reason, answers.
 */
#include "common.h"

#include <sys/epoll.h>

#define LOG	"/tmp/pvcomeback.log"
#define OWN_TCP	7120
#define OWN_UDP	7121
/* They come back first, and give robbers time */
#define OWN_OTHERS	200
#define NOBODY	65534

static int errors, idle, answers, last_error;
static const char *peer_ip;

static void count(int *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static void went_wrong(const char *what)
{
	last_error = errno;
	count(&errors);
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
}

static int say(char *buf, size_t size)
{
	count(&answers);
	return snprintf(buf, size, "errors %d last %d idle %d\n", errors,
			last_error, idle);
}

static void serve_one(int fd)
{
	char buf[100];
	int n = say(buf, sizeof(buf));

	if (send(fd, buf, n, MSG_NOSIGNAL) < 0)
		went_wrong("send");
	close(fd);
}

/* @reuse: connections of before that are in TIME-WAIT do not matter */
static int bound_at(const char *ip, int type, int port, int reuse)
{
	struct sockaddr_storage ss;
	socklen_t len = address(ip, port, &ss);
	int fd = sys(socket(AF_INET, type, 0));

	sys(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)));
	sys(bind(fd, (void *)&ss, len));
	return fd;
}

static int bound(int type, int port, int reuse)
{
	return bound_at("", type, port, reuse);
}

static int listening(int port, int reuse)
{
	int fd = bound(SOCK_STREAM, port, reuse);

	sys(listen(fd, 20));
	return fd;
}

static int port_of(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	sys(getsockname(fd, (void *)&in, &len));
	return ntohs(in.sin_port);
}

static void *accept_blocked(void *arg)
{
	int l = (long)arg, fd;

	for (;;) {
		fd = accept(l, NULL, NULL);
		if (fd < 0)
			went_wrong("accept");
		else
			serve_one(fd);
	}
	return NULL;
}

/* The other thread accepts; here only an error is an event. */
static void *poll_blocked(void *arg)
{
	struct pollfd p = { .fd = (long)arg, .events = POLLRDBAND };

	for (;;) {
		if (poll(&p, 1, -1) < 0) {
			went_wrong("poll");
		} else {
			fprintf(stderr, "poll: %#x\n", p.revents);
			count(&errors);
			usleep(100000);
		}
	}
	return NULL;
}

static void *udp_blocked(void *arg)
{
	struct sockaddr_in from;
	char buf[100];
	int s = (long)arg;

	for (;;) {
		socklen_t len = sizeof(from);

		if (recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &len) < 0)
			went_wrong("recvfrom");
		else if (sendto(s, buf, say(buf, sizeof(buf)), 0,
				(void *)&from, len) < 0)
			went_wrong("sendto");
	}
	return NULL;
}

static bool look_at(int l, int u)
{
	bool any = false;
	char buf[100];
	int fd;

	while ((fd = accept4(l, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		any = true;
		serve_one(fd);
	}
	if (errno != EAGAIN)
		went_wrong("accept4");
	while (recv(u, buf, sizeof(buf), MSG_DONTWAIT) >= 0) {
		any = true;
		if (send(u, buf, say(buf, sizeof(buf)), 0) < 0)
			went_wrong("send");
	}
	if (errno != EAGAIN)
		went_wrong("recv");
	return any;
}

static void epoll_blocked(int l, int u)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = sys(epoll_create1(0));

	sys(epoll_ctl(ep, EPOLL_CTL_ADD, l, &e));
	sys(epoll_ctl(ep, EPOLL_CTL_ADD, u, &e));
	for (;;) {
		/* saving the guest stops the process for a moment */
		if (epoll_wait(ep, &e, 1, -1) < 0 && errno == EINTR)
			continue;
		if (!look_at(l, u))
			count(&idle);
	}
}

static void background(void)
{
	fflush(stdout);
	if (sys(fork()))
		_exit(0);
	setsid();
	sys(dup2(sys(open("/dev/null", O_RDONLY)), 0));
	sys(dup2(sys(open(LOG, O_WRONLY | O_CREAT | O_APPEND, 0600)), 1));
	sys(dup2(1, 2));
}

static void begin(void *(*func)(void *), int fd)
{
	pthread_t thread;

	pth(pthread_create(&thread, NULL, func, (void *)(long)fd));
}

static void serve(void)
{
	int one = 1, ttl = 77, l, b, ub, uc;
	struct sockaddr_storage ss;
	socklen_t len;

	b = listening(7101, 0);
	l = listening(0, 0);
	sys(fcntl(l, F_SETFL, O_NONBLOCK));
	ub = bound(SOCK_DGRAM, 7104, 0);
	sys(setsockopt(ub, SOL_IP, IP_TTL, &ttl, sizeof(ttl)));
	sys(setsockopt(b, SOL_TCP, TCP_NODELAY, &one, sizeof(one)));
	uc = bound(SOCK_DGRAM, 7105, 0);
	len = address(peer_ip, 7200, &ss);
	sys(connect(uc, (void *)&ss, len));
	printf("%d\n", port_of(l));
	background();
	begin(accept_blocked, b);
	begin(poll_blocked, b);
	begin(udp_blocked, ub);
	epoll_blocked(l, uc);
}

static int away_tcp, away_udp;

/* 7110: an answer says that the socket that could not connect can do so now. */
static void *away_accept(void *arg)
{
	struct sockaddr_storage ss;
	socklen_t len = address(peer_ip, 7101, &ss);
	int l = (long)arg, fd;

	for (;;) {
		fd = sys(accept(l, NULL, NULL));
		if (away_tcp >= 0) {
			sys(connect(away_tcp, (void *)&ss, len));
			close(away_tcp);
			away_tcp = -1;
		}
		serve_one(fd);
	}
}

static void *away_receive(void *arg)
{
	struct sockaddr_storage ss;
	socklen_t len = address(peer_ip, 7104, &ss);
	struct sockaddr_in from;
	int s = (long)arg;
	char buf[100];

	for (;;) {
		socklen_t n = sizeof(from);

		sys(recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &n));
		sys(sendto(away_udp, "x", 1, 0, (void *)&ss, len));
		sys(recv(away_udp, buf, sizeof(buf), 0));
		sys(sendto(s, buf, say(buf, sizeof(buf)), 0, (void *)&from, n));
	}
}

static void unreachable(const char *what, int ret)
{
	if (ret != -1 || errno != ENETUNREACH)
		die("%s while there is no backend", what);
}

static void away(void)
{
	struct sockaddr_storage ss;
	socklen_t len = address(peer_ip, 7101, &ss);
	int l, u, uc;

	away_tcp = sys(socket(AF_INET, SOCK_STREAM, 0));
	unreachable("connect", connect(away_tcp, (void *)&ss, len));
	away_udp = sys(socket(AF_INET, SOCK_DGRAM, 0));
	unreachable("sendto", sendto(away_udp, "x", 1, 0, (void *)&ss, len));
	uc = sys(socket(AF_INET, SOCK_DGRAM, 0));
	unreachable("connect of UDP", connect(uc, (void *)&ss, len));
	close(uc);
	l = listening(7110, 0);
	check(port_of(l) == 7110);
	u = bound(SOCK_DGRAM, 7111, 0);
	check(port_of(u) == 7111);
	background();
	begin(away_receive, u);
	away_accept((void *)(long)l);
}

static void own(const char *ip)
{
	int i, l, u;

	for (i = 0; i < OWN_OTHERS; i++)
		bound_at(ip, SOCK_STREAM, 0, 0);
	u = bound_at(ip, SOCK_DGRAM, OWN_UDP, 0);
	l = bound_at(ip, SOCK_STREAM, OWN_TCP, 0);
	sys(listen(l, 20));
	begin(udp_blocked, u);
	puts("ready");
	fflush(stdout);
	accept_blocked((void *)(long)l);
}

/* 0, or the error of bind(); a socket that could be bound stays open. */
static int rob_one(const char *ip, int type, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(ip, port, &ss);
	int fd = sys(socket(AF_INET, type, 0));

	if (!bind(fd, (void *)&ss, len))
		return 0;
	close(fd);
	return errno;
}

static void rob(const char *ip)
{
	sys(setresgid(NOBODY, NOBODY, NOBODY));
	sys(setresuid(NOBODY, NOBODY, NOBODY));
	check(rob_one(ip, SOCK_STREAM, OWN_TCP) == EADDRINUSE);
	check(rob_one(ip, SOCK_DGRAM, OWN_UDP) == EADDRINUSE);
	puts("ready");
	fflush(stdout);
	while (rob_one(ip, SOCK_STREAM, OWN_TCP) &&
	       rob_one(ip, SOCK_DGRAM, OWN_UDP))
		usleep(3000);
	puts("robbed");
	fflush(stdout);
	pause();
}

/* Sends a question, and takes the answer. The TTL of datagrams goes along. */
static int ask_udp(int fd, char *buf, size_t size, int *ttl)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	int n;

	if (send(fd, "?", 1, 0) < 0)
		return -1;
	n = recvmsg(fd, &msg, 0);
	cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (cmsg)
		memcpy(ttl, CMSG_DATA(cmsg), sizeof(*ttl));
	return n;
}

static int ask_once(const char *ip, int type, int port, int from, char *buf,
		    size_t size, int *ttl)
{
	struct timeval wait = { .tv_usec = 300000 };
	struct sockaddr_storage ss;
	socklen_t len;
	int one = 1, n = -1, fd;

	fd = sys(socket(AF_INET, type, 0));
	sys(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)));
	if (from) {
		len = address(ip, from, &ss);
		sys(bind(fd, (void *)&ss, len));
	}
	if (type == SOCK_DGRAM)
		sys(setsockopt(fd, SOL_IP, IP_RECVTTL, &one, sizeof(one)));
	len = address(ip, port, &ss);
	if (!connect(fd, (void *)&ss, len))
		n = type == SOCK_DGRAM ? ask_udp(fd, buf, size, ttl) :
					 recv(fd, buf, size, 0);
	close(fd);
	return n;
}

static int ask(const char *ip, int type, int port, int seconds, int from)
{
	uint64_t end = now_ms() + seconds * 1000;
	int n, ttl = 0;
	char buf[100];

	do {
		n = ask_once(ip, type, port, from, buf, sizeof(buf) - 1, &ttl);
		if (n > 0)
			break;
		usleep(10000);
	} while (now_ms() < end);
	if (n <= 0)
		fail("port %d does not answer", port);
	buf[n] = 0;
	if (type == SOCK_DGRAM)
		printf("ttl %d ", ttl);
	fputs(buf, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 3 && !strcmp(what, "take")) {
		listening(atoi(argv[2]), 1);
		puts("taken");
		fflush(stdout);
		pause();
	}
	if (argc >= 5 && !strcmp(what, "ask"))
		return ask(argv[2], argv[3][0] == 't' ? SOCK_STREAM : SOCK_DGRAM,
			   atoi(argv[4]), argc > 5 ? atoi(argv[5]) : 20,
			   argc > 6 ? atoi(argv[6]) : 0);
	if (argc == 3) {
		peer_ip = argv[2];
		if (!strcmp(what, "serve"))
			serve();
		if (!strcmp(what, "away"))
			away();
		if (!strcmp(what, "own"))
			own(argv[2]);
		if (!strcmp(what, "rob"))
			rob(argv[2]);
	}
	fputs("usage: pvcomeback serve|away PEER | own|rob ADDRESS | ask ADDRESS tcp|udp PORT [SECONDS [FROM]] | take PORT\n",
	      stderr);
	return 2;
}
