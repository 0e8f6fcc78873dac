// SPDX-License-Identifier: GPL-2.0
/*
 * Connecting, and the errors that socket calls give. "stall": connects to an
 * address that never answers hang while many others finish within a bound.
 * "errors": a table of calls, each with the errno that Linux TCP gives.
 * The server resets, closes or echoes, as the first byte of a connection says.
 */
#include "common.h"
#include <getopt.h>
#include <sys/wait.h>

static const char *opt_addr = "", *opt_ready, *opt_hole, *opt_foreign = "203.0.113.1";
static int opt_port = 5503, opt_conns = 50, opt_stalled = 4, opt_bound = 10, opt_timeout = 30;

/* ---- server ---- */

/* e: echo, r: reset, c: close, h: hold it until the peer closes */
static void *serve_conn(void *arg)
{
	struct linger linger = { 1, 0 };
	int fd = (intptr_t)arg;
	char buf[4096], what = 0;
	ssize_t n = try_read_full(fd, &what, 1);

	while (n > 0 && what == 'e' && (n = recv(fd, buf, sizeof(buf), 0)) > 0)
		try_write_full(fd, buf, n);
	if (n > 0 && what == 'h')
		while (poll(&(struct pollfd) { fd, POLLRDHUP, 0 }, 1, -1) < 0)
			;
	if (what == 'r')
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
	return NULL;
}

__attribute__((noreturn))
static void serve(void)
{
	int fd = tcp_listen(opt_addr, opt_port, 128);
	pthread_t thread;

	write_ready(opt_ready, sock_port(fd));
	for (;;) {
		pth(pthread_create(&thread, NULL, serve_conn, (void *)(intptr_t)tcp_accept(fd)));
		pthread_detach(thread);
	}
}

/* ---- stall ---- */

static bool echo_once(int fd)
{
	char c = 0;

	write_full(fd, "ex", 2);
	return try_read_full(fd, &c, 1) == 1 && c == 'x';
}

static void *stalled_thread(void *arg)
{
	int fd = try_connect(opt_hole, opt_port);

	*(int *)arg = fd < 0 ? errno : 0;
	return NULL;
}

static void *prompt_thread(void *arg)
{
	int fd = try_connect(opt_addr, opt_port);

	*(int *)arg = fd < 0 ? errno : !echo_once(fd);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void stall(void)
{
	int result[opt_stalled], other[opt_conns], i, bad = 0, over = 0, good = 0;
	pthread_t thread[opt_stalled], others[opt_conns];
	uint64_t start = now_ms(), took;

	watchdog(opt_bound * 2 + opt_timeout, "connect beside ones that stall");
	memset(result, -1, sizeof(result));
	for (i = 0; i < opt_stalled; i++)
		pth(pthread_create(&thread[i], NULL, stalled_thread, &result[i]));
	/* half of them one after another, the others all at once */
	for (i = 0; i < opt_conns / 2; i++) {
		prompt_thread(&other[i]);
		bad += other[i] != 0;
	}
	for (; i < opt_conns; i++)
		pth(pthread_create(&others[i], NULL, prompt_thread, &other[i]));
	for (i = opt_conns / 2; i < opt_conns; i++) {
		pth(pthread_join(others[i], NULL));
		bad += other[i] != 0;
	}
	took = now_ms() - start;
	for (i = 0; i < opt_stalled; i++)
		over += __atomic_load_n(&result[i], __ATOMIC_RELAXED) != -1;
	expect(!bad, "%d connects finish while %d stall, %d don't", opt_conns, opt_stalled, bad);
	expect(took < (uint64_t)opt_bound * 1000, "they take %lld ms, less than %d", (long long)took,
	       opt_bound * 1000);
	expect(!over, "the others still stall then, %d don't", over);
	for (i = 0; i < opt_stalled; i++) {
		pth(pthread_join(thread[i], NULL));
		good += result[i] == ETIMEDOUT;
	}
	expect(good == opt_stalled, "they end with ETIMEDOUT after %lld ms, %d of %d do", (long long)(now_ms() - start),
	       good, opt_stalled);
}

/* ---- errors ---- */

static volatile sig_atomic_t pipes;
static struct sockaddr_storage server, refused, hole, foreign, any;
static socklen_t alen;

static const char *errname(long err)
{
	const char *name = strerrorname_np(err);

	return err ? name ? name : "?" : "success";
}

/* One call and the errno that it must give, 0 for success. */
#define ERR(want, what, call) do { \
	long err_ret, err_no; \
	watchdog(opt_timeout, "%s", what); \
	errno = 0; \
	err_ret = (call); \
	err_no = err_ret == -1 ? errno : 0; \
	expect(err_no == (want), "%s: %s%s%s", what, errname(err_no), err_no == (want) ? "" : ", not ", \
	       err_no == (want) ? "" : errname(want)); \
} while (0)

