// SPDX-License-Identifier: GPL-2.0
/*
 * Who answers at an address? A server says its word to each connection and to
 * each datagram, and a client prints what it hears.
 *
 *   pvroutes --serve PORT WORD [DEVICE]   TCP and UDP, IPv4 and IPv6; "ready"
 *        first. At DEVICE the groups 239.1.2.3 and ff15::77 are joined, and
 *        datagrams come from the address that was asked
 *   pvroutes --publish PORT ADDRESS TO    passes on what ADDRESS port TO says
 *   pvroutes [OPTION]... PORT ADDRESS...  a line for each ADDRESS: what is
 *        heard by TCP, by TCP from a bound socket, from where UDP's connect()
 *        led, and by sendto(): a word, or the name of the error
 *     --user N, --mark N   of the sockets
 *     --stream             only TCP
 *     --group DEVICE       only sendto(), to a group at that device
 *     --again ADDRESS      only TCP; after the error the same socket connects
 *                          to this address, whose word follows
 */
#include "common.h"
#include <getopt.h>
#include <net/if.h>

#define WORD		40
#define SECONDS		20
#define GROUP4		"239.1.2.3"
#define GROUP6		"ff15::77"

static int option_mark, option_port;
static const char *option_group, *option_again;
static bool option_stream;

/* ---- server ---- */

static struct sockaddr_in6 any_address(int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

	a.sin6_port = htons(port);
	return a;
}

/* A socket for both families */
static int serving(int type, int port)
{
	int fd = sys(socket(AF_INET6, type, 0)), on = 1;
	struct sockaddr_in6 a = any_address(port);

	sys(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	sys(bind(fd, (void *)&a, sizeof(a)));
	if (type == SOCK_STREAM)
		sys(listen(fd, 100));
	return fd;
}

static void join(int fd, const char *device)
{
	struct ipv6_mreq six = { .ipv6mr_interface = if_nametoindex(device) };
	struct ip_mreqn four = { .imr_ifindex = if_nametoindex(device) };
	int on = 1;

	check(inet_pton(AF_INET, GROUP4, &four.imr_multiaddr) == 1);
	check(inet_pton(AF_INET6, GROUP6, &six.ipv6mr_multiaddr) == 1);
	sys(setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &four, sizeof(four)));
	sys(setsockopt(fd, SOL_IPV6, IPV6_ADD_MEMBERSHIP, &six, sizeof(six)));
	sys(setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)));
}

/* Was a host asked, not a group? Else nothing can come from that address. */
static bool asked_host(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct in6_pktinfo *info;

	if (!c || c->cmsg_level != SOL_IPV6 || c->cmsg_type != IPV6_PKTINFO)
		return false;
	info = (void *)CMSG_DATA(c);
	info->ipi6_ifindex = 0;
	if (IN6_IS_ADDR_V4MAPPED(&info->ipi6_addr))
		return info->ipi6_addr.s6_addr[12] < 224;
	return !IN6_IS_ADDR_MULTICAST(&info->ipi6_addr);
}

static void answer_datagram(int fd, const char *word)
{
	char buf[WORD], control[100] __attribute__((aligned(8)));
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct sockaddr_in6 from;
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(fd, &msg, 0) < 0)
		return;
	if (!asked_host(&msg))
		msg.msg_controllen = 0;
	iov.iov_base = (char *)word;
	iov.iov_len = strlen(word);
	if (sendmsg(fd, &msg, 0) < 0)
		perror("answer");
}

static void answer(struct pollfd *p, const char *word)
{
	int fd;

	if (p[0].revents) {
		fd = sys(accept(p[0].fd, NULL, NULL));
		send(fd, word, strlen(word), MSG_NOSIGNAL);
		close(fd);
	}
	if (p[1].revents)
		answer_datagram(p[1].fd, word);
}

static void serve(int port, const char *word, const char *device)
{
	struct pollfd p[] = {
		{ .fd = serving(SOCK_STREAM, port), .events = POLLIN },
		{ .fd = serving(SOCK_DGRAM, port), .events = POLLIN },
	};

	if (device)
		join(p[1].fd, device);
	puts("ready");
	fflush(stdout);
	for (;;) {
		sys(poll(p, 2, -1));
		answer(p, word);
	}
}

/* ---- client ---- */

