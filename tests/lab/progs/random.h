/* SPDX-License-Identifier: GPL-2.0 */
/* pvrandom's calls: choosing one out of random numbers, and making it. */
#ifndef PV_RANDOM_H
#define PV_RANDOM_H

#include "attack.h"

/* after the C library's own names for addresses */
#include <linux/if_pppox.h>

#define SLOTS		48	/* descriptors that a process' threads share */
#define PORTS		16	/* local ports, so that calls meet */
#define PORT_FIRST	7400
#define PAYLOAD		20000
#define LINGER_MOST	2	/* seconds; also of time-outs */

#define KINDS_LIST(X) \
	X(SOCKET, "socket") X(CLOSE, "close") X(DUP, "dup2") X(BIND, "bind") \
	X(LISTEN, "listen") X(CONNECT, "connect") X(ACCEPT, "accept4") \
	X(SEND, "send") X(SENDTO, "sendto") X(SENDMSG, "sendmsg") \
	X(SENDMMSG, "sendmmsg") X(RECV, "recv") X(RECVFROM, "recvfrom") \
	X(RECVMSG, "recvmsg") X(WRITEV, "writev") X(READV, "readv") \
	X(GETSOCKNAME, "getsockname") X(GETPEERNAME, "getpeername") \
	X(SHUTDOWN, "shutdown") X(SETSOCKOPT, "setsockopt") \
	X(GETSOCKOPT, "getsockopt") X(SPECIAL, "special option") \
	X(IOCTL, "ioctl") X(POLL, "poll") X(EPOLL, "epoll") X(FCNTL, "fcntl") \
	X(SPLICE, "splice") X(SENDFILE, "sendfile") X(MMAP, "mmap") \
	X(PASS, "SCM_RIGHTS") X(PPPOX, "PPPoX") X(SERVER, "a listener") \
	X(CLIENT, "a connection")

#define KIND_ENUM(id, name)	K_##id,
#define KIND_NAME(id, name)	[K_##id] = name,

enum kind { KINDS_LIST(KIND_ENUM) KINDS };

static const char * const kind_names[KINDS] = { KINDS_LIST(KIND_NAME) };

struct source {
	uint64_t state;
};

/* All that a call needs; every number is there whether it is used or not. */
struct call {
	enum kind kind;
	int slot, other;
	uint32_t n[6];
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

static volatile int slots[SLOTS];
static char payload[PAYLOAD];
static int null_file = -1;

static inline uint32_t draw(struct source *s)
{
	/* splitmix64 */
	uint64_t x = s->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) >> 16;
}

#define PICK(array, n)	((array)[(n) % ARRAY_SIZE(array)])

static inline void pth_start(pthread_t *t, void *(*run)(void *), void *arg)
{
	if (pthread_create(t, NULL, run, arg))
		sem_fail("pthread_create");
}

/* ---- choosing ---- */

static inline void address_choose(struct source *s, struct call *c)
{
	static const char * const ips[] = {
		"0.0.0.0", LOCAL, LOCAL, "127.0.0.2", NULL, NULL, NULL,
		"192.0.2.1",
	};
	const char *ip = PICK(ips, draw(s));
	uint32_t how = draw(s) % 16, port = draw(s) % (PORTS + 3);
	struct sockaddr_in6 a6;
	struct sockaddr_in a4;
	int number = PORT_FIRST + port;

	if (port == PORTS)
		number = 0;
	else if (port > PORTS)
		number = peer_port() + (port - PORTS - 1) * PORT_ECHO;
	a4 = at(ip ? ip : peer_ip(), number);
	a6 = mapped(ip ? ip : peer_ip(), number);
	if (how == 0) {
		memset(&a6.sin6_addr, 0, sizeof(a6.sin6_addr));
		a6.sin6_addr.s6_addr[15] = draw(s) % 2;
		a6.sin6_scope_id = draw(s) % 4;
	}
	memset(&c->addr, 0, sizeof(c->addr));
	if (how < 6) {
		memcpy(&c->addr, &a6, sizeof(a6));
		c->addr_len = sizeof(a6);
	} else {
		memcpy(&c->addr, &a4, sizeof(a4));
		c->addr_len = sizeof(a4);
	}
	if (how == 15)
		c->addr.ss_family = AF_UNSPEC;
	if (draw(s) % 32 == 0)
		c->addr_len = draw(s) % sizeof(c->addr);
}

