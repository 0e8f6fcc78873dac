// SPDX-License-Identifier: GPL-2.0
/*
 * Drives a PV Calls frontend with ordinary socket calls, against tcp_peer in
 * Dom0. With -f 19 the sockets are those of intree_sock.c, that is, of the
 * in-tree frontend; with the default, AF_INET, whatever serves that.
 *
 *   interop_sock [-f FAMILY] [-a ADDRESS] [-b BASEPORT] [-w SECONDS] --list
 *   interop_sock [...] [CASE]...
 *
 * One line for each case, exit code 0 if all passed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock.h"

#define MIB	(1024 * 1024)

static int must_connect(int port)
{
	int fd = sock_connect(port);

	if (fd < 0)
		fail("connect: %s", strerror(-fd));
	return fd;
}

static void echo(int fd, uint64_t len, uint64_t seed, size_t most)
{
	stream_both(fd, len, seed, len, seed, most);
}

static void echo_once(void)
{
	int fd = must_connect(PORT_ECHO);

	echo(fd, 1, 1, 1);
	echo(fd, 5000, 2, 5000);
	sock_close(fd);
}

static void case_echo(void)
{
	int fd = must_connect(PORT_ECHO);
	size_t len;

	for (len = 1; len <= MIB; len = len * 3 + 1)
		echo(fd, len, len, 20000);
	sock_close(fd);
}

static void case_out(void)
{
	int fd = must_connect(PORT_ORDERS);

	sock_order(fd, OP_SINK, 8 * MIB, 3);
	stream_put(fd, 8 * MIB, 3, 50000);
	sock_result(fd, 8 * MIB);
	sock_close(fd);
}

static void case_in(void)
{
	int fd = must_connect(PORT_ORDERS);

	sock_order(fd, OP_SOURCE, 8 * MIB, 4);
	stream_get(fd, 8 * MIB, 4, 50000);
	sock_close(fd);
}

static void case_duplex(void)
{
	int fd = must_connect(PORT_ORDERS);

	sock_order(fd, OP_DUPLEX, 8 * MIB, 5);
	stream_both(fd, 8 * MIB, 5, 8 * MIB, 6, 30000);
	sock_result(fd, 8 * MIB);
	sock_close(fd);
}

static void case_slow_reader(void)
{
	int fd = must_connect(PORT_STREAM), i;

	/* The ring is full each time, the backend has to be woken each time. */
	for (i = 0; i < 20; i++) {
		static uint64_t got;
		uint8_t buf[40000];
		uint64_t bad;

		usleep(100000);
		sock_get(fd, buf, sizeof(buf));
		bad = wire_check(buf, sizeof(buf), STREAM_SEED, got);
		if (bad != ~0ULL)
			fail("byte %llu arrived changed",
			     (unsigned long long)bad);
		got += sizeof(buf);
	}
	sock_close(fd);
}

static void case_receive_only(void)
{
	int fd = must_connect(PORT_STREAM);
	uint64_t got = 0;

	while (got < 32 * MIB) {
		uint8_t buf[30000];
		size_t n = sock_get_some(fd, buf, sizeof(buf));
		uint64_t bad = wire_check(buf, n, STREAM_SEED, got);

		if (!n)
			fail("the stream ended");
		if (bad != ~0ULL)
			fail("byte %llu arrived changed",
			     (unsigned long long)bad);
		got += n;
	}
	sock_close(fd);
}

static void case_server_first(void)
{
	int i;

	for (i = 0; i < 20; i++) {
		int fd = must_connect(PORT_GREET);

		usleep(i * 10000);
		stream_get(fd, GREET_BYTES, GREET_SEED, 30000);
		sock_close(fd);
	}
}

static void case_server_closes(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		int fd = must_connect(PORT_GIVE);

		usleep(i * 20000);
		stream_get(fd, GREET_BYTES, GREET_SEED, 30000);
		sock_want_end(fd);
		sock_close(fd);
	}
}

static void case_server_resets(void)
{
	int fd = must_connect(PORT_RESET);
	uint8_t byte = 0;
	ssize_t n;

	sock_put(fd, &byte, 1);
	if (!sock_wait(fd, POLLIN, sock_patience * 1000))
		fail("the reset was never seen");
	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	if (n > 0 || (n < 0 && errno != ECONNRESET))
		fail("recv: %zd, %m", n);
	sock_close(fd);
}

