/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the lab's programs share: failing with a place, a watchdog, addresses,
 * whole reads and writes, and a byte pattern that depends on its position.
 * Everything is static and unused ones cost nothing: one .c file per program.
 */
#ifndef PVCALLS_LAB_COMMON_H
#define PVCALLS_LAB_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAYBE static __attribute__((unused))

/* Failing: die() ends the program, check() too unless the condition holds. */

__attribute__((noreturn, format(printf, 4, 5)))
MAYBE void die_at(const char *file, int line, int err, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "FAIL %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (err)
		fprintf(stderr, ": %s", strerror(err));
	fputc('\n', stderr);
	fflush(stderr);
	_exit(1);
}

/* die: with errno's text. fail: without. */
#define die(...) die_at(__FILE__, __LINE__, errno, __VA_ARGS__)
#define fail(...) die_at(__FILE__, __LINE__, 0, __VA_ARGS__)
/* check(cond): cond must hold. sys(call): call must not return -1; its value. */
#define check(cond) do { \
	if (!(cond)) \
		die("not so: %s", #cond); \
} while (0)
#define sys(call) ({ \
	long long sys_ret = (long long)(call); \
	if (sys_ret == -1) \
		die("%s", #call); \
	sys_ret; \
})
/* The same for pthread_*(), which return their error. */
#define pth(call) do { \
	int pth_err = (call); \
	if (pth_err) \
		die_at(__FILE__, __LINE__, pth_err, "%s", #call); \
} while (0)

/* A line per check; it counts failures and goes on. End with checks_done(). */

static int checks_run __attribute__((unused));
static int checks_failed __attribute__((unused));

__attribute__((format(printf, 2, 3)))
MAYBE bool expect(bool ok, const char *fmt, ...)
{
	va_list ap;

	__atomic_fetch_add(&checks_run, 1, __ATOMIC_RELAXED);
	if (!ok)
		__atomic_fetch_add(&checks_failed, 1, __ATOMIC_RELAXED);
	flockfile(stdout);
	fputs(ok ? "ok   " : "FAIL ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	funlockfile(stdout);
	return ok;
}

MAYBE int checks_done(void)
{
	printf("%d checks, %d failed\n", checks_run, checks_failed);
	fflush(stdout);
	return checks_failed || !checks_run;
}

/* Watchdog: prints "HANG in WHAT" and ends with 2, unless set again in time. */

static char watchdog_what[128] __attribute__((unused));

MAYBE void watchdog_bark(int sig)
{
	static const char head[] = "HANG in ";
	char line[sizeof(head) + sizeof(watchdog_what)];
	size_t n = sizeof(head) - 1, w = strnlen(watchdog_what, sizeof(watchdog_what));

	(void)sig;
	memcpy(line, head, n);
	memcpy(line + n, watchdog_what, w);
	line[n + w] = '\n';
	if (write(STDERR_FILENO, line, n + w + 1) < 0)
		_exit(3);
	_exit(2);
}

/* watchdog(0, "") switches it off. */
__attribute__((format(printf, 2, 3)))
MAYBE void watchdog(unsigned int seconds, const char *fmt, ...)
{
	struct sigaction sa = { .sa_handler = watchdog_bark };
	va_list ap;

	alarm(0);
	va_start(ap, fmt);
	vsnprintf(watchdog_what, sizeof(watchdog_what), fmt, ap);
	va_end(ap);
	sigaction(SIGALRM, &sa, NULL);
	alarm(seconds);
}

MAYBE uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Numbers: a small generator, and sizes with K, M and G. */

MAYBE uint64_t rnd(uint64_t *state)
{
	uint64_t x = *state ? *state : 0x9e3779b97f4a7c15ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

MAYBE uint64_t rnd_range(uint64_t *state, uint64_t min, uint64_t max)
{
	return min + rnd(state) % (max - min + 1);
}

MAYBE uint64_t parse_size(const char *text)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || end == text)
		fail("'%s' is no number", text);
	switch (*end) {
	case 'G': case 'g':
		n <<= 10; /* fall through */
	case 'M': case 'm':
		n <<= 10; /* fall through */
	case 'K': case 'k':
		n <<= 10;
		end++;
	}
	if (*end)
		fail("'%s' is no number", text);
	return n;
}

/*
 * The pattern: word i of stream seed is a mix of both, so that a byte that is
 * lost, doubled or out of its order does not match at the offset where it is.
 */
MAYBE uint64_t pattern_word(uint64_t seed, uint64_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ULL ^ seed * 0xd6e8feb86659fd93ULL;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	return x;
}

