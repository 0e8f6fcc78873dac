// SPDX-License-Identifier: GPL-2.0
/*
 * labrpc - run commands in a Xen guest from Dom0, over xenstore alone.
 *
 * The guest under test may have no network, and its grants and event channels are what the tests count. So this uses
 * what every guest has anyway: its own data/ directory in xenstore. Everything waits on watches, nothing polls.
 *
 *   labrpc agent              in the guest, usually as PID 1
 *   labrpc ready DOMID        in Dom0: wait until the guest's agent serves
 *   labrpc wait PATH VALUE    in either: wait until the node at PATH holds VALUE
 *   labrpc run DOMID COMMAND  in Dom0: run COMMAND there with sh -c; stdout, stderr and exit code are the command's
 *
 * Below /local/domain/DOMID/data/lab:
 *
 *   ready          agent: it serves
 *   cmd/ID/0..n    client: the command's text, in pieces
 *   cmd/ID/go      client: the number of pieces; the command starts
 *   cmd/ID/ack     client: how many frames it has read
 *   out/ID/SLOT    agent: frame number SEQ in slot SEQ % WINDOW: 8 hex digits of SEQ, a tag, then data
 *
 * Tags: '1' stdout, '2' stderr, 'x' the exit code, which ends the job. A client that goes away removes cmd/ID, upon
 * which the agent kills the command. A command's background children don't keep it from ending.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenstore.h>

#define WINDOW		16	/* frames under way, per command */
#define ACK_EVERY	4	/* frames that the client reads before it says so */
#define FRAME_HEAD	9	/* 8 hex digits and a tag */
#define FRAME_DATA	1800	/* xenstored allows a guest 2048 bytes per node, head and permissions included */
#define PIECE		1800	/* of a command's text */
#define MAX_JOBS	64
#define PATH_LEN	160
#define ID_LEN		32

#define EXIT_TRANSPORT	255	/* the client's own failure, as with ssh */

struct job {
	bool used;
	bool exited;
	char id[ID_LEN];
	pid_t pid;
	int fd[2];		/* stdout, stderr; -1 once closed */
	int code;
	unsigned int seq;	/* frames written */
	unsigned int acked;	/* frames read by the client */
};

static struct xs_handle *xs;
static struct job jobs[MAX_JOBS];

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("labrpc: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_TRANSPORT);
}

__attribute__((format(printf, 2, 3)))
static char *path_of(char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(path, PATH_LEN, format, args) >= PATH_LEN)
		die("path too long");
	va_end(args);
	return path;
}

static bool store(const char *path, const void *value, size_t len)
{
	return xs_write(xs, XBT_NULL, path, value, len);
}

static long number_at(const char *path, long missing)
{
	char *text = xs_read(xs, XBT_NULL, path, NULL);
	long value = text ? strtol(text, NULL, 10) : missing;

	free(text);
	return value;
}

/* Before the store is opened: its reader thread must inherit the mask. */
static int signals_as_file(int one, int other)
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

static void open_store(void)
{
	xs = xs_open(0);
	if (!xs)
		die("xenstore: %s", strerror(errno));
}

/* ---- agent ---- */

static bool job_has_room(const struct job *job)
{
	return job->seq - job->acked < WINDOW;
}

static void job_send(struct job *job, char tag, const char *data, size_t len)
{
	char path[PATH_LEN], frame[FRAME_HEAD + FRAME_DATA];

	snprintf(frame, sizeof(frame), "%08x%c", job->seq, tag);
	memcpy(frame + FRAME_HEAD, data, len);
	path_of(path, "data/lab/out/%s/%u", job->id, job->seq % WINDOW);
	if (!store(path, frame, FRAME_HEAD + len))
		fprintf(stderr, "labrpc: %s: %s\n", path, strerror(errno));
	job->seq++;
}

static void job_close(struct job *job, int stream)
{
	if (job->fd[stream] >= 0)
		close(job->fd[stream]);
	job->fd[stream] = -1;
}

/* Moves what the command has printed into frames, as far as the window allows; ends the job when all is told. */
static void job_pump(struct job *job)
{
	char data[FRAME_DATA], code[16];
	int stream;

	for (stream = 0; stream < 2; stream++) {
		while (job->fd[stream] >= 0 && job_has_room(job)) {
			ssize_t len = read(job->fd[stream], data, sizeof(data));

			if (len > 0)
				job_send(job, '1' + stream, data, len);
			else if (len == 0 || errno != EAGAIN || job->exited)
				job_close(job, stream);
			else
				break;
		}
	}
	if (!job->exited || job->fd[0] >= 0 || job->fd[1] >= 0 || !job_has_room(job))
		return;
	snprintf(code, sizeof(code), "%d", job->code);
	job_send(job, 'x', code, strlen(code));
	job->used = false;
}

static struct job *job_find(const char *id)
{
	int i;

