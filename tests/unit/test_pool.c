// SPDX-License-Identifier: GPL-2.0
/*
 * The backend's own workers, pool and its members on threads of a program: works are
 * marked, ended and made anew by several threads, while another one changes
 * how many workers there are, on which CPUs, and takes CPUs away. The thread
 * sanitizer sees to it that a work's run has it to itself, and that nobody
 * touches what was freed.
 */
#include <setjmp.h>
#include <cmocka.h>

#include "placement.h"
#include "pool.h"

#define WORKS		12
#define MARKERS		3

/*
 * A socket, say. One with an odd number is like one that waits to be accepted:
 * it is ended by others than its worker, and owes no events. The other ones are
 * told to end, and do that themselves.
 */
struct item {
	struct pvcalls_work work;
	struct pvcalls_notify notify;
	int refs;
	int irq;
	u32 asked;	/* since the last run */
	u32 runs;	/* without a lock, but with running */
	u32 running;
	bool in_run;
	bool told;
	bool gone;	/* the worker's own */
	u32 rnd;
};

struct slot {
	pthread_mutex_t lock;
	struct item *item;
};

static struct slot slots[WORKS];
static u32 items;		/* that exist */
static u32 made;		/* ever */
static u32 fasts;		/* runs in a softirq */
static u32 owed[IRQS];		/* by runs that have begun */
static bool stop;

static void item_put(struct item *item)
{
	if (__atomic_sub_fetch(&item->refs, 1, __ATOMIC_SEQ_CST))
		return;
	must(list_empty(&item->notify.node));
	pvcalls_queues_put(item->work.queues);
	__atomic_sub_fetch(&items, 1, __ATOMIC_SEQ_CST);
	free(item);
}

static void work_get(struct pvcalls_work *work)
{
	struct item *item = container_of(work, struct item, work);

	must(__atomic_add_fetch(&item->refs, 1, __ATOMIC_SEQ_CST) > 1);
}

static void work_put(struct pvcalls_work *work)
{
	item_put(container_of(work, struct item, work));
}

/* What is a run's own while it lasts; the thread sanitizer sees to that. */
static void item_begin(struct item *item)
{
	must(!item->in_run);
	item->in_run = true;
	item->runs++;
}

static bool item_run(struct item *item, struct pvcalls_events *ev)
{
	struct pvcalls_work *work = &item->work;
	bool more;

	if (item->gone)
		return false;
	item_begin(item);
	pvcalls_work_steer(work, item->irq);
	more = rnd(&item->rnd) % 4 == 0;
	if (!more)
		__atomic_store_n(&item->asked, 0, __ATOMIC_SEQ_CST);
	if (item->irq % 2 == 0) {
		if (list_empty(&item->notify.node))
			__atomic_add_fetch(&owed[item->irq], 1,
					   __ATOMIC_SEQ_CST);
		pvcalls_notify_owe(&item->notify, ev);
	}
	pvcalls_work_did(work, rnd(&item->rnd) % 10000, rnd(&item->rnd) % 2);
	if (rnd(&item->rnd) % 8 == 0)
		sched_yield();
	item->in_run = false;
	if (!__atomic_load_n(&item->told, __ATOMIC_SEQ_CST))
		return more;
	item->gone = true;
	pvcalls_notify_now(&item->notify);
	pvcalls_work_exit(work);
	item_put(item);
	return false;
}

