// SPDX-License-Identifier: GPL-2.0
/* Whose turn it is, the backend's own fairq.c, turn by turn. */
#include <setjmp.h>
#include <cmocka.h>

#include "sched/fairq.h"
#include "sched/queues.h"
#include "sched/work.h"

#define QUANTUM	262144U		/* default of the parameter budget */
#define RUN	4096U		/* what a run costs beside its bytes */
#define PLACE	3		/* of the worker that this is */
#define GUESTS	3

static struct pvcalls_queues *guests[GUESTS];

/* A worker, and guests that it does not know yet */
static void begin(struct pvcalls_fairq *t)
{
	domid_t i;

	for (i = 0; i < GUESTS; i++) {
		if (guests[i])
			pvcalls_queues_put(guests[i]);
		/* equal in as many bits as may be */
		guests[i] = pvcalls_queues_open(i << 14);
	}
	memset(t, 0, sizeof(*t));
	pvcalls_fairq_init(t, PLACE);
}

static struct pvcalls_guestq *queue_of(domid_t domid)
{
	return &guests[domid]->on[PLACE];
}

/* A turn of a guest, which runs one work, or none if it owes turns. */
static struct pvcalls_work *turn(struct pvcalls_fairq *t, domid_t domid,
				 u64 cost)
{
	struct pvcalls_guestq *q = queue_of(domid);
	struct pvcalls_work *work;

	must(t->queues.next == &q->node);
	pvcalls_fairq_begin(q);
	work = pvcalls_fairq_take(q);
	if (work)
		/* of the work, if it is said there */
		pvcalls_fairq_spend(q, work, cost ?: work->cost, 0);
	pvcalls_fairq_end(t, q);
	pvcalls_fairq_round(t);
	return work;
}

/* How many turns is this guest, with one work, not run in now? */
static u32 waits(struct pvcalls_fairq *t, domid_t domid, u64 cost)
{
	struct pvcalls_work work = { .queues = guests[domid] }, *taken;
	u32 n = 0;

	pvcalls_fairq_add(t, &work);
	while (!(taken = turn(t, domid, cost)))
		n++;
	must(taken == &work && list_empty(&t->queues));
	return n;
}

/* What a guest owes is paid by turns, its own or those of others. */
static void debts(void **state)
{
	static struct pvcalls_fairq t;
	u32 i;

	begin(&t);
	/* long after the first rounds, and over the counter's end */
	t.round = -20U;
	queue_of(1)->round = t.round;
	queue_of(2)->round = t.round - 5;
	must(waits(&t, 1, QUANTUM) == 0);
	/* it owed nothing, and has saved nothing up while it was away */
	for (i = 0; i < 5; i++)
		must(waits(&t, 2, QUANTUM) == 0);
	must(waits(&t, 1, 4 * QUANTUM) == 0);
	must(waits(&t, 1, 4 * QUANTUM) == 3);
	for (i = 0; i < 2; i++)
		must(waits(&t, 2, QUANTUM) == 0);
	must(waits(&t, 1, 9 * QUANTUM) == 1);
	for (i = 0; i < 20; i++)
		must(waits(&t, 2, QUANTUM) == 0);
	must(waits(&t, 1, 2 * QUANTUM) == 0);
	must(waits(&t, 1, 1ULL << 40) == 1);
	/* a budget that was large does not count for ever */
	must(waits(&t, 1, QUANTUM) == 64);
	must(waits(&t, 1, QUANTUM) == 0);
}