static int client(int family, int type)
{
	struct timeval tv = { .tv_sec = SECONDS };
	int fd = sys(socket(family, type, 0));

	sys(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	sys(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	if (option_mark)
		sys(setsockopt(fd, SOL_SOCKET, SO_MARK, &option_mark,
			       sizeof(option_mark)));
	return fd;
}

static void bind_any(int fd, int family)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET };
	struct sockaddr_in6 a6 = any_address(0);

	if (family == AF_INET)
		sys(bind(fd, (void *)&a4, sizeof(a4)));
	else
		sys(bind(fd, (void *)&a6, sizeof(a6)));
}

static void failed(char *word)
{
	snprintf(word, WORD, "%s", strerrorname_np(errno));
}

/* What comes until the end, or in one datagram */
static void hear(int fd, char *word, bool stream)
{
	ssize_t n, have = 0;

	do {
		n = recv(fd, word + have, WORD - 1 - have, 0);
		if (n < 0) {
			failed(word);
			return;
		}
		have += n;
	} while (stream && n && have < WORD - 1);
	word[have] = 0;
}

static void ask_tcp(const char *to, bool bound, char *word)
{
	struct sockaddr_storage ss;
	socklen_t len = address(to, option_port, &ss);
	int fd = client(ss.ss_family, SOCK_STREAM);

	if (bound)
		bind_any(fd, ss.ss_family);
	if (!connect(fd, (void *)&ss, len))
		hear(fd, word, true);
	else
		failed(word);
	if (option_again) {
		printf(" %s then", word);
		len = address(option_again, option_port, &ss);
		if (!connect(fd, (void *)&ss, len))
			hear(fd, word, true);
		else
			failed(word);
	}
	close(fd);
}

static void choose_group(int fd, int family)
{
	struct ip_mreqn four = { .imr_ifindex = if_nametoindex(option_group) };

	if (family == AF_INET)
		sys(setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &four,
			       sizeof(four)));
	else
		sys(setsockopt(fd, SOL_IPV6, IPV6_MULTICAST_IF,
			       &four.imr_ifindex, sizeof(int)));
}

static void ask_udp(const char *to, bool connected, char *word)
{
	struct sockaddr_storage ss;
	socklen_t len = address(to, option_port, &ss);
	int fd = client(ss.ss_family, SOCK_DGRAM);
	ssize_t n;

	if (option_group)
		choose_group(fd, ss.ss_family);
	if (connected)
		n = connect(fd, (void *)&ss, len) ?: send(fd, "?", 1, 0);
	else
		n = sendto(fd, "?", 1, 0, (void *)&ss, len);
	if (n == 1)
		hear(fd, word, false);
	else
		failed(word);
	close(fd);
}

static void ask(const char *to)
{
	char word[WORD];

	printf("%s", to);
	if (!option_group) {
		ask_tcp(to, false, word);
		printf(" %s", word);
	}
	if (!option_group && !option_stream) {
		ask_tcp(to, true, word);
		printf(" %s", word);
		ask_udp(to, true, word);
		printf(" %s", word);
	}
	if (!option_stream) {
		ask_udp(to, false, word);
		printf(" %s", word);
	}
	puts("");
	fflush(stdout);
}

static void publish(int port, const char *to)
{
	int listener = serving(SOCK_STREAM, port), fd;
	char word[WORD];

	puts("ready");
	fflush(stdout);
	for (;;) {
		fd = sys(accept(listener, NULL, NULL));
		ask_tcp(to, false, word);
		send(fd, word, strlen(word), MSG_NOSIGNAL);
		close(fd);
	}
}

static void become(uid_t uid)
{
	sys(setresgid(uid, uid, uid));
	sys(setresuid(uid, uid, uid));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", required_argument, NULL, 'u' },
		{ "mark", required_argument, NULL, 'm' },
		{ "group", required_argument, NULL, 'g' },
		{ "stream", no_argument, NULL, 't' },
		{ "again", required_argument, NULL, 'a' },
		{ "serve", required_argument, NULL, 's' },
		{ "publish", required_argument, NULL, 'p' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 'u':
			become(atoi(optarg));
			break;
		case 'm':
			option_mark = atoi(optarg);
			break;
		case 'g':
			option_group = optarg;
			break;
		case 'a':
			option_again = optarg;
			option_stream = true;
			break;
		case 't':
			option_stream = true;
			break;
		case 's':
			check(optind < argc);
			serve(atoi(optarg), argv[optind], argv[optind + 1]);
			break;
		case 'p':
			check(optind + 2 == argc);
			option_port = atoi(argv[optind + 1]);
			publish(atoi(optarg), argv[optind]);
			break;
		default:
			return 2;
		}
	}
	check(optind + 2 <= argc);
	option_port = atoi(argv[optind++]);
	while (optind < argc)
		ask(argv[optind++]);
	return 0;
}
