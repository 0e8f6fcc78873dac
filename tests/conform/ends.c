// SPDX-License-Identifier: GPL-2.0
/* shutdown(), close(), SO_LINGER, FIN and RST */
#define _GNU_SOURCE
#include "conform.h"

static char buf[4096];

/* What a program may still try on a socket */
static void show_all(int fd)
{
	show_poll("poll", fd, 0);
	R("recv", recv(fd, buf, 10, MSG_DONTWAIT));
	R("send", send(fd, buf, 10, MSG_NOSIGNAL | MSG_DONTWAIT));
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	show_name("getpeername", fd, true);
	R("shutdown SHUT_RD", shutdown(fd, SHUT_RD));
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	show_poll("poll in the end", fd, 0);
}

static void shut_wr(void)
{
	int fd = peer_conn("c");

	R("send", send_bytes(fd, 1000, 0));
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	show_poll("poll", fd, 0);
	R("peer", peer("count c"));
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	R("send 0", send(fd, buf, 0, MSG_NOSIGNAL));
	R("shutdown SHUT_WR again", shutdown(fd, SHUT_WR));
	show_name("getpeername", fd, true);
	peer("send c 100");
	R("recv", recv_bytes(fd, 100, 0));
	peer("close c");
	show_poll("poll after the peer's end", fd, POLLHUP);
	R("recv", recv(fd, buf, 10, 0));
	R("shutdown SHUT_RDWR", shutdown(fd, SHUT_RDWR));
	show_name("getpeername", fd, true);
	show_name("getsockname", fd, false);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	R("connect", conn4(fd));
}

static void shut_rd(void)
{
	int fd = peer_conn("c");

	R("shutdown SHUT_RD", shutdown(fd, SHUT_RD));
	show_poll("poll", fd, POLLRDHUP);
	R("recv", recv(fd, buf, 10, 0));
	R("send", send_bytes(fd, 100, 0));
	R("peer", peer("drop c 100"));
	R("peer", peer("send c 100"));
	await_bytes(fd, 100);
	R("recv what comes nevertheless", recv(fd, buf, 200, 0));
	R("recv", recv(fd, buf, 200, 0));
	R("shutdown SHUT_RD again", shutdown(fd, SHUT_RD));
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	show_poll("poll", fd, POLLHUP);
	R("peer", peer("count c"));
}

static void shut_rd_unread(void)
{
	int fd = peer_conn("c");

	peer("send c 100");
	await_bytes(fd, 100);
	R("shutdown SHUT_RD", shutdown(fd, SHUT_RD));
	show_poll("poll", fd, POLLRDHUP);
	R("recv what is there", recv(fd, buf, 200, 0));
	R("recv", recv(fd, buf, 200, 0));
}

static void shut_rdwr(void)
{
	int fd = peer_conn("c");

	R("shutdown SHUT_RDWR", shutdown(fd, SHUT_RDWR));
	show_poll("poll", fd, POLLHUP);
	R("peer", peer("count c"));
	R("recv", recv(fd, buf, 10, 0));
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	show_name("getpeername", fd, true);
	R("shutdown SHUT_RDWR again", shutdown(fd, SHUT_RDWR));
	R("connect", conn4(fd));
	peer("close c");
	R("close", close(fd));
}

static void shut_bad(void)
{
	int fd = peer_conn("c"), new = sock4();

	R("shutdown 3", shutdown(fd, 3));
	R("shutdown -1", shutdown(fd, -1));
	R("shutdown 100", shutdown(fd, 100));
	R("shutdown new 3", shutdown(new, 3));
	R("shutdown new", shutdown(new, SHUT_RDWR));
	show_poll("poll new", new, POLLHUP);
	R("connect", conn4(new));
	R("shutdown -1 fd", shutdown(-1, SHUT_RDWR));
	R("shutdown no socket", shutdown(0, SHUT_RDWR));
}

