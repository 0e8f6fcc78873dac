// SPDX-License-Identifier: GPL-2.0
/* The worker's thread and its softirq; thread.h says what each does. */
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include "busypoll.h"
#include "pvcalls_param.h"
#include "sched/cap.h"
#include "sched/fairq.h"
#include "sched/pool.h"
#include "sched/queues.h"
#include "sched/thread.h"
#include "sched/topology.h"
#include "sched/worker.h"

static_assert(2 * PVCALLS_MAX_WORKERS <= PVCALLS_PLACES);

/* How long a turn is put off at a time, in nanoseconds: caps may go meanwhile */
#define PVCALLS_PUT_OFF		(NSEC_PER_SEC / 10)

/* Works that a softirq runs before it leaves the others to the thread */
#define PVCALLS_FAST_RUNS	8

PVCALLS_PARAM_UINT(poll_us, 0, 0, 1000, 0644);
MODULE_PARM_DESC(poll_us,
		 "Microseconds that a worker may poll for work before it sleeps, if that pays, 1 to 1000; 0 (default): none");

/* Run a work. The reference to it is the caller's afterwards. */
static void pvcalls_worker_run(struct pvcalls_worker *w,
			       struct pvcalls_guestq *q,
			       struct pvcalls_work *work)
{
	u64 once;
	bool more;

	if (unlikely(READ_ONCE(work->dest) != PVCALLS_DEST_STAY)) {
		/* another worker's list takes the reference that this had */
		work->ops->get(work);
		if (pvcalls_work_hand_over(work, w))
			return;
		work->ops->put(work);
	}
	clear_bit(PVCALLS_WORK_QUEUED, &work->state);
	/* pairs with marking: what preceded a mark is seen by this run */
	smp_mb__after_atomic();
	w->began = w->spent;
	more = work->ops->run(work, w);
	once = w->tools.scratch.cost;
	w->tools.scratch.cost = 0;
	pvcalls_fairq_spend(q, work,
			    max_t(u64, w->spent - w->began, PVCALLS_RUN_COST),
			    once);
	/*
	 * a wish may have come after the mark was set, so mark the work again
	 */
	if (more || READ_ONCE(work->dest) != PVCALLS_DEST_STAY)
		pvcalls_work_mark(work);
	w->stats.runs++;
}

/*
 * Run a work in softirq context. Returns false if the work is left to the
 * thread, and still marked.
 */
static bool pvcalls_worker_try_fast(struct pvcalls_worker *w,
				    struct pvcalls_work *work)
{
	bool asleep, done;

	if (!work->ops->fast)
		return false;
	/*
	 * a thread that was woken for others, but has no CPU yet, is not asleep
	 */
	asleep = READ_ONCE(w->asleep) && llist_empty(&w->ready);
	if (!asleep && !pvcalls_fairq_may_fast(&w->fairq, work))
		return false;
	clear_bit(PVCALLS_WORK_QUEUED, &work->state);
	/* pairs with marking: what preceded a mark is seen by this run */
	smp_mb__after_atomic();
	done = work->ops->fast(work, w);
	if (done) {
		w->stats.fast++;
		if (!asleep)
			pvcalls_fairq_spend_fast(&w->fairq, work,
						 PVCALLS_RUN_COST);
	}
	/* only the thread hands works over, and a wish may follow the mark */
	if (!done || READ_ONCE(work->dest) != PVCALLS_DEST_STAY)
		pvcalls_work_mark(work);
	work->ops->put(work);
	return true;
}

static void pvcalls_worker_fast(struct tasklet_struct *t)
{
	struct pvcalls_worker *w = from_tasklet(w, t, fast);
	struct llist_node *ready;
	unsigned int n = 0;

	ready = llist_reverse_order(llist_del_all(&w->fast_ready));
	while (ready) {
		struct pvcalls_work *work =
			llist_entry(ready, struct pvcalls_work, node);

		ready = ready->next;
		if (n++ >= PVCALLS_FAST_RUNS ||
		    !pvcalls_worker_try_fast(w, work))
			pvcalls_work_queue(work, w);
	}
}

/* Does the worker end, so that it must get rid of its works? */
static bool pvcalls_worker_ends(const struct pvcalls_worker *w)
{
	return READ_ONCE(w->retired) || kthread_should_stop();
}

/* How much may a guest's turn cost? 0: ask again at @when. */
static s64 pvcalls_worker_may(const struct pvcalls_worker *w,
			      struct pvcalls_cap *cap, u64 *when)
{
	u64 now;
	s64 may;