/* What softirqs do for a guest's works has a limit, and is charged to it. */
static void fast_is_charged(void **state)
{
	struct pvcalls_work work = {}, other = {};
	struct pvcalls_fairq t;
	u32 n = 0;

	begin(&t);
	work.queues = guests[1];
	other.queues = guests[1];
	/* all works of the guest together */
	while (n < 100 && pvcalls_fairq_may_fast(&t, n % 2 ? &work : &other)) {
		pvcalls_fairq_spend_fast(&t, n % 2 ? &work : &other, RUN);
		n++;
	}
	must(n == QUANTUM / 8 / RUN);
	/* the guest's turn makes it possible again */
	pvcalls_fairq_add(&t, &work);
	must(turn(&t, 1, RUN) == &work);
	must(queue_of(1)->deficit == QUANTUM - QUANTUM / 8 - RUN);
	must(pvcalls_fairq_may_fast(&t, &other));
	/* turns of the guest go by */
	pvcalls_fairq_spend_fast(&t, &work, 2 * QUANTUM + RUN);
	pvcalls_fairq_add(&t, &work);
	n = 0;
	while (n < 10 && !turn(&t, 1, 0))
		n++;
	must(n == 2);
}

/* What says nothing about a work is the guest's, and not the work's. */
static void once_is_charged(void **state)
{
	struct pvcalls_work work = {};
	struct pvcalls_fairq t;

	begin(&t);
	work.queues = guests[1];
	pvcalls_fairq_add(&t, &work);
	pvcalls_fairq_begin(queue_of(1));
	must(pvcalls_fairq_take(queue_of(1)) == &work);
	pvcalls_fairq_spend(queue_of(1), &work, RUN, 5 * QUANTUM);
	must(queue_of(1)->deficit == -(s64)(4 * QUANTUM + RUN));
	pvcalls_fairq_end(&t, queue_of(1));
	pvcalls_fairq_add(&t, &work);
	must(queue_of(1)->sparse == &work.node && !queue_of(1)->bulk);
}

/* A work that is the only one is run at once, if there is nothing to it. */
static void alone(void **state)
{
	struct pvcalls_work work = {}, other = {};
	struct pvcalls_fairq t;
	struct pvcalls_guestq *q;
	u32 i;

	begin(&t);
	q = queue_of(1);
	work.queues = guests[1];
	other.queues = guests[2];
	for (i = 0; i < 7; i++) {
		/* nothing is saved up */
		must(pvcalls_fairq_alone(&t, &work) == q);
		must(q->deficit == QUANTUM && t.round == i + 1);
		must(list_empty(&t.queues) && !q->sparse && !q->bulk);
		pvcalls_fairq_spend(q, &work, RUN, 0);
	}
	/* this was all that a sparse work may cost, so far */
	must(pvcalls_fairq_alone(&t, &work));
	pvcalls_fairq_spend(q, &work, RUN, 0);
	must(!pvcalls_fairq_alone(&t, &work));
	/* until a cycle has ended, which is to be taken into account */
	q->cycle++;
	pvcalls_fairq_add(&t, &work);
	must(turn(&t, 1, RUN) == &work && pvcalls_fairq_alone(&t, &work));
	q->cycle++;
	must(!pvcalls_fairq_alone(&t, &work));
	pvcalls_fairq_add(&t, &work);
	must(turn(&t, 1, RUN) == &work && work.used == RUN);
	/* softirqs are charged */
	atomic_add(RUN, &queue_of(1)->fast);
	must(!pvcalls_fairq_alone(&t, &work));
	pvcalls_fairq_add(&t, &work);
	must(turn(&t, 1, RUN) == &work);
	/* somebody else is there, also of the same guest */
	pvcalls_fairq_add(&t, &other);
	must(!pvcalls_fairq_alone(&t, &work));
	must(turn(&t, 2, RUN) == &other);
	/* who owes something waits, for as long as ever */
	work.used = 0;
	must(pvcalls_fairq_alone(&t, &work) == q);
	pvcalls_fairq_spend(q, &work, RUN, 5 * QUANTUM - RUN);
	must(!pvcalls_fairq_alone(&t, &work));
	must(waits(&t, 2, RUN) == 0);
	must(waits(&t, 1, QUANTUM) == 3);
}

#define BULK	16