/* As many numbers are drawn for each call, so that one call is one step. */
static inline void call_choose(struct source *s, struct call *c)
{
	static const enum kind often[] = {
		K_SOCKET, K_SOCKET, K_CONNECT, K_CONNECT, K_CONNECT, K_BIND,
		K_LISTEN, K_ACCEPT, K_SEND, K_RECV, K_SETSOCKOPT, K_CLOSE,
		K_SENDTO, K_SPECIAL, K_SERVER, K_SERVER, K_CLIENT, K_CLIENT,
		K_CLIENT, K_ACCEPT, K_ACCEPT, K_ACCEPT,
	};
	uint32_t kind = draw(s);
	size_t i;

	c->kind = kind % 2 ? PICK(often, kind / 2) : (kind / 2) % KINDS;
	c->slot = draw(s) % SLOTS;
	c->other = draw(s) % SLOTS;
	for (i = 0; i < ARRAY_SIZE(c->n); i++)
		c->n[i] = draw(s);
	address_choose(s, c);
}

/* The same line whenever the same thread of the same seed gets there */
static inline void call_print(const char *who, unsigned long nr,
			      const struct call *c)
{
	char ip[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in6 *a6 = (void *)&c->addr;
	const struct sockaddr_in *a4 = (void *)&c->addr;

	if (c->addr.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &a6->sin6_addr, ip, sizeof(ip));
	else
		inet_ntop(AF_INET, &a4->sin_addr, ip, sizeof(ip));
	printf("%s %lu: %s slot %d/%d %x %x %x %x %x %x %s port %d, %u bytes\n",
	       who, nr, kind_names[c->kind], c->slot, c->other, c->n[0],
	       c->n[1], c->n[2], c->n[3], c->n[4], c->n[5], ip,
	       ntohs(a4->sin_port), c->addr_len);
	fflush(stdout);
}

/* ---- making ---- */

static inline long slot_put(int slot, int fd)
{
	int old;

	if (fd < 0)
		return -errno;
	old = __atomic_exchange_n(&slots[slot], fd, __ATOMIC_ACQ_REL);
	if (old >= 0)
		close(old);
	return 0;
}

static inline long make_socket(const struct call *c)
{
	static const int protocols[] = { 0, 0, 0, 0, 6, 17, 1, 58, 257, 258,
					 262 };
	int type = c->n[1] % 2 ? SOCK_STREAM : SOCK_DGRAM;
	int flags = c->n[2] % 8 ? SOCK_NONBLOCK : 0;

	return slot_put(c->slot, socket(c->n[0] % 3 ? AF_INET : AF_INET6,
					type | flags,
					PICK(protocols, c->n[3])));
}

/* Calls that rarely meet in the right order by chance */
static inline long make_server(const struct call *c)
{
	struct sockaddr_in a = at(c->n[0] % 3 ? "0.0.0.0" : LOCAL,
				  PORT_FIRST + c->n[1] % PORTS);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	long ret;

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	ret = RC(bind(fd, (void *)&a, sizeof(a)));
	if (!ret)
		ret = RC(listen(fd, 10));
	slot_put(c->slot, fd);
	return ret;
}

static inline long make_client(const struct call *c)
{
	int own = PORT_FIRST + c->n[1] % PORTS;
	int port = c->n[0] % 2 ? peer_port() : own;
	struct sockaddr_in a = at(c->n[2] % 2 ? peer_ip() : LOCAL, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long ret;

	ret = RC(connect(fd, (void *)&a, sizeof(a)));
	if (!ret && c->n[3] % 4)
		send(fd, "echo\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
	set_nonblock(fd, c->n[4] % 8);
	slot_put(c->slot, fd);
	return ret;
}

/* The first bytes make pvpeer send back what follows. */
static inline size_t make_payload(const struct call *c)
{
	size_t len = c->n[1] % 4 ? c->n[1] % 200 : c->n[1] % PAYLOAD;

	return len < 5 ? 5 : len;
}

static inline int make_flags(const struct call *c)
{
	static const int flags[] = {
		0, 0, MSG_DONTWAIT, MSG_MORE, MSG_OOB, MSG_PEEK, MSG_WAITALL,
		MSG_TRUNC, MSG_ERRQUEUE, MSG_ZEROCOPY, MSG_FASTOPEN,
		MSG_CONFIRM, MSG_EOR, -1,
	};

	return PICK(flags, c->n[0]) | (c->n[2] % 4 ? MSG_DONTWAIT : 0) |
	       (c->n[2] % 7 ? 0 : PICK(flags, c->n[3]));
}

static inline long make_msg(const struct call *c, int fd)
{
	static __thread char buf[2][1000], control[200];
	struct iovec iov[2] = {
		{ c->kind == K_RECVMSG ? buf[0] : payload, c->n[1] % 1000 },
		{ c->kind == K_RECVMSG ? buf[1] : payload, c->n[4] % 1000 },
	};
	struct mmsghdr m[2] = { 0 };
	struct cmsghdr *h = (void *)control;
	int i;

	for (i = 0; i < 2; i++) {
		m[i].msg_hdr.msg_iov = iov;
		m[i].msg_hdr.msg_iovlen = 1 + c->n[5] % 2;
		if (c->n[3] % 2) {
			m[i].msg_hdr.msg_name = (void *)&c->addr;
			m[i].msg_hdr.msg_namelen = c->addr_len;
		}
	}
	if (c->n[3] % 8 == 7) {
		memset(control, 0, sizeof(control));
		h->cmsg_len = c->n[4] % 3 ? CMSG_LEN(4) : c->n[4] % 64;
		h->cmsg_level = c->n[4] % 5 ? IPPROTO_IP : SOL_SOCKET;
		h->cmsg_type = c->n[5] % 40;
		memcpy(CMSG_DATA(h), &c->n[2], 4);
		m[0].msg_hdr.msg_control = control;
		m[0].msg_hdr.msg_controllen = CMSG_SPACE(4);
	}
	if (c->kind == K_SENDMMSG)
		return RC(sendmmsg(fd, m, 2, make_flags(c) | MSG_NOSIGNAL));
	if (c->kind == K_SENDMSG)
		return RC(sendmsg(fd, &m[0].msg_hdr,
				  make_flags(c) | MSG_NOSIGNAL));
	m[0].msg_hdr.msg_name = NULL;
	m[0].msg_hdr.msg_control = control;
	m[0].msg_hdr.msg_controllen = sizeof(control);
	return RC(recvmsg(fd, &m[0].msg_hdr, make_flags(c)));
}

static inline long make_io(const struct call *c, int fd)
{
	static __thread char buf[PAYLOAD];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct iovec iov = { payload, make_payload(c) };
	struct iovec room = { buf, make_payload(c) };

	switch (c->kind) {
	case K_SEND:
		return RC(send(fd, payload, make_payload(c),
			       make_flags(c) | MSG_NOSIGNAL));
	case K_SENDTO:
		return RC(sendto(fd, payload, make_payload(c),
				 make_flags(c) | MSG_NOSIGNAL,
				 (void *)&c->addr, c->addr_len));
	case K_RECV:
		return RC(recv(fd, buf, make_payload(c), make_flags(c)));
	case K_RECVFROM:
		return RC(recvfrom(fd, buf, make_payload(c), make_flags(c),
				   (void *)&from, &len));
	case K_WRITEV:
		return RC(writev(fd, &iov, 1));
	case K_READV:
		return RC(readv(fd, &room, 1));
	default:
		return make_msg(c, fd);
	}
}

static const int option_levels[] = {
	SOL_SOCKET, SOL_SOCKET, SOL_TCP, SOL_TCP, IPPROTO_IP, IPPROTO_IPV6,
	IPPROTO_UDP, 282 /* SOL_TLS */, 284 /* SOL_MPTCP */, 58,
};

/* Times are kept short: a thread that waits tests nothing. */
static inline long make_setsockopt(const struct call *c, int fd)
{
	int level = PICK(option_levels, c->n[0]), name = c->n[1] % 80;
	struct linger linger = { c->n[2] % 2, c->n[3] % LINGER_MOST };
	struct timeval tv = { c->n[2] % LINGER_MOST, c->n[3] % 1000000 };
	uint32_t value[8] = { c->n[2] % 3 ? c->n[2] % 3 : c->n[2], c->n[3],
			      c->n[4], c->n[5] };

	if (level == SOL_SOCKET && name == SO_LINGER)
		return RC(setsockopt(fd, level, name, &linger, sizeof(linger)));
	if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO))
		return RC(setsockopt(fd, level, name, &tv, sizeof(tv)));
	return RC(setsockopt(fd, level, name, value,
			     c->n[4] % 4 ? 4 : c->n[4] % sizeof(value)));
}

/* Those that turn a socket into something else */
static inline long make_special(const struct call *c, int fd)
{
	struct sockaddr_in a = at(peer_ip(), peer_port());
	struct tcp_md5sig md5 = { .tcpm_keylen = 1, .tcpm_key = "k" };

	switch (c->n[0] % 9) {
	case 0:
		return set_int(fd, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET);
	case 1:
		return RC(setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3));
	case 2:
		return set_int(fd, IPPROTO_UDP, 100 /* UDP_ENCAP */,
			       c->n[1] % 4);
	case 3:
		return RC(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
				     c->n[1] % 2 ? "lo" : "pvdummy",
				     c->n[1] % 2 ? 3 : 8));
	case 4:
		memcpy(&md5.tcpm_addr, &a, sizeof(a));
		return RC(setsockopt(fd, SOL_TCP, TCP_MD5SIG, &md5,
				     sizeof(md5)));
	case 5:
		return RC(setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	case 6:
		return set_int(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, c->n[1] % 2);
	case 7:
		return set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	default:
		return set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, c->n[1] % 2);
	}
}

