/* SPDX-License-Identifier: GPL-2.0 */
/* The second half of sem.h: orders to pvpeer, and what checks do often. */
#ifndef PV_SEMIO_H
#define PV_SEMIO_H

/* ---- pvpeer ---- */

static inline int peer_connect(const char *line)
{
	int fd = GET("socket to pvpeer", socket(AF_INET, SOCK_STREAM, 0));

	MUST("connect to pvpeer", 0,
	     connect(fd, (void *)&sem_addr, sizeof(sem_addr)));
	MUST("first line to pvpeer", strlen(line),
	     send(fd, line, strlen(line), MSG_NOSIGNAL));
	return fd;
}

/* An order to pvpeer, see there: the answer's first number; sem_extra: second */
static inline long __attribute__((format(printf, 1, 2)))
peer(const char *fmt, ...)
{
	const char *step = sem_step;
	static char what[120];
	char line[200];
	va_list ap;
	long ret;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	snprintf(what, sizeof(what), "pvpeer: %.100s", line);
	if (sem_ctl < 0) {
		char ctl[60];

		snprintf(ctl, sizeof(ctl), "ctl %s\n", order_who());
		sem_ctl = peer_connect(ctl);
	}
	sem_step = what;
	if (!order_give(sem_ctl, line, sizeof(line), &ret, &sem_extra))
		return -EPIPE;
	errno = ret < 0 ? -ret : 0;
	sem_step = step;
	return ret;
}

/* A connection that pvpeer does nothing with but on orders for @key */
static inline int peer_hold(const char *key)
{
	char line[100];

	snprintf(line, sizeof(line), "hold %s.%s\n", order_who(), key);
	return peer_connect(line);
}

static inline const char *peer_ip(void)
{
	static char text[INET_ADDRSTRLEN];

	return inet_ntop(AF_INET, &sem_addr.sin_addr, text, sizeof(text));
}

/* ---- small things ---- */

static inline int port_at(int fd)
{
	struct sockaddr_in a = {};
	socklen_t len = sizeof(a);

	MUST("getsockname", 0, getsockname(fd, (void *)&a, &len));
	return ntohs(a.sin_port);
}

/* An address whose port nobody had a moment ago */
static inline struct sockaddr_in free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));

	MUST("bind", 0, bind(fd, (void *)&a, sizeof(a)));
	a.sin_port = htons(port_at(fd));
	close(fd);
	return a;
}

static inline short poll_now(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int ret = poll(&p, 1, ms);

	return ret < 0 ? -errno : p.revents;
}

/* Reads up to @len bytes whose first is number @at; all must be right. */
static inline long get_bytes(int fd, size_t len, uint64_t at)
{
	static __thread char buf[65536];
	size_t done = 0;
	ssize_t n;
	long bad;

	while (done < len) {
		size_t part = len - done < sizeof(buf) ? len - done :
							 sizeof(buf);

		n = recv(fd, buf, part, 0);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		bad = pattern_bad(buf, n, at + done);
		if (bad >= 0) {
			sem_fail("byte %ld is wrong", bad);
			return -EILSEQ;
		}
		done += n;
	}
	return done;
}

static inline long put_bytes(int fd, size_t len, uint64_t at)
{
	static __thread char buf[65536];
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		size_t part = len - done < sizeof(buf) ? len - done :
							 sizeof(buf);

		pattern_fill(buf, part, at + done);
		n = send(fd, buf, part, MSG_NOSIGNAL);
		if (n < 0)
			return done ? (long)done : -errno;
		done += n;
	}
	return done;
}

/* Fills a connection that nobody reads: how many bytes went in. */
static inline long fill(int fd)
{
	static char buf[65536];
	long done = 0, n;
	bool last = false;

	for (;;) {
		pattern_fill(buf, sizeof(buf), done);
		n = RC(send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL));
		if (n != -EAGAIN && n <= 0)
			return n;
		if (n > 0)
			done += n;
		else if (last)
			return done;
		/* the stack below may yet take some, and not say so */
		last = n < 0 && !(poll_now(fd, POLLOUT, 300) & POLLOUT);
	}
}

static inline void set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

static inline int get_int(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) ? -errno : value;
}

static inline int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static inline int set_time(int fd, int name, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, name, &tv, sizeof(tv));
}

/* A listener on any address and @port; the port that it got */
static inline int listen_any(int family, int flags, int *port)
{
	struct sockaddr_in6 a6 = { .sin6_family = family };
	struct sockaddr_in *a4 = (void *)&a6;
	socklen_t len = sizeof(a6);
	int fd = GET("socket", socket(family, SOCK_STREAM | flags, 0));

	a4->sin_port = htons(*port);
	MUST("bind", 0, bind(fd, (void *)&a6, family == AF_INET ?
			     sizeof(*a4) : sizeof(a6)));
	MUST("listen", 0, listen(fd, 128));
	MUST("getsockname", 0, getsockname(fd, (void *)&a6, &len));
	*port = ntohs(a4->sin_port);
	return fd;
}

/* A thread that is in a call: waits until it sleeps there. */
static inline void wait_asleep(pid_t tid)
{
	char path[64], line[256], *p;
	int asleep = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	while (asleep < 3) {
		f = fopen(path, "r");
		if (!f)
			return;
		p = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
		fclose(f);
		asleep = p && p[2] == 'S' ? asleep + 1 : 0;
		usleep(10000);
	}
}

/* A blocking call in a thread of its own */
struct blocked {
	long (*call)(struct blocked *b);
	int fd;
	long ret;
	double took;
	pthread_t thread;
	volatile pid_t tid;
	volatile bool done;
};

static inline void *blocked_main(void *arg)
{
	struct blocked *b = arg;
	double begin = now();

	b->tid = gettid();
	b->ret = b->call(b);
	b->took = now() - begin;
	b->done = true;
	return NULL;
}

static inline void blocked_begin(struct blocked *b, int fd,
				 long (*call)(struct blocked *))
{
	memset(b, 0, sizeof(*b));
	b->fd = fd;
	b->call = call;
	pthread_create(&b->thread, NULL, blocked_main, b);
}

static inline void blocked_start(struct blocked *b, int fd,
				 long (*call)(struct blocked *))
{
	blocked_begin(b, fd, call);
	while (!b->tid)
		usleep(1000);
	wait_asleep(b->tid);
}

static inline long blocked_end(struct blocked *b, const char *what)
{
	sem_step = what;
	pthread_join(b->thread, NULL);
	errno = b->ret < 0 ? -b->ret : 0;
	return b->ret;
}

#endif
