// SPDX-License-Identifier: GPL-2.0
/*
 * An ordinary program in the guest, while the backend lies.
 *
 *   victim OPERATION [BYTES]
 *
 * Exit code: 0 it worked, 1 it got an error or the end of the stream (which
 * is named), 3 it got an error that no program can know.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CHUNK	16384

static char buf[CHUNK];
static struct sockaddr_in peer;

static void sorry(const char *what)
{
	int err = errno;

	printf("%s: %s (%d)\n", what, strerror(err), err);
	exit(err >= 1 && err <= EHWPOISON ? 1 : 3);
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		sorry("socket");
	return fd;
}

static int connected(void)
{
	int fd = new_socket();

	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		sorry("connect");
	return fd;
}

static int listening(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(7300)
	};
	int fd = new_socket();

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		sorry("bind");
	if (listen(fd, 5))
		sorry("listen");
	return fd;
}

static void put(int fd, long len)
{
	while (len > 0) {
		ssize_t n = send(fd, buf, len < CHUNK ? len : CHUNK,
				 MSG_NOSIGNAL);

		if (n <= 0)
			sorry("send");
		len -= n;
	}
}

static void get(int fd, long len)
{
	while (len > 0) {
		ssize_t n = recv(fd, buf, len < CHUNK ? len : CHUNK, 0);

		if (n < 0)
			sorry("recv");
		if (!n) {
			puts("recv: end of the stream");
			exit(1);
		}
		len -= n;
	}
}

static void echo(int fd, long len)
{
	char want[CHUNK];
	long i, n;

	while (len > 0) {
		n = len < 4096 ? len : 4096;
		for (i = 0; i < n; i++)
			want[i] = buf[i] = random();
		put(fd, n);
		get(fd, n);
		if (memcmp(buf, want, n)) {
			puts("echo: data changed");
			exit(1);
		}
		len -= n;
	}
}

static void names(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		sorry("getsockname");
	if (len > sizeof(addr)) {
		puts("getsockname: length makes no sense");
		exit(3);
	}
	len = sizeof(addr);
	if (getpeername(fd, (struct sockaddr *)&addr, &len))
		sorry("getpeername");
}

/* Nothing is written behind what the program has room for */
static void options(int fd)
{
	unsigned char value[600];
	socklen_t len, room;

	for (room = 0; room <= 500; room += 50) {
		memset(value, 0x5a, sizeof(value));
		len = room;
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, value, &len))
			sorry("TCP_INFO");
		if (len > room || value[room] != 0x5a) {
			puts("TCP_INFO: longer than its buffer");
			exit(3);
		}
	}
	len = sizeof(value);
	if (getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, value, &len))
		sorry("TCP_MAXSEG");
}

static void nonblocking(void)
{
	int fd = new_socket();
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		return;
	if (errno != EINPROGRESS)
		sorry("connect");
	if (poll(&p, 1, 1000)) {
		puts("poll: an answer that nobody gave");
		exit(1);
	}
}

static void timeout(void)
{
	struct timeval second = { .tv_sec = 1 };
	int fd = connected();

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (recv(fd, buf, 1, 0) >= 0 || errno != EAGAIN)
		sorry("recv with SO_RCVTIMEO");
}

/* Datagrams there and back */
static void datagram(int fd)
{
	struct sockaddr_in from;
	char control[128];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	if (recvmsg(fd, &msg, 0) < 0)
		sorry("recvmsg");
	if (msg.msg_namelen > sizeof(from)) {
		puts("recvmsg: length makes no sense");
		exit(3);
	}
	if (msg.msg_controllen) {
		puts("recvmsg: control data that nobody has asked for");
		exit(3);
	}
}

static void datagrams(long n)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	long i;

	if (fd < 0)
		sorry("socket");
	for (i = 0; i < n; i++) {
		memset(buf, i, 100);
		if (sendto(fd, buf, 100, 0, (void *)&peer, sizeof(peer)) < 0)
			sorry("sendto");
		datagram(fd);
	}
}

static void poll_listener(void)
{
	struct pollfd p = { .fd = listening(), .events = POLLIN };

	poll(&p, 1, 1500);
}

/*
 * The device may be connected before the module is ready to capture sockets. That
 * has no event of its own.
 */
static void await_module(void)
{
	char state[16] = "";
	int i, fd, n;

	for (i = 0; i < 2000; i++) {
		fd = open("/sys/module/pvcalls_mt_front/initstate", O_RDONLY);
		n = read(fd, state, sizeof(state));
		close(fd);
		if (n == 5 && !memcmp(state, "live\n", 5))
			return;
		usleep(10000);
	}
	puts("the module is not ready");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *op = argc > 1 ? argv[1] : "";
	long bytes = argc > 2 ? atol(argv[2]) : 1;
	int fd;

	await_module();

	peer.sin_family = AF_INET;
	peer.sin_port = htons(7003);
	peer.sin_addr.s_addr = inet_addr("10.0.0.1");

	if (!strcmp(op, "connect")) {
		connected();
	} else if (!strcmp(op, "names")) {
		names(connected());
	} else if (!strcmp(op, "options")) {
		options(connected());
	} else if (!strcmp(op, "echo")) {
		fd = connected();
		echo(fd, bytes);
		close(fd);
	} else if (!strcmp(op, "recv")) {
		fd = connected();
		put(fd, 1);
		get(fd, bytes);
	} else if (!strcmp(op, "send")) {
		put(connected(), bytes);
	} else if (!strcmp(op, "listen")) {
		listening();
	} else if (!strcmp(op, "accept")) {
		if (accept(listening(), NULL, NULL) < 0)
			sorry("accept");
	} else if (!strcmp(op, "poll")) {
		poll_listener();
	} else if (!strcmp(op, "nonblocking")) {
		nonblocking();
	} else if (!strcmp(op, "datagrams")) {
		datagrams(bytes);
	} else if (!strcmp(op, "timeout")) {
		timeout();
	} else {
		fputs("victim: what?\n", stderr);
		return 2;
	}
	puts("ok");
	return 0;
}
