// SPDX-License-Identifier: GPL-2.0
/*
 * Integrity of the stream: connections that carry a pattern in one or both
 * directions, in reads and writes of random sizes. Each byte is compared with
 * the one that belongs at its offset, so one that is lost, doubled or moved is
 * found where it happens; lengths and the end of the stream are compared too.
 *
 * Client to server: struct head, a pattern, end of stream. Server to client: a
 * pattern, struct tail once the client's stream was read to its end, end of
 * stream. With --seconds the client ends its stream when time is up, and the
 * server then stops wherever it is. The first byte of a tail differs from the
 * pattern's, so the client finds it by the first byte that is not the pattern.
 */
#include "common.h"
#include <getopt.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define MAGIC 0x7076636c6f616431ULL
#define MAX_CONNS 256

struct head {
	uint64_t magic, seed, out, in, min, max, seconds;
};

struct tail {
	uint64_t mark; /* its first byte is not the pattern's, on both sides little endian */
	uint64_t got, sent;
};

struct conn {
	int fd, index;
	bool server, can_tx, can_rx, tx_over, rx_over;
	struct head head;
	struct tail tail;
	size_t tail_done;
	uint64_t tx_seed, rx_seed;	/* patterns */
	uint64_t tx_end, rx_end;	/* bytes of pattern, UINT64_MAX unless known */
	uint64_t tx, rx;		/* so far */
	uint64_t tx_rnd, rx_rnd;	/* sizes */
	uint64_t moved, moved_at, pause;
	uint8_t *tx_buf, *rx_buf;
};

static const char *opt_addr = "", *opt_ready;
static int opt_port = 5501, opt_conns = 1, opt_stall = 60;
static uint64_t opt_bytes = 16 << 20, opt_min = 1, opt_max = 128 << 10, opt_seed = 1, opt_seconds;
static bool opt_out, opt_in, opt_epoll;
static struct conn *conns[MAX_CONNS];
static int serve_busy;

