// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of the socket interface in which one allocation of the kernel fails:
 * the first, the second, and so on, until a call needs no more. The kernel
 * counts them for one thread (/proc/thread-self/fail-nth). A call that fails
 * must give an errno that means want of memory; the same call must work
 * afterwards, its data must be right, and the socket must close.
 *
 * usage: pvfail -s [--ready FIFO]             the peer, at port 7100
 *        pvfail ADDRESS PORT [NAME...]        all calls, or those named
 */
#include "common.h"

#include <sys/epoll.h>

#define TRIES	400	/* no call makes as many allocations */
#define BYTES	1000
#define LARGE	100000
#define HELLO	5

/* What a call may give when it finds no memory: man pages, and the source. */
static const int no_memory[] = { ENOMEM, ENOBUFS };
/* socket() and accept(), whose inode cannot be made */
/* For want of memory for a port's entry Linux says that the port is taken. */
static const int no_port[] = { ENOMEM, ENOBUFS, EADDRINUSE };
static const int no_file[] = { ENOMEM, ENOBUFS, ENFILE };
#define ERRNOS	256

struct sweep {
	const struct call *call;
	int n;			/* of this try */
	int fd;			/* the socket */
	int made;		/* accept()'s and epoll_create()'s */
	int port;		/* of a listening socket */
	int sent;		/* that went out, and must come back */
	char buf[LARGE];
};

struct call {
	const char *name;
	int type;
	bool allocates;		/* at least one fault must be injected */
	const int *errnos;
	int errno_count;
	void (*prepare)(struct sweep *s);
	int (*run)(struct sweep *s);
	void (*after)(struct sweep *s);
};

static const char *opt_addr;
static int opt_port = 7100;
static struct sockaddr_storage peer;
static socklen_t peer_len;
static int control = -1;
static int nth = -1;

/* ---- the fault ---- */

static void nth_set(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth, text, len, 0) != len)
		die("fail-nth");
}

/* How many allocations were still to be made before the one that fails. */
static int nth_left(void)
{
	char text[16] = "";

	if (pread(nth, text, sizeof(text) - 1, 0) < 1)
		die("fail-nth");
	return atoi(text);
}

/* ---- prepare: a socket as the call wants it ---- */

static void none(struct sweep *s)
{
	s->fd = -1;
}

static void fresh(struct sweep *s)
{
	s->fd = sys(socket(AF_INET, s->call->type, 0));
}

static void bound(struct sweep *s)
{
	struct sockaddr_in any = { .sin_family = AF_INET };

	fresh(s);
	sys(bind(s->fd, (struct sockaddr *)&any, sizeof(any)));
}

static void connected(struct sweep *s)
{
	fresh(s);
	sys(connect(s->fd, (struct sockaddr *)&peer, peer_len));
	if (s->call->type == SOCK_STREAM)
		sys(send(s->fd, "E", 1, 0));
}

static void readable(struct sweep *s, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, 20000) != 1)
		fail("%s %d: nothing to read", s->call->name, s->n);
}

static void with_data(struct sweep *s)
{
	connected(s);
	pattern_fill(s->buf, BYTES, s->n, 0);
	sys(send(s->fd, s->buf, BYTES, 0));
	s->sent = BYTES;
	readable(s, s->fd);
}

static void with_caller(struct sweep *s)
{
	uint16_t port;

	bound(s);
	sys(listen(s->fd, 8));
	port = sock_port(s->fd);
	write_full(control, &port, sizeof(port));
	readable(s, s->fd);
}

static void with_epoll(struct sweep *s)
{
	connected(s);
	s->made = sys(epoll_create1(0));
}

/* ---- run: the call itself ---- */

static int do_socket(struct sweep *s)
{
	s->fd = socket(AF_INET, s->call->type, 0);
	return s->fd;
}

static int do_bind(struct sweep *s)
{
	struct sockaddr_in any = { .sin_family = AF_INET };

	return bind(s->fd, (struct sockaddr *)&any, sizeof(any));
}

static int do_connect(struct sweep *s)
{
	return connect(s->fd, (struct sockaddr *)&peer, peer_len);
}

static int do_listen(struct sweep *s)
{
	return listen(s->fd, 8);
}

static int do_accept(struct sweep *s)
{
	s->made = accept(s->fd, NULL, NULL);
	return s->made;
}

static int do_send(struct sweep *s)
{
	return s->sent = send(s->fd, s->buf, BYTES, 0);
}

static int do_sendto(struct sweep *s)
{
	return s->sent = sendto(s->fd, s->buf, BYTES, 0, (struct sockaddr *)&peer, peer_len);
}

