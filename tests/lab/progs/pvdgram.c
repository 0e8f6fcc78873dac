// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of datagrams behave as Linux's own UDP: boundaries, names, errors,
 * polling, many at a time, the guest's own addresses.
 *
 *   pvdgecho 7010 & pvdgram 127.0.0.1 7010
 *   pvdgram --survive 10.0.0.1 7010		the backend goes and comes back
 */
#define _GNU_SOURCE
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "dgpeer.h"

static void case_sizes(void)
{
	static const int sizes[] = { 0, 1, 7, 8, 9, 100, 1472, 1473, 4096, 9000,
				     30000, LARGEST - 1, LARGEST };
	int fd = udp(0);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		exchange(fd, sizes[i]);
	for (i = 0; i < 300; i++)
		exchange(fd, i * 37);
	EXPECT("too large", -EMSGSIZE,
	       sendto(fd, buf, LARGEST + 1, 0, (void *)&sem_addr,
		      sizeof(sem_addr)));
	exchange(fd, 10);
}

static void case_boundaries(void)
{
	int fd = udp_connected(), i;

	for (i = 1; i <= 20; i++)
		EXPECT("send", i, send(fd, buf, i, 0));
	for (i = 1; i <= 20; i++)
		EXPECT("one at a time", i, recv(fd, buf, sizeof(buf), 0));
	EXPECT("no more", -EAGAIN, recv(fd, buf, 1, MSG_DONTWAIT));
}