#define conn_fail(c, fmt, ...) \
	fail("%s connection %d: " fmt " (sent %lld, received %lld)", (c)->server ? "server" : "client", \
	     (c)->index, ##__VA_ARGS__, (long long)(c)->tx, (long long)(c)->rx)

/* Small ones are as likely as large ones: first the magnitude, then the size. */
static size_t random_size(struct conn *c, uint64_t *state)
{
	uint64_t max = c->head.max, min = c->head.min, limit = max;
	int magnitudes = 64 - __builtin_clzll(max / min);

	limit = max >> rnd(state) % magnitudes;
	return rnd_range(state, min, limit < min ? min : limit);
}

static struct conn *conn_new(int fd, int index, bool server)
{
	struct conn *c = calloc(1, sizeof(*c));

	check(c);
	c->fd = fd;
	c->index = index;
	c->server = server;
	__atomic_fetch_add(&serve_busy, server, __ATOMIC_RELAXED);
	return c;
}

/* Both sides begin with it: the server reads the head, the client has made one. */
static void conn_begin(struct conn *c)
{
	struct head *h = &c->head;
	uint64_t down;

	if (c->server)
		read_full(c->fd, h, sizeof(*h));
	else
		write_full(c->fd, h, sizeof(*h));
	down = h->seconds && h->in ? UINT64_MAX : h->in;
	if (h->magic != MAGIC || !h->min || h->min > h->max || h->max > 64 << 20)
		conn_fail(c, "a head that makes no sense");
	c->tx_seed = h->seed * 2 + c->server;
	c->rx_seed = h->seed * 2 + !c->server;
	c->tx_end = c->server ? down : h->out;
	c->rx_end = c->server ? h->out : down;
	c->tx_rnd = h->seed * 77 + c->server;
	c->rx_rnd = h->seed * 78 + c->server;
	c->tx_buf = malloc(h->max);
	c->rx_buf = malloc(h->max);
	check(c->tx_buf && c->rx_buf);
}

/* One write. 0: would block; the caller looks whether tx has come to tx_end. */
static ssize_t tx_some(struct conn *c)
{
	size_t len = random_size(c, &c->tx_rnd), cut;
	struct iovec iov[2];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (len > c->tx_end - c->tx)
		len = c->tx_end - c->tx;
	pattern_fill(c->tx_buf, len, c->tx_seed, c->tx);
	cut = rnd(&c->tx_rnd) % 8 ? 0 : rnd(&c->tx_rnd) % (len + 1);
	iov[0] = (struct iovec) { c->tx_buf, cut };
	iov[1] = (struct iovec) { c->tx_buf + cut, len - cut };
	n = cut ? sendmsg(c->fd, &m, MSG_NOSIGNAL) : send(c->fd, c->tx_buf, len, MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0 || (size_t)n > len)
		conn_fail(c, "send of %zu: %zd, %s", len, n, strerror(errno));
	c->tx += n;
	return n;
}

/* The client's end of a stream: what is not the pattern is the tail. */
static void rx_tail(struct conn *c, const uint8_t *buf, size_t n)
{
	if (c->tail_done + n > sizeof(c->tail))
		conn_fail(c, "%zu bytes too many, or wrong at offset %lld",
			  c->tail_done + n - sizeof(c->tail), (long long)c->rx);
	memcpy((uint8_t *)&c->tail + c->tail_done, buf, n);
	c->tail_done += n;
}

static void rx_take(struct conn *c, const uint8_t *buf, size_t n)
{
	uint64_t room = c->rx_end - c->rx;
	size_t body = n > room ? room : n;
	int64_t bad = -1;

	if (c->tail_done) {
		rx_tail(c, buf, n);
		return;
	}
	if (body)
		bad = pattern_verify(buf, body, c->rx_seed, c->rx);
	if (bad >= 0) {
		if (c->rx_end != UINT64_MAX)
			conn_fail(c, "wrong byte at offset %lld of %lld, in a read of %zu at %lld: %02x, not %02x",
				  (long long)bad, (long long)c->rx_end, n, (long long)c->rx,
				  buf[bad - c->rx], pattern_byte(c->rx_seed, bad));
		body = bad - c->rx;
	}
	__atomic_store_n(&c->rx, c->rx + body, __ATOMIC_RELAXED);
	if (body == n)
		return;
	if (c->server)
		conn_fail(c, "%zu bytes too many", n - body);
	rx_tail(c, buf + body, n - body);
}

static void rx_eof(struct conn *c)
{
	struct tail *t = &c->tail;

	c->rx_over = true;
	if (c->server) {
		if (c->rx != c->rx_end)
			conn_fail(c, "end of stream at %lld of %lld", (long long)c->rx,
				  (long long)c->rx_end);
		if (c->head.seconds)
			__atomic_store_n(&c->tx_end, 0, __ATOMIC_RELAXED); /* stop where it is */
		return;
	}
	if (c->tail_done != sizeof(*t))
		conn_fail(c, "end of stream at %lld and %zu bytes of the tail", (long long)c->rx, c->tail_done);
	if (t->sent != c->rx || (uint8_t)t->mark != (uint8_t)~pattern_byte(c->rx_seed, c->rx))
		conn_fail(c, "wrong byte at offset %lld", (long long)c->rx);
	if (t->got != c->tx)
		conn_fail(c, "server received %lld", (long long)t->got);
}

/* One read. 0: would block, -1: end of stream. Some look at the data first. */
static ssize_t rx_some(struct conn *c)
{
	size_t len = random_size(c, &c->rx_rnd);
	ssize_t n, peeked = 0;
	uint8_t first = 0;

	if (rnd(&c->rx_rnd) % 16 == 0) {
		peeked = recv(c->fd, c->rx_buf, len, MSG_PEEK);
		if (peeked > 0)
			first = *c->rx_buf;
	}
	n = recv(c->fd, c->rx_buf, len, 0);
	if (n < 0 && errno == EAGAIN) {
		if (peeked > 0)
			conn_fail(c, "a peek saw %zd bytes, then there are none", peeked);
		return 0;
	}
	if (n < 0)
		conn_fail(c, "recv of %zu: %s", len, strerror(errno));
	if (peeked > 0 && (n < peeked || first != *c->rx_buf))
		conn_fail(c, "a peek saw %zd bytes from %02x, a read %zd from %02x", peeked, first, n, *c->rx_buf);
	if (!n) {
		rx_eof(c);
		return -1;
	}
	rx_take(c, c->rx_buf, n);
	return n;
}

static volatile sig_atomic_t enough;

static void on_usr1(int sig)
{
	enough = sig;
}

/* The client has sent everything: waits with --seconds, else ends the stream. */
static bool client_end(struct conn *c, uint64_t start)
{
	if (!enough && now_ms() - start < c->head.seconds * 1000)
		return false;
	if (shutdown(c->fd, SHUT_WR))
		conn_fail(c, "shutdown: %s", strerror(errno));
	return true;
}

/* The server has sent and received everything: the last bytes, never many. */
static void serve_end(struct conn *c)
{
	c->tail = (struct tail) { .mark = (uint8_t)~pattern_byte(c->tx_seed, c->tx), .got = c->rx, .sent = c->tx };
	set_nonblock(c->fd, false);
	write_full(c->fd, &c->tail, sizeof(c->tail));
	__atomic_fetch_sub(&serve_busy, 1, __ATOMIC_RELAXED);
	close(c->fd);
	free(c->tx_buf);
	free(c->rx_buf);
	free(c);
}

static bool tx_left(struct conn *c)
{
	return c->tx < __atomic_load_n(&c->tx_end, __ATOMIC_RELAXED);
}

/* ---- blocking: a thread for each direction ---- */

static void *tx_thread(void *arg)
{
	struct conn *c = arg;
	uint64_t start = now_ms();

	while (tx_left(c))
		tx_some(c);
	while (!c->server && !client_end(c, start))
		poll(NULL, 0, 100);
	return NULL;
}

static void *conn_thread(void *arg)
{
	struct conn *c = arg;
	pthread_t tx;

	if (c->server)
		conn_begin(c);
	pth(pthread_create(&tx, NULL, tx_thread, c));
	while (rx_some(c) >= 0)
		;
	pth(pthread_join(tx, NULL));
	if (c->server)
		serve_end(c);
	return NULL;
}

/* ---- not blocking: all connections in one thread, edges of epoll ---- */

static void epoll_add(int ep, struct conn *c)
{
	struct epoll_event e = { EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, { .ptr = c } };

	set_nonblock(c->fd, true);
	sys(epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e));
}

