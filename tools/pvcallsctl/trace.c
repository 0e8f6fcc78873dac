// SPDX-License-Identifier: GPL-2.0
/*
 * Shows the backend's tracepoints as they come. An instance of the kernel's
 * tracing is ours alone, so that nobody else's trace is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace.h"

static volatile sig_atomic_t over;

static void end(int sig)
{
	(void)sig;
	over = 1;
}

static int complain(const char *path)
{
	fprintf(stderr, "pvcallsctl: %s: %s\n", path, strerror(errno));
	return 1;
}

static int switch_on(const char *dir)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/events/pvcalls/enable", dir);
	f = fopen(path, "w");
	if (f && fputs("1", f) >= 0 && !fclose(f))
		return 0;
	complain(path);
	if (errno == ENOENT)
		fputs("Is pvcalls_mt_back loaded?\n", stderr);
	return 1;
}

/* Until a signal comes, or whoever reads our output has enough. */
static int copy(const char *dir)
{
	char path[4096], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/trace_pipe", dir);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return complain(path);
	while (!over && (n = read(fd, text, sizeof(text))) > 0)
		if (write(STDOUT_FILENO, text, n) != n)
			break;
	close(fd);
	return 0;
}

/**
 * trace() - show tracepoints until SIGINT, SIGTERM or SIGPIPE
 * @root: in front of /sys
 *
 * Return: exit code.
 */
int trace(const char *root)
{
	const struct sigaction act = { .sa_handler = end };
	char dir[4000];
	int ret;

	snprintf(dir, sizeof(dir), "%s/sys/kernel/tracing/instances/pvcallsctl.%d",
		 root, getpid());
	/* a read is to end with them, so nothing restarts it */
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGPIPE, &act, NULL);
	if (mkdir(dir, 0700)) {
		complain(dir);
		if (errno == ENOENT)
			fputs("Is tracefs mounted there?\n", stderr);
		return 1;
	}
	ret = switch_on(dir) ?: copy(dir);
	if (rmdir(dir))
		complain(dir);
	return ret;
}
