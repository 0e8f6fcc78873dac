/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For pvpolicy: programs of BPF that come while a call is under way, and what
 * sockets of IPv6 have to do with IPv4's rules.
 */
#ifndef POLICYIO_H
#define POLICYIO_H

#include <limits.h>
#include <net/if.h>

#include "policy.h"

/* ---- packets are dropped while a thread sends or receives ---- */

/* The part of TCP_INFO that the C library does not know */
struct moved {
	char before[120];
	uint64_t out, in;
};

static uint64_t moved(int fd, bool in)
{
	struct moved m = {};
	socklen_t len = sizeof(m);

	MUST("TCP_INFO", 0, getsockopt(fd, SOL_TCP, TCP_INFO, &m, &len));
	return in ? m.in : m.out;
}

/* Drops packets of a call that moves more than there is time for. */
static void stops(struct blocked *b, int attach)
{
	bool in = attach == BPF_CGROUP_INET_INGRESS, more;
	double end = now() + 8;
	uint64_t n;

	while (moved(b->fd, in) < MIB && now() < end)
		usleep(10000);
	TRUE("it moves bytes", moved(b->fd, in) >= MIB && !b->done);
	skb_rule(attach, 0);
	end = now() + 5;
	do {
		/* buffers fill, or become empty */
		n = moved(b->fd, in);
		usleep(150000);
		more = moved(b->fd, in) != n;
	} while (more && now() < end);
	TRUE("it stops", !more);
}

