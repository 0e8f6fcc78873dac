/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The backend's worker and its list of ready work (back/sched/worker.c and
 * thread.c), the late EOI of event channels, and the end of a socket
 * (back/sock/run.c and sock.c): one worker, sockets, events from the guest, callbacks of the network, and a frontend
 * that dies at any time.
 *
 * TWO		two sockets with little to do, else one with more
 * SOFT		events are tried in a softirq first
 * MUT_...	one thing broken, which the checker has to notice; see run
 *
 * Checked: nothing touches a socket that was freed, the list stays a list,
 * every event that was handled gets exactly one EOI before the next one comes,
 * and when nothing can happen any more, all that was asked for was done and,
 * once the frontend is dead, all sockets are gone.
 */

#ifdef TWO
/* two sockets, one wake-up each: what the list is for */
#define WORKS	2
#define EVENTS	0	/* for each socket, from the guest */
#else
/* one socket, and all that can come together on it */
#define WORKS	1
#define EVENTS	2
#endif
#define CALLS	1	/* for each socket, from the network */
#define NIL	WORKS

#ifdef SOFT
#define IN_SOFTIRQ	true
#else
#define IN_SOFTIRQ	false
#endif

/* struct pvcalls_worker */
byte head = NIL;
byte soft_head = NIL;		/* only SOFT; and */
bool scheduled;			/* the tasklet */
bool running = true;		/* the thread's state; false: it is to sleep */
bool busy[WORKS];		/* PVCALLS_SF_RUNNING */

/* struct pvcalls_sock and its work */
byte next[WORKS];
bool queued[WORKS];
bool clearing = false;		/* clear_bit() in the worker's store buffer */
byte clearing_which;
byte refs[WORKS];
bool freed[WORKS];
bool gone[WORKS];
bool listed[WORKS];		/* in the frontend's list */
bool flag_eoi[WORKS];
byte asked[WORKS];		/* what there is to do */

/* the event channel: masked from its event to the EOI */
bool bound[WORKS];
bool masked[WORKS];
bool in_handler[WORKS];
byte eois[WORKS];		/* given for the event that is handled */

/* the kernel socket's callbacks, under sk_callback_lock */
bool attached[WORKS];
bool in_callback[WORKS];

bool dead;			/* the frontend */
bool sock_lock;

#define ALIVE(i)	assert(!freed[i])

inline put(i)
{
	atomic {
		ALIVE(i);
		assert(refs[i] > 0);
		refs[i]--;
		if
		:: refs[i] == 0 -> freed[i] = true
		:: else
		fi
	}
}

/* pvcalls_work_queue(), pvcalls_work_queue_fast() */
inline queue(i, soft)
{
	/* llist_add() */
	if
	:: atomic {
		soft ->
		ALIVE(i);
		next[i] = soft_head;
		was = (soft_head != NIL);
		soft_head = i
	}
	:: atomic {
		!soft ->
		ALIVE(i);
		next[i] = head;
		was = (head != NIL);
		head = i
	}
	fi;
	if
	:: was
	:: atomic { !was && soft -> scheduled = true }
	/* wake_up_process() */
	:: atomic { !was && !soft -> running = true }
	fi
}

/* pvcalls_work_mark(); an atomic operation empties the worker's store buffer */
inline mark(i, by_worker, soft)
{
	atomic {
		ALIVE(i);
		if
		:: by_worker && clearing ->
			queued[clearing_which] = false;
			clearing = false
		:: else
		fi;
		was = queued[i];
		queued[i] = true
	};
	if
	:: was
#ifdef MUT_NO_GET
	:: else ->
#else
	:: atomic { !was -> ALIVE(i); refs[i]++ };
#endif
		queue(i, soft)
	fi;
	was = false
}

