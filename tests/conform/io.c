// SPDX-License-Identifier: GPL-2.0
/* What cases do often. */
#define _GNU_SOURCE
#include "conform.h"
#include <linux/sockios.h>

int get_int(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) ? -errno : value;
}

int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

int set_time(int fd, int name, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, name, &tv, sizeof(tv));
}

int set_linger(int fd, int on, int seconds)
{
	struct linger l = { .l_onoff = on, .l_linger = seconds };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

void set_nonblock(int fd, bool on)
{
	int mode = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? mode | O_NONBLOCK : mode & ~O_NONBLOCK);
}

#define ALL_EVENTS (POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | \
		    POLLWRNORM | POLLRDBAND | POLLWRBAND)

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int poll_for(int fd, short want, int ms)
{
	struct pollfd p = { .fd = fd, .events = want };
	double end = now() + ms / 1000.0;

	/* one of them wakes us; what follows it need not wake anybody */
	if (want && poll(&p, 1, ms) < 0)
		return -errno;
	for (;;) {
		p.events = ALL_EVENTS;
		if (poll(&p, 1, 0) < 0)
			return -errno;
		if ((p.revents & want) == want || now() >= end)
			return p.revents;
		usleep(1000);
	}
}

const char *poll_names(unsigned int events)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} names[] = {
		{ POLLIN, "IN" }, { POLLOUT, "OUT" }, { POLLPRI, "PRI" },
		{ POLLERR, "ERR" }, { POLLHUP, "HUP" }, { POLLNVAL, "NVAL" },
		{ POLLRDHUP, "RDHUP" }, { POLLRDNORM, "RDNORM" },
		{ POLLWRNORM, "WRNORM" }, { POLLRDBAND, "RDBAND" },
		{ POLLWRBAND, "WRBAND" },
	};
	static char text[120];
	size_t i;

	text[0] = 0;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(events & names[i].bit))
			continue;
		if (text[0])
			strcat(text, "|");
		strcat(text, names[i].name);
	}
	return text[0] ? text : "none";
}

void show_poll(const char *label, int fd, short want)
{
	int got;

	step(label);
	got = poll_for(fd, want, 4000);
	if (got < 0)
		said(label, got);
	else
		say(label, "%s", poll_names(got));
}

void show_epoll(const char *label, int ep, int ms)
{
	struct epoll_event e[8];
	char text[200] = "";
	int i, n;

	step(label);
	n = RC(epoll_wait(ep, e, 8, ms));
	for (i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " %d:%s", e[i].data.fd, poll_names(e[i].events));
	if (n < 0)
		said(label, n);
	else
		say(label, "%d%s", n, text);
}

void await_bytes(int fd, int n)
{
	double end = now() + 4;
	int have = 0;

	while (!ioctl(fd, FIONREAD, &have) && have < n && now() < end)
		usleep(1000);
}

void await_acked(int fd)
{
	double end = now() + 4;
	int left = 0;

	while (!ioctl(fd, SIOCOUTQ, &left) && left && now() < end)
		usleep(1000);
}

static unsigned char byte_at(long i)
{
	return i * 7 + (i >> 8) * 31 + (i >> 16) * 17;
}

long send_bytes(int fd, long n, int flags)
{
	char buf[65536];
	long i, done = 0, ret;

	while (done < n) {
		long part = n - done < (long)sizeof(buf) ? n - done :
							   (long)sizeof(buf);

		for (i = 0; i < part; i++)
			buf[i] = byte_at(done + i);
		ret = send(fd, buf, part, flags | MSG_NOSIGNAL);
		if (ret < 0)
			return done ? done : ret;
		done += ret;
	}
	return done;
}

long recv_bytes(int fd, long n, int flags)
{
	char buf[65536];
	long done = 0, ret;

	while (done < n) {
		long part = n - done < (long)sizeof(buf) ? n - done :
							   (long)sizeof(buf);

		ret = recv(fd, buf, part, flags);
		if (ret < 0)
			return done ? done : ret;
		if (!ret)
			break;
		done += ret;
	}
	return done;
}

long recv_all(int fd)
{
	char buf[65536];
	long done = 0, n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		done += n;
	return n < 0 ? n : done;
}

long fill(int fd)
{
	static char buf[65536];
	size_t len = sizeof(buf);
	long done = 0, n;

	for (;;) {
		n = RC(send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL));
		if (n > 0)
			done += n;
		else if (n != -EAGAIN)
			return n;
		/* the stack below may yet take some from us */
		else if (poll(&(struct pollfd){ .fd = fd, .events = POLLOUT },
			      1, 300) > 0)
			len = sizeof(buf);
		else if (len == 1)
			return done;
		else
			len = 1;
	}
}

void hex(const char *label, const void *p, size_t n)
{
	const unsigned char *b = p;
	char text[100] = "";
	size_t i;

	for (i = 0; i < n && i < 40; i++)
		sprintf(text + 2 * i, "%02x", b[i]);
	say(label, "%s", text);
}

/* ---- threads ---- */

void wait_asleep(pid_t pid, pid_t tid)
{
	double end = now() + 10;
	char path[64], text[256], *p;
	int asleep = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	while (asleep < 3 && now() < end) {
		f = fopen(path, "r");
		if (!f)
			return;
		p = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
		fclose(f);
		asleep = p && p[2] == 'S' ? asleep + 1 : 0;
		usleep(5000);
	}
}

static void *blocked_main(void *arg)
{
	struct blocked *b = arg;

	b->tid = gettid();
	b->ret = b->call(b);
	return NULL;
}

void blocked_start(struct blocked *b, int fd, long (*call)(struct blocked *))
{
	b->fd = fd;
	b->call = call;
	b->tid = 0;
	pthread_create(&b->thread, NULL, blocked_main, b);
	while (!b->tid)
		usleep(1000);
	wait_asleep(getpid(), b->tid);
}

long blocked_end(const char *label, struct blocked *b)
{
	step(label);
	pthread_join(b->thread, NULL);
	return said(label, b->ret);
}

long in_recv(struct blocked *b)
{
	char buf[100];

	return RC(recv(b->fd, buf, sizeof(buf), 0));
}

long in_send(struct blocked *b)
{
	static char buf[1 << 20];
	long n;

	do {
		n = RC(send(b->fd, buf, sizeof(buf), MSG_NOSIGNAL));
	} while (n == sizeof(buf));
	/* how much has gone is the buffers' affair */
	return n > 0 ? 1 : n;
}

long in_accept(struct blocked *b)
{
	long fd = RC(accept(b->fd, NULL, NULL));

	if (fd >= 0 && b->arg)
		*(int *)b->arg = fd;
	return fd >= 0 ? 0 : fd;
}

long in_connect(struct blocked *b)
{
	return RC(connect(b->fd, b->arg, sizeof(struct sockaddr_in)));
}

long in_poll(struct blocked *b)
{
	struct pollfd p = { .fd = b->fd, .events = POLLIN };
	int ret = poll(&p, 1, 10000);

	return ret < 0 ? -errno : p.revents;
}
