// SPDX-License-Identifier: GPL-2.0
/* The many ways to move bytes */
#define _GNU_SOURCE
#include "conform.h"
#include <sys/sendfile.h>

static char buf[65536];

static void empty(void)
{
	int fd = peer_conn("c");
	struct msghdr msg = {};
	char c;

	R("send 0", send(fd, buf, 0, 0));
	R("send 0 null", send(fd, NULL, 0, 0));
	R("write 0", write(fd, buf, 0));
	R("sendmsg without iovec", sendmsg(fd, &msg, 0));
	R("recv 0 MSG_DONTWAIT", recv(fd, buf, 0, MSG_DONTWAIT));
	peer("send c 10");
	await_bytes(fd, 10);
	R("recv 0", recv(fd, buf, 0, 0));
	R("read 0", read(fd, buf, 0));
	R("recvmsg without iovec", recvmsg(fd, &msg, 0));
	R("recv", recv(fd, buf, 100, 0));
	peer("close c");
	poll_for(fd, POLLRDHUP, 4000);
	R("recv 0 at the end", recv(fd, buf, 0, 0));
	R("recv at the end", recv(fd, &c, 1, 0));
}

static void vectors(void)
{
	int fd = peer_conn("c"), i;
	static struct iovec iov[1025];
	struct msghdr msg = { .msg_iov = iov };
	volatile int minus_one = -1;

	for (i = 0; i < 1025; i++) {
		iov[i].iov_base = buf + i;
		iov[i].iov_len = 1;
	}
	R("writev 3", writev(fd, iov, 3));
	R("writev 1024", writev(fd, iov, 1024));
	R("writev 1025", writev(fd, iov, 1025));
	R("writev 0", writev(fd, iov, 0));
	R("writev -1", writev(fd, iov, minus_one));
	msg.msg_iovlen = 1024;
	R("sendmsg 1024", sendmsg(fd, &msg, 0));
	msg.msg_iovlen = 1025;
	R("sendmsg 1025", sendmsg(fd, &msg, 0));
	iov[1].iov_len = -1;
	R("writev negative length", writev(fd, iov, 2));
	msg.msg_iovlen = 2;
	R("sendmsg negative length", sendmsg(fd, &msg, MSG_NOSIGNAL));
	iov[1].iov_len = 0;
	R("writev empty one", writev(fd, iov, 3));
	R("peer", peer("drop c %d", 3 + 1024 + 1024 + 2));
	peer("send c 100");
	await_bytes(fd, 100);
	R("readv", readv(fd, iov, 3));
	iov[0].iov_len = 50;
	R("readv", readv(fd, iov, 3));
	msg.msg_iovlen = 1025;
	R("recvmsg 1025", recvmsg(fd, &msg, 0));
}

