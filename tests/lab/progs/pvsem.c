// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets move bytes as Linux's own TCP does, whatever call moves them: flags
 * of send() and recv(), vectors, many messages, sendfile() and splice(), bad
 * memory, and descriptors that several processes share.
 */
#define _GNU_SOURCE
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "sem.h"

static void case_peek(void)
{
	int fd = peer_hold("peek");
	char a[200], b[200];

	EXPECT("peek at nothing", -EAGAIN,
	       recv(fd, a, 50, MSG_PEEK | MSG_DONTWAIT));
	MUST("send", 100, peer("send peek 100"));
	EXPECT("peek waits", 50, recv(fd, a, 50, MSG_PEEK | MSG_WAITALL));
	EXPECT("same again", 50, recv(fd, b, 50, MSG_PEEK));
	BYTES("peeked bytes", a, 50, 0);
	EXPECT("the same bytes", 0, memcmp(a, b, 50));
	EXPECT("peek at all", 100, recv(fd, a, 200, MSG_PEEK));
	EXPECT("read", 100, get_bytes(fd, 100, 0));
	EXPECT("nothing is left", -EAGAIN, recv(fd, a, 1, MSG_DONTWAIT));
}

static long later_send(struct blocked *b)
{
	char buf[400];
	long ret = RC(recv(b->fd, buf, 200, MSG_WAITALL));

	return ret > 0 && pattern_bad(buf, ret, 0) >= 0 ? -EILSEQ : ret;
}

static long later_peek(struct blocked *b)
{
	char buf[400];
	long ret = RC(recv(b->fd, buf, 200, MSG_WAITALL | MSG_PEEK));

	return ret > 0 && pattern_bad(buf, ret, 0) >= 0 ? -EILSEQ : ret;
}

static void case_waitall(void)
{
	int fd = peer_hold("waitall");
	struct blocked b;
	char buf[200];

	MUST("send", 100, peer("send waitall 100"));
	blocked_start(&b, fd, later_peek);
	EXPECT("peek still waits", 0, b.done);
	MUST("send", 100, peer("send waitall 100"));
	EXPECT("peek has all", 200, blocked_end(&b, "WAITALL|PEEK"));
	EXPECT("all is there yet", 200, get_bytes(fd, 200, 0));

	fd = peer_hold("waitall2");
	MUST("send", 100, peer("send waitall2 100"));
	blocked_start(&b, fd, later_send);
	EXPECT("read still waits", 0, b.done);
	MUST("send", 100, peer("send waitall2 100"));
	EXPECT("read has all", 200, blocked_end(&b, "WAITALL"));

	MUST("send", 100, peer("send waitall2 100"));
	EXPECT("wait for data", POLLIN, poll_now(fd, POLLIN, 5000));
	EXPECT("WAITALL and DONTWAIT", 100,
	       recv(fd, buf, 200, MSG_WAITALL | MSG_DONTWAIT));
	MUST("send", 100, peer("send waitall2 100"));
	set_time(fd, SO_RCVTIMEO, 200);
	EXPECT("WAITALL and a timeout", 100, recv(fd, buf, 200, MSG_WAITALL));
	set_time(fd, SO_RCVTIMEO, 0);
	MUST("send", 50, peer("send waitall2 50"));
	MUST("shut", 0, peer("shut waitall2"));
	EXPECT("WAITALL and the end", 50, recv(fd, buf, 200, MSG_WAITALL));
	EXPECT("the end", 0, recv(fd, buf, 200, MSG_WAITALL));
}

static long later_write(struct blocked *b)
{
	size_t len = 32 << 20;
	char *buf = malloc(len);
	long ret;

	pattern_fill(buf, len, 0);
	ret = RC(send(b->fd, buf, len, MSG_NOSIGNAL));
	free(buf);
	return ret;
}

/* However often it has to wait for room */
static void case_whole(void)
{
	int fd = peer_hold("whole");
	struct blocked b;

	blocked_start(&b, fd, later_write);
	EXPECT("a write waits", 0, b.done);
	MUST("the peer has all", 32 << 20, peer("recv whole %d", 32 << 20));
	EXPECT("all in one write", 32 << 20, blocked_end(&b, "send"));
}

