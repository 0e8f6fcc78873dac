// SPDX-License-Identifier: GPL-2.0
/*
 * The other end of the connections of pvsem, pvpoll, pvlisten, pvlocal and
 * pvlife. What a connection is for says the first line that comes on it:
 *
 *   echo       sends back what comes
 *   sink       reads until the end, then says how much it was
 *   source N   sends N bytes and closes
 *   flood      sends for ever, and reads what comes
 *   rst        resets it
 *   close      closes it
 *   hold WHO.KEY  leaves it alone; orders name it by KEY
 *   ctl WHO    orders, a line each, answered by "VALUE EXTRA", errors negative;
 *              when it ends, all that WHO holds is closed
 *
 * Orders:
 *   send KEY N, recv KEY N    bytes that pattern_at() gives, in a row
 *   drain KEY                 reads until the end: bytes, or the error
 *   drop KEY N                reads N bytes, whatever they are
 *   count KEY                 reads until the end, whatever comes
 *   oob KEY N                 sends N bytes, the last of them urgent
 *   shut KEY                  ends what we send
 *   close KEY, rst KEY
 *   port KEY                  its peer's port
 *   dial KEY ADDRESS PORT     connects: 0, our port
 *   listen KEY ADDRESS PORT   a listener: its port
 *   hole KEY ADDRESS          a port that never answers
 *
 * On the port after it, it speaks first: 1000 bytes, then it echoes.
 */
#define _GNU_SOURCE
#include "sem.h"

#define KEYS	4096

struct held {
	char key[80];
	int fd;
	uint64_t sent, got;
};

