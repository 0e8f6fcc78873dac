/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a work changes its worker, and how a worker ends (in back/sched/ worker.c,
 * pool.c, thread.c and members.c): two workers, a work of the first one, those who mark it at any
 * time, even when it has ended, someone who has it placed anew and then takes
 * the first worker out of the set, and someone who ends the work. How a worker
 * sleeps is in ready.pml.
 *
 * ENDS		the work is ended at some time, else never
 * MUT_...	one thing broken, which the checker has to notice; see run
 *
 * Checked: the work is on one list at a time and run by one worker at a time,
 * owes no event when it is handed over, nobody touches a worker that was freed,
 * and in the end all that was asked for was done, by a worker that is there,
 * and the other one is gone.
 */

#ifdef ENDS
#define MARKERS	1
#else
#define MARKERS	2
#endif
#define STAY	false

/* struct pvcalls_worker */
bool ready[2];			/* its list, which has room for our one work */
bool lock[2];
byte load[2];
bool freed[2];
bool stop[2];
bool stopped[2];

/* struct pvcalls_work */
bool queued;
bool ended;
byte worker = 0;
bool dest = STAY;		/* true: place it anew */
bool in_run;
bool owed;			/* an event, on the list of the one who ran it */
byte asked;

bool first_in_set = true;

/* those who read under RCU: markers, workers, ender, changer */
#define CHANGER	(MARKERS + 3)
#define READERS	(MARKERS + 4)
bool in_rcu[READERS];

/* all who were reading have been seen not to */
inline synchronize_rcu(r)
{
	r = 0;
	do
	:: r < READERS && r != CHANGER -> !in_rcu[r]; r++
	:: r == CHANGER -> r++
	:: r == READERS -> break
	od;
	r = 0
}

/* llist_add(), and wake_up_process() of whoever it belongs to */
inline queue(w)
{
	atomic { assert(!freed[w]); assert(!ready[w]); ready[w] = true };
	assert(!freed[w])
}

/* pvcalls_work_mark() */
inline mark(me, w)
{
#ifdef MUT_READ_EARLY
	w = worker;
#endif
	if
	:: atomic { queued -> skip }
	:: atomic { !queued -> queued = true };
#ifndef MUT_MARK_NO_RCU
		in_rcu[me] = true;
#endif
		if
#ifndef MUT_MARK_NO_ENDED
		:: ended
		:: else ->
#else
		:: true ->
#endif
#ifndef MUT_READ_EARLY
			w = worker;
#endif
			queue(w)
		fi;
		in_rcu[me] = false
	fi;
	w = 0
}

proctype marker(byte me)
{
	byte w;

	asked++;
	mark(me, w)
}

/* pvcalls_work_exit() */
proctype ender(byte me)
{
	byte w;

	in_rcu[me] = true;
again:
	w = worker;
	atomic { !lock[w] -> lock[w] = true };
	assert(!freed[w]);
#ifndef MUT_EXIT_NO_LOOK
	if
	:: w != worker -> lock[w] = false; goto again
	:: else
	fi;
#endif
	ended = true;
	assert(load[w] > 0);
	load[w]--;
	lock[w] = false;
	in_rcu[me] = false
}

/* pvcalls_work_hand_over(); leaves whether it has in moved */
inline hand_over(me, from, to)
{
	in_rcu[me] = true;
	/* pvcalls_pool_choose(): any one of the set */
	if
	:: first_in_set -> to = 0
	:: to = 1
	fi;
	if
	:: to == from
	:: else ->
#ifdef MUT_PUBLISH_FIRST
		moved = !ended;
		if
		:: moved -> queue(to)
		:: else
		fi;
#endif
		/* in the same order for all */
		atomic { !lock[0] -> lock[0] = true };
		atomic { !lock[1] -> lock[1] = true };
#ifndef MUT_HAND_OVER_ENDED
		moved = !ended;
#else
		moved = true;
#endif
		if
		:: moved ->
			assert(!owed);
			worker = to;
			assert(load[from] > 0);
			load[to]++;
			load[from]--
		:: else
		fi;
		lock[1] = false;
		lock[0] = false;
#ifndef MUT_PUBLISH_FIRST
		if
		:: moved -> queue(to)
		:: else
		fi
#endif
	fi;
	in_rcu[me] = false
}

inline run_work()
{
	assert(!in_run);
	in_run = true;
	asked = 0;
	in_run = false;
	owed = true
}

/* pvcalls_worker_main() and pvcalls_worker_run() */
proctype work_thread(byte me; byte which)
{
	byte to;
	bool moved, again;

end:	do
	:: atomic { ready[which] -> ready[which] = false };
		assert(queued);
#ifdef MUT_CLEAR_FIRST
		queued = false;
#endif
#ifndef MUT_AFTER_RUN
#ifdef MUT_DEST_NO_XCHG
		again = dest;
		dest = STAY;
#else
		atomic { again = dest; dest = STAY };
#endif
		if
		:: again -> hand_over(me, which, to)
		:: else
		fi;
		if
		:: moved -> moved = false; goto end
		:: else
		fi;
#endif
#ifndef MUT_CLEAR_FIRST
		queued = false;
#endif
		run_work();
#ifndef MUT_NO_LOOK_DEST
		/* asked after the look above, with a mark that was there */
		if
		:: dest != STAY -> mark(me, to)
		:: else
		fi;
#endif
#ifdef MUT_AFTER_RUN
		again = dest;
		dest = STAY;
		if
		:: atomic { again && !queued ->
			queued = true };
			hand_over(me, which, to);
			moved = false
		:: else
		fi;
#endif
		/* the end of the pass */
		owed = false
	:: atomic { !ready[which] && stop[which] -> stopped[which] = true; break }
	od
}

/* pvcalls_worker_ask() */
inline ask(w, v)
{
	atomic { !lock[w] -> lock[w] = true };
	if
	:: worker == w && !ended ->
#ifdef MUT_ASK_MARK_FIRST
		mark(CHANGER, v);
		dest = true
#else
		dest = true;
#ifndef MUT_ASK_NO_MARK
		mark(CHANGER, v)
#endif
#endif
	:: else
	fi;
	lock[w] = false
}

/* pvcalls_members_spread(), then pvcalls_members_apply() without the first worker */
proctype changer()
{
	byte v, r;

	ask(0, v);
	ask(1, v);

	first_in_set = false;
#ifndef MUT_NO_GRACE_SET
	synchronize_rcu(r);
#endif
	ask(0, v);
	load[0] == 0;
#ifndef MUT_NO_GRACE_FREE
	synchronize_rcu(r);
#endif
	stop[0] = true;
	stopped[0];			/* kthread_stop() */
	freed[0] = true
}

init
{
	byte i;

	atomic {
		load[0] = 1;
		do
		:: i < MARKERS -> run marker(i); i++
		:: else -> break
		od;
		run work_thread(MARKERS, 0);
		run work_thread(MARKERS + 1, 1);
#ifdef ENDS
		run ender(MARKERS + 2);
#endif
		run changer()
	};

	timeout ->
	assert(freed[0]);
	assert(!owed && !in_run && !lock[0] && !lock[1]);
	assert(!ready[0] && !ready[1]);
#ifdef ENDS
	assert(ended && load[1] == 0)
#else
	assert(worker == 1 && load[1] == 1);
	assert(!queued && asked == 0)
#endif
}
