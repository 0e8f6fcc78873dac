// SPDX-License-Identifier: GPL-2.0
/* io_uring, by its system calls alone */
#define _GNU_SOURCE
#include "conform.h"
#include <linux/io_uring.h>
#include <sys/syscall.h>

#define ENTRIES	32

static struct {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int queued;
} ring;

static char buf[65536];

static void start(void)
{
	struct io_uring_params p = {};
	size_t size;
	char *sq;

	ring.fd = syscall(__NR_io_uring_setup, ENTRIES, &p);
	if (ring.fd < 0)
		skip("the kernel has no io_uring");
	/* out of the way of the sockets' numbers, which are compared */
	ring.fd = fcntl(ring.fd, F_DUPFD_CLOEXEC, 300);
	size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	if (size < p.sq_off.array + p.sq_entries * sizeof(int))
		size = p.sq_off.array + p.sq_entries * sizeof(int);
	sq = mmap(NULL, size, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQ_RING);
	ring.sqes = mmap(NULL, p.sq_entries * sizeof(*ring.sqes),
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 ring.fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || ring.sqes == MAP_FAILED ||
	    !(p.features & IORING_FEAT_SINGLE_MMAP))
		skip("io_uring cannot be mapped");
	ring.sq_tail = (void *)(sq + p.sq_off.tail);
	ring.sq_mask = (void *)(sq + p.sq_off.ring_mask);
	ring.sq_array = (void *)(sq + p.sq_off.array);
	ring.cq_head = (void *)(sq + p.cq_off.head);
	ring.cq_tail = (void *)(sq + p.cq_off.tail);
	ring.cq_mask = (void *)(sq + p.cq_off.ring_mask);
	ring.cqes = (void *)(sq + p.cq_off.cqes);
}

static struct io_uring_sqe *add(int op, int fd, const void *addr, unsigned len,
				uint64_t data)
{
	unsigned int tail = *ring.sq_tail, i = tail & *ring.sq_mask;
	struct io_uring_sqe *sqe = &ring.sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->user_data = data;
	ring.sq_array[i] = i;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring.queued++;
	return sqe;
}

static long submit(void)
{
	unsigned int n = ring.queued;

	ring.queued = 0;
	return RC(syscall(__NR_io_uring_enter, ring.fd, n, 0, 0, NULL, 0));
}

/* The next completion, or none after that many milliseconds */
static bool next(struct io_uring_cqe *cqe, int ms)
{
	struct pollfd p = { .fd = ring.fd, .events = POLLIN };
	unsigned int head = *ring.cq_head;

	if (head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE)) {
		poll(&p, 1, ms);
		/* lets the kernel run what completes in our context */
		syscall(__NR_io_uring_enter, ring.fd, 0, 0,
			IORING_ENTER_GETEVENTS, NULL, 0);
	}
	if (head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE))
		return false;
	*cqe = ring.cqes[head & *ring.cq_mask];
	__atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

static long show_next(const char *label, int ms)
{
	struct io_uring_cqe cqe;

	step(label);
	if (!next(&cqe, ms)) {
		say(label, "no completion");
		return -ETIME;
	}
	if (cqe.res < 0)
		say(label, "#%llu %s flags %x", cqe.user_data,
		    error_name(-cqe.res), cqe.flags & ~IORING_CQE_F_BUFFER &
		    0xf);
	else
		say(label, "#%llu %d flags %x", cqe.user_data, cqe.res,
		    cqe.flags & 0xf);
	return cqe.res;
}

/* A socket that comes out of it: its number says nothing */
static int next_fd(const char *label, int ms)
{
	struct io_uring_cqe cqe;

	step(label);
	if (!next(&cqe, ms)) {
		say(label, "no completion");
		return -1;
	}
	if (cqe.res < 0)
		said(label, cqe.res);
	else
		say(label, "a descriptor");
	return cqe.res;
}

