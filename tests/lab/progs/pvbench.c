// SPDX-License-Identifier: GPL-2.0
/*
 * What `make bench` measures and iperf3 can't. The server is one thread on
 * epoll; the first byte of a connection says what it is for:
 *
 *   e         sends back what comes
 *   k SIZE    reads, SIZE bytes at a time
 *   s SIZE    writes, SIZE bytes at a time, for ever
 *   q         answers each byte with its clock and how much "k" has read
 *
 * The client prints a value for each window of time, with commas between;
 * rr and cr with --count make so many and print the number.
 *
 *   rr        exchanges of a byte, per second
 *   cr        connect, exchange of a byte, close; per second
 *   out, in   Mbit/s as the receiver counts, --streams connections on epoll;
 *             a word to --ready when all have been at work for a while
 *   latency   of an exchange of a byte, microseconds: p50,p99,longest
 *   idle      --streams connections that do nothing between a first exchange
 *             and one more that is made when somebody writes to --hold
 */
#include "common.h"
#include <getopt.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define MAX_FDS		65536
#define MAX_SAMPLES	(1 << 20)
#define MAX_WINDOWS	100
#define MAX_SIZE	(1 << 20)

struct head {
	uint8_t op;
	uint32_t size;
} __attribute__((packed));

struct count {
	uint64_t ns, bytes;
};

struct conn {
	struct head head;
	int have;
};

static const char *opt_addr = "10.0.0.1", *opt_ready, *opt_hold;
static int opt_port = 5510, opt_family = AF_INET, opt_streams = 1;
static int opt_windows = 5, opt_window = 1000, opt_warm = 500, opt_stall = 10, opt_count;
static uint64_t opt_size = 65536;
static char buf[MAX_SIZE];

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void watch(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	sys(epoll_ctl(ep, op, fd, &e));
}

static void no_delay(int fd)
{
	int one = 1;

	/* an address family of one's own may not know it */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* ---- server ---- */

static struct conn conns[MAX_FDS];
static uint64_t sunk;

/* False: the connection is over. */
static bool serve_head(int ep, int fd, struct conn *c)
{
	ssize_t n = recv(fd, (char *)&c->head + c->have,
			 sizeof(c->head) - c->have, 0);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->have += n;
	switch (c->head.op) {
	case 'e':
	case 'q':
		if (c->head.op == 'e' && send(fd, &c->head, c->have, MSG_NOSIGNAL) < 0)
			return false;
		c->have = sizeof(c->head);
		return true;
	case 'k':
	case 's':
		if (c->have < (int)sizeof(c->head))
			return true;
		if (!c->head.size || c->head.size > MAX_SIZE)
			return false;
		if (c->head.op == 's')
			watch(ep, EPOLL_CTL_MOD, fd, EPOLLOUT | EPOLLRDHUP);
		return true;
	}
	return false;
}

static bool serve_conn(int ep, int fd, uint32_t events)
{
	struct conn *c = &conns[fd];
	struct count count;
	ssize_t n;

	if (c->have < (int)sizeof(c->head))
		return serve_head(ep, fd, c);
	switch (c->head.op) {
	case 's':
		if (events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP))
			return false;
		n = send(fd, buf, c->head.size, MSG_NOSIGNAL);
		return n > 0 || errno == EAGAIN;
	case 'k':
		n = recv(fd, buf, c->head.size, 0);
		if (n > 0)
			sunk += n;
		break;
	default:
		n = recv(fd, buf, 4096, 0);
		if (n > 0 && c->head.op == 'e')
			n = send(fd, buf, n, MSG_NOSIGNAL);
		if (n > 0 && c->head.op == 'q') {
			count.ns = now_ns();
			count.bytes = sunk;
			n = send(fd, &count, sizeof(count), MSG_NOSIGNAL);
		}
	}
	return n > 0 || (n < 0 && errno == EAGAIN);
}

__attribute__((noreturn))
static void serve(void)
{
	int listener = tcp_listen(opt_addr, opt_port, 4096), ep = sys(epoll_create1(0));
	struct epoll_event e[64];
	int i, n, fd;

	set_nonblock(listener, true);
	watch(ep, EPOLL_CTL_ADD, listener, EPOLLIN);
	write_ready(opt_ready, sock_port(listener));
	for (;;) {
		n = epoll_wait(ep, e, 64, -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (i = 0; i < n; i++) {
			if (e[i].data.fd != listener) {
				if (!serve_conn(ep, e[i].data.fd, e[i].events))
					close(e[i].data.fd);
				continue;
			}
			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
			if (fd < 0)
				continue;
			check(fd < MAX_FDS);
			memset(&conns[fd], 0, sizeof(conns[fd]));
			no_delay(fd);
			watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN);
		}
	}
}

