// SPDX-License-Identifier: GPL-2.0
/*
 * The other side of pvdgram: sends every datagram back, or does what an order
 * says (dgram.h). Prints "ready" when it can be reached.
 *
 *   pvdgecho 7010
 */
#define _GNU_SOURCE
#include <sched.h>

#include "dgram.h"

/*
 * Each CPU has a queue of its own for what is sent within the host, so a sender
 * that changes CPUs may overtake itself.
 */
static void stay_here(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		perror("sched_setaffinity");
}

static void echo_burst(int fd, const struct order *o, struct sockaddr_in *to)
{
	uint32_t i;

	for (i = 0; i < o->count; i++) {
		pattern_fill(buf, o->size, i);
		memcpy(buf, &i, sizeof(i));
		if (sendto(fd, buf, o->size, 0, (void *)to, sizeof(*to)) < 0)
			perror("burst");
	}
}

static void echo_call(const struct order *o, struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to->sin_port = htons(o->count);
	if (sendto(fd, "call", 4, 0, (void *)to, sizeof(*to)) != 4)
		perror("call");
	close(fd);
}

static int serve(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct order o;
	socklen_t len;
	ssize_t n;

	set_int(fd, SOL_SOCKET, SO_RCVBUF, MIB);
	set_int(fd, SOL_SOCKET, SO_SNDBUF, MIB);
	a.sin_port = htons(port);
	if (bind(fd, (void *)&a, sizeof(a))) {
		perror("bind");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		len = sizeof(a);
		n = recvfrom(fd, buf, sizeof(buf), 0, (void *)&a, &len);
		if (n < 0)
			continue;
		memcpy(&o, buf, sizeof(o));
		if (n != sizeof(o) || o.magic != ORDER) {
			if (sendto(fd, buf, n, 0, (void *)&a, len) < 0)
				perror("echo");
		} else if (o.what == ORDER_BURST) {
			echo_burst(fd, &o, &a);
		} else {
			echo_call(&o, &a);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: pvdgecho PORT\n");
		return 2;
	}
	stay_here();
	return serve(atoi(argv[1]));
}
