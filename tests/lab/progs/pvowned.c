// SPDX-License-Identifier: GPL-2.0
/*
 * Attacks on the frontend by programs of an ordinary user: other parts of the
 * kernel put their own tables or data on a socket of ours; a socket is made
 * where none may be; two calls race for what a socket becomes.
 *
 * Each check also passes over TCP. Modules l2tp_ppp, gtp, tls must be loaded.
 */
#define _GNU_SOURCE
#include "attack.h"
#include "netlink.h"
#include "ports.h"

/* after the C library's own names for addresses */
#include <linux/if_link.h>
#include <linux/if_pppox.h>
#include <linux/rtnetlink.h>
#include <linux/tls.h>

#define IPPROTO_PVCALLS	257
#define UDP_ROUNDS	200
#define TCP_ROUNDS	500

#ifndef SOL_TLS
#define SOL_TLS		282
#endif

/* ---- IPV6_ADDRFORM gives a socket the operations of IPv4 ---- */

static long addrform(int fd)
{
	return set_int(fd, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET);
}

static void addrform_udp(void)
{
	struct sockaddr_in6 echo = mapped(peer_ip(), peer_port() + PORT_ECHO);
	struct sockaddr_in6 self = mapped(LOCAL, 9);
	const struct burst burst = BURST(30);
	int i, fd;

	become(NOBODY);
	for (i = 0; i < UDP_ROUNDS; i++) {
		fd = GET("socket", socket(AF_INET6, SOCK_DGRAM, 0));
		MUST("sendto", sizeof(burst),
		     sendto(fd, &burst, sizeof(burst), 0, (void *)&echo,
			    sizeof(echo)));
		MUST("connect", 0, connect(fd, (void *)&self, sizeof(self)));
		addrform(fd);
		/* half of them while datagrams come, half before */
		if (i % 2)
			poll_now(fd, POLLIN, 5);
		close(fd);
	}
}

static void case_addrform_udp(void)
{
	long before = refs();

	attack("IPV6_ADDRFORM on UDP with a ring", addrform_udp);
	refs_back(before);
	others_work();
}

static void addrform_tcp(void)
{
	int port = 0, l = listen_local(&port), i, fd, conn;
	struct sockaddr_in6 self = mapped(LOCAL, port);

	become(NOBODY);
	for (i = 0; i < TCP_ROUNDS; i++) {
		fd = GET("socket", socket(AF_INET6, SOCK_STREAM, 0));
		MUST("connect", 0, connect(fd, (void *)&self, sizeof(self)));
		addrform(fd);
		conn = GET("accept", accept(l, NULL, NULL));
		MUST("send", 6, send(fd, "hello", 6, 0));
		MUST("recv", 6, recv(conn, (char [6]){}, 6, MSG_WAITALL));
		close(fd);
		close(conn);
	}
}

static void case_addrform_tcp(void)
{
	long before = refs();

	attack("IPV6_ADDRFORM on TCP in the guest", addrform_tcp);
	refs_back(before);
	others_work();
}

/* The same with sockets whose other end is Dom0 */
static void addrform_remote(void)
{
	struct sockaddr_in6 a = mapped(peer_ip(), peer_port());
	int i, fd;

	become(NOBODY);
	for (i = 0; i < 50; i++) {
		fd = GET("socket", socket(AF_INET6, SOCK_STREAM, 0));
		MUST("connect", 0, connect(fd, (void *)&a, sizeof(a)));
		addrform(fd);
		MUST("the first line", 5, send(fd, "echo\n", 5, 0));
		echoes(fd);
		close(fd);
	}
}

static void case_addrform_remote(void)
{
	long before = refs();

	attack("IPV6_ADDRFORM on TCP to Dom0", addrform_remote);
	refs_back(before);
	others_work();
}

/* ---- sk_user_data is somebody else's ---- */

/* A datagram that makes the socket's ring, if it has none yet */
static void use_udp(int fd)
{
	const struct burst burst = BURST(5);
	struct sockaddr_in a = echo_addr();
	char got[200];

	sendto(fd, &burst, sizeof(burst), MSG_DONTWAIT, (void *)&a, sizeof(a));
	poll_now(fd, POLLIN, 20);
	recv(fd, got, sizeof(got), MSG_DONTWAIT);
}