#define IS(cond, what) expect(cond, "%s", what)

static int tcp(int flags)
{
	return sys(socket(server.ss_family, SOCK_STREAM | flags, 0));
}

static int conn_to(int fd, struct sockaddr_storage *to)
{
	return connect(fd, (struct sockaddr *)to, alen);
}

static int bind_to(int fd, struct sockaddr_storage *to)
{
	return bind(fd, (struct sockaddr *)to, alen);
}

static int peer_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getpeername(fd, (struct sockaddr *)&ss, &len);
}

/* A connection that has told the server what to do with it. */
static int conn_asking(const char *what)
{
	int fd = tcp(0);

	watchdog(opt_timeout, "a connection that asks for '%s'", what);
	sys(conn_to(fd, &server));
	write_full(fd, what, strlen(what));
	return fd;
}

/* The events that come up within the time, or none. */
static int wait_for(int fd, int events)
{
	struct pollfd p = { fd, events, 0 };

	watchdog(opt_timeout, "poll for %x", events);
	return poll(&p, 1, opt_timeout * 500) > 0 ? p.revents : 0;
}

static void on_pipe(int sig)
{
	pipes += sig == SIGPIPE;
}

static void errors_refused(void)
{
	int fd = tcp(0), err;

	ERR(ECONNREFUSED, "connect, nobody listens", conn_to(fd, &refused));
	IS(!sock_error(fd), "SO_ERROR is clear after connect gave the error");
	ERR(0, "the same socket connects elsewhere", conn_to(fd, &server));
	IS(echo_once(fd), "and carries data");
	close(fd);

	fd = tcp(SOCK_NONBLOCK);
	ERR(EINPROGRESS, "connect, nobody listens, O_NONBLOCK", conn_to(fd, &refused));
	err = wait_for(fd, POLLOUT);
	expect(err & POLLOUT && err & POLLERR && err & POLLHUP, "then poll has POLLOUT, POLLERR and POLLHUP: %x", err);
	err = sock_error(fd);
	expect(err == ECONNREFUSED, "then SO_ERROR: %s", errname(err));
	IS(!sock_error(fd), "only once");
	ERR(ECONNABORTED, "connect again, SO_ERROR was read", conn_to(fd, &server));
	set_nonblock(fd, false);
	ERR(0, "connect once more", conn_to(fd, &server));
	close(fd);

	fd = tcp(SOCK_NONBLOCK);
	ERR(EINPROGRESS, "connect, nobody listens, O_NONBLOCK", conn_to(fd, &refused));
	wait_for(fd, POLLOUT);
	ERR(ECONNREFUSED, "connect again tells the error", conn_to(fd, &refused));
	close(fd);
}