#if EVENTS
proctype guest(byte i)
{
	byte n;
	bool was;

end:	do
	:: n < EVENTS && bound[i] ->
		/* Xen: an event; while it is masked the next one waits */
		atomic {
			!masked[i] || !bound[i];
			if
			:: !bound[i] -> goto end_unbound
			:: else
			fi;
			masked[i] = true;
			eois[i] = 0;
			in_handler[i] = true
		};
		/* the interrupt handler */
		atomic { ALIVE(i); n++; asked[i]++ };
#ifdef MUT_MARK_BEFORE_EOI_BIT
		mark(i, false, IN_SOFTIRQ);
		atomic { ALIVE(i); flag_eoi[i] = true };
#else
		atomic { ALIVE(i); flag_eoi[i] = true };
		mark(i, false, IN_SOFTIRQ);
#endif
		in_handler[i] = false
	:: n == EVENTS -> break
	od;
end_unbound:
	skip
}
#endif

proctype network(byte i)
{
	byte n;
	bool was;

	do
	:: n < CALLS ->
		atomic {
			if
			:: attached[i] -> in_callback[i] = true; n++
			:: else -> break
			fi
		};
		atomic { ALIVE(i); asked[i]++ };
		mark(i, false, false);
		in_callback[i] = false
	:: n == CALLS -> break
	od
}

/* pvcalls_link_end(): the frontend dies; pvcalls_socks_end() */
proctype death()
{
	bool was;
	byte i;

	dead = true;
#ifndef MUT_DEAD_UNMARKED
	atomic { !sock_lock -> sock_lock = true };
	do
	:: atomic { i < WORKS && listed[i] -> skip };
		mark(i, false, false);
		i++
	:: atomic { i < WORKS && !listed[i] -> i++ }
	:: i == WORKS -> break
	od;
	sock_lock = false
#endif
}

/* pvcalls_run_work(): does some of what was asked, and says if there is more */
inline run_sock(i)
{
	ALIVE(i);
#ifdef SOFT
	atomic { !busy[i] -> busy[i] = true };
#endif
	if
	:: gone[i]
	:: else ->
		atomic {
			if
			:: flag_eoi[i] ->
#ifndef MUT_EOI_TWICE
				flag_eoi[i] = false;
#endif
#ifdef MUT_EOI_FORGOTTEN
				/* where there is nothing to do */
				eoi = asked[i] > 0
#else
				eoi = true
#endif
			:: else
			fi
		};
		/* what a run sees it does; at times it leaves some */
		atomic {
			if
			:: asked[i] > 1 -> asked[i] = 1; more = true
			:: asked[i] = 0
			fi
		};
		if
		:: atomic {
			eoi ->
			/* xen_irq_lateeoi() */
			assert(bound[i]);
			eois[i]++;
			assert(eois[i] == 1 && masked[i]);
			masked[i] = false;
			eoi = false
		}
		:: !eoi
		fi;
		if
		:: dead ->
			close(i);
			more = false
		:: else
		fi
	fi;
	busy[i] = false
}

#ifdef SOFT
/* pvcalls_fastpath_out(): does all, or leaves it to the worker */
inline try_sock(i)
{
	ALIVE(i);
	atomic {
#ifdef MUT_SOFT_NOT_EXCLUDED
		done = true;
#else
		done = !busy[i];
#endif
		busy[i] = true
	};
	if
	:: !done
	:: done ->
		if
		/* no more, or at the moment not, what a softirq can do */
		:: done = false
		:: !gone[i] && !dead ->
			atomic { eoi = flag_eoi[i]; flag_eoi[i] = false };
			if
			:: atomic {
				eoi ->
				assert(bound[i]);
				eois[i]++;
				assert(eois[i] == 1 && masked[i]);
				masked[i] = false;
				eoi = false
			}
			:: !eoi
			fi;
			/* the last look */
			atomic {
				done = asked[i] <= 1;
				if
				:: done -> asked[i] = 0
				:: else
				fi
			}
		fi;
		busy[i] = false
	fi
}

