// SPDX-License-Identifier: GPL-2.0
/* ioctl() */
#define _GNU_SOURCE
#include "conform.h"
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/stat.h>

static char buf[65536];

static void show(int fd, const char *name, unsigned long cmd, bool value)
{
	char label[60];
	int v = -7;
	long ret;

	snprintf(label, sizeof(label), "ioctl %s", name);
	step(label);
	ret = RC(ioctl(fd, cmd, &v));
	if (ret < 0)
		said(label, ret);
	else if (value)
		say(label, "%ld value %d", ret, v);
	else
		say(label, "%ld", ret);
}

static void queues(int fd)
{
	show(fd, "FIONREAD", FIONREAD, true);
	show(fd, "SIOCOUTQ", SIOCOUTQ, true);
	show(fd, "SIOCOUTQNSD", SIOCOUTQNSD, true);
	show(fd, "SIOCATMARK", SIOCATMARK, true);
}

static void queue_sizes(void)
{
	int fd = sock4(), port, l = listener(AF_INET, 0, &port);

	queues(fd);
	queues(l);
	R("connect", conn4(fd));
	queues(fd);
	peer_hold(fd, "c");
	await_acked(fd);
	queues(fd);
	peer("send c 100");
	await_bytes(fd, 100);
	queues(fd);
	R("recv", recv(fd, buf, 30, 0));
	show(fd, "FIONREAD", FIONREAD, true);
	peer("shut c");
	poll_for(fd, POLLRDHUP, 4000);
	show(fd, "FIONREAD", FIONREAD, true);
	R("recv", recv(fd, buf, 100, 0));
	show(fd, "FIONREAD", FIONREAD, true);
	peer("rst c");
	poll_for(fd, POLLHUP, 4000);
	queues(fd);
}

static void out_queue(void)
{
	int fd = peer_conn("c"), left = -1;
	long n = fill(fd);

	R("ioctl SIOCOUTQ", ioctl(fd, SIOCOUTQ, &left));
	R("something is unsent", left > 0);
	R("ioctl SIOCOUTQNSD", ioctl(fd, SIOCOUTQNSD, &left));
	R("peer", peer("drop c %ld", n) == n);
	await_acked(fd);
	show(fd, "SIOCOUTQ", SIOCOUTQ, true);
	show(fd, "SIOCOUTQNSD", SIOCOUTQNSD, true);
	R("shutdown", shutdown(fd, SHUT_WR));
	R("peer", peer("count c"));
	await_acked(fd);
	show(fd, "SIOCOUTQ after FIN", SIOCOUTQ, true);
}

static void modes(void)
{
	int fd = peer_conn("c"), on = 1, off = 0;

	R("ioctl FIONBIO", ioctl(fd, FIONBIO, &on));
	R("fcntl F_GETFL", fcntl(fd, F_GETFL));
	R("recv", recv(fd, buf, 1, 0));
	R("ioctl FIONBIO off", ioctl(fd, FIONBIO, &off));
	R("ioctl FIOASYNC", ioctl(fd, FIOASYNC, &on));
	R("fcntl F_GETFL", fcntl(fd, F_GETFL));
	R("ioctl FIOASYNC off", ioctl(fd, FIOASYNC, &off));
	R("ioctl FIOCLEX", ioctl(fd, FIOCLEX));
	R("fcntl F_GETFD", fcntl(fd, F_GETFD));
	R("ioctl FIONCLEX", ioctl(fd, FIONCLEX));
	on = getpid();
	R("ioctl FIOSETOWN", ioctl(fd, FIOSETOWN, &on));
	off = 0;
	R("ioctl SIOCGPGRP", ioctl(fd, SIOCGPGRP, &off));
	R("it is us", off == getpid());
}

static void others(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = peer_conn("c"), v = 0;

	show(fd, "0x1234", 0x1234, false);
	show(fd, "TIOCGWINSZ", TIOCGWINSZ, false);
	show(fd, "FIGETBSZ", 2, false);
	show(fd, "SIOCGSTAMP", SIOCGSTAMP, false);
	R("ioctl SIOCGIFFLAGS", ioctl(fd, SIOCGIFFLAGS, &ifr));
	R("ioctl SIOCGIFINDEX", ioctl(fd, SIOCGIFINDEX, &ifr));
	R("ioctl SIOCGIFMTU", ioctl(fd, SIOCGIFMTU, &ifr));
	R("ioctl SIOCETHTOOL", ioctl(fd, SIOCETHTOOL, &ifr));
	R("ioctl SIOCPROTOPRIVATE", ioctl(fd, SIOCPROTOPRIVATE, &v));
	R("ioctl SIOCADDRT", ioctl(fd, SIOCADDRT, NULL));
	R("ioctl FIONREAD bad pointer", ioctl(fd, FIONREAD, 1));
	R("ioctl SIOCOUTQ bad pointer", ioctl(fd, SIOCOUTQ, 1));
	R("ioctl SIOCOUTQNSD bad pointer", ioctl(fd, SIOCOUTQNSD, 1));
	R("ioctl SIOCATMARK bad pointer", ioctl(fd, SIOCATMARK, 1));
}

THEME(ioctls)
	{ "ioctl_queues", queue_sizes },
	{ "ioctl_out_queue", out_queue },
	{ "ioctl_modes", modes },
	{ "ioctl_others", others },
THEME_END(ioctls);