static void errors_connected(void)
{
	char c;
	int fd = tcp(SOCK_NONBLOCK), err;

	ERR(EINPROGRESS, "connect, O_NONBLOCK", conn_to(fd, &server));
	err = wait_for(fd, POLLOUT);
	expect(err == POLLOUT, "then poll has POLLOUT alone: %x", err);
	IS(!sock_error(fd), "then SO_ERROR is 0");
	ERR(0, "connect again", conn_to(fd, &server));
	ERR(EISCONN, "and again", conn_to(fd, &server));
	ERR(0, "getpeername", peer_of(fd));
	ERR(EAGAIN, "recv with nothing there", recv(fd, &c, 1, 0));
	set_nonblock(fd, false);
	ERR(EAGAIN, "recv with MSG_DONTWAIT", recv(fd, &c, 1, MSG_DONTWAIT));
	sys(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval) { 0, 300000 }, sizeof(struct timeval)));
	ERR(EAGAIN, "recv with SO_RCVTIMEO", recv(fd, &c, 1, 0));
	ERR(EINVAL, "bind, connected", bind_to(fd, &any));
	ERR(EINVAL, "listen, connected", listen(fd, 5));
	ERR(EINVAL, "accept, connected", accept(fd, NULL, NULL));
	IS(echo_once(fd), "it still works");
	close(fd);
	ERR(0, "socket for EISCONN", fd = tcp(0));
	sys(conn_to(fd, &server));
	ERR(EISCONN, "connect, connected", conn_to(fd, &server));
	close(fd);
}

static void errors_unconnected(void)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char c = 0;
	int fd = tcp(0), err = wait_for(fd, POLLIN | POLLOUT);

	expect(err == (POLLOUT | POLLHUP), "poll, not connected, has POLLOUT and POLLHUP: %x", err);
	ERR(ENOTCONN, "recv, not connected", recv(fd, &c, 1, 0));
	ERR(ENOTCONN, "getpeername, not connected", peer_of(fd));
	ERR(EINVAL, "accept, not listening", accept(fd, NULL, NULL));
	ERR(0, "getsockname, not bound", getsockname(fd, (struct sockaddr *)&ss, &len));
	IS(len == alen && ss.ss_family == server.ss_family && !sock_port(fd), "says family and port 0");
	pipes = 0;
	ERR(EPIPE, "send, not connected", send(fd, &c, 1, 0));
	expect(pipes == 1, "with SIGPIPE: %d", (int)pipes);
	ERR(EPIPE, "send, not connected, MSG_NOSIGNAL", send(fd, &c, 1, MSG_NOSIGNAL));
	expect(pipes == 1, "without SIGPIPE: %d", (int)pipes);
	ss = server;
	ss.ss_family = AF_UNIX;
	ERR(EAFNOSUPPORT, "connect, AF_UNIX", conn_to(fd, &ss));
	ERR(EAFNOSUPPORT, "bind, AF_UNIX", bind_to(fd, &ss));
	ERR(EINVAL, "connect, address too short", connect(fd, (struct sockaddr *)&server, 8));
	ERR(EINVAL, "bind, address too short", bind(fd, (struct sockaddr *)&server, 8));
	ERR(EFAULT, "connect, no address", connect(fd, (struct sockaddr *)8, alen));
	ERR(0, "after all of that it connects", conn_to(fd, &server));
	IS(echo_once(fd), "and carries data");
	close(fd);
	fd = tcp(0);
	ERR(ENOTCONN, "shutdown, not connected", shutdown(fd, SHUT_RDWR));
	close(fd);
	ERR(EPROTONOSUPPORT, "socket of an unknown protocol", socket(server.ss_family, SOCK_STREAM, 200));
}

static void errors_bind(void)
{
	struct sockaddr_storage used = any, low = any;
	int a = tcp(0), b = tcp(0), status;
	char c;
	pid_t pid;

	((struct sockaddr_in *)&used)->sin_port = htons(opt_port);
	ERR(EADDRINUSE, "bind to the server's port", bind_to(a, &used));
	ERR(EADDRNOTAVAIL, "bind to a foreign address", bind_to(a, &foreign));
	ERR(0, "bind to port 0 after both", bind_to(a, &any));
	ERR(EINVAL, "bind again", bind_to(a, &any));
	ERR(0, "listen", listen(a, 5));
	ERR(0, "listen again", listen(a, 6));
	((struct sockaddr_in *)&used)->sin_port = htons(sock_port(a));
	IS(sock_port(a), "getsockname has a port");
	ERR(EADDRINUSE, "bind to one's own port", bind_to(b, &used));
	ERR(EISCONN, "connect, listening", conn_to(a, &server));
	ERR(ENOTCONN, "recv, listening", recv(a, &c, 1, 0));
	ERR(EPIPE, "send, listening", send(a, "x", 1, MSG_NOSIGNAL));
	set_nonblock(a, true);
	ERR(EAGAIN, "accept with nobody there, O_NONBLOCK", accept(a, NULL, NULL));
	close(a);
	close(b);

	if (geteuid())
		return;
	pid = sys(fork());
	if (!pid) {
		FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
		int start = 1024;

		if (f && fscanf(f, "%d", &start) != 1)
			start = 0;
		((struct sockaddr_in *)&low)->sin_port = htons(80);
		checks_run = checks_failed = 0;
		sys(setuid(65534));
		if (start > 80)
			ERR(EACCES, "bind to port 80, not root", bind_to(tcp(0), &low));
		_exit(checks_failed);
	}
	sys(waitpid(pid, &status, 0));
	checks_run++;
	checks_failed += status != 0;
}