	for (i = 0; i < MAX_JOBS; i++)
		if (jobs[i].used && !strcmp(jobs[i].id, id))
			return &jobs[i];
	return NULL;
}

static char *read_command(const char *id, unsigned int pieces)
{
	char *command = calloc(pieces + 1, PIECE);
	char path[PATH_LEN];
	unsigned int i;

	for (i = 0; command && i < pieces; i++) {
		char *piece = xs_read(xs, XBT_NULL, path_of(path, "data/lab/cmd/%s/%u", id, i), NULL);

		if (!piece) {
			free(command);
			return NULL;
		}
		strcat(command, piece);
		free(piece);
	}
	return command;
}

static void run_child(const char *command, int out, int err)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

static void job_start(const char *id)
{
	char path[PATH_LEN];
	long pieces = number_at(path_of(path, "data/lab/cmd/%s/go", id), 0);
	int out[2], err[2], i;
	struct job *job = NULL;
	char *command;

	if (pieces <= 0 || job_find(id))
		return;
	for (i = 0; i < MAX_JOBS && !job; i++)
		if (!jobs[i].used)
			job = &jobs[i];
	command = read_command(id, pieces);
	if (!job || !command || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
		fprintf(stderr, "labrpc: can't start job %s\n", id);
		free(command);
		return;
	}
	memset(job, 0, sizeof(*job));
	snprintf(job->id, sizeof(job->id), "%s", id);
	job->used = true;
	job->pid = fork();
	if (job->pid == 0)
		run_child(command, out[1], err[1]);
	free(command);
	close(out[1]);
	close(err[1]);
	job->fd[0] = out[0];
	job->fd[1] = err[0];
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	if (job->pid < 0) {
		job->exited = true;
		job->code = 126;
		job_pump(job);
	}
}

static void job_kill(struct job *job)
{
	char path[PATH_LEN];

	if (!job->exited)
		kill(-job->pid, SIGKILL);
	job_close(job, 0);
	job_close(job, 1);
	job->used = false;
	xs_rm(xs, XBT_NULL, path_of(path, "data/lab/out/%s", job->id));
}

/* A watch names what changed, as data/lab/cmd[/ID[/LEAF]]. */
static void agent_event(const char *path)
{
	char id[ID_LEN], leaf[ID_LEN] = "", node[PATH_LEN];
	struct job *job;
	int parts;

	parts = sscanf(path, "data/lab/cmd/%31[^/]/%31s", id, leaf);
	if (parts < 1)
		return;
	job = job_find(id);
	if (parts == 2 && !strcmp(leaf, "go")) {
		job_start(id);
	} else if (job && parts == 2 && !strcmp(leaf, "ack")) {
		job->acked = number_at(path_of(node, "data/lab/cmd/%s/ack", id), job->acked);
		job_pump(job);
	} else if (job && parts == 1) {
		if (number_at(path_of(node, "data/lab/cmd/%s/go", id), 0) == 0)
			job_kill(job);
	}
}

static void agent_reap(void)
{
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < MAX_JOBS; i++) {
			struct job *job = &jobs[i];

			if (!job->used || job->exited || job->pid != pid)
				continue;
			job->exited = true;
			job->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			job_pump(job);
		}
	}
}

static void agent_wait(int sigfd)
{
	struct pollfd fds[2 + 2 * MAX_JOBS] = {
		{ .fd = xs_fileno(xs), .events = POLLIN },
		{ .fd = sigfd, .events = POLLIN },
	};
	struct job *owner[2 + 2 * MAX_JOBS];
	struct signalfd_siginfo info;
	int count = 2, i, stream;
	char **event;

	for (i = 0; i < MAX_JOBS; i++) {
		if (!jobs[i].used || !job_has_room(&jobs[i]))
			continue;
		for (stream = 0; stream < 2; stream++) {
			if (jobs[i].fd[stream] < 0)
				continue;
			owner[count] = &jobs[i];
			fds[count++] = (struct pollfd){ .fd = jobs[i].fd[stream], .events = POLLIN };
		}
	}
	if (poll(fds, count, -1) < 0)
		return;
	for (i = 2; i < count; i++)
		if (fds[i].revents && owner[i]->used)
			job_pump(owner[i]);
	if (fds[1].revents && read(sigfd, &info, sizeof(info)) > 0)
		agent_reap();
	while (fds[0].revents && (event = xs_check_watch(xs))) {
		agent_event(event[XS_WATCH_PATH]);
		free(event);
	}
}

static _Noreturn void agent(void)
{
	int sigfd = signals_as_file(SIGCHLD, SIGCHLD);

	open_store();
	if (!xs_watch(xs, "data/lab/cmd", "cmd"))
		die("agent: %s", strerror(errno));
	if (!store("data/lab/ready", "1", 1))
		die("data/lab/ready: %s", strerror(errno));
	for (;;)
		agent_wait(sigfd);
}

/* ---- client ---- */

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