/* Runs the next work, which is ready again at once if it is bulk. */
static struct pvcalls_work *next(struct pvcalls_fairq *t,
				 struct pvcalls_work *bulk)
{
	struct pvcalls_work *work;

	while (!(work = turn(t, 1, 0)))
		;
	if (work >= bulk && work < bulk + BULK)
		pvcalls_fairq_add(t, work);
	return work;
}

/* Who costs little need not wait for bulk, and bulk gets its share all the same. */
static void sparse_first(void **state)
{
	static struct pvcalls_fairq t;
	struct pvcalls_work bulk[BULK] = {}, few = { .cost = RUN };
	u32 ran[BULK + 1] = {};
	int i, j;

	begin(&t);
	/* after the counter's end, too */
	queue_of(1)->cycle = few.cycle = -3U;
	few.queues = guests[1];
	for (i = 0; i < BULK; i++) {
		bulk[i].queues = guests[1];
		bulk[i].cost = QUANTUM;
		bulk[i].cycle = -3U;
		pvcalls_fairq_add(&t, &bulk[i]);
	}
	/* in the order in which they became ready */
	for (i = 0; i < 10 * BULK; i++)
		must(next(&t, bulk) == &bulk[i % BULK]);
	/* now and then */
	for (i = 0; i < 10 * BULK; i++) {
		if (i % 4 == 0) {
			pvcalls_fairq_add(&t, &few);
			must(next(&t, bulk) == &few);
		}
		must(next(&t, bulk) == &bulk[i % BULK]);
	}
	/* all the time: an eighth of a turn more than once in each cycle */
	pvcalls_fairq_add(&t, &few);
	for (i = 0; i < 100 * (BULK + 9); i++) {
		struct pvcalls_work *work = next(&t, bulk);

		if (work == &few)
			pvcalls_fairq_add(&t, &few);
		ran[work == &few ? BULK : work - bulk]++;
	}
	must(about(ran[BULK], 900));
	for (j = 0; j < BULK; j++)
		must(about(ran[j], 100));
	/* one that was bulk is not held to that for long */
	bulk[5].cost = RUN;
	for (i = 0, j = 0; i < 100 * BULK; i++)
		j += next(&t, bulk) == &bulk[5];
	must(j > 8 * 60);
}

/* What a guest pays back, or gets at a time, goes by its weight. */
static void weights(void **state)
{
	struct pvcalls_fairq t;
	u32 i;

	begin(&t);
	pvcalls_queues_weigh(guests[1], 10, 0);
	pvcalls_queues_weigh(guests[2], 1000, 0);
	for (i = 0; i < 3; i++) {
		/* ten turns of a tenth each, of which the first one runs it */
		must(waits(&t, 1, QUANTUM) == (i ? 9 : 0));
	}
	/* and for ten that others have meanwhile */
	for (i = 0; i < 9; i++)
		must(waits(&t, 2, QUANTUM) == 0);
	must(waits(&t, 1, RUN) == 0);
	must(waits(&t, 2, 30 * (u64)QUANTUM) == 0);
	must(waits(&t, 2, QUANTUM) == 2);
	/* no debt is for ever, however little a guest gets */
	pvcalls_queues_weigh(guests[1], 1, 0);
	must(waits(&t, 1, 1ULL << 40) == 0);
	i = waits(&t, 1, QUANTUM);
	must(i >= 1024 && i <= 1026);
	/* and it is paid back while the guest is away, as far as it counts */
	must(waits(&t, 1, 1ULL << 40) >= 90);
	for (i = 0; i < 1000; i++)
		must(waits(&t, 2, RUN) == 0);
	i = waits(&t, 1, QUANTUM);
	must(i >= 24 && i <= 26);
	pvcalls_queues_weigh(guests[1], PVCALLS_WEIGHT_DEFAULT, 0);
	for (i = 0; i < 10; i++)
		must(waits(&t, 1, QUANTUM) <= 1);
}

