// SPDX-License-Identifier: GPL-2.0
/*
 * The tail of a stream: connections over which one side writes N bytes and
 * closes at once. The other must get all of them, compared with the pattern,
 * and then the end of the stream. A control connection tells the server what
 * comes next on a connection to a port of its own, and carries its verdict.
 * With --first: connections over which only the server writes, as soon as it
 * can, and does not close. Without that the end of the stream would make the
 * client look for data that nobody had told it of.
 */
#include "common.h"
#include <getopt.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#define MAX_THREADS 32

enum op {
	CLIENT_CLOSES,	/* client writes and closes */
	CLIENT_EXITS,	/* a process writes and ends, which closes */
	CLIENT_HALF,	/* client writes, ends its stream and reads the echo */
	SERVER_CLOSES,
	SERVER_HALF,
	OPS,
	SERVER_FIRST = OPS /* server writes, client closes without a word */
};

static const char * const op_name[] = {
	"client closes", "client exits", "client half-closes and reads the echo",
	"server closes", "server half-closes and reads the echo", "server speaks first",
};

struct request {
	uint64_t op, len, seed;
	uint64_t hold; /* the reader begins when the writer has closed */
};

struct verdict {
	int64_t got, bad; /* bytes, first wrong one or -1, or minus errno */
};

static const char *opt_addr = "", *opt_ready;
static int opt_port = 5502, opt_threads = 1, opt_random = 20, opt_first, opt_seconds = 60;
static uint64_t opt_seed = 1, opt_max = 1 << 20;

/* Reads to the end of the stream. */
static struct verdict read_stream(int fd, uint64_t seed)
{
	struct verdict v = { 0, -1 };
	static __thread uint8_t buf[65536];
	uint64_t sizes = seed;

	for (;;) {
		ssize_t n = recv(fd, buf, rnd_range(&sizes, 1, sizeof(buf)), 0);

		if (n < 0)
			v.bad = -errno - 1;
		if (n <= 0)
			return v;
		if (v.bad == -1)
			v.bad = pattern_verify(buf, n, seed, v.got);
		v.got += n;
	}
}

/* 0 or an errno */
static int write_stream(int fd, uint64_t seed, uint64_t len)
{
	uint8_t *buf = malloc(len + 1);
	int err = 0;

	check(buf);
	pattern_fill(buf, len, seed, 0);
	if (len && try_write_full(fd, buf, len) < 0)
		err = errno;
	free(buf);
	return err;
}

/*
 * Sends back what came, once all of it came: both ends may write more than all
 * buffers between them hold before they read.
 */
static struct verdict echo_stream(int fd, uint64_t seed)
{
	struct verdict v = read_stream(fd, seed);
	int err;

	if (v.bad != -1)
		return v;
	err = write_stream(fd, seed, v.got);
	if (err)
		v.bad = -err - 1;
	return v;
}

/* ---- server ---- */

static struct verdict serve_request(int control, int listener, struct request *r)
{
	struct verdict v = { r->len, -1 };
	int fd = tcp_accept(listener), err;
	char go;

	switch (r->op) {
	case CLIENT_CLOSES:
	case CLIENT_EXITS:
		if (r->hold)
			read_full(control, &go, 1);
		v = read_stream(fd, r->seed);
		break;
	case CLIENT_HALF:
		v = echo_stream(fd, r->seed);
		break;
	case SERVER_CLOSES:
	case SERVER_HALF:
	case SERVER_FIRST:
		err = write_stream(fd, r->seed, r->len);
		if (!err && r->op == SERVER_HALF && shutdown(fd, SHUT_WR))
			err = errno;
		if (!err && r->op == SERVER_HALF)
			v = read_stream(fd, r->seed);
		if (!err && r->op == SERVER_FIRST && read_stream(fd, 0).got)
			err = EPROTO;
		if (err)
			v.bad = -err - 1;
		break;
	}
	close(fd);
	return v;
}

static void *serve_session(void *arg)
{
	int control = (intptr_t)arg, listener = tcp_listen(opt_addr, 0, 8);
	int32_t port = sock_port(listener);
	struct request r;
	struct verdict v;

	write_full(control, &port, sizeof(port));
	while (try_read_full(control, &r, sizeof(r)) == sizeof(r)) {
		v = serve_request(control, listener, &r);
		if (try_write_full(control, &v, sizeof(v)) < 0)
			break;
	}
	close(listener);
	close(control);
	return NULL;
}

__attribute__((noreturn))
static void serve(void)
{
	int fd = tcp_listen(opt_addr, opt_port, 64);
	pthread_t thread;

	write_ready(opt_ready, sock_port(fd));
	for (;;) {
		pth(pthread_create(&thread, NULL, serve_session, (void *)(intptr_t)tcp_accept(fd)));
		pthread_detach(thread);
	}
}