static long call_send_all(struct blocked *b)
{
	void *zeros = mmap(NULL, INT_MAX, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return RC(send(b->fd, zeros, INT_MAX, MSG_NOSIGNAL));
}

static long call_recv_all(struct blocked *b)
{
	return RC(recv(b->fd, NULL, INT_MAX, MSG_TRUNC | MSG_WAITALL));
}

static void case_egress_sending(void)
{
	struct blocked b;

	group_start();
	blocked_begin(&b, peer_connect("sink\n"), call_send_all);
	stops(&b, BPF_CGROUP_INET_EGRESS);
}

static void case_ingress_receiving(void)
{
	struct blocked b;

	group_start();
	blocked_begin(&b, peer_connect("flood\n"), call_recv_all);
	stops(&b, BPF_CGROUP_INET_INGRESS);
}

static long call_accept(struct blocked *b)
{
	return RC(accept(b->fd, NULL, NULL));
}

/*
 * Programs come that let packets pass: a listener of ours becomes the guest's
 * own. Who waits in accept() gets what comes from within, and the frontend holds
 * nothing of it.
 */
static void case_egress_accepting(void)
{
	long before = refs();
	int port = 0, l, fd, conn;
	struct blocked b;
	char got[6];

	group_start();
	l = listen_any(AF_INET, 0, &port);
	blocked_start(&b, l, call_accept);
	skb_rule(BPF_CGROUP_INET_EGRESS, 1);
	EXPECT("nobody has come", 0, poll_now(l, POLLIN, 0));
	fd = tcp4();
	MUST("connect", 0, dial(fd, at(LOCAL, port)));
	conn = GET("accept", blocked_end(&b, "accept"));
	refs_back(before);
	MUST("send", 6, send(fd, "hello", 6, 0));
	EXPECT("recv", 6, recv(conn, got, 6, MSG_WAITALL));
}

/* ---- programs that go again ---- */

/* How often has a thread of this process gone to sleep? */
static long sleeps(pid_t tid)
{
	char path[64], line[100];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "voluntary_ctxt_switches: %ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* A socket that nothing filters; it gives orders to pvdgecho. */
static int caller(void)
{
	struct sockaddr_in a = echo_addr();
	int fd = udp4();

	MUST("connect", 0, connect(fd, (void *)&a, sizeof(a)));
	return fd;
}

static void order_call(int fd, int port)
{
	struct burst order = CALL(port);

	MUST("an order", sizeof(order), send(fd, &order, sizeof(order), 0));
}

static int receiver(int *port)
{
	struct sockaddr_in any = at("0.0.0.0", 0);
	int fd = udp4();

	MUST("bind", 0, bind(fd, (void *)&any, sizeof(any)));
	set_time(fd, SO_RCVTIMEO, 10000);
	*port = port_of(fd);
	return fd;
}

static long call_recv(struct blocked *b)
{
	char got[100];

	return RC(recv(b->fd, got, sizeof(got), 0));
}

/*
 * What comes while there are programs is dropped, even if they let it pass, and
 * what comes afterwards wakes. UDP of Linux's own would hear both.
 */
static void case_ingress_goes(void)
{
	int from = caller(), port, fd;
	struct blocked b;
	double end;
	long n;

	group_start();
	fd = receiver(&port);
	blocked_start(&b, fd, call_recv);
	n = sleeps(b.tid);
	skb_rule(BPF_CGROUP_INET_INGRESS, 1);
	order_call(from, port);
	end = now() + 5;
	while (sleeps(b.tid) == n && now() < end)
		usleep(10000);
	wait_asleep(b.tid);
	TRUE("a datagram is filtered", sleeps(b.tid) > n && !b.done);
	skb_rule_ends(BPF_CGROUP_INET_INGRESS);
	order_call(from, port);
	EXPECT("recv", 4, blocked_end(&b, "recv"));
	TRUE("it was woken", b.took < 9);
	EXPECT("no other one", -EAGAIN,
	       RC(recv(fd, &end, sizeof(end), MSG_DONTWAIT)));
}

/*
 * Not among the checks: the backend goes and comes back while programs filter.
 * They go on SIGUSR1. Then what listens and receives is to come back.
 */
static int reloaded(void)
{
	int from, l, tcp = 0, udp, fd, sig;
	double end;
	sigset_t go;
	long ret;

	sem_check = "reloaded";
	watchdog(CHECK_SECONDS);
	sigemptyset(&go);
	sigaddset(&go, SIGUSR1);
	sigprocmask(SIG_BLOCK, &go, NULL);
	group_start();
	l = listen_any(AF_INET, 0, &tcp);
	set_time(l, SO_RCVTIMEO, 10000);
	fd = receiver(&udp);
	skb_rule(BPF_CGROUP_INET_INGRESS, 1);
	skb_rule(BPF_CGROUP_INET_EGRESS, 1);
	puts("filtered");
	fflush(stdout);
	sigwait(&go, &sig);
	skb_rule_ends(BPF_CGROUP_INET_INGRESS);
	skb_rule_ends(BPF_CGROUP_INET_EGRESS);
	end = now() + 20;
	do {
		usleep(50000);
		ret = peer("dial reloaded %s %d", peer_ip(), tcp);
	} while (ret == -ECONNREFUSED && now() < end);
	EXPECT("somebody listens", 0, ret);
	if (!ret)
		GET("accept", accept(l, NULL, NULL));
	from = caller();
	do {
		order_call(from, udp);
	} while (!(poll_now(fd, POLLIN, 100) & POLLIN) && now() < end);
	EXPECT("somebody receives", POLLIN, poll_now(fd, POLLIN, 0));
	return sem_failures ? 1 : 0;
}

/* ---- a datagram within the guest in the middle of bind() ---- */

#define POST_BIND_ROUNDS	40

static pthread_barrier_t post_bind_line;
static int post_bind_fd;

static void *post_bind_main(void *arg)
{
	struct sockaddr_in a = at(LOCAL, 9);
	int i;

	for (i = 0; i < POST_BIND_ROUNDS; i++) {
		pthread_barrier_wait(&post_bind_line);
		/* once bind() has begun, and before it ends */
		usleep(i % 10 * 100);
		sendto(post_bind_fd, "x", 1, 0, (void *)&a, sizeof(a));
		pthread_barrier_wait(&post_bind_line);
	}
	return arg;
}

/* The programs say no, or bind() has come too late. */
static void case_post_bind4_race(void)
{
	struct sockaddr_in a = at(peer_ip(), 0);
	pthread_t thread;
	int i;

	group_start();
	group_attach(bpf_returns(BPF_PROG_TYPE_CGROUP_SOCK,
				 BPF_CGROUP_INET4_POST_BIND, 0),
		     BPF_CGROUP_INET4_POST_BIND);
	become(NOBODY);
	pthread_barrier_init(&post_bind_line, NULL, 2);
	pthread_create(&thread, NULL, post_bind_main, NULL);
	for (i = 0; i < POST_BIND_ROUNDS; i++) {
		post_bind_fd = udp4();
		pthread_barrier_wait(&post_bind_line);
		TRUE("bind() is refused",
		     bind(post_bind_fd, (void *)&a, sizeof(a)) < 0);
		pthread_barrier_wait(&post_bind_line);
		close(post_bind_fd);
	}
	pthread_join(thread, NULL);
}

/* ---- IPv4 over sockets of IPv6 ---- */

static int udp6(void)
{
	return GET("socket", socket(AF_INET6, SOCK_DGRAM, 0));
}

/* The programs for IPv4's datagrams are asked for each one to a mapped peer. */
static void case_sendmsg4_mapped(void)
{
	struct sockaddr_in6 echo = mapped(peer_ip(), peer_port() + PORT_ECHO);
	int fd;

	group_start();
	fd = udp6();
	MUST("connect", 0, dial6(fd, echo));
	addr_deny(BPF_CGROUP_UDP4_SENDMSG);
	become(NOBODY);
	EXPECT("send", -EPERM, send(fd, "hello", 6, 0));
	EXPECT("sendto", -EPERM, sendto(fd, "hello", 6, 0, (void *)&echo,
					sizeof(echo)));
}

/* IPv4's device counts for mapped addresses. */
static void case_unicast_if_mapped(void)
{
	struct sockaddr_in6 echo = mapped(peer_ip(), peer_port() + PORT_ECHO);
	uint32_t index = htonl(GET("pvdummy", if_nametoindex("pvdummy")));
	int fd = udp6();

	become(NOBODY);
	MUST("IP_UNICAST_IF", 0, setsockopt(fd, SOL_IP, IP_UNICAST_IF, &index,
					    sizeof(index)));
	sendto(fd, "hello", 6, 0, (void *)&echo, sizeof(echo));
	EXPECT("an answer", 0, poll_now(fd, POLLIN, 500) & POLLIN);
}

#endif /* POLICYIO_H */
