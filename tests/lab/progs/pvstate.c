// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets wait, give up, are interrupted, end and fail as Linux's own TCP does:
 * timeouts, signals, shutdown(), ways to close, errors.
 */
#define _GNU_SOURCE
#include "sem.h"

static void on_signal(int sig)
{
	(void)sig;
}

static void catch_usr1(int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(SIGUSR1, &sa, NULL);
}

static void interrupt(struct blocked *b)
{
	int i;

	/* a signal that comes before the call goes by */
	for (i = 0; i < 20 && !b->done; i++) {
		pthread_kill(b->thread, SIGUSR1);
		usleep(20000);
	}
}

static long call_recv(struct blocked *b)
{
	char buf[100];

	return RC(recv(b->fd, buf, sizeof(buf), 0));
}

static long call_send_byte(struct blocked *b)
{
	return RC(send(b->fd, "x", 1, MSG_NOSIGNAL));
}

static long call_send_much(struct blocked *b)
{
	static char buf[16 * MIB];

	pattern_fill(buf, sizeof(buf), 0);
	return RC(send(b->fd, buf, sizeof(buf), MSG_NOSIGNAL));
}

static long call_accept(struct blocked *b)
{
	return RC(accept(b->fd, NULL, NULL));
}

static struct sockaddr_in hole_addr(const char *key)
{
	struct sockaddr_in a = sem_addr;

	a.sin_port = htons(GET("hole", peer("hole %s %s", key, peer_ip())));
	return a;
}

static struct sockaddr_in hole;

static long call_connect_hole(struct blocked *b)
{
	return RC(connect(b->fd, (void *)&hole, sizeof(hole)));
}