/* pvcalls_worker_fast() */
proctype softirq()
{
	byte ready = NIL, i;
	bool was, done, eoi;

end:	do
	:: atomic { scheduled -> scheduled = false };
		atomic { ready = soft_head; soft_head = NIL };
		do
		:: ready == NIL -> break
		:: atomic {
			ready != NIL ->
			i = ready;
			ALIVE(i);
			assert(queued[i]);
			ready = next[i]
		};
			if
			/* one too many */
			:: skip;
#ifdef MUT_SOFT_NO_WAKE
				atomic { next[i] = head; head = i }
#else
				queue(i, false)
#endif
			:: queued[i] = false;
				try_sock(i);
				if
#ifdef MUT_SOFT_DROPPED
				:: true
#else
				:: atomic { !done -> done = true };
					mark(i, false, false)
				:: done
#endif
				fi;
				put(i)
			fi;
			was = false
		od
	od
}
#endif

/* pvcalls_run_close() and pvcalls_sock_drop() */
inline close(i)
{
	gone[i] = true;
	/* pvcalls_callbacks_detach() waits for callbacks, and ends them */
#ifdef MUT_NO_DETACH
	skip;
#else
	atomic { !in_callback[i] -> attached[i] = false };
#endif
	/* unbinding waits for the handler */
#ifdef MUT_UNBIND_NO_WAIT
	bound[i] = false;
#else
	atomic { !in_handler[i] -> bound[i] = false };
#endif
	atomic { !sock_lock -> sock_lock = true };
	listed[i] = false;
	sock_lock = false;
	put(i)
}

proctype worker()
{
	byte ready = NIL, i;
	bool was, more, eoi;

again:	/* pvcalls_worker_main() */
	atomic {
		ready = head;
		head = NIL;
		if
		:: ready != NIL -> goto pass
		:: else
		fi
	};
#ifdef MUT_SLEEP_LATE
	if
	:: head != NIL -> goto again
	:: else
	fi;
	running = false;
#else
	running = false;		/* set_current_state(), with a barrier */
#ifndef MUT_SLEEP_NO_LOOK
	if
	:: head != NIL -> running = true; goto again
	:: else
	fi;
#endif
#endif
end_asleep:
	running;			/* schedule() */
	goto again;

pass:	/* pvcalls_worker_collect() and pvcalls_worker_run(), one guest */
	do
	:: ready == NIL -> break
	:: atomic {
		ready != NIL ->
		i = ready;
		ALIVE(i);
		assert(queued[i]);
#ifndef MUT_NEXT_LATE
		ready = next[i]
#endif
	};
#ifndef MUT_CLEAR_AFTER
		atomic { clearing = true; clearing_which = i };
#ifndef MUT_CLEAR_NO_MB
		!clearing;		/* smp_mb__after_atomic() */
#endif
#endif
		run_sock(i);
#ifdef MUT_CLEAR_AFTER
		atomic { clearing = true; clearing_which = i };
		!clearing;
#endif
		if
		:: atomic { more -> more = false }; mark(i, true, false)
		:: !more
		fi;
#ifdef MUT_NEXT_LATE
		ready = next[i];
#endif
#ifdef MUT_NO_GET
		skip
#else
		put(i)
#endif
		!clearing		/* the buffer holds one bit */
	od;
	goto again
}

/* The worker's store buffer empties itself */
proctype drain()
{
end:	do
	:: atomic { clearing -> queued[clearing_which] = false; clearing = false }
	od
}

init
{
	byte i;

	atomic {
		do
		:: i < WORKS ->
			refs[i] = 1;
			listed[i] = true;
			bound[i] = true;
			attached[i] = true;
			next[i] = NIL;
#if EVENTS
			run guest(i);
#endif
			run network(i);
			i++
		:: else -> break
		od;
		run worker();
		run drain();
#ifdef SOFT
		run softirq();
#endif
		if
		:: run death()
		:: skip
		fi;
		i = 0
	};

	timeout ->
	do
	:: i < WORKS ->
		/* asked for: done; handled: EOI given */
		assert(gone[i] || (asked[i] == 0 && !flag_eoi[i]));
		assert(gone[i] || !masked[i]);
		/* no reference but that of being alive, nothing queued */
		assert(!queued[i]);
		assert(refs[i] == (gone[i] -> 0 : 1));
		assert(freed[i] == gone[i]);
		assert(gone[i] == dead);
		i++
	:: else -> break
	od;
	assert(head == NIL && soft_head == NIL && !running && !scheduled)
}
