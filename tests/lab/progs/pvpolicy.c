// SPDX-License-Identifier: GPL-2.0
/*
 * What forbids or changes traffic in Linux does so for sockets of ours, or they
 * are none of ours: programs of BPF at cgroups, devices, marks, keys of TCP,
 * scopes of IPv6. The rules are root's, the sockets an ordinary user's.
 *
 * Each check but ingress_goes also passes over TCP. PV_SCOPE is an address of Dom0 that only one
 * of its links has, fe80::77%NUMBER.
 *
 *   pvpolicy --reloaded 10.0.0.1 7000	the backend goes and comes back
 */
#define _GNU_SOURCE
#include "policyio.h"

#define PORT_ASKED	7777	/* for what programs change: nobody is there */
#define PORT_NAMED	7321
#define PORT_LOW	901

static void case_connect4_deny(void)
{
	group_start();
	addr_deny(BPF_CGROUP_INET4_CONNECT);
	become(NOBODY);
	EXPECT("TCP", -EPERM, dial(tcp4(), sem_addr));
	EXPECT("UDP", -EPERM, dial(udp4(), echo_addr()));
}

static void case_connect6_deny(void)
{
	struct sockaddr_in6 a = mapped(peer_ip(), peer_port());

	group_start();
	addr_deny(BPF_CGROUP_INET6_CONNECT);
	become(NOBODY);
	EXPECT("TCP", -EPERM,
	       dial6(GET("socket", socket(AF_INET6, SOCK_STREAM, 0)), a));
	EXPECT("UDP", -EPERM,
	       dial6(GET("socket", socket(AF_INET6, SOCK_DGRAM, 0)), a));
}