static void case_dontwait(void)
{
	int fd = peer_hold("dontwait");
	char buf[100];
	long n;

	EXPECT("nothing there", -EAGAIN, recv(fd, buf, 100, MSG_DONTWAIT));
	MUST("send", 10, peer("send dontwait 10"));
	EXPECT("wait for data", POLLIN, poll_now(fd, POLLIN, 5000));
	EXPECT("data there", 10, recv(fd, buf, 100, MSG_DONTWAIT));
	n = fill(fd);
	TRUE("something went in", n > 4096);
	EXPECT("no room", -EAGAIN, send(fd, buf, 1, MSG_DONTWAIT));
	EXPECT("peer has all", n, peer("recv dontwait %ld", n));
	EXPECT("room again", POLLOUT, poll_now(fd, POLLOUT, 5000));
}

static void case_trunc(void)
{
	int fd = peer_hold("trunc");

	MUST("send", 100, peer("send trunc 100"));
	EXPECT("MSG_TRUNC drops", 60,
	       recv(fd, NULL, 60, MSG_TRUNC | MSG_WAITALL));
	EXPECT("the rest is right", 40, get_bytes(fd, 40, 60));
	MUST("send", 100000, peer("send trunc 100000"));
	EXPECT("MSG_TRUNC drops much", 99000,
	       recv(fd, NULL, 99000, MSG_TRUNC | MSG_WAITALL));
	EXPECT("the rest is right", 1000, get_bytes(fd, 1000, 99100));
}

static void case_zero(void)
{
	int fd = peer_hold("zero");
	char buf[10];

	EXPECT("send of nothing", 0, send(fd, buf, 0, 0));
	EXPECT("write of nothing", 0, write(fd, buf, 0));
	EXPECT("read of nothing", 0, read(fd, buf, 0));
	EXPECT("recv of nothing, nothing there", -EAGAIN,
	       recv(fd, buf, 0, MSG_DONTWAIT));
	MUST("send", 10, peer("send zero 10"));
	EXPECT("wait for data", POLLIN, poll_now(fd, POLLIN, 5000));
	EXPECT("recv of nothing", 0, recv(fd, buf, 0, 0));
	EXPECT("recv of nothing, DONTWAIT", 0, recv(fd, buf, 0, MSG_DONTWAIT));
	EXPECT("peek at nothing", 0, recv(fd, buf, 0, MSG_PEEK));
	EXPECT("all is there yet", 10, get_bytes(fd, 10, 0));
	EXPECT("shut", 0, shutdown(fd, SHUT_WR));
	EXPECT("the peer saw nothing", 0, peer("drain zero"));
	EXPECT("send of nothing after the end", -EPIPE,
	       send(fd, buf, 0, MSG_NOSIGNAL));
	MUST("shut", 0, peer("shut zero"));
	EXPECT("wait for the end", POLLIN, poll_now(fd, POLLIN, 5000) & POLLIN);
	EXPECT("recv of nothing at the end", 0, recv(fd, buf, 0, 0));
}

static void case_iovecs(void)
{
	static char out[1024 * 300], in[sizeof(out)];
	struct iovec iov[1025];
	int fd = peer_connect("echo\n");
	size_t n, at, all;
	long ret;
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0, all = 0; i < 1024; i++) {
			n = round ? (i * 37) % (round == 1 ? 17 : 290) : 1;
			iov[i].iov_base = out + all;
			iov[i].iov_len = n;
			all += n;
		}
		pattern_fill(out, all, 0);
		MUST("writev", all, writev(fd, iov, 1024));
		for (i = 0; i < 1024; i++)
			iov[i].iov_base += in - out;
		for (at = 0; at < all; at += ret) {
			/* what comes first, vectors or the rest in one */
			ret = GET("readv", at ? recv(fd, in + at, all - at, 0) :
					   readv(fd, iov, 1024));
			MUST("the end, too early", 1, ret > 0);
		}
		BYTES("bytes", in, all, 0);
		memset(in, 0, sizeof(in));
	}
	EXPECT("too many vectors", -EINVAL, writev(fd, iov, 1025));
	EXPECT("too many vectors", -EINVAL, readv(fd, iov, 1025));
}