static void send_recv(void)
{
	int fd = peer_conn("c");
	struct io_uring_sqe *sqe;

	start();
	add(IORING_OP_SEND, fd, buf, 1000, 1);
	R("submit", submit());
	show_next("SEND", 4000);
	R("peer", peer("drop c 1000"));
	add(IORING_OP_RECV, fd, buf, 1000, 2);
	R("submit", submit());
	show_next("RECV too early", 50);
	peer("send c 100");
	show_next("RECV", 4000);
	sqe = add(IORING_OP_RECV, fd, buf, 1000, 3);
	sqe->msg_flags = MSG_DONTWAIT;
	R("submit", submit());
	show_next("RECV MSG_DONTWAIT", 4000);
	peer("send c 100");
	await_bytes(fd, 100);
	sqe = add(IORING_OP_RECV, fd, buf, 200, 4);
	sqe->msg_flags = MSG_WAITALL;
	R("submit", submit());
	show_next("RECV MSG_WAITALL too early", 50);
	peer("send c 100");
	show_next("RECV MSG_WAITALL", 4000);
	sqe = add(IORING_OP_RECV, fd, buf, 200, 5);
	sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
	R("submit", submit());
	peer("send c 70");
	show_next("RECV poll first", 4000);
	add(IORING_OP_RECV, fd, buf, 200, 6);
	submit();
	peer("shut c");
	show_next("RECV at FIN", 4000);
	add(IORING_OP_SEND, fd, buf, 10, 7);
	submit();
	show_next("SEND", 4000);
	R("peer", peer("drop c 10"));
	peer("rst c");
	poll_for(fd, POLLHUP, 4000);
	add(IORING_OP_SEND, fd, buf, 10, 8);
	submit();
	show_next("SEND after RST", 4000);
	add(IORING_OP_RECV, fd, buf, 10, 9);
	submit();
	show_next("RECV after RST", 4000);
}

static void at_reset(void)
{
	int fd = peer_conn("c");

	start();
	add(IORING_OP_RECV, fd, buf, 100, 1);
	submit();
	show_next("RECV too early", 20);
	peer("rst c");
	show_next("RECV at RST", 4000);
}

