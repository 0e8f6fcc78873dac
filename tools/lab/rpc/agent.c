// SPDX-License-Identifier: GPL-2.0
/* The side in the guest: runs commands, tells what they print and how they end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "labrpc.h"

#define MAX_JOBS	32	/* xenstored allows a guest 1000 nodes, and a job takes some 20 */

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

static struct job jobs[MAX_JOBS];

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
		struct job refused = { 0 };

		fprintf(stderr, "labrpc: can't start job %s\n", id);
		snprintf(refused.id, sizeof(refused.id), "%s", id);
		job_send(&refused, 'x', "126", 3);
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

_Noreturn void agent(void)
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
