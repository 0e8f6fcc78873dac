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
#define GRANTS		2056	/* what a network card with 4 queues needs */
#define CHANNELS	48
#define CHARGED		20	/* sockets whose memory is looked at */
#define NAMESPACES	6
#define SUBUSERS	100000	/* users of a namespace of GREEDY's */

#define PARAMETERS	"/sys/module/pvcalls_mt_front/parameters/"
#define USERS		"/sys/kernel/debug/pvcalls_mt_front/users"

/* A parameter of the frontend from here on; what it was, to be set back */
static void parameter(const char *name, const char *value, char was[20])
{
	char path[100];
	int fd, n;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = GET(path, open(path, O_RDONLY));
	n = GET(path, read(fd, was, 19));
	was[n] = '\0';
	close(fd);
	put_file(path, value);
}

/* What the frontend says that a user has: a column of his line, or 0 */
static long has_now(const char *user, const char *column)
{
	char line[400], *word, *value, *save;
	long n = 0;
	FILE *f = fopen(USERS, "r");

	if (!f)
		sem_fail("%s: %s", USERS, strerror(errno));
	while (f && fgets(line, sizeof(line), f)) {
		strtok_r(line, " ", &save);
		if (strcmp(strtok_r(NULL, " ", &save), user))
			continue;
		while ((word = strtok_r(NULL, " ", &save)) &&
		       (value = strtok_r(NULL, " \n", &save)))
			if (!strcmp(word, column))
				n = atol(value);
	}
	if (f)
		fclose(f);
	return n;
}

/*
 * Takes sockets with a ring each until there is none: how many, or the error if
 * he is refused with another one than he should be
 */
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
	return ret < 0 && ret != -ENOBUFS ? ret : n;
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
	return take(one_tcp, MOST);
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
	for (i = 0; i < NAMESPACES; i++) {
		if (fork())
			continue;
		own_namespaces(0);
		n = take(one_udp, MOST / NAMESPACES);
		if (write(said[1], &n, sizeof(n)) == sizeof(n))
			pause();
		_exit(1);
	}
	for (i = 0; i < NAMESPACES; i++) {
		MUST("his sockets", sizeof(n), read(said[0], &n, sizeof(n)));
		if (n < 0)
			return n;
		all += n;
	}
	return all;
}

/* Root gives a namespace of GREEDY's as many users as newuidmap would. */
static void map_subusers(pid_t pid)
{
	static const char * const files[] = { "uid_map", "gid_map" };
	char path[40], map[60];
	unsigned int i;

	snprintf(map, sizeof(map), "0 %d 1\n1 %d 100\n", GREEDY, SUBUSERS);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		put_file(path, map);
	}
}

/* Another user of the namespace for each lot of sockets */
static int take_as_subusers(int said)
{
	int i, n;

	for (i = 0; i < NAMESPACES; i++) {
		if (fork())
			continue;
		MUST("setresuid", 0, setresuid(1 + i, 1 + i, 1 + i));
		n = take(one_udp, MOST / NAMESPACES);
		if (write(said, &n, sizeof(n)) == sizeof(n))
			pause();
		_exit(1);
	}
	for (;;)
		pause();
}

/*
 * A process of a user that has all it gets. It ends, with its children, when
 * the descriptor is closed.
 */