/* ---- client ---- */

struct session {
	int control, port, index;
	uint64_t seed;
};

static void session_open(struct session *s, int index)
{
	int32_t port;

	s->index = index;
	s->seed = opt_seed * 1000003 + index * 10007;
	s->control = tcp_connect_wait(opt_addr, opt_port, opt_seconds * 500);
	read_full(s->control, &port, sizeof(port));
	s->port = port;
}

static int child_writes(struct session *s, struct request *r)
{
	pid_t pid = sys(fork());
	int status;

	if (!pid) {
		int fd = try_connect(opt_addr, s->port);

		_exit(fd < 0 ? errno : write_stream(fd, r->seed, r->len));
	}
	sys(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
}

static bool judge(const char *who, struct request *r, struct verdict *v, char *why, size_t size)
{
	if (v->bad < -1)
		snprintf(why, size, "%s: %s after %lld bytes", who, strerror(-v->bad - 1), (long long)v->got);
	else if (v->bad >= 0)
		snprintf(why, size, "%s: wrong byte at offset %lld", who, (long long)v->bad);
	else if (v->got != (int64_t)r->len)
		snprintf(why, size, "%s: end of stream after %lld bytes", who, (long long)v->got);
	else
		return true;
	return false;
}

/* Reads so many bytes and no end of the stream, by one of the ways to wait. */
static struct verdict read_first(int fd, uint64_t seed, uint64_t len)
{
	int ways = seed % 3, ep = sys(epoll_create1(EPOLL_CLOEXEC));
	struct epoll_event e = { EPOLLIN | EPOLLET, { 0 } };
	struct pollfd p = { fd, POLLIN, 0 };
	struct verdict v = { 0, -1 };
	uint8_t buf[4096];

	set_nonblock(fd, ways);
	sys(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	while (v.got < (int64_t)len && v.bad == -1) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EAGAIN && ways) {
			if (ways == 1)
				sys(poll(&p, 1, -1));
			else
				sys(epoll_wait(ep, &e, 1, -1));
			continue;
		}
		if (n <= 0)
			v.bad = n ? -errno - 1 : 0;
		else
			v.bad = pattern_verify(buf, n, seed, v.got);
		v.got += n > 0 ? n : 0;
	}
	close(ep);
	return v;
}

/* One connection. False, and why, if not everything came. */
static bool run_one(struct session *s, enum op op, uint64_t len, bool hold, char *why, size_t size)
{
	struct request r = { op, len, ++s->seed, hold };
	struct verdict mine = { len, -1 }, v;
	bool replied = false;
	int fd = -1, err = 0;

	write_full(s->control, &r, sizeof(r));
	if (op == CLIENT_EXITS)
		err = child_writes(s, &r);
	else
		fd = tcp_connect(opt_addr, s->port);
	switch (op) {
	case CLIENT_CLOSES:
	case CLIENT_HALF:
		err = write_stream(fd, r.seed, len);
		if (!err && op == CLIENT_HALF && shutdown(fd, SHUT_WR))
			err = errno;
		if (!err && op == CLIENT_HALF)
			mine = read_stream(fd, r.seed);
		break;
	case SERVER_CLOSES:
		if (hold) {
			read_full(s->control, &v, sizeof(v));
			replied = true;
		}
		mine = read_stream(fd, r.seed);
		break;
	case SERVER_HALF:
		mine = echo_stream(fd, r.seed);
		break;
	case SERVER_FIRST:
		mine = read_first(fd, r.seed, len);
		break;
	default:
		break;
	}
	if (err)
		mine.bad = -err - 1;
	if (fd >= 0)
		close(fd);
	if (hold && !replied)
		write_full(s->control, "g", 1);
	if (!replied)
		read_full(s->control, &v, sizeof(v));
	return judge("client", &r, &mine, why, size) && judge("server", &r, &v, why, size);
}

static void check_one(struct session *s, enum op op, uint64_t len, bool hold)
{
	char why[200] = "";
	bool ok;

	watchdog(opt_seconds, "%s, %lld bytes%s", op_name[op], (long long)len, hold ? ", held" : "");
	ok = run_one(s, op, len, hold, why, sizeof(why));
	expect(ok, "%s, %lld bytes%s%s%s", op_name[op], (long long)len, hold ? ", the reader begins later" : "",
	       ok ? "" : ": ", why);
}

