// SPDX-License-Identifier: GPL-2.0
/* getsockname() and getpeername() */
#define _GNU_SOURCE
#include "conform.h"

static void states(void)
{
	int fd = dialled("d");

	show_name("getsockname accepted", fd, false);
	show_name("getpeername accepted", fd, true);
	peer("shut d");
	poll_for(fd, POLLRDHUP, 4000);
	show_name("getpeername after its FIN", fd, true);
	shutdown(fd, SHUT_WR);
	peer("count d");
	peer("close d");
	show_name("getsockname in the end", fd, false);
	fd = peer_conn("c");
	show_name("getpeername", fd, true);
	shutdown(fd, SHUT_RDWR);
	show_name("getpeername after SHUT_RDWR", fd, true);
	show_name("getsockname after SHUT_RDWR", fd, false);
}

static void lengths(void)
{
	int fd = peer_conn("c");
	struct sockaddr_in a;
	static const int lens[] = { 0, 1, 2, 8, 15, 16, 17, 128, -1 };
	char label[60];
	socklen_t len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		char room[200];

		memset(room, 0xee, sizeof(room));
		len = lens[i];
		snprintf(label, sizeof(label), "getpeername length %d",
			 lens[i]);
		R(label, getpeername(fd, (void *)room, &len));
		R("its length", len);
		memset(room + 2, 0, 6);
		hex("what was written", room, 20);
		len = lens[i];
		snprintf(label, sizeof(label), "getsockname length %d",
			 lens[i]);
		R(label, getsockname(fd, (void *)room, &len));
		R("its length", len);
	}
	len = sizeof(a);
	R("getpeername bad pointer", getpeername(fd, (void *)1, &len));
	R("getpeername null", getpeername(fd, NULL, &len));
	R("getpeername bad length", getpeername(fd, (void *)&a, (void *)1));
	R("getsockname bad pointer", getsockname(fd, (void *)1, &len));
	R("getsockname bad length", getsockname(fd, (void *)&a, NULL));
	R("getpeername no socket", getpeername(0, (void *)&a, &len));
	R("getpeername closed", getpeername(99, (void *)&a, &len));
}

static void peer_sees_us(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd = peer_conn("c");

	getsockname(fd, (void *)&a, &len);
	R("the peer sees our port", peer("port c") == ntohs(a.sin_port));
	fd = dialled("d");
	getpeername(fd, (void *)&a, &len);
	R("we see the peer's port", peer_extra == ntohs(a.sin_port));
	getsockname(fd, (void *)&a, &len);
	R("it sees the one that it dialled", peer("port d") ==
	  ntohs(a.sin_port));
}

static void by_option(void)
{
	struct sockaddr_in a = {};
	socklen_t len = sizeof(a);
	int fd = peer_conn("c");

	R("getsockopt SO_PEERNAME", getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &a,
					       &len));
	show_addr("its value", &a, len);
	len = 4;
	R("getsockopt SO_PEERNAME short", getsockopt(fd, SOL_SOCKET,
						     SO_PEERNAME, &a, &len));
	len = sizeof(a);
	R("getsockopt SO_PEERNAME new", getsockopt(sock4(), SOL_SOCKET,
						   SO_PEERNAME, &a, &len));
}

THEME(names)
	{ "names_states", states },
	{ "names_lengths", lengths },
	{ "names_ports", peer_sees_us },
	{ "names_option", by_option },
THEME_END(names);
