// SPDX-License-Identifier: GPL-2.0
/*
 * Holds a life full of sockets until something takes them all away: the
 * backend, the frontend's device, the network. Says "ready" when all of them
 * are at work, then waits for the first to end; from then on each of them must
 * end within --patience seconds, with an error that makes sense, and closing
 * them must not take longer either. Those that listen must not end: they come
 * back by themselves. One line for each.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <sys/epoll.h>

#include "sem.h"

#define CONNECTIONS_MAX	500

enum what { SEND, RECV, ACCEPT, CONNECT, POLL };

struct life {
	const char *name;
	enum what what;
	long (*live)(struct life *l);
	int fd, other;
	int index;
	bool stays;
	pthread_t thread;
	volatile pid_t tid;
	volatile long moved;
	long ret;
	double end;
	volatile bool ended;
};

static struct life lives[2 * CONNECTIONS_MAX + 20];
static int lives_n;
static struct sockaddr_in hole;

static long live_send(struct life *l)
{
	char buf[20000];
	long n;

	pattern_fill(buf, sizeof(buf), 0);
	for (;;) {
		/* sizes that wrap rings at all places */
		n = RC(send(l->fd, buf, 1 + l->moved % sizeof(buf),
			    MSG_NOSIGNAL));
		if (n <= 0)
			return n;
		l->moved += n;
	}
}

static long live_recv(struct life *l)
{
	char buf[30000];
	long n;

	while ((n = RC(recv(l->fd, buf, sizeof(buf), 0))) > 0)
		l->moved += n;
	return n;
}

static long live_accept(struct life *l)
{
	return RC(accept(l->fd, NULL, NULL));
}

static long live_connect(struct life *l)
{
	return RC(connect(l->fd, (void *)&hole, sizeof(hole)));
}

/* The error that is behind the event, or what comes without one */
static long after_event(int fd, long events)
{
	char byte;
	long ret;

	if (events < 0)
		return events;
	ret = -get_int(fd, SOL_SOCKET, SO_ERROR);
	if (ret)
		return ret;
	ret = RC(recv(fd, &byte, 1, MSG_DONTWAIT));
	/* a listener says so, and that is no end */
	return ret == -EAGAIN ? 1 : ret;
}

static long live_poll(struct life *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN | POLLRDHUP };
	int n = poll(&p, 1, -1);

	return n < 0 ? -errno : after_event(l->fd, p.revents);
}

static long live_poll_connect(struct life *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLOUT };
	int n = poll(&p, 1, -1);

	return n < 0 ? -errno : after_event(l->fd, p.revents);
}

