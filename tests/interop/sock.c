// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of the family under test. The in-tree frontend sleeps where no
 * signal reaches it, so nothing here blocks in a call that transfers data:
 * poll first, MSG_DONTWAIT then.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sock.h"

#define CHUNK	65536

int sock_family = AF_INET;
const char *sock_host = "10.0.0.1";
int sock_base = 7000;
int sock_patience = 20;

noreturn void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

uint32_t rnd(void)
{
	static uint64_t state;

	return wire_word(12345, state++) >> 16;
}

static struct sockaddr_in address(int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = inet_addr(sock_host),
	};

	return addr;
}

int sock_new(void)
{
	int fd = socket(sock_family, SOCK_STREAM, 0);

	if (fd < 0)
		fail("socket: %m");
	return fd;
}

int sock_connect(int port)
{
	struct sockaddr_in to = address(sock_base + port);
	int fd = sock_new();

	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		int err = errno;

		sock_close(fd);
		return -err;
	}
	return fd;
}

int sock_listen(int port, int backlog)
{
	struct sockaddr_in at = address(port);
	int fd = sock_new();

	at.sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail("bind to %d: %m", port);
	if (listen(fd, backlog))
		fail("listen on %d: %m", port);
	return fd;
}

int sock_accept(int fd)
{
	int new = accept(fd, NULL, NULL);

	if (new < 0)
		fail("accept: %m");
	return new;
}

void sock_close(int fd)
{
	if (close(fd))
		fail("close: %m");
}

bool sock_wait(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, ms) < 0)
		fail("poll: %m");
	return p.revents;
}

static void wait_for(int fd, short events, const char *what)
{
	if (!sock_wait(fd, events, sock_patience * 1000))
		fail("%s: nothing for %d s", what, sock_patience);
}

/* Returns what went out, 0 if nothing fits at present. */
static size_t put_some(int fd, const void *data, size_t len)
{
	ssize_t n = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		fail("send: %m");
	return n > 0 ? n : 0;
}

void sock_put(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		size_t n = put_some(fd, p, len);

		p += n;
		len -= n;
		if (!n)
			wait_for(fd, POLLOUT, "send");
	}
}

/* Returns 0 at the end of the stream. */
size_t sock_get_some(int fd, void *data, size_t len)
{
	for (;;) {
		ssize_t n = recv(fd, data, len, MSG_DONTWAIT);

		if (n >= 0)
			return n;
		if (errno != EAGAIN)
			fail("recv: %m");
		wait_for(fd, POLLIN, "recv");
	}
}

void sock_get(int fd, void *data, size_t len)
{
	uint8_t *p = data;

	while (len) {
		size_t n = sock_get_some(fd, p, len);

		if (!n)
			fail("recv: the stream ended too early");
		p += n;
		len -= n;
	}
}

void sock_want_end(int fd)
{
	uint8_t byte;

	if (sock_get_some(fd, &byte, 1))
		fail("recv: a byte after the last one");
}

void sock_order(int fd, uint32_t op, uint64_t len, uint64_t seed)
{
	struct wire_order order = {
		.magic = WIRE_MAGIC, .op = op, .len = len, .seed = seed,
	};

	sock_put(fd, &order, sizeof(order));
}

void sock_result(int fd, uint64_t len)
{
	struct wire_result res;

	sock_get(fd, &res, sizeof(res));
	if (res.magic != WIRE_MAGIC || !res.done)
		fail("the peer's answer makes no sense");
	if (res.wrong_at != ~0ULL)
		fail("byte %llu arrived changed",
		     (unsigned long long)res.wrong_at);
	if (res.bytes != len)
		fail("%llu of %llu arrived", (unsigned long long)res.bytes,
		     (unsigned long long)len);
}

void stream_put(int fd, uint64_t len, uint64_t seed, size_t most)
{
	stream_both(fd, len, seed, 0, 0, most);
}

void stream_get(int fd, uint64_t len, uint64_t seed, size_t most)
{
	stream_both(fd, 0, 0, len, seed, most);
}

/* Sends and receives at once, in pieces of random size up to @most. */
void stream_both(int fd, uint64_t out, uint64_t seed_out, uint64_t in,
		 uint64_t seed_in, size_t most)
{
	static uint8_t to[CHUNK], from[CHUNK];
	uint64_t sent = 0, got = 0, bad;
	size_t have = 0, used = 0;

	if (most > CHUNK)
		most = CHUNK;
	while (sent < out || got < in) {
		size_t moved = 0;

		if (have == used && sent < out) {
			have = 1 + rnd() % most;
			if (have > out - sent)
				have = out - sent;
			wire_fill(to, have, seed_out, sent);
			used = 0;
		}
		if (used < have) {
			size_t n = put_some(fd, to + used, have - used);

			used += n;
			sent += n;
			moved += n;
		}
		if (got < in) {
			size_t want = 1 + rnd() % most;
			ssize_t n;

			if (want > in - got)
				want = in - got;
			n = recv(fd, from, want, MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN)
				fail("recv: %m");
			if (!n)
				fail("the stream ended after %llu bytes",
				     (unsigned long long)got);
			if (n > 0) {
				bad = wire_check(from, n, seed_in, got);
				if (bad != ~0ULL)
					fail("byte %llu arrived changed",
					     (unsigned long long)bad);
				got += n;
				moved += n;
			}
		}
		if (!moved)
			wait_for(fd, (sent < out ? POLLOUT : 0) |
				 (got < in ? POLLIN : 0), "transfer");
	}
}
