/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For pvowned: whose a port is, and what is left of a call that fails, or that
 * another thread runs into.
 */
#ifndef PV_PORTS_H
#define PV_PORTS_H

#include "attack.h"

#define SHARE_ROUNDS	300
#define INFO_ROUNDS	60
#define LOWEST		65000
#define PING_RANGE	"/proc/sys/net/ipv4/ping_group_range"
#define PORT_RANGE	"/proc/sys/net/ipv4/ip_local_port_range"
#define PORT_BEGIN	"/proc/sys/net/ipv4/ip_unprivileged_port_start"
#define CAPTURE		"/proc/sys/net/pvcalls/capture"

static int make(int type)
{
	return GET("socket", socket(AF_INET, type, 0));
}

static long bind_at(int fd, const char *ip, int port)
{
	struct sockaddr_in a = at(ip, port);

	return RC(bind(fd, (void *)&a, sizeof(a)));
}

/* ---- SO_REUSEPORT is for the sockets of one user ---- */

static int share_port, share_fd = -1;
static volatile bool share_over;

/* What bind() says to this user, who wants to share an address by an option */
static long share_by(int option, int type, const char *ip)
{
	int fd = make(type);
	long ret;

	MUST("an option", 0, set_int(fd, SOL_SOCKET, option, 1));
	ret = bind_at(fd, ip, share_port);
	close(fd);
	return ret;
}

static long share(int type, const char *ip)
{
	return share_by(SO_REUSEPORT, type, ip);
}

/* A listener that could be shared */
static int share_listen(const char *ip)
{
	int fd = make(SOCK_STREAM);

	MUST("SO_REUSEPORT", 0, set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1));
	MUST("bind", 0, bind_at(fd, ip, 0));
	MUST("listen", 0, listen(fd, 5));
	share_port = port_of(fd);
	return fd;
}

static void share_refused(void)
{
	become(NOBODY);
	EXPECT("an address of Dom0", -EADDRINUSE,
	       share(SOCK_STREAM, peer_ip()));
	EXPECT("any address", -EADDRINUSE, share(SOCK_STREAM, "0.0.0.0"));
	EXPECT("the same port of UDP", 0, share(SOCK_DGRAM, peer_ip()));
}

static void case_share_user(void)
{
	int fd = share_listen("0.0.0.0");

	EXPECT("one's own", 0, share(SOCK_STREAM, peer_ip()));
	attack("a part of another user's port", share_refused);
	close(fd);
	fd = share_listen(peer_ip());
	EXPECT("one's own", 0, share(SOCK_STREAM, "0.0.0.0"));
	attack("more than another user's address", share_refused);
	close(fd);
	others_work();
}

/* Datagrams go to the socket with the more specific address. */
static void share_datagrams(void)
{
	become(NOBODY);
	EXPECT("SO_REUSEADDR", -EADDRINUSE,
	       share_by(SO_REUSEADDR, SOCK_DGRAM, peer_ip()));
	EXPECT("SO_REUSEPORT", -EADDRINUSE,
	       share_by(SO_REUSEPORT, SOCK_DGRAM, peer_ip()));
}

static void case_share_datagrams(void)
{
	int fd = make(SOCK_DGRAM);

	MUST("SO_REUSEPORT", 0, set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1));
	MUST("bind", 0, bind_at(fd, "0.0.0.0", 0));
	share_port = port_of(fd);
	EXPECT("one's own", 0, share(SOCK_DGRAM, peer_ip()));
	attack("a part of another user's port of UDP", share_datagrams);
	close(fd);
	others_work();
}

static void share_echoes(int fd)
{
	struct sockaddr_in a = echo_addr();
	char got[6];

	MUST("sendto", 6, sendto(fd, "hello", 6, 0, (void *)&a, sizeof(a)));
	MUST("a datagram", POLLIN, poll_now(fd, POLLIN, 10000));
	MUST("recv", 6, recv(fd, got, 6, 0));
}

