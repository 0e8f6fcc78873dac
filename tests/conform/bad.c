// SPDX-License-Identifier: GPL-2.0
/* Bad input */
#define _GNU_SOURCE
#include "conform.h"
#include <sys/un.h>

static void sockets(void)
{
	R("socket protocol 6", socket(AF_INET, SOCK_STREAM, 6) < 0);
	R("socket protocol 17", socket(AF_INET, SOCK_STREAM, 17));
	R("socket protocol 255", socket(AF_INET, SOCK_STREAM, 255));
	R("socket protocol 1000", socket(AF_INET, SOCK_STREAM, 1000));
	R("socket protocol -1", socket(AF_INET, SOCK_STREAM, -1));
	R("socket type 0", socket(AF_INET, 0, 0));
	R("socket type 9", socket(AF_INET, 9, 0));
	R("socket type 99", socket(AF_INET, 99, 0));
	R("socket SEQPACKET", socket(AF_INET, SOCK_SEQPACKET, 0));
	R("socket DGRAM protocol 6", socket(AF_INET, SOCK_DGRAM, 6));
	R("socket bad flags", socket(AF_INET, SOCK_STREAM | 0x100, 0));
	R("socket family 99", socket(99, SOCK_STREAM, 0));
	R("socket family -1", socket(-1, SOCK_STREAM, 0));
	R("socketpair", socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){}));
	R("socketpair TCP", socketpair(AF_INET, SOCK_STREAM, 6, (int[2]){}));
}

static void try_addresses(long (*call)(const void *a, int len))
{
	struct sockaddr_storage ss = {};
	struct sockaddr_in *a = (void *)&ss;
	struct sockaddr_un *un = (void *)&ss;
	static const int lens[] = { 0, 1, 2, 8, 15, 16, 28, 128, 129, -1 };
	static const int families[] = { 0, 1, 10, 16, 44, 99, 65535 };
	char label[60];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		memcpy(a, &world.v4, sizeof(*a));
		snprintf(label, sizeof(label), "length %d", lens[i]);
		R(label, call(&ss, lens[i]));
	}
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		memset(&ss, 0, sizeof(ss));
		memcpy(a, &world.v4, sizeof(*a));
		a->sin_family = families[i];
		snprintf(label, sizeof(label), "family %d", families[i]);
		R(label, call(&ss, 16));
		snprintf(label, sizeof(label), "family %d short", families[i]);
		R(label, call(&ss, 2));
		snprintf(label, sizeof(label), "family %d long", families[i]);
		R(label, call(&ss, sizeof(ss)));
	}
	memset(&ss, 0, sizeof(ss));
	R("family 0 any", call(&ss, 16));
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, "/tmp/x");
	R("AF_UNIX", call(&ss, sizeof(*un)));
	R("bad pointer", call((void *)1, 16));
	R("null", call(NULL, 16));
	R("null length 0", call(NULL, 0));
}

static long try_bind(const void *a, int len)
{
	int fd = sock4();
	long ret = RC(bind(fd, a, len));

	close(fd);
	/* the peer listens there, or does not, where this is bound */
	return ret == -EADDRINUSE ? 0 : ret;
}

static long try_connect(const void *a, int len)
{
	int fd = sock4();
	long ret = RC(connect(fd, a, len));

	close(fd);
	return ret;
}

static int connected;

static long try_connected(const void *a, int len)
{
	return RC(connect(connected, a, len));
}

static long try_bind_connected(const void *a, int len)
{
	return RC(bind(connected, a, len));
}

static long try_bind6(const void *a, int len)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	long ret = RC(bind(fd, a, len));

	close(fd);
	return ret;
}

static long try_connect6(const void *a, int len)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	long ret = RC(connect(fd, a, len));

	close(fd);
	return ret;
}

static void bind_addresses(void)
{
	try_addresses(try_bind);
}

static void connect_addresses(void)
{
	try_addresses(try_connect);
}

static void bound_connected(void)
{
	connected = peer_conn("c");
	try_addresses(try_bind_connected);
	R("send", send_bytes(connected, 10, 0));
	R("peer", peer("drop c 10"));
}

