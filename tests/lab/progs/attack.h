/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs share that attack the frontend from within the guest:
 * becoming an ordinary user, namespaces of one's own, and the module's count of
 * references, which must come back to where it was.
 *
 * They run as root and give up their rights check by check. Two programs in
 * Dom0 answer them: pvpeer on PORT, and pvdgecho on PORT + 10.
 */
#ifndef PV_ATTACK_H
#define PV_ATTACK_H

#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Attacks take thousands of rounds */
#define CHECK_SECONDS	400

#include "sem.h"

#define PORT_ECHO	10	/* added to pvpeer's port: datagrams are echoed */
#define NOBODY		65534
#define LOCAL		"127.0.0.1"
#define REFCNT		"/sys/module/pvcalls_mt_front/refcnt"

/* The order that makes pvdgecho send @count datagrams of @size bytes */
struct burst {
	uint32_t magic, what, count, size;
};

#define BURST(n)	{ 0x70766467, 1, n, 100 }
/* Another one: send 4 bytes to that port of who gives the order */
#define CALL(port)	{ 0x70766467, 2, port, 0 }

/* ---- rights ---- */

static inline void become(uid_t uid)
{
	MUST("setgroups", 0, setgroups(0, NULL));
	MUST("setresgid", 0, setresgid(uid, uid, uid));
	MUST("setresuid", 0, setresuid(uid, uid, uid));
	/* else /proc/self stays root's, and with it the maps of identities */
	MUST("PR_SET_DUMPABLE", 0, prctl(PR_SET_DUMPABLE, 1));
}

static inline void put_file(const char *path, const char *text)
{
	int fd = GET(path, open(path, O_WRONLY));

	MUST(path, strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

/* A user namespace in which this process is root, and others beside it */
static inline void own_namespaces(int others)
{
	char map[40];

	snprintf(map, sizeof(map), "0 %d 1\n", getuid());
	MUST("unshare", 0, unshare(CLONE_NEWUSER | others));
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/uid_map", map);
	put_file("/proc/self/gid_map", map);
}

static inline void many_files(rlim_t n)
{
	struct rlimit limit = { n, n };

	MUST("RLIMIT_NOFILE", 0, setrlimit(RLIMIT_NOFILE, &limit));
}

/* ---- the module ---- */

/* References to the frontend; 0 where it is not loaded. */
static inline long refs(void)
{
	FILE *f = fopen(REFCNT, "r");
	long n = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

/* Sockets end a little after close(): waits until the count is back. */
static inline void refs_back(long before)
{
	double end = now() + 20;
	long n;

	sem_step = "references to the module";
	while ((n = refs()) != before && now() < end)
		usleep(20000);
	EXPECT("references to the module", before, n);
}

/* Runs @attack in a process of its own, which it may lose. */
static inline void attack(const char *what, void (*run)(void))
{
	int status = 0;
	pid_t pid;

	sem_step = what;
	pid = child_fork();
	if (!pid) {
		sem_failures = 0;
		sem_ctl = -1;
		alarm(CHECK_SECONDS - 20);
		run();
		_exit(sem_failures ? 1 : 0);
	}
	if (!child_wait(pid, CHECK_SECONDS - 10, &status))
		sem_fail("%s: does not end", what);
	else if (WIFSIGNALED(status))
		sem_fail("%s: killed by signal %d", what, WTERMSIG(status));
	else
		EXPECT(what, 0, WEXITSTATUS(status));
}

/* ---- addresses ---- */

static inline struct sockaddr_in at(const char *ip, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_port = htons(port);
	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

/* The same for a socket of IPv6 */
static inline struct sockaddr_in6 mapped(const char *ip, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	struct sockaddr_in a4 = at(ip, port);

	a.sin6_port = htons(port);
	a.sin6_addr.s6_addr[10] = 0xff;
	a.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&a.sin6_addr.s6_addr[12], &a4.sin_addr, 4);
	return a;
}

static inline int peer_port(void)
{
	return ntohs(sem_addr.sin_port);
}

static inline struct sockaddr_in echo_addr(void)
{
	return at(peer_ip(), peer_port() + PORT_ECHO);
}

static inline int port_of(int fd)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);

	MUST("getsockname", 0, getsockname(fd, (void *)&a, &len));
	return ntohs(a.sin6_port);
}

/* A listener that only the guest itself can reach; its port */
static inline int listen_local(int *port)
{
	struct sockaddr_in a = at(LOCAL, 0);
	int fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));

	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	MUST("listen", 0, listen(fd, 128));
	*port = port_of(fd);
	return fd;
}

/* ---- what must still work ---- */

static inline void echoes(int fd)
{
	char got[6] = "";

	MUST("send", 6, send(fd, "hello", 6, MSG_NOSIGNAL));
	MUST("recv", 6, recv(fd, got, 6, MSG_WAITALL));
	MUST("what was sent", 0, strcmp(got, "hello"));
}

/* A new connection to Dom0, and a datagram there and back */
static inline void others_work(void)
{
	struct sockaddr_in a = echo_addr();
	char got[6] = "";
	int fd, tries;

	fd = peer_connect("echo\n");
	echoes(fd);
	close(fd);
	fd = GET("socket", socket(AF_INET, SOCK_DGRAM, 0));
	MUST("connect", 0, connect(fd, (void *)&a, sizeof(a)));
	/* the server may still have much to send to those before, and forget */
	for (tries = 0; tries < 20; tries++) {
		MUST("send a datagram", 6, send(fd, "hello", 6, 0));
		if (poll_now(fd, POLLIN, 2000))
			break;
	}
	MUST("recv a datagram", 6, recv(fd, got, 6, MSG_DONTWAIT));
	MUST("what was sent", 0, strcmp(got, "hello"));
	close(fd);
}

#endif /* PV_ATTACK_H */
