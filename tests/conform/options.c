// SPDX-License-Identifier: GPL-2.0
/* setsockopt() and getsockopt() */
#define _GNU_SOURCE
#include "conform.h"
#include <asm/socket.h>

/* Its value is a matter of the route, of the machine or of the moment */
#define VARIES	1
/* Its value is no int */
#define STRUCT	2

struct option {
	const char *name;
	int level, opt, value, how;
};

#define S(name, value, how) { #name, SOL_SOCKET, name, value, how }
#define T(name, value, how) { #name, IPPROTO_TCP, name, value, how }
#define I(name, value, how) { #name, IPPROTO_IP, name, value, how }

static const struct option at_socket[] = {
	S(SO_DEBUG, 1, 0), S(SO_REUSEADDR, 1, 0), S(SO_TYPE, 1, 0),
	S(SO_ERROR, 1, 0), S(SO_DONTROUTE, 1, 0), S(SO_BROADCAST, 1, 0),
	S(SO_SNDBUF, 30000, VARIES), S(SO_RCVBUF, 30000, VARIES),
	S(SO_SNDBUFFORCE, 40000, 0), S(SO_RCVBUFFORCE, 40000, 0),
	S(SO_KEEPALIVE, 1, 0), S(SO_OOBINLINE, 1, 0), S(SO_NO_CHECK, 1, 0),
	S(SO_PRIORITY, 3, 0), S(SO_PRIORITY, 7, 0), S(SO_LINGER, 1, 0),
	S(SO_BSDCOMPAT, 1, 0), S(SO_REUSEPORT, 1, 0), S(SO_PASSCRED, 1, 0),
	S(SO_PEERCRED, 1, STRUCT), S(SO_RCVLOWAT, 5, 0), S(SO_SNDLOWAT, 5, 0),
	S(SO_RCVTIMEO, 5, STRUCT), S(SO_SNDTIMEO, 5, STRUCT),
	S(SO_ATTACH_FILTER, 5, 0), S(SO_DETACH_FILTER, 5, 0),
	S(SO_PEERNAME, 1, STRUCT), S(SO_TIMESTAMP, 1, 0),
	S(SO_ACCEPTCONN, 1, 0), S(SO_PEERSEC, 1, STRUCT), S(SO_PASSSEC, 1, 0),
	S(SO_TIMESTAMPNS, 1, 0), S(SO_MARK, 9, 0), S(SO_PROTOCOL, 6, 0),
	S(SO_DOMAIN, 2, 0), S(SO_RXQ_OVFL, 1, 0), S(SO_WIFI_STATUS, 1, 0),
	S(SO_PEEK_OFF, 3, 0), S(SO_NOFCS, 1, 0), S(SO_LOCK_FILTER, 1, 0),
	S(SO_SELECT_ERR_QUEUE, 1, 0), S(SO_BUSY_POLL, 10, 0),
	S(SO_MAX_PACING_RATE, 1000000, 0), S(SO_BPF_EXTENSIONS, 1, 0),
	S(SO_INCOMING_CPU, 0, VARIES), S(SO_ATTACH_BPF, 5, 0),
	S(SO_ATTACH_REUSEPORT_CBPF, 5, 0), S(SO_CNX_ADVICE, 1, 0),
	S(SO_MEMINFO, 1, STRUCT), S(SO_INCOMING_NAPI_ID, 1, VARIES),
	S(SO_COOKIE, 1, STRUCT), S(SO_PEERGROUPS, 1, 0), S(SO_ZEROCOPY, 1, 0),
	S(SO_TXTIME, 1, STRUCT), S(SO_BINDTOIFINDEX, 0, 0),
	S(SO_TIMESTAMPING, 0, STRUCT), S(SO_PREFER_BUSY_POLL, 1, 0),
	S(SO_BUSY_POLL_BUDGET, 10, 0), S(SO_NETNS_COOKIE, 1, STRUCT),
	S(SO_BUF_LOCK, 1, 0), S(SO_RESERVE_MEM, 0, 0), S(SO_TXREHASH, 1, 0),
	{ "999", SOL_SOCKET, 999, 1, 0 },
};