/* What is written before a close arrives, down to the last byte. */
static void case_tail(void)
{
	static const uint32_t sizes[] = {
		1, 2, 100, 4095, 4096, 4097, 20000, 32767, 32768, 32769,
		65536, 200000, MIB
	};
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct wire_order order = {
			.magic = WIRE_MAGIC, .op = OP_TAIL, .len = sizes[i],
			.seed = sizes[i], .key = 4096 - i + getpid() * 16,
		};
		int fd = must_connect(PORT_ORDERS);

		sock_put(fd, &order, sizeof(order));
		stream_put(fd, sizes[i], sizes[i], 65536);
		sock_close(fd);
		fd = must_connect(PORT_ORDERS);
		order.op = OP_QUERY;
		sock_put(fd, &order, sizeof(order));
		sock_result(fd, sizes[i]);
		sock_close(fd);
	}
}

static void case_refused(void)
{
	int i, err;

	for (i = 0; i < 20; i++) {
		err = sock_connect(PORT_NOBODY);
		if (err != -ECONNREFUSED)
			fail("connect: %s instead of ECONNREFUSED",
			     err < 0 ? strerror(-err) : "success");
	}
	echo_once();
}

static void case_churn(void)
{
	int i;

	for (i = 0; i < 100; i++)
		echo_once();
}

static void case_many(void)
{
	int fds[20], i, round;

	for (i = 0; i < 20; i++)
		fds[i] = must_connect(PORT_ECHO);
	for (round = 0; round < 5; round++)
		for (i = 0; i < 20; i++)
			echo(fds[i], 10000, round * 20 + i, 3000);
	for (i = 0; i < 20; i++)
		sock_close(fds[i]);
}

static int ask_callback(int port, int count, uint64_t len, int delay_ms)
{
	struct wire_order order = {
		.magic = WIRE_MAGIC, .op = OP_CALLBACK, .len = len, .seed = 9,
		.count = count, .port = port, .delay_ms = delay_ms,
	};
	int fd = must_connect(PORT_ORDERS);

	sock_put(fd, &order, sizeof(order));
	return fd;
}

static void serve_echo(int fd, uint64_t len)
{
	uint8_t buf[8192];

	while (len) {
		size_t n = sock_get_some(fd, buf,
					 len < sizeof(buf) ? len : sizeof(buf));

		if (!n)
			fail("the stream ended too early");
		sock_put(fd, buf, n);
		len -= n;
	}
	/* Let the peer close first, as it has what it wants by now. */
	sock_want_end(fd);
	sock_close(fd);
}

static void case_accept(void)
{
	int listener = sock_listen(7101, 16), orders, i;

	/* The first one waits in accept, the others are there already. */
	orders = ask_callback(7101, 5, 20000, 500);
	for (i = 0; i < 5; i++)
		serve_echo(sock_accept(listener), 20000);
	sock_result(orders, 5);
	sock_close(orders);
	sock_close(listener);
}

static void case_poll(void)
{
	int listener = sock_listen(7102, 16), orders, i;

	for (i = 0; i < 5; i++) {
		if (sock_wait(listener, POLLIN, 200))
			fail("poll sees a connection that nobody made");
		orders = ask_callback(7102, 1, 3000, 300);
		if (!sock_wait(listener, POLLIN, sock_patience * 1000))
			fail("poll never saw the connection");
		serve_echo(sock_accept(listener), 3000);
		sock_result(orders, 1);
		sock_close(orders);
	}
	sock_close(listener);
}

static void case_many_listeners(void)
{
	int fds[20], orders[20], i;

	for (i = 0; i < 20; i++) {
		fds[i] = sock_listen(7110 + i, 4);
		sock_wait(fds[i], POLLIN, 0);
	}
	for (i = 19; i >= 0; i--)
		orders[i] = ask_callback(7110 + i, 1, 2000, 0);
	for (i = 0; i < 20; i++) {
		if (!sock_wait(fds[i], POLLIN, sock_patience * 1000))
			fail("poll never saw connection %d", i);
		serve_echo(sock_accept(fds[i]), 2000);
		sock_result(orders[i], 1);
		sock_close(orders[i]);
		sock_close(fds[i]);
	}
}

