/* SPDX-License-Identifier: GPL-2.0 */
/* For pvdgram: who waits while the peer changes, and completions of sends. */
#ifndef PV_DGPEER_H
#define PV_DGPEER_H

#include <ifaddrs.h>
#include <linux/errqueue.h>

#include "dgram.h"

static long call_recv(struct blocked *b)
{
	return RC(recv(b->fd, buf, sizeof(buf), 0));
}

/*
 * An address of this machine's own. A socket keeps the source address that goes
 * with its first peer. So it is the echo's, where the echo is on this machine.
 */
static struct in_addr own_address(void)
{
	struct in_addr own = { htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in *a;
	struct ifaddrs *all, *i;

	MUST("getifaddrs", 0, getifaddrs(&all));
	for (i = all; i; i = i->ifa_next) {
		a = (const void *)i->ifa_addr;
		if (a && a->sin_family == AF_INET &&
		    a->sin_addr.s_addr == sem_addr.sin_addr.s_addr)
			own = a->sin_addr;
	}
	freeifaddrs(all);
	return own;
}

/* A socket whose peer is within the guest, and whose ring asks for no event */
static int peer_within(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int friend = udp(0), fd = udp(0);

	a.sin_addr = own_address();
	MUST("bind", 0, bind(friend, (void *)&a, sizeof(a)));
	a = name_of(friend);
	exchange(fd, 10);
	MUST("a peer within", 0, connect(fd, (void *)&a, sizeof(a)));
	set_time(fd, SO_RCVTIMEO, 4000);
	return fd;
}

/* A thread that waits hears the new peer, or everybody once there is none. */
static void case_peer_changes(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = peer_within();
	struct blocked b;

	blocked_start(&b, fd, call_recv);
	MUST("a peer outside", 0,
	     connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	MUST("send", 7, send(fd, "outside", 7, 0));
	EXPECT("the answer", 7, blocked_end(&b, "recv, another peer"));

	fd = peer_within();
	blocked_start(&b, fd, call_recv);
	MUST("no peer", 0, connect(fd, &none, sizeof(none)));
	MUST("sendto", 6, sendto(fd, "nobody", 6, 0, (void *)&sem_addr,
				 sizeof(sem_addr)));
	EXPECT("the answer", 6, blocked_end(&b, "recv, no peer"));
}

/* The numbers of the sends that are complete */
static void expect_complete(int fd, uint32_t first, uint32_t last)
{
	struct sock_extended_err err = {};
	char control[200];
	struct msghdr msg = {
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	TRUE("a completion", poll_now(fd, 0, 5000) & POLLERR);
	MUST("MSG_ERRQUEUE", 0, recvmsg(fd, &msg, MSG_ERRQUEUE));
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR)
			memcpy(&err, CMSG_DATA(c), sizeof(err));
	EXPECT("of a send", SO_EE_ORIGIN_ZEROCOPY, err.ee_origin);
	EXPECT("no error", 0, err.ee_errno);
	EXPECT("the first", first, err.ee_info);
	EXPECT("the last", last, err.ee_data);
}

static void case_zerocopy(void)
{
	int fd = udp_connected(), i;

	MUST("SO_ZEROCOPY", 0, set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	for (i = 0; i < 3; i++) {
		MUST("send", 100, send(fd, buf, 100, MSG_ZEROCOPY));
		EXPECT("the echo", 100, recv(fd, buf, sizeof(buf), 0));
		expect_complete(fd, i, i);
	}
	MUST("send as ever", 100, send(fd, buf, 100, 0));
	EXPECT("the echo", 100, recv(fd, buf, sizeof(buf), 0));
	EXPECT("no completion", 0, poll_now(fd, 0, 0));
}

#endif /* PV_DGPEER_H */