static int do_send_large(struct sweep *s)
{
	return s->sent = send(s->fd, s->buf, LARGE, 0);
}

static int do_recv(struct sweep *s)
{
	memset(s->buf, 0, BYTES);
	return recv(s->fd, s->buf, BYTES, 0);
}

static int do_setsockopt(struct sweep *s)
{
	int size = 65536;

	return setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* Another one each time, so that it is not there from the time before */
static int tos_of(const struct sweep *s)
{
	return (s->n % 32 + 1) << 2;
}

static int do_setsockopt_remote(struct sweep *s)
{
	int tos = tos_of(s);

	return setsockopt(s->fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
}

static int do_getsockopt(struct sweep *s)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &value, &len);
}

static int do_getsockopt_remote(struct sweep *s)
{
	struct tcp_info *info = (void *)s->buf;
	socklen_t len = sizeof(*info);

	return getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

static int do_getsockname(struct sweep *s)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getsockname(s->fd, (struct sockaddr *)&ss, &len);
}

static int do_getpeername(struct sweep *s)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getpeername(s->fd, (struct sockaddr *)&ss, &len);
}

static int do_poll(struct sweep *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };

	return poll(&pfd, 1, 0);
}

static int do_epoll(struct sweep *s)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(s->made, EPOLL_CTL_ADD, s->fd, &event);
}

static int do_shutdown(struct sweep *s)
{
	return shutdown(s->fd, SHUT_WR);
}

static int do_close(struct sweep *s)
{
	return close(s->fd);
}

/* ---- after: what the call has done must be right ---- */

static void done(struct sweep *s)
{
	sys(close(s->fd));
}

/* What was sent comes back, once. */
static void echoed(struct sweep *s)
{
	if (s->call->type == SOCK_STREAM) {
		sys(shutdown(s->fd, SHUT_WR));
		memset(s->buf, 0, LARGE);
		if (try_read_full(s->fd, s->buf, LARGE) != s->sent)
			fail("%s %d: %d bytes did not come back", s->call->name, s->n, s->sent);
	} else {
		readable(s, s->fd);
		memset(s->buf, 0, LARGE);
		if (sys(recv(s->fd, s->buf, LARGE, 0)) != s->sent)
			fail("%s %d: another datagram came back", s->call->name, s->n);
	}
	if (pattern_verify(s->buf, s->sent, s->n, 0) >= 0)
		fail("%s %d: wrong bytes came back", s->call->name, s->n);
	done(s);
}

static void received(struct sweep *s)
{
	if (pattern_verify(s->buf, BYTES, s->n, 0) >= 0)
		fail("%s %d: wrong bytes were received", s->call->name, s->n);
	done(s);
}

/* A connection that carries something */
static void works(struct sweep *s)
{
	if (s->call->type == SOCK_STREAM)
		write_full(s->fd, "E", 1);
	pattern_fill(s->buf, BYTES, s->n, 0);
	s->sent = sys(send(s->fd, s->buf, BYTES, 0));
	echoed(s);
}

/* The peer has seen the datagram's TOS, or type of service. */
static void marked(struct sweep *s)
{
	sys(send(s->fd, "T", 1, 0));
	readable(s, s->fd);
	*s->buf = 0;
	sys(recv(s->fd, s->buf, 1, 0));
	if ((unsigned char)*s->buf != tos_of(s))
		fail("%s %d: a datagram went out with another TOS", s->call->name, s->n);
	done(s);
}

/* TCP_INFO is of the connection that carries the bytes: another one knows of no path. */
static void told(struct sweep *s)
{
	if (!((struct tcp_info *)s->buf)->tcpi_pmtu)
		fail("%s %d: TCP_INFO is not the connection's", s->call->name, s->n);
	done(s);
}

static void accepted(struct sweep *s)
{
	read_full(s->made, s->buf, HELLO);
	sys(close(s->made));
	done(s);
}

static void epoll_done(struct sweep *s)
{
	sys(close(s->made));
	done(s);
}

static void closed(struct sweep *s)
{
	if (fcntl(s->fd, F_GETFD) != -1 || errno != EBADF)
		fail("%s %d: the descriptor is still there", s->call->name, s->n);
}

/* ---- the sweep ---- */

#define CALL(name, type, allocates, prepare, run, after) \
	{ name, type, allocates, no_memory, 2, prepare, run, after }
#define CALL_FILE(name, type, prepare, run, after) \
	{ name, type, true, no_file, 3, prepare, run, after }
#define CALL_PORT(name, type, prepare, run, after) \
	{ name, type, false, no_port, 3, prepare, run, after }