MAYBE uint8_t pattern_byte(uint64_t seed, uint64_t off)
{
	return pattern_word(seed, off / 8) >> (off % 8 * 8);
}

MAYBE void pattern_fill(void *buf, size_t len, uint64_t seed, uint64_t off)
{
	uint8_t *p = buf;

	for (; len && off % 8; len--)
		*p++ = pattern_byte(seed, off++);
	for (; len >= 8; len -= 8, p += 8, off += 8) {
		uint64_t w = htole64(pattern_word(seed, off / 8));

		memcpy(p, &w, 8);
	}
	for (; len; len--)
		*p++ = pattern_byte(seed, off++);
}

/* -1: as it must be; else the stream's offset of the first wrong byte. */
MAYBE int64_t pattern_verify(const void *buf, size_t len, uint64_t seed, uint64_t off)
{
	const uint8_t *p = buf;

	while (len) {
		if (off % 8 == 0 && len >= 8) {
			uint64_t w = htole64(pattern_word(seed, off / 8));

			if (!memcmp(p, &w, 8)) {
				p += 8;
				off += 8;
				len -= 8;
				continue;
			}
		}
		if (*p != pattern_byte(seed, off))
			return off;
		p++;
		off++;
		len--;
	}
	return -1;
}

/* Addresses: IPv4 or IPv6 numbers, or "" for any. */

MAYBE socklen_t address(const char *addr, int port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (!addr || !*addr)
		addr = "0.0.0.0";
	if (inet_pton(AF_INET, addr, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, addr, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
	fail("'%s' is no address", addr);
}

/* A blocking TCP connection or -1 with errno. */
MAYBE int try_connect(const char *addr, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(addr, port, &ss);
	int fd = sys(socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));

	if (connect(fd, (struct sockaddr *)&ss, len)) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

MAYBE int tcp_connect(const char *addr, int port)
{
	int fd = try_connect(addr, port);

	if (fd < 0)
		die("connect to %s port %d", addr, port);
	return fd;
}

/* Tries again while nobody listens yet. */
MAYBE int tcp_connect_wait(const char *addr, int port, int ms)
{
	uint64_t end = now_ms() + ms;
	int fd;

	while ((fd = try_connect(addr, port)) < 0) {
		if (errno != ECONNREFUSED || now_ms() >= end)
			die("connect to %s port %d", addr, port);
		poll(NULL, 0, 50);
	}
	return fd;
}

/* Port 0: the kernel chooses, see sock_port(). */
MAYBE int tcp_listen(const char *addr, int port, int backlog)
{
	struct sockaddr_storage ss;
	socklen_t len = address(addr, port, &ss);
	int fd = sys(socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)), one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		die("SO_REUSEADDR");
	if (bind(fd, (struct sockaddr *)&ss, len))
		die("bind to %s port %d", addr ? addr : "", port);
	if (listen(fd, backlog))
		die("listen on %s port %d", addr ? addr : "", port);
	return fd;
}

MAYBE int tcp_accept(int fd)
{
	int conn;

	do
		conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	while (conn < 0 && errno == EINTR);
	if (conn < 0)
		die("accept");
	return conn;
}

MAYBE int sock_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		die("getsockname");
	/* at the same place in sockaddr_in6 */
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

MAYBE int sock_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		die("SO_ERROR");
	return err;
}

MAYBE void set_nonblock(int fd, bool on)
{
	int flags = sys(fcntl(fd, F_GETFL));

	sys(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

/* Tells a script that the server listens: it reads from this fifo. */
MAYBE void write_ready(const char *path, int port)
{
	FILE *f;

	if (!path)
		return;
	f = fopen(path, "w");
	if (!f || fprintf(f, "%d\n", port) < 0 || fclose(f))
		die("%s", path);
}

/* All of it, on a blocking socket. write_full() never raises SIGPIPE. */

MAYBE ssize_t try_write_full(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = send(fd, (const char *)buf + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += n;
	}
	return done;
}

MAYBE void write_full(int fd, const void *buf, size_t len)
{
	if (try_write_full(fd, buf, len) < 0)
		die("send of %zu bytes", len);
}

/* What came before the end of the stream, or -1. */
MAYBE ssize_t try_read_full(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = recv(fd, (char *)buf + done, len - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += n;
	}
	return done;
}

MAYBE void read_full(int fd, void *buf, size_t len)
{
	ssize_t n = try_read_full(fd, buf, len);

	if (n < 0)
		die("recv of %zu bytes", len);
	if ((size_t)n != len)
		fail("end of stream after %zd of %zu bytes", n, len);
}

#endif
