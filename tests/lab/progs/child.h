/* SPDX-License-Identifier: GPL-2.0 */
/* Checks run in processes of their own, so that one may hang or die. */
#ifndef PV_CHILD_H
#define PV_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* fork(), into a group of its own; SIGCHLD is left to child_wait(). */
static inline pid_t child_fork(void)
{
	sigset_t chld;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (!pid) {
		sigprocmask(SIG_UNBLOCK, &chld, NULL);
		setpgid(0, 0);
	}
	return pid;
}

/* Waits for it and ends what it has left; false: it does not end in time. */
static inline bool child_wait(pid_t pid, int seconds, int *status)
{
	struct timespec limit = { .tv_sec = seconds };
	bool ended;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	do {
		ended = waitpid(pid, status, WNOHANG) == pid;
	} while (!ended && sigtimedwait(&chld, NULL, &limit) >= 0);
	kill(-pid, SIGKILL);
	return ended;
}

#endif /* PV_CHILD_H */