	if (!pvcalls_cap_is_set(cap) || pvcalls_worker_ends(w))
		return S64_MAX;
	now = ktime_get_ns();
	may = pvcalls_cap_ask(cap, w->fairq.place, now, when);
	if (!may)
		*when = min(*when, now + PVCALLS_PUT_OFF);
	return may;
}

/*
 * Serve a guest. Whoever has had its turn does not wait for its events until all
 * others have, nor does a guest whose large weight makes a long turn: they are
 * sent when runs since the last time, which @untold counts, have cost a budget.
 *
 * The queue is the guest's, which may go with the reference to a work. So the
 * reference to the last work is kept until the queue is not used any more.
 */
static void pvcalls_worker_turn(struct pvcalls_worker *w,
				struct pvcalls_guestq *q, s64 *untold)
{
	struct pvcalls_cap *cap = pvcalls_queues_cap(q, w->fairq.place);
	struct pvcalls_work *work, *last = NULL;
	s64 may, cost, spent = 0;
	u64 when;

	may = pvcalls_worker_may(w, cap, &when);
	if (!may) {
		pvcalls_fairq_put_off(&w->fairq, q, when);
		return;
	}
	pvcalls_fairq_begin(q);
	while (spent < may && (work = pvcalls_fairq_take(q))) {
		cost = q->deficit;
		pvcalls_worker_run(w, q, work);
		cost -= q->deficit;
		spent += cost;
		*untold += cost;
		if (last)
			last->ops->put(last);
		last = work;
		if (*untold > pvcalls_fairq_budget()) {
			pvcalls_events_send(&w->tools.events);
			cond_resched();
			*untold = 0;
		}
	}
	if (pvcalls_cap_is_set(cap))
		pvcalls_cap_tell(cap, spent - (may == S64_MAX ? 0 : may),
				 ktime_get_ns());
	pvcalls_fairq_end(&w->fairq, q);
	if (last)
		last->ops->put(last);
}

/* Serve each guest that has ready works. */
static void pvcalls_worker_round(struct pvcalls_worker *w)
{
	LIST_HEAD(round);
	s64 untold = 0;

	list_splice_init(&w->fairq.queues, &round);
	while (!list_empty(&round))
		pvcalls_worker_turn(w, list_first_entry(&round,
							struct pvcalls_guestq,
							node), &untold);
	pvcalls_fairq_round(&w->fairq);
}

/* Add marked works, the first one last, to the fair queue. */
static void pvcalls_worker_collect(struct pvcalls_worker *w,
				   struct llist_node *ready)
{
	ready = llist_reverse_order(ready);
	while (ready) {
		struct pvcalls_work *work =
			llist_entry(ready, struct pvcalls_work, node);

		ready = ready->next;
		pvcalls_fairq_add(&w->fairq, work);
	}
}

/* Run a marked work at once, if it is the only one. Returns whether it is. */
static bool pvcalls_worker_alone(struct pvcalls_worker *w,
				 struct llist_node *ready)
{
	struct pvcalls_guestq *q;
	struct pvcalls_work *work;

	if (!ready || ready->next)
		return false;
	work = llist_entry(ready, struct pvcalls_work, node);
	q = pvcalls_fairq_alone(&w->fairq, work);
	if (!q)
		return false;
	pvcalls_worker_run(w, q, work);
	work->ops->put(work);
	return true;
}

/* Run what is ready, and then send the events that are owed. */
static void pvcalls_worker_serve(struct pvcalls_worker *w,
				 struct llist_node *ready)
{
	if (!pvcalls_worker_alone(w, ready)) {
		pvcalls_worker_collect(w, ready);
		pvcalls_worker_round(w);
	}
	pvcalls_events_send(&w->tools.events);
	w->stats.rounds++;
}

/*
 * No work is ready: poll for as long as this seems worthwhile, unless another
 * task wants the CPU. Returns whether a work is ready.
 */
static bool pvcalls_worker_poll(struct pvcalls_worker *w, u64 begin)
{
	u64 now = begin;
	bool hit = false;

	do {
		cpu_relax();
		hit = !llist_empty(&w->ready);
		now = local_clock();
	} while (!hit && now - begin < w->poll && !need_resched() &&
		 !kthread_should_stop());

	w->stats.polls++;
	w->stats.hits += hit;
	w->stats.polled += now - begin;
	return hit;
}