static const struct option at_tcp[] = {
	T(TCP_NODELAY, 1, 0), T(TCP_MAXSEG, 1000, VARIES), T(TCP_CORK, 1, 0),
	T(TCP_CORK, 0, 0), T(TCP_KEEPIDLE, 66, 0), T(TCP_KEEPINTVL, 6, 0),
	T(TCP_KEEPCNT, 6, 0), T(TCP_SYNCNT, 4, 0), T(TCP_LINGER2, 9, 0),
	T(TCP_DEFER_ACCEPT, 3, 0), T(TCP_WINDOW_CLAMP, 30000, VARIES),
	T(TCP_INFO, 1, STRUCT), T(TCP_QUICKACK, 0, VARIES),
	T(TCP_MD5SIG, 1, 0), T(TCP_THIN_LINEAR_TIMEOUTS, 1, 0),
	T(TCP_THIN_DUPACK, 1, 0), T(TCP_USER_TIMEOUT, 7000, 0),
	T(TCP_FASTOPEN, 5, 0), T(TCP_TIMESTAMP, 100, VARIES),
	T(TCP_NOTSENT_LOWAT, 7777, 0), T(TCP_CC_INFO, 1, STRUCT),
	T(TCP_SAVE_SYN, 1, 0), T(TCP_SAVED_SYN, 1, 0),
	T(TCP_FASTOPEN_CONNECT, 1, 0), T(TCP_FASTOPEN_KEY, 1, STRUCT),
	T(TCP_FASTOPEN_NO_COOKIE, 1, 0), T(TCP_ZEROCOPY_RECEIVE, 1, STRUCT),
	T(TCP_INQ, 1, 0), T(TCP_TX_DELAY, 0, 0), T(TCP_REPAIR, 1, 0),
	T(TCP_REPAIR, 0, 0), T(TCP_REPAIR_QUEUE, 1, 0), T(TCP_QUEUE_SEQ, 1, 0),
	T(TCP_REPAIR_OPTIONS, 1, 0), T(TCP_REPAIR_WINDOW, 1, STRUCT),
	T(TCP_ULP, 1, STRUCT), T(TCP_MD5SIG_EXT, 1, 0),
	{ "999", IPPROTO_TCP, 999, 1, 0 },
};

static const struct option at_ip[] = {
	I(IP_TOS, 16, 0), I(IP_TTL, 77, 0), I(IP_HDRINCL, 1, 0),
	I(IP_OPTIONS, 0, STRUCT), I(IP_ROUTER_ALERT, 0, 0),
	I(IP_RECVOPTS, 1, 0), I(IP_RETOPTS, 1, 0), I(IP_PKTINFO, 1, 0),
	I(IP_MTU_DISCOVER, 1, 0), I(IP_RECVERR, 1, 0), I(IP_RECVTTL, 1, 0),
	I(IP_RECVTOS, 1, 0), I(IP_MTU, 1, VARIES), I(IP_FREEBIND, 1, 0),
	I(IP_PASSSEC, 1, 0), I(IP_TRANSPARENT, 1, 0), I(IP_ORIGDSTADDR, 1, 0),
	I(IP_MINTTL, 1, 0), I(IP_NODEFRAG, 1, 0), I(IP_CHECKSUM, 1, 0),
	I(IP_BIND_ADDRESS_NO_PORT, 1, 0), I(IP_RECVFRAGSIZE, 1, 0),
	I(IP_RECVERR_RFC4884, 1, 0), I(IP_MULTICAST_IF, 0, 0),
	I(IP_MULTICAST_TTL, 1, 0), I(IP_MULTICAST_LOOP, 1, 0),
	I(IP_ADD_MEMBERSHIP, 1, 0), I(IP_UNICAST_IF, 0, 0),
	I(IP_MULTICAST_ALL, 1, 0), I(IP_PKTOPTIONS, 0, STRUCT),
	{ "999", IPPROTO_IP, 999, 1, 0 },
};

