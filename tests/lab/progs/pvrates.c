// SPDX-License-Identifier: GPL-2.0
/*
 * How long things take that have a rate, in milliseconds.
 *
 *   pvrates serve ADDRESS PORT
 *   pvrates tcp|udp exchange ADDRESS PORT OUT IN COUNT [stay]
 *   pvrates tcp connects ADDRESS PORT COUNT
 *   pvrates tcp hold ADDRESS PORT [CONGESTION]
 *   pvrates tcp fill ADDRESS PORT
 *
 * "serve" answers as it is told, over TCP and UDP, and says "ready" first.
 * "exchange" sends OUT bytes, waits for the answer of IN bytes, and does so
 * COUNT times; each byte is looked at. With "stay" it then waits to be killed.
 * "connects" begins COUNT connections at once, and waits until all of them
 * stand. "hold" chooses a congestion control, if one is named, connects, says
 * "ready" and waits to be killed. "fill" connects until that is refused, says
 * "full" and why, and waits to be killed.
 */
#include "common.h"

/* What a datagram may have; a connection's requests may be larger */
#define MAX_DATAGRAM	60000

struct head {
	uint32_t out, in, number;
};

static uint8_t *buffer(size_t len)
{
	uint8_t *buf = malloc(len);

	check(buf);
	return buf;
}

static bool whole(int fd, uint8_t *buf, size_t len, bool out)
{
	ssize_t n;

	for (; len; buf += n, len -= n) {
		n = out ? send(fd, buf, len, MSG_NOSIGNAL) :
			  recv(fd, buf, len, 0);
		if (n <= 0)
			return false;
	}
	return true;
}

static void *serve_one(void *arg)
{
	int fd = (long)arg, one = 1;
	struct head head;
	uint8_t *buf;
	size_t max;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (whole(fd, (uint8_t *)&head, sizeof(head), false)) {
		max = head.out > head.in ? head.out : head.in;
		buf = buffer(max + 1);
		if (!whole(fd, buf, head.out - sizeof(head), false))
			fail("a request ends early");
		if (pattern_verify(buf, head.out - sizeof(head), head.number,
				   0) >= 0)
			fail("a request is not the one that was sent");
		pattern_fill(buf, head.in, head.number, 1);
		if (!whole(fd, buf, head.in, true))
			fail("no answer can be sent");
		free(buf);
	}
	close(fd);
	return NULL;
}

static void *serve_datagrams(void *arg)
{
	static uint8_t buf[65536];
	int fd = (long)arg;
	struct sockaddr_storage peer;
	struct head head;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(peer);
		n = recvfrom(fd, buf, sizeof(buf), 0, (void *)&peer, &len);
		if (n < (ssize_t)sizeof(head))
			continue;
		memcpy(&head, buf, sizeof(head));
		if (n != head.out ||
		    pattern_verify(buf + sizeof(head), n - sizeof(head),
				   head.number, 0) >= 0)
			fail("a datagram is not the one that was sent");
		pattern_fill(buf, head.in, head.number, 1);
		sys(sendto(fd, buf, head.in, 0, (void *)&peer, len));
	}
	return NULL;
}

__attribute__((noreturn))
static void serve(const char *addr, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(addr, port, &ss);
	int fd = sys(socket(ss.ss_family, SOCK_DGRAM, 0));
	int listener = tcp_listen(addr, port, 1024);
	pthread_t thread;

	sys(bind(fd, (void *)&ss, len));
	pth(pthread_create(&thread, NULL, serve_datagrams, (void *)(long)fd));
	puts("ready");
	fflush(stdout);
	for (;;) {
		fd = tcp_accept(listener);
		pth(pthread_create(&thread, NULL, serve_one,
				   (void *)(long)fd));
		pth(pthread_detach(thread));
	}
}