/* AF_UNSPEC ends a connection: only other families here */
static long try_connected_specified(const void *a, int len)
{
	if (a > (void *)1 && len >= 2 && !*(const unsigned short *)a)
		return 0;
	return try_connected(a, len);
}

static void connected_addresses(void)
{
	connected = peer_conn("c");
	try_addresses(try_connected_specified);
	R("send", send_bytes(connected, 10, 0));
	R("peer", peer("drop c 10"));
}

static void bind6_addresses(void)
{
	try_addresses(try_bind6);
}

static void connect6_addresses(void)
{
	try_addresses(try_connect6);
}

static void descriptors(void)
{
	struct sockaddr_in a = world.v4;
	socklen_t len = sizeof(a);
	static const int fds[] = { -1, 99, 0 };
	char c, label[60];
	unsigned int i;
	int null = open("/dev/null", O_RDWR);

	for (i = 0; i < 3; i++) {
		int fd = fds[i] ? fds[i] : null;

#define TRY(call, ...)							\
	(snprintf(label, sizeof(label), #call " %d", fds[i]),		\
	 R(label, call(fd, ##__VA_ARGS__)))
		TRY(connect, (void *)&a, len);
		TRY(bind, (void *)&a, len);
		TRY(listen, 5);
		TRY(accept, NULL, NULL);
		TRY(send, "x", 1, 0);
		TRY(recv, &c, 1, 0);
		TRY(shutdown, SHUT_RD);
		TRY(getsockname, (void *)&a, &len);
		TRY(setsockopt, SOL_SOCKET, SO_KEEPALIVE, &c, 4);
		TRY(getsockopt, SOL_SOCKET, SO_KEEPALIVE, &c, &len);
#undef TRY
	}
}

static void messages(void)
{
	int fd = peer_conn("c");
	struct iovec iov = { (void *)1, 10 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr mm[2] = { { .msg_hdr = msg }, { .msg_hdr = msg } };
	char buf[100];

	R("sendmsg bad header", sendmsg(fd, (void *)1, 0));
	R("recvmsg bad header", recvmsg(fd, (void *)1, 0));
	R("sendmsg bad buffer", sendmsg(fd, &msg, 0));
	peer("send c 50");
	await_bytes(fd, 50);
	R("recvmsg bad buffer", recvmsg(fd, &msg, 0));
	R("recvmmsg bad buffer", recvmmsg(fd, mm, 2, 0, NULL));
	R("sendmmsg bad buffer", sendmmsg(fd, mm, 2, 0));
	msg.msg_iov = (void *)1;
	R("sendmsg bad iovec", sendmsg(fd, &msg, 0));
	R("recvmsg bad iovec", recvmsg(fd, &msg, 0));
	msg.msg_iov = &iov;
	iov.iov_base = buf;
	msg.msg_name = (void *)1;
	msg.msg_namelen = 16;
	R("sendmsg bad name", sendmsg(fd, &msg, 0));
	R("recvmsg bad name", recvmsg(fd, &msg, 0));
	msg.msg_namelen = -1;
	R("sendmsg negative name", sendmsg(fd, &msg, 0));
	R("recvmsg negative name", recvmsg(fd, &msg, 0));
	msg.msg_name = NULL;
	msg.msg_namelen = 0;
	msg.msg_control = (void *)1;
	msg.msg_controllen = 100;
	R("recvmsg bad control", recvmsg(fd, &msg, 0));
	iov.iov_len = -1;
	R("recvmsg negative length", recvmsg(fd, &msg, 0));
	R("recv huge", recv(fd, buf, (size_t)1 << 40, MSG_DONTWAIT) > 0);
	R("send huge", send(fd, buf, -1UL, MSG_DONTWAIT | MSG_NOSIGNAL) < 0);
	R("recv flags -1", recv(fd, buf, 1, -1));
}

THEME(bad)
	{ "bad_socket", sockets },
	{ "bad_bind", bind_addresses },
	{ "bad_connect", connect_addresses },
	{ "bad_bind_connected", bound_connected },
	{ "bad_connect_connected", connected_addresses },
	{ "bad_bind6", bind6_addresses },
	{ "bad_connect6", connect6_addresses },
	{ "bad_descriptor", descriptors },
	{ "bad_message", messages },
THEME_END(bad);
