// SPDX-License-Identifier: GPL-2.0
/* How guests take turns on a worker, which is a thread of the program. */
#include <setjmp.h>
#include <cmocka.h>

#include "placement.h"
#include "pool.h"

#define MANY	80		/* works of one guest */
#define FAIR	2000U		/* runs of that one that are counted */
#define QUANTUM	262144U		/* default of the parameter budget */
#define RUN	4096U		/* what a run costs beside its bytes */

/* A work, and how often it is referred to */
struct held {
	struct pvcalls_work work;
	u32 refs;
};

static void held_get(struct pvcalls_work *work)
{
	__atomic_add_fetch(&container_of(work, struct held, work)->refs, 1,
			   __ATOMIC_SEQ_CST);
}

static void held_put(struct pvcalls_work *work)
{
	__atomic_sub_fetch(&container_of(work, struct held, work)->refs, 1,
			   __ATOMIC_SEQ_CST);
}

/* Ends a work that nobody refers to any more, and its guest's queues. */
static void held_end(struct held *h)
{
	while (__atomic_load_n(&h->refs, __ATOMIC_SEQ_CST))
		usleep_some();
	pvcalls_work_exit(&h->work);
	pvcalls_queues_put(h->work.queues);
}

/* A work that has always more to do */
struct busy {
	struct held held;
	int guest;
	u32 bytes;	/* of each run; and */
	u32 spends;
	u32 runs;	/* the worker's own */
};

static struct busy busy[MANY + 1];
static u32 runs[2];		/* of the guest with many, and of the other */
static bool uneven;
static u32 lead;		/* runs that one may be ahead of the next */
static bool begun;		/* all of them are ready */
static bool over;

static bool busy_run(struct pvcalls_work *work, struct pvcalls_worker *w)
{
	struct busy *b = container_of(work, struct busy, held.work);

	if (__atomic_load_n(&over, __ATOMIC_SEQ_CST))
		return false;
	if (!__atomic_load_n(&begun, __ATOMIC_SEQ_CST))
		return true;
	b->runs++;
	/* a guest's works in turn, too */
	if (b > busy && b < &busy[MANY] && b->runs > b[-1].runs + lead)
		uneven = true;
	if (b->bytes)
		pvcalls_work_did(work, b->bytes, PLACEMENT_ANY_CPU);
	pvcalls_worker_spend(b->spends / 2);
	w->tools.scratch.cost += b->spends / 2;
	must(pvcalls_worker_is_over() ==
	     (b->bytes + b->spends + (b->bytes ? RUN : 0) >= QUANTUM));
	if (++runs[b->guest] == FAIR && !b->guest)
		__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	return true;
}

static const struct pvcalls_work_ops busy_ops = {
	.run = busy_run,
	.get = held_get,
	.put = held_put,
};

/*
 * Works of a guest with many, and of one with a single one, that cost so much
 * each: how often does the latter run while the former's run FAIR times?
 */
static u32 busy_runs(u32 bytes, u32 spends, u32 others_bytes, domid_t other)
{
	int i;

	memset(busy, 0, sizeof(busy));
	memset(runs, 0, sizeof(runs));
	begun = over = uneven = false;
	/* while it costs little it goes first */
	lead = 1 + QUANTUM / 4 / (bytes + spends + RUN);
	must(!pvcalls_members_start());
	must(!test_param_workers->set("1", NULL));
	for (i = 0; i <= MANY; i++) {
		busy[i].guest = i == MANY;
		busy[i].bytes = i == MANY ? others_bytes : bytes;
		busy[i].spends = i == MANY ? 0 : spends;
		pvcalls_work_init(&busy[i].held.work, &busy_ops,
				  pvcalls_queues_open(i == MANY ? other : 1),
				  PLACEMENT_ANY_NODE, NULL);
	}
	for (i = 0; i <= MANY; i++)
		pvcalls_work_mark(&busy[i].held.work);
	__atomic_store_n(&begun, true, __ATOMIC_SEQ_CST);
	for (i = 0; i <= MANY; i++) {
		while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
			usleep_some();
		held_end(&busy[i].held);
	}
	pvcalls_members_stop();
	must(!uneven);
	return runs[1];
}