static void case_mmsg(void)
{
	static char buf[10][1000];
	int fd = peer_connect("echo\n"), i;
	struct timespec ts = { .tv_sec = 5 };
	struct mmsghdr m[10] = {};
	struct iovec iov[10];
	long got = 0, ret;

	for (i = 0; i < 10; i++) {
		pattern_fill(buf[i], 1000, i * 1000);
		iov[i].iov_base = buf[i];
		iov[i].iov_len = 1000;
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	MUST("sendmmsg", 10, sendmmsg(fd, m, 10, 0));
	for (i = 0; i < 10; i++)
		EXPECT("length of a message", 1000, m[i].msg_len);
	memset(buf, 0, sizeof(buf));
	MUST("recvmmsg", 5, recvmmsg(fd, m, 5, MSG_WAITALL, &ts));
	for (i = 0; i < 5; i++) {
		EXPECT("length of a message", 1000, m[i].msg_len);
		BYTES("bytes", buf[i], 1000, i * 1000);
	}
	while (got < 5000) {
		ret = GET("recvmmsg", recvmmsg(fd, m, 10, MSG_WAITFORONE,
					       NULL));
		for (i = 0; i < ret; i++) {
			BYTES("bytes", buf[i], m[i].msg_len, 5000 + got);
			got += m[i].msg_len;
		}
	}
	EXPECT("all of it", 5000, got);
	EXPECT("recvmmsg, nothing there", -EAGAIN,
	       recvmmsg(fd, m, 10, MSG_DONTWAIT, NULL));
}

static int pattern_file(size_t len)
{
	static char buf[65536];
	int fd = GET("memfd", memfd_create("pattern", 0));
	size_t at;

	for (at = 0; at < len; at += sizeof(buf)) {
		pattern_fill(buf, sizeof(buf), at);
		MUST("write the file", sizeof(buf),
		     write(fd, buf, sizeof(buf)));
	}
	MUST("to the file's begin", 0, lseek(fd, 0, SEEK_SET));
	return fd;
}

static void case_sendfile(void)
{
	const long size = 3 * MIB;
	int file = pattern_file(size), fd = peer_hold("sendfile");
	off_t at = 5000;
	long n, sent = 0;

	set_nonblock(fd, true);
	while (sent < 200000 &&
	       (n = RC(sendfile(fd, file, NULL, 70000))) > 0)
		sent += n;
	TRUE("something went in", sent > 0);
	EXPECT("the peer has it", sent, peer("recv sendfile %ld", sent));
	set_nonblock(fd, false);
	EXPECT("the file's position", sent, lseek(file, 0, SEEK_CUR));
	MUST("sendfile", 1000, sendfile(fd, file, NULL, 1000));
	EXPECT("the peer has it", 1000, peer("recv sendfile 1000"));

	fd = peer_connect("echo\n");
	MUST("sendfile from a place", 20000, sendfile(fd, file, &at, 20000));
	EXPECT("the place", 25000, at);
	EXPECT("echo", 20000, get_bytes(fd, 20000, 5000));

	fd = peer_connect("sink\n");
	for (at = 0; at < size;)
		if (GET("sendfile", sendfile(fd, file, &at, size)) == 0)
			break;
	EXPECT("all sent", size, at);
	EXPECT("end of the file", 0, sendfile(fd, file, &at, 1000));
	shutdown(fd, SHUT_WR);
	EXPECT("wait for the count", POLLIN,
	       poll_now(fd, POLLIN, 20000) & POLLIN);
}

static void case_splice(void)
{
	static char buf[200000];
	int fd = peer_connect("source 200000\n"), p[2], out;
	long at = 0, n;

	MUST("pipe", 0, pipe(p));
	for (;;) {
		n = GET("splice from the socket",
			splice(fd, NULL, p[1], NULL, 65536, SPLICE_F_MOVE));
		if (!n)
			break;
		while (n) {
			long r = GET("read the pipe", read(p[0], buf, n));

			BYTES("bytes", buf, r, at);
			at += r;
			n -= r;
		}
	}
	EXPECT("all of it", 200000, at);

	out = peer_hold("splice");
	set_nonblock(out, true);
	EXPECT("splice, nothing there", -EAGAIN,
	       splice(out, NULL, p[1], NULL, 1000, SPLICE_F_NONBLOCK));
	set_nonblock(out, false);
	for (at = 0; at < 200000; at += n) {
		pattern_fill(buf, 5000, at);
		MUST("write the pipe", 5000, write(p[1], buf, 5000));
		n = GET("splice to the socket",
			splice(p[0], NULL, out, NULL, 5000, SPLICE_F_MORE));
		MUST("all of the pipe", 5000, n);
	}
	EXPECT("the peer has it", 200000, peer("recv splice 200000"));
}

/* Two pages, the second of which is not there */
static char *half_page(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + 4096, 4096);
	memset(p, 'x', 4096);
	return p;
}

