/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs that compare socket calls with Linux's own TCP share: named
 * checks, each in a process and under a watchdog, and orders to pvpeer, which
 * is the other end of the connections. Each check also passes over TCP:
 *
 *   pvpeer 127.0.0.1 7000 & pvsem 127.0.0.1 7000
 */
#ifndef PV_SEM_H
#define PV_SEM_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "order.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MIB		(1024 * 1024)

/* Long for an emulated machine that shares its cores, short for a hang */
#ifndef CHECK_SECONDS
#define CHECK_SECONDS	120
#endif

struct check {
	const char *name;
	void (*run)(void);
};

static const char *sem_check = "start", *sem_step = "start";
static int sem_failures;
static struct sockaddr_in sem_addr;
static int sem_ctl = -1;
static long sem_extra;

/* ---- bytes: each has a value that its place in the stream tells ---- */

static inline unsigned char pattern_at(uint64_t i)
{
	return i * 7 + (i >> 8) * 31 + (i >> 16) * 17;
}

static inline void pattern_fill(void *buf, size_t len, uint64_t at)
{
	unsigned char *p = buf;

	while (len--)
		*p++ = pattern_at(at++);
}

/* The first byte that is wrong, or -1 */
static inline long pattern_bad(const void *buf, size_t len, uint64_t at)
{
	const unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != pattern_at(at + i))
			return at + i;
	return -1;
}

/* ---- verdicts ---- */

static inline const char *sem_name(long v, char *buf, size_t len)
{
	const char *name = v < 0 && v > -4096 ? strerrorname_np(-v) : NULL;

	if (name)
		snprintf(buf, len, "%s", name);
	else
		snprintf(buf, len, "%ld (0x%lx)", v, v);
	return buf;
}

static inline void __attribute__((format(printf, 1, 2)))
sem_fail(const char *fmt, ...)
{
	va_list ap;
	char text[400];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("FAIL %s: %s\n", sem_check, text);
	fflush(stdout);
	sem_failures++;
}

static inline bool sem_expect(int line, const char *what, long want, long got)
{
	char w[64], g[64];

	if (want == got)
		return true;
	sem_fail("%s: expected %s, got %s (line %d)", what,
		 sem_name(want, w, sizeof(w)), sem_name(got, g, sizeof(g)),
		 line);
	return false;
}

/* A call's value, or its error, negative */
#define RC(call) ({							\
	long rc_ = (call);						\
									\
	rc_ == -1 ? -(long)errno : rc_;					\
})

/* The watchdog names @what if @call never returns. */
#define EXPECT(what, want, call)					\
	(sem_step = (what), sem_expect(__LINE__, (what), (want), RC(call)))

/* The same; without it nothing else in this check makes sense. */
#define MUST(what, want, call) do {					\
	if (!EXPECT(what, want, call))					\
		_exit(1);						\
} while (0)

/* A value that must not be negative; it is returned. */
#define GET(what, call) ({						\
	long get_;							\
									\
	sem_step = (what);						\
	get_ = RC(call);						\
	if (get_ < 0) {							\
		sem_expect(__LINE__, (what), 0, get_);			\
		_exit(1);						\
	}								\
	get_;								\
})

#define TRUE(what, cond) EXPECT(what, 1, !!(cond))

/* These bytes are the stream's, from number @at on. */
#define BYTES(what, buf, len, at)					\
	TRUE(what, pattern_bad(buf, len, at) == -1)

/* A poll mask must have the bits @want of the bits @look. */
#define BITS(what, want, look, got)					\
	EXPECT(what, want, (long)(got) & (look))

static inline double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static inline void sem_hang(int sig)
{
	char text[300];
	int n = snprintf(text, sizeof(text), "HANG in %s: %s\n", sem_check,
			 sem_step);

	(void)sig;
	if (write(STDOUT_FILENO, text, n) < 0)
		_exit(4);
	_exit(3);
}

static inline void watchdog(int seconds)
{
	signal(SIGALRM, sem_hang);
	alarm(seconds);
}

/* Runs one check in a process of its own: true if it passed. */
static inline bool check_run(const struct check *check, int seconds)
{
	double begin = now();
	int status = 0;
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		sem_check = check->name;
		watchdog(seconds);
		check->run();
		alarm(0);
		_exit(sem_failures ? 1 : 0);
	}
	if (!child_wait(pid, seconds + 10, &status)) {
		printf("HANG in %s: does not even take a signal\n",
		       check->name);
		return false;
	}
	if (!WIFEXITED(status))
		printf("FAIL %s: died of signal %d\n", check->name,
		       WTERMSIG(status));
	printf("%s %s (%.2f s)\n", status ? "not ok" : "ok", check->name,
	       now() - begin);
	fflush(stdout);
	return !status;
}

static inline int checks_run(const struct check *checks, size_t n, char **names)
{
	int bad = 0, ran = 0;
	char **name;
	size_t i;

	for (i = 0; i < n; i++) {
		for (name = names; *name; name++)
			if (!strcmp(*name, checks[i].name))
				break;
		if (*names && !*name)
			continue;
		bad += !check_run(&checks[i], CHECK_SECONDS);
		ran++;
	}
	printf("%d checks, %d failed\n", ran, bad);
	return bad || !ran;
}

/* PROGRAM --help | --list | ADDRESS PORT [CHECK]... */
static inline int checks_main(int argc, char **argv, const char *about,
			      const struct check *checks, size_t n)
{
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < n; i++)
			puts(checks[i].name);
		return 0;
	}
	if (argc < 3 || !strcmp(argv[1], "--help")) {
		printf("usage: %s --list\n"
		       "       %s ADDRESS PORT [CHECK]...\n"
		       "%s\n"
		       "ADDRESS and PORT are those of a pvpeer, IPv4.\n",
		       argv[0], argv[0], about);
		return argc < 3 && !(argc == 2 && !strcmp(argv[1], "--help")) ?
		       2 : 0;
	}
	sem_addr.sin_family = AF_INET;
	sem_addr.sin_port = htons(atoi(argv[2]));
	if (!inet_pton(AF_INET, argv[1], &sem_addr.sin_addr)) {
		fprintf(stderr, "%s: not an IPv4 address\n", argv[1]);
		return 2;
	}
	return checks_run(checks, n, argv + 3);
}

#include "semio.h"

#endif
