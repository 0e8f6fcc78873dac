// SPDX-License-Identifier: GPL-2.0
/* Signals: those that calls raise, and calls that signals interrupt */
#define _GNU_SOURCE
#include "conform.h"

static volatile int count;
static char buf[1000];

static void counting(int sig)
{
	(void)sig;
	count++;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = counting, .sa_flags = flags };

	count = 0;
	sigaction(sig, &sa, NULL);
}

static void pipe_signal(void)
{
	int fd = peer_conn("c");
	struct iovec iov = { buf, 1 };

	handle(SIGPIPE, 0);
	shutdown(fd, SHUT_WR);
	R("send", send(fd, buf, 1, 0));
	R("signals", count);
	R("send MSG_NOSIGNAL", send(fd, buf, 1, MSG_NOSIGNAL));
	R("signals", count);
	R("write", write(fd, buf, 1));
	R("signals", count);
	R("writev", writev(fd, &iov, 1));
	R("signals", count);
	R("send 0", send(fd, buf, 0, 0));
	R("signals", count);
	fd = sock4();
	R("send on a new one", send(fd, buf, 1, 0));
	R("signals", count);
	fd = peer_conn("d");
	peer("rst d");
	poll_for(fd, POLLERR, 4000);
	R("send after a reset", send(fd, buf, 1, 0));
	R("signals", count);
	R("send again", send(fd, buf, 1, 0));
	R("signals", count);
}

/* Sends us a signal when we sleep; then has the peer send. */
static pid_t shooter(int sig)
{
	pid_t us = getpid(), pid = fork();

	if (!pid) {
		wait_asleep(us, us);
		kill(us, sig);
		_exit(0);
	}
	return pid;
}

static void interrupted(void)
{
	struct sockaddr_in a = hole();
	int fd = peer_conn("c"), port, l = listener(AF_INET, 0, &port);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	handle(SIGUSR1, 0);
	shooter(SIGUSR1);
	R("recv", recv(fd, buf, 1, 0));
	shooter(SIGUSR1);
	R("accept", accept(l, NULL, NULL));
	shooter(SIGUSR1);
	R("poll", poll(&p, 1, 10000));
	R("fill", fill(fd) > 0);
	shooter(SIGUSR1);
	R("send", send(fd, buf, 1000, MSG_NOSIGNAL));
	fd = sock4();
	shooter(SIGUSR1);
	R("connect", connect(fd, (void *)&a, sizeof(a)));
	set_nonblock(fd, true);
	R("connect again", connect(fd, (void *)&a, sizeof(a)));
	R("signals", count);
	fd = peer_conn("d");
	peer("send d 10");
	await_bytes(fd, 10);
	shooter(SIGUSR1);
	n = recv(fd, buf, 100, MSG_WAITALL);
	R("recv MSG_WAITALL with some", n);
}

static void restarted(void)
{
	int fd = peer_conn("c"), port, l = listener(AF_INET, 0, &port);

	handle(SIGUSR1, SA_RESTART);
	set_time(fd, SO_RCVTIMEO, 1500);
	shooter(SIGUSR1);
	R("recv with a timeout", recv(fd, buf, 1, 0));
	set_time(fd, SO_RCVTIMEO, 0);
	R("signals", count);
	alarm(0);
	handle(SIGALRM, SA_RESTART);
	alarm(1);
	if (!fork()) {
		/* after the signal */
		sleep(2);
		peer("send c 10");
		_exit(0);
	}
	R("recv goes on", recv_bytes(fd, 10, 0));
	R("signals", count);
	signal(SIGALRM, SIG_DFL);
	alarm(30);
	handle(SIGUSR1, SA_RESTART);
	set_time(l, SO_RCVTIMEO, 1500);
	shooter(SIGUSR1);
	R("accept with a timeout", accept(l, NULL, NULL));
}

static void await_count(int n)
{
	int i;

	for (i = 0; i < 3000 && count < n; i++)
		usleep(1000);
}

static void async(void)
{
	int fd = peer_conn("c");

	handle(SIGIO, SA_RESTART);
	R("fcntl F_SETOWN", fcntl(fd, F_SETOWN, getpid()));
	R("fcntl F_GETOWN", fcntl(fd, F_GETOWN) == getpid());
	R("fcntl O_ASYNC", fcntl(fd, F_SETFL, O_ASYNC));
	peer("send c 10");
	await_count(1);
	R("a signal at data", count > 0);
	recv(fd, buf, 10, 0);
	count = 0;
	peer("shut c");
	await_count(1);
	R("a signal at FIN", count > 0);
	count = 0;
	peer("rst c");
	await_count(1);
	R("a signal at RST", count > 0);
	R("fcntl F_SETSIG", fcntl(fd, F_SETSIG, SIGUSR1));
	R("fcntl F_GETSIG", fcntl(fd, F_GETSIG));
}

static void async_accept(void)
{
	int port, l = listener(AF_INET, 0, &port);

	handle(SIGIO, SA_RESTART);
	fcntl(l, F_SETOWN, getpid());
	R("fcntl O_ASYNC", fcntl(l, F_SETFL, O_ASYNC | O_NONBLOCK));
	peer("dial d %s %d", peer_ip(), port);
	await_count(1);
	R("a signal at a connection", count > 0);
	R("accept", accept(l, NULL, NULL) < 0);
}

static void urgent(void)
{
	int fd = peer_conn("c");

	handle(SIGURG, SA_RESTART);
	fcntl(fd, F_SETOWN, getpid());
	peer("oob c 1");
	await_count(1);
	R("signals at urgent data", count);
}

THEME(signals)
	{ "signal_pipe", pipe_signal },
	{ "signal_interrupts", interrupted },
	{ "signal_restarts", restarted },
	{ "signal_io", async },
	{ "signal_io_accept", async_accept },
	{ "signal_urgent", urgent },
THEME_END(signals);
