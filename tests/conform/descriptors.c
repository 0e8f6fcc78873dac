// SPDX-License-Identifier: GPL-2.0
/* dup(), fork(), SCM_RIGHTS, and what any descriptor can do */
#define _GNU_SOURCE
#include "conform.h"
#include <sys/sendfile.h>
#include <sys/stat.h>

static char buf[1000];

static void as_file(void)
{
	int fd = peer_conn("c");
	struct stat st;
	char path[64], link[64] = "";

	R("fstat", fstat(fd, &st));
	say("its mode", "%o size %ld", st.st_mode, (long)st.st_size);
	R("lseek", lseek(fd, 0, SEEK_SET));
	R("ftruncate", ftruncate(fd, 0));
	R("fsync", fsync(fd));
	R("fallocate", fallocate(fd, 0, 0, 10));
	R("pread", pread(fd, buf, 1, 0));
	R("pwrite", pwrite(fd, buf, 1, 0));
	R("fchmod", fchmod(fd, 0600));
	R("getdents", lseek(fd, 5, SEEK_END));
	R("mmap", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) ==
	  MAP_FAILED ? -errno : 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	R("readlink", readlink(path, link, sizeof(link)) > 0);
	say("it begins with", "%.8s", link);
	R("open by its link", open(path, O_RDWR));
	R("fcntl F_GETFL", fcntl(fd, F_GETFL));
	R("fcntl F_SETFL O_APPEND", fcntl(fd, F_SETFL, O_APPEND));
	R("fcntl F_SETFL O_DIRECT", fcntl(fd, F_SETFL, O_DIRECT));
	R("fcntl F_GETPIPE_SZ", fcntl(fd, F_GETPIPE_SZ));
	R("fcntl F_SETLEASE", fcntl(fd, F_SETLEASE, F_RDLCK));
}

static void copies(void)
{
	int fd = peer_conn("c"), two = dup(fd);

	R("send", send_bytes(fd, 10, 0));
	R("send on the copy", send_bytes(two, 10, 0));
	R("peer", peer("drop c 20"));
	set_nonblock(two, true);
	R("recv", recv(fd, buf, 1, 0));
	R("close", close(fd));
	peer("send c 10");
	poll_for(two, POLLIN, 4000);
	R("recv on the copy", recv(two, buf, 100, 0));
	R("close the copy", close(two));
	R("peer", peer("count c"));
}

static void forks(void)
{
	int fd = peer_conn("c"), status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(send_bytes(fd, 50, 0) == 50 ? 7 : 8);
	waitpid(pid, &status, 0);
	R("child", WEXITSTATUS(status));
	R("peer", peer("drop c 50"));
	R("send", send_bytes(fd, 10, 0));
	R("peer", peer("drop c 10"));
	pid = fork();
	if (!pid) {
		close(fd);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	peer("send c 10");
	R("recv after the child's close", recv_bytes(fd, 10, 0));
	pid = fork();
	if (!pid)
		_exit(shutdown(fd, SHUT_WR));
	waitpid(pid, &status, 0);
	R("send after the child's shutdown", send(fd, buf, 1, MSG_NOSIGNAL));
	R("peer", peer("count c"));
}

static void killed(void)
{
	int fd = peer_conn("c"), status = 0;
	pid_t pid = fork();

	if (!pid) {
		send_bytes(fd, 500, 0);
		recv(fd, buf, 1, 0);
		_exit(0);
	}
	R("peer", peer("drop c 500"));
	wait_asleep(pid, pid);
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	R("killed by", WTERMSIG(status));
	R("peer", peer("count c"));
}

static void killed_accepting(void)
{
	int port, l = listener(AF_INET, 0, &port), status = 0, two;
	struct sockaddr_in a = { .sin_family = AF_INET };
	pid_t pid = fork();

	if (!pid) {
		accept(l, NULL, NULL);
		_exit(0);
	}
	wait_asleep(pid, pid);
	close(l);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	R("peer", peer("dial d %s %d", peer_ip(), port));
	two = sock4();
	a.sin_port = htons(port);
	R("bind", bind(two, (void *)&a, sizeof(a)));
	R("listen", listen(two, 1));
}

static void killed_connecting(void)
{
	struct sockaddr_in a = hole();
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		connect(sock4(), (void *)&a, sizeof(a));
		_exit(0);
	}
	wait_asleep(pid, pid);
	kill(pid, SIGKILL);
	R("waitpid", waitpid(pid, &status, 0) == pid);
	R("killed by", WTERMSIG(status));
}

static void rights(void)
{
	int fd = peer_conn("c"), pair[2], got = -1;
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {};
	struct iovec iov = { buf, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = sizeof(u.room),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	R("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	R("sendmsg", sendmsg(pair[0], &msg, 0));
	R("close", close(fd));
	peer("send c 10");
	msg.msg_controllen = sizeof(u.room);
	R("recvmsg", recvmsg(pair[1], &msg, 0));
	cm = CMSG_FIRSTHDR(&msg);
	if (cm)
		memcpy(&got, CMSG_DATA(cm), sizeof(got));
	R("recv", recv_bytes(got, 10, 0));
	R("send", send_bytes(got, 10, 0));
	R("peer", peer("drop c 10"));
	/* one that nobody takes */
	memcpy(CMSG_DATA(cm), &got, sizeof(got));
	msg.msg_controllen = sizeof(u.room);
	R("sendmsg", sendmsg(pair[0], &msg, 0));
	close(got);
	close(pair[0]);
	R("close what it waits in", close(pair[1]));
	R("peer", peer("count c"));
}

static void inherited(void)
{
	int fd = peer_conn("c"), status = 0;
	pid_t pid;

	fcntl(fd, F_SETFD, 0);
	pid = fork();
	if (!pid) {
		dup2(fd, 1);
		close(fd);
		execlp("echo", "echo", "hello", NULL);
		_exit(9);
	}
	waitpid(pid, &status, 0);
	R("child", WEXITSTATUS(status));
	close(fd);
	R("peer", peer("count c"));
}

THEME(descriptors)
	{ "fd_as_file", as_file },
	{ "fd_dup", copies },
	{ "fd_fork", forks },
	{ "fd_rights", rights },
	{ "fd_exec", inherited },
	{ "killed_in_recv", killed },
	{ "killed_in_accept", killed_accepting },
	{ "killed_in_connect", killed_connecting },
THEME_END(descriptors);