static void messages(void)
{
	int fd = peer_conn("c"), i;
	struct iovec iov[4];
	struct mmsghdr m[4] = {};
	struct timespec limit = { 0, 300000000 };

	for (i = 0; i < 4; i++) {
		iov[i].iov_base = buf + 100 * i;
		iov[i].iov_len = 10 * (i + 1);
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	R("sendmmsg", sendmmsg(fd, m, 4, 0));
	for (i = 0; i < 4; i++)
		R("its length", m[i].msg_len);
	R("sendmmsg 0", sendmmsg(fd, m, 0, 0));
	R("peer", peer("drop c 100"));
	peer("send c 35");
	await_bytes(fd, 35);
	R("recvmmsg MSG_DONTWAIT", recvmmsg(fd, m, 4, MSG_DONTWAIT, NULL));
	for (i = 0; i < 3; i++)
		R("its length", m[i].msg_len);
	R("recvmmsg again", recvmmsg(fd, m, 4, MSG_DONTWAIT, NULL));
	peer("send c 5");
	R("recvmmsg MSG_WAITFORONE", recvmmsg(fd, m, 4, MSG_WAITFORONE, NULL));
	set_time(fd, SO_RCVTIMEO, 200);
	peer("send c 5");
	R("recvmmsg with a timeout", recvmmsg(fd, m, 4, 0, &limit));
}

static void names(void)
{
	int fd = peer_conn("c");
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct iovec iov = { buf, 100 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_name = &a, .msg_namelen = sizeof(a),
	};

	peer("send c 10");
	memset(&a, 0xee, sizeof(a));
	R("recvfrom", recvfrom(fd, buf, 100, 0, (void *)&a, &len));
	R("its length", len);
	hex("its name", &a, 4);
	peer("send c 10");
	R("recvmsg", recvmsg(fd, &msg, 0));
	R("its name's length", msg.msg_namelen);
	R("its flags", msg.msg_flags);
	R("sendto", sendto(fd, buf, 10, 0, (void *)&world.v4,
			   sizeof(world.v4)));
	a = world.v4;
	a.sin_addr.s_addr = htonl(0x01020304);
	R("sendto another", sendto(fd, buf, 10, 0, (void *)&a, sizeof(a)));
	R("sendto short name", sendto(fd, buf, 10, 0, (void *)&a, 1));
	R("sendto long name", sendto(fd, buf, 10, 0, (void *)&a, 1000));
	a.sin_family = 99;
	R("sendto bad family", sendto(fd, buf, 10, 0, (void *)&a, sizeof(a)));
	R("sendto bad pointer", sendto(fd, buf, 10, 0, (void *)1, sizeof(a)));
	fd = sock4();
	R("sendto unconnected", sendto(fd, buf, 10, MSG_NOSIGNAL,
				       (void *)&world.v4, sizeof(world.v4)));
	R("recvfrom unconnected", recvfrom(fd, buf, 10, 0, (void *)&a, &len));
}

static void unconnected(void)
{
	int fd = sock4();
	char c;

	R("send", send(fd, "x", 1, MSG_NOSIGNAL));
	R("send MSG_DONTWAIT", send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	R("send 0", send(fd, "x", 0, MSG_NOSIGNAL));
	R("recv", recv(fd, &c, 1, 0));
	R("recv MSG_DONTWAIT", recv(fd, &c, 1, MSG_DONTWAIT));
	R("recv 0", recv(fd, &c, 0, 0));
	R("recv MSG_OOB", recv(fd, &c, 1, MSG_OOB));
	R("recv MSG_PEEK", recv(fd, &c, 1, MSG_PEEK));
	R("shutdown SHUT_RD", shutdown(fd, SHUT_RD));
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	R("recv after shutdown", recv(fd, &c, 1, 0));
	R("connect after all", conn4(fd));
	show_poll("poll", fd, POLLOUT);
}

/*
 * Few bytes at a time come until just more are there than the buffers of whoever
 * does not read can take. Which size those have is not known here.
 */
static void pieces(void)
{
	int fd, size, i, n;

	for (size = 16384; size <= 524288; size *= 2) {
		fd = peer_conn("c");
		n = size / 4000 + 1;
		for (i = 0; i < n; i++)
			peer("send c 4000");
		R("recv", recv_bytes(fd, n * 4000, 0));
		close(fd);
		peer("close c");
	}
}

static void bulk(void)
{
	int fd = peer_conn("c"), i;

	for (i = 0; i < 20; i++) {
		R("send", send_bytes(fd, 50000, 0));
		R("peer", peer("drop c 50000"));
		peer("send c 50000");
		R("recv", recv_bytes(fd, 50000, 0));
	}
}

static int temp_file(size_t len)
{
	int fd = memfd_create("conform", 0);

	if (ftruncate(fd, len))
		_exit(5);
	return fd;
}

static void files(void)
{
	int fd = peer_conn("c"), file = temp_file(100000);
	off_t at = 1000;

	R("sendfile", sendfile(fd, file, &at, 50000));
	R("its offset", at);
	R("peer", peer("drop c 50000"));
	R("sendfile beyond the end", sendfile(fd, file, &at, 90000));
	R("peer", peer("drop c 49000"));
	R("sendfile at the end", sendfile(fd, file, &at, 10));
	R("sendfile from the socket", sendfile(file, fd, NULL, 10));
	R("copy_file_range", copy_file_range(file, NULL, fd, NULL, 10, 0));
	R("mmap", mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) ==
	  MAP_FAILED ? -errno : 0);
	shutdown(fd, SHUT_WR);
	at = 0;
	R("sendfile after shutdown", sendfile(fd, file, &at, 10));
	R("its offset", at);
}

static void pipes(void)
{
	int fd = peer_conn("c"), p[2];
	struct iovec iov = { buf, 5000 };

	R("pipe", pipe(p));
	R("write", write(p[1], buf, 3000));
	R("splice out", splice(p[0], NULL, fd, NULL, 3000, 0));
	R("peer", peer("drop c 3000"));
	R("vmsplice", vmsplice(p[1], &iov, 1, 0));
	R("splice out", splice(p[0], NULL, fd, NULL, 5000, SPLICE_F_MORE));
	R("peer", peer("drop c 5000"));
	set_nonblock(fd, true);
	R("splice in O_NONBLOCK", splice(fd, NULL, p[1], NULL, 100, 0));
	set_nonblock(fd, false);
	peer("send c 100");
	await_bytes(fd, 100);
	R("splice in", splice(fd, NULL, p[1], NULL, 60, 0));
	R("read", read(p[0], buf, 100));
	hex("bytes", buf, 8);
	R("splice in", splice(fd, NULL, p[1], NULL, 60, 0));
	R("read", read(p[0], buf, 100));
	R("splice with an offset", splice(fd, &(off_t){ 0 }, p[1], NULL, 60,
					  0));
	peer("close c");
	poll_for(fd, POLLRDHUP, 4000);
	R("splice at the end", splice(fd, NULL, p[1], NULL, 60, 0));
	R("tee", tee(fd, p[1], 10, 0));
}

static void timeouts(void)
{
	int fd = peer_conn("c");

	R("setsockopt SO_RCVTIMEO", set_time(fd, SO_RCVTIMEO, 150));
	R("recv", recv(fd, buf, 10, 0));
	R("read", read(fd, buf, 10));
	R("recv MSG_WAITALL", recv(fd, buf, 10, MSG_WAITALL));
	R("setsockopt SO_SNDTIMEO", set_time(fd, SO_SNDTIMEO, 150));
	R("fill", fill(fd) > 0);
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	R("write", write(fd, buf, 10));
	R("setsockopt SO_SNDTIMEO 0", set_time(fd, SO_SNDTIMEO, 0));
	R("send MSG_DONTWAIT", send(fd, buf, 10, MSG_DONTWAIT));
}

static void halves(void)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = peer_conn("c");
	struct iovec iov[2] = { { buf, 100 }, { (void *)1, 100 } };

	munmap(two + 4096, 4096);
	R("send half-way", send(fd, two + 4096 - 50, 100, MSG_NOSIGNAL));
	R("send bad pointer", send(fd, two + 4096, 100, MSG_NOSIGNAL));
	R("send null", send(fd, NULL, 100, MSG_NOSIGNAL));
	R("writev half-way", writev(fd, iov, 2));
	R("shutdown", shutdown(fd, SHUT_WR));
	R("peer", peer("count c"));
	peer("send c 200");
	await_bytes(fd, 200);
	R("recv half-way", recv(fd, two + 4096 - 50, 100, 0));
	R("recv bad pointer", recv(fd, two + 4096, 100, 0));
	R("recv null", recv(fd, NULL, 100, 0));
	R("recv MSG_PEEK bad pointer", recv(fd, two + 4096, 100, MSG_PEEK));
	R("readv half-way", readv(fd, iov, 2));
	R("recv the rest", recv(fd, buf, 400, MSG_DONTWAIT));
	hex("bytes", buf, 8);
	R("recv empty bad pointer", recv(fd, two + 4096, 100, MSG_DONTWAIT));
}

