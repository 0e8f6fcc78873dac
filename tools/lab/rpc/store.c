// SPDX-License-Identifier: GPL-2.0
/* What agent and client share: the connection to xenstore, and how to fail. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "labrpc.h"

struct xs_handle *xs;

_Noreturn void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("labrpc: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_TRANSPORT);
}

char *path_of(char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(path, PATH_LEN, format, args) >= PATH_LEN)
		die("path too long");
	va_end(args);
	return path;
}

bool store(const char *path, const void *value, size_t len)
{
	return xs_write(xs, XBT_NULL, path, value, len);
}

long number_at(const char *path, long missing)
{
	char *text = xs_read(xs, XBT_NULL, path, NULL);
	long value = text ? strtol(text, NULL, 10) : missing;

	free(text);
	return value;
}

/* Before the store is opened: its reader thread must inherit the mask. */
int signals_as_file(int one, int other)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, one);
	sigaddset(&set, other);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die("signalfd: %s", strerror(errno));
	return fd;
}

void open_store(void)
{
	xs = xs_open(0);
	if (!xs)
		die("xenstore: %s", strerror(errno));
}
