/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Several programs, or threads, at one socket of the frontend's: one sleeps,
 * another one looks at the ring meanwhile, or writes to it, and changes what
 * the backend goes by when it asks itself whether to send an event. See
 * front/conn/events.c; notify.pml has the ring itself, with one program.
 *
 * SPACE	they write; else they read
 * MUT_...	one thing broken, which the checker has to notice; see run
 *
 * When nothing can happen any more, the sleeper must have nothing to do.
 */

#define SIZE	4
#define WANT	2	/* free bytes that a writer waits for */
#define LOOKS	2	/* of the other one */

/* ringbuf_passed(), without wrapping */
#define PASSED(wake, old, new)	(wake > old && wake <= new)

byte prod, cons, wake;	/* the shared words */
byte seen;		/* the backend's index as the frontend last saw it */
byte at_event;		/* the same at the last event */
bool nospace;		/* a writer waits */
bool event, locked, asleep, woken;

inline lock()	{ atomic { !locked -> locked = true } }
inline unlock()	{ locked = false }

#ifndef SPACE

active proctype backend()
{
	byte old;

	do
	:: prod < SIZE ->
		old = prod;
		prod++;
		if
		:: PASSED(wake, old, prod) -> event = true
		:: else
		fi
	:: prod == SIZE -> break
	:: true -> break
	od
}

active proctype handler()
{
end:	do
	:: atomic { event -> event = false };
		/* pvc_conn_still() */
		if
		:: prod == at_event && prod == seen
		:: else ->
			lock();
			atomic {
				if
				:: prod != at_event || prod != seen ->
					at_event = prod; woken = true
				:: else
				fi
			};
			unlock()
		fi
	od
}

/* pvc_recv() */
active proctype sleeper()
{
again:	lock();
	seen = prod;
	if
	:: seen > cons -> goto data
	:: else
	fi;
	wake = cons + 1;
	seen = prod;
	if
	:: seen > cons -> goto data
	:: else
	fi;
	unlock();
	asleep = true;
end:	atomic { woken -> woken = false; asleep = false };
	goto again;
data:	cons = seen;
	unlock();
	if
	:: cons == SIZE
	:: else -> goto again
	fi
}

/* pvc_poll(), of somebody who is content with what there is */
active proctype looker()
{
	byte n;

	do
	:: n < LOOKS ->
		n++;
		lock();
		seen = prod;
		wake = seen + 1;
		seen = prod;
#ifndef MUT_NOT_ANNOUNCED
		if
		:: seen > cons && seen != at_event ->
			at_event = seen; woken = true
		:: else
		fi;
#endif
		unlock()
	:: true -> break
	od
}

#define IDLE_WITH_WORK	(asleep && prod > cons)

#else

#define ROOM	(SIZE + seen - prod)

init
{
	prod = SIZE;
	run backend(); run handler(); run sleeper(); run looker()
}

proctype backend()
{
	byte old;

end:	do
	:: cons < prod ->
		old = cons;
		cons++;
		if
		:: PASSED(wake, old, cons) -> event = true
		:: else
		fi
	od
}

proctype handler()
{
end:	do
	:: atomic { event -> event = false };
		if
		:: cons == at_event && cons == seen
		:: else ->
			lock();
			seen = cons;
			at_event = seen;
#ifndef MUT_NOT_REARMED
			if
			:: nospace && ROOM < WANT ->
				wake = prod + WANT - SIZE;
				seen = cons
			:: else
			fi;
#endif
			atomic {
				if
				:: nospace && ROOM >= WANT ->
					nospace = false; woken = true
				:: else
				fi
			};
			unlock()
		fi
	od
}

/* pvc_conn_space(), by one that waits and by one that polls; room if true */
inline space(room)
{
	lock();
	seen = cons;
	room = ROOM >= WANT;
	if
	:: !room ->
		others = nospace;
		nospace = true;
		wake = prod + WANT - SIZE;
		seen = cons;
		room = ROOM >= WANT;
		if
		:: room ->
			nospace = false;
#ifndef MUT_OTHERS_NOT_WOKEN
			woken = woken || others
#endif
		:: else
		fi
	:: else
	fi;
	unlock()
}

/* pvc_send() */
proctype sleeper()
{
	bool room, others;

again:	space(room);
	if
	:: room -> goto done
	:: else
	fi;
	asleep = true;
end:	atomic { woken -> woken = false; asleep = false };
	goto again;
done:	skip
}

proctype looker()
{
	byte n;
	bool room, others;

	do
	:: n < LOOKS ->
		n++;
		if
		:: space(room)
		:: /* something little, for which there is room */
			lock();
			seen = cons;
			if
			:: ROOM >= 1 -> prod++
			:: else
			fi;
			unlock()
		fi
	:: true -> break
	od
}

#define IDLE_WITH_WORK	(asleep && SIZE + cons - prod >= WANT)

#endif

active proctype monitor()
{
end:	timeout -> assert(!IDLE_WITH_WORK)
}
