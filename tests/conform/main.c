// SPDX-License-Identifier: GPL-2.0
/* See conform.h. Runs the cases and shows what came of them. */
#define _GNU_SOURCE
#include "child.h"
#include "conform.h"
#include "report.h"
#include <sched.h>

/* Long for an emulated machine that shares its cores, short for a hang */
#define CASE_SECONDS	40

#define THEME_ENTRY(theme) { #theme, theme##_tests, &theme##_count },

static const struct {
	const char *name;
	const struct test *tests;
	const unsigned int *count;
} themes[] = { THEMES(THEME_ENTRY) };

static const char *capture_file =
	"/sys/module/pvcalls_mt_front/parameters/capture";

static void capture(const char *what)
{
	FILE *f = fopen(capture_file, "w");

	/* without our frontend both runs are over TCP */
	if (f) {
		fputs(what, f);
		if (fclose(f)) {
			perror(capture_file);
			exit(2);
		}
	}
}

static void run_child(const struct test *test)
{
	signal(SIGPIPE, SIG_IGN);
	alarm(CASE_SECONDS);
	test->run();
	trace->done = true;
	_exit(0);
}

/* Runs a case in a process of its own; @t tells how it went. */
static void run(const struct test *test, struct trace *t)
{
	double begin = now();
	int status;
	pid_t pid;

	memset(t, 0, sizeof(*t));
	trace = t;
	pid = child_fork();
	if (!pid)
		run_child(test);
	if (!child_wait(pid, CASE_SECONDS + 10, &status)) {
		say(t->step, "hangs, and takes no signal");
		return;
	}
	t->seconds = now() - begin;
	if (t->done)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		say(t->step, "hangs");
	else if (WIFSIGNALED(status))
		say(t->step, "dies of %s", strsignal(WTERMSIG(status)));
	else
		say(t->step, "exits with %d", WEXITSTATUS(status));
}

/* A pvpeer in this domain; returns when it listens. */
static pid_t start_peer(int port)
{
	char text[16];
	int pipes[2];
	pid_t pid;

	if (pipe(pipes)) {
		perror("pipe");
		exit(2);
	}
	snprintf(text, sizeof(text), "%d", port);
	pid = fork();
	if (!pid) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		execlp("pvpeer", "pvpeer", "::", text, NULL);
		perror("pvpeer");
		_exit(127);
	}
	close(pipes[1]);
	if (pid < 0 || read(pipes[0], text, 1) != 1) {
		fprintf(stderr, "pvconform: pvpeer does not start\n");
		exit(2);
	}
	close(pipes[0]);
	return pid;
}

static void set_world(int port, const char *v4, const char *v6)
{
	memset(&world, 0, sizeof(world));
	world.v4.sin_family = AF_INET;
	world.v4.sin_port = htons(port);
	world.v6.sin6_family = AF_INET6;
	world.v6.sin6_port = htons(port);
	if (inet_pton(AF_INET, v4, &world.v4.sin_addr) != 1) {
		fprintf(stderr, "%s: not an IPv4 address\n", v4);
		exit(2);
	}
	world.has_v6 = inet_pton(AF_INET6, v6, &world.v6.sin6_addr) == 1;
}

static void usage(FILE *to)
{
	fputs("usage: pvconform [OPTION]... PORT ADDRESS ADDRESS6 [CASE|THEME]...\n"
	      "       pvconform [OPTION]... --self PORT [CASE|THEME]...\n"
	      "       pvconform --list\n"
	      "Makes the same calls over this domain's own TCP and, with a pvpeer that listens\n"
	      "on PORT of ADDRESS and ADDRESS6 (\"-\" if there is none), over PV Calls, and\n"
	      "compares what they return.\n"
	      "  --known FILE  differences that may be: lines of CASE/CALL: REASON\n"
	      "  --json FILE   write the results there\n"
	      "  --self        compare TCP with itself, to see whether cases repeat themselves\n"
	      "  --traces      print all that was compared\n"
	      "Ends with 0 if there was no difference but known ones, all of which were seen.\n",
	      to);
}