static void case_efault(void)
{
	char *half = half_page(), *bad = half + 4096;
	int fd = peer_hold("efault"), i;
	struct iovec iov = { bad, 10 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	socklen_t *bad_len = (void *)bad;
	long n;

	MUST("send", 100, peer("send efault 100"));
	EXPECT("wait for data", POLLIN, poll_now(fd, POLLIN, 5000));
	EXPECT("recv to nowhere", -EFAULT, recv(fd, bad, 10, 0));
	EXPECT("recvmsg to nowhere", -EFAULT, recvmsg(fd, &m, 0));
	EXPECT("recv of a header nowhere", -EFAULT, recvmsg(fd, (void *)bad, 0));
	EXPECT("nothing was lost", 100, get_bytes(fd, 100, 0));
	EXPECT("send from nowhere", -EFAULT, send(fd, bad, 10, MSG_NOSIGNAL));
	EXPECT("sendmsg from nowhere", -EFAULT, sendmsg(fd, &m, MSG_NOSIGNAL));
	EXPECT("write from nowhere", -EFAULT, write(fd, bad, 10));
	EXPECT("getsockname to nowhere", -EFAULT,
	       getsockname(fd, (void *)bad, bad_len));
	EXPECT("getpeername to nowhere", -EFAULT,
	       getpeername(fd, (void *)bad, bad_len));
	EXPECT("setsockopt from nowhere", -EFAULT,
	       setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, bad, sizeof(int)));
	EXPECT("setsockopt from nowhere", -EFAULT,
	       setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, bad, sizeof(int)));
	EXPECT("getsockopt to nowhere", -EFAULT,
	       getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, bad, bad_len));
	EXPECT("FIONREAD to nowhere", -EFAULT, ioctl(fd, FIONREAD, bad));
	EXPECT("connect from nowhere", -EFAULT,
	       connect(fd, (void *)bad, sizeof(sem_addr)));
	EXPECT("the peer saw nothing, and now", 5, put_bytes(fd, 5, 0));
	EXPECT("the peer has it", 5, peer("recv efault 5"));

	/* a part may go in, but then it must have been right */
	for (i = 0; i < 3; i++)
		MUST("send", 6000, peer("send efault 6000"));
	EXPECT("wait for data", 6000,
	       recv(fd, NULL, 6000, MSG_TRUNC | MSG_WAITALL));
	n = RC(recv(fd, half, 8192, 0));
	if (n == -EFAULT)
		n = 0;
	TRUE("recv to half a buffer", n >= 0 && n <= 4096);
	BYTES("what came", half, n, 6100);
	EXPECT("nothing was lost", 12000 - n,
	       get_bytes(fd, 12000 - n, 6100 + n));
}