static void check_first(struct session *s, int count)
{
	uint64_t state = s->seed, start = now_ms();
	char why[200] = "";
	int i, bad = 0;

	for (i = 0; i < count; i++) {
		uint64_t len = rnd_range(&state, 1, 1 << rnd(&state) % 17);

		watchdog(opt_seconds, "%s, connection %d, %lld bytes", op_name[SERVER_FIRST], i, (long long)len);
		if (!run_one(s, SERVER_FIRST, len, false, why, sizeof(why))) {
			expect(false, "%s, connection %d, %lld bytes: %s", op_name[SERVER_FIRST], i, (long long)len, why);
			bad++;
		}
	}
	expect(!bad, "%s, %d connections, %lld ms", op_name[SERVER_FIRST], count, (long long)(now_ms() - start));
}

static void check_table(struct session *s)
{
	static const uint64_t lens[] = { 0, 1, 2, 100, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20 };
	unsigned int i, op;

	for (op = 0; op < OPS; op++) {
		for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
			if (lens[i] > opt_max)
				continue;
			check_one(s, op, lens[i], false);
			/* without a reader, no more than buffers always hold */
			if (lens[i] <= 65536 && (op == CLIENT_CLOSES || op == SERVER_CLOSES))
				check_one(s, op, lens[i], true);
		}
	}
}

/* Many connections at once: in each thread, one after another. */
static void *random_thread(void *arg)
{
	struct session *s = arg;
	uint64_t state = s->seed, len;
	char why[200];
	int i;

	for (i = 0; i < opt_random; i++) {
		enum op op = rnd(&state) % OPS;

		/* as many small ones as large ones */
		len = rnd_range(&state, 0, opt_max >> rnd(&state) % 20);
		if (!run_one(s, op, len, false, why, sizeof(why)))
			expect(false, "thread %d, connection %d: %s, %lld bytes: %s", s->index, i, op_name[op],
			       (long long)len, why);
	}
	return NULL;
}

static void check_random(struct session *s)
{
	pthread_t thread[MAX_THREADS];
	int i, failed = checks_failed;
	uint64_t start = now_ms();

	watchdog(opt_seconds * 2 + opt_random, "%d random ones in each of %d threads", opt_random, opt_threads);
	for (i = 0; i < opt_threads; i++)
		pth(pthread_create(&thread[i], NULL, random_thread, &s[i]));
	for (i = 0; i < opt_threads; i++)
		pth(pthread_join(thread[i], NULL));
	expect(failed == checks_failed, "%d random ones in each of %d threads, %lld ms", opt_random, opt_threads,
	       (long long)(now_ms() - start));
}

static const char usage[] =
"pvclose -s [--addr ADDR] [--port PORT] [--ready FILE]\n"
"pvclose ADDR [--port PORT] [--max N] [--random N] [--threads N] [--seed N] [--seconds N]\n"
"pvclose ADDR --first N [--port PORT] [--seed N] [--seconds N]\n"
"Connections that write some bytes and close at once: first a table of lengths up\n"
"to --max, each side closing first, and half-closes, then --random ones of random\n"
"length in each of --threads. --first: only so many on which the server speaks first\n"
"and the client just reads. --seconds: a check that takes longer hangs.\n"
"--ready: the server writes its port there when it listens.\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", 0, 0, 'h' }, { "addr", 1, 0, 'a' }, { "port", 1, 0, 'p' }, { "max", 1, 0, 'M' },
		{ "random", 1, 0, 'n' }, { "threads", 1, 0, 'c' }, { "seed", 1, 0, 'S' },
		{ "first", 1, 0, 'f' }, { "seconds", 1, 0, 'T' }, { "ready", 1, 0, 'r' }, { 0, 0, 0, 0 }
	};
	struct session session[MAX_THREADS];
	bool server = false;
	int o, i;

	while ((o = getopt_long(argc, argv, "sh", options, NULL)) != -1) {
		switch (o) {
		case 'h': fputs(usage, stdout); return 0;
		case 's': server = true; break;
		case 'a': opt_addr = optarg; break;
		case 'p': opt_port = parse_size(optarg); break;
		case 'M': opt_max = parse_size(optarg); break;
		case 'n': opt_random = parse_size(optarg); break;
		case 'f': opt_first = parse_size(optarg); break;
		case 'c': opt_threads = parse_size(optarg); break;
		case 'S': opt_seed = parse_size(optarg); break;
		case 'T': opt_seconds = parse_size(optarg); break;
		case 'r': opt_ready = optarg; break;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (server)
		serve();
	if (optind != argc - 1 || opt_threads < 1 || opt_threads > MAX_THREADS) {
		fputs(usage, stderr);
		return 2;
	}
	opt_addr = argv[optind];
	watchdog(opt_seconds, "connect");
	for (i = 0; i < opt_threads; i++)
		session_open(&session[i], i);
	if (opt_first)
		check_first(&session[0], opt_first);
	else
		check_table(&session[0]);
	if (opt_random && !opt_first)
		check_random(session);
	for (i = 0; i < opt_threads; i++)
		close(session[i].control);
	return checks_done();
}
