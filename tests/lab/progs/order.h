/* SPDX-License-Identifier: GPL-2.0 */
/* How orders are given to pvpeer. */
#ifndef PV_ORDER_H
#define PV_ORDER_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Keys are each process's own, its children's too. */
static inline const char *order_who(void)
{
	static char who[40];
	struct timespec ts;

	if (!who[0]) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		snprintf(who, sizeof(who), "%lx%06lx-%x", (long)ts.tv_sec,
			 ts.tv_nsec / 1000, getpid());
	}
	return who;
}

/*
 * An order over a control connection: the answer's numbers, -EPROTO if it has
 * none. @line is overwritten. False: the connection has broken.
 */
static inline bool order_give(int fd, char *line, size_t size, long *ret,
			      long *extra)
{
	size_t n = strlen(line);

	line[n++] = '\n';
	if (send(fd, line, n, MSG_NOSIGNAL) != (ssize_t)n)
		return false;
	for (n = 0; n < size - 1; n++) {
		if (recv(fd, line + n, 1, 0) != 1)
			return false;
		if (line[n] == '\n')
			break;
	}
	line[n] = 0;
	*extra = 0;
	if (sscanf(line, "%ld %ld", ret, extra) < 1)
		*ret = -EPROTO;
	return true;
}

#endif /* PV_ORDER_H */
