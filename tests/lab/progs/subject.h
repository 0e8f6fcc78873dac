/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets of ours in every state that they can be in, for programs that do
 * something to each of them, and what must still work afterwards.
 */
#ifndef PV_SUBJECT_H
#define PV_SUBJECT_H

#include "attack.h"

enum state {
	FRESH, BOUND, CONNECTING, CONNECTED, LISTENING, ACCEPTED,
	LOCAL_CLIENT, LOCAL_SERVER, BROKEN, REFUSED,
	UDP_FRESH, UDP_BOUND, UDP_RING, UDP_CONNECTED, UDP_LOCAL,
	STATES
};

#define IS_UDP(state)	((state) >= UDP_FRESH)

static const char * const state_names[STATES] = {
	[FRESH] = "fresh", [BOUND] = "bound", [CONNECTING] = "connecting",
	[CONNECTED] = "connected", [LISTENING] = "listening",
	[ACCEPTED] = "accepted", [LOCAL_CLIENT] = "local",
	[LOCAL_SERVER] = "local accepted", [BROKEN] = "broken",
	[REFUSED] = "refused", [UDP_FRESH] = "fresh UDP",
	[UDP_BOUND] = "bound UDP", [UDP_RING] = "UDP with a ring",
	[UDP_CONNECTED] = "connected UDP", [UDP_LOCAL] = "local UDP",
};

/*
 * @fd: the socket; @other: its other end, if that is in the guest, else -1;
 * @family: AF_INET, or AF_INET6 with IPv4's addresses
 */
struct subject {
	enum state state;
	int family, fd, other;
};

static int subject_hole;	/* a port of Dom0 that never answers */

static inline long subject_connect(struct subject *s, const char *ip, int port)
{
	struct sockaddr_in6 a6 = mapped(ip, port);
	struct sockaddr_in a4 = at(ip, port);

	if (s->family == AF_INET)
		return RC(connect(s->fd, (void *)&a4, sizeof(a4)));
	return RC(connect(s->fd, (void *)&a6, sizeof(a6)));
}

static inline void subject_bind(struct subject *s, const char *ip)
{
	struct sockaddr_in6 a6 = mapped(ip, 0);
	struct sockaddr_in a4 = at(ip, 0);

	if (s->family == AF_INET)
		MUST("bind", 0, bind(s->fd, (void *)&a4, sizeof(a4)));
	else
		MUST("bind", 0, bind(s->fd, (void *)&a6, sizeof(a6)));
}

static inline void subject_first_line(struct subject *s, const char *line)
{
	MUST("connect", 0, subject_connect(s, peer_ip(), peer_port()));
	MUST("first line", strlen(line), send(s->fd, line, strlen(line), 0));
}

static inline void subject_local(struct subject *s)
{
	int port = 0, l = listen_local(&port), conn;

	MUST("connect", 0, subject_connect(s, LOCAL, port));
	conn = GET("accept", accept(l, NULL, NULL));
	close(l);
	s->other = conn;
	if (s->state == LOCAL_SERVER) {
		s->other = s->fd;
		s->fd = conn;
	}
}

static inline void subject_accepted(struct subject *s)
{
	int port = 0, l;

	close(s->fd);
	l = listen_any(s->family, 0, &port);
	MUST("dial", 0, peer("dial accepted %s %d", peer_ip(), port));
	s->fd = GET("accept", accept(l, NULL, NULL));
	close(l);
}

static inline void subject_broken(struct subject *s)
{
	char line[100];

	snprintf(line, sizeof(line), "hold %s.broken\n", order_who());
	subject_first_line(s, line);
	MUST("reset", 0, peer("rst broken"));
	TRUE("it is broken", poll_now(s->fd, POLLIN, 10000) & POLLHUP);
}

static inline void subject_ring(struct subject *s)
{
	struct sockaddr_in6 a6 = mapped(peer_ip(), peer_port() + PORT_ECHO);
	struct sockaddr_in a4 = echo_addr();
	bool six = s->family == AF_INET6;

	MUST("sendto", 6, sendto(s->fd, "hello", 6, 0,
				 six ? (void *)&a6 : (void *)&a4,
				 six ? sizeof(a6) : sizeof(a4)));
}