static const struct option at_ipv6[] = {
#define X(name, value, how) { #name, IPPROTO_IPV6, name, value, how }
	X(IPV6_ADDRFORM, AF_INET, 0), X(IPV6_CHECKSUM, 2, 0),
	X(IPV6_UNICAST_HOPS, 44, 0), X(IPV6_MULTICAST_IF, 0, 0),
	X(IPV6_MULTICAST_HOPS, 4, 0), X(IPV6_MULTICAST_LOOP, 1, 0),
	X(IPV6_ROUTER_ALERT, 0, 0), X(IPV6_MTU_DISCOVER, 1, 0),
	X(IPV6_MTU, 1400, VARIES), X(IPV6_RECVERR, 1, 0),
	X(IPV6_V6ONLY, 1, 0), X(IPV6_V6ONLY, 0, 0), X(IPV6_RECVPKTINFO, 1, 0),
	X(IPV6_RECVHOPLIMIT, 1, 0), X(IPV6_RECVHOPOPTS, 1, 0),
	X(IPV6_RECVRTHDR, 1, 0), X(IPV6_RECVDSTOPTS, 1, 0),
	X(IPV6_RECVTCLASS, 1, 0), X(IPV6_TCLASS, 16, 0),
	X(IPV6_DONTFRAG, 1, 0), X(IPV6_AUTOFLOWLABEL, 1, 0),
	X(IPV6_TRANSPARENT, 1, 0), X(IPV6_FREEBIND, 1, 0),
	X(IPV6_RECVORIGDSTADDR, 1, 0), X(IPV6_MINHOPCOUNT, 1, 0),
	X(IPV6_ADDR_PREFERENCES, 1, VARIES), X(IPV6_UNICAST_IF, 0, 0),
	X(IPV6_MULTICAST_ALL, 1, 0), X(IPV6_RECVFRAGSIZE, 1, 0),
	{ "999", IPPROTO_IPV6, 999, 1, 0 },
	I(IP_TOS, 16, 0), I(IP_TTL, 77, 0),
#undef X
};

static void show_get(int fd, const struct option *o)
{
	char label[60];
	int v[32] = {};
	socklen_t len = o->how == STRUCT ? sizeof(v) : sizeof(int);
	long ret;

	snprintf(label, sizeof(label), "getsockopt %s", o->name);
	step(label);
	ret = RC(getsockopt(fd, o->level, o->opt, v, &len));
	if (ret)
		said(label, ret);
	else if (o->how == VARIES)
		say(label, "length %u", len);
	else if (o->how == STRUCT)
		say(label, "a structure");
	else
		say(label, "%d length %u", v[0], len);
}

static void show_set(int fd, const struct option *o)
{
	char label[60];

	snprintf(label, sizeof(label), "setsockopt %s", o->name);
	R(label, set_int(fd, o->level, o->opt, o->value));
}

static void get_and_set(int fd, const struct option *o, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		show_get(fd, &o[i]);
		show_set(fd, &o[i]);
		show_get(fd, &o[i]);
	}
}

static void still_works(int fd)
{
	/* as deep in the queue as programs may have asked for */
	R("send", send_bytes(fd, 100, 0));
	R("peer", peer("drop c 100"));
	peer("send c 100");
	R("recv", recv_bytes(fd, 100, 0));
}

/* On a new socket, which then is connected, and on a connected one */
#define BOTH(group, table)						\
static void group##_new(void)						\
{									\
	int fd = sock4();						\
									\
	get_and_set(fd, table, ARRAY_SIZE(table));			\
	close(fd);							\
}									\
									\
static void group##_connected(void)					\
{									\
	int fd = peer_conn("c");					\
									\
	get_and_set(fd, table, ARRAY_SIZE(table));			\
	still_works(fd);						\
}									\
									\
