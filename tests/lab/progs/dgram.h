/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pvdgram and its other side, pvdgecho, share: orders, which pvdgecho
 * carries out in the place of sending them back, and how to give them.
 */
#ifndef PV_DGRAM_H
#define PV_DGRAM_H

#include "sem.h"

#define LARGEST	65507	/* what IPv4's and UDP's headers leave */

#define ORDER		0x70766467
#define ORDER_BURST	1	/* sends @count of @size bytes */
#define ORDER_CALL	2	/* sends one to port @count from a new socket */

struct order {
	uint32_t magic, what, count, size;
};

static char buf[LARGEST + 100];

static inline int udp(int flags)
{
	int fd = GET("socket", socket(AF_INET, SOCK_DGRAM | flags, 0));

	set_time(fd, SO_RCVTIMEO, 20000);
	return fd;
}

static inline int udp_connected(void)
{
	int fd = udp(0);

	MUST("connect", 0, connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	return fd;
}

static inline struct sockaddr_in name_of(int fd)
{
	struct sockaddr_in a = {};
	socklen_t len = sizeof(a);

	EXPECT("getsockname", 0, getsockname(fd, (void *)&a, &len));
	return a;
}

static inline void order(int fd, uint32_t what, uint32_t count, uint32_t size)
{
	struct order o = { ORDER, what, count, size };

	EXPECT("an order", sizeof(o),
	       sendto(fd, &o, sizeof(o), 0, (void *)&sem_addr,
		      sizeof(sem_addr)));
}

static inline void exchange(int fd, size_t size)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);

	pattern_fill(buf, size, size);
	EXPECT("sendto", size, sendto(fd, buf, size, 0, (void *)&sem_addr,
				      sizeof(sem_addr)));
	memset(buf, 0, sizeof(buf));
	EXPECT("recvfrom", size, recvfrom(fd, buf, sizeof(buf), 0,
					  (void *)&from, &len));
	BYTES("the same bytes", buf, size, size);
	EXPECT("length of the name", sizeof(from), len);
	EXPECT("who it was", sem_addr.sin_addr.s_addr, from.sin_addr.s_addr);
	EXPECT("its port", sem_addr.sin_port, from.sin_port);
}

#endif