static void messages(void)
{
	int fd = peer_conn("c");
	struct iovec iov[2] = { { buf, 10 }, { buf + 10, 20 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	start();
	add(IORING_OP_SENDMSG, fd, &msg, 1, 1);
	submit();
	show_next("SENDMSG", 4000);
	R("peer", peer("drop c 30"));
	add(IORING_OP_RECVMSG, fd, &msg, 1, 2);
	submit();
	peer("send c 25");
	show_next("RECVMSG", 4000);
	R("its flags", msg.msg_flags);
	add(IORING_OP_WRITE, fd, buf, 40, 3)->off = -1;
	submit();
	show_next("WRITE", 4000);
	R("peer", peer("drop c 40"));
	add(IORING_OP_READ, fd, buf, 40, 4)->off = -1;
	submit();
	show_next("READ too early", 20);
	peer("send c 33");
	show_next("READ", 4000);
	add(IORING_OP_WRITEV, fd, iov, 2, 5)->off = -1;
	submit();
	show_next("WRITEV", 4000);
	R("peer", peer("drop c 30"));
	add(IORING_OP_READV, fd, iov, 2, 6)->off = -1;
	submit();
	peer("send c 12");
	show_next("READV", 4000);
}

static void connects(void)
{
	struct sockaddr_in closed = closed_port();
	int fd = sock4(), two = sock4(), three;

	start();
	add(IORING_OP_CONNECT, fd, &world.v4, 0, 1)->off = sizeof(world.v4);
	submit();
	show_next("CONNECT", 4000);
	show_name("getpeername", fd, true);
	add(IORING_OP_CONNECT, two, &closed, 0, 2)->off = sizeof(closed);
	submit();
	show_next("CONNECT refused", 4000);
	R("getsockopt SO_ERROR", get_int(two, SOL_SOCKET, SO_ERROR));
	add(IORING_OP_CONNECT, fd, &world.v4, 0, 3)->off = sizeof(world.v4);
	submit();
	show_next("CONNECT again", 4000);
	add(IORING_OP_CONNECT, two, (void *)1, 0, 4)->off = sizeof(closed);
	submit();
	show_next("CONNECT bad pointer", 4000);
	three = sock4();
	set_nonblock(three, true);
	add(IORING_OP_CONNECT, three, &world.v4, 0, 5)->off = sizeof(world.v4);
	submit();
	show_next("CONNECT O_NONBLOCK", 4000);
	show_poll("poll", three, POLLOUT);
}

static void accepts(void)
{
	int port, l = listener(AF_INET, 0, &port), fd;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct io_uring_sqe *sqe;

	start();
	sqe = add(IORING_OP_ACCEPT, l, &a, 0, 1);
	sqe->addr2 = (uintptr_t)&len;
	R("submit", submit());
	show_next("ACCEPT too early", 20);
	R("peer", peer("dial d %s %d", peer_ip(), port));
	fd = next_fd("ACCEPT", 4000);
	R("its name's length", len);
	R("it is the peer", ntohs(a.sin_port) == peer_extra);
	peer("send d 10");
	add(IORING_OP_RECV, fd, buf, 10, 2);
	submit();
	show_next("RECV", 4000);
	R("peer", peer("dial e %s %d", peer_ip(), port));
	sqe = add(IORING_OP_ACCEPT, l, NULL, 0, 3);
	sqe->accept_flags = SOCK_NONBLOCK;
	submit();
	fd = next_fd("ACCEPT SOCK_NONBLOCK", 4000);
	R("fcntl F_GETFL", fcntl(fd, F_GETFL));
	sqe = add(IORING_OP_ACCEPT, l, NULL, 0, 4);
	submit();
	show_next("ACCEPT too early", 20);
	R("shutdown", shutdown(l, SHUT_RDWR));
	show_next("ACCEPT at shutdown", 4000);
}

static void multishot(void)
{
	int port, l = listener(AF_INET, 0, &port), i;
	struct io_uring_sqe *sqe;
	char label[40];

	start();
	sqe = add(IORING_OP_ACCEPT, l, NULL, 0, 1);
	sqe->ioprio = IORING_ACCEPT_MULTISHOT;
	R("submit", submit());
	for (i = 0; i < 4; i++) {
		snprintf(label, sizeof(label), "ACCEPT multishot %d", i);
		peer("dial d%d %s %d", i, peer_ip(), port);
		next_fd(label, 4000);
	}
	show_next("nothing more", 20);
	add(IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 2);
	submit();
	/* in either order */
	i = show_next("cancel", 4000) == 0;
	show_next("cancelled", 4000);
}

static void cancels(void)
{
	int fd = peer_conn("c"), port, l = listener(AF_INET, 0, &port);
	struct sockaddr_in a = hole();
	int c = sock4();
	struct io_uring_cqe cqe;
	int ops[3] = { IORING_OP_RECV, IORING_OP_ACCEPT, IORING_OP_CONNECT };
	int i, k;

	start();
	for (i = 0; i < 3; i++) {
		long res[2] = { 1, 1 };

		if (ops[i] == IORING_OP_RECV)
			add(ops[i], fd, buf, 10, 1);
		else if (ops[i] == IORING_OP_ACCEPT)
			add(ops[i], l, NULL, 0, 1);
		else
			add(ops[i], c, &a, 0, 1)->off = sizeof(a);
		submit();
		show_next("too early", 20);
		add(IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 0);
		submit();
		for (k = 0; k < 2; k++)
			if (next(&cqe, 4000))
				res[cqe.user_data & 1] = cqe.res;
		said("cancel", res[0]);
		said("cancelled", res[1]);
	}
	R("send after all", send_bytes(fd, 10, 0));
	R("peer", peer("drop c 10"));
	peer("send c 10");
	R("recv after all", recv_bytes(fd, 10, 0));
}

static void timeouts(void)
{
	int fd = peer_conn("c"), k;
	struct __kernel_timespec ts = { .tv_nsec = 50000000 };
	struct io_uring_cqe cqe;
	long res[2] = { 1, 1 };

	start();
	add(IORING_OP_RECV, fd, buf, 10, 1)->flags = IOSQE_IO_LINK;
	add(IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 0);
	R("submit", submit());
	for (k = 0; k < 2; k++)
		if (next(&cqe, 4000))
			res[cqe.user_data & 1] = cqe.res;
	said("RECV", res[1]);
	said("LINK_TIMEOUT", res[0]);
}

static void linked(void)
{
	int fd = peer_conn("c");

	start();
	add(IORING_OP_SEND, fd, buf, 100, 1)->flags = IOSQE_IO_LINK;
	add(IORING_OP_SHUTDOWN, fd, NULL, SHUT_WR, 2)->flags = IOSQE_IO_LINK;
	add(IORING_OP_RECV, fd, buf, 100, 3)->flags = IOSQE_IO_LINK;
	add(IORING_OP_CLOSE, fd, NULL, 0, 4);
	R("submit", submit());
	R("peer", peer("count c"));
	peer("send c 50");
	show_next("SEND", 4000);
	show_next("SHUTDOWN", 4000);
	show_next("RECV", 4000);
	show_next("CLOSE", 4000);
	R("send", send(fd, buf, 1, MSG_NOSIGNAL));
}

static void polls(void)
{
	int fd = peer_conn("c"), i;
	struct io_uring_cqe cqe;

	start();
	add(IORING_OP_POLL_ADD, fd, NULL, 0, 1)->poll32_events = POLLIN;
	submit();
	show_next("POLL_ADD too early", 20);
	peer("send c 10");
	if (next(&cqe, 4000))
		say("POLL_ADD", "%s", poll_names(cqe.res));
	add(IORING_OP_POLL_ADD, fd, NULL, 0, 2)->poll32_events = POLLOUT;
	submit();
	if (next(&cqe, 4000))
		say("POLL_ADD out", "%s", poll_names(cqe.res));
	recv(fd, buf, 10, 0);
	add(IORING_OP_POLL_ADD, fd, NULL, IORING_POLL_ADD_MULTI,
	    3)->poll32_events = POLLIN;
	submit();
	for (i = 0; i < 3; i++) {
		peer("send c 10");
		if (next(&cqe, 4000))
			say("POLL_ADD multi", "%s flags %x",
			    poll_names(cqe.res), cqe.flags);
		await_bytes(fd, 10);
		R("recv", recv(fd, buf, 100, 0));
	}
	peer("rst c");
	if (next(&cqe, 4000))
		say("POLL_ADD multi at RST", "%d", cqe.res > 0);
}

static void sockets(void)
{
	struct io_uring_sqe *sqe;
	int fd;

	start();
	sqe = add(IORING_OP_SOCKET, AF_INET, NULL, 0, 1);
	sqe->off = SOCK_STREAM;
	submit();
	fd = next_fd("SOCKET", 4000);
	R("connect", conn4(fd));
	peer_hold(fd, "c");
	add(IORING_OP_SEND, fd, buf, 100, 2);
	submit();
	show_next("SEND", 4000);
	R("peer", peer("drop c 100"));
	add(IORING_OP_CLOSE, fd, NULL, 0, 3);
	submit();
	show_next("CLOSE", 4000);
	R("peer", peer("count c"));
}

static void zerocopy(void)
{
	int fd = peer_conn("c");

	start();
	add(IORING_OP_SEND_ZC, fd, buf, 2000, 1);
	R("submit", submit());
	show_next("SEND_ZC", 4000);
	R("peer", peer("drop c 2000"));
	show_next("its notification", 4000);
}

static void full(void)
{
	int fd = peer_conn("c");
	long n = fill(fd);

	R("fill", n > 0);
	start();
	add(IORING_OP_SEND, fd, buf, 1000, 1);
	submit();
	show_next("SEND too early", 50);
	R("peer", peer("drop c %ld", n) == n);
	show_next("SEND", 4000);
	R("peer", peer("drop c 1000"));
}

static void ended(void)
{
	int fd = peer_conn("c");

	start();
	add(IORING_OP_RECV, fd, buf, 10, 1);
	submit();
	show_next("RECV too early", 20);
	R("shutdown", shutdown(fd, SHUT_RD));
	show_next("RECV at SHUT_RD", 4000);
	fd = peer_conn("d");
	add(IORING_OP_RECV, fd, buf, 10, 2);
	submit();
	show_next("RECV too early", 20);
	R("close", close(fd));
	peer("send d 5");
	show_next("RECV of a closed one", 4000);
	R("peer", peer("count d"));
}

THEME(uring)
	{ "uring_send_recv", send_recv },
	{ "uring_reset", at_reset },
	{ "uring_messages", messages },
	{ "uring_connect", connects },
	{ "uring_accept", accepts },
	{ "uring_accept_multishot", multishot },
	{ "uring_cancel", cancels },
	{ "uring_timeout", timeouts },
	{ "uring_linked", linked },
	{ "uring_poll", polls },
	{ "uring_socket", sockets },
	{ "uring_send_zc", zerocopy },
	{ "uring_full", full },
	{ "uring_ended", ended },
THEME_END(uring);