static void case_dup(void)
{
	int fd = peer_hold("dup"), two = dup(fd);

	MUST("send", 5, put_bytes(fd, 5, 0));
	MUST("close the first", 0, close(fd));
	MUST("send by the second", 5, put_bytes(two, 5, 5));
	EXPECT("the peer has it", 10, peer("recv dup 10"));
	MUST("send", 10, peer("send dup 10"));
	EXPECT("read", 10, get_bytes(two, 10, 0));
	MUST("close the second", 0, close(two));
	EXPECT("the peer sees the end", 0, peer("drain dup"));
}

static void case_fork(void)
{
	int fd = peer_hold("fork"), status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		MUST("child sends", 100000, put_bytes(fd, 100000, 0));
		_exit(0);
	}
	EXPECT("child", pid, waitpid(pid, &status, 0));
	EXPECT("child's end", 0, status);
	EXPECT("the peer has it", 100000, peer("recv fork 100000"));
	MUST("parent sends", 10, put_bytes(fd, 10, 100000));
	EXPECT("the peer has it", 10, peer("recv fork 10"));
	MUST("send", 10, peer("send fork 10"));
	pid = fork();
	if (!pid) {
		MUST("child reads", 10, get_bytes(fd, 10, 0));
		/* still open in the parent, so this is no end */
		close(fd);
		_exit(0);
	}
	EXPECT("child", pid, waitpid(pid, &status, 0));
	EXPECT("child's end", 0, status);
	MUST("send", 10, peer("send fork 10"));
	EXPECT("parent reads", 10, get_bytes(fd, 10, 10));
	close(fd);
	EXPECT("the peer sees the end", 0, peer("drain fork"));
}

static void pass_fd(int s, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	MUST("pass it", 1, sendmsg(s, &m, 0));
}

static int take_fd(int s)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fd;

	MUST("take it", 1, recvmsg(s, &m, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

static void case_scm_rights(void)
{
	int pair[2], fd, status;
	pid_t pid;

	MUST("socketpair", 0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		fd = take_fd(pair[1]);
		MUST("use it", 10, put_bytes(fd, 10, 0));
		MUST("use it", 10, get_bytes(fd, 10, 0));
		close(fd);
		_exit(0);
	}
	fd = peer_hold("rights");
	pass_fd(pair[0], fd);
	close(fd);
	EXPECT("the peer has it", 10, peer("recv rights 10"));
	MUST("send", 10, peer("send rights 10"));
	EXPECT("the peer sees the end", 0, peer("drain rights"));
	EXPECT("child", pid, waitpid(pid, &status, 0));
	EXPECT("child's end", 0, status);

	/* closed while it is on its way */
	fd = peer_hold("rights2");
	pass_fd(pair[0], fd);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	EXPECT("the peer sees the end", 0, peer("drain rights2"));
}

static void case_speaks_first(void)
{
	struct sockaddr_in a = sem_addr;
	int fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));

	a.sin_port = htons(ntohs(a.sin_port) + 1);
	MUST("connect", 0, connect(fd, (void *)&a, sizeof(a)));
	EXPECT("its greeting", 1000, get_bytes(fd, 1000, 0));
	EXPECT("answer", 1000, put_bytes(fd, 1000, 0));
	EXPECT("echo", 1000, get_bytes(fd, 1000, 0));
}

static const struct check checks[] = {
	{ "peek", case_peek },
	{ "waitall", case_waitall },
	{ "whole", case_whole },
	{ "dontwait", case_dontwait },
	{ "trunc", case_trunc },
	{ "zero", case_zero },
	{ "iovecs", case_iovecs },
	{ "mmsg", case_mmsg },
	{ "sendfile", case_sendfile },
	{ "splice", case_splice },
	{ "efault", case_efault },
	{ "dup", case_dup },
	{ "fork", case_fork },
	{ "scm_rights", case_scm_rights },
	{ "speaks_first", case_speaks_first },
};

int main(int argc, char **argv)
{
	return checks_main(argc, argv, "Every way to move bytes.", checks,
			   ARRAY_SIZE(checks));
}
