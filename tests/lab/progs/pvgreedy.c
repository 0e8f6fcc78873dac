// SPDX-License-Identifier: GPL-2.0
/*
 * One ordinary user takes as many sockets as he gets: others must get theirs,
 * the guest's devices their grants and event channels, and what a socket's
 * memory costs is charged to who made it.
 *
 *   pvgreedy --hold N	makes N sockets of TCP, every other one listens; says
 *			"ready" and waits to be killed
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "attack.h"
#include "bpf.h"

typedef uint16_t domid_t;
#include <xen/evtchn.h>
#include <xen/gntalloc.h>

#define GREEDY		1001	/* users */
#define MODEST		1002
#define MOST		3000	/* sockets that he tries to get */
#define GRANTS		512	/* what a disk and a network card need to start */
#define CHANNELS	16
#define CHARGED		200	/* sockets whose memory is looked at */

/* Takes sockets with a ring each until there is none: how many */
static int take(int (*one)(void), int most)
{
	int n, ret = 0;

	for (n = 0; n < most; n++) {
		ret = one();
		if (ret < 0)
			break;
	}
	printf("user %d has %d sockets, then %s\n", getuid(), n,
	       ret < 0 ? strerrorname_np(-ret) : "enough");
	fflush(stdout);
	return n;
}

static int one_udp(void)
{
	struct sockaddr_in a = echo_addr();
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return -errno;
	if (sendto(fd, "hello", 6, 0, (void *)&a, sizeof(a)) < 0)
		return -errno;
	return fd;
}

static int one_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (void *)&sem_addr, sizeof(sem_addr)))
		return -errno;
	return fd;
}

static int take_udp(void)
{
	return take(one_udp, MOST);
}

static int take_tcp(void)
{
	return take(one_tcp, 1200);
}

static int take_charged(void)
{
	return take(one_udp, CHARGED);
}

/* A user namespace has users of its own, but who has made it pays. */
static int take_in_namespaces(void)
{
	int said[2], i, n, all = 0;

	MUST("pipe", 0, pipe(said));
	for (i = 0; i < 6; i++) {
		if (fork())
			continue;
		own_namespaces(0);
		n = take(one_udp, MOST / 6);
		if (write(said[1], &n, sizeof(n)) == sizeof(n))
			pause();
		_exit(1);
	}
	for (i = 0; i < 6; i++) {
		MUST("his sockets", sizeof(n), read(said[0], &n, sizeof(n)));
		all += n;
	}
	return all;
}

/*
 * A process of user GREEDY that has all it gets. It ends, with its children,
 * when the descriptor is closed.
 */
static int greedy(int (*takes)(void), int *has)
{
	int go[2], got[2];
	pid_t pid;

	MUST("pipe", 0, pipe(go));
	MUST("pipe", 0, pipe(got));
	many_files(MOST + 100);
	pid = child_fork();
	if (!pid) {
		close(go[1]);
		become(GREEDY);
		*has = takes();
		if (write(got[1], has, sizeof(*has)) < 0 || read(go[0], has, 1))
			sem_fail("pipe");
		kill(0, SIGKILL);
	}
	close(go[0]);
	close(got[1]);
	MUST("his sockets", sizeof(*has), read(got[0], has, sizeof(*has)));
	return go[1];
}

static void modest(void)
{
	int i;

	become(MODEST);
	for (i = 0; i < 20; i++)
		others_work();
}

/* As a disk would: grants of memory to Dom0 */
static void grants_left(void)
{
	struct {
		struct ioctl_gntalloc_alloc_gref op;
		uint32_t more[GRANTS];
	} req = { .op = { .count = GRANTS } };
	int fd = GET("gntalloc", open("/dev/xen/gntalloc", O_RDWR));

	EXPECT("grants for devices", 0,
	       ioctl(fd, IOCTL_GNTALLOC_ALLOC_GREF, &req));
	close(fd);
}

static void channels_left(void)
{
	struct ioctl_evtchn_bind_unbound_port bind = {};
	int fd = GET("evtchn", open("/dev/xen/evtchn", O_RDWR)), i;

	for (i = 0; i < CHANNELS; i++)
		TRUE("event channels for devices",
		     ioctl(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind) > 0);
	close(fd);
}

static void reserve(int (*takes)(void))
{
	long before = refs();
	int has, go = greedy(takes, &has);

	attack("another user's sockets", modest);
	if (before) {
		grants_left();
		channels_left();
	}
	close(go);
	refs_back(before);
	attack("another user's sockets afterwards", modest);
}

static void case_datagrams(void)
{
	reserve(take_udp);
}

static void case_connections(void)
{
	reserve(take_tcp);
}

static void case_namespaces(void)
{
	reserve(take_in_namespaces);
}

static long memory_now(int dir)
{
	int fd = GET("memory.current", openat(dir, "memory.current", O_RDONLY));
	char text[40] = "";

	TRUE("memory.current", read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atol(text);
}

/* Only rings are looked at, and TCP has none. */
static void case_charged(void)
{
	int dir, has, go;
	long before, now;

	if (!refs())
		return;
	put_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	dir = GET("cgroup", cgroup_open("pvgreedy"));
	MUST("enter it", 0, cgroup_enter(dir));
	before = memory_now(dir);
	go = greedy(take_charged, &has);
	MUST("sockets", CHARGED, has);
	now = memory_now(dir);
	printf("%ld bytes are charged for each\n", (now - before) / CHARGED);
	TRUE("rings are charged to the cgroup",
	     now - before > CHARGED * 16384L);
	close(go);
}

static int hold(int n)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int i, fd;

	sem_check = "hold";
	many_files(n + 100);
	become(GREEDY);
	for (i = 0; i < n; i++) {
		fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
		MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
		if (i % 2)
			MUST("listen", 0, listen(fd, 1));
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static const struct check checks[] = {
	{ "datagrams", case_datagrams },
	{ "connections", case_connections },
	{ "namespaces", case_namespaces },
	{ "charged", case_charged },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--hold"))
		return hold(atoi(argv[2]));
	return checks_main(argc, argv,
			   "One user's sockets leave others theirs.",
			   checks, ARRAY_SIZE(checks));
}
