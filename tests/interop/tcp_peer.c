// SPDX-License-Identifier: GPL-2.0
/*
 * The other end of the tests' connections: an ordinary TCP server in Dom0.
 *
 *   tcp_peer [-b BASEPORT]
 *
 * wire.h says what it does on which port. One process for each connection.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire.h"

#define CHUNK	65536
#define KEPT	4096	/* results of OP_TAIL */
#define PATIENCE 60	/* seconds that a peer may take over its next byte */

static struct wire_result *kept;
static uint8_t buf[CHUNK];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static bool put(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static bool get(int fd, void *data, size_t len)
{
	return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static bool give(int fd, uint64_t len, uint64_t seed)
{
	uint64_t off = 0;

	while (off < len) {
		size_t n = len - off < CHUNK ? len - off : CHUNK;

		wire_fill(buf, n, seed, off);
		if (!put(fd, buf, n))
			return false;
		off += n;
	}
	return true;
}

/* Reads @len bytes, or as many as come, and compares each. */
static struct wire_result take(int fd, uint64_t len, uint64_t seed)
{
	struct wire_result res = { .magic = WIRE_MAGIC, .wrong_at = ~0ULL };

	while (res.bytes < len) {
		uint64_t left = len - res.bytes, bad;
		ssize_t n;

		n = recv(fd, buf, left < CHUNK ? left : CHUNK, 0);
		if (n <= 0)
			break;
		bad = wire_check(buf, n, seed, res.bytes);
		if (res.wrong_at == ~0ULL)
			res.wrong_at = bad;
		res.bytes += n;
	}
	res.done = 1;
	return res;
}

static void duplex(int fd, const struct wire_order *order)
{
	struct wire_result res;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		exit(!give(fd, order->len, order->seed + 1));
	res = take(fd, order->len, order->seed);
	waitpid(pid, NULL, 0);
	put(fd, &res, sizeof(res));
}

static bool callback_one(const struct wire_order *order, struct in_addr addr)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(order->port),
		.sin_addr = addr,
	};
	struct wire_result res = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	if (!connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			exit(!give(fd, order->len, order->seed));
		res = take(fd, order->len, order->seed);
		waitpid(pid, NULL, 0);
	}
	close(fd);
	return res.bytes == order->len && res.wrong_at == ~0ULL;
}

/*
 * The client listens with an address of this host. One process for each
 * connection, all at once.
 */
static void callback(int fd, const struct wire_order *order)
{
	struct wire_result res = {
		.magic = WIRE_MAGIC, .done = 1, .wrong_at = ~0ULL
	};
	struct sockaddr_in self;
	socklen_t len = sizeof(self);
	unsigned int i;
	int status;

	if (getsockname(fd, (struct sockaddr *)&self, &len))
		die("getsockname");
	usleep(order->delay_ms * 1000);
	for (i = 0; i < order->count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			exit(!callback_one(order, self.sin_addr));
	}
	while (wait(&status) > 0)
		res.bytes += !status;
	put(fd, &res, sizeof(res));
}

static void query(int fd, const struct wire_order *order)
{
	struct wire_result *res = &kept[order->key % KEPT];
	int i;

	for (i = 0; i < 500 && !__atomic_load_n(&res->done, __ATOMIC_ACQUIRE);
	     i++)
		usleep(20000);
	put(fd, res, sizeof(*res));
}

static void serve_orders(int fd)
{
	struct wire_order order;
	struct wire_result res;

	while (get(fd, &order, sizeof(order)) && order.magic == WIRE_MAGIC) {
		switch (order.op) {
		case OP_SINK:
			res = take(fd, order.len, order.seed);
			put(fd, &res, sizeof(res));
			break;
		case OP_SOURCE:
			give(fd, order.len, order.seed);
			break;
		case OP_DUPLEX:
			duplex(fd, &order);
			break;
		case OP_TAIL:
			res = take(fd, ~0ULL, order.seed);
			res.done = 0;
			kept[order.key % KEPT] = res;
			__atomic_store_n(&kept[order.key % KEPT].done, 1,
					 __ATOMIC_RELEASE);
			break;
		case OP_QUERY:
			query(fd, &order);
			break;
		case OP_CALLBACK:
			callback(fd, &order);
			break;
		}
	}
}

static void serve(int port, int fd)
{
	struct linger hard = { .l_onoff = 1 };
	ssize_t n;

	switch (port) {
	case PORT_ORDERS:
		serve_orders(fd);
		break;
	case PORT_GREET:
		give(fd, GREET_BYTES, GREET_SEED);
		take(fd, ~0ULL, 0);
		break;
	case PORT_STREAM:
		give(fd, ~0ULL, STREAM_SEED);
		break;
	case PORT_ECHO:
		while ((n = recv(fd, buf, CHUNK, 0)) > 0)
			put(fd, buf, n);
		break;
	case PORT_GIVE:
		give(fd, GREET_BYTES, GREET_SEED);
		shutdown(fd, SHUT_WR);
		take(fd, ~0ULL, 0);
		break;
	case PORT_RESET:
		recv(fd, buf, 1, 0);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		break;
	}
}

static int open_port(int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, 512))
		die("listen");
	return fd;
}

int main(int argc, char **argv)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	struct pollfd fds[PORT_COUNT];
	int base = 7000, opt, i;

	while ((opt = getopt(argc, argv, "b:")) != -1) {
		if (opt != 'b') {
			fprintf(stderr, "usage: tcp_peer [-b BASEPORT]\n");
			return 2;
		}
		base = atoi(optarg);
	}
	kept = mmap(NULL, KEPT * sizeof(*kept), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (kept == MAP_FAILED)
		die("mmap");
	for (i = 0; i < PORT_COUNT; i++) {
		fds[i].fd = open_port(base + i);
		fds[i].events = POLLIN;
	}
	signal(SIGCHLD, SIG_IGN);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(fds, PORT_COUNT, -1) < 0)
			die("poll");
		for (i = 0; i < PORT_COUNT; i++) {
			int fd;

			if (!fds[i].revents)
				continue;
			fd = accept(fds[i].fd, NULL, NULL);
			if (fd < 0)
				continue;
			if (!fork()) {
				signal(SIGCHLD, SIG_DFL);
				setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO,
					   &patience, sizeof(patience));
				setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO,
					   &patience, sizeof(patience));
				serve(i, fd);
				exit(0);
			}
			close(fd);
		}
	}
}
