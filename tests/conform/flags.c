// SPDX-License-Identifier: GPL-2.0
/* Flags of send() and recv() */
#define _GNU_SOURCE
#include "conform.h"
#include <linux/errqueue.h>

#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

static char buf[4096];

static void peek(void)
{
	int fd = peer_conn("c");

	peer("send c 100");
	await_bytes(fd, 100);
	R("recv MSG_PEEK", recv(fd, buf, 40, MSG_PEEK));
	hex("bytes", buf, 8);
	R("recv MSG_PEEK more", recv(fd, buf, 400, MSG_PEEK));
	R("recv MSG_PEEK|MSG_WAITALL", recv(fd, buf, 100, MSG_PEEK |
					    MSG_WAITALL));
	R("recv", recv(fd, buf, 30, 0));
	R("recv MSG_PEEK", recv(fd, buf, 400, MSG_PEEK));
	hex("bytes", buf, 8);
	R("recv", recv(fd, buf, 400, 0));
	R("recv MSG_PEEK|MSG_DONTWAIT", recv(fd, buf, 400, MSG_PEEK |
					     MSG_DONTWAIT));
	peer("close c");
	poll_for(fd, POLLRDHUP, 4000);
	R("recv MSG_PEEK at the end", recv(fd, buf, 400, MSG_PEEK));
}

/* Where each peek goes on after the last one; Linux 6.9 and later */
static void peek_offset(void)
{
	int fd = peer_conn("c"), off = 10;
	socklen_t len = sizeof(off);

	peer("send c 100");
	await_bytes(fd, 100);
	R("setsockopt SO_PEEK_OFF", setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF,
					       &off, sizeof(off)));
	R("recv MSG_PEEK", recv(fd, buf, 40, MSG_PEEK));
	hex("bytes", buf, 8);
	R("recv MSG_PEEK goes on", recv(fd, buf, 30, MSG_PEEK));
	hex("bytes", buf, 8);
	R("recv", recv(fd, buf, 30, 0));
	hex("bytes", buf, 8);
	R("recv MSG_PEEK after that", recv(fd, buf, 400, MSG_PEEK));
	hex("bytes", buf, 8);
	R("recv MSG_PEEK|MSG_DONTWAIT", recv(fd, buf, 400, MSG_PEEK |
					     MSG_DONTWAIT));
	R("getsockopt SO_PEEK_OFF", getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF,
					       &off, &len));
	say("its value", "%d", off);
	R("recv the rest", recv(fd, buf, 400, 0));
	peer("send c 20");
	await_bytes(fd, 20);
	R("recv MSG_PEEK from the start", recv(fd, buf, 400, MSG_PEEK));
	off = -1;
	R("setsockopt SO_PEEK_OFF -1", setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF,
						  &off, sizeof(off)));
	R("recv MSG_PEEK twice", recv(fd, buf, 400, MSG_PEEK));
	R("recv MSG_PEEK twice", recv(fd, buf, 400, MSG_PEEK));
	peer("close c");
	poll_for(fd, POLLRDHUP, 4000);
	off = 15;
	R("setsockopt SO_PEEK_OFF 15", setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF,
						  &off, sizeof(off)));
	R("recv MSG_PEEK at the end", recv(fd, buf, 400, MSG_PEEK));
	R("recv MSG_PEEK of nothing", recv(fd, buf, 400, MSG_PEEK |
					   MSG_DONTWAIT));
}

static void waitall(void)
{
	int fd = peer_conn("c");

	peer("send c 100");
	await_bytes(fd, 100);
	R("recv MSG_WAITALL|MSG_DONTWAIT", recv(fd, buf, 400, MSG_WAITALL |
						MSG_DONTWAIT));
	peer("send c 100");
	peer("shut c");
	R("recv MSG_WAITALL to the end", recv(fd, buf, 400, MSG_WAITALL));
	R("recv", recv(fd, buf, 400, MSG_WAITALL));
	fd = peer_conn("d");
	R("setsockopt SO_RCVTIMEO", set_time(fd, SO_RCVTIMEO, 200));
	peer("send d 100");
	R("recv MSG_WAITALL with a timeout", recv(fd, buf, 400, MSG_WAITALL));
	R("recv with a timeout", recv(fd, buf, 400, 0));
}

