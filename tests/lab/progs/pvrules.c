// SPDX-License-Identifier: GPL-2.0
/*
 * One socket call, and a word that says what came of it: "ok", the name of the
 * error, or "silence" if nobody has answered a datagram in five seconds.
 *
 *   pvrules tcp|udp|icmp connect|bind|listen|accept|ask|tell|serve ADDRESS PORT
 *
 * "listen" binds first, unless PORT is 0. "ask" sends a datagram and waits for
 * the answer, or for the error of sending, "tell" only sends. "accept" takes
 * connections for ever, and "serve" answers datagrams and prints a line for
 * each, ask or tell; both say "ready" first.
 */
#include "common.h"
#include <linux/icmp.h>
#include <linux/icmpv6.h>

static union {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} addr;
static socklen_t addr_len;

static void word(long ret)
{
	puts(ret < 0 ? strerrorname_np(errno) : "ok");
	fflush(stdout);
}

static bool parse(const char *text, int port)
{
	if (inet_pton(AF_INET, text, &addr.v4.sin_addr) == 1) {
		addr.v4.sin_family = AF_INET;
		addr_len = sizeof(addr.v4);
	} else if (inet_pton(AF_INET6, text, &addr.v6.sin6_addr) == 1) {
		addr.v6.sin6_family = AF_INET6;
		addr_len = sizeof(addr.v6);
	} else {
		return false;
	}
	/* at the same place in both */
	addr.v4.sin_port = htons(port);
	return true;
}

static ssize_t echo(int fd, const char *text, bool icmp)
{
	struct icmphdr hdr = { .type = ICMP_ECHO };

	if (!icmp)
		return sendto(fd, text, strlen(text), 0, &addr.any, addr_len);
	if (addr.any.sa_family == AF_INET6)
		hdr.type = ICMPV6_ECHO_REQUEST;
	return sendto(fd, &hdr, sizeof(hdr), 0, &addr.any, addr_len);
}

static void ask(int fd, bool icmp)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[256];

	if (echo(fd, "ask", icmp) < 0) {
		word(-1);
		return;
	}
	if (!poll(&p, 1, 5000))
		puts("silence");
	else
		word(recv(fd, buf, sizeof(buf), 0));
}

__attribute__((noreturn))
static void serve(int fd)
{
	char buf[256];
	ssize_t n;

	sys(bind(fd, &addr.any, addr_len));
	puts("ready");
	for (;;) {
		fflush(stdout);
		addr_len = sizeof(addr);
		n = recvfrom(fd, buf, sizeof(buf) - 1, 0, &addr.any, &addr_len);
		if (n < 0)
			continue;
		buf[n] = 0;
		puts(buf);
		sendto(fd, buf, n, 0, &addr.any, addr_len);
	}
}

__attribute__((noreturn))
static void accept_all(int fd)
{
	sys(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)));
	sys(bind(fd, &addr.any, addr_len));
	sys(listen(fd, 16));
	puts("ready");
	fflush(stdout);
	for (;;)
		close(sys(accept(fd, NULL, NULL)));
}

static int run(const char *what, int fd, bool icmp)
{
	if (!strcmp(what, "connect"))
		word(connect(fd, &addr.any, addr_len));
	else if (!strcmp(what, "bind"))
		word(bind(fd, &addr.any, addr_len));
	else if (!strcmp(what, "listen"))
		word(addr.v4.sin_port && bind(fd, &addr.any, addr_len) ? -1 :
		     listen(fd, 4));
	else if (!strcmp(what, "ask"))
		ask(fd, icmp);
	else if (!strcmp(what, "tell"))
		word(echo(fd, "tell", icmp));
	else if (!strcmp(what, "serve"))
		serve(fd);
	else if (!strcmp(what, "accept"))
		accept_all(fd);
	else
		return 2;
	return 0;
}

int main(int argc, char **argv)
{
	bool tcp = argc > 1 && !strcmp(argv[1], "tcp");
	bool icmp = argc > 1 && !strcmp(argv[1], "icmp");
	int fd, protocol = 0;

	if (argc != 5 || !parse(argv[3], atoi(argv[4]))) {
		fputs("usage: pvrules tcp|udp|icmp connect|bind|listen|accept|ask|tell|serve ADDRESS PORT\n",
		      stderr);
		return 2;
	}
	if (icmp)
		protocol = addr.any.sa_family == AF_INET ? IPPROTO_ICMP :
							   IPPROTO_ICMPV6;
	fd = socket(addr.any.sa_family, tcp ? SOCK_STREAM : SOCK_DGRAM,
		    protocol);
	if (fd < 0) {
		word(-1);
		return 0;
	}
	return run(argv[2], fd, icmp);
}