static void peer_ends(void)
{
	int fd = peer_conn("c");

	peer("send c 100");
	peer("shut c");
	show_poll("poll", fd, POLLRDHUP);
	R("recv", recv(fd, buf, 60, 0));
	show_poll("poll", fd, POLLRDHUP);
	R("recv", recv(fd, buf, 60, 0));
	R("recv", recv(fd, buf, 60, 0));
	R("send", send_bytes(fd, 100, 0));
	R("peer", peer("drop c 100"));
	show_name("getpeername", fd, true);
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	R("peer", peer("count c"));
	show_poll("poll", fd, POLLHUP);
	/* the last ACK is on its way */
	peer("close c");
	show_all(fd);
}

static void peer_closes(void)
{
	int fd = peer_conn("c");

	peer("close c");
	show_poll("poll", fd, POLLRDHUP);
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	show_poll("poll after its RST", fd, POLLERR);
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	R("recv", recv(fd, buf, 10, 0));
	show_all(fd);
}

static void peer_closes_unread(void)
{
	int fd = peer_conn("c");

	R("send", send_bytes(fd, 100, 0));
	await_acked(fd);
	peer("send c 100");
	peer("close c");
	show_poll("poll", fd, POLLERR);
	R("recv", recv(fd, buf, 60, 0));
	R("recv", recv(fd, buf, 60, 0));
	R("recv", recv(fd, buf, 60, 0));
	R("recv", recv(fd, buf, 60, 0));
	show_all(fd);
}

static void reset_recv(void)
{
	int fd = peer_conn("c");

	peer("rst c");
	show_poll("poll", fd, POLLERR);
	R("recv", recv(fd, buf, 10, 0));
	R("recv", recv(fd, buf, 10, 0));
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	show_name("getpeername", fd, true);
	show_name("getsockname", fd, false);
	show_all(fd);
	R("connect", conn4(fd));
	show_poll("poll", fd, POLLOUT);
}

static void reset_send(void)
{
	int fd = peer_conn("c");

	peer("rst c");
	poll_for(fd, POLLERR, 4000);
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	R("recv", recv(fd, buf, 10, 0));
	show_all(fd);
}

static void reset_error(void)
{
	int fd = peer_conn("c");

	peer("rst c");
	poll_for(fd, POLLERR, 4000);
	R("getsockopt SO_ERROR", get_int(fd, SOL_SOCKET, SO_ERROR));
	show_poll("poll", fd, POLLHUP);
	R("recv", recv(fd, buf, 10, 0));
	R("send", send(fd, buf, 10, MSG_NOSIGNAL));
	R("ioctl FIONREAD", ioctl(fd, FIONREAD, buf));
	R("shutdown", shutdown(fd, SHUT_RDWR));
	R("connect", conn4(fd));
}

static void reset_unread(void)
{
	int fd = peer_conn("c");

	peer("send c 100");
	await_bytes(fd, 100);
	peer("rst c");
	show_poll("poll", fd, POLLERR);
	R("recv", recv(fd, buf, 60, 0));
	R("recv", recv(fd, buf, 60, 0));
	R("recv", recv(fd, buf, 60, 0));
	R("recv", recv(fd, buf, 60, 0));
}

static void reset_after_fin(void)
{
	int fd = peer_conn("c");

	peer("shut c");
	show_poll("poll after its FIN", fd, POLLRDHUP);
	peer("rst c");
	show_poll("poll after its RST", fd, POLLHUP);
	R("recv", recv(fd, buf, 60, 0));
	R("recv", recv(fd, buf, 60, 0));
	show_all(fd);
}

static void reset_after_shut(void)
{
	int fd = peer_conn("c");

	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	R("peer", peer("count c"));
	peer("rst c");
	show_poll("poll", fd, POLLHUP);
	show_all(fd);
}

static void close_orderly(void)
{
	int fd = peer_conn("c");

	R("send", send_bytes(fd, 100000, MSG_DONTWAIT) > 0);
	R("close", close(fd));
	R("peer", peer("count c") > 0);
}

static void close_unread(void)
{
	int fd = peer_conn("c");

	peer("send c 100");
	await_bytes(fd, 100);
	R("send", send_bytes(fd, 100, 0));
	await_acked(fd);
	R("close", close(fd));
	R("peer", peer("count c"));
}