static inline void subject_make_tcp(struct subject *s)
{
	int port = s->state == REFUSED ? 1 : subject_hole;

	switch (s->state) {
	case BOUND:
		subject_bind(s, "0.0.0.0");
		break;
	case CONNECTING:
	case REFUSED:
		set_nonblock(s->fd, true);
		MUST("connect", -EINPROGRESS,
		     subject_connect(s, peer_ip(), port));
		if (s->state == REFUSED)
			TRUE("it is refused",
			     poll_now(s->fd, POLLOUT, 10000) & POLLHUP);
		break;
	case CONNECTED:
		subject_first_line(s, "echo\n");
		break;
	case LISTENING:
		subject_bind(s, "0.0.0.0");
		MUST("listen", 0, listen(s->fd, 5));
		break;
	case ACCEPTED:
		subject_accepted(s);
		break;
	case LOCAL_CLIENT:
	case LOCAL_SERVER:
		subject_local(s);
		break;
	case BROKEN:
		subject_broken(s);
		break;
	default:
		break;
	}
}

static inline void subject_make(struct subject *s, enum state state, int family)
{
	s->state = state;
	s->family = family;
	s->other = -1;
	s->fd = GET("socket", socket(family, IS_UDP(state) ? SOCK_DGRAM :
				     SOCK_STREAM, 0));
	if (!IS_UDP(state))
		subject_make_tcp(s);
	else if (state == UDP_BOUND)
		subject_bind(s, "0.0.0.0");
	else if (state == UDP_RING)
		subject_ring(s);
	else if (state == UDP_CONNECTED)
		MUST("connect", 0, subject_connect(s, peer_ip(), peer_port() +
						   PORT_ECHO));
	else if (state == UDP_LOCAL)
		MUST("connect", 0, subject_connect(s, LOCAL, 9));
}

/* Every kind of call once; none waits, and none need succeed. */
static inline void subject_use(const struct subject *s)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char buf[64];
	int n;

	poll_now(s->fd, POLLIN | POLLOUT | POLLPRI, 0);
	send(s->fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_PEEK);
	recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT);
	getsockname(s->fd, (void *)&a, &len);
	len = sizeof(a);
	getpeername(s->fd, (void *)&a, &len);
	ioctl(s->fd, FIONREAD, &n);
	get_int(s->fd, SOL_SOCKET, SO_ERROR);
	set_int(s->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(s->fd, SOL_TCP, TCP_NODELAY, 1);
}

/* Datagrams may be lost, but not all of them. */
static inline void subject_datagram(const struct subject *s)
{
	char got[6] = "";
	int i;

	while (recv(s->fd, got, 6, MSG_DONTWAIT) >= 0)
		;
	for (i = 0; i < 5; i++) {
		if (s->state == UDP_RING)
			subject_ring((struct subject *)s);
		else
			MUST("send", 6, send(s->fd, "hello", 6, 0));
		if (poll_now(s->fd, POLLIN, 3000) & POLLIN)
			break;
	}
	EXPECT("recv", 6, recv(s->fd, got, 6, MSG_DONTWAIT));
	EXPECT("what was sent", 0, strcmp(got, "hello"));
}

/* What has carried bytes before still does. */
static inline void subject_works(const struct subject *s)
{
	char got[6];

	switch (s->state) {
	case CONNECTED:
		echoes(s->fd);
		break;
	case ACCEPTED:
		MUST("the peer sends", 10, peer("send accepted 10"));
		EXPECT("recv", 10, get_bytes(s->fd, 10, 0));
		break;
	case LOCAL_CLIENT:
	case LOCAL_SERVER:
		MUST("send", 6, send(s->fd, "hello", 6, MSG_NOSIGNAL));
		EXPECT("recv", 6, recv(s->other, got, 6, MSG_WAITALL));
		break;
	case LISTENING:
		MUST("dial", 0,
		     peer("dial works %s %d", peer_ip(), port_of(s->fd)));
		close(GET("accept", accept(s->fd, NULL, NULL)));
		break;
	case UDP_RING:
	case UDP_CONNECTED:
		subject_datagram(s);
		break;
	default:
		break;
	}
}

static inline void subject_close(const struct subject *s)
{
	close(s->fd);
	if (s->other >= 0)
		close(s->other);
}

#endif /* PV_SUBJECT_H */