static inline long make_getsockopt(const struct call *c, int fd)
{
	char value[256];
	socklen_t len = c->n[2] % 3 ? sizeof(value) : c->n[2] % 300;

	if (len > sizeof(value))
		len = sizeof(value);
	memset(value, 0, sizeof(value));
	return RC(getsockopt(fd, PICK(option_levels, c->n[0]), c->n[1] % 90,
			     value, &len));
}

static inline long make_ioctl(const struct call *c, int fd)
{
	static const unsigned long requests[] = {
		FIONREAD, 0x5411 /* SIOCOUTQ */, 0x894b /* SIOCOUTQNSD */,
		0x8905 /* SIOCATMARK */, 0x8912 /* SIOCGIFCONF */,
		0x8927 /* SIOCGIFHWADDR */, 0x8906 /* SIOCGSTAMP */,
		FIONBIO, FIOASYNC, 0x8902 /* SIOCSPGRP */, 0x89e0, 0x89e1,
	};
	uint32_t arg[64] = {};

	arg[0] = PICK(requests, c->n[0]) == FIONBIO ? c->n[1] % 8 : 0;
	return RC(ioctl(fd, PICK(requests, c->n[0]), arg));
}

static inline long make_poll(const struct call *c, int fd)
{
	struct pollfd p[2] = { { fd, c->n[0], 0 },
			       { slots[c->other], c->n[1], 0 } };

	return RC(poll(p, 2, c->n[2] % 3));
}

