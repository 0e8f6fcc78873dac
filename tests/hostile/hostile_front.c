// SPDX-License-Identifier: GPL-2.0
/*
 * A frontend that lies, against a backend that must not mind. Runs in a guest
 * that has a pvcalls device and no driver for it.
 *
 *   hostile_front [-a PEER] [-b BASEPORT] [-n NOBODY] [-s SOMAXCONN] --list
 *   hostile_front [...] [--case NAME]...
 *
 * PEER is the address of tests/interop/tcp_peer, NOBODY one that never
 * answers, SOMAXCONN is net.core.somaxconn there. After each case an honest
 * connection has to work.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front.h"

const char *peer_host = "10.0.0.1";
const char *hole_host = "10.99.0.2";
int peer_base = 7000;
unsigned int somaxconn = 16;

static void honest(void)
{
	control();
}

/* gntalloc allows 1024 pages at a time unless told otherwise. */
static void allow_pages(void)
{
	int fd = open("/sys/module/xen_gntalloc/parameters/limit", O_WRONLY);

	if (fd < 0 || write(fd, "20000", 5) != 5)
		fputs("hostile_front: can't raise gntalloc's limit\n", stderr);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct hcase first = { "honest", honest, 30, 0, NULL };
	static const struct {
		const struct hcase *cases;
		const unsigned int *count;
	} tables[] = {
		{ cmd_cases, &cmd_count }, { ring_cases, &ring_count },
		{ load_cases, &load_count }, { reuse_cases, &reuse_count },
		{ shared_cases, &shared_count }, { dgram_cases, &dgram_count },
		{ opts_cases, &opts_count }, { flip_cases, &flip_count },
		{ unused_cases, &unused_count }, { random_cases, &random_count },
		/* of these the last one ends the device */
		{ state_cases, &state_count }, { greedy_cases, &greedy_count },
		{ time_cases, &time_count }, { storm_cases, &storm_count },
	};
	struct hcase all[1 + 120] = { first };
	unsigned int i, n = 1;

	(void)argc;
	for (argv++; argv[0] && argv[1] && argv[0][0] == '-' &&
	     argv[0][1] != '-'; argv += 2) {
		switch (argv[0][1]) {
		case 'a':
			peer_host = argv[1];
			break;
		case 'b':
			peer_base = atoi(argv[1]);
			break;
		case 'n':
			hole_host = argv[1];
			break;
		case 's':
			somaxconn = atoi(argv[1]);
			break;
		}
	}
	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (n + *tables[i].count > sizeof(all) / sizeof(*all))
			return 2;
		memcpy(all + n, tables[i].cases,
		       *tables[i].count * sizeof(*all));
		n += *tables[i].count;
	}
	if (!argv[0] || strcmp(argv[0], "--list"))
		allow_pages();
	return cases_main(all, n, control, argv);
}
