// SPDX-License-Identifier: GPL-2.0
/*
 * Connects to ports that nobody accepts from, and closes each connection at
 * once, so that dead ones wait there: until as many as wanted have come about,
 * or none has for three seconds. Prints how many.
 *
 *   pvknock ADDRESS FIRST-PORT LAST-PORT COUNT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE		64
#define PATIENCE_MS	3000
#define LOOK_MS		100

static struct pollfd doors[AT_ONCE];
static struct sockaddr_in to = { .sin_family = AF_INET };

static int knock(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	to.sin_port = htons(port);
	if (fd >= 0 && connect(fd, (void *)&to, sizeof(to)) && errno != EINPROGRESS) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Is the connection there? One that has failed is closed. */
static int opened(struct pollfd *door)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (door->fd < 0 || !door->revents)
		return 0;
	getsockopt(door->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	close(door->fd);
	door->fd = -1;
	return !err;
}

int main(int argc, char **argv)
{
	int first, last, count, port, i, quiet = 0, there = 0, news;

	if (argc != 5 || !inet_aton(argv[1], &to.sin_addr)) {
		fputs("usage: pvknock ADDRESS FIRST-PORT LAST-PORT COUNT\n", stderr);
		return 2;
	}
	port = first = atoi(argv[2]);
	last = atoi(argv[3]);
	count = atoi(argv[4]);
	for (i = 0; i < AT_ONCE; i++)
		doors[i] = (struct pollfd){ .fd = -1, .events = POLLOUT };
	while (there < count && quiet < PATIENCE_MS) {
		for (i = 0; i < AT_ONCE; i++) {
			if (doors[i].fd >= 0)
				continue;
			doors[i].fd = knock(port);
			port = port < last ? port + 1 : first;
		}
		if (poll(doors, AT_ONCE, LOOK_MS) < 0)
			return 1;
		for (i = news = 0; i < AT_ONCE; i++)
			news += opened(&doors[i]);
		there += news;
		quiet = news ? 0 : quiet + LOOK_MS;
	}
	printf("%d\n", there);
	return 0;
}