static void low_water(void)
{
	int fd = peer_conn("c");

	R("setsockopt SO_RCVLOWAT", set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 50));
	peer("send c 30");
	await_bytes(fd, 30);
	show_poll("poll with less", fd, 0);
	R("recv MSG_DONTWAIT with less", recv(fd, buf, 10, MSG_DONTWAIT));
	peer("send c 40");
	show_poll("poll with enough", fd, POLLIN);
	R("recv", recv(fd, buf, 100, 0));
	peer("send c 10");
	peer("close c");
	show_poll("poll at the end", fd, POLLRDHUP);
	R("recv", recv(fd, buf, 100, 0));
	R("setsockopt SO_RCVLOWAT 0", set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 0));
	R("getsockopt SO_RCVLOWAT", get_int(fd, SOL_SOCKET, SO_RCVLOWAT));
	R("setsockopt SO_RCVLOWAT -1", set_int(fd, SOL_SOCKET, SO_RCVLOWAT,
					       -1));
	R("getsockopt SO_RCVLOWAT", get_int(fd, SOL_SOCKET, SO_RCVLOWAT) > 0);
	R("setsockopt SO_SNDLOWAT", set_int(fd, SOL_SOCKET, SO_SNDLOWAT, 5));
}

static void cork(void)
{
	int fd = peer_conn("c");

	R("setsockopt TCP_CORK", set_int(fd, IPPROTO_TCP, TCP_CORK, 1));
	R("send", send_bytes(fd, 100, 0));
	R("send", send_bytes(fd, 100, 0));
	R("setsockopt TCP_CORK 0", set_int(fd, IPPROTO_TCP, TCP_CORK, 0));
	R("peer", peer("drop c 200"));
	R("setsockopt TCP_CORK", set_int(fd, IPPROTO_TCP, TCP_CORK, 1));
	R("send", send_bytes(fd, 100, 0));
	R("shutdown", shutdown(fd, SHUT_WR));
	R("peer", peer("count c"));
}

THEME(transfers)
	{ "io_empty", empty },
	{ "io_vectors", vectors },
	{ "io_mmsg", messages },
	{ "io_names", names },
	{ "io_unconnected", unconnected },
	{ "io_bulk", bulk },
	{ "io_pieces", pieces },
	{ "io_sendfile", files },
	{ "io_splice", pipes },
	{ "io_timeouts", timeouts },
	{ "io_fault_half_way", halves },
	{ "io_low_water", low_water },
	{ "io_cork", cork },
THEME_END(transfers);