static void group##_listening(void)					\
{									\
	int port, fd = listener(AF_INET, 0, &port);			\
									\
	get_and_set(fd, table, ARRAY_SIZE(table));			\
}

BOTH(socket, at_socket)
BOTH(tcp, at_tcp)
BOTH(ip, at_ip)

static void ipv6_new(void)
{
	get_and_set(socket(AF_INET6, SOCK_STREAM, 0), at_ipv6,
		    ARRAY_SIZE(at_ipv6));
	get_and_set(sock4(), at_ipv6, 3);
}

static void ipv6_connected(void)
{
	int fd = peer_conn6("c");

	/* but for what changes the family */
	get_and_set(fd, at_ipv6 + 1, ARRAY_SIZE(at_ipv6) - 1);
	still_works(fd);
}

static void set_before_connect(void)
{
	static const struct option some[] = {
		S(SO_REUSEADDR, 1, 0), S(SO_KEEPALIVE, 1, 0),
		S(SO_OOBINLINE, 1, 0), S(SO_PRIORITY, 3, 0),
		S(SO_RCVLOWAT, 2, 0), S(SO_SNDBUF, 30000, 0),
		S(SO_RCVBUF, 30000, 0), T(TCP_NODELAY, 1, 0),
		T(TCP_CORK, 1, 0), T(TCP_KEEPIDLE, 66, 0),
		T(TCP_KEEPINTVL, 6, 0), T(TCP_KEEPCNT, 6, 0),
		T(TCP_SYNCNT, 4, 0), T(TCP_LINGER2, 9, 0),
		T(TCP_USER_TIMEOUT, 7000, 0), T(TCP_NOTSENT_LOWAT, 7777, 0),
		I(IP_TOS, 16, 0), I(IP_TTL, 77, 0), I(IP_FREEBIND, 1, 0),
		I(IP_MTU_DISCOVER, 1, 0), I(IP_RECVERR, 1, 0),
	};
	int fd = sock4();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(some); i++)
		show_set(fd, &some[i]);
	R("connect", conn4(fd));
	peer_hold(fd, "c");
	for (i = 0; i < ARRAY_SIZE(some); i++)
		show_get(fd, &some[i]);
	set_int(fd, IPPROTO_TCP, TCP_CORK, 0);
	set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 1);
	still_works(fd);
}