static void exchange(int fd, bool tcp, uint32_t out, uint32_t in,
		     uint32_t count, bool stay)
{
	size_t max = out > in ? out : in;
	uint8_t *buf = buffer(max + 1);
	struct head head = { .out = out, .in = in };
	uint64_t start = now_ms();

	check(out >= sizeof(head) && in && (tcp || max <= MAX_DATAGRAM));
	for (; head.number < count; head.number++) {
		memcpy(buf, &head, sizeof(head));
		pattern_fill(buf + sizeof(head), out - sizeof(head),
			     head.number, 0);
		if (tcp ? !whole(fd, buf, out, true) :
			  send(fd, buf, out, 0) != out)
			die("request %u", head.number);
		if (tcp ? !whole(fd, buf, in, false) :
			  recv(fd, buf, max + 1, 0) != in)
			die("answer %u", head.number);
		if (pattern_verify(buf, in, head.number, 1) >= 0)
			fail("answer %u is not the one that was sent",
			     head.number);
	}
	printf("%llu\n", (unsigned long long)(now_ms() - start));
	fflush(stdout);
	while (stay)
		pause();
}

static void connects(const struct sockaddr_storage *ss, socklen_t len,
		     unsigned int count)
{
	struct pollfd *p = calloc(count, sizeof(*p));
	uint64_t start = now_ms();
	unsigned int i, left;

	check(p);
	for (i = 0; i < count; i++) {
		p[i].fd = sys(socket(ss->ss_family,
				     SOCK_STREAM | SOCK_NONBLOCK, 0));
		p[i].events = POLLOUT;
		if (connect(p[i].fd, (void *)ss, len) && errno != EINPROGRESS)
			die("connection %u", i);
	}
	puts("begun");
	fflush(stdout);
	for (left = count; left;) {
		sys(poll(p, count, -1));
		for (i = 0; i < count; i++) {
			int err = 0;
			socklen_t n = sizeof(err);

			if (!p[i].revents)
				continue;
			sys(getsockopt(p[i].fd, SOL_SOCKET, SO_ERROR, &err,
				       &n));
			if (err)
				die_at(__FILE__, __LINE__, err,
				       "connection %u", i);
			/* passed over from now on */
			p[i].fd = ~p[i].fd;
			left--;
		}
	}
	printf("%llu\n", (unsigned long long)(now_ms() - start));
}

static void hold(int fd, const struct sockaddr_storage *ss, socklen_t len,
		 const char *congestion)
{
	if (congestion)
		sys(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion,
			       strlen(congestion)));
	sys(connect(fd, (void *)ss, len));
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static void fill(const struct sockaddr_storage *ss, socklen_t len)
{
	unsigned int n = 0;
	int fd;

	while ((fd = socket(ss->ss_family, SOCK_STREAM, 0)) >= 0 &&
	       !connect(fd, (void *)ss, len))
		n++;
	printf("full after %u: %s\n", n, strerrorname_np(errno));
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	bool tcp = argc > 1 && !strcmp(argv[1], "tcp");
	const char *what = argc > 2 ? argv[2] : "";
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, one = 1;

	if (argc == 4 && !strcmp(argv[1], "serve"))
		serve(argv[2], atoi(argv[3]));
	if (argc < 5) {
		fputs("usage: see the top of pvrates.c\n", stderr);
		return 2;
	}
	len = address(argv[3], atoi(argv[4]), &ss);
	if (!strcmp(what, "connects") && argc == 6) {
		connects(&ss, len, atoi(argv[5]));
		return 0;
	}
	if (!strcmp(what, "fill"))
		fill(&ss, len);
	fd = sys(socket(ss.ss_family, tcp ? SOCK_STREAM : SOCK_DGRAM, 0));
	if (!strcmp(what, "hold"))
		hold(fd, &ss, len, argv[5]);
	if (strcmp(what, "exchange") || argc < 8)
		fail("what?");
	sys(connect(fd, (void *)&ss, len));
	if (tcp)
		sys(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
			       sizeof(one)));
	exchange(fd, tcp, atoi(argv[5]), atoi(argv[6]), atoi(argv[7]),
		 argc > 8);
	return 0;
}