/* A poll that is outstanding when its socket goes must not be forgotten. */
static void case_close_polled(void)
{
	int i;

	for (i = 0; i < 40; i++) {
		int fd = sock_listen(7103, 4);

		sock_wait(fd, POLLIN, 10);
		sock_close(fd);
	}
	echo_once();
}

static void case_listen_in_use(void)
{
	int fd = sock_listen(7104, 4), i;

	sock_close(fd);
	for (i = 0; i < 10; i++) {
		fd = sock_listen(7104, 4);
		sock_close(fd);
	}
}

/* What even the in-tree backend can do */
static void case_hello(void)
{
	echo_once();
	echo_once();
}

static const struct {
	const char *name;
	void (*run)(void);
	unsigned int seconds;
} cases[] = {
	{ "hello", case_hello, 20 },
	{ "echo", case_echo, 60 },
	{ "out", case_out, 60 },
	{ "in", case_in, 60 },
	{ "duplex", case_duplex, 90 },
	{ "slow-reader", case_slow_reader, 60 },
	{ "receive-only", case_receive_only, 60 },
	{ "server-first", case_server_first, 60 },
	{ "server-closes", case_server_closes, 60 },
	{ "server-resets", case_server_resets, 60 },
	{ "tail", case_tail, 90 },
	{ "refused", case_refused, 60 },
	{ "churn", case_churn, 90 },
	{ "many", case_many, 60 },
	{ "accept", case_accept, 60 },
	{ "poll", case_poll, 60 },
	{ "many-listeners", case_many_listeners, 60 },
	{ "close-polled", case_close_polled, 60 },
	{ "listen-in-use", case_listen_in_use, 60 },
};

#define CASES	(sizeof(cases) / sizeof(*cases))

/* A case runs in a process of its own, so that one that hangs is seen. */
static bool run(unsigned int i)
{
	double start = now(), end = start + cases[i].seconds;
	char text[200] = "";
	int out[2], status = 0;
	pid_t pid, done;

	if (pipe(out))
		fail("pipe: %m");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork: %m");
	if (!pid) {
		dup2(out[1], 1);
		cases[i].run();
		_exit(0);
	}
	close(out[1]);
	while (!(done = waitpid(pid, &status, WNOHANG)) && now() < end)
		usleep(5000);
	if (!done) {
		kill(pid, SIGKILL);
		/* It may be stuck where even this does not reach it. */
		printf("FAIL %s: not done after %u s\n", cases[i].name,
		       cases[i].seconds);
	} else if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		printf("PASS %s (%.1f s)\n", cases[i].name, now() - start);
	} else {
		ssize_t n = read(out[0], text, sizeof(text) - 1);

		text[n > 0 ? n : 0] = 0;
		text[strcspn(text, "\n")] = 0;
		printf("FAIL %s: %s\n", cases[i].name,
		       *text ? text : "died");
	}
	fflush(stdout);
	close(out[0]);
	return done && !status;
}

static bool wanted(const char *name, char **names, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return !count;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "list", no_argument, NULL, 'l' }, { 0 }
	};
	unsigned int i, ran = 0, bad = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "f:a:b:w:", options,
				  NULL)) != -1) {
		switch (opt) {
		case 'f':
			sock_family = atoi(optarg);
			break;
		case 'a':
			sock_host = optarg;
			break;
		case 'b':
			sock_base = atoi(optarg);
			break;
		case 'w':
			sock_patience = atoi(optarg);
			break;
		case 'l':
			for (i = 0; i < CASES; i++)
				puts(cases[i].name);
			return 0;
		default:
			return 2;
		}
	}
	for (i = 0; i < CASES; i++) {
		if (!wanted(cases[i].name, argv + optind, argc - optind))
			continue;
		ran++;
		bad += !run(i);
	}
	if (!ran) {
		fprintf(stderr, "interop_sock: no such case\n");
		return 2;
	}
	return !!bad;
}
