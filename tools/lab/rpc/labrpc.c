// SPDX-License-Identifier: GPL-2.0
/* The side in Dom0: sends commands, prints what comes back, waits for nodes. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "labrpc.h"

static void put_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno != EINTR)
			die("write: %s", strerror(errno));
		if (done > 0) {
			data += done;
			len -= done;
		}
	}
}

static void send_command(unsigned int domid, const char *id, const char *command)
{
	char path[PATH_LEN], text[16];
	size_t left = strlen(command);
	unsigned int pieces = 0;

	do {
		size_t len = left < PIECE ? left : PIECE;

		path_of(path, "/local/domain/%u/data/lab/cmd/%s/%u", domid, id, pieces++);
		if (!store(path, command, len))
			die("%s: %s", path, strerror(errno));
		command += len;
		left -= len;
	} while (left);
	snprintf(text, sizeof(text), "%u", pieces);
	path_of(path, "/local/domain/%u/data/lab/cmd/%s/go", domid, id);
	if (!store(path, text, strlen(text)))
		die("%s: %s", path, strerror(errno));
}

/* Reads the frames that are there, in order. Returns the exit code once it has come, else -1. */
static int take_frames(unsigned int domid, const char *id, unsigned int *seq)
{
	char path[PATH_LEN], text[16];
	unsigned int len;

	for (;;) {
		char *frame, head[FRAME_HEAD] = "", tag;

		path_of(path, "/local/domain/%u/data/lab/out/%s/%u", domid, id, *seq % WINDOW);
		frame = xs_read(xs, XBT_NULL, path, &len);
		if (frame && len >= FRAME_HEAD)
			memcpy(head, frame, FRAME_HEAD - 1);
		if (!frame || len < FRAME_HEAD || strtoul(head, NULL, 16) != *seq) {
			free(frame);
			break;
		}
		(*seq)++;
		tag = frame[FRAME_HEAD - 1];
		if (tag == 'x')
			return atoi(frame + FRAME_HEAD);
		put_all(tag == '1' ? 1 : 2, frame + FRAME_HEAD, len - FRAME_HEAD);
		free(frame);
		if (*seq % ACK_EVERY == 0) {
			snprintf(text, sizeof(text), "%u", *seq);
			path_of(path, "/local/domain/%u/data/lab/cmd/%s/ack", domid, id);
			store(path, text, strlen(text));
		}
	}
	return -1;
}

static void check_alive(unsigned int domid)
{
	if (!xs_is_domain_introduced(xs, domid))
		die("guest %u is gone", domid);
}

static void watch_guest(unsigned int domid, const char *path)
{
	open_store();
	if (!xs_watch(xs, "@releaseDomain", "gone") || !xs_watch(xs, path, "node"))
		die("watch %s: %s", path, strerror(errno));
	check_alive(domid);
}

/* Waits for a watch to fire and returns if the guest still lives; a signal takes the job at 'job' along. */
static void wait_event(unsigned int domid, int sigfd, const char *job)
{
	struct pollfd fds[2] = {
		{ .fd = xs_fileno(xs), .events = POLLIN },
		{ .fd = sigfd, .events = POLLIN },
	};
	char **event;

	if (poll(fds, 2, -1) < 0)
		return;
	if (fds[1].revents) {
		xs_rm(xs, XBT_NULL, job);
		die("interrupted");
	}
	while ((event = xs_check_watch(xs))) {
		bool gone = !strcmp(event[XS_WATCH_TOKEN], "gone");

		free(event);
		if (gone)
			check_alive(domid);
	}
	if (errno != EAGAIN)
		die("xenstore: %s", strerror(errno));
}

static int run(unsigned int domid, const char *command)
{
	int sigfd = signals_as_file(SIGTERM, SIGINT), code;
	char id[ID_LEN], job[PATH_LEN], out[PATH_LEN];
	unsigned int seq = 0;

	snprintf(id, sizeof(id), "%d", getpid());
	path_of(job, "/local/domain/%u/data/lab/cmd/%s", domid, id);
	path_of(out, "/local/domain/%u/data/lab/out/%s", domid, id);
	watch_guest(domid, out);
	send_command(domid, id, command);
	while ((code = take_frames(domid, id, &seq)) < 0)
		wait_event(domid, sigfd, job);
	xs_rm(xs, XBT_NULL, job);
	xs_rm(xs, XBT_NULL, out);
	return code;
}

static int ready(unsigned int domid)
{
	int sigfd = signals_as_file(SIGTERM, SIGINT);
	char path[PATH_LEN];

	watch_guest(domid, path_of(path, "/local/domain/%u/data/lab/ready", domid));
	while (number_at(path, 0) != 1)
		wait_event(domid, sigfd, path);
	return 0;
}

static bool node_holds(const char *path, const char *value)
{
	char *text = xs_read(xs, XBT_NULL, path, NULL);
	bool same = text && !strcmp(text, value);

	free(text);
	return same;
}

static int wait_node(const char *path, const char *value)
{
	unsigned int count;

	open_store();
	if (!xs_watch(xs, path, "node"))
		die("watch %s: %s", path, strerror(errno));
	while (!node_holds(path, value))
		free(xs_read_watch(xs, &count));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "agent"))
		agent();
	if (argc == 3 && !strcmp(argv[1], "ready"))
		return ready(strtoul(argv[2], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "wait"))
		return wait_node(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "run"))
		return run(strtoul(argv[2], NULL, 10), argv[3]);
	fprintf(stderr, "usage: labrpc agent | ready DOMID | wait PATH VALUE | run DOMID COMMAND\n");
	return 2;
}
