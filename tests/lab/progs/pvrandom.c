// SPDX-License-Identifier: GPL-2.0
/*
 * Calls any socket function with any descriptor of ours, from several threads
 * in several namespaces, as an ordinary user. What the calls return does not
 * matter; that each returns does, and that the kernel and its count of
 * references are well afterwards.
 *
 *   pvrandom ADDRESS PORT [--seconds N] [--seed N] [--threads N] [--trace]
 *	N threads in each of the namespaces; prints the seed and how often each
 *	call was made and worked
 *   pvrandom ADDRESS PORT --seed N --calls N [--only P.T] [--trace]
 *	so many calls of each thread, or of thread T of process P alone: the
 *	same calls as in any run with that seed
 *
 * --trace prints each call before it is made.
 *
 * Which call comes next, and its arguments, depend on the seed only, never on
 * what others have returned. ADDRESS and PORT are those of a pvpeer.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "attack.h"
#include "random.h"

#define PROCESSES	3	/* one in each kind of namespace */
#define MOST_THREADS	16
#define STUCK_SECONDS	60	/* a call that takes longer hangs */
#define CALLS_SECONDS	600	/* for all calls, if it is said how many */

static const char * const process_names[PROCESSES] = {
	"the guest's namespaces", "a user namespace", "user and net namespaces",
};

/*
 * What a thread does, for those who watch it: shared between processes.
 * @kind: of the call that it is in
 * @made: calls so far
 * @calls, @worked: of each kind
 */
struct progress {
	volatile int kind;
	volatile unsigned long made;
	unsigned long calls[KINDS], worked[KINDS];
};

struct caller {
	pthread_t thread;
	int tid;
	char name[8];	/* P.T */
	struct progress *p;
	struct source src;
};

static struct progress (*shared)[MOST_THREADS];
static volatile bool *over;
static unsigned long most_calls;
static bool trace;
static int nr_threads = 4;

static void *caller_main(void *arg)
{
	struct caller *c = arg;
	struct progress *p = c->p;
	struct call call;
	long ret;

	c->tid = gettid();
	while (!*over && (!most_calls || p->made < most_calls)) {
		call_choose(&c->src, &call);
		if (trace)
			call_print(c->name, p->made, &call);
		p->kind = call.kind;
		ret = call_make(&call);
		p->kind = -1;
		p->calls[call.kind]++;
		p->worked[call.kind] += ret >= 0;
		p->made++;
	}
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;
}

/* What the kernel says of task @tid of process @pid: where it waits */
static void say_where(int pid, int tid)
{
	static const char * const files[] = { "syscall", "wchan", "stack" };
	char path[60], line[200];
	size_t i;
	FILE *f;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid,
			 files[i]);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			printf("%s: %s%s", files[i], line,
			       strchr(line, '\n') ? "" : "\n");
		if (f)
			fclose(f);
	}
	fflush(stdout);
}

/*
 * Calls that wait are interrupted every tenth of a second; one that does not
 * mind for STUCK_SECONDS is reported.
 */
static void watch(struct caller *c, int n)
{
	unsigned long seen[MOST_THREADS] = {};
	bool ended[MOST_THREADS] = {};
	double since[MOST_THREADS];
	int i, alive = n;

	for (i = 0; i < n; i++)
		since[i] = now();
	while (alive) {
		usleep(100000);
		for (i = 0; i < n; i++) {
			if (ended[i])
				continue;
			pthread_kill(c[i].thread, SIGUSR1);
			ended[i] = !pthread_tryjoin_np(c[i].thread, NULL);
			alive -= ended[i];
			if (c[i].p->made != seen[i])
				since[i] = now();
			seen[i] = c[i].p->made;
			if (ended[i] || now() - since[i] < STUCK_SECONDS)
				continue;
			printf("HANG: thread %d, call %lu: %s\n", i, seen[i],
			       c[i].p->kind < 0 ? "none" :
			       kind_names[c[i].p->kind]);
			say_where(getpid(), c[i].tid);
			_exit(3);
		}
	}
}

