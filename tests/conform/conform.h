/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvconform runs each case twice, over Linux's own TCP and over ours, and
 * compares what the two runs have said, line by line. A case makes calls and
 * says what came of them; nothing in it depends on addresses or times.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- trace.c: what a case says ---- */

#define MAX_LINES	700

struct line {
	char label[72];
	char value[160];
};

struct trace {
	unsigned int lines;
	char step[72];
	char skip[100];
	bool done;
	double seconds;
	struct line line[MAX_LINES];
};

extern struct trace *trace;

void say(const char *label, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void step(const char *label);
void skip(const char *why);
const char *error_name(long err);
long said(const char *label, long ret);

/* A call's value, or its error, negative */
#define RC(call) ({							\
	long rc_ = (call);						\
									\
	rc_ == -1 ? -(long)errno : rc_;					\
})

/* Makes a call and says what came of it, which it returns too */
#define R(label, call) (step(label), said(label, RC(call)))

/* ---- world.c: the other end, and names ---- */

/* Where the other end is: pvpeer listens on PORT of both addresses */
struct world {
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	bool has_v6;
};

extern struct world world;

/* An order to pvpeer, see there: the answer's first number */
long peer(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The second number of the last answer */
extern long peer_extra;
const char *peer_ip(void);
const char *peer_ip6(void);
/* pvpeer is to leave @fd, which is connected to it, to orders for @key */
void peer_hold(int fd, const char *key);
/* A connection that pvpeer does nothing with but on orders for @key */
int peer_conn(const char *key);
int peer_conn6(const char *key);
/* An address where a connection is refused */
struct sockaddr_in closed_port(void);
/* An address that never answers */
struct sockaddr_in hole(void);
/* A listener on any address; its port */
int listener(int family, int flags, int *port);
/* The same, and a connection from pvpeer that is accepted */
int dialled(const char *key);

void show_addr(const char *label, const void *sa, socklen_t len);
void show_name(const char *label, int fd, bool peer);
int sock4(void);
int conn4(int fd);

/* ---- io.c: what cases do often ---- */

double now(void);
int get_int(int fd, int level, int name);
int set_int(int fd, int level, int name, int value);
int set_time(int fd, int name, int ms);
int set_linger(int fd, int on, int seconds);
void set_nonblock(int fd, bool on);
int poll_for(int fd, short want, int ms);
const char *poll_names(unsigned int events);
/* Waits for all of @want, then says all that poll() tells */
void show_poll(const char *label, int fd, short want);
void show_epoll(const char *label, int ep, int ms);
/* Waits until so much can be read, or a while in vain */
void await_bytes(int fd, int n);
void await_acked(int fd);
long send_bytes(int fd, long n, int flags);
long recv_bytes(int fd, long n, int flags);
/* Reads until the end: bytes, or the error */
long recv_all(int fd);
/* Fills a connection that nobody reads: how many bytes went in */
long fill(int fd);
void hex(const char *label, const void *p, size_t n);

/* A blocking call in a thread of its own */
struct blocked {
	long (*call)(struct blocked *b);
	int fd;
	void *arg;
	long ret;
	pthread_t thread;
	volatile pid_t tid;
};

/* Returns when the thread sleeps in the call */
void blocked_start(struct blocked *b, int fd, long (*call)(struct blocked *));
long blocked_end(const char *label, struct blocked *b);
void wait_asleep(pid_t pid, pid_t tid);
long in_recv(struct blocked *b);
long in_send(struct blocked *b);
long in_accept(struct blocked *b);
long in_connect(struct blocked *b);
long in_poll(struct blocked *b);

/* ---- cases ---- */

struct test {
	const char *name;
	void (*run)(void);
};

#define THEME(theme)							\
	const struct test theme##_tests[] = {
#define THEME_END(theme) };						\
	const unsigned int theme##_count = ARRAY_SIZE(theme##_tests)

#define THEMES(X) X(connects) X(listens) X(flags) X(transfers) X(ends)	\
	X(polls) X(options) X(ioctls) X(names) X(bad) X(threads)	\
	X(descriptors) X(signals) X(ipv6) X(uring)

#define DECLARE(theme)							\
	extern const struct test theme##_tests[];				\
	extern const unsigned int theme##_count;

THEMES(DECLARE)

#endif