/* There is no want of memory that close() may tell of. */
#define CALL_CLOSE(name, type, prepare) \
	{ name, type, false, NULL, 0, prepare, do_close, closed }

static const struct call calls[] = {
	CALL_FILE("tcp-socket", SOCK_STREAM, none, do_socket, done),
	CALL_PORT("tcp-bind", SOCK_STREAM, fresh, do_bind, done),
	CALL("tcp-connect", SOCK_STREAM, true, fresh, do_connect, works),
	CALL("tcp-connect-bound", SOCK_STREAM, true, bound, do_connect, works),
	CALL("tcp-listen", SOCK_STREAM, false, bound, do_listen, done),
	CALL_FILE("tcp-accept", SOCK_STREAM, with_caller, do_accept, accepted),
	CALL("tcp-send", SOCK_STREAM, false, connected, do_send, echoed),
	CALL("tcp-send-large", SOCK_STREAM, false, connected, do_send_large, echoed),
	CALL("tcp-recv", SOCK_STREAM, false, with_data, do_recv, received),
	CALL("tcp-setsockopt", SOCK_STREAM, false, connected, do_setsockopt, done),
	CALL("tcp-setsockopt-remote", SOCK_STREAM, false, connected, do_setsockopt_remote, done),
	CALL("tcp-getsockopt", SOCK_STREAM, false, connected, do_getsockopt, done),
	CALL("tcp-getsockopt-remote", SOCK_STREAM, false, connected, do_getsockopt_remote, told),
	CALL("tcp-getsockname", SOCK_STREAM, false, connected, do_getsockname, done),
	CALL("tcp-getpeername", SOCK_STREAM, false, connected, do_getpeername, done),
	CALL("tcp-poll", SOCK_STREAM, false, with_data, do_poll, done),
	CALL("tcp-epoll", SOCK_STREAM, true, with_epoll, do_epoll, epoll_done),
	CALL("tcp-shutdown", SOCK_STREAM, false, connected, do_shutdown, done),
	CALL_CLOSE("tcp-close", SOCK_STREAM, connected),
	CALL_CLOSE("tcp-close-listening", SOCK_STREAM, with_caller),
	CALL_FILE("udp-socket", SOCK_DGRAM, none, do_socket, done),
	CALL_PORT("udp-bind", SOCK_DGRAM, fresh, do_bind, done),
	CALL("udp-connect", SOCK_DGRAM, false, fresh, do_connect, works),
	CALL("udp-send", SOCK_DGRAM, false, connected, do_send, echoed),
	CALL("udp-sendto-first", SOCK_DGRAM, true, fresh, do_sendto, echoed),
	CALL("udp-recv", SOCK_DGRAM, false, with_data, do_recv, received),
	CALL("udp-setsockopt", SOCK_DGRAM, false, connected, do_setsockopt, done),
	CALL("udp-setsockopt-remote", SOCK_DGRAM, false, connected, do_setsockopt_remote, marked),
	CALL("udp-getsockopt", SOCK_DGRAM, false, connected, do_getsockopt, done),
	CALL("udp-getsockname", SOCK_DGRAM, false, connected, do_getsockname, done),
	CALL("udp-getpeername", SOCK_DGRAM, false, connected, do_getpeername, done),
	CALL("udp-poll", SOCK_DGRAM, false, with_data, do_poll, done),
	CALL("udp-shutdown", SOCK_DGRAM, false, connected, do_shutdown, done),
	CALL_CLOSE("udp-close", SOCK_DGRAM, connected),
};

static bool allowed(const struct call *call, int err)
{
	int i;

	for (i = 0; i < call->errno_count; i++)
		if (call->errnos[i] == err)
			return true;
	return false;
}

/* One try. Returns false when the call needed fewer allocations than n. */
static bool try_nth(struct sweep *s, int errors[ERRNOS])
{
	const struct call *call = s->call;
	int ret, err, left;

	s->made = -1;
	call->prepare(s);
	if (call->run == do_send || call->run == do_sendto || call->run == do_send_large)
		pattern_fill(s->buf, LARGE, s->n, 0);
	nth_set(s->n);
	ret = call->run(s);
	err = errno;
	left = nth_left();
	nth_set(0);
	if (ret < 0) {
		errors[err]++;
		if (left || !allowed(call, err))
			expect(false, "%s, allocation %d: %s%s", call->name, s->n, strerror(err),
			       left ? " without a fault" : "");
		/* the same, with memory */
		if (call->run == do_accept)
			readable(s, s->fd);
		ret = call->run(s);
		if (ret < 0)
			die("%s, allocation %d: once more", call->name, s->n);
	}
	call->after(s);
	return !left;
}