static void dontwait(void)
{
	int fd = peer_conn("c");

	R("recv MSG_DONTWAIT", recv(fd, buf, 10, MSG_DONTWAIT));
	R("send MSG_DONTWAIT", send(fd, buf, 10, MSG_DONTWAIT));
	set_nonblock(fd, true);
	R("recv", recv(fd, buf, 10, 0));
	R("read", read(fd, buf, 10));
	R("recv MSG_WAITALL", recv(fd, buf, 10, MSG_WAITALL));
	R("fill", fill(fd) > 0);
	R("send", send(fd, buf, 1, MSG_NOSIGNAL));
	R("write", write(fd, buf, 1));
	show_poll("poll full", fd, 0);
}

static void truncated(void)
{
	int fd = peer_conn("c");
	struct iovec iov = { buf, 20 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	peer("send c 200");
	await_bytes(fd, 200);
	R("recv MSG_TRUNC", recv(fd, buf, 50, MSG_TRUNC));
	R("recv MSG_TRUNC null", recv(fd, NULL, 50, MSG_TRUNC));
	R("recv MSG_TRUNC|MSG_PEEK", recv(fd, buf, 50, MSG_TRUNC | MSG_PEEK));
	R("recvmsg MSG_TRUNC", recvmsg(fd, &msg, MSG_TRUNC));
	R("its flags", msg.msg_flags);
	R("recv", recv(fd, buf, 400, 0));
	hex("bytes", buf, 8);
}

static void out_of_band(void)
{
	int fd = peer_conn("c");

	R("send MSG_OOB", send(fd, "x", 1, MSG_OOB | MSG_NOSIGNAL));
	R("send", send(fd, "y", 1, MSG_NOSIGNAL));
	R("peer", peer("drop c 1"));
	R("recv MSG_OOB", recv(fd, buf, 1, MSG_OOB));
	R("recv MSG_OOB|MSG_DONTWAIT", recv(fd, buf, 1,
					    MSG_OOB | MSG_DONTWAIT));
}

static void out_of_band_comes(void)
{
	int fd = peer_conn("c"), mark = 7;

	peer("send c 10");
	peer("oob c 1");
	show_poll("poll", fd, POLLPRI);
	R("ioctl SIOCATMARK", ioctl(fd, SIOCATMARK, &mark));
	R("its value", mark);
	await_bytes(fd, 10);
	R("recv", recv(fd, buf, 100, 0));
	R("ioctl SIOCATMARK", ioctl(fd, SIOCATMARK, &mark));
	R("its value", mark);
	R("recv MSG_OOB", recv(fd, buf, 100, MSG_OOB));
	R("recv", recv(fd, buf, 100, MSG_DONTWAIT));
}

static void out_of_band_inline(void)
{
	int fd = peer_conn("c");

	R("setsockopt SO_OOBINLINE", set_int(fd, SOL_SOCKET, SO_OOBINLINE, 1));
	peer("send c 10");
	peer("oob c 1");
	await_bytes(fd, 11);
	R("recv to the mark", recv(fd, buf, 100, 0));
	R("recv MSG_OOB", recv(fd, buf, 100, MSG_OOB));
	R("recv the rest", recv(fd, buf, 100, MSG_DONTWAIT));
}

static void harmless(void)
{
	static const struct {
		const char *name;
		int flag;
	} flag[] = {
		{ "MSG_MORE", MSG_MORE }, { "MSG_EOR", MSG_EOR },
		{ "MSG_CONFIRM", MSG_CONFIRM },
		{ "MSG_DONTROUTE", MSG_DONTROUTE },
		{ "MSG_NOSIGNAL", MSG_NOSIGNAL },
		{ "MSG_CMSG_CLOEXEC", MSG_CMSG_CLOEXEC },
		{ "MSG_SYN", MSG_SYN }, { "MSG_FIN", MSG_FIN },
		{ "MSG_RST", MSG_RST }, { "MSG_PROXY", 0x10 },
		{ "MSG_PROBE", 0x10 }, { "MSG_BATCH", 0x40000 },
		{ "0x100000", 0x100000 }, { "0x40", 0x40 },
	};
	int fd = peer_conn("c");
	char label[60];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flag); i++) {
		snprintf(label, sizeof(label), "send %s", flag[i].name);
		R(label, send(fd, "0123456789", 10, flag[i].flag));
	}
	R("peer", peer("drop c 10") != 0);
	peer("send c 200");
	await_bytes(fd, 200);
	for (i = 0; i < ARRAY_SIZE(flag); i++) {
		if (flag[i].flag & MSG_CMSG_CLOEXEC)
			continue;
		snprintf(label, sizeof(label), "recv %s", flag[i].name);
		R(label, recv(fd, buf, 10, flag[i].flag | MSG_DONTWAIT));
	}
}

