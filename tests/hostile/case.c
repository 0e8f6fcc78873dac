// SPDX-License-Identifier: GPL-2.0
/* Runs cases out of a table, each in a process of its own. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "raw.h"

#define AFTER_SECONDS	90

const struct hcase *case_now;

/* Runs @run in a child; returns NULL if it passed, else why not. */
static const char *run_child(void (*run)(void), unsigned int seconds)
{
	static char text[300];
	u64 end = now_ms() + seconds * 1000;
	int out[2], status = 0;
	pid_t pid, done;
	ssize_t n;

	if (pipe(out))
		fail("pipe: %m");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork: %m");
	if (!pid) {
		setpgid(0, 0);
		/* who ends the command ends the case, too */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(out[0]);
		dup2(out[1], 1);
		run();
		_exit(0);
	}
	setpgid(pid, pid);
	close(out[1]);
	while (!(done = waitpid(pid, &status, WNOHANG)) && now_ms() < end)
		sleep_ms(5);
	kill(-pid, SIGKILL);
	if (!done) {
		snprintf(text, sizeof(text), "not done after %u s", seconds);
		close(out[0]);
		return text;
	}
	n = read(out[0], text, sizeof(text) - 1);
	close(out[0]);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return NULL;
	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	return *text ? text : "died";
}

static bool run_case(const struct hcase *c, void (*after)(void))
{
	u64 start = now_ms();
	const char *why;

	case_now = c;
	why = run_child(c->run, c->seconds);
	if (why) {
		printf("FAIL %s: %s\n", c->name, why);
	} else if (!(c->flags & CASE_LAST)) {
		why = run_child(after, AFTER_SECONDS);
		if (why)
			printf("FAIL %s: afterwards: %s\n", c->name, why);
	}
	if (!why)
		printf("PASS %s (%llu ms)\n", c->name,
		       (unsigned long long)(now_ms() - start));
	fflush(stdout);
	return !why;
}

int cases_main(const struct hcase *cases, unsigned int count,
	       void (*after)(void), char **args)
{
	unsigned int i, bad = 0;

	if (*args && !strcmp(*args, "--list")) {
		for (i = 0; i < count; i++)
			if (!(cases[i].flags & CASE_NAMED))
				puts(cases[i].name);
		return 0;
	}
	if (!*args) {
		for (i = 0; i < count; i++)
			if (!(cases[i].flags & CASE_NAMED))
				bad += !run_case(&cases[i], after);
		return !!bad;
	}
	while (*args) {
		if (strcmp(*args++, "--case") || !*args)
			goto usage;
		for (i = 0; i < count; i++)
			if (!strcmp(cases[i].name, *args))
				break;
		if (i == count)
			goto usage;
		bad += !run_case(&cases[i], after);
		args++;
	}
	return !!bad;

usage:
	fputs("wanted: --list, --case NAME ... with a name of the list, or nothing for all\n",
	      stderr);
	return 2;
}