/* Is it time for a turn that was put off? */
static bool pvcalls_worker_due(const struct pvcalls_worker *w)
{
	return unlikely(!list_empty(&w->fairq.off)) &&
	       (pvcalls_worker_ends(w) || ktime_get_ns() >= w->fairq.due);
}

/* How long to sleep, in jiffies, if no work is marked meanwhile */
static long pvcalls_worker_nap(const struct pvcalls_worker *w)
{
	u64 now;

	if (likely(list_empty(&w->fairq.off)))
		return MAX_SCHEDULE_TIMEOUT;
	now = ktime_get_ns();
	return nsecs_to_jiffies(w->fairq.due - min(w->fairq.due, now)) + 1;
}

/* Sleep until a work is marked, or it may be time for a turn. */
static void pvcalls_worker_sleep(struct pvcalls_worker *w)
{
	long timeout = pvcalls_worker_nap(w);

	set_current_state(TASK_IDLE);
	if (llist_empty(&w->ready) && !kthread_should_stop()) {
		w->stats.sleeps++;
		WRITE_ONCE(w->asleep, true);
		schedule_timeout(timeout);
		WRITE_ONCE(w->asleep, false);
	}
	__set_current_state(TASK_RUNNING);
}

static int pvcalls_worker_main(void *data)
{
	struct pvcalls_worker *w = data;
	/* time when no work was ready any more; 0: not now, or no polling */
	u64 dry = 0;

	for (;;) {
		struct llist_node *ready = llist_del_all(&w->ready);
		u32 limit;

		if (pvcalls_worker_due(w))
			pvcalls_fairq_recall(&w->fairq);
		if (ready || !list_empty(&w->fairq.queues)) {
			if (dry) {
				limit = READ_ONCE(param_poll_us) *
					NSEC_PER_USEC;
				w->poll = busypoll_next(w->poll, limit,
							local_clock() - dry);
				dry = 0;
			}
			pvcalls_worker_serve(w, ready);
			cond_resched();
			continue;
		}
		if (!dry && READ_ONCE(param_poll_us)) {
			dry = local_clock();
			if (w->poll && pvcalls_worker_poll(w, dry))
				continue;
		}
		pvcalls_worker_sleep(w);
		if (kthread_should_stop() && llist_empty(&w->ready) &&
		    list_empty(&w->fairq.off))
			break;
	}
	return 0;
}

/**
 * pvcalls_worker_new() - start a worker
 * @index: number in the thread's name, which no other worker has, 0 to
 *	PVCALLS_PLACES - 1
 * @cpu: CPU to which the worker is bound
 *
 * Context: process, may sleep; under cpus_read_lock(), with @cpu online.
 * Return: the worker or an error pointer.
 */
struct pvcalls_worker *pvcalls_worker_new(unsigned int index,
					  unsigned int cpu)
{
	static u32 numbers;
	struct pvcalls_worker *w;

	w = kvzalloc_node(sizeof(*w), GFP_KERNEL, cpu_to_node(cpu));
	if (!w)
		return ERR_PTR(-ENOMEM);
	init_llist_head(&w->ready);
	init_llist_head(&w->fast_ready);
	spin_lock_init(&w->lock);
	INIT_LIST_HEAD(&w->works);
	init_waitqueue_head(&w->idle);
	pvcalls_fairq_init(&w->fairq, index);
	pvcalls_tools_init(&w->tools);
	tasklet_setup(&w->fast, pvcalls_worker_fast);
	/* the pool's mutex guards the counter */
	w->number = ++numbers;
	w->index = index;
	w->cpu = cpu;
	w->node = pvcalls_topology_node(cpu);
	w->task = kthread_create_on_node(pvcalls_worker_main, w,
					 cpu_to_node(cpu), "pvcalls_mt/%u",
					 index);
	if (IS_ERR(w->task)) {
		int err = PTR_ERR(w->task);

		kvfree(w);
		return ERR_PTR(err);
	}
	kthread_bind(w->task, cpu);
	wake_up_process(w->task);
	return w;
}

/**
 * pvcalls_worker_free() - stop a worker
 * @w: the worker, which has no works, and which no reader can find under RCU
 *
 * A work that is still queued gets its last run.
 *
 * Context: process, sleeps.
 */
void pvcalls_worker_free(struct pvcalls_worker *w)
{
	tasklet_kill(&w->fast);
	kthread_stop(w->task);
	pvcalls_tools_exit(&w->tools);
	kvfree(w);
}