static void epoll_accept(int ep, int listener)
{
	int i;

	for (i = 0; i < MAX_CONNS && conns[i]; i++)
		;
	if (i == MAX_CONNS)
		fail("too many connections");
	conns[i] = conn_new(tcp_accept(listener), i, true);
	conn_begin(conns[i]);
	epoll_add(ep, conns[i]);
}

/* A little in both directions: true if there may be more without an event. */
static bool epoll_step(struct conn *c, uint64_t start)
{
	bool more = false;

	if (c->can_tx && tx_left(c)) {
		c->can_tx = tx_some(c) > 0;
		more |= c->can_tx;
	}
	if (!c->tx_over && !tx_left(c))
		c->tx_over = c->server || client_end(c, start);
	if (c->can_rx && !c->rx_over) {
		c->can_rx = rx_some(c) > 0;
		more |= c->can_rx;
	}
	return more;
}

static void epoll_loop(int left, int listener)
{
	struct epoll_event events[64];
	int ep = sys(epoll_create1(EPOLL_CLOEXEC)), i, n;
	uint64_t start = now_ms();

	for (i = 0; i < left; i++)
		epoll_add(ep, conns[i]);
	if (listener >= 0) {
		struct epoll_event e = { EPOLLIN, { .ptr = NULL } };

		sys(epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e));
	}
	while (left || listener >= 0) {
		bool more = false;

		for (i = 0; i < MAX_CONNS; i++) {
			struct conn *c = conns[i];

			if (!c)
				continue;
			more |= epoll_step(c, start);
			if (!c->rx_over || tx_left(c) || !c->tx_over)
				continue;
			conns[i] = NULL;
			left--;
			if (c->server)
				serve_end(c);
		}
		if (!left && listener < 0)
			break;
		n = epoll_wait(ep, events, 64, more ? 0 : opt_seconds ? 100 : -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			uint32_t e = events[i].events;

			if (!c) {
				epoll_accept(ep, listener);
				left++;
				continue;
			}
			c->can_tx |= !!(e & (EPOLLOUT | EPOLLERR | EPOLLHUP));
			c->can_rx |= !!(e & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP));
		}
	}
}

/* ---- the two sides ---- */

static void on_term(int sig)
{
	_exit(sig && serve_busy);
}

__attribute__((noreturn)) static void serve(void)
{
	int fd = tcp_listen(opt_addr, opt_port, 128), index = 0;
	pthread_t thread;

	signal(SIGTERM, on_term);
	write_ready(opt_ready, sock_port(fd));
	if (opt_epoll)
		epoll_loop(0, fd);
	for (;;) {
		struct conn *c = conn_new(tcp_accept(fd), index++, true);

		pth(pthread_create(&thread, NULL, conn_thread, c));
		pthread_detach(thread);
	}
}

/* Notes how long connections came to a halt, and ends the program if one hangs. */
static void *monitor(void *arg)
{
	struct conn **all = arg;
	int i;

	for (i = 0;; i = (i + 1) % opt_conns) {
		struct conn *c = all[i];
		uint64_t moved = __atomic_load_n(&c->rx, __ATOMIC_RELAXED) + __atomic_load_n(&c->tx, __ATOMIC_RELAXED);

		if (!i)
			poll(NULL, 0, 20);
		if (moved != c->moved || !c->moved_at || c->rx_over)
			c->moved_at = now_ms();
		c->moved = moved;
		if (now_ms() - c->moved_at > c->pause)
			c->pause = now_ms() - c->moved_at;
		if (c->pause < (uint64_t)opt_stall * 1000)
			continue;
		fprintf(stderr, "HANG in connection %d: nothing moved for %d s, sent %lld of %lld, received %lld of %lld\n",
			i, opt_stall, (long long)c->tx, (long long)c->tx_end, (long long)c->rx, (long long)c->rx_end);
		_exit(2);
	}
	return NULL;
}