static long live_epoll(struct life *l)
{
	struct epoll_event e;
	int n;

	/* saving the guest stops the process for a moment */
	do {
		n = epoll_wait(l->other, &e, 1, -1);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : after_event(l->fd, e.events);
}

static void *live(void *arg)
{
	struct life *l = arg;

	l->tid = gettid();
	l->ret = l->live(l);
	l->end = now();
	l->ended = true;
	return NULL;
}

static struct life *life(const char *name, int index, enum what what,
			 long (*func)(struct life *), int fd, int other)
{
	struct life *l = &lives[lives_n++];
	pthread_attr_t attr;

	l->name = name;
	l->index = index;
	l->what = what;
	l->live = func;
	l->fd = fd;
	l->other = other;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	MUST("thread", 0, pthread_create(&l->thread, &attr, live, l));
	while (!l->tid)
		usleep(1000);
	return l;
}

/* Does it make sense to end so? */
static bool sensible(const struct life *l)
{
	switch (-l->ret) {
	case ECONNRESET:
	case ENOTCONN:
		return true;
	case EPIPE:
		return l->what == SEND;
	case 0:
		return l->what == RECV || l->what == POLL;
	case ECONNABORTED:
		return l->what == CONNECT || l->what == POLL;
	case ECONNREFUSED:
	case ENETUNREACH:
		return l->what == CONNECT || l->what == POLL;
	}
	return false;
}

static void start(int connections)
{
	int i, fd, ep, port;
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET };
	struct life *sleeper[8];
	int sleepers = 0;

	for (i = 0; i < connections; i++) {
		fd = peer_connect("echo\n");
		life("send", i, SEND, live_send, fd, -1);
		life("recv", i, RECV, live_recv, fd, -1);
	}
	fd = peer_connect("flood\n");
	life("recv of a flood", 0, RECV, live_recv, fd, -1);
	fd = peer_hold("life_recv");
	sleeper[sleepers++] = life("blocked recv", 0, RECV, live_recv, fd, -1);
	fd = peer_hold("life_send");
	fill(fd);
	sleeper[sleepers++] = life("blocked send", 0, SEND, live_send, fd, -1);
	fd = peer_hold("life_poll");
	sleeper[sleepers++] = life("poll", 0, POLL, live_poll, fd, -1);
	fd = peer_hold("life_epoll");
	ep = GET("epoll_create", epoll_create1(0));
	MUST("EPOLL_CTL_ADD", 0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	sleeper[sleepers++] = life("epoll", 0, POLL, live_epoll, fd, ep);
	port = 0;
	fd = listen_any(AF_INET, 0, &port);
	sleeper[sleepers] = life("accept", 0, ACCEPT, live_accept, fd, -1);
	sleeper[sleepers++]->stays = true;
	port = 0;
	fd = listen_any(AF_INET, 0, &port);
	sleeper[sleepers] = life("poll of a listener", 0, POLL, live_poll, fd,
				 -1);
	sleeper[sleepers++]->stays = true;
	hole = sem_addr;
	port = GET("hole", peer("hole life_hole %s", peer_ip()));
	hole.sin_port = htons(port);
	fd = GET("socket", socket(AF_INET, SOCK_STREAM, 0));
	sleeper[sleepers++] = life("connect", 0, CONNECT, live_connect, fd, -1);
	fd = GET("socket", socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	EXPECT("connect", -EINPROGRESS,
	       connect(fd, (void *)&hole, sizeof(hole)));
	sleeper[sleepers++] = life("poll of a connect", 0, POLL,
				   live_poll_connect, fd, -1);
	for (i = 0; i < sleepers; i++)
		wait_asleep(sleeper[i]->tid);
	sem_step = "traffic on all connections";
	for (i = 0; i < 2 * connections; i++)
		while (lives[i].moved < 10000 && !lives[i].ended)
			usleep(10000);
}

static bool any_ended(void)
{
	int i;

	for (i = 0; i < lives_n; i++)
		if (lives[i].ended)
			return true;
	return false;
}

static int verdict(double patience)
{
	double first = 0, limit;
	int i, bad = 0;
	char name[64];

	while (!any_ended())
		usleep(1000);
	limit = now() + patience;
	for (i = 0; i < lives_n; i++)
		while (!lives[i].stays && !lives[i].ended && now() < limit)
			usleep(1000);
	for (i = 0; i < lives_n; i++)
		if (lives[i].ended && (!first || lives[i].end < first))
			first = lives[i].end;
	for (i = 0; i < lives_n; i++) {
		struct life *l = &lives[i];

		if (l->stays) {
			printf("%s%s %d: %s\n", l->ended ? "FAIL " : "",
			       l->name, l->index, l->ended ?
			       sem_name(l->ret, name, sizeof(name)) : "waits on");
			bad += l->ended;
		} else if (!l->ended) {
			printf("HANG in %s %d, %.1f s after the first end\n",
			       l->name, l->index, patience);
			bad++;
		} else if (!sensible(l)) {
			printf("FAIL %s %d: ended with %s\n", l->name, l->index,
			       sem_name(l->ret, name, sizeof(name)));
			bad++;
		} else {
			printf("%s %d: %s after %.3f s\n", l->name, l->index,
			       l->ret ? sem_name(l->ret, name, sizeof(name)) :
					"the end", l->end - first);
		}
	}
	sem_step = "close all";
	for (i = 0; i < lives_n; i++)
		if (lives[i].ended)
			close(lives[i].fd);
	printf("closed after %.3f s, %d of %d bad\n", now() - first, bad,
	       lives_n);
	fflush(stdout);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "patience", required_argument, NULL, 'p' },
		{ "limit", required_argument, NULL, 'l' },
		{ }
	};
	int opt, limit = 120, connections = 4;
	double patience = 5;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 'p':
			patience = atof(optarg);
			break;
		case 'l':
			limit = atoi(optarg);
			break;
		default:
			argc = 0;
		}
	}
	if (argc - optind < 2 || argc - optind > 3) {
		printf("usage: pvlife [--patience SECONDS] [--limit SECONDS] ADDRESS PORT [CONNECTIONS]\n"
		       "ADDRESS and PORT are those of a pvpeer.\n");
		return opt == 'h' ? 0 : 2;
	}
	sem_check = "pvlife";
	sem_addr.sin_family = AF_INET;
	sem_addr.sin_port = htons(atoi(argv[optind + 1]));
	if (!inet_pton(AF_INET, argv[optind], &sem_addr.sin_addr))
		return 2;
	if (argc - optind == 3)
		connections = atoi(argv[optind + 2]);
	if (connections < 0 || connections > CONNECTIONS_MAX)
		return 2;
	watchdog(limit);
	start(connections);
	if (sem_failures || any_ended()) {
		printf("FAIL pvlife: ended before it began\n");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	sem_step = "nothing ends";
	return verdict(patience);
}