/* Who only sends has not asked for a port, so he cannot want to share it. */
static void case_share_sender(void)
{
	static const int options[] = { SO_REUSEADDR, SO_REUSEPORT };
	int i, fd;

	for (i = 0; i < 4; i++) {
		fd = make(SOCK_DGRAM);
		/* the host chooses the port before the option, or after it */
		if (i % 2)
			share_echoes(fd);
		MUST("an option", 0, set_int(fd, SOL_SOCKET, options[i / 2], 1));
		share_echoes(fd);
		share_port = port_of(fd);
		TRUE("a port", share_port);
		attack("the port of who only sends", share_datagrams);
		share_echoes(fd);
		close(fd);
	}
}

/* Takes the option back and sets it again, all the time */
static void *share_flip(void *arg)
{
	while (!share_over) {
		set_int(share_fd, SOL_SOCKET, SO_REUSEPORT, 0);
		set_int(share_fd, SOL_SOCKET, SO_REUSEPORT, 1);
	}
	return arg;
}

static void share_flips(void)
{
	double end = now() + 1.5;
	pthread_t thread;
	int i, fd;

	become(NOBODY);
	pthread_create(&thread, NULL, share_flip, NULL);
	for (i = 0; i < SHARE_ROUNDS && now() < end; i++) {
		fd = make(SOCK_STREAM);
		share_fd = fd;
		MUST("bind", -EADDRINUSE, bind_at(fd, peer_ip(), share_port));
		close(fd);
	}
	share_over = true;
	pthread_join(thread, NULL);
}

static void case_share_race(void)
{
	int fd = share_listen(peer_ip());

	attack("SO_REUSEPORT taken back during bind()", share_flips);
	close(fd);
	others_work();
}

/* ---- listen() that fails ---- */

/* Somebody listens on one of the guest's addresses when all are asked for. */
static void listen_taken(void)
{
	int fd = make(SOCK_STREAM), own = make(SOCK_STREAM), port;

	become(NOBODY);
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(own, SOL_SOCKET, SO_REUSEADDR, 1);
	MUST("bind", 0, bind_at(fd, "0.0.0.0", 0));
	port = port_of(fd);
	MUST("bind in the guest", 0, bind_at(own, "127.0.0.2", port));
	MUST("listen in the guest", 0, listen(own, 1));
	MUST("listen", -EADDRINUSE, listen(fd, 1));
	EXPECT("nobody listens in Dom0", -ECONNREFUSED,
	       peer("dial taken %s %d", peer_ip(), port));
	MUST("connect", 0, connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	MUST("the first line", 5, send(fd, "echo\n", 5, 0));
	echoes(fd);
}

static void case_listen_taken(void)
{
	long before = refs();

	attack("listen() on a port that is taken", listen_taken);
	refs_back(before);
	others_work();
}

/*
 * A device keeps a socket in the guest that has an address of Dom0's: it fails
 * to listen there, or has that address still.
 */
static void listen_device(void)
{
	int fd = make(SOCK_STREAM), port;

	become(NOBODY);
	MUST("bind", 0, bind_at(fd, peer_ip(), 0));
	port = port_of(fd);
	MUST("to a device", 0,
	     setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "pvdummy", 8));
	if (!listen(fd, 1))
		EXPECT("the port", port, port_of(fd));
}

static void case_listen_device(void)
{
	attack("listen() after SO_BINDTODEVICE", listen_device);
	others_work();
}

/* ---- connect() into the guest ---- */