/* Where a connection goes is what the program of BPF says. */
static void case_connect4_change(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd;

	group_start();
	addr_change(BPF_CGROUP_INET4_CONNECT, peer_ip(), peer_port());
	become(NOBODY);
	fd = tcp4();
	MUST("connect", 0, dial(fd, at(peer_ip(), PORT_ASKED)));
	MUST("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("the peer's port", peer_port(), ntohs(a.sin_port));
	MUST("the first line", 5, send(fd, "echo\n", 5, 0));
	echoes(fd);
}

/* An address in the guest becomes one of Dom0, and the other way round. */
static void case_connect4_turn(void)
{
	int port = 0, l = listen_local(&port), fd;

	group_start();
	addr_change(BPF_CGROUP_INET4_CONNECT, LOCAL, port);
	become(NOBODY);
	fd = tcp4();
	MUST("connect to Dom0", 0, dial(fd, at(peer_ip(), PORT_ASKED)));
	TRUE("it comes to the guest", poll_now(l, POLLIN, 1000) & POLLIN);
}

static void case_connect4_turn_out(void)
{
	int fd;

	group_start();
	addr_change(BPF_CGROUP_INET4_CONNECT, peer_ip(), peer_port());
	become(NOBODY);
	fd = tcp4();
	MUST("connect to the guest", 0, dial(fd, at("127.0.0.9", PORT_ASKED)));
	MUST("the first line", 5, send(fd, "echo\n", 5, 0));
	echoes(fd);
}

static void case_connect4_errno(void)
{
	group_start();
	addr_error(BPF_CGROUP_INET4_CONNECT, EXDEV);
	become(NOBODY);
	EXPECT("TCP", -EXDEV, dial(tcp4(), sem_addr));
	EXPECT("TCP within the guest", -EXDEV, dial(tcp4(), at(LOCAL, 9)));
	EXPECT("UDP", -EXDEV, dial(udp4(), echo_addr()));
}

/* A program runs once for a call, wherever the call leads. */
static void case_connect4_once(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int port = 0, l = listen_local(&port), fd;

	group_start();
	addr_next_port(BPF_CGROUP_INET4_CONNECT);
	become(NOBODY);
	fd = tcp4();
	MUST("connect", 0, dial(fd, at(peer_ip(), peer_port() - 1)));
	MUST("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("the peer's port", peer_port(), ntohs(a.sin_port));
	fd = tcp4();
	MUST("connect within the guest", 0, dial(fd, at(LOCAL, port - 1)));
	TRUE("it comes", poll_now(l, POLLIN, 1000) & POLLIN);
	fd = tcp4();
	TRUE("without waiting", stands(fd, at(LOCAL, port - 1)));
	EXPECT("it has connected", 0, dial(fd, at(LOCAL, port - 1)));
	EXPECT("once more", -EISCONN, dial(fd, at(LOCAL, port - 1)));
	fd = udp4();
	MUST("UDP", 0, dial(fd, at(LOCAL, 4711)));
	MUST("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("the peer's port of UDP", 4712, ntohs(a.sin_port));
	fd = udp4();
	MUST("UDP to Dom0", 0, dial(fd, at(peer_ip(), 4711)));
	MUST("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("its port", 4712, ntohs(a.sin_port));
}

static void case_connect6_change(void)
{
	struct sockaddr_in6 to = mapped(peer_ip(), peer_port());
	struct sockaddr_in6 asked = mapped(peer_ip(), PORT_ASKED);
	int fd;

	group_start();
	addr_change6(BPF_CGROUP_INET6_CONNECT, &to);
	become(NOBODY);
	fd = GET("socket", socket(AF_INET6, SOCK_STREAM, 0));
	MUST("connect", 0, dial6(fd, asked));
	MUST("the first line", 5, send(fd, "echo\n", 5, 0));
	echoes(fd);
}

static void case_bind4_deny(void)
{
	struct sockaddr_in a = at("0.0.0.0", 0);

	group_start();
	addr_deny(BPF_CGROUP_INET4_BIND);
	become(NOBODY);
	EXPECT("TCP", -EPERM, bind(tcp4(), (void *)&a, sizeof(a)));
	EXPECT("UDP", -EPERM, bind(udp4(), (void *)&a, sizeof(a)));
}

static void case_bind6_deny(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	int fd;

	group_start();
	addr_deny(BPF_CGROUP_INET6_BIND);
	become(NOBODY);
	fd = GET("socket", socket(AF_INET6, SOCK_STREAM, 0));
	EXPECT("TCP", -EPERM, bind(fd, (void *)&a, sizeof(a)));
}

static void case_bind4_change(void)
{
	struct sockaddr_in a = at("0.0.0.0", 0);
	int fd;

	group_start();
	addr_change(BPF_CGROUP_INET4_BIND, "0.0.0.0", PORT_NAMED);
	become(NOBODY);
	fd = tcp4();
	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	EXPECT("the port", PORT_NAMED, port_of(fd));
	MUST("listen", 0, listen(fd, 1));
	EXPECT("Dom0 reaches it", 0,
	       peer("dial bind %s %d", peer_ip(), PORT_NAMED));
}

static void low_port_refused(void)
{
	struct sockaddr_in a = at("0.0.0.0", PORT_LOW);

	become(NOBODY);
	EXPECT("TCP", -EACCES, bind(tcp4(), (void *)&a, sizeof(a)));
}

/* A program may give the right to a low port. */
static void case_bind4_low(void)
{
	struct sockaddr_in a = at("0.0.0.0", PORT_LOW);

	attack("a low port without the right", low_port_refused);
	group_start();
	group_attach(bpf_returns(BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
				 BPF_CGROUP_INET4_BIND, 3),
		     BPF_CGROUP_INET4_BIND);
	become(NOBODY);
	EXPECT("TCP", 0, bind(tcp4(), (void *)&a, sizeof(a)));
	EXPECT("UDP", 0, bind(udp4(), (void *)&a, sizeof(a)));
}

/* A program runs once where a socket is bound in Dom0 and in the guest. */
static void case_bind4_once(void)
{
	struct sockaddr_in a = at("0.0.0.0", PORT_NAMED - 1);
	int fd, udp;

	group_start();
	addr_next_port(BPF_CGROUP_INET4_BIND);
	become(NOBODY);
	fd = tcp4();
	udp = udp4();
	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	EXPECT("the port", PORT_NAMED, port_of(fd));
	MUST("bind UDP", 0, bind(udp, (void *)&a, sizeof(a)));
	EXPECT("its port", PORT_NAMED, port_of(udp));
}

/* A program that sees what bind() has given says no. */
static void post_bind4(struct sockaddr_in a)
{
	group_start();
	group_attach(bpf_returns(BPF_PROG_TYPE_CGROUP_SOCK,
				 BPF_CGROUP_INET4_POST_BIND, 0),
		     BPF_CGROUP_INET4_POST_BIND);
	become(NOBODY);
	EXPECT("TCP", -EPERM, bind(tcp4(), (void *)&a, sizeof(a)));
	EXPECT("UDP", -EPERM, bind(udp4(), (void *)&a, sizeof(a)));
}

static void case_post_bind4(void)
{
	post_bind4(at("0.0.0.0", 0));
}

/* The address is one that only Dom0 has, so only Dom0 knows the port. */
static void case_post_bind4_remote(void)
{
	post_bind4(at(peer_ip(), 0));
}

static long say(int fd, struct sockaddr_in a)
{
	return RC(sendto(fd, "hello", 6, 0, (void *)&a, sizeof(a)));
}

static void case_sendmsg4_deny(void)
{
	group_start();
	addr_deny(BPF_CGROUP_UDP4_SENDMSG);
	become(NOBODY);
	EXPECT("sendto", -EPERM, say(udp4(), echo_addr()));
}

static void case_sendmsg6_deny(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = 9 };
	int fd;

	inet_pton(AF_INET6, "fd00::1", &a.sin6_addr);
	group_start();
	addr_deny(BPF_CGROUP_UDP6_SENDMSG);
	become(NOBODY);
	fd = GET("socket", socket(AF_INET6, SOCK_DGRAM, 0));
	EXPECT("sendto", -EPERM,
	       sendto(fd, "hello", 6, 0, (void *)&a, sizeof(a)));
}

static void case_sendmsg4_change(void)
{
	int fd, port = peer_port() + PORT_ECHO;
	char got[6];

	group_start();
	addr_change(BPF_CGROUP_UDP4_SENDMSG, peer_ip(), port);
	become(NOBODY);
	fd = udp4();
	MUST("sendto", 6, say(fd, at(peer_ip(), PORT_ASKED)));
	TRUE("the echo", poll_now(fd, POLLIN, 5000) & POLLIN);
	EXPECT("recv", 6, recv(fd, got, 6, MSG_DONTWAIT));
}

/* Who may make no sockets may accept connections. */
static void case_accept_create(void)
{
	int port = 0, l = listen_any(AF_INET, 0, &port), fd;

	peer("hello");
	group_start();
	group_attach(bpf_returns(BPF_PROG_TYPE_CGROUP_SOCK,
				 BPF_CGROUP_INET_SOCK_CREATE, 0),
		     BPF_CGROUP_INET_SOCK_CREATE);
	become(NOBODY);
	EXPECT("socket", -EPERM, socket(AF_INET, SOCK_STREAM, 0));
	EXPECT("dial", 0, peer("dial create %s %d", peer_ip(), port));
	TRUE("a connection", poll_now(l, POLLIN, 5000) & POLLIN);
	fd = GET("accept", accept(l, NULL, NULL));
	close(fd);
}

/* What recvmsg(), getsockname() and getpeername() tell */
static void case_names_change(void)
{
	struct sockaddr_in a = {};
	socklen_t len = sizeof(a);
	int fd, udp;
	char got[6];

	group_start();
	addr_change(BPF_CGROUP_UDP4_RECVMSG, "1.2.3.4", 5);
	addr_change(BPF_CGROUP_INET4_GETSOCKNAME, "2.3.4.5", 6);
	addr_change(BPF_CGROUP_INET4_GETPEERNAME, "3.4.5.6", 7);
	become(NOBODY);
	udp = udp4();
	MUST("sendto", 6, say(udp, echo_addr()));
	TRUE("the echo", poll_now(udp, POLLIN, 5000) & POLLIN);
	MUST("recvfrom", 6,
	     recvfrom(udp, got, 6, MSG_DONTWAIT, (void *)&a, &len));
	EXPECT("who sent it", inet_addr("1.2.3.4"), a.sin_addr.s_addr);
	EXPECT("its port", 5, ntohs(a.sin_port));
	fd = tcp4();
	MUST("connect", 0, dial(fd, sem_addr));
	len = sizeof(a);
	MUST("getsockname", 0, getsockname(fd, (void *)&a, &len));
	EXPECT("getsockname", inet_addr("2.3.4.5"), a.sin_addr.s_addr);
	len = sizeof(a);
	MUST("getpeername", 0, getpeername(fd, (void *)&a, &len));
	EXPECT("getpeername", inet_addr("3.4.5.6"), a.sin_addr.s_addr);
}

/* ---- programs that see packets ---- */

static void skb_drop(int attach)
{
	skb_rule(attach, 0);
}

static void case_egress(void)
{
	group_start();
	skb_drop(BPF_CGROUP_INET_EGRESS);
	become(NOBODY);
	TRUE("no connection", !stands(tcp4(), sem_addr));
}

static void case_ingress(void)
{
	group_start();
	skb_drop(BPF_CGROUP_INET_INGRESS);
	become(NOBODY);
	TRUE("no connection", !stands(tcp4(), sem_addr));
}

/* The program is there after the socket, but before the connection. */
static void case_egress_before_connect(void)
{
	int fd;

	group_start();
	fd = tcp4();
	skb_drop(BPF_CGROUP_INET_EGRESS);
	become(NOBODY);
	TRUE("no connection", !stands(fd, sem_addr));
}

/* The program is there after the connection. */
static void case_egress_after_connect(void)
{
	int fd;

	group_start();
	fd = peer_connect("echo\n");
	echoes(fd);
	skb_drop(BPF_CGROUP_INET_EGRESS);
	become(NOBODY);
	send(fd, "hello", 6, MSG_NOSIGNAL);
	EXPECT("an echo", 0, poll_now(fd, POLLIN, 700) & POLLIN);
}

static void case_egress_udp(void)
{
	int fd, two, i;
	char got[6];

	group_start();
	fd = udp4();
	/* one with a ring, one without */
	MUST("sendto", 6, say(fd, echo_addr()));
	TRUE("the echo", poll_now(fd, POLLIN, 5000) & POLLIN);
	MUST("recv", 6, recv(fd, got, 6, MSG_DONTWAIT));
	skb_drop(BPF_CGROUP_INET_EGRESS);
	become(NOBODY);
	two = udp4();
	for (i = 0; i < 3; i++) {
		say(fd, echo_addr());
		say(two, echo_addr());
	}
	EXPECT("an answer", 0, poll_now(fd, POLLIN, 700) & POLLIN);
	EXPECT("an answer", 0, poll_now(two, POLLIN, 700) & POLLIN);
}

/* Nobody gets through to a listener whose cgroup drops what comes. */
static void case_ingress_listen(void)
{
	int port = 0, l;

	/* orders to pvpeer go over a socket of another cgroup */
	peer("hello");
	group_start();
	l = listen_any(AF_INET, 0, &port);
	skb_drop(BPF_CGROUP_INET_INGRESS);
	become(NOBODY);
	peer("dial ingress %s %d", peer_ip(), port);
	EXPECT("a connection", 0, poll_now(l, POLLIN, 500) & POLLIN);
}

/* ---- devices, keys, scopes ---- */

static void case_device(void)
{
	int fd = tcp4(), udp = udp4();

	become(NOBODY);
	MUST("to a device", 0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
					  "pvdummy", 8));
	MUST("to a device", 0, setsockopt(udp, SOL_SOCKET, SO_BINDTODEVICE,
					  "pvdummy", 8));
	TRUE("no connection over another one", !stands(fd, sem_addr));
	say(udp, echo_addr());
	EXPECT("an answer", 0, poll_now(udp, POLLIN, 700) & POLLIN);
}

/* The same when the socket has a ring already */
static void case_device_late(void)
{
	int udp = udp4();
	char got[6];

	become(NOBODY);
	MUST("sendto", 6, say(udp, echo_addr()));
	TRUE("the echo", poll_now(udp, POLLIN, 5000) & POLLIN);
	MUST("recv", 6, recv(udp, got, 6, MSG_DONTWAIT));
	MUST("to a device", 0, setsockopt(udp, SOL_SOCKET, SO_BINDTODEVICE,
					  "pvdummy", 8));
	say(udp, echo_addr());
	EXPECT("an answer", 0, poll_now(udp, POLLIN, 700) & POLLIN);
}

/* Datagrams that have to leave by a device */
static void case_unicast_if(void)
{
	int index = GET("pvdummy", if_nametoindex("pvdummy"));
	uint32_t value = htonl(index);
	struct in_pktinfo info = { .ipi_ifindex = index };
	struct sockaddr_in a = echo_addr();
	char control[CMSG_SPACE(sizeof(info))] = {};
	struct iovec iov = { "hello", 6 };
	struct msghdr msg = {
		.msg_name = &a, .msg_namelen = sizeof(a),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int udp = udp4();

	become(NOBODY);
	cmsg->cmsg_level = SOL_IP;
	cmsg->cmsg_type = IP_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	sendmsg(udp, &msg, 0);
	EXPECT("an answer", 0, poll_now(udp, POLLIN, 700) & POLLIN);
	/* the loopback stands for what is outside */
	info.ipi_ifindex = 1;
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	EXPECT("with the loopback's number", 6, sendmsg(udp, &msg, 0));
	MUST("IP_UNICAST_IF", 0, setsockopt(udp, SOL_IP, IP_UNICAST_IF, &value,
					    sizeof(value)));
	TRUE("the answer to that", poll_now(udp, POLLIN, 5000) & POLLIN);
	recv(udp, control, 6, MSG_DONTWAIT);
	say(udp, a);
	EXPECT("an answer", 0, poll_now(udp, POLLIN, 700) & POLLIN);
}

static long md5_key(int fd, struct sockaddr_in a)
{
	struct tcp_md5sig key = { .tcpm_keylen = 6, .tcpm_key = "secret" };

	memcpy(&key.tcpm_addr, &a, sizeof(a));
	return RC(setsockopt(fd, SOL_TCP, TCP_MD5SIG, &key, sizeof(key)));
}

/* Who asks for signatures gets no connection without. */
static void case_md5(void)
{
	int fd = tcp4(), port = 0, l = listen_any(AF_INET, 0, &port);

	become(NOBODY);
	if (!md5_key(fd, sem_addr))
		TRUE("no connection without signatures", !stands(fd, sem_addr));
	if (md5_key(l, sem_addr))
		return;
	peer("dial md5 %s %d", peer_ip(), port);
	EXPECT("a connection without signatures", 0,
	       poll_now(l, POLLIN, 500) & POLLIN);
}

/* Numbers of links are the guest's: none of Dom0's is meant. */
static void case_scope(void)
{
	const char *text = getenv("PV_SCOPE"), *number;
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	char ip[INET6_ADDRSTRLEN] = "";
	int port, fd;

	if (!text || !(number = strchr(text, '%')))
		return;
	memcpy(ip, text, number - text);
	MUST("PV_SCOPE", 1, inet_pton(AF_INET6, ip, &a.sin6_addr));
	a.sin6_scope_id = atoi(number + 1);
	port = GET("listen", peer("listen scope :: 0"));
	a.sin6_port = htons(port);
	become(NOBODY);
	fd = GET("socket", socket(AF_INET6, SOCK_STREAM, 0));
	TRUE("no connection to a link of Dom0", dial6(fd, a) < 0);
	a.sin6_port = 0;
	fd = GET("socket", socket(AF_INET6, SOCK_STREAM, 0));
	TRUE("no address of a link of Dom0",
	     bind(fd, (void *)&a, sizeof(a)) < 0);
	fd = GET("socket", socket(AF_INET6, SOCK_DGRAM, 0));
	a.sin6_port = htons(port);
	TRUE("no datagram to a link of Dom0",
	     sendto(fd, "hello", 6, 0, (void *)&a, sizeof(a)) < 0);
}

static const struct check checks[] = {
	{ "connect4_deny", case_connect4_deny },
	{ "connect6_deny", case_connect6_deny },
	{ "connect4_change", case_connect4_change },
	{ "connect4_turn", case_connect4_turn },
	{ "connect4_turn_out", case_connect4_turn_out },
	{ "connect4_errno", case_connect4_errno },
	{ "connect4_once", case_connect4_once },
	{ "connect6_change", case_connect6_change },
	{ "bind4_deny", case_bind4_deny },
	{ "bind6_deny", case_bind6_deny },
	{ "bind4_change", case_bind4_change },
	{ "bind4_low", case_bind4_low },
	{ "bind4_once", case_bind4_once },
	{ "post_bind4", case_post_bind4 },
	{ "post_bind4_remote", case_post_bind4_remote },
	{ "accept_create", case_accept_create },
	{ "sendmsg4_deny", case_sendmsg4_deny },
	{ "sendmsg6_deny", case_sendmsg6_deny },
	{ "sendmsg4_change", case_sendmsg4_change },
	{ "names_change", case_names_change },
	{ "egress", case_egress },
	{ "ingress", case_ingress },
	{ "egress_before_connect", case_egress_before_connect },
	{ "egress_after_connect", case_egress_after_connect },
	{ "egress_udp", case_egress_udp },
	{ "ingress_listen", case_ingress_listen },
	{ "device", case_device },
	{ "device_late", case_device_late },
	{ "unicast_if", case_unicast_if },
	{ "md5", case_md5 },
	{ "scope", case_scope },
	{ "egress_sending", case_egress_sending },
	{ "ingress_receiving", case_ingress_receiving },
	{ "egress_accepting", case_egress_accepting },
	{ "ingress_goes", case_ingress_goes },
	{ "post_bind4_race", case_post_bind4_race },
	{ "sendmsg4_mapped", case_sendmsg4_mapped },
	{ "unicast_if_mapped", case_unicast_if_mapped },
};

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--reloaded")) {
		sem_addr.sin_family = AF_INET;
		sem_addr.sin_port = htons(atoi(argv[3]));
		inet_pton(AF_INET, argv[2], &sem_addr.sin_addr);
		return reloaded();
	}
	return checks_main(argc, argv,
			   "What forbids or changes traffic holds for sockets of ours.",
			   checks, ARRAY_SIZE(checks));
}