static void client(void)
{
	uint64_t start = now_ms(), tx = 0, rx = 0, pause = 0, ms, share = opt_bytes / opt_conns / (opt_out && opt_in ? 2 : 1);
	struct conn *all[MAX_CONNS];
	pthread_t thread[MAX_CONNS];
	int i;

	signal(SIGUSR1, on_usr1);
	watchdog(opt_stall, "connect");
	for (i = 0; i < opt_conns; i++) {
		struct conn *c = conn_new(tcp_connect_wait(opt_addr, opt_port, 20000), i, false);

		c->head = (struct head) { MAGIC, opt_seed * 1000 + i, opt_out ? share : 0, opt_in ? share : 0,
					  opt_min, opt_max, opt_seconds };
		conn_begin(c);
		all[i] = conns[i] = c;
	}
	watchdog(0, "load");
	pth(pthread_create(&thread[0], NULL, monitor, all));
	if (opt_epoll) {
		epoll_loop(opt_conns, -1);
	} else {
		for (i = 0; i < opt_conns; i++)
			pth(pthread_create(&thread[i], NULL, conn_thread, all[i]));
		for (i = 0; i < opt_conns; i++)
			pth(pthread_join(thread[i], NULL));
	}
	ms = now_ms() - start + 1;
	for (i = 0; i < opt_conns; i++) {
		tx += all[i]->tx;
		rx += all[i]->rx;
		pause = all[i]->pause > pause ? all[i]->pause : pause;
		if (opt_seconds && !all[i]->rx)
			conn_fail(all[i], "nothing came");
	}
	expect(true, "%d connections%s, %lld bytes out and %lld in, all in place, %lld ms, %lld Mbit/s, halts of up to "
	       "%lld ms", opt_conns, opt_epoll ? " with epoll" : "", (long long)tx, (long long)rx, (long long)ms,
	       (long long)((tx + rx) * 8 / 1000 / ms), (long long)pause);
}

static const char usage[] =
"pvload -s [--addr ADDR] [--port PORT] [--epoll] [--ready FILE]\n"
"pvload ADDR [--port PORT] [--conns N] [--bytes TOTAL] [--min N] [--max N]\n"
"       --out | --in | --both [--seconds N] [--epoll] [--seed N] [--stall SECONDS]\n"
"Connections that carry a pattern to the server (--out), from it (--in) or both\n"
"ways at once, in reads and writes of min to max bytes. --bytes: all together.\n"
"--seconds: only --in, for so long, or until SIGUSR1. --stall: it hangs if nothing moves for so long.\n"
"--ready: the server writes its port there when it listens.\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", 0, 0, 'h' }, { "addr", 1, 0, 'a' }, { "port", 1, 0, 'p' }, { "conns", 1, 0, 'c' },
		{ "bytes", 1, 0, 'b' }, { "min", 1, 0, 'm' }, { "max", 1, 0, 'M' }, { "out", 0, 0, 'o' },
		{ "in", 0, 0, 'i' }, { "both", 0, 0, 'B' }, { "seconds", 1, 0, 't' }, { "epoll", 0, 0, 'e' },
		{ "seed", 1, 0, 'S' }, { "stall", 1, 0, 'T' }, { "ready", 1, 0, 'r' }, { 0, 0, 0, 0 }
	};
	bool server = false;
	int o;

	while ((o = getopt_long(argc, argv, "sh", options, NULL)) != -1) {
		switch (o) {
		case 'h': fputs(usage, stdout); return 0;
		case 's': server = true; break;
		case 'a': opt_addr = optarg; break;
		case 'p': opt_port = parse_size(optarg); break;
		case 'c': opt_conns = parse_size(optarg); break;
		case 'b': opt_bytes = parse_size(optarg); break;
		case 'm': opt_min = parse_size(optarg); break;
		case 'M': opt_max = parse_size(optarg); break;
		case 'o': opt_out = true; break;
		case 'i': opt_in = true; break;
		case 'B': opt_out = opt_in = true; break;
		case 't': opt_seconds = parse_size(optarg); break;
		case 'e': opt_epoll = true; break;
		case 'S': opt_seed = parse_size(optarg); break;
		case 'T': opt_stall = parse_size(optarg); break;
		case 'r': opt_ready = optarg; break;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (server)
		serve();
	if (optind != argc - 1 || opt_conns < 1 || opt_conns > MAX_CONNS || (opt_seconds && opt_out) || !(opt_in || opt_out))
		fail("%s", usage);
	opt_addr = argv[optind];
	client();
	return checks_done();
}