static const struct {
	const char *name;
	int level, opt, len;
} sized[] = {
	{ "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 4 },
	{ "SO_LINGER", SOL_SOCKET, SO_LINGER, 8 },
	{ "SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, 16 },
	{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 4 },
	{ "SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, 16 },
	{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 4 },
	{ "TCP_CORK", IPPROTO_TCP, TCP_CORK, 4 },
	{ "TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, 16 },
	{ "TCP_INFO", IPPROTO_TCP, TCP_INFO, 104 },
	{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 4 },
	{ "TCP_ULP", IPPROTO_TCP, TCP_ULP, 16 },
	{ "IP_TOS", IPPROTO_IP, IP_TOS, 4 },
	{ "IP_TTL", IPPROTO_IP, IP_TTL, 4 },
	{ "IP_RECVERR", IPPROTO_IP, IP_RECVERR, 4 },
	{ "IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, 4 },
	{ "level 99", 99, 1, 4 },
};

static void sizes_on(int fd)
{
	static const int lens[] = { 0, 1, 2, 3, 5, 200, -1 };
	char room[256], label[72];
	unsigned int i, k;
	socklen_t len;

	for (i = 0; i < ARRAY_SIZE(sized); i++) {
		for (k = 0; k < ARRAY_SIZE(lens); k++) {
			memset(room, 0, sizeof(room));
			snprintf(label, sizeof(label), "setsockopt %s size %d",
				 sized[i].name, lens[k]);
			R(label, setsockopt(fd, sized[i].level, sized[i].opt,
					    room, lens[k]));
			snprintf(label, sizeof(label), "getsockopt %s size %d",
				 sized[i].name, lens[k]);
			len = lens[k];
			R(label, getsockopt(fd, sized[i].level, sized[i].opt,
					    room, &len));
			R("its length", len);
		}
		snprintf(label, sizeof(label), "setsockopt %s null",
			 sized[i].name);
		R(label, setsockopt(fd, sized[i].level, sized[i].opt, NULL,
				    sized[i].len));
		snprintf(label, sizeof(label), "setsockopt %s bad pointer",
			 sized[i].name);
		R(label, setsockopt(fd, sized[i].level, sized[i].opt, (void *)1,
				    sized[i].len));
		snprintf(label, sizeof(label), "getsockopt %s bad pointer",
			 sized[i].name);
		len = sized[i].len;
		R(label, getsockopt(fd, sized[i].level, sized[i].opt, (void *)1,
				    &len));
		snprintf(label, sizeof(label), "getsockopt %s bad length",
			 sized[i].name);
		R(label, getsockopt(fd, sized[i].level, sized[i].opt, room,
				    (void *)1));
	}
}

static void sizes_new(void)
{
	sizes_on(sock4());
}

static void sizes_connected(void)
{
	int fd = peer_conn("c");

	sizes_on(fd);
	still_works(fd);
}

static void ranges(void)
{
	static const struct option out[] = {
		T(TCP_KEEPIDLE, 0, 0), T(TCP_KEEPIDLE, 40000, 0),
		T(TCP_KEEPINTVL, 0, 0), T(TCP_KEEPINTVL, 40000, 0),
		T(TCP_KEEPCNT, 0, 0), T(TCP_KEEPCNT, 200, 0),
		T(TCP_SYNCNT, 0, 0), T(TCP_SYNCNT, 200, 0),
		T(TCP_USER_TIMEOUT, -1, 0), T(TCP_LINGER2, -1, 0),
		T(TCP_LINGER2, 1000, 0), T(TCP_MAXSEG, 1, 0),
		T(TCP_WINDOW_CLAMP, 0, 0), T(TCP_NODELAY, 55, 0),
		T(TCP_NODELAY, -1, 0), T(TCP_QUICKACK, 3, VARIES),
		T(TCP_INQ, 2, 0), T(TCP_SAVE_SYN, 3, 0),
		I(IP_TTL, 0, 0), I(IP_TTL, 256, 0), I(IP_TTL, -1, 0),
		I(IP_TOS, 256, 0), I(IP_TOS, -1, 0), I(IP_MTU_DISCOVER, 9, 0),
		I(IP_MINTTL, 256, 0), S(SO_PRIORITY, -1, 0),
		S(SO_RCVBUF, 0, 0), S(SO_RCVBUF, -1, 0), S(SO_SNDBUF, 0, 0),
		S(SO_SNDBUF, 0x7fffffff, 0), S(SO_BUSY_POLL, -1, 0),
		S(SO_KEEPALIVE, -5, 0), S(SO_REUSEADDR, 77, 0),
		S(SO_ZEROCOPY, 2, 0), S(SO_PEEK_OFF, -1, 0),
		S(SO_BINDTOIFINDEX, -1, 0), S(SO_BUF_LOCK, 99, 0),
		S(SO_RESERVE_MEM, -1, 0),
	};
	int fd = sock4();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(out); i++) {
		show_set(fd, &out[i]);
		show_get(fd, &out[i]);
	}
}

static void info(void)
{
	struct tcp_info info = {};
	struct sockaddr_in a;
	socklen_t len = sizeof(info);
	int fd = sock4(), port, l = listener(AF_INET, 0, &port);
	char c;

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	R("getsockopt TCP_INFO state new", info.tcpi_state);
	getsockopt(l, IPPROTO_TCP, TCP_INFO, &info, &len);
	R("getsockopt TCP_INFO state listening", info.tcpi_state);
	fd = peer_conn("c");
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	R("getsockopt TCP_INFO state connected", info.tcpi_state);
	R("TCP_INFO mss is known", info.tcpi_snd_mss > 0 &&
	  info.tcpi_rcv_mss > 0);
	R("TCP_INFO window is known", info.tcpi_snd_cwnd > 0);
	R("TCP_INFO retransmits", info.tcpi_retransmits);
	send_bytes(fd, 1000, 0);
	peer("drop c 1000");
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	/* a handshake within one host may be too short for its clock */
	R("TCP_INFO rtt is known", info.tcpi_rtt > 0);
	R("TCP_INFO bytes are counted", info.tcpi_bytes_acked >= 1000);
	peer("shut c");
	poll_for(fd, POLLRDHUP, 4000);
	recv(fd, &c, 1, 0);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	R("getsockopt TCP_INFO state after its FIN", info.tcpi_state);
	fd = peer_conn("d");
	shutdown(fd, SHUT_WR);
	peer("count d");
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	/* the FIN is acknowledged sooner or later: TCP_FIN_WAIT1 or 2 */
	R("getsockopt TCP_INFO state after SHUT_WR", info.tcpi_state == 4 ||
	  info.tcpi_state == 5);
	peer("rst d");
	poll_for(fd, POLLHUP, 4000);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	R("getsockopt TCP_INFO state after its RST", info.tcpi_state);
	fd = sock4();
	set_nonblock(fd, true);
	a = hole();
	connect(fd, (void *)&a, sizeof(a));
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	R("getsockopt TCP_INFO state connecting", info.tcpi_state);
}

static void congestion(void)
{
	char name[32] = "";
	socklen_t len = sizeof(name);
	int fd = peer_conn("c");

	R("getsockopt TCP_CONGESTION", getsockopt(fd, IPPROTO_TCP,
						  TCP_CONGESTION, name, &len));
	R("its length", len);
	R("setsockopt TCP_CONGESTION", setsockopt(fd, IPPROTO_TCP,
						  TCP_CONGESTION, "reno", 4));
	memset(name, 0, sizeof(name));
	len = sizeof(name);
	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len);
	say("getsockopt TCP_CONGESTION", "%s", name);
	R("setsockopt TCP_CONGESTION none",
	  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "none-such", 9));
	R("setsockopt TCP_ULP tls", setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls",
					       3));
	R("setsockopt TCP_ULP none", setsockopt(fd, IPPROTO_TCP, TCP_ULP,
						"none-such", 9));
	still_works(fd);
}

static void devices(void)
{
	int fd = sock4();
	char name[16] = "";
	socklen_t len = sizeof(name);

	R("setsockopt SO_BINDTODEVICE lo",
	  setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	R("getsockopt SO_BINDTODEVICE", getsockopt(fd, SOL_SOCKET,
						   SO_BINDTODEVICE, name, &len));
	say("its value", "%s", name);
	R("setsockopt SO_BINDTODEVICE none",
	  setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none-such", 9));
	R("setsockopt SO_BINDTODEVICE no",
	  setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 1));
	R("connect", conn4(fd));
}

THEME(options)
	{ "options_socket_new", socket_new },
	{ "options_socket_connected", socket_connected },
	{ "options_socket_listening", socket_listening },
	{ "options_tcp_new", tcp_new },
	{ "options_tcp_connected", tcp_connected },
	{ "options_tcp_listening", tcp_listening },
	{ "options_ip_new", ip_new },
	{ "options_ip_connected", ip_connected },
	{ "options_ip_listening", ip_listening },
	{ "options_ipv6_new", ipv6_new },
	{ "options_ipv6_connected", ipv6_connected },
	{ "options_before_connect", set_before_connect },
	{ "options_sizes_new", sizes_new },
	{ "options_sizes_connected", sizes_connected },
	{ "options_ranges", ranges },
	{ "options_info", info },
	{ "options_congestion", congestion },
	{ "options_device", devices },
THEME_END(options);