/* The set outlives the socket now and then. */
static inline long make_epoll(const struct call *c, int fd)
{
	struct epoll_event ev = { .events = c->n[0] };
	int set = epoll_create1(0);
	long ret = RC(epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev));

	if (c->n[1] % 4 == 0)
		slot_put(c->slot, dup(null_file));
	epoll_wait(set, &ev, 1, c->n[2] % 2);
	close(set);
	return ret;
}

static inline long make_splice(const struct call *c, int fd)
{
	int p[2];
	long ret;

	if (pipe2(p, O_NONBLOCK))
		return -errno;
	if (c->n[0] % 2) {
		if (write(p[1], payload, 100) < 0)
			ret = -errno;
		ret = RC(splice(p[0], NULL, fd, NULL, 100, SPLICE_F_NONBLOCK));
	} else {
		ret = RC(splice(fd, NULL, p[1], NULL, 1000, SPLICE_F_NONBLOCK));
	}
	close(p[0]);
	close(p[1]);
	return ret;
}

static inline long make_mmap(int fd)
{
	void *p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	struct tcp_zerocopy_receive zc = { .length = 8192 };
	socklen_t len = sizeof(zc);
	long ret;

	if (p == MAP_FAILED)
		return -errno;
	zc.address = (uintptr_t)p;
	ret = RC(getsockopt(fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len));
	munmap(p, 8192);
	return ret;
}