static void errors_reset(void)
{
	char c;
	int fd = conn_asking("r"), err = wait_for(fd, POLLIN);

	expect((err & (POLLIN | POLLERR | POLLHUP)) == (POLLIN | POLLERR | POLLHUP),
	       "the peer resets: poll has POLLIN, POLLERR and POLLHUP: %x", err);
	ERR(ECONNRESET, "recv", recv(fd, &c, 1, 0));
	ERR(0, "recv again is the end", recv(fd, &c, 1, 0));
	pipes = 0;
	ERR(EPIPE, "send", send(fd, "x", 1, 0));
	expect(pipes == 1, "with SIGPIPE: %d", (int)pipes);
	ERR(ENOTCONN, "getpeername", peer_of(fd));
	close(fd);

	fd = conn_asking("r");
	wait_for(fd, 0);
	err = sock_error(fd);
	expect(err == ECONNRESET, "the peer resets: SO_ERROR: %s", errname(err));
	close(fd);

	fd = conn_asking("r");
	ERR(ECONNRESET, "the peer resets while recv waits", recv(fd, &c, 1, 0));
	close(fd);
}

static void errors_closed(void)
{
	char c, *much = calloc(1, 1 << 20);
	int fd = conn_asking("c"), err = wait_for(fd, POLLIN | POLLRDHUP);
	ssize_t n;

	expect((err & (POLLIN | POLLRDHUP)) == (POLLIN | POLLRDHUP), "the peer closes: poll has POLLRDHUP: %x", err);
	ERR(0, "recv is the end", recv(fd, &c, 1, 0));
	ERR(0, "send, the peer does not know yet", send(fd, "x", 1, MSG_NOSIGNAL));
	err = wait_for(fd, 0);
	expect(err & POLLHUP, "then poll has POLLHUP: %x", err);
	pipes = 0;
	ERR(EPIPE, "send again", send(fd, "x", 1, 0));
	expect(pipes == 1, "with SIGPIPE: %d", (int)pipes);
	close(fd);

	fd = conn_asking("e");
	ERR(0, "shutdown of writing", shutdown(fd, SHUT_WR));
	pipes = 0;
	ERR(EPIPE, "send", send(fd, "x", 1, 0));
	expect(pipes == 1, "with SIGPIPE: %d", (int)pipes);
	ERR(EPIPE, "send with MSG_NOSIGNAL", send(fd, "x", 1, MSG_NOSIGNAL));
	expect(pipes == 1, "without SIGPIPE: %d", (int)pipes);
	ERR(0, "recv is the end once the peer closed", recv(fd, &c, 1, 0));
	close(fd);

	/* a peer that reads nothing: all buffers fill up */
	fd = conn_asking("h");
	sys(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval) { 0, 300000 }, sizeof(struct timeval)));
	watchdog(opt_timeout, "send with SO_SNDTIMEO");
	while ((n = send(fd, much, 1 << 20, MSG_NOSIGNAL)) > 0)
		;
	expect(n < 0 && errno == EAGAIN, "send with SO_SNDTIMEO, the peer reads nothing: %s", errname(errno));
	ERR(EAGAIN, "send with MSG_DONTWAIT", send(fd, "x", 1, MSG_DONTWAIT));
	close(fd);
	free(much);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void *interrupt(void *arg)
{
	poll(NULL, 0, 300);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

static void errors_hole(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	int fd = tcp(0), none = tcp(SOCK_NONBLOCK), limited = tcp(0), err;
	pthread_t thread, self = pthread_self();

	ERR(EINPROGRESS, "connect, no answer, O_NONBLOCK", conn_to(none, &hole));
	ERR(EALREADY, "connect again", conn_to(none, &hole));
	expect(!poll(&(struct pollfd) { none, POLLOUT, 0 }, 1, 0), "poll has nothing yet");
	ERR(ENOTCONN, "getpeername, connecting", peer_of(none));
	ERR(EAGAIN, "send, connecting, O_NONBLOCK", send(none, "x", 1, MSG_NOSIGNAL));
	ERR(EAGAIN, "recv, connecting, O_NONBLOCK", recv(none, &err, 1, 0));
	sys(setsockopt(limited, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval) { 0, 300000 }, sizeof(struct timeval)));
	ERR(EINPROGRESS, "connect, no answer, SO_SNDTIMEO", conn_to(limited, &hole));
	close(limited);
	sigaction(SIGUSR1, &sa, NULL);
	pth(pthread_create(&thread, NULL, interrupt, &self));
	ERR(EINTR, "connect, no answer, a signal", conn_to(fd, &hole));
	pth(pthread_join(thread, NULL));
	ERR(ETIMEDOUT, "connect again, blocking, no answer", conn_to(fd, &hole));
	ERR(0, "the same socket connects elsewhere", conn_to(fd, &server));
	close(fd);
	err = wait_for(none, POLLOUT);
	expect(err & POLLOUT && err & POLLERR, "no answer: poll has POLLOUT and POLLERR: %x", err);
	err = sock_error(none);
	expect(err == ETIMEDOUT, "no answer: SO_ERROR: %s", errname(err));
	close(none);
}