/* A guest with many works gets no more of a worker than one with one. */
static void guests_take_turns(void **state)
{
	/* one run is a turn */
	must(about(busy_runs(QUANTUM - RUN, 0, QUANTUM - RUN, 2), FAIR));
	/* sixteen are */
	must(about(busy_runs(QUANTUM / 16 - RUN, 0, QUANTUM - RUN, 2),
		   FAIR / 16));
	/* one that has cost as much as four turns is to wait for three */
	must(about(busy_runs(4 * QUANTUM - RUN, 0, QUANTUM - RUN, 2),
		   FAIR * 4));
	/* and so is who has nothing else to run */
	must(about(busy_runs(QUANTUM - RUN, 0, 4 * QUANTUM - RUN, 2),
		   FAIR / 4));
	/* what is no bytes counts, and a run that does nothing */
	must(about(busy_runs(0, QUANTUM / 2, QUANTUM - RUN, 2), FAIR / 2));
	must(about(busy_runs(0, 0, QUANTUM - RUN, 2), FAIR * RUN / QUANTUM));
	/* no other guest is near, whatever its number is */
	must(about(busy_runs(QUANTUM - RUN, 0, QUANTUM - RUN, 257), FAIR));
}

#define LATE	4		/* guests with a work each */

/* A work whose turn is a long one */
struct late {
	struct held held;
	struct pvcalls_notify notify;
	u32 seen;	/* events that the one before it has got */
	u32 ran;
};

static struct late late[LATE];
static u32 late_cost;		/* of each turn */

static bool late_run(struct pvcalls_work *work, struct pvcalls_worker *w)
{
	struct late *l = container_of(work, struct late, held.work);
	int i;

	if (l == late) {
		/* all others have their turns in the next round */
		for (i = 1; i < LATE; i++)
			pvcalls_work_mark(&late[i].held.work);
	} else {
		l->seen = __atomic_load_n(&events[l[-1].notify.irq],
					  __ATOMIC_SEQ_CST);
		pvcalls_notify_owe(&l->notify, &w->tools.events);
		pvcalls_worker_spend(late_cost);
	}
	__atomic_store_n(&l->ran, 1, __ATOMIC_SEQ_CST);
	return false;
}

static const struct pvcalls_work_ops late_ops = {
	.run = late_run,
	.get = held_get,
	.put = held_put,
};

/* Turns of @cost each: the one at @first is the first that finds events sent. */
static void late_turns(u32 cost, int first)
{
	int i;

	memset(late, 0, sizeof(late));
	late_cost = cost;
	must(!pvcalls_members_start());
	must(!test_param_workers->set("1", NULL));
	for (i = 0; i < LATE; i++) {
		pvcalls_notify_init(&late[i].notify);
		late[i].notify.irq = IRQS - LATE + i;
		events[IRQS - LATE + i] = 0;
		pvcalls_work_init(&late[i].held.work, &late_ops,
				  pvcalls_queues_open(1 + i),
				  PLACEMENT_ANY_NODE, NULL);
	}
	pvcalls_work_mark(&late[0].held.work);
	for (i = 0; i < LATE; i++)
		while (!__atomic_load_n(&late[i].ran, __ATOMIC_SEQ_CST))
			usleep_some();
	for (i = 0; i < LATE; i++)
		held_end(&late[i].held);
	pvcalls_members_stop();
	for (i = 0; i < LATE; i++) {
		must(events[IRQS - LATE + i] == (i > 0));
		must(late[i].seen == (i >= first));
		events[IRQS - LATE + i] = 0;
	}
}

/* Events go out between turns as soon as turns have cost a budget. */
static void events_between_turns(void **state)
{
	late_turns(QUANTUM + 1, 2);
	late_turns(QUANTUM / 2 + 1, 3);
}