/* A tunnel for which PPPoX takes @udp: its socket, or -1 */
static int l2tp_take(int udp, int tunnel)
{
	struct sockaddr_pppol2tp a = {
		.sa_family = AF_PPPOX,
		.sa_protocol = PX_PROTO_OL2TP,
	};
	int fd = GET("a socket of PPPoX",
		     socket(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP));

	a.pppol2tp.fd = udp;
	a.pppol2tp.addr = at(LOCAL, 1701);
	a.pppol2tp.s_tunnel = tunnel;
	a.pppol2tp.d_tunnel = tunnel;
	if (!connect(fd, (void *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

/* @used: the socket has a ring before; @first: it is closed first */
static void l2tp_round(int tunnel, bool used, bool first)
{
	int udp = GET("socket", socket(AF_INET, SOCK_DGRAM, 0)), fd;

	if (used)
		use_udp(udp);
	fd = l2tp_take(udp, tunnel);
	use_udp(udp);
	if (first)
		close(udp);
	if (fd >= 0)
		close(fd);
	if (!first) {
		use_udp(udp);
		close(udp);
	}
}

static void l2tp(void)
{
	int i;

	become(NOBODY);
	for (i = 0; i < 40; i++)
		l2tp_round(1000 + i, i & 1, i & 2);
}

static void case_l2tp(void)
{
	long before = refs();

	attack("L2TP takes UDP sockets", l2tp);
	refs_back(before);
	others_work();
}

/* A device of GTP over two sockets of UDP */
static long gtp_take(int fd0, int fd1, const char *name)
{
	struct nl nl = {};
	struct nlattr *info, *data;

	nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
		 &(struct ifinfomsg){}, sizeof(struct ifinfomsg));
	nl_put(&nl, IFLA_IFNAME, name, strlen(name) + 1);
	info = nl_nest(&nl, IFLA_LINKINFO);
	nl_put(&nl, IFLA_INFO_KIND, "gtp", 4);
	data = nl_nest(&nl, IFLA_INFO_DATA);
	nl_put_u32(&nl, IFLA_GTP_FD0, fd0);
	nl_put_u32(&nl, IFLA_GTP_FD1, fd1);
	nl_put_u32(&nl, IFLA_GTP_PDP_HASHSIZE, 16);
	nl_nest_end(&nl, data);
	nl_nest_end(&nl, info);
	return nl_call(&nl, NETLINK_ROUTE);
}

static void gtp(void)
{
	int i, n = 0, fd[16];
	char name[16];
	long ret;

	become(NOBODY);
	for (i = 0; i < 16; i++)
		fd[i] = GET("socket", socket(AF_INET, SOCK_DGRAM, 0));
	for (i = 8; i < 16; i++)
		use_udp(fd[i]);
	own_namespaces(CLONE_NEWNET);
	for (i = 0; i < 16; i += 2) {
		snprintf(name, sizeof(name), "gtp%d", i);
		ret = gtp_take(fd[i], fd[i + 1], name);
		TRUE("the kernel has GTP", ret != -EOPNOTSUPP);
		n += !ret;
		use_udp(fd[i]);
		use_udp(fd[i + 1]);
	}
	for (i = 0; i < 16; i++)
		close(fd[i]);
	printf("GTP has taken %d of 8 pairs\n", n);
}

static void case_gtp(void)
{
	long before = refs();

	attack("GTP takes UDP sockets", gtp);
	refs_back(before);
	others_work();
}

/* ---- where no socket of ours may be ---- */

static void namespace_connect(void)
{
	int type, fd, protocol;

	become(NOBODY);
	own_namespaces(CLONE_NEWNET);
	for (protocol = IPPROTO_PVCALLS; protocol < 260; protocol++) {
		for (type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
			fd = socket(AF_INET, type, protocol);
			if (fd < 0)
				continue;
			TRUE("connect out of a namespace",
			     connect(fd, (void *)&sem_addr,
				     sizeof(sem_addr)) < 0);
			close(fd);
		}
	}
	fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	EXPECT("connect out of a namespace", -ENETUNREACH,
	       connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
}

static void case_namespace_connect(void)
{
	attack("a namespace of one's own", namespace_connect);
}

/* Ports of the outside are not a namespace's own: nobody may listen there. */
static void case_namespace_listen(void)
{
	int protocol, fd, before;

	for (protocol = 0; protocol < 260; protocol += protocol ? 1 : 257) {
		struct sockaddr_in a = at("0.0.0.0", 443);
		pid_t pid;

		before = peer("dial before %s 443", peer_ip());
		MUST("nobody listens in Dom0", -ECONNREFUSED, before);
		pid = fork();
		if (!pid) {
			become(NOBODY);
			own_namespaces(CLONE_NEWNET);
			fd = socket(AF_INET, SOCK_STREAM, protocol);
			if (fd >= 0 && !bind(fd, (void *)&a, sizeof(a)))
				listen(fd, 1);
			EXPECT("dial port 443 of Dom0", -ECONNREFUSED,
			       peer("dial listen %s 443", peer_ip()));
			_exit(sem_failures ? 1 : 0);
		}
		MUST("wait", pid, waitpid(pid, &before, 0));
		EXPECT("port 443 of Dom0", 0, before);
	}
}

/* In the guest's network, rights of a user namespace are worth nothing. */
static void case_low_port(void)
{
	struct sockaddr_in a = at("0.0.0.0", 443);
	int type, protocol, fd;

	become(NOBODY);
	own_namespaces(0);
	for (protocol = 0; protocol < 260; protocol += protocol ? 1 : 257) {
		for (type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
			fd = socket(AF_INET, type, protocol);
			if (fd < 0)
				continue;
			EXPECT("bind to port 443", -EACCES,
			       bind(fd, (void *)&a, sizeof(a)));
			close(fd);
		}
	}
}

/* A socket from before is used by one who is root in a namespace since. */
static void case_low_port_brought(void)
{
	struct sockaddr_in a = at("0.0.0.0", 443);
	int fd[2], i;

	become(NOBODY);
	fd[0] = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	fd[1] = GET("socket", socket(AF_INET, SOCK_DGRAM, 0));
	own_namespaces(CLONE_NEWNET);
	for (i = 0; i < 2; i++)
		EXPECT("bind to port 443", -EACCES,
		       bind(fd[i], (void *)&a, sizeof(a)));
}

/* ---- TCP's upper layer protocols keep copies of a socket's tables ---- */

static long tls_on(int fd)
{
	return RC(setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3));
}

static void tls_keys(int fd, int way)
{
	struct tls12_crypto_info_aes_gcm_128 keys = {
		.info.version = TLS_1_2_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};

	MUST("keys", 0, setsockopt(fd, SOL_TLS, way, &keys, sizeof(keys)));
}

/* What stays in the guest is TCP's own: there it works. */
static void tls_local(int l, int port)
{
	struct sockaddr_in a = at(LOCAL, port);
	int fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0)), conn;
	char got[6];

	/* TCP says ENOTCONN; over Dom0 the place is taken */
	TRUE("TLS on a fresh socket is refused", tls_on(fd) < 0);
	MUST("connect", 0, connect(fd, (void *)&a, sizeof(a)));
	conn = GET("accept", accept(l, NULL, NULL));
	/* the first one's operations are copied for all others */
	MUST("TLS on an accepted socket", 0, tls_on(conn));
	MUST("TLS on a local socket", 0, tls_on(fd));
	tls_keys(fd, TLS_TX);
	tls_keys(conn, TLS_RX);
	MUST("send", 6, send(fd, "hello", 6, 0));
	MUST("recv", 6, recv(conn, got, 6, 0));
	MUST("what was sent", 0, memcmp(got, "hello", 6));
	close(conn);
	close(fd);
}

/* Over Dom0 it works or is refused; without keys nothing else changes. */
static void tls_remote(int l, int port, int i)
{
	int fd = peer_connect("echo\n"), conn;

	tls_on(fd);
	echoes(fd);
	close(fd);
	MUST("dial", 0, peer("dial tls%d %s %d", i, peer_ip(), port));
	conn = GET("accept", accept(l, NULL, NULL));
	tls_on(conn);
	MUST("send", 10, peer("send tls%d 10", i));
	EXPECT("recv", 10, get_bytes(conn, 10, 0));
	close(conn);
	MUST("drain", 0, peer("drain tls%d", i));
	tls_on(l);
}

static void tls(void)
{
	int remote = 0, local = 0, i;
	int l = listen_any(AF_INET, 0, &remote), own = listen_local(&local);

	become(NOBODY);
	for (i = 0; i < 20; i++) {
		tls_remote(l, remote, i);
		tls_local(own, local);
	}
}

static void case_tls(void)
{
	long before = refs();

	attack("TLS in the kernel", tls);
	refs_back(before);
	others_work();
}

/* ---- one call makes a socket local while another connects it ---- */

#define RACE_ROUNDS	3000
#define RACE_BATCH	50

struct racer {
	struct sockaddr_in to;
	pthread_t thread;
};

static pthread_barrier_t race_line;
static int race_fd;

static void *race_main(void *arg)
{
	struct racer *r = arg;
	int i;

	for (i = 0; i < RACE_ROUNDS; i++) {
		pthread_barrier_wait(&race_line);
		connect(race_fd, (void *)&r->to, sizeof(r->to));
		pthread_barrier_wait(&race_line);
	}
	return NULL;
}

/* How many have come to @l; one of ours that comes last says where they end. */
static int race_came(int l, struct sockaddr_in *to)
{
	int fence = GET("socket", socket(AF_INET, SOCK_STREAM, 0)), n, fd;
	struct sockaddr_in name, from;
	socklen_t len;

	MUST("connect", 0, connect(fence, (void *)to, sizeof(*to)));
	len = sizeof(name);
	MUST("getsockname", 0, getsockname(fence, (void *)&name, &len));
	for (n = 0;; n++) {
		len = sizeof(from);
		fd = GET("accept", accept(l, (void *)&from, &len));
		close(fd);
		if (from.sin_port == name.sin_port)
			break;
	}
	close(fence);
	return n;
}

/* Where the socket of this round says that it is: 0, 1, or -1 for nowhere */
static int race_round(const struct racer *r)
{
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	int ret;

	race_fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	pthread_barrier_wait(&race_line);
	pthread_barrier_wait(&race_line);
	ret = getpeername(race_fd, (void *)&name, &len);
	close(race_fd);
	if (ret)
		return -1;
	return name.sin_port == r[1].to.sin_port;
}

static void race(void)
{
	struct sockaddr_in a = at(peer_ip(), 0);
	int l[2], port = 0, i, k, is, said[2] = {};
	struct racer r[2];

	become(NOBODY);
	pthread_barrier_init(&race_line, NULL, 3);
	l[0] = listen_local(&port);
	r[0].to = at(LOCAL, port);
	l[1] = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	MUST("bind", 0, bind(l[1], (void *)&a, sizeof(a)));
	MUST("listen", 0, listen(l[1], 128));
	r[1].to = at(peer_ip(), port_of(l[1]));
	for (k = 0; k < 2; k++)
		pthread_create(&r[k].thread, NULL, race_main, &r[k]);
	for (i = 1; i <= RACE_ROUNDS; i++) {
		is = race_round(r);
		if (is >= 0)
			said[is]++;
		if (i % RACE_BATCH)
			continue;
		for (k = 0; k < 2; k++) {
			EXPECT(k ? "connections through Dom0" :
				   "connections in the guest", said[k],
			       race_came(l[k], &r[k].to));
			said[k] = 0;
		}
	}
	for (k = 0; k < 2; k++)
		pthread_join(r[k].thread, NULL);
}

static void case_race(void)
{
	long before = refs();

	attack("connect() to the guest and to Dom0 at once", race);
	refs_back(before);
	others_work();
}

static const struct check checks[] = {
	{ "addrform_udp", case_addrform_udp },
	{ "addrform_tcp", case_addrform_tcp },
	{ "addrform_remote", case_addrform_remote },
	{ "l2tp", case_l2tp },
	{ "gtp", case_gtp },
	{ "namespace_connect", case_namespace_connect },
	{ "namespace_listen", case_namespace_listen },
	{ "low_port", case_low_port },
	{ "low_port_brought", case_low_port_brought },
	{ "tls", case_tls },
	{ "race", case_race },
	{ "share_user", case_share_user },
	{ "share_race", case_share_race },
	{ "share_datagrams", case_share_datagrams },
	{ "share_sender", case_share_sender },
	{ "listen_taken", case_listen_taken },
	{ "listen_device", case_listen_device },
	{ "connect_within", case_connect_within },
	{ "info_race", case_info_race },
	{ "echo_number", case_echo_number },
	{ "given_port", case_given_port },
	{ "sysctl_passed", case_sysctl_passed },
};

int main(int argc, char **argv)
{
	return checks_main(argc, argv,
			   "What an ordinary user's programs may try.",
			   checks, ARRAY_SIZE(checks));
}