static void more(void)
{
	int fd = peer_conn("c");

	R("send MSG_MORE", send_bytes(fd, 100, MSG_MORE));
	R("send", send(fd, "x", 0, 0));
	R("shutdown", shutdown(fd, SHUT_WR));
	R("peer", peer("count c"));
}

static void errqueue(void)
{
	int fd = peer_conn("c");
	char control[200];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	R("recv MSG_ERRQUEUE", recv(fd, buf, 10, MSG_ERRQUEUE));
	R("recvmsg MSG_ERRQUEUE", recvmsg(fd, &msg, MSG_ERRQUEUE));
	peer("send c 10");
	await_bytes(fd, 10);
	R("recvmsg MSG_ERRQUEUE with data", recvmsg(fd, &msg, MSG_ERRQUEUE));
	R("recv", recv(fd, buf, 20, 0));
}

static void zerocopy(void)
{
	int fd = peer_conn("c"), i;
	char control[200];
	struct msghdr msg = {
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm;
	struct sock_extended_err *ee;

	R("send MSG_ZEROCOPY without", send(fd, buf, 100, MSG_ZEROCOPY));
	R("recvmsg MSG_ERRQUEUE", recvmsg(fd, &msg, MSG_ERRQUEUE));
	R("setsockopt SO_ZEROCOPY", set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	for (i = 0; i < 3; i++) {
		R("send MSG_ZEROCOPY", send(fd, buf, 3000, MSG_ZEROCOPY));
		R("peer", peer("drop c 3000"));
		show_poll("poll", fd, POLLERR);
		msg.msg_controllen = sizeof(control);
		R("recvmsg MSG_ERRQUEUE", recvmsg(fd, &msg, MSG_ERRQUEUE));
		R("its flags", msg.msg_flags);
		cm = CMSG_FIRSTHDR(&msg);
		if (!cm || !msg.msg_controllen) {
			say("completion", "none");
			continue;
		}
		say("completion", "level %d type %d", cm->cmsg_level,
		    cm->cmsg_type);
		ee = (void *)CMSG_DATA(cm);
		say("its error", "errno %d origin %d info %u data %u",
		    ee->ee_errno, ee->ee_origin, ee->ee_info, ee->ee_data);
		show_poll("poll after it", fd, POLLOUT);
	}
	R("recvmsg MSG_ERRQUEUE", recvmsg(fd, &msg, MSG_ERRQUEUE));
}

static void timestamps(void)
{
	int fd = peer_conn("c");
	char control[200];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control,
	};
	struct cmsghdr *cm;
	long n = 10;
	int i;

	R("setsockopt SO_TIMESTAMP", set_int(fd, SOL_SOCKET, SO_TIMESTAMP, 1));
	/* TCP's packets have a time only a while after the first wish for it */
	for (i = 0; i < 50 && n == 10 && !msg.msg_controllen; i++) {
		usleep(10000);
		peer("send c 10");
		await_bytes(fd, 10);
		msg.msg_controllen = sizeof(control);
		n = RC(recvmsg(fd, &msg, 0));
	}
	said("recvmsg", n);
	cm = CMSG_FIRSTHDR(&msg);
	say("control data", "%d type %d", cm && msg.msg_controllen,
	    cm && msg.msg_controllen ? cm->cmsg_type : 0);
}

static void inq(void)
{
	int fd = peer_conn("c");
	char control[200];
	struct iovec iov = { buf, 30 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm;

	R("setsockopt TCP_INQ", set_int(fd, IPPROTO_TCP, TCP_INQ, 1));
	R("getsockopt TCP_INQ", get_int(fd, IPPROTO_TCP, TCP_INQ));
	peer("send c 100");
	await_bytes(fd, 100);
	R("recvmsg", recvmsg(fd, &msg, 0));
	R("its flags", msg.msg_flags);
	cm = CMSG_FIRSTHDR(&msg);
	if (!cm || !msg.msg_controllen)
		say("control data", "none");
	else
		say("control data", "level %d type %d left %d", cm->cmsg_level,
		    cm->cmsg_type, *(int *)CMSG_DATA(cm));
	peer("send c 50");
	peer("close c");
	poll_for(fd, POLLRDHUP, 4000);
	iov.iov_len = 200;
	msg.msg_controllen = sizeof(control);
	R("recvmsg", recvmsg(fd, &msg, 0));
	cm = CMSG_FIRSTHDR(&msg);
	if (!cm || !msg.msg_controllen)
		say("control data", "none");
	else
		say("control data", "left %d", *(int *)CMSG_DATA(cm));
	msg.msg_controllen = 4;
	R("recvmsg at the end", recvmsg(fd, &msg, 0));
	R("its flags", msg.msg_flags);
}

static void control_sent(void)
{
	int fd = peer_conn("c");
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {};
	struct iovec iov = { buf, 10 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = sizeof(u.room),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	cm->cmsg_len = CMSG_LEN(sizeof(int));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SO_MARK;
	R("sendmsg SO_MARK", sendmsg(fd, &msg, MSG_NOSIGNAL));
	cm->cmsg_type = 37;	/* SO_TIMESTAMPING */
	R("sendmsg SO_TIMESTAMPING", sendmsg(fd, &msg, MSG_NOSIGNAL));
	cm->cmsg_type = 999;
	R("sendmsg unknown type", sendmsg(fd, &msg, MSG_NOSIGNAL));
	cm->cmsg_level = IPPROTO_IP;
	cm->cmsg_type = IP_TTL;
	R("sendmsg IP_TTL", sendmsg(fd, &msg, MSG_NOSIGNAL));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	R("sendmsg SCM_RIGHTS", sendmsg(fd, &msg, MSG_NOSIGNAL));
	cm->cmsg_len = 1;
	R("sendmsg bad control length", sendmsg(fd, &msg, MSG_NOSIGNAL));
	msg.msg_control = (void *)8;
	R("sendmsg bad control pointer", sendmsg(fd, &msg, MSG_NOSIGNAL));
}

THEME(flags)
	{ "msg_peek", peek },
	{ "msg_peek_offset", peek_offset },
	{ "msg_waitall", waitall },
	{ "msg_dontwait", dontwait },
	{ "msg_trunc", truncated },
	{ "msg_oob_send", out_of_band },
	{ "msg_oob_comes", out_of_band_comes },
	{ "msg_oob_inline", out_of_band_inline },
	{ "msg_others", harmless },
	{ "msg_more", more },
	{ "msg_errqueue", errqueue },
	{ "msg_zerocopy", zerocopy },
	{ "msg_timestamp", timestamps },
	{ "msg_inq", inq },
	{ "msg_control", control_sent },
THEME_END(flags);