#define CAP	2000000U	/* in a second, less than a turn may be */
#define CAPPED	300		/* works of the guest with a cap */

/* A work that costs a little in each run, for ever; and what that is so far */
struct costly {
	struct held held;
	u64 cost;
};

static struct costly costly[CAPPED + 1];

static bool costly_run(struct pvcalls_work *work, struct pvcalls_worker *w)
{
	struct costly *c = container_of(work, struct costly, held.work);

	if (__atomic_load_n(&over, __ATOMIC_SEQ_CST))
		return false;
	pvcalls_worker_spend(2 * RUN);
	__atomic_add_fetch(&c->cost, 2 * RUN, __ATOMIC_SEQ_CST);
	return true;
}

static const struct pvcalls_work_ops costly_ops = {
	.run = costly_run,
	.get = held_get,
	.put = held_put,
};

static u64 costs(int first, int end)
{
	u64 n = 0;

	for (; first < end; first++)
		n += __atomic_load_n(&costly[first].cost, __ATOMIC_SEQ_CST);
	return n;
}

/* What the guest with a cap costs in half a second is what it may. */
static void costs_by_cap(void)
{
	u64 begun = ktime_get_ns(), before = costs(0, CAPPED), cost, took;

	while (ktime_get_ns() - begun < NSEC_PER_SEC / 2)
		usleep_some();
	cost = costs(0, CAPPED) - before;
	took = ktime_get_ns() - begun;
	/* a tenth of a second's is what may come at once */
	must(cost <= (took * CAP + CAP / 10 * NSEC_PER_SEC) / NSEC_PER_SEC +
		     2 * RUN);
	must(cost >= CAP / 8);
}

/* A guest with a cap and @n works has no more than that, alone or not. */
static void capped(int n)
{
	struct pvcalls_queues *queues = pvcalls_queues_open(1);
	u64 begun;
	int i;

	memset(costly, 0, sizeof(costly));
	over = false;
	naps = 0;
	must(!pvcalls_members_start());
	must(!test_param_workers->set("2", NULL));
	pvcalls_queues_begin(queues);
	pvcalls_queues_weigh(queues, 10 * PVCALLS_WEIGHT_DEFAULT, CAP);
	for (i = 0; i <= CAPPED; i++)
		pvcalls_work_init(&costly[i].held.work, &costly_ops,
				  pvcalls_queues_open(i < CAPPED ? 1 : 2),
				  PLACEMENT_ANY_NODE, NULL);
	for (i = 0; i < n; i++)
		pvcalls_work_mark(&costly[i].held.work);
	costs_by_cap();
	must(READ_ONCE(queues->cap.waited) > 2);
	/* and the workers have slept meanwhile, as often */
	must(__atomic_load_n(&naps, __ATOMIC_SEQ_CST) > 2);
	/* others have all that they want */
	pvcalls_work_mark(&costly[CAPPED].held.work);
	costs_by_cap();
	must(costs(CAPPED, CAPPED + 1) > CAP);
	/* while a connection ends there is no cap, however much was owed */
	begun = ktime_get_ns();
	pvcalls_cap_tell(&queues->cap, 1ULL << 40, begun);
	while (ktime_get_ns() - begun < NSEC_PER_SEC / 5)
		usleep_some();
	begun = ktime_get_ns();
	pvcalls_queues_hurry(queues, true);
	while (costs(0, CAPPED) < 10 * CAP)
		usleep_some();
	must(ktime_get_ns() - begun < 5 * NSEC_PER_SEC);
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	pvcalls_queues_hurry(queues, false);
	for (i = 0; i <= CAPPED; i++)
		held_end(&costly[i].held);
	pvcalls_members_stop();
	pvcalls_queues_put(queues);
}

static void cap_holds(void **state)
{
	capped(CAPPED);
	capped(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guests_take_turns),
		cmocka_unit_test(events_between_turns),
		cmocka_unit_test(cap_holds),
	};

	return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