static void close_some_unread(void)
{
	int fd = peer_conn("c");

	peer("send c 100");
	await_bytes(fd, 100);
	R("recv", recv(fd, buf, 50, 0));
	R("close", close(fd));
	R("peer", peer("count c"));
}

static void close_all_read(void)
{
	int fd = peer_conn("c");

	peer("send c 100");
	await_bytes(fd, 100);
	R("recv", recv(fd, buf, 100, 0));
	R("close", close(fd));
	R("peer", peer("count c"));
}

static void linger_zero(void)
{
	int fd = peer_conn("c");

	R("setsockopt SO_LINGER", set_linger(fd, 1, 0));
	R("close", close(fd));
	R("peer", peer("count c"));
	fd = peer_conn("d");
	R("setsockopt SO_LINGER", set_linger(fd, 1, 0));
	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	R("peer", peer("count d"));
	R("close", close(fd));
	R("peer sends", peer("send d 10"));
	R("peer", peer("count d"));
}

static void linger_some(void)
{
	int fd = peer_conn("c");

	R("setsockopt SO_LINGER", set_linger(fd, 1, 5));
	R("send", send_bytes(fd, 1000, 0));
	R("close", close(fd));
	R("peer", peer("count c"));
	fd = peer_conn("d");
	R("setsockopt SO_LINGER off", set_linger(fd, 0, 5));
	R("close", close(fd));
	R("peer", peer("count d"));
}

static void linger_values(void)
{
	struct linger l = {};
	socklen_t len = sizeof(l);
	int fd = sock4();

	R("setsockopt SO_LINGER short", setsockopt(fd, SOL_SOCKET, SO_LINGER,
						   &l, 4));
	R("setsockopt SO_LINGER -1", set_linger(fd, 1, -1));
	R("getsockopt SO_LINGER", getsockopt(fd, SOL_SOCKET, SO_LINGER, &l,
					     &len));
	say("its value", "%d", l.l_onoff);
	R("setsockopt SO_LINGER", set_linger(fd, 7, 9));
	R("getsockopt SO_LINGER", getsockopt(fd, SOL_SOCKET, SO_LINGER, &l,
					     &len));
	say("its value", "%d %d length %u", l.l_onoff, l.l_linger, len);
}

static void close_twice(void)
{
	int fd = peer_conn("c"), two = dup(fd);

	R("close", close(fd));
	R("close again", close(fd));
	R("send on the copy", send_bytes(two, 100, 0));
	R("peer", peer("drop c 100"));
	R("shutdown the copy", shutdown(two, SHUT_RDWR));
	R("peer", peer("count c"));
	R("recv on what was closed", recv(fd, buf, 1, 0));
	R("send on what was closed", send(fd, buf, 1, MSG_NOSIGNAL));
}

static void both_at_once(void)
{
	int fd = peer_conn("c");

	R("shutdown SHUT_WR", shutdown(fd, SHUT_WR));
	peer("shut c");
	show_poll("poll", fd, POLLHUP);
	R("recv", recv(fd, buf, 10, 0));
	R("peer", peer("count c"));
	show_all(fd);
}

THEME(ends)
	{ "shutdown_wr", shut_wr },
	{ "shutdown_rd", shut_rd },
	{ "shutdown_rd_unread", shut_rd_unread },
	{ "shutdown_rdwr", shut_rdwr },
	{ "shutdown_bad", shut_bad },
	{ "peer_shutdown", peer_ends },
	{ "peer_close", peer_closes },
	{ "peer_close_unread", peer_closes_unread },
	{ "reset_recv", reset_recv },
	{ "reset_send", reset_send },
	{ "reset_so_error", reset_error },
	{ "reset_unread", reset_unread },
	{ "reset_after_fin", reset_after_fin },
	{ "reset_after_shutdown", reset_after_shut },
	{ "close_orderly", close_orderly },
	{ "close_unread", close_unread },
	{ "close_some_unread", close_some_unread },
	{ "close_all_read", close_all_read },
	{ "linger_zero", linger_zero },
	{ "linger_some", linger_some },
	{ "linger_values", linger_values },
	{ "close_copies", close_twice },
	{ "both_end", both_at_once },
THEME_END(ends);