static void case_rcvtimeo(void)
{
	int fd = peer_hold("rcvtimeo");
	struct timeval tv = {};
	socklen_t len = sizeof(tv);
	double begin;
	char buf[10];

	EXPECT("set it", 0, set_time(fd, SO_RCVTIMEO, 400));
	EXPECT("get it", 0, getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	EXPECT("seconds", 0, tv.tv_sec);
	EXPECT("microseconds", 400000, tv.tv_usec);
	begin = now();
	EXPECT("recv gives up", -EAGAIN, recv(fd, buf, 10, 0));
	TRUE("not too early", now() - begin > 0.39);
	TRUE("not too late", now() - begin < 3);
	MUST("send", 10, peer("send rcvtimeo 10"));
	EXPECT("it still works", 10, get_bytes(fd, 10, 0));
	tv.tv_usec = 1000000;
	EXPECT("nonsense", -EDOM,
	       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
}

static void case_sndtimeo(void)
{
	static char buf[32 * MIB];
	int fd = peer_hold("sndtimeo");
	double begin = now();
	long n;

	pattern_fill(buf, sizeof(buf), 0);
	EXPECT("set it", 0, set_time(fd, SO_SNDTIMEO, 600));
	n = GET("send in part", send(fd, buf, sizeof(buf), MSG_NOSIGNAL));
	TRUE("in part only", n > 0 && n < (long)sizeof(buf));
	TRUE("not too early", now() - begin > 0.59);
	n += fill(fd);
	begin = now();
	EXPECT("send gives up", -EAGAIN, send(fd, buf, 1, MSG_NOSIGNAL));
	TRUE("not too early", now() - begin > 0.59);
	TRUE("not too late", now() - begin < 4);
}

/* Who waits until a port is free must not wait for something else to happen */
static void case_close_port(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	double begin = now();
	int i, fd;

	for (i = 0; i < 20; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		MUST("bind", 0, bind(fd, (void *)&any, sizeof(any)));
		if (i % 2)
			MUST("listen", 0, listen(fd, 5));
		MUST("close", 0, close(fd));
	}
	TRUE("none takes long", now() - begin < 6);
}

static void case_timeo_accept_connect(void)
{
	int port = 0, l = listen_any(AF_INET, 0, &port), fd;
	double begin;

	set_time(l, SO_RCVTIMEO, 300);
	begin = now();
	EXPECT("accept gives up", -EAGAIN, accept(l, NULL, NULL));
	TRUE("not too early", now() - begin > 0.29);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	hole = hole_addr("timeo");
	set_time(fd, SO_SNDTIMEO, 300);
	begin = now();
	EXPECT("connect gives up", -EINPROGRESS,
	       connect(fd, (void *)&hole, sizeof(hole)));
	TRUE("not too early", now() - begin > 0.29);
	TRUE("not too late", now() - begin < 3);
}

static void case_eintr_recv(void)
{
	int fd = peer_hold("eintr");
	struct blocked b;

	catch_usr1(0);
	blocked_start(&b, fd, call_recv);
	interrupt(&b);
	EXPECT("recv", -EINTR, blocked_end(&b, "recv with a signal"));
	catch_usr1(SA_RESTART);
	blocked_start(&b, fd, call_recv);
	interrupt(&b);
	EXPECT("recv goes on with SA_RESTART", 0, b.done);
	MUST("send", 10, peer("send eintr 10"));
	EXPECT("and reads", 10, blocked_end(&b, "recv with SA_RESTART"));
	set_time(fd, SO_RCVTIMEO, 20000);
	blocked_start(&b, fd, call_recv);
	interrupt(&b);
	EXPECT("recv with a timeout is not restarted", -EINTR,
	       blocked_end(&b, "recv with SA_RESTART and a timeout"));
}

static void case_eintr_send(void)
{
	int fd = peer_hold("eintr_send");
	struct blocked b;
	long n;

	catch_usr1(0);
	blocked_start(&b, fd, call_send_much);
	interrupt(&b);
	n = blocked_end(&b, "send of much with a signal");
	TRUE("a part was sent", n > 0 && n < 16 * MIB);
	EXPECT("the peer has it", n, peer("recv eintr_send %ld", n));
	n = fill(fd);
	blocked_start(&b, fd, call_send_byte);
	interrupt(&b);
	EXPECT("send of a byte", -EINTR, blocked_end(&b, "send with a signal"));
	catch_usr1(SA_RESTART);
	blocked_start(&b, fd, call_send_byte);
	interrupt(&b);
	EXPECT("send goes on with SA_RESTART", 0, b.done);
	close(fd);
	fd = -1;
	peer("rst eintr_send");
	TRUE("send ends with the connection",
	     blocked_end(&b, "send after a reset") < 0);
}

static void case_eintr_accept(void)
{
	int port = 0, l = listen_any(AF_INET, 0, &port);
	struct blocked b;

	catch_usr1(0);
	blocked_start(&b, l, call_accept);
	interrupt(&b);
	EXPECT("accept", -EINTR, blocked_end(&b, "accept with a signal"));
	catch_usr1(SA_RESTART);
	blocked_start(&b, l, call_accept);
	interrupt(&b);
	EXPECT("accept goes on with SA_RESTART", 0, b.done);
	MUST("dial", 0, peer("dial eintr_accept %s %d", peer_ip(), port));
	TRUE("and returns", blocked_end(&b, "accept with SA_RESTART") > 0);
}

static void case_eintr_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct blocked b;

	hole = hole_addr("eintr_connect");
	catch_usr1(0);
	blocked_start(&b, fd, call_connect_hole);
	interrupt(&b);
	EXPECT("connect", -EINTR, blocked_end(&b, "connect with a signal"));
	set_nonblock(fd, true);
	EXPECT("it goes on meanwhile", -EALREADY,
	       connect(fd, (void *)&hole, sizeof(hole)));
}

static volatile int sigpipes;

static void on_pipe(int sig)
{
	(void)sig;
	sigpipes++;
}

static void case_shutdown_wr(void)
{
	int fd = peer_hold("shut_wr");

	signal(SIGPIPE, on_pipe);
	MUST("send", 70000, put_bytes(fd, 70000, 0));
	EXPECT("shutdown", 0, shutdown(fd, SHUT_WR));
	EXPECT("send after it", -EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT("no SIGPIPE", 0, sigpipes);
	EXPECT("send after it", -EPIPE, send(fd, "x", 1, 0));
	EXPECT("SIGPIPE", 1, sigpipes);
	EXPECT("write after it", -EPIPE, write(fd, "x", 1));
	EXPECT("SIGPIPE", 2, sigpipes);
	EXPECT("the peer has all and the end", 70000, peer("drain shut_wr"));
	MUST("send", 1000, peer("send shut_wr 1000"));
	EXPECT("the other way works", 1000, get_bytes(fd, 1000, 0));
	EXPECT("shutdown again", 0, shutdown(fd, SHUT_WR));
	MUST("shut", 0, peer("shut shut_wr"));
	EXPECT("the end", 0, get_bytes(fd, 1, 1000));
	EXPECT("the end stays", 0, get_bytes(fd, 1, 1000));
}

static void case_shutdown_rd(void)
{
	int fd = peer_hold("shut_rd");
	struct blocked b;

	MUST("send", 100, peer("send shut_rd 100"));
	EXPECT("wait for data", POLLIN, poll_now(fd, POLLIN, 5000));
	EXPECT("shutdown", 0, shutdown(fd, SHUT_RD));
	EXPECT("what was there is", 100, get_bytes(fd, 100, 0));
	EXPECT("then the end", 0, get_bytes(fd, 1, 100));
	EXPECT("sending works", 10, put_bytes(fd, 10, 0));
	EXPECT("the peer has it", 10, peer("recv shut_rd 10"));

	fd = peer_hold("shut_rd2");
	blocked_start(&b, fd, call_recv);
	EXPECT("shutdown", 0, shutdown(fd, SHUT_RD));
	EXPECT("a blocked recv ends", 0, blocked_end(&b, "recv and SHUT_RD"));
}

static void case_shutdown_rdwr(void)
{
	int fd = peer_hold("shut_rdwr"), two;
	struct blocked b;

	blocked_start(&b, fd, call_recv);
	EXPECT("shutdown", 0, shutdown(fd, SHUT_RDWR));
	EXPECT("a blocked recv ends", 0, blocked_end(&b, "recv and SHUT_RDWR"));
	EXPECT("send after it", -EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	BITS("poll", POLLIN | POLLOUT | POLLHUP | POLLRDHUP,
	     POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLERR,
	     poll_now(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
	EXPECT("the peer sees the end", 0, peer("drain shut_rdwr"));

	fd = peer_hold("shut_send");
	fill(fd);
	blocked_start(&b, fd, call_send_byte);
	EXPECT("shutdown", 0, shutdown(fd, SHUT_WR));
	EXPECT("a blocked send ends", -EPIPE, blocked_end(&b, "send, SHUT_WR"));

	two = peer_hold("shut_bad");
	EXPECT("what is 3?", -EINVAL, shutdown(two, 3));
	EXPECT("what is -1?", -EINVAL, shutdown(two, -1));
	two = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT("not connected", -ENOTCONN, shutdown(two, SHUT_RDWR));
}

static void set_linger(int fd, int on, int seconds)
{
	struct linger l = { on, seconds }, got = {};
	socklen_t len = sizeof(got);

	EXPECT("set SO_LINGER", 0,
	       setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	EXPECT("get SO_LINGER", 0,
	       getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
	EXPECT("SO_LINGER on", on, got.l_onoff);
	EXPECT("SO_LINGER time", seconds, got.l_linger);
}

static void case_close(void)
{
	int fd = peer_hold("close1");
	double begin;

	MUST("send", 300000, put_bytes(fd, 300000, 0));
	MUST("close", 0, close(fd));
	EXPECT("all arrives", 300000, peer("drain close1"));

	fd = peer_hold("close2");
	set_linger(fd, 1, 0);
	MUST("there", 0, peer("send close2 0"));
	MUST("close with a time of 0", 0, close(fd));
	EXPECT("a reset", -ECONNRESET, peer("drain close2"));

	fd = peer_hold("close3");
	set_linger(fd, 1, 2);
	MUST("send", 200000, put_bytes(fd, 200000, 0));
	begin = now();
	MUST("close with a time", 0, close(fd));
	EXPECT("all arrives", 200000, peer("drain close3"));
	TRUE("in time", now() - begin < 10);

	fd = peer_hold("close4");
	MUST("send", 100, peer("send close4 100"));
	EXPECT("wait for data", POLLIN, poll_now(fd, POLLIN, 5000));
	MUST("close with data unread", 0, close(fd));
	EXPECT("a reset", -ECONNRESET, peer("drain close4"));

	fd = peer_hold("close5");
	set_linger(fd, 1, 1);
	fill(fd);
	begin = now();
	MUST("close with a time, stuck", 0, close(fd));
	TRUE("gives up in time", now() - begin < 5);
	peer("rst close5");
}

static void case_reset(void)
{
	int fd = peer_hold("reset"), all = POLLIN | POLLOUT | POLLHUP |
					   POLLRDHUP | POLLERR;
	struct blocked b;
	char buf[10];

	MUST("reset", 0, peer("rst reset"));
	BITS("poll", all, all, poll_now(fd, POLLIN | POLLRDHUP, 5000) |
			       poll_now(fd, POLLOUT, 5000));
	EXPECT("recv", -ECONNRESET, recv(fd, buf, 10, 0));
	EXPECT("recv again", 0, recv(fd, buf, 10, 0));
	EXPECT("send", -EPIPE, send(fd, buf, 10, MSG_NOSIGNAL));
	EXPECT("SO_ERROR", 0, get_int(fd, SOL_SOCKET, SO_ERROR));

	fd = peer_hold("reset2");
	blocked_start(&b, fd, call_recv);
	MUST("reset", 0, peer("rst reset2"));
	EXPECT("a blocked recv", -ECONNRESET, blocked_end(&b, "recv, reset"));

	fd = peer_hold("reset3");
	MUST("reset", 0, peer("rst reset3"));
	EXPECT("wait", POLLHUP, poll_now(fd, POLLIN, 5000) & POLLHUP);
	EXPECT("SO_ERROR", ECONNRESET, get_int(fd, SOL_SOCKET, SO_ERROR));
	EXPECT("SO_ERROR again", 0, get_int(fd, SOL_SOCKET, SO_ERROR));
	EXPECT("recv", 0, recv(fd, buf, 10, 0));

	fd = peer_hold("reset4");
	fill(fd);
	blocked_start(&b, fd, call_send_byte);
	MUST("reset", 0, peer("rst reset4"));
	EXPECT("a blocked send", -ECONNRESET, blocked_end(&b, "send, reset"));

	fd = peer_hold("reset5");
	MUST("send", 1000, peer("send reset5 1000"));
	EXPECT("wait for data", POLLIN, poll_now(fd, POLLIN, 5000));
	MUST("reset", 0, peer("rst reset5"));
	EXPECT("wait", POLLHUP, poll_now(fd, 0, 5000) & POLLHUP);
	EXPECT("SIGPIPE or not", -ECONNRESET, send(fd, buf, 1, MSG_NOSIGNAL));
}

static void case_connect_errors(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), port;
	struct sockaddr_in a = sem_addr;
	socklen_t len = sizeof(a);
	char buf[10];

	EXPECT("recv, not connected", -ENOTCONN, recv(fd, buf, 10, 0));
	EXPECT("send, not connected", -EPIPE, send(fd, buf, 1, MSG_NOSIGNAL));
	EXPECT("getpeername, not connected", -ENOTCONN,
	       getpeername(fd, (void *)&a, &len));
	EXPECT("accept, not listening", -EINVAL, accept(fd, NULL, NULL));
	port = GET("a port", peer("listen refused %s 0", peer_ip()));
	peer("close refused");
	a = sem_addr;
	a.sin_port = htons(port);
	EXPECT("connect", -ECONNREFUSED, connect(fd, (void *)&a, sizeof(a)));
	EXPECT("connect again", -ECONNREFUSED,
	       connect(fd, (void *)&a, sizeof(a)));
	EXPECT("the same socket elsewhere", 0,
	       connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	EXPECT("connect twice", -EISCONN,
	       connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	EXPECT("listen when connected", -EINVAL, listen(fd, 1));
	EXPECT("bind when connected", -EINVAL, bind(fd, (void *)&a, sizeof(a)));

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	MUST("connect", -EINPROGRESS, connect(fd, (void *)&a, sizeof(a)));
	BITS("poll", POLLOUT | POLLERR | POLLHUP, POLLOUT | POLLERR | POLLHUP,
	     poll_now(fd, POLLOUT, 5000));
	EXPECT("SO_ERROR", ECONNREFUSED, get_int(fd, SOL_SOCKET, SO_ERROR));
	EXPECT("SO_ERROR again", 0, get_int(fd, SOL_SOCKET, SO_ERROR));

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	EXPECT("too short", -EINVAL, connect(fd, (void *)&a, 8));
	a.sin_family = AF_INET6;
	EXPECT("another family", -EAFNOSUPPORT,
	       connect(fd, (void *)&a, sizeof(a)));
}

static void case_connect_nonblock(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	long ret = RC(connect(fd, (void *)&sem_addr, sizeof(sem_addr)));

	EXPECT("connect", -EINPROGRESS, ret);
	EXPECT("poll", POLLOUT, poll_now(fd, POLLIN | POLLOUT, 5000));
	EXPECT("SO_ERROR", 0, get_int(fd, SOL_SOCKET, SO_ERROR));
	EXPECT("connect again", 0,
	       connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	EXPECT("and again", -EISCONN,
	       connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	EXPECT("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("the peer", 0, memcmp(&a, &sem_addr, 8));
	EXPECT("send", 5, send(fd, "echo\n", 5, 0));

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	hole = hole_addr("nonblock");
	EXPECT("connect to a hole", -EINPROGRESS,
	       connect(fd, (void *)&hole, sizeof(hole)));
	EXPECT("again", -EALREADY, connect(fd, (void *)&hole, sizeof(hole)));
	EXPECT("poll", 0, poll_now(fd, POLLIN | POLLOUT, 100));
	EXPECT("recv", -EAGAIN, recv(fd, &a, 1, 0));
	EXPECT("send", -EAGAIN, send(fd, &a, 1, MSG_NOSIGNAL));
	EXPECT("getpeername", -ENOTCONN, getpeername(fd, (void *)&a, &len));
	EXPECT("close", 0, close(fd));
}

/* Of a socket that has an address, but never had a peer, nothing is read */
static void case_bound(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	int two = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	char c;

	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	EXPECT("TCP_INQ", 0, set_int(fd, SOL_TCP, TCP_INQ, 1));
	EXPECT("recv", -ENOTCONN, recv(fd, &c, 1, 0));
	EXPECT("shutdown", -ENOTCONN, shutdown(two, SHUT_RD));
	EXPECT("TCP_INQ", 0, set_int(two, SOL_TCP, TCP_INQ, 1));
	MUST("bind", 0, bind(two, (void *)&a, sizeof(a)));
	EXPECT("recv after shutdown", 0, recv(two, &c, 1, 0));
}

/*
 * The port that a program has asked for stays the socket's own when it leaves
 * its peer. Many times, as another worker may be the faster one.
 */
static void case_listen_again(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in a = free_port();
	int fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0)), i;

	MUST("bind to a port", 0, bind(fd, (void *)&a, sizeof(a)));
	for (i = 0; i < 20; i++) {
		MUST("connect", 0,
		     connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
		MUST("disconnect", 0, connect(fd, &none, sizeof(none)));
		MUST("listen", 0, listen(fd, 1));
		MUST("port", ntohs(a.sin_port), port_at(fd));
		MUST("listen no more", 0, connect(fd, &none, sizeof(none)));
	}
}

/* The port of a connection that its peer has reset is free after close(). */
static void case_bind_again(void)
{
	struct sockaddr_in a = free_port();
	int fd, i;
	char c;

	for (i = 0; i < 20; i++) {
		fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
		MUST("bind to the port", 0, bind(fd, (void *)&a, sizeof(a)));
		MUST("connect", 0,
		     connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
		MUST("ask for a reset", 4, send(fd, "rst\n", 4, 0));
		MUST("reset", -ECONNRESET, recv(fd, &c, 1, 0));
		MUST("close", 0, close(fd));
	}
}

/* Without bind() each listen() may take another port, but none fails. */
static void case_listen_unbound(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0)), i;

	for (i = 0; i < 3; i++) {
		MUST("listen", 0, listen(fd, 1));
		TRUE("a port", port_at(fd));
		MUST("listen no more", 0, connect(fd, &none, sizeof(none)));
	}
	MUST("listen", 0, listen(fd, 1));
	EXPECT("dial", 0, peer("dial unbound %s %d", peer_ip(), port_at(fd)));
}

/* A socket that listens no more still tells its port. */
static void case_listened(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0)), port;

	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	MUST("listen", 0, listen(fd, 1));
	port = port_at(fd);
	MUST("shutdown", 0, shutdown(fd, SHUT_RD));
	EXPECT("the port", port, port_at(fd));
	EXPECT("listen again", 0, listen(fd, 1));
	EXPECT("dial", 0, peer("dial listened %s %d", peer_ip(), port_at(fd)));
}

/* MSG_FASTOPEN connects, but it does not take a connection away. */
static void case_fastopen(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = peer_hold("fastopen");

	EXPECT("AF_UNSPEC", -EOPNOTSUPP,
	       sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &none,
		      sizeof(none)));
	EXPECT("it still works", 10, put_bytes(fd, 10, 0));
	EXPECT("the peer has it", 10, peer("recv fastopen 10"));
}

static const struct check checks[] = {
	{ "rcvtimeo", case_rcvtimeo },
	{ "sndtimeo", case_sndtimeo },
	{ "close_port", case_close_port },
	{ "timeo_accept_connect", case_timeo_accept_connect },
	{ "eintr_recv", case_eintr_recv },
	{ "eintr_send", case_eintr_send },
	{ "eintr_accept", case_eintr_accept },
	{ "eintr_connect", case_eintr_connect },
	{ "shutdown_wr", case_shutdown_wr },
	{ "shutdown_rd", case_shutdown_rd },
	{ "shutdown_rdwr", case_shutdown_rdwr },
	{ "close", case_close },
	{ "reset", case_reset },
	{ "connect_errors", case_connect_errors },
	{ "connect_nonblock", case_connect_nonblock },
	{ "bound", case_bound },
	{ "listen_again", case_listen_again },
	{ "bind_again", case_bind_again },
	{ "listen_unbound", case_listen_unbound },
	{ "listened", case_listened },
	{ "fastopen", case_fastopen },
};

int main(int argc, char **argv)
{
	return checks_main(argc, argv, "Timeouts, signals, ends and errors.",
			   checks, ARRAY_SIZE(checks));
}