/* A turn that a cap ends early, or puts off, does not make the next one larger. */
static void nothing_saved(void **state)
{
	struct pvcalls_work work = {}, other = {};
	struct pvcalls_fairq t;
	u32 i;

	begin(&t);
	work.queues = guests[1];
	other.queues = guests[2];
	pvcalls_fairq_add(&t, &work);
	for (i = 0; i < 3; i++) {
		pvcalls_fairq_begin(queue_of(1));
		pvcalls_fairq_end(&t, queue_of(1));
		pvcalls_fairq_round(&t);
		must(queue_of(1)->deficit == QUANTUM);
	}
	/* turns that are put off come when they are recalled, whoever is there */
	pvcalls_fairq_put_off(&t, queue_of(1), 70);
	must(list_empty(&t.queues) && t.due == 70);
	must(waits(&t, 2, RUN) == 0);
	pvcalls_fairq_add(&t, &other);
	pvcalls_fairq_put_off(&t, queue_of(2), 80);
	must(list_empty(&t.queues) && t.due == 70);
	pvcalls_fairq_recall(&t);
	must(list_empty(&t.off) && t.due == U64_MAX);
	must(turn(&t, 1, RUN) == &work);
	must(turn(&t, 2, RUN) == &other);
}

/* A guest finds its queues again while somebody has them. */
static void queues_of_guests(void **state)
{
	struct pvcalls_queues *a = pvcalls_queues_open(1), *b;
	u32 i;

	for (i = 0; i < PVCALLS_PLACES; i++)
		must(a->on[i].weight == PVCALLS_WEIGHT_DEFAULT);
	b = pvcalls_queues_open(257);
	must(a != b);
	pvcalls_queues_put(b);
	pvcalls_queues_weigh(a, 7, 0);
	pvcalls_queues_begin(a);
	pvcalls_queues_begin(a);
	/* while a connection ends, or two, the guest is not slow */
	pvcalls_queues_hurry(a, true);
	must(a->on[PVCALLS_PLACES - 1].weight == PVCALLS_WEIGHT_DEFAULT);
	pvcalls_queues_weigh(a, 200, 1000);
	/* nor has it a cap, if it has no other one */
	must(a->on[0].weight == 200 && a->cap.rate == 1000);
	pvcalls_queues_hurry(a, true);
	must(!a->cap.rate && !pvcalls_cap_is_set(&a->cap));
	pvcalls_queues_begin(a);
	must(a->cap.rate == 1000);
	pvcalls_queues_hurry(a, false);
	must(a->on[0].weight == 200 && a->cap.rate == 1000);
	pvcalls_queues_weigh(a, 7, 2000);
	must(a->on[0].weight == PVCALLS_WEIGHT_DEFAULT);
	pvcalls_queues_hurry(a, true);
	must(!a->cap.rate);
	pvcalls_queues_hurry(a, false);
	pvcalls_queues_hurry(a, false);
	must(a->on[0].weight == 7 && a->cap.rate == 2000);
	must(pvcalls_cap_is_set(&a->cap));
	b = pvcalls_queues_open(1);
	must(a == b);
	pvcalls_queues_put(a);
	a = pvcalls_queues_open(1);
	must(a == b && a->on[PVCALLS_PLACES - 1].weight == 7);
	pvcalls_queues_put(a);
	pvcalls_queues_put(b);
	a = pvcalls_queues_open(1);
	must(a->on[0].weight == PVCALLS_WEIGHT_DEFAULT);
	pvcalls_queues_put(a);
	must(sizeof(*a->on) == 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debts),
		cmocka_unit_test(fast_is_charged),
		cmocka_unit_test(once_is_charged),
		cmocka_unit_test(alone),
		cmocka_unit_test(sparse_first),
		cmocka_unit_test(weights),
		cmocka_unit_test(nothing_saved),
		cmocka_unit_test(queues_of_guests),
	};

	return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