/* Threads @first to @last of process @nr */
static void process_run(int nr, uint64_t seed, int first, int last)
{
	struct sigaction kick = { .sa_handler = on_kick };
	struct caller c[MOST_THREADS] = {};
	int i;

	sigaction(SIGUSR1, &kick, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	signal(SIGURG, SIG_IGN);
	become(NOBODY);
	slots_fill(seed + nr);
	if (nr > 0)
		own_namespaces(nr > 1 ? CLONE_NEWNET : 0);
	for (i = first; i <= last; i++) {
		c[i - first].p = &shared[nr][i];
		c[i - first].p->kind = -1;
		snprintf(c[i - first].name, sizeof(c->name), "%d.%d", nr, i);
		c[i - first].src.state = seed * 1000003 + nr * 101 + i;
		pth_start(&c[i - first].thread, caller_main, &c[i - first]);
	}
	watch(c, last - first + 1);
}

static pid_t process_start(int nr, uint64_t seed, int first, int last)
{
	pid_t pid = child_fork();

	if (pid)
		return pid;
	sem_check = process_names[nr];
	process_run(nr, seed, first, last);
	_exit(sem_failures ? 1 : 0);
}

/* A process that is killed and is still there */
static void say_stuck(int pid)
{
	char path[40];
	struct dirent *task;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (task = readdir(dir)))
		if (task->d_name[0] != '.')
			say_where(pid, atoi(task->d_name));
	if (dir)
		closedir(dir);
}

static void say_counts(void)
{
	unsigned long all = 0;
	int kind, i, k;

	for (kind = 0; kind < KINDS; kind++) {
		unsigned long calls = 0, worked = 0;

		for (i = 0; i < PROCESSES; i++) {
			for (k = 0; k < MOST_THREADS; k++) {
				calls += shared[i][k].calls[kind];
				worked += shared[i][k].worked[kind];
			}
		}
		printf("%-14s %9lu calls, %9lu worked\n", kind_names[kind],
		       calls, worked);
		all += calls;
	}
	printf("calls %lu\n", all);
}

static int random_run(uint64_t seed, int seconds, int only, int thread)
{
	pid_t pids[PROCESSES] = {};
	int i, status, bad = 0;
	double end;
	long before;

	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	before = refs();
	for (i = 0; i < PROCESSES; i++)
		if (only < 0 || only == i)
			pids[i] = process_start(i, seed, only < 0 ? 0 : thread,
						only < 0 ? nr_threads - 1 :
						thread);
	for (end = now() + seconds; !most_calls && now() < end;)
		usleep(100000);
	*over = !most_calls;
	for (i = 0; i < PROCESSES; i++) {
		if (!pids[i])
			continue;
		if (!child_wait(pids[i], most_calls ? CALLS_SECONDS :
				2 * STUCK_SECONDS, &status)) {
			sem_fail("%s: does not end", process_names[i]);
			say_stuck(pids[i]);
		} else if (status) {
			sem_fail("%s: status %x", process_names[i], status);
		}
	}
	say_counts();
	watchdog(2 * STUCK_SECONDS);
	refs_back(before);
	others_work();
	bad = sem_failures;
	printf("%s random, seed %llu\n", bad ? "not ok" : "ok",
	       (unsigned long long)seed);
	return bad;
}

static int usage(void)
{
	fputs("usage: pvrandom ADDRESS PORT [--seconds N] [--seed N] [--threads N] [--trace]\n"
	      "       pvrandom ADDRESS PORT --seed N --calls N [--only P.T] [--trace]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int seconds = 60, only = -1, thread = 0, i;
	uint64_t seed = time(NULL);

	if (argc < 3)
		return usage();
	sem_check = "random";
	sem_addr = at(argv[1], atoi(argv[2]));
	for (i = 3; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--trace")) {
			trace = true;
			continue;
		}
		if (!strcmp(argv[i], "--seconds"))
			seconds = atoi(value);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoull(value, NULL, 0);
		else if (!strcmp(argv[i], "--threads"))
			nr_threads = atoi(value);
		else if (!strcmp(argv[i], "--calls"))
			most_calls = strtoul(value, NULL, 0);
		else if (strcmp(argv[i], "--only") ||
			 sscanf(value, "%d.%d", &only, &thread) != 2)
			return usage();
		i++;
	}
	if (nr_threads < 1 || nr_threads > MOST_THREADS || only >= PROCESSES ||
	    thread < 0 || thread >= MOST_THREADS || (only >= 0 && !most_calls))
		return usage();
	shared = mmap(NULL, PROCESSES * sizeof(*shared) + sizeof(*over),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	over = (void *)(shared + PROCESSES);
	return !!random_run(seed, seconds, only, thread);
}