/* In a message that nobody reads */
static inline long make_pass(int fd)
{
	union {
		struct cmsghdr h;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {
		.h.cmsg_len = CMSG_LEN(sizeof(int)),
		.h.cmsg_level = SOL_SOCKET,
		.h.cmsg_type = SCM_RIGHTS,
	};
	struct iovec iov = { payload, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int pair[2];
	long ret;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -errno;
	memcpy(CMSG_DATA(&control.h), &fd, sizeof(int));
	ret = RC(sendmsg(pair[0], &msg, 0));
	close(pair[0]);
	close(pair[1]);
	return ret;
}

/* What PPPoX takes lives in a slot, too. */
static inline long make_pppox(const struct call *c, int fd)
{
	struct sockaddr_pppol2tp a = {
		.sa_family = AF_PPPOX, .sa_protocol = PX_PROTO_OL2TP,
	};
	int ppp = socket(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP);
	long ret;

	if (ppp < 0)
		return -errno;
	a.pppol2tp.fd = fd;
	a.pppol2tp.addr = at(LOCAL, 1701);
	a.pppol2tp.s_tunnel = 1 + c->n[0] % 1000;
	a.pppol2tp.d_tunnel = 1;
	ret = RC(connect(ppp, (void *)&a, sizeof(a)));
	slot_put(c->other, ppp);
	return ret;
}

/* The calls that every kind of socket has */
static inline long make_plain(const struct call *c, int fd)
{
	struct sockaddr_storage name;
	socklen_t len = c->n[0] % 8 ? sizeof(name) : c->n[1] % sizeof(name);

	switch (c->kind) {
	case K_SOCKET:
		return make_socket(c);
	case K_CLOSE:
		fd = __atomic_exchange_n(&slots[c->slot], -1, __ATOMIC_ACQ_REL);
		return fd < 0 ? -EBADF : RC(close(fd));
	case K_DUP:
		return slot_put(c->other, dup(fd));
	case K_BIND:
		return RC(bind(fd, (void *)&c->addr, c->addr_len));
	case K_LISTEN:
		return RC(listen(fd, c->n[0] % 20));
	case K_CONNECT:
		return RC(connect(fd, (void *)&c->addr, c->addr_len));
	case K_ACCEPT:
		return slot_put(c->other, accept4(fd, (void *)&name, &len,
						  c->n[2] % 8 ? SOCK_NONBLOCK :
						  0));
	case K_GETSOCKNAME:
		return RC(getsockname(fd, (void *)&name, &len));
	case K_GETPEERNAME:
		return RC(getpeername(fd, (void *)&name, &len));
	case K_SHUTDOWN:
		return RC(shutdown(fd, c->n[0] % 4));
	default:
		return make_io(c, fd);
	}
}

static inline long call_make(const struct call *c)
{
	int fd = slots[c->slot];

	switch (c->kind) {
	case K_SETSOCKOPT:
		return make_setsockopt(c, fd);
	case K_GETSOCKOPT:
		return make_getsockopt(c, fd);
	case K_SPECIAL:
		return make_special(c, fd);
	case K_IOCTL:
		return make_ioctl(c, fd);
	case K_POLL:
		return make_poll(c, fd);
	case K_EPOLL:
		return make_epoll(c, fd);
	case K_FCNTL:
		return RC(fcntl(fd, F_SETFL, c->n[0] % 8 ? O_NONBLOCK :
				c->n[1] % 2 ? O_ASYNC : 0));
	case K_SPLICE:
		return make_splice(c, fd);
	case K_SENDFILE:
		return RC(sendfile(fd, null_file, NULL, c->n[0] % 10000));
	case K_MMAP:
		return make_mmap(fd);
	case K_PASS:
		return make_pass(fd);
	case K_PPPOX:
		return make_pppox(c, fd);
	case K_SERVER:
		return make_server(c);
	case K_CLIENT:
		return make_client(c);
	default:
		return make_plain(c, fd);
	}
}

/* Some sockets from before the namespaces: they are the guest's. */
static inline void slots_fill(uint64_t seed)
{
	struct source src = { .state = seed };
	struct call c;
	int i;

	memcpy(payload, "echo\n", 5);
	null_file = open("/proc/self/exe", O_RDONLY);
	for (i = 0; i < SLOTS; i++) {
		slots[i] = -1;
		call_choose(&src, &c);
		c.slot = i;
		if (i % 2)
			make_socket(&c);
	}
}

#endif /* PV_RANDOM_H */