static void sweep(const struct call *call)
{
	static struct sweep s;
	int failed = checks_failed, errors[ERRNOS] = {}, faults, i;
	char text[200] = "";

	s.call = call;
	for (s.n = 1; s.n <= TRIES; s.n++) {
		watchdog(120, "%s, allocation %d", call->name, s.n);
		if (!try_nth(&s, errors))
			break;
	}
	watchdog(0, "-");
	faults = s.n - 1;
	for (i = 0; i < ERRNOS; i++)
		if (errors[i])
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %s %d", strerrorname_np(i),
				 errors[i]);
	expect(s.n <= TRIES && (faults || !call->allocates) && failed == checks_failed,
	       "%-22s %3d faults%s", call->name, faults, text);
}

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return !argc;
}

static int client(int argc, char **argv)
{
	size_t i;

	peer_len = address(opt_addr, opt_port, &peer);
	nth = sys(open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC));
	control = tcp_connect(opt_addr, opt_port);
	write_full(control, "C", 1);
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (wanted(calls[i].name, argc, argv))
			sweep(&calls[i]);
	return checks_done();
}

/* ---- the peer ---- */

/* Connects to the ports that the client names, and says hello there. */
static void call_back(int conn)
{
	struct sockaddr_storage self;
	socklen_t len = sizeof(self);
	char host[INET_ADDRSTRLEN], byte;
	uint16_t port;

	sys(getsockname(conn, (struct sockaddr *)&self, &len));
	inet_ntop(AF_INET, &((struct sockaddr_in *)&self)->sin_addr, host, sizeof(host));
	while (try_read_full(conn, &port, sizeof(port)) == sizeof(port)) {
		int fd = tcp_connect(host, port);
		struct timeval soon = { .tv_sec = 5 };

		/* who closes without memory for a reset may tell nothing */
		sys(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)));
		try_write_full(fd, "hello", HELLO);
		while (recv(fd, &byte, 1, 0) > 0)
			;
		close(fd);
	}
}

static void *serve_one(void *arg)
{
	int conn = (long)arg;
	char buf[65536];
	ssize_t n;

	if (recv(conn, buf, 1, 0) == 1) {
		if (*buf == 'C')
			call_back(conn);
		while (*buf == 'E' && (n = recv(conn, buf + 1, sizeof(buf) - 1, 0)) > 0)
			if (try_write_full(conn, buf + 1, n) < 0)
				break;
	}
	close(conn);
	return NULL;
}

/* Sends datagrams back; one of a byte comes back with its TOS instead. */
static void *serve_datagrams(void *arg)
{
	static char buf[65536], control[CMSG_SPACE(sizeof(int))];
	int fd = (long)arg, on = 1;

	sys(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)));
	for (;;) {
		struct sockaddr_storage from;
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr msg = {
			.msg_name = &from, .msg_namelen = sizeof(from),
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(fd, &msg, 0);

		if (n < 0)
			continue;
		if (n == 1 && CMSG_FIRSTHDR(&msg))
			*buf = *CMSG_DATA(CMSG_FIRSTHDR(&msg));
		sendto(fd, buf, n, 0, (struct sockaddr *)&from, msg.msg_namelen);
	}
	return NULL;
}

__attribute__((noreturn))
static void serve(const char *ready)
{
	struct sockaddr_storage any;
	socklen_t len = address("", opt_port, &any);
	int listener = tcp_listen("", opt_port, 128);
	int udp = sys(socket(AF_INET, SOCK_DGRAM, 0));
	pthread_t thread;

	sys(bind(udp, (struct sockaddr *)&any, len));
	pth(pthread_create(&thread, NULL, serve_datagrams, (void *)(long)udp));
	write_ready(ready, opt_port);
	for (;;) {
		int conn = tcp_accept(listener);

		pth(pthread_create(&thread, NULL, serve_one, (void *)(long)conn));
		pth(pthread_detach(thread));
	}
}

int main(int argc, char **argv)
{
	const char *ready = NULL;

	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && !strcmp(argv[1], "-s")) {
		if (argc > 3 && !strcmp(argv[2], "--ready"))
			ready = argv[3];
		serve(ready);
	}
	if (argc < 3)
		fail("usage: pvfail -s [--ready FIFO] | pvfail ADDRESS PORT [NAME...]");
	opt_addr = argv[1];
	opt_port = parse_size(argv[2]);
	return client(argc - 3, argv + 3);
}