static void errors(void)
{
	struct sigaction sa = { .sa_handler = on_pipe };

	sigaction(SIGPIPE, &sa, NULL);
	alen = address(opt_addr, opt_port, &server);
	address(opt_addr, 1, &refused);
	address(server.ss_family == AF_INET ? opt_foreign : "2001:db8::1", 0, &foreign);
	address(server.ss_family == AF_INET ? "0.0.0.0" : "::", 0, &any);
	errors_refused();
	errors_connected();
	errors_unconnected();
	errors_bind();
	errors_reset();
	errors_closed();
	if (!opt_hole)
		return;
	address(opt_hole, opt_port, &hole);
	errors_hole();
}

static const char usage[] =
"pvconn -s [--addr ADDR] [--port PORT] [--ready FILE]\n"
"pvconn stall ADDR --hole ADDR [--port PORT] [--conns N] [--stalled N] [--bound SECONDS]\n"
"pvconn errors ADDR [--hole ADDR] [--port PORT]\n"
"stall: --conns connects take less than --bound while --stalled others get no\n"
"answer. errors: what calls give. --hole: an address that never answers, where\n"
"connect gives up before --timeout seconds. --ready: the server writes its port\n"
"there when it listens. It must be bound to any address, and nobody to port 1.\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", 0, 0, 'h' }, { "addr", 1, 0, 'a' }, { "port", 1, 0, 'p' }, { "conns", 1, 0, 'c' },
		{ "stalled", 1, 0, 'n' }, { "hole", 1, 0, 'H' }, { "bound", 1, 0, 'b' },
		{ "timeout", 1, 0, 'T' }, { "ready", 1, 0, 'r' }, { 0, 0, 0, 0 }
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
		case 'n': opt_stalled = parse_size(optarg); break;
		case 'H': opt_hole = optarg; break;
		case 'b': opt_bound = parse_size(optarg); break;
		case 'T': opt_timeout = parse_size(optarg); break;
		case 'r': opt_ready = optarg; break;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (server)
		serve();
	if (optind != argc - 2 || (!strcmp(argv[optind], "stall") && !opt_hole)) {
		fputs(usage, stderr);
		return 2;
	}
	opt_addr = argv[optind + 1];
	if (!strcmp(argv[optind], "stall"))
		stall();
	else
		errors();
	return checks_done();
}