/* ---- client ---- */

static double values[MAX_WINDOWS];

static void print_values(int n, const char *format)
{
	int i;

	for (i = 0; i < n; i++) {
		if (i)
			putchar(',');
		printf(format, values[i]);
	}
	putchar('\n');
}

static int dial(void)
{
	struct sockaddr_storage ss;
	socklen_t len = address(opt_addr, opt_port, &ss);
	int fd = sys(socket(opt_family, SOCK_STREAM, 0));

	if (connect(fd, (struct sockaddr *)&ss, len))
		die("connect to %s port %d", opt_addr, opt_port);
	no_delay(fd);
	return fd;
}

/* The first byte makes the connection one that echoes. */
static void exchange(int fd)
{
	char c = 'e';

	write_full(fd, &c, 1);
	read_full(fd, &c, 1);
	check(c == 'e');
}

static void one(bool connection, int fd)
{
	if (connection)
		fd = dial();
	exchange(fd);
	if (connection)
		close(fd);
}

static void rate(bool connections)
{
	uint64_t begin, end, n;
	int i, fd = -1;

	if (!connections)
		fd = dial();
	for (i = 0; i < opt_count; i++) {
		watchdog(opt_stall, "%s %d", connections ? "cr" : "rr", i);
		one(connections, fd);
	}
	if (opt_count) {
		printf("%d\n", opt_count);
		return;
	}
	for (i = -1; i < opt_windows; i++) {
		begin = now_ns();
		end = begin + (i < 0 ? opt_warm : opt_window) * 1000000ULL;
		watchdog(opt_stall + opt_window / 1000 + 1, "%s window %d",
			 connections ? "cr" : "rr", i);
		for (n = 0; now_ns() < end; n++)
			one(connections, fd);
		if (i >= 0)
			values[i] = n * 1e9 / (now_ns() - begin);
	}
	print_values(opt_windows, "%.0f");
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void latency(void)
{
	uint32_t *sample = malloc(MAX_SAMPLES * sizeof(*sample));
	uint64_t warm, begin, end;
	int fd = dial(), n = 0;

	check(sample);
	warm = now_ns() + opt_warm * 1000000ULL;
	end = warm + (uint64_t)opt_windows * opt_window * 1000000ULL;
	for (begin = now_ns(); begin < end && n < MAX_SAMPLES;) {
		uint64_t next;

		watchdog(opt_stall, "exchange %d", n);
		exchange(fd);
		next = now_ns();
		if (begin >= warm)
			sample[n++] = next - begin;
		begin = next;
	}
	check(n > 0);
	qsort(sample, n, sizeof(*sample), compare);
	values[0] = sample[n / 2] / 1e3;
	values[1] = sample[(int)(n * 0.99)] / 1e3;
	values[2] = sample[n - 1] / 1e3;
	print_values(3, "%.1f");
}

struct bulk {
	int ep, asks, windows;
	bool out, asked;
	uint64_t moved, at;
	struct count last;
};

/* A window is over; the first one is what comes before all windows. */
static void bulk_window(struct bulk *b, struct count count)
{
	if (!b->windows)
		write_ready(opt_ready, opt_streams);
	if (b->windows++)
		values[b->windows - 2] = (count.bytes - b->last.bytes) * 8e3 /
					 (count.ns - b->last.ns);
	b->last = count;
	b->at = now_ns() + opt_window * 1000000ULL;
	b->asked = false;
}

static void bulk_event(struct bulk *b, int fd)
{
	struct count count;
	ssize_t n;

	if (fd == b->asks) {
		read_full(fd, &count, sizeof(count));
		bulk_window(b, count);
		return;
	}
	if (b->out)
		n = send(fd, buf, opt_size, MSG_NOSIGNAL);
	else
		n = recv(fd, buf, opt_size, 0);
	if (n > 0) {
		b->moved += n;
		watchdog(opt_stall, "stream, stalled after %llu bytes",
			 (unsigned long long)b->moved);
	} else if (!n || errno != EAGAIN) {
		die("stream ends");
	}
}

static void bulk(bool out)
{
	struct bulk b = { .ep = sys(epoll_create1(0)), .out = out, .asks = -1 };
	struct head head = { out ? 'k' : 's', opt_size };
	struct epoll_event e[64];
	int i, n, fd;

	watchdog(opt_stall + opt_streams / 10, "connect");
	if (out) {
		b.asks = dial();
		write_full(b.asks, "q", 1);
		watch(b.ep, EPOLL_CTL_ADD, b.asks, EPOLLIN);
	}
	for (i = 0; i < opt_streams; i++) {
		fd = dial();
		write_full(fd, &head, sizeof(head));
		set_nonblock(fd, true);
		watch(b.ep, EPOLL_CTL_ADD, fd, out ? EPOLLOUT : EPOLLIN);
	}
	watchdog(opt_stall, "stream, stalled at its beginning");
	b.at = now_ns() + opt_warm * 1000000ULL;
	while (b.windows <= opt_windows) {
		n = sys(epoll_wait(b.ep, e, 64, 100));
		for (i = 0; i < n; i++)
			bulk_event(&b, e[i].data.fd);
		if (b.asked || now_ns() < b.at)
			continue;
		if (out)
			write_full(b.asks, "q", 1);
		else
			bulk_window(&b, (struct count) { now_ns(), b.moved });
		b.asked = out;
	}
	print_values(opt_windows, "%.1f");
}

static void idle(void)
{
	int *fds = calloc(opt_streams, sizeof(*fds));
	char line[16];
	int i, fd;

	check(fds && opt_hold);
	for (i = 0; i < opt_streams; i++) {
		watchdog(opt_stall, "connection %d", i);
		fds[i] = dial();
		exchange(fds[i]);
	}
	watchdog(0, "-");
	write_ready(opt_ready, opt_streams);
	fd = sys(open(opt_hold, O_RDONLY));
	sys(read(fd, line, sizeof(line)));
	for (i = 0; i < opt_streams; i++) {
		watchdog(opt_stall, "last exchange on connection %d", i);
		exchange(fds[i]);
	}
	printf("%d\n", opt_streams);
}

static const struct option options[] = {
	{ "serve", no_argument, NULL, 'S' },
	{ "addr", required_argument, NULL, 'a' },
	{ "port", required_argument, NULL, 'p' },
	{ "ready", required_argument, NULL, 'r' },
	{ "hold", required_argument, NULL, 'h' },
	{ "family", required_argument, NULL, 'f' },
	{ "streams", required_argument, NULL, 'n' },
	{ "size", required_argument, NULL, 's' },
	{ "windows", required_argument, NULL, 'w' },
	{ "window", required_argument, NULL, 'm' },
	{ "warm", required_argument, NULL, 'W' },
	{ "count", required_argument, NULL, 'c' },
	{ "stall", required_argument, NULL, 'T' },
	{}
};

int main(int argc, char **argv)
{
	struct rlimit limit = { MAX_FDS, MAX_FDS };
	bool server = false;
	const char *what;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'S': server = true; break;
		case 'a': opt_addr = optarg; break;
		case 'p': opt_port = atoi(optarg); break;
		case 'r': opt_ready = optarg; break;
		case 'h': opt_hold = optarg; break;
		case 'f': opt_family = atoi(optarg); break;
		case 'n': opt_streams = atoi(optarg); break;
		case 's': opt_size = parse_size(optarg); break;
		case 'w': opt_windows = atoi(optarg); break;
		case 'm': opt_window = atoi(optarg); break;
		case 'W': opt_warm = atoi(optarg); break;
		case 'c': opt_count = atoi(optarg); break;
		case 'T': opt_stall = atoi(optarg); break;
		default: return 2;
		}
	}
	check(opt_windows > 0 && opt_windows <= MAX_WINDOWS);
	check(opt_size > 0 && opt_size <= MAX_SIZE && opt_streams > 0);
	/* where it is not allowed, socket() will say so */
	if (setrlimit(RLIMIT_NOFILE, &limit) && !getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (server)
		serve();
	what = optind < argc ? argv[optind] : "";
	if (!strcmp(what, "rr") || !strcmp(what, "cr"))
		rate(*what == 'c');
	else if (!strcmp(what, "out") || !strcmp(what, "in"))
		bulk(*what == 'o');
	else if (!strcmp(what, "latency"))
		latency();
	else if (!strcmp(what, "idle"))
		idle();
	else
		fail("'%s' is nothing that can be measured", what);
	return 0;
}