static void case_truncated(void)
{
	struct iovec iov = { buf, 10 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = udp_connected(), i, size = 0;

	for (i = 0; i < 4; i++)
		MUST("send", 100, send(fd, buf, 100, 0));
	EXPECT("wait", POLLIN, poll_now(fd, POLLIN, 20000));
	EXPECT("FIONREAD", 0, ioctl(fd, FIONREAD, &size));
	EXPECT("the next one's size", 100, size);
	EXPECT("peek", 10, recv(fd, buf, 10, MSG_PEEK));
	EXPECT("its size", 100, recv(fd, buf, 10, MSG_PEEK | MSG_TRUNC));
	EXPECT("the first part", 10, recvmsg(fd, &msg, 0));
	BITS("cut off", MSG_TRUNC, MSG_TRUNC, msg.msg_flags);
	EXPECT("MSG_TRUNC", 100, recvmsg(fd, &msg, MSG_TRUNC));
	iov.iov_len = 100;
	EXPECT("all of it", 100, recvmsg(fd, &msg, 0));
	BITS("not cut off", 0, MSG_TRUNC, msg.msg_flags);
	EXPECT("nothing but the size", 100, recv(fd, NULL, 0, MSG_TRUNC));
	EXPECT("no more", -EAGAIN, recv(fd, buf, 1, MSG_DONTWAIT));
}

static void case_names(void)
{
	struct sockaddr_in a, none = { .sin_family = AF_UNSPEC };
	socklen_t len = sizeof(a);
	int fd = udp(0), port;

	EXPECT("no peer", -ENOTCONN, getpeername(fd, (void *)&a, &len));
	EXPECT("no port yet", 0, name_of(fd).sin_port);
	EXPECT("nobody to send to", -EDESTADDRREQ, send(fd, "x", 1, 0));
	exchange(fd, 10);
	a = name_of(fd);
	TRUE("a port now", a.sin_port);
	EXPECT("and no address", 0, a.sin_addr.s_addr);
	port = a.sin_port;
	MUST("connect", 0, connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	a = name_of(fd);
	EXPECT("the same port", port, a.sin_port);
	TRUE("an address now", a.sin_addr.s_addr);
	len = sizeof(a);
	EXPECT("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("the peer", sem_addr.sin_addr.s_addr, a.sin_addr.s_addr);
	EXPECT("its port", sem_addr.sin_port, a.sin_port);
	EXPECT("send", 3, send(fd, "abc", 3, 0));
	EXPECT("recv", 3, recv(fd, buf, sizeof(buf), 0));
	EXPECT("dissolve", 0, connect(fd, (void *)&none, sizeof(none)));
	EXPECT("no peer again", -ENOTCONN, getpeername(fd, (void *)&a, &len));
	EXPECT("send to nobody", -EDESTADDRREQ, send(fd, "x", 1, 0));
	exchange(fd, 10);
}

static void case_server(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, from;
	socklen_t len = sizeof(from);
	int fd = udp(0), two = udp(0), caller = udp(0);

	MUST("bind to any port", 0, bind(fd, (void *)&a, sizeof(a)));
	a = name_of(fd);
	TRUE("a real port", a.sin_port);
	EXPECT("bind again", -EINVAL, bind(fd, (void *)&a, sizeof(a)));
	EXPECT("taken", -EADDRINUSE, bind(two, (void *)&a, sizeof(a)));
	order(caller, ORDER_CALL, ntohs(a.sin_port), 0);
	EXPECT("somebody calls", 4, recvfrom(fd, buf, sizeof(buf), 0,
					     (void *)&from, &len));
	EXPECT("from there", sem_addr.sin_addr.s_addr, from.sin_addr.s_addr);
	/* a port that the peer has */
	a.sin_port = sem_addr.sin_port;
	EXPECT("the peer's port", -EADDRINUSE,
	       bind(two, (void *)&a, sizeof(a)));
	a.sin_port = name_of(fd).sin_port;
	close(fd);
	EXPECT("free again", 0, bind(two, (void *)&a, sizeof(a)));
	exchange(two, 100);
}

static void case_reuse(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int one = udp(0), two = udp(0), three = udp(0);

	set_int(one, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(two, SOL_SOCKET, SO_REUSEADDR, 1);
	MUST("bind", 0, bind(one, (void *)&a, sizeof(a)));
	a = name_of(one);
	/* as iperf3's server does: the first one gets a peer */
	MUST("connect", 0, connect(one, (void *)&sem_addr, sizeof(sem_addr)));
	EXPECT("a second one", 0, bind(two, (void *)&a, sizeof(a)));
	EXPECT("without the option", -EADDRINUSE,
	       bind(three, (void *)&a, sizeof(a)));
	EXPECT("send", 5, send(one, "hello", 5, 0));
	EXPECT("the one with the peer hears it", 5,
	       recv(one, buf, sizeof(buf), 0));
	order(three, ORDER_CALL, ntohs(a.sin_port), 0);
	EXPECT("others come to the other one", 4,
	       recv(two, buf, sizeof(buf), 0));
}

static void case_refused(void)
{
	struct sockaddr_in a = sem_addr;
	int fd = udp(0), n;

	a.sin_port = htons(9);
	MUST("connect", 0, connect(fd, (void *)&a, sizeof(a)));
	EXPECT("send", 1, send(fd, "x", 1, 0));
	EXPECT("nobody there", -ECONNREFUSED, recv(fd, buf, 1, 0));
	EXPECT("told once", -EAGAIN, recv(fd, buf, 1, MSG_DONTWAIT));
	EXPECT("send", 1, send(fd, "x", 1, 0));
	n = poll_now(fd, POLLIN, 20000);
	TRUE("poll tells", n & (POLLIN | POLLERR));
	EXPECT("the next send tells", -ECONNREFUSED, send(fd, "x", 1, 0));
	EXPECT("and is told once", 1, send(fd, "x", 1, 0));
}

static void case_waits(void)
{
	int fd = udp_connected(), ep, i;
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	double begin;

	EXPECT("nothing yet", -EAGAIN, recv(fd, buf, 1, MSG_DONTWAIT));
	set_time(fd, SO_RCVTIMEO, 300);
	begin = now();
	EXPECT("SO_RCVTIMEO", -EAGAIN, recv(fd, buf, 1, 0));
	TRUE("took as long", now() - begin > 0.25 && now() - begin < 5);
	EXPECT("can be written", POLLOUT, poll_now(fd, POLLIN | POLLOUT, 0));
	ep = GET("epoll_create", epoll_create1(0));
	MUST("add", 0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	EXPECT("writable at first", 1, epoll_wait(ep, &e, 1, 0));
	for (i = 0; i < 20; i++) {
		MUST("send", 4, send(fd, "abcd", 4, 0));
		do
			MUST("epoll_wait", 1, epoll_wait(ep, &e, 1, 20000));
		while (!(e.events & EPOLLIN));
		EXPECT("recv", 4, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	}
}

/* A thread that receives before the socket is anybody's */
static void case_early(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct blocked b;

	blocked_start(&b, fd, call_recv);
	EXPECT("send", 6, sendto(fd, "abcdef", 6, 0, (void *)&sem_addr,
				 sizeof(sem_addr)));
	EXPECT("it gets the answer", 6, blocked_end(&b, "early recv"));
}

static void case_shutdown(void)
{
	int fd = udp_connected();
	struct blocked b;

	EXPECT("not connected", -ENOTCONN, shutdown(udp(0), SHUT_RD));
	blocked_start(&b, fd, call_recv);
	EXPECT("shutdown", 0, shutdown(fd, SHUT_RD));
	EXPECT("recv ends", 0, blocked_end(&b, "recv and shutdown"));
	EXPECT("send goes on", 1, send(fd, "x", 1, 0));
	EXPECT("shutdown", 0, shutdown(fd, SHUT_WR));
	EXPECT("no more", -EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
}

static void case_many(void)
{
	static struct mmsghdr msg[32];
	static struct iovec iov[32];
	static char data[32][64];
	int fd = udp_connected(), i, n, got = 0;

	for (i = 0; i < 32; i++) {
		memset(data[i], i, sizeof(data[i]));
		iov[i].iov_base = data[i];
		iov[i].iov_len = i + 1;
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	EXPECT("sendmmsg", 32, sendmmsg(fd, msg, 32, 0));
	while (got < 32) {
		for (i = 0; i < 32; i++)
			iov[i].iov_len = sizeof(data[i]);
		n = GET("recvmmsg", recvmmsg(fd, msg, 32, MSG_WAITFORONE,
					     NULL));
		for (i = 0; i < n; i++, got++) {
			EXPECT("its length", got + 1, msg[i].msg_len);
			EXPECT("its bytes", got, data[i][0]);
		}
	}
}

/* More than fits: some may be lost, none comes twice, late or changed. */
static void case_burst(void)
{
	const uint32_t count = 4000, size = 1000;
	int fd = udp(0), got = 0;
	uint32_t seq, next = 0;
	long n;

	set_time(fd, SO_RCVTIMEO, 2000);
	order(fd, ORDER_BURST, count, size);
	while ((n = RC(recv(fd, buf, sizeof(buf), 0))) > 0) {
		EXPECT("size", size, n);
		memcpy(&seq, buf, sizeof(seq));
		TRUE("in order", seq >= next && seq < count);
		pattern_fill(buf, sizeof(seq), seq);
		BYTES("its bytes", buf, size, seq);
		next = seq + 1;
		got++;
		if (sem_failures)
			return;
	}
	EXPECT("then nothing", -EAGAIN, n);
	printf("%d of %u came\n", got, count);
	TRUE("many came", got > 100);
	exchange(fd, 100);
}

static void case_local(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, from;
	socklen_t len = sizeof(from);
	int here = udp(0), fd = udp(0), any = udp(0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST("bind to the loopback", 0, bind(here, (void *)&a, sizeof(a)));
	a = name_of(here);
	EXPECT("send", 5, sendto(fd, "local", 5, 0, (void *)&a, sizeof(a)));
	EXPECT("recv", 5, recvfrom(here, buf, sizeof(buf), 0, (void *)&from,
				   &len));
	EXPECT("answer", 4, sendto(here, "back", 4, 0, (void *)&from, len));
	EXPECT("recv", 4, recv(fd, buf, sizeof(buf), 0));
	/* the same socket also talks to the world */
	exchange(fd, 50);
	/* bound to any address: reached from both */
	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	MUST("bind", 0, bind(any, (void *)&a, sizeof(a)));
	a = name_of(any);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT("send", 3, sendto(fd, "abc", 3, 0, (void *)&a, sizeof(a)));
	EXPECT("from within", 3, recv(any, buf, sizeof(buf), 0));
	order(fd, ORDER_CALL, ntohs(a.sin_port), 0);
	EXPECT("from outside", 4, recv(any, buf, sizeof(buf), 0));
}

static int unread(int fd)
{
	int n = -1;

	EXPECT("FIONREAD", 0, ioctl(fd, FIONREAD, &n));
	return n;
}

/* A peer is the only one that is heard, on whichever side of the guest */
static void case_stranger(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, here = a;
	int friend = udp(0), fd = udp(0), caller = udp(0);

	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	a = name_of(fd);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST("bind to the loopback", 0,
	     bind(friend, (void *)&here, sizeof(here)));
	here = name_of(friend);

	MUST("a peer within", 0, connect(fd, (void *)&here, sizeof(here)));
	order(caller, ORDER_CALL, ntohs(a.sin_port), 0);
	/* the answer comes after the call */
	exchange(caller, 10);
	EXPECT("nobody outside is heard", -EAGAIN,
	       recv(fd, buf, 1, MSG_DONTWAIT));
	EXPECT("nothing to read", 0, poll_now(fd, POLLIN, 0));
	EXPECT("no bytes", 0, unread(fd));
	a = name_of(fd);
	EXPECT("the peer sends", 5, sendto(friend, "local", 5, 0, (void *)&a,
					   sizeof(a)));
	EXPECT("something to read", POLLIN, poll_now(fd, POLLIN, 20000));
	EXPECT("the peer is heard", 5, recv(fd, buf, sizeof(buf), 0));

	fd = udp(0);
	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	a = name_of(fd);
	MUST("a peer outside", 0,
	     connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT("another one sends", 5, sendto(friend, "local", 5, 0,
					      (void *)&a, sizeof(a)));
	EXPECT("nobody within is heard", -EAGAIN,
	       recv(fd, buf, 1, MSG_DONTWAIT));
	EXPECT("nothing to read", 0, poll_now(fd, POLLIN, 0));
	EXPECT("no bytes", 0, unread(fd));
	EXPECT("send", 7, send(fd, "outside", 7, 0));
	EXPECT("something to read", POLLIN, poll_now(fd, POLLIN, 20000));
	EXPECT("its bytes", 7, unread(fd));
	EXPECT("the peer is heard", 7, recv(fd, buf, sizeof(buf), 0));
}

static pthread_barrier_t first;

static long call_first(struct blocked *b)
{
	pthread_barrier_wait(&first);
	return RC(sendto(b->fd, "first", 5, 0, (void *)&sem_addr,
			 sizeof(sem_addr)));
}

static long call_look(struct blocked *b)
{
	char c;
	int i;

	pthread_barrier_wait(&first);
	for (i = 0; i < 50; i++) {
		poll_now(b->fd, POLLIN | POLLOUT, 0);
		unread(b->fd);
		RC(recv(b->fd, &c, 1, MSG_DONTWAIT | MSG_PEEK));
	}
	return 0;
}

/* Threads that use a socket at once before it is anybody's */
static void case_at_once(void)
{
	struct blocked one, two, look;
	int fd, i;

	pthread_barrier_init(&first, NULL, 3);
	for (i = 0; i < 100 && !sem_failures; i++) {
		fd = udp(0);
		blocked_begin(&one, fd, call_first);
		blocked_begin(&two, fd, call_first);
		blocked_begin(&look, fd, call_look);
		EXPECT("send", 5, blocked_end(&one, "one"));
		EXPECT("send", 5, blocked_end(&two, "the other"));
		EXPECT("looks", 0, blocked_end(&look, "looks"));
		EXPECT("one answer", 5, recv(fd, buf, sizeof(buf), 0));
		EXPECT("both answers", 5, recv(fd, buf, sizeof(buf), 0));
		close(fd);
	}
}

/* On a socket of IPv6 UDP takes addresses of IPv4 */
static void case_family(void)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	int fd = GET("socket", socket(AF_INET6, SOCK_DGRAM, 0));

	set_time(fd, SO_RCVTIMEO, 20000);
	EXPECT("sendto", 4, sendto(fd, "four", 4, 0, (void *)&sem_addr,
				   sizeof(sem_addr)));
	EXPECT("recvfrom", 4, recvfrom(fd, buf, sizeof(buf), 0, (void *)&from,
				       &len));
	EXPECT("family", AF_INET6, from.sin6_family);
	EXPECT("who it was", sem_addr.sin_addr.s_addr,
	       from.sin6_addr.s6_addr32[3]);
	MUST("connect", 0, connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	EXPECT("send", 5, send(fd, "again", 5, 0));
	EXPECT("recv", 5, recv(fd, buf, sizeof(buf), 0));
}

static void case_options(void)
{
	int fd = udp_connected();

	EXPECT("type", SOCK_DGRAM, get_int(fd, SOL_SOCKET, SO_TYPE));
	EXPECT("protocol", IPPROTO_UDP, get_int(fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT("IP_TOS", 0, set_int(fd, SOL_IP, IP_TOS, 0x10));
	EXPECT("IP_TOS", 0x10, get_int(fd, SOL_IP, IP_TOS));
	EXPECT("IP_RECVERR", 0, set_int(fd, SOL_IP, IP_RECVERR, 1));
	EXPECT("nothing queued", -EAGAIN, recv(fd, buf, 1, MSG_ERRQUEUE));
	EXPECT("SO_ERROR", 0, get_int(fd, SOL_SOCKET, SO_ERROR));
	EXPECT("a TCP option", -ENOPROTOOPT, set_int(fd, SOL_TCP, TCP_NODELAY, 1));
	EXPECT("send", 2, send(fd, "ab", 2, 0));
	EXPECT("recv", 2, recv(fd, buf, sizeof(buf), 0));
}

/* What control data the datagram in @msg has come with */
static void expect_control(struct msghdr *msg, struct in_pktinfo *info)
{
	int ttl = 0, tos = -1;
	struct cmsghdr *c;

	EXPECT("flags", 0, msg->msg_flags);
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		EXPECT("level", SOL_IP, c->cmsg_level);
		if (c->cmsg_type == IP_PKTINFO)
			memcpy(info, CMSG_DATA(c), sizeof(*info));
		else if (c->cmsg_type == IP_TTL)
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		else if (c->cmsg_type == IP_TOS)
			tos = *CMSG_DATA(c);
	}
	/* the echo is on the same host */
	EXPECT("whom it was for", sem_addr.sin_addr.s_addr,
	       info->ipi_addr.s_addr);
	EXPECT("an interface", 1, info->ipi_ifindex > 0);
	EXPECT("time to live", 64, ttl);
	EXPECT("type of service", 0, tos);
}

/* What control data a datagram comes with, and from where one goes */
static void case_control(void)
{
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	union {
		struct cmsghdr align;
		char buf[256];
	} control;
	struct sockaddr_in from;
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = &control.align;
	struct in_pktinfo info = {};
	int fd = udp(0);

	set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
	set_int(fd, IPPROTO_IP, IP_RECVTTL, 1);
	set_int(fd, IPPROTO_IP, IP_RECVTOS, 1);
	exchange(fd, 100);
	EXPECT("sendto", 10, sendto(fd, buf, 10, 0, (void *)&sem_addr,
				    sizeof(sem_addr)));
	EXPECT("recvmsg", 10, recvmsg(fd, &msg, 0));
	expect_control(&msg, &info);

	/* no room for all of it */
	EXPECT("sendto", 10, sendto(fd, buf, 10, 0, (void *)&sem_addr,
				    sizeof(sem_addr)));
	msg.msg_controllen = CMSG_SPACE(sizeof(info));
	EXPECT("recvmsg", 10, recvmsg(fd, &msg, 0));
	EXPECT("MSG_CTRUNC", MSG_CTRUNC, msg.msg_flags);

	/* an answer from the address that was asked */
	c->cmsg_level = SOL_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	info.ipi_spec_dst = sem_addr.sin_addr;
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	msg.msg_controllen = c->cmsg_len;
	msg.msg_name = &sem_addr;
	iov.iov_len = 10;
	EXPECT("sendmsg", 10, sendmsg(fd, &msg, 0));
	EXPECT("its echo", 10, recv(fd, buf, sizeof(buf), 0));
	c->cmsg_len = CMSG_LEN(sizeof(info) - 1);
	EXPECT("a short one", -EINVAL, sendmsg(fd, &msg, 0));
	close(fd);
}

static void case_bad(void)
{
	struct sockaddr_in a = sem_addr;
	int fd = udp(0);

	EXPECT("a short address", -EINVAL,
	       sendto(fd, "x", 1, 0, (void *)&a, 7));
	a.sin_family = AF_INET6;
	EXPECT("another family", -EAFNOSUPPORT,
	       sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)));
	a = sem_addr;
	a.sin_port = 0;
	EXPECT("port 0", -EINVAL, sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)));
	EXPECT("bytes that are not there", -EFAULT,
	       sendto(fd, (void *)8, 100, 0, (void *)&sem_addr,
		      sizeof(sem_addr)));
	EXPECT("listen", -EOPNOTSUPP, listen(fd, 1));
	EXPECT("accept", -EOPNOTSUPP, accept(fd, NULL, NULL));
	EXPECT("MSG_OOB", -EOPNOTSUPP,
	       sendto(fd, "x", 1, MSG_OOB, (void *)&sem_addr,
		      sizeof(sem_addr)));
	exchange(fd, 10);
}

/*
 * Not among the others: the way to the peer breaks meanwhile, and is mended.
 * Both sockets must be told, and go on.
 */
static int survive(void)
{
	int one = udp_connected(), two = udp(0), broken = 0, good = 0;
	long n;

	sem_check = "survive";
	watchdog(CHECK_SECONDS);
	exchange(two, 10);
	set_time(one, SO_RCVTIMEO, 200);
	puts("ready");
	fflush(stdout);
	while (good < 10 && !sem_failures) {
		sem_step = "send and receive";
		n = RC(send(one, "abc", 3, 0));
		if (n == 3)
			n = RC(recv(one, buf, sizeof(buf), 0));
		if (n == 3 && broken)
			good++;
		else if (n < 0)
			broken++;
	}
	RC(recv(two, buf, 1, MSG_DONTWAIT));
	exchange(two, 10);
	printf("%d calls failed meanwhile\n", broken);
	return sem_failures ? 1 : 0;
}

static const struct check checks[] = {
	{ "sizes", case_sizes },
	{ "boundaries", case_boundaries },
	{ "truncated", case_truncated },
	{ "names", case_names },
	{ "server", case_server },
	{ "reuse", case_reuse },
	{ "refused", case_refused },
	{ "waits", case_waits },
	{ "early", case_early },
	{ "shutdown", case_shutdown },
	{ "many", case_many },
	{ "burst", case_burst },
	{ "local", case_local },
	{ "stranger", case_stranger },
	{ "at_once", case_at_once },
	{ "family", case_family },
	{ "options", case_options },
	{ "control", case_control },
	{ "bad", case_bad },
	{ "peer_changes", case_peer_changes },
	{ "zerocopy", case_zerocopy },
};

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--survive")) {
		sem_addr.sin_family = AF_INET;
		sem_addr.sin_port = htons(atoi(argv[3]));
		inet_pton(AF_INET, argv[2], &sem_addr.sin_addr);
		return survive();
	}
	return checks_main(argc, argv,
			   "Sockets of datagrams; ADDRESS and PORT of pvdgecho PORT.",
			   checks, ARRAY_SIZE(checks));
}