/* From an address of Dom0's: nothing in the guest can have that. */
static void connect_within(void)
{
	int fd = make(SOCK_STREAM), port, own;
	struct sockaddr_in a;

	become(NOBODY);
	listen_local(&port);
	a = at(LOCAL, port);
	MUST("bind", 0, bind_at(fd, peer_ip(), 0));
	own = port_of(fd);
	EXPECT("connect within", -EADDRNOTAVAIL,
	       connect(fd, (void *)&a, sizeof(a)));
	EXPECT("the port", own, port_of(fd));
	MUST("connect", 0, connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	MUST("the first line", 5, send(fd, "echo\n", 5, 0));
	echoes(fd);
}

static void case_connect_within(void)
{
	attack("connect() into the guest from Dom0's address", connect_within);
	others_work();
}

/* ---- TCP_INFO while another thread stops listening ---- */

static int info_fd;
static volatile bool info_over;

static void *info_main(void *arg)
{
	struct tcp_info info;
	socklen_t len;

	while (!info_over) {
		len = sizeof(info);
		MUST("TCP_INFO", 0,
		     getsockopt(info_fd, SOL_TCP, TCP_INFO, &info, &len));
		TRUE("it listens or not", info.tcpi_state == TCP_LISTEN ||
					  info.tcpi_state == TCP_CLOSE);
	}
	return arg;
}

static void info_race(void)
{
	double end = now() + 1.5;
	pthread_t thread;
	int i;

	become(NOBODY);
	info_fd = make(SOCK_STREAM);
	MUST("bind", 0, bind_at(info_fd, "0.0.0.0", 0));
	pthread_create(&thread, NULL, info_main, NULL);
	for (i = 0; i < INFO_ROUNDS && now() < end; i++) {
		MUST("listen", 0, listen(info_fd, 5));
		MUST("shutdown", 0, shutdown(info_fd, SHUT_RD));
	}
	info_over = true;
	pthread_join(thread, NULL);
}

static void case_info_race(void)
{
	long before = refs();

	attack("TCP_INFO and shutdown() at once", info_race);
	refs_back(before);
	others_work();
}

/* ---- numbers that are no ports, and ports that Dom0 chooses ---- */

static void echo_number(void)
{
	int fd;

	become(NOBODY);
	fd = GET("socket", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	EXPECT("a low number", 0, bind_at(fd, "0.0.0.0", 7));
	EXPECT("its number", 7, port_of(fd));
	/* an operation that UDP has and echoes have not */
	EXPECT("SO_PEEK_OFF", -EOPNOTSUPP,
	       set_int(fd, SOL_SOCKET, SO_PEEK_OFF, 0));
}

static void case_echo_number(void)
{
	put_file(PING_RANGE, "0 2147483647");
	attack("sockets of ICMP echoes", echo_number);
	others_work();
}

/*
 * A port that nobody has named is one that everybody may have. In the guest those
 * begin at LOWEST here, and Dom0 has others to give.
 */
static void given_port(void)
{
	const char * const ips[] = { "0.0.0.0", peer_ip() };
	unsigned int i, type;
	int fd;

	become(NOBODY);
	for (i = 0; i < ARRAY_SIZE(ips); i++) {
		for (type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
			fd = make(type);
			if (!bind_at(fd, ips[i], 0))
				TRUE("no low port", port_of(fd) >= LOWEST);
			close(fd);
		}
	}
	fd = make(SOCK_STREAM);
	if (!listen(fd, 1))
		TRUE("no low port of listen()", port_of(fd) >= LOWEST);
}

static void case_given_port(void)
{
	char begin[20];

	snprintf(begin, sizeof(begin), "%d", LOWEST);
	put_file(PORT_RANGE, "65100 65500");
	put_file(PORT_BEGIN, begin);
	attack("ports that Dom0 chooses", given_port);
	put_file(PORT_BEGIN, "1024");
	put_file(PORT_RANGE, "32768 60999");
	others_work();
}

/*
 * A namespace's own root has opened the sysctl, and another root writes to it,
 * as to its standard output. Only our kernel has the file.
 */
static void case_sysctl_passed(void)
{
	int ready[2], fd, theirs;
	pid_t pid;

	if (access(CAPTURE, F_OK))
		return;
	MUST("pipe", 0, pipe(ready));
	pid = child_fork();
	if (!pid) {
		become(NOBODY);
		own_namespaces(CLONE_NEWNET);
		fd = GET("open", open(CAPTURE, O_WRONLY));
		MUST("say so", sizeof(fd), write(ready[1], &fd, sizeof(fd)));
		pause();
	}
	close(ready[1]);
	MUST("a descriptor", sizeof(theirs),
	     read(ready[0], &theirs, sizeof(theirs)));
	fd = GET("pidfd", syscall(SYS_pidfd_open, pid, 0));
	theirs = GET("take it", syscall(SYS_pidfd_getfd, fd, theirs, 0));
	EXPECT("write", -EPERM, write(theirs, "1", 1));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif /* PV_PORTS_H */