static struct held held[KEYS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static in_addr_t speaks_first_port;

static struct held *find(const char *key)
{
	int i;

	for (i = 0; i < KEYS; i++)
		if (!strcmp(held[i].key, key))
			return &held[i];
	return NULL;
}

static void hold(const char *key, int fd)
{
	struct timeval tv = { .tv_sec = 25 };
	struct held *h;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	pthread_mutex_lock(&lock);
	h = find(key);
	if (h)
		close(h->fd);
	else
		h = find("");
	if (!h) {
		fprintf(stderr, "pvpeer: too many keys\n");
		exit(2);
	}
	snprintf(h->key, sizeof(h->key), "%s", key);
	h->fd = fd;
	h->sent = 0;
	h->got = 0;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Waits until the connection has come. */
static struct held *await(const char *key)
{
	struct timespec limit;
	struct held *h;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 20;
	pthread_mutex_lock(&lock);
	while (!(h = find(key)))
		if (pthread_cond_timedwait(&changed, &lock, &limit))
			break;
	pthread_mutex_unlock(&lock);
	return h;
}

static long drop(struct held *h, bool reset)
{
	struct linger linger = { .l_onoff = 1 };
	int fd = h->fd;

	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	pthread_mutex_lock(&lock);
	h->key[0] = 0;
	h->fd = -1;
	pthread_mutex_unlock(&lock);
	return RC(close(fd));
}

static void drop_all(const char *who)
{
	size_t len = strlen(who);
	bool its;
	int i;

	for (i = 0; i < KEYS; i++) {
		pthread_mutex_lock(&lock);
		its = !strncmp(held[i].key, who, len) &&
		      held[i].key[len] == '.';
		pthread_mutex_unlock(&lock);
		if (its)
			drop(&held[i], false);
	}
}

static long order_recv(struct held *h, uint64_t n)
{
	long ret = get_bytes(h->fd, n, h->got);

	if (ret > 0)
		h->got += ret;
	return ret;
}

static long order_drain(struct held *h)
{
	long ret, all = 0;

	do {
		ret = order_recv(h, 65536);
		all += ret;
	} while (ret > 0 && ret == 65536);
	return ret < 0 ? ret : all;
}

/* Reads at most @n bytes: how many, or the error that came instead of more. */
static long order_drop(struct held *h, uint64_t n, bool to_end)
{
	static __thread char buf[65536];
	uint64_t done = 0;
	ssize_t ret = 1;

	while (done < n && ret > 0) {
		ret = recv(h->fd, buf, n - done < sizeof(buf) ? n - done :
			   sizeof(buf), 0);
		if (ret > 0)
			done += ret;
	}
	return ret < 0 && (to_end || !done) ? -errno : (long)done;
}

static long parse(const char *text, int port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *a6 = (void *)ss;
	struct sockaddr_in *a4 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	a4->sin_port = htons(port);
	if (inet_pton(AF_INET, text, &a4->sin_addr) == 1) {
		ss->ss_family = AF_INET;
		return sizeof(*a4);
	}
	ss->ss_family = AF_INET6;
	return inet_pton(AF_INET6, text, &a6->sin6_addr) == 1 ? sizeof(*a6) :
								-EINVAL;
}

static long dial(const char *key, const char *address, int port, long *extra)
{
	struct sockaddr_storage ss;
	socklen_t len = parse(address, port, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0);
	struct timeval tv = { .tv_sec = 10 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (fd < 0 || connect(fd, (void *)&ss, len)) {
		long ret = -errno;

		close(fd);
		return ret;
	}
	len = sizeof(ss);
	getsockname(fd, (void *)&ss, &len);
	*extra = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	hold(key, fd);
	return 0;
}

static long start_listen(const char *key, const char *address, int port,
			 int backlog)
{
	struct sockaddr_storage ss;
	socklen_t len = parse(address, port, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (void *)&ss, len) || listen(fd, backlog)) {
		long ret = -errno;

		close(fd);
		return ret;
	}
	len = sizeof(ss);
	getsockname(fd, (void *)&ss, &len);
	hold(key, fd);
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

/* A listener with a full queue lets SYNs drop. */
static long hole(const char *key, const char *address)
{
	long port = start_listen(key, address, 0, 0);
	struct sockaddr_storage ss;
	socklen_t len;
	char name[90];
	int i;

	len = parse(address, port, &ss);
	for (i = 0; port > 0 && i < 4; i++) {
		int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

		snprintf(name, sizeof(name), "%s.%d", key, i);
		hold(name, fd);
		if (fd < 0 || !connect(fd, (void *)&ss, len))
			continue;
		if (!(poll_now(fd, POLLOUT, 300) & POLLOUT))
			return port;
	}
	return port > 0 ? -EIO : port;
}

static long order_keyed(const char *op, const char *key, const char *arg)
{
	struct held *h = await(key);
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint64_t n = strtoull(arg, NULL, 0);
	long ret;

	if (!h)
		return -ENOENT;
	if (!strcmp(op, "send")) {
		ret = put_bytes(h->fd, n, h->sent);
		if (ret > 0)
			h->sent += ret;
		return ret;
	}
	if (!strcmp(op, "recv"))
		return order_recv(h, n);
	if (!strcmp(op, "drain"))
		return order_drain(h);
	if (!strcmp(op, "drop"))
		return order_drop(h, n, false);
	if (!strcmp(op, "count"))
		return order_drop(h, UINT64_MAX, true);
	if (!strcmp(op, "oob"))
		return RC(send(h->fd, "0123456789", n, MSG_OOB | MSG_NOSIGNAL));
	if (!strcmp(op, "shut"))
		return RC(shutdown(h->fd, SHUT_WR));
	if (!strcmp(op, "close"))
		return drop(h, false);
	if (!strcmp(op, "rst"))
		return drop(h, true);
	if (!strcmp(op, "port")) {
		if (getpeername(h->fd, (void *)&ss, &len))
			return -errno;
		return ntohs(((struct sockaddr_in *)&ss)->sin_port);
	}
	return -ENOSYS;
}

static long order(const char *who, const char *line, long *extra)
{
	char op[16] = "", name[32] = "", a[64] = "", b[16] = "", key[80];

	if (sscanf(line, "%15s %31s %63s %15s", op, name, a, b) < 2)
		return -EINVAL;
	snprintf(key, sizeof(key), "%s.%s", who, name);
	if (!strcmp(op, "dial"))
		return dial(key, a, atoi(b), extra);
	if (!strcmp(op, "listen"))
		return start_listen(key, a, atoi(b), 16);
	if (!strcmp(op, "hole"))
		return hole(key, a);
	return order_keyed(op, key, a);
}

static bool get_line(int fd, char *line, size_t len)
{
	size_t n;

	for (n = 0; n < len; n++) {
		if (recv(fd, line + n, 1, 0) != 1)
			return false;
		if (line[n] == '\n') {
			line[n] = 0;
			return true;
		}
	}
	return false;
}

static void serve_ctl(int fd, const char *who)
{
	char line[200], answer[80];

	while (get_line(fd, line, sizeof(line))) {
		long extra = 0;
		long ret = order(who, line, &extra);
		int n = snprintf(answer, sizeof(answer), "%ld %ld\n", ret,
				 extra);

		if (send(fd, answer, n, MSG_NOSIGNAL) != n)
			break;
	}
	drop_all(who);
}

static void serve_echo(int fd)
{
	char buf[65536];
	ssize_t n, done, ret;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		for (done = 0; done < n; done += ret) {
			ret = send(fd, buf + done, n - done, MSG_NOSIGNAL);
			if (ret < 0)
				return;
		}
	}
}

static void serve_sink(int fd)
{
	char buf[65536], answer[40];
	long all = 0, n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		all += n;
	n = snprintf(answer, sizeof(answer), "%ld\n", all);
	send(fd, answer, n, MSG_NOSIGNAL);
}

static void *serve_reader(void *arg)
{
	char buf[65536];
	int fd = (intptr_t)arg;

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	shutdown(fd, SHUT_RDWR);
	return NULL;
}

static void serve_flood(int fd)
{
	pthread_t reader;
	uint64_t at = 0;
	long n;

	pthread_create(&reader, NULL, serve_reader, (void *)(intptr_t)fd);
	while ((n = put_bytes(fd, 65536, at)) > 0)
		at += n;
	shutdown(fd, SHUT_RDWR);
	pthread_join(reader, NULL);
}

static void *serve(void *arg)
{
	struct linger linger = { .l_onoff = 1 };
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd = (intptr_t)arg;
	char line[80];

	getsockname(fd, (void *)&a, &len);
	if (a.sin_port == speaks_first_port) {
		put_bytes(fd, 1000, 0);
		serve_echo(fd);
		goto out;
	}
	if (!get_line(fd, line, sizeof(line)))
		goto out;
	if (!strncmp(line, "hold ", 5)) {
		hold(line + 5, fd);
		return NULL;
	}
	if (!strncmp(line, "ctl ", 4))
		serve_ctl(fd, line + 4);
	else if (!strcmp(line, "echo"))
		serve_echo(fd);
	else if (!strcmp(line, "sink"))
		serve_sink(fd);
	else if (!strncmp(line, "source ", 7))
		put_bytes(fd, strtoull(line + 7, NULL, 0), 0);
	else if (!strcmp(line, "flood"))
		serve_flood(fd);
	else if (!strcmp(line, "rst"))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	else if (strcmp(line, "close"))
		fprintf(stderr, "pvpeer: what is \"%s\"?\n", line);
out:
	close(fd);
	return NULL;
}

static void *serve_port(void *arg)
{
	int l = (intptr_t)arg;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 512 * 1024);
	for (;;) {
		int fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		if (pthread_create(&thread, &attr, serve,
				   (void *)(intptr_t)fd))
			close(fd);
	}
	return NULL;
}

static int open_port(const char *address, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = parse(address, port, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0);

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* little room, so that a sender soon has none */
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 65536);
	if (bind(fd, (void *)&ss, len) || listen(fd, 512)) {
		perror("pvpeer: bind");
		exit(2);
	}
	return fd;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int port, first, second;

	if (argc != 3) {
		fprintf(stderr,
			"usage: pvpeer ADDRESS PORT\n"
			"The other end for pvsem, pvpoll, pvlisten, pvlocal and pvlife; also takes PORT+1.\n"
			"Says \"ready\" when it listens.\n");
		return argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
	}
	signal(SIGPIPE, SIG_IGN);
	port = atoi(argv[2]);
	speaks_first_port = htons(port + 1);
	first = open_port(argv[1], port);
	second = open_port(argv[1], port + 1);
	puts("ready");
	fflush(stdout);
	pthread_create(&thread, NULL, serve_port, (void *)(intptr_t)second);
	serve_port((void *)(intptr_t)first);
	return 0;
}