static bool wanted(char **names, const char *theme, const char *name)
{
	char **n;

	for (n = names; *n; n++)
		if (!strcmp(*n, theme) || !strcmp(*n, name))
			return true;
	return n == names;
}

static void list(void)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(themes); i++)
		for (k = 0; k < *themes[i].count; k++)
			printf("%s %s\n", themes[i].name,
			       themes[i].tests[k].name);
}

/* Those cases that are wanted, in @results; how many */
static unsigned int choose(char **names, struct result *results)
{
	unsigned int i, k, n = 0;

	for (i = 0; i < ARRAY_SIZE(themes); i++)
		for (k = 0; k < *themes[i].count; k++) {
			if (!wanted(names, themes[i].name,
				    themes[i].tests[k].name))
				continue;
			results[n].theme = themes[i].name;
			results[n].test = &themes[i].tests[k];
			n++;
		}
	return n;
}

static unsigned int count_all(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(themes); i++)
		n += *themes[i].count;
	return n;
}

/* What the command line asks for */
struct wish {
	const char *known, *json;
	bool traces, self;
	char **rest;	/* port, addresses, and names of cases */
};

/* Reads the command line; returns -1, or what the program is to end with */
static int options(int argc, char **argv, struct wish *w)
{
	while (argc > 1 && !strncmp(argv[1], "--", 2)) {
		const char *option = argv[1];
		bool has_value = !strcmp(option, "--known") ||
				 !strcmp(option, "--json");

		if (!strcmp(option, "--list")) {
			list();
			return 0;
		}
		if (!strcmp(option, "--help")) {
			usage(stdout);
			return 0;
		}
		if (!strcmp(option, "--traces")) {
			w->traces = true;
		} else if (!strcmp(option, "--self")) {
			w->self = true;
		} else if (!has_value || argc < 3) {
			usage(stderr);
			return 2;
		} else if (!strcmp(option, "--known")) {
			w->known = argv[2];
		} else {
			w->json = argv[2];
		}
		argc -= 1 + has_value;
		argv += 1 + has_value;
	}
	w->rest = argv + 1;
	if (argc >= (w->self ? 2 : 4))
		return -1;
	usage(stderr);
	return 2;
}

/* The cases of these names, with memory that their processes share with us */
static struct result *prepare(char **names, unsigned int *n)
{
	struct result *results;
	struct trace *t;
	unsigned int i;

	*n = count_all();
	results = calloc(*n, sizeof(*results));
	t = mmap(NULL, 2 * *n * sizeof(*t), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!results || t == MAP_FAILED) {
		perror("pvconform");
		return NULL;
	}
	*n = choose(names, results);
	for (i = 0; i < *n; i++) {
		results[i].native = &t[2 * i];
		results[i].ours = &t[2 * i + 1];
	}
	return results;
}

int main(int argc, char **argv)
{
	struct wish w = {};
	struct result *results;
	unsigned int i, n;
	char **names;
	pid_t native;
	int port, ret;

	ret = options(argc, argv, &w);
	if (ret >= 0)
		return ret;
	port = atoi(w.rest[0]);
	names = w.rest + (w.self ? 1 : 3);
	results = prepare(names, &n);
	if (!results)
		return 2;

	capture("off");
	native = start_peer(port);
	set_world(port, "127.0.0.1", "::1");
	for (i = 0; i < n; i++)
		run(results[i].test, results[i].native);
	if (!w.self) {
		capture("all");
		set_world(port, w.rest[1], w.rest[2]);
	}
	for (i = 0; i < n; i++) {
		run(results[i].test, results[i].ours);
		report_progress(&results[i]);
	}
	kill(native, SIGKILL);
	waitpid(native, NULL, 0);
	capture("all");
	return report(results, n, w.known, w.json, w.traces, !*names);
}