static bool work_run(struct pvcalls_work *work, struct pvcalls_worker *w)
{
	struct item *item = container_of(work, struct item, work);
	bool more;

	must(w == pvcalls_worker_current());
	while (__atomic_exchange_n(&item->running, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	more = item_run(item, &w->tools.events);
	__atomic_store_n(&item->running, 0, __ATOMIC_RELEASE);
	return more;
}

/* Half of the time it is not little. */
static bool work_fast(struct pvcalls_work *work, struct pvcalls_worker *w)
{
	struct item *item = container_of(work, struct item, work);
	bool done;

	if (__atomic_exchange_n(&item->running, 1, __ATOMIC_ACQUIRE))
		return false;
	done = !item->gone && !__atomic_load_n(&item->told, __ATOMIC_SEQ_CST) &&
	       rnd(&item->rnd) % 2;
	if (done) {
		item_begin(item);
		__atomic_store_n(&item->asked, 0, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&fasts, 1, __ATOMIC_SEQ_CST);
		item->in_run = false;
	}
	__atomic_store_n(&item->running, 0, __ATOMIC_RELEASE);
	return done;
}

static const struct pvcalls_work_ops ops[] = {
	{ .run = work_run, .fast = work_fast, .get = work_get, .put = work_put },
	/* always the thread's */
	{ .run = work_run, .get = work_get, .put = work_put },
};

static struct item *item_near(int i, u32 seed, struct pvcalls_worker *near)
{
	struct item *item = calloc(1, sizeof(*item));
	u32 n = __atomic_fetch_add(&made, 1, __ATOMIC_SEQ_CST);
	/* not that of one that still owes an event: they would need only one */
	int irq = i + n * WORKS % IRQS;

	item->refs = 1;
	item->irq = irq;
	item->rnd = seed;
	pvcalls_notify_init(&item->notify);
	item->notify.irq = irq;
	/* of some it is not known */
	item->notify.port = irq % 3 ? pvcalls_notify_find(irq) : 0;
	__atomic_add_fetch(&items, 1, __ATOMIC_SEQ_CST);
	pvcalls_work_init(&item->work, &ops[n % 4 == 0],
			  pvcalls_queues_open(n % 5), PLACEMENT_ANY_NODE,
			  near);
	return item;
}

static struct item *slot_get(struct slot *s)
{
	struct item *item;

	pthread_mutex_lock(&s->lock);
	item = s->item;
	if (item)
		work_get(&item->work);
	pthread_mutex_unlock(&s->lock);
	return item;
}

/* End what is in a slot, and put another one there. */
static void slot_replace(int i, struct item *with)
{
	struct item *old;

	pthread_mutex_lock(&slots[i].lock);
	old = slots[i].item;
	slots[i].item = with;
	pthread_mutex_unlock(&slots[i].lock);
	if (!old)
		return;
	if (old->irq % 2) {
		pvcalls_work_exit(&old->work);
		item_put(old);
		return;
	}
	/* the worker drops the reference of being alive, maybe at once */
	work_get(&old->work);
	__atomic_store_n(&old->told, true, __ATOMIC_SEQ_CST);
	pvcalls_work_mark(&old->work);
	item_put(old);
}

static void *marker(void *arg)
{
	u32 state = (uintptr_t)arg;

	rcu_thread_begin();
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		int i = rnd(&state) % WORKS;
		struct item *item;

		/* some live for long: they must be handed over */
		if (i >= WORKS / 2 && rnd(&state) % 16 == 0) {
			slot_replace(i, item_near(i, state, NULL));
			continue;
		}
		item = slot_get(&slots[i]);
		if (!item)
			continue;
		__atomic_add_fetch(&item->asked, 1, __ATOMIC_SEQ_CST);
		/* it may be ended by now */
		if (rnd(&state) % 2)
			pvcalls_work_mark_fast(&item->work);
		else
			pvcalls_work_mark(&item->work);
		item_put(item);
		if (rnd(&state) % 16 == 0)
			usleep_some();
	}
	rcu_thread_end();
	return NULL;
}

static void run_pending(void)
{
	if (__atomic_exchange_n(&pending, 0, __ATOMIC_SEQ_CST))
		pending_work->fn(pending_work);
}

static void cpu_goes(unsigned int cpu)
{
	mutex_lock(&test_hotplug);
	test_cpu_offline(cpu);
	test_online.bits &= ~BIT(cpu);
	mutex_unlock(&test_hotplug);
}

static void cpu_comes(unsigned int cpu)
{
	mutex_lock(&test_hotplug);
	test_online.bits |= BIT(cpu);
	test_cpu_online(cpu);
	mutex_unlock(&test_hotplug);
}

static void change(u32 *state)
{
	static const char * const policies[] = {
		"round_robin", "least_loaded", "node", "irq",
	};
	unsigned int cpu = 1 + rnd(state) % 3;
	char text[32];

	switch (rnd(state) % 6) {
	case 0:
		snprintf(text, sizeof(text), "%u", rnd(state) % 7);
		must(!test_param_workers->set(text, NULL));
		break;
	case 1:
		/* CPU 0 is always there */
		snprintf(text, sizeof(text), "%x", 1 | rnd(state) % 16);
		must(!test_param_cpus->set(text, NULL));
		break;
	case 2:
		must(!test_param_placement->set(policies[rnd(state) % 4],
						 NULL));
		break;
	case 3:
		cpu_goes(cpu);
		if (rnd(state) % 2)
			run_pending();
		cpu_comes(cpu);
		break;
	case 4:
		cpu_goes(cpu);
		run_pending();
		break;
	case 5:
		cpu_comes(cpu);
		run_pending();
		break;
	}
	must(!test_param_poll_us->set(rnd(state) % 2 ? "20" : "0", NULL));
}

/* What must be when all is quiet, which it must become. */
static void settle(void)
{
	const struct pvcalls_pool *pool;
	u32 i, j, works = 0;
	int tries = 0;

	for (i = 0; i < WORKS; i++) {
		/* asked for: done; nothing queued */
		while (__atomic_load_n(&slots[i].item->asked,
				       __ATOMIC_SEQ_CST) ||
		       test_bit(PVCALLS_WORK_QUEUED,
				&slots[i].item->work.state)) {
			must(tries++ < 200000);
			usleep_some();
		}
	}
	/* owed: sent */
	for (i = 0; i < IRQS; i++) {
		while (__atomic_load_n(&owed[i], __ATOMIC_SEQ_CST) !=
		       __atomic_load_n(&events[i], __ATOMIC_SEQ_CST)) {
			must(tries++ < 200000);
			usleep_some();
		}
	}
	/* what was told to end has */
	while (__atomic_load_n(&items, __ATOMIC_SEQ_CST) != WORKS) {
		must(tries++ < 200000);
		usleep_some();
	}
	pool = pvcalls_pool_lock();
	for (i = 0; i < NR_CPUS; i++) {
		for (j = 0; j < pool->n; j++)
			if (pool->w[j]->cpu == i)
				break;
		must(pvcalls_pool_serves(i) == (j < pool->n));
	}
	for (j = 0; j < pool->n; j++) {
		must(!pool->w[j]->lost);
		works += atomic_read(&pool->w[j]->load);
	}
	must(works == WORKS);
	for (i = 0; i < WORKS; i++) {
		for (j = 0; j < pool->n; j++)
			if (pool->w[j] == READ_ONCE(slots[i].item->work.worker))
				break;
		must(j < pool->n);
	}
	pvcalls_pool_unlock();
}

static void changes_under_load(void **state)
{
	pthread_t threads[MARKERS];
	u32 seed = 1, rounds = 0;
	u64 end;
	int i;

	must(!pvcalls_members_start());
	for (i = 0; i < WORKS; i++) {
		pthread_mutex_init(&slots[i].lock, NULL);
		slots[i].item = item_near(i, i, NULL);
	}
	end = local_clock() + 4000000000ULL;
	while (local_clock() < end || rounds < 5) {
		stop = false;
		for (i = 0; i < MARKERS; i++)
			must(!pthread_create(&threads[i], NULL, marker,
					     (void *)(uintptr_t)
					     (rounds * MARKERS + i)));
		for (i = 0; i < 20; i++) {
			change(&seed);
			usleep_some();
		}
		__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
		for (i = 0; i < MARKERS; i++)
			pthread_join(threads[i], NULL);
		run_pending();
		settle();
		rounds++;
	}
	printf("%u rounds of 20 changes, %u runs in a softirq\n", rounds,
	       __atomic_load_n(&fasts, __ATOMIC_SEQ_CST));
	must(__atomic_load_n(&fasts, __ATOMIC_SEQ_CST));
	for (i = 0; i < WORKS; i++)
		slot_replace(i, NULL);
	while (__atomic_load_n(&items, __ATOMIC_SEQ_CST))
		usleep_some();
	pvcalls_members_stop();
}

/* What it has to do with counts only among equals, and is one work less. */
static void near_among_equals(void **state)
{
	struct item *item[4];
	struct pvcalls_worker *near;
	int i;

	must(!pvcalls_members_start());
	must(!test_param_placement->set("least_loaded", NULL));
	must(!test_param_workers->set("3", NULL));
	near = pvcalls_pool_lock()->w[1];
	pvcalls_pool_unlock();
	/* those with an odd number are nobody's but ours */
	for (i = 0; i < 4; i++)
		item[i] = item_near(1, i, near);
	must(item[0]->work.worker == near);
	must(item[1]->work.worker == near);
	must(item[2]->work.worker != near);
	/* two of three have one, and this one two */
	must(item[3]->work.worker != near);
	must(item[3]->work.worker != item[2]->work.worker);
	for (i = 0; i < 4; i++) {
		pvcalls_work_exit(&item[i]->work);
		item_put(item[i]);
	}
	pvcalls_members_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_among_equals),
		cmocka_unit_test(changes_under_load),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
