// SPDX-License-Identifier: GPL-2.0
/* See kernel.h. */
#include "kernel.h"

#define THREADS	64

__thread struct task_struct *current;

struct cpumask test_possible = { 0xff };
struct cpumask test_online = { 0xf };
struct mutex test_hotplug = { PTHREAD_MUTEX_INITIALIZER };
int (*test_cpu_online)(unsigned int cpu);
int (*test_cpu_offline)(unsigned int cpu);

void usleep_some(void)
{
	const struct timespec t = { .tv_nsec = 20000 };

	nanosleep(&t, NULL);
}

void dawdle(void)
{
	static __thread u32 turn;

	/* a prime, so that it meets all places */
	if (++turn % 61 == 0)
		usleep_some();
	else if (turn % 7 == 0)
		sched_yield();
}

/* ---- RCU: readers say so, and are waited for one after the other ---- */

static u32 rcu_reading[THREADS];	/* even: not */
static u32 rcu_threads;
static __thread u32 rcu_me;		/* index + 1 */
static __thread u32 rcu_nested;

void rcu_read_lock(void)
{
	if (!rcu_me)
		rcu_me = __atomic_add_fetch(&rcu_threads, 1, __ATOMIC_SEQ_CST);
	if (rcu_me > THREADS)
		abort();
	if (!rcu_nested++)
		__atomic_add_fetch(&rcu_reading[rcu_me - 1], 1,
				   __ATOMIC_SEQ_CST);
}

void rcu_read_unlock(void)
{
	if (!--rcu_nested)
		__atomic_add_fetch(&rcu_reading[rcu_me - 1], 1,
				   __ATOMIC_SEQ_CST);
}

void synchronize_rcu(void)
{
	u32 i;

	for (i = 0; i < THREADS; i++) {
		u32 now = __atomic_load_n(&rcu_reading[i], __ATOMIC_SEQ_CST);

		while (now % 2 && now == __atomic_load_n(&rcu_reading[i],
							 __ATOMIC_SEQ_CST))
			usleep_some();
	}
}

/* ---- threads ---- */

/* A thread that ends leaves its place to another */
static u32 rcu_free[THREADS], rcu_nr_free;
static pthread_mutex_t rcu_lock = PTHREAD_MUTEX_INITIALIZER;

void rcu_thread_begin(void)
{
	pthread_mutex_lock(&rcu_lock);
	if (rcu_nr_free)
		rcu_me = rcu_free[--rcu_nr_free];
	pthread_mutex_unlock(&rcu_lock);
}

void rcu_thread_end(void)
{
	pthread_mutex_lock(&rcu_lock);
	if (rcu_me)
		rcu_free[rcu_nr_free++] = rcu_me;
	pthread_mutex_unlock(&rcu_lock);
}

static void *kthread(void *arg)
{
	current = arg;
	rcu_thread_begin();
	/* the first wake-up */
	schedule();
	current->fn(current->data);
	rcu_thread_end();
	return NULL;
}

struct task_struct *kthread_create_on_node(int (*fn)(void *data), void *data,
					   int node, const char *fmt, ...)
{
	struct task_struct *t = calloc(1, sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->woken, NULL);
	t->state = TASK_IDLE;
	t->fn = fn;
	t->data = data;
	if (pthread_create(&t->thread, NULL, kthread, t))
		abort();
	return t;
}

u64 ktime_get_ns(void)
{
	return local_clock();
}

void set_current_state(int state)
{
	pthread_mutex_lock(&current->lock);
	current->state = state;
	pthread_mutex_unlock(&current->lock);
}

void schedule(void)
{
	pthread_mutex_lock(&current->lock);
	while (current->state != TASK_RUNNING)
		pthread_cond_wait(&current->woken, &current->lock);
	pthread_mutex_unlock(&current->lock);
}

u32 naps;

void schedule_timeout(long timeout)
{
	struct timespec until;
	u64 ns;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return;
	}
	__atomic_add_fetch(&naps, 1, __ATOMIC_SEQ_CST);
	clock_gettime(CLOCK_REALTIME, &until);
	ns = until.tv_nsec + timeout * 4000000ULL;
	until.tv_sec += ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	pthread_mutex_lock(&current->lock);
	while (current->state != TASK_RUNNING)
		if (pthread_cond_timedwait(&current->woken, &current->lock,
					   &until))
			current->state = TASK_RUNNING;
	pthread_mutex_unlock(&current->lock);
}

void wake_up_process(struct task_struct *t)
{
	pthread_mutex_lock(&t->lock);
	t->state = TASK_RUNNING;
	pthread_cond_signal(&t->woken);
	pthread_mutex_unlock(&t->lock);
}

void kthread_stop(struct task_struct *t)
{
	__atomic_store_n(&t->stop, true, __ATOMIC_SEQ_CST);
	wake_up_process(t);
	pthread_join(t->thread, NULL);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->woken);
	free(t);
}

static int tasklet_main(void *data)
{
	struct tasklet_struct *t = data;

	for (;;) {
		set_current_state(TASK_IDLE);
		if (__atomic_exchange_n(&t->scheduled, 0, __ATOMIC_SEQ_CST)) {
			set_current_state(TASK_RUNNING);
			t->fn(t);
			continue;
		}
		if (kthread_should_stop())
			return 0;
		schedule();
	}
}

void tasklet_setup(struct tasklet_struct *t,
		   void (*fn)(struct tasklet_struct *t))
{
	t->fn = fn;
	t->scheduled = 0;
	t->task = kthread_create_on_node(tasklet_main, t, 0, "softirq");
	wake_up_process(t->task);
}

void tasklet_schedule(struct tasklet_struct *t)
{
	if (!__atomic_exchange_n(&t->scheduled, 1, __ATOMIC_SEQ_CST))
		wake_up_process(t->task);
}

/* It has run when this returns, if it was scheduled */
void tasklet_kill(struct tasklet_struct *t)
{
	kthread_stop(t->task);
}
