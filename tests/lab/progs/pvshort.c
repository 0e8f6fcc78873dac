// SPDX-License-Identifier: GPL-2.0
/*
 * Short connections, many of them. The server echoes until the end of the
 * stream. The client's threads connect one after the other, and each
 * connection has its own pattern, so that bytes or events of the one before
 * would be noticed. With --mix connections also end in unusual ways: reset, with
 * the answer unread, or half-closed first. With --faults the allocations
 * of the client's threads in the kernel fail as lab-faults has set it.
 */
#include "common.h"
#include <getopt.h>

enum way { PLAIN, HALF, UNREAD, RESET, WAYS };

static const char *opt_addr = "", *opt_ready;
static int opt_port = 5520, opt_threads = 1, opt_conns = 1000, opt_timeout = 300, opt_hold;
static uint64_t opt_bytes = 1;
static bool opt_server, opt_mix, opt_faults;

/* ---- server ---- */

/* Finds a peer that has gone, but had no memory to send a reset. */
static void probe(int fd)
{
	int on = 1, seconds = 5;

	sys(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	sys(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds)));
	sys(setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds)));
}

static void *serve_thread(void *arg)
{
	int listener = *(int *)arg;
	char buf[65536];
	ssize_t n;

	for (;;) {
		int fd = tcp_accept(listener);

		probe(fd);
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			if (try_write_full(fd, buf, n) < 0)
				break;
		close(fd);
	}
	return NULL;
}

static void serve(void)
{
	int fd = tcp_listen(opt_addr, opt_port, 128), i;
	pthread_t thread;

	for (i = 0; i < opt_threads; i++)
		pth(pthread_create(&thread, NULL, serve_thread, &fd));
	write_ready(opt_ready, sock_port(fd));
	pth(pthread_join(thread, NULL));
}

/* ---- client ---- */

static void reset(int fd)
{
	struct linger linger = { 1, 0 };

	sys(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
}

/* Sends @len bytes of the pattern @seed and checks what comes back. */
static void exchange(int fd, uint64_t seed, size_t len, enum way way)
{
	uint8_t buf[65536];
	int64_t wrong;
	char c;

	pattern_fill(buf, len, seed, 0);
	write_full(fd, buf, len);
	if (way == UNREAD)
		return;
	if (way == HALF)
		sys(shutdown(fd, SHUT_WR));
	if (way == RESET) {
		reset(fd);
		return;
	}
	memset(buf, 0, len);
	read_full(fd, buf, len);
	wrong = pattern_verify(buf, len, seed, 0);
	if (wrong >= 0)
		fail("connection %llu: byte %lld of %zu is wrong", (unsigned long long)seed,
		     (long long)wrong, len);
	if (way == HALF && try_read_full(fd, &c, 1))
		fail("connection %llu: more than was sent, or an error", (unsigned long long)seed);
}

/* The calling thread's, once it runs: without memory for a new one the kernel stumbles over its own clearing up. */
static void let_allocations_fail(void)
{
	int fd = sys(open("/proc/thread-self/make-it-fail", O_WRONLY | O_CLOEXEC));

	check(sys(write(fd, "1", 1)) == 1);
	close(fd);
}

static void *client_thread(void *arg)
{
	uint64_t base = (uint64_t)(intptr_t)arg << 32, random = base + 1;
	int i;

	if (opt_faults)
		let_allocations_fail();
	for (i = 0; i < opt_conns; i++) {
		size_t len = opt_bytes == 1 ? 1 : rnd_range(&random, 1, opt_bytes);
		enum way way = opt_mix ? rnd(&random) % WAYS : PLAIN;
		int fd = tcp_connect(opt_addr, opt_port);

		exchange(fd, base + i, len, way);
		sys(close(fd));
	}
	return NULL;
}

/* Opens many at a time, then uses and closes one after the other. */
static void hold(void)
{
	int *fd = calloc(opt_hold, sizeof(*fd)), i;

	for (i = 0; i < opt_hold; i++)
		fd[i] = tcp_connect(opt_addr, opt_port);
	for (i = 0; i < opt_hold; i++) {
		exchange(fd[i], i, opt_bytes, PLAIN);
		sys(close(fd[i]));
	}
	free(fd);
}

static void client(void)
{
	pthread_t thread[opt_threads];
	uint64_t start, ms;
	intptr_t i;

	watchdog(opt_timeout, "short connections");
	start = now_ms();
	if (opt_hold)
		hold();
	for (i = 0; i < opt_threads; i++)
		pth(pthread_create(&thread[i], NULL, client_thread, (void *)i));
	for (i = 0; i < opt_threads; i++)
		pth(pthread_join(thread[i], NULL));
	ms = now_ms() - start ?: 1;
	printf("%d connections in %llu ms: %llu per s\n", opt_threads * opt_conns, (unsigned long long)ms,
	       (unsigned long long)opt_threads * opt_conns * 1000 / ms);
}

__attribute__((noreturn))
static void usage(void)
{
	fprintf(stderr, "usage: pvshort -s [--addr ADDR] [--port PORT] [--threads N] [--ready FIFO]\n"
		"       pvshort ADDR [--port PORT] [--threads N] [--conns N] [--bytes N] [--mix] [--hold N]\n"
		"               [--timeout SECONDS] [--faults]\n");
	exit(2);
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "server", 0, NULL, 's' }, { "addr", 1, NULL, 'a' }, { "port", 1, NULL, 'p' },
		{ "threads", 1, NULL, 't' }, { "conns", 1, NULL, 'n' }, { "bytes", 1, NULL, 'b' },
		{ "mix", 0, NULL, 'm' }, { "hold", 1, NULL, 'h' }, { "ready", 1, NULL, 'r' },
		{ "timeout", 1, NULL, 'T' }, { "faults", 0, NULL, 'f' }, {}
	};
	int c;

	while ((c = getopt_long(argc, argv, "s", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			opt_server = true;
			break;
		case 'a':
			opt_addr = optarg;
			break;
		case 'p':
			opt_port = parse_size(optarg);
			break;
		case 't':
			opt_threads = parse_size(optarg);
			break;
		case 'n':
			opt_conns = parse_size(optarg);
			break;
		case 'b':
			opt_bytes = parse_size(optarg);
			break;
		case 'm':
			opt_mix = true;
			break;
		case 'h':
			opt_hold = parse_size(optarg);
			break;
		case 'r':
			opt_ready = optarg;
			break;
		case 'f':
			opt_faults = true;
			break;
		case 'T':
			opt_timeout = parse_size(optarg);
			break;
		default:
			usage();
		}
	}
	if (optind < argc)
		opt_addr = argv[optind];
	if (opt_threads < 1 || opt_bytes < 1 || opt_bytes > 65536 || (!opt_server && !*opt_addr))
		usage();
}

int main(int argc, char **argv)
{
	options(argc, argv);
	if (opt_server)
		serve();
	else
		client();
	return 0;
}
