// SPDX-License-Identifier: GPL-2.0
/* What both liars need of Xen: xenstore and event channels, by hand. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "raw.h"

#include <xen/evtchn.h>

noreturn void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

void want_zero(const void *p, u32 len, const char *what, u32 number)
{
	const u8 *byte = p;
	u32 i;

	for (i = 0; i < len; i++)
		expect(!byte[i], "%s %u: byte %u of %u is 0x%x", what, number,
		       i, len, byte[i]);
}

/*
 * A clock that is HOSTILE_SLOWER times as slow as others, if the environment has
 * that: on a kernel that looks after itself the other side needs longer for
 * everything that it is waited for.
 */
u64 now_ms(void)
{
	static unsigned int slower;
	struct timespec t;

	if (!slower) {
		const char *text = getenv("HOSTILE_SLOWER");

		slower = text && atoi(text) > 0 ? atoi(text) : 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (t.tv_sec * 1000ULL + t.tv_nsec / 1000000) / slower;
}

void sleep_ms(unsigned int ms)
{
	struct timespec t = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L
	};

	nanosleep(&t, NULL);
}

/* ---- xenstore ---- */

/* From xen/io/xs_wire.h */
enum { XS_DIRECTORY = 1, XS_READ = 2, XS_WRITE = 11, XS_RM = 13, XS_ERROR = 16 };

struct xs_head {
	u32 type, req_id, tx_id, len;
};

static int xs_fd = -1;
static pid_t xs_owner;

/* A child must not share its parent's stream of answers. */
static void xs_open(void)
{
	if (xs_fd >= 0 && xs_owner == getpid())
		return;
	if (xs_fd >= 0)
		close(xs_fd);
	xs_fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
	if (xs_fd < 0)
		fail("/dev/xen/xenbus: %m");
	xs_owner = getpid();
}

static void xs_read_all(void *to, size_t len)
{
	u8 *p = to;

	while (len) {
		ssize_t n = read(xs_fd, p, len);

		if (n <= 0)
			fail("xenstore: %m");
		p += n;
		len -= n;
	}
}

static int xs_errno(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{ "ENOENT", ENOENT }, { "EACCES", EACCES },
		{ "EINVAL", EINVAL }, { "ENOSPC", ENOSPC },
		{ "EPERM", EPERM }, { "E2BIG", E2BIG },
	};
	unsigned int i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(name, known[i].name))
			return known[i].number;
	return EIO;
}

/* Returns the length of the answer in @answer, which has a 0 behind it. */
static int xs_talk(u32 type, const void *data, size_t len,
		   char answer[PAGE + 1])
{
	struct {
		struct xs_head head;
		char data[PAGE];
	} msg = { .head = { .type = type, .len = len } };

	expect(len <= PAGE, "xenstore: too long");
	memcpy(msg.data, data, len);
	xs_open();
	if (write(xs_fd, &msg, sizeof(msg.head) + len) !=
	    (ssize_t)(sizeof(msg.head) + len))
		fail("xenstore: %m");
	xs_read_all(&msg.head, sizeof(msg.head));
	expect(msg.head.len <= PAGE, "xenstore: answer too long");
	xs_read_all(answer, msg.head.len);
	answer[msg.head.len] = 0;
	if (msg.head.type == XS_ERROR)
		return -xs_errno(answer);
	return msg.head.len;
}

int xs_get(char value[XS_VALUE], const char *format, ...)
{
	char path[256], answer[PAGE + 1];
	va_list args;
	int len;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	len = xs_talk(XS_READ, path, strlen(path) + 1, answer);
	if (len >= XS_VALUE)
		return -E2BIG;
	memcpy(value, answer, len >= 0 ? len : 0);
	value[len >= 0 ? len : 0] = 0;
	return len;
}

int xs_put(const char *path, const char *value)
{
	char data[PAGE], answer[PAGE + 1];
	size_t len = strlen(path) + 1;
	int ret;

	memcpy(data, path, len);
	memcpy(data + len, value, strlen(value));
	ret = xs_talk(XS_WRITE, data, len + strlen(value), answer);
	return ret < 0 ? ret : 0;
}

int xs_remove(const char *path)
{
	char answer[PAGE + 1];
	int ret = xs_talk(XS_RM, path, strlen(path) + 1, answer);

	return ret < 0 ? ret : 0;
}

int xs_names(char names[PAGE], const char *path)
{
	char answer[PAGE + 1];
	int ret = xs_talk(XS_DIRECTORY, path, strlen(path) + 1, answer);

	if (ret > 0)
		memcpy(names, answer, ret);
	return ret;
}

long xs_number(const char *path, long missing)
{
	char value[XS_VALUE], *end;
	long number;

	if (xs_get(value, "%s", path) < 0)
		return missing;
	number = strtol(value, &end, 10);
	return end == value ? missing : number;
}

/* ---- event channels ---- */

int evt_open(void)
{
	int fd = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/xen/evtchn: %m");
	return fd;
}

int evt_unbound(int fd, u32 domid)
{
	struct ioctl_evtchn_bind_unbound_port bind = {
		.remote_domain = domid
	};
	int port = ioctl(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);

	return port < 0 ? -errno : port;
}

int evt_interdomain(int fd, u32 domid, u32 port)
{
	struct ioctl_evtchn_bind_interdomain bind = {
		.remote_domain = domid, .remote_port = port
	};
	int local = ioctl(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);

	return local < 0 ? -errno : local;
}

void evt_unbind(int fd, u32 port)
{
	struct ioctl_evtchn_unbind unbind = { .port = port };

	ioctl(fd, IOCTL_EVTCHN_UNBIND, &unbind);
}

void evt_notify(int fd, u32 port)
{
	struct ioctl_evtchn_notify notify = { .port = port };

	ioctl(fd, IOCTL_EVTCHN_NOTIFY, &notify);
}

bool evt_wait(int fd, unsigned int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	u32 ports[PAGE / 4];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = read(fd, ports, sizeof(ports));
	if (n <= 0) {
		ioctl(fd, IOCTL_EVTCHN_RESET, 0);
		return false;
	}
	if (write(fd, ports, n) != n)
		fail("/dev/xen/evtchn: %m");
	return true;
}