static int greedy(uid_t user, int (*takes)(void), int *has)
{
	int go[2], got[2];
	pid_t pid;

	MUST("pipe", 0, pipe(go));
	MUST("pipe", 0, pipe(got));
	many_files(MOST + 100);
	pid = child_fork();
	if (!pid) {
		close(go[1]);
		if (user)
			become(user);
		*has = takes();
		if (write(got[1], has, sizeof(*has)) < 0 || read(go[0], has, 1))
			sem_fail("pipe");
		kill(0, SIGKILL);
	}
	close(go[0]);
	close(got[1]);
	MUST("his sockets", sizeof(*has), read(got[0], has, sizeof(*has)));
	TRUE("no other error than ENOBUFS", *has >= 0);
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

/* What others find while somebody has @has sockets */
static void others(int has)
{
	TRUE("he does not get all", has < MOST);
	attack("another user's sockets", modest);
	grants_left();
	channels_left();
}

/* All is given back, exactly */
static void given_back(long before, long sockets)
{
	double end = now() + 20;

	refs_back(before);
	while ((has_now("all", "sockets") != sockets ||
		has_now("1001", "pages")) && now() < end)
		usleep(20000);
	EXPECT("all sockets", sockets, has_now("all", "sockets"));
	EXPECT("his pages", 0, has_now("1001", "pages"));
	EXPECT("his rings", 0, has_now("1001", "rings"));
	EXPECT("his sockets", 0, has_now("1001", "sockets"));
	attack("another user's sockets afterwards", modest);
}

/* @share: he comes to his share, and not perhaps to the end of what there is */
static void reserve(int (*takes)(void), bool share)
{
	long before = refs(), sockets = has_now("all", "sockets");
	int has, go = greedy(GREEDY, takes, &has);

	EXPECT("sockets that are charged", has, has_now("1001", "rings"));
	if (share)
		TRUE("he was refused", has_now("1001", "refused") > 0);
	TRUE("he has no more than his share",
	     has_now("1001", "pages") <= has_now("1001", "max-pages"));
	others(has);
	close(go);
	given_back(before, sockets);
}

static void case_datagrams(void)
{
	reserve(take_udp, true);
}

static void case_connections(void)
{
	char was[20], ignored[20];

	parameter("user_share", "20", was);
	reserve(take_tcp, true);
	parameter("user_share", was, ignored);
}

/* Rings with an event channel each, as long as there are some */
static void case_channels(void)
{
	char own[20], order[20], share[20], ignored[20];

	parameter("own_evtchns", "8192", own);
	parameter("ring_order", "1", order);
	/* more rings than there are event channels, and not many more */
	parameter("user_share", "11", share);
	reserve(take_tcp, false);
	parameter("user_share", share, ignored);
	parameter("own_evtchns", own, ignored);
	parameter("ring_order", order, ignored);
}

static void case_namespaces(void)
{
	reserve(take_in_namespaces, true);
}

/* Who has no share takes all that there is, but not the reserve. */
static void case_everything(void)
{
	long before = refs(), sockets = has_now("all", "sockets");
	int has, go = greedy(0, take_udp, &has);

	TRUE("there is an end", has < MOST);
	TRUE("more than a share", has_now("0", "pages") >
	     has_now("0", "max-pages"));
	TRUE("no more than all", has_now("all", "pages") <=
	     has_now("all", "max-pages"));
	grants_left();
	channels_left();
	close(go);
	given_back(before, sockets);
}

static void case_subusers(void)
{
	long before = refs(), sockets = has_now("all", "sockets");
	int mapped[2], ready[2], said[2], i, n = 0, all = 0;
	pid_t pid;

	MUST("pipe", 0, pipe(mapped));
	MUST("pipe", 0, pipe(ready));
	MUST("pipe", 0, pipe(said));
	many_files(MOST + 100);
	pid = child_fork();
	if (!pid) {
		setpgid(0, 0);
		become(GREEDY);
		MUST("unshare", 0, unshare(CLONE_NEWUSER));
		MUST("ready", 4, write(ready[1], &n, 4));
		MUST("mapped", 4, read(mapped[0], &n, 4));
		_exit(take_as_subusers(said[1]));
	}
	MUST("ready", 4, read(ready[0], &n, 4));
	map_subusers(pid);
	MUST("mapped", 4, write(mapped[1], &n, 4));
	for (i = 0; i < NAMESPACES; i++) {
		MUST("his sockets", 4, read(said[0], &n, 4));
		TRUE("no other error than ENOBUFS", n >= 0);
		all += n;
	}
	TRUE("several users", has_now("100000", "rings") > 0 &&
	     has_now("100001", "rings") > 0);
	EXPECT("their owner pays", all, has_now("1001", "rings"));
	TRUE("no more than the owner's share",
	     has_now("1001", "pages") <= has_now("1001", "max-pages"));
	others(all);
	kill(-pid, SIGKILL);
	given_back(before, sockets);
}

static long memory_now(int dir)
{
	int fd = GET("memory.current", openat(dir, "memory.current", O_RDONLY));
	char text[40] = "";

	TRUE("memory.current", read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atol(text);
}

/* Rings that others have left in the cache are not for this cgroup. */
static void case_charged(void)
{
	int dir, has, go;
	long before, now;

	close(greedy(GREEDY, take_charged, &has));
	while (has_now("1001", "rings"))
		usleep(20000);
	put_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	dir = GET("cgroup", cgroup_open("pvgreedy"));
	MUST("enter it", 0, cgroup_enter(dir));
	before = memory_now(dir);
	go = greedy(GREEDY, take_charged, &has);
	MUST("sockets", CHARGED, has);
	now = memory_now(dir);
	printf("%ld bytes are charged for each\n", (now - before) / CHARGED);
	TRUE("rings are charged to the cgroup",
	     now - before > CHARGED * 131072L);
	close(go);
}

/* A descriptor of another process's */
static int theirs(pid_t pid, int fd)
{
	int pidfd = GET("pidfd", syscall(SYS_pidfd_open, pid, 0));

	fd = GET("a descriptor", syscall(SYS_pidfd_getfd, pidfd, fd, 0));
	close(pidfd);
	return fd;
}

/* Sockets for others: TCP that listens and is fresh, UDP; tells their numbers */
static void make_for_others(int said)
{
	int fd[3], port = 0;

	become(GREEDY);
	fd[0] = listen_any(AF_INET, 0, &port);
	fd[1] = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	fd[2] = GET("socket", socket(AF_INET, SOCK_DGRAM, 0));
	MUST("say so", sizeof(fd), write(said, fd, sizeof(fd)));
	pause();
}

/* Gives them connections and rings, and keeps these. */
static void use_others(const int *fd, int said)
{
	struct sockaddr_in echo = echo_addr();
	int i, port = port_of(fd[0]);

	become(MODEST);
	for (i = 0; i < 4; i++) {
		MUST("dial", 0, peer("dial passed%d %s %d", i, peer_ip(), port));
		GET("accept", accept(fd[0], NULL, NULL));
	}
	close(sem_ctl);
	MUST("connect", 0, connect(fd[1], (void *)&sem_addr, sizeof(sem_addr)));
	MUST("sendto", 6, sendto(fd[2], "hello", 6, 0, (void *)&echo,
				 sizeof(echo)));
	MUST("say so", 4, write(said, &i, 4));
	pause();
}

/* Who has made a socket pays for its rings, whoever has these made. */
static void case_passed(void)
{
	long before = refs(), sockets = has_now("all", "sockets");
	int said[2], fd[3], i;
	pid_t maker, user;

	MUST("pipe", 0, pipe(said));
	maker = child_fork();
	if (!maker)
		make_for_others(said[1]);
	MUST("his sockets", sizeof(fd), read(said[0], fd, sizeof(fd)));
	for (i = 0; i < 3; i++)
		fd[i] = theirs(maker, fd[i]);
	user = child_fork();
	if (!user)
		use_others(fd, said[1]);
	for (i = 0; i < 3; i++)
		close(fd[i]);
	MUST("they are used", 4, read(said[0], fd, 4));
	/* the ring to pvpeer over which the orders went takes its time */
	for (i = 0; i < 100 && has_now("1002", "rings"); i++)
		usleep(20000);
	EXPECT("rings of who uses them", 0, has_now("1002", "rings"));
	TRUE("rings of who has made them", has_now("1001", "rings") >= 6);
	kill(-user, SIGKILL);
	kill(-maker, SIGKILL);
	given_back(before, sockets);
}

#define ACCEPTING	3	/* threads in accept() */
#define ACCEPT_SECONDS	10

/* A listener whose connections a user pays for; rights are kept for later */
static int listen_as(uid_t user, int *port)
{
	int fd;

	MUST("setresuid", 0, setresuid(user, user, 0));
	fd = listen_any(AF_INET, 0, port);
	MUST("setresuid", 0, setresuid(0, 0, 0));
	set_time(fd, SO_RCVTIMEO, ACCEPT_SECONDS * 1000);
	return fd;
}

/* Who has CAP_SYS_RESOURCE gets more than the share of who pays. */
static long call_accept(struct blocked *b)
{
	/* not setresuid(), which is for all threads */
	MUST("setresuid", 0,
	     syscall(SYS_setresuid, GREEDY, GREEDY, GREEDY));
	return RC(accept(b->fd, NULL, NULL));
}

/* One of the threads gets the connection, each other one hears ENOBUFS. */
static void accept_one(int l, int port)
{
	struct blocked b[ACCEPTING];
	int i, got = 0, conn = -1;

	for (i = 0; i < ACCEPTING; i++)
		blocked_start(&b[i], l, call_accept);
	MUST("dial", 0, peer("dial one %s %d", peer_ip(), port));
	for (i = 0; i < ACCEPTING; i++) {
		blocked_end(&b[i], "accept");
		TRUE("nobody sleeps on", b[i].took < ACCEPT_SECONDS - 1);
		if (b[i].ret < 0) {
			EXPECT("no budget", -ENOBUFS, b[i].ret);
		} else {
			conn = b[i].ret;
			got++;
		}
	}
	EXPECT("connections", 1, got);
	/* its ring would be somebody's budget before */
	close(conn);
}

/* Rings of others end a little later than their process. */
static void accept_again(int l, int port)
{
	double end = now() + ACCEPT_SECONDS;
	struct blocked b;
	int fd;

	MUST("dial", 0, peer("dial again %s %d", peer_ip(), port));
	do {
		blocked_begin(&b, l, call_accept);
		fd = RC(blocked_end(&b, "accept once there is budget"));
	} while (fd == -ENOBUFS && now() < end);
	close(GET("accept once there is budget", fd));
}

/* The only ACCEPT is used up, and the budget leaves no other one. */
static void case_accepting(void)
{
	long before = refs(), sockets = has_now("all", "sockets");
	int port = 0, l, has, go;
	char was[20], ignored[20];

	parameter("user_share", "2", was);
	l = listen_as(GREEDY, &port);
	go = greedy(GREEDY, take_tcp, &has);
	TRUE("there is an end", has < MOST);
	accept_one(l, port);
	close(go);
	accept_again(l, port);
	parameter("user_share", was, ignored);
	close(l);
	close(sem_ctl);
	given_back(before, sockets);
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
	{ "channels", case_channels },
	{ "everything", case_everything },
	{ "namespaces", case_namespaces },
	{ "subusers", case_subusers },
	{ "charged", case_charged },
	{ "passed", case_passed },
	{ "accepting", case_accepting },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--hold"))
		return hold(atoi(argv[2]));
	return checks_main(argc, argv,
			   "One user's sockets leave others theirs.",
			   checks, ARRAY_SIZE(checks));
}
