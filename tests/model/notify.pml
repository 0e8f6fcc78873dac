/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One direction of a data ring, both sides, as ringbuf/ringbuf.c has it: who
 * sleeps, and who sends an event when. The bytes themselves are not modelled
 * (tests/unit/test_sim.c has them), the order of the stores is: every store
 * goes through a store buffer, which a full barrier empties and which else
 * empties itself some time later, in order, as on x86.
 *
 * THRESHOLDS	with feature-wakeup, else version 1
 * MUT_...	one thing broken, which the checker has to notice; see run
 *
 * Either side may stop for good after any step, so every schedule in which a
 * side is idle for a while is covered. When nothing can happen any more, a
 * side that sleeps must have nothing to do.
 */

#define SIZE	2
#define MOD	8	/* indexes wrap here instead of at 2^32 */
#define SUB(a, b)	(((a) + MOD - (b)) % MOD)
#define ADD(a, b)	(((a) + (b)) % MOD)

/* the shared words */
#define PROD	0
#define CONS	1
#define DWAKE	2	/* data_wake */
#define SWAKE	3	/* space_wake */
byte mem[4];

chan buffer_p = [2] of { byte, byte };	/* stores on their way */
chan buffer_c = [2] of { byte, byte };

bool event_p, event_c;		/* pending events */
bool asleep_p, asleep_c;
bool stopped_p, stopped_c;
byte want_p, want_c;		/* what the sleeper waits for */
byte max_p = 1, max_c = 1;	/* the largest that it ever waits for */

#define MB(buffer)	empty(buffer)
#define NO_MB(buffer)	skip

#ifdef MUT_PRODUCE_NO_MB
#define PRODUCE_MB	NO_MB
#else
#define PRODUCE_MB	MB
#endif
#ifdef MUT_CONSUME_NO_MB
#define CONSUME_MB	NO_MB
#else
#define CONSUME_MB	MB
#endif
#ifdef MUT_WAIT_SPACE_NO_MB
#define WAIT_SPACE_MB	NO_MB
#else
#define WAIT_SPACE_MB	MB
#endif
#ifdef MUT_WAIT_DATA_NO_MB
#define WAIT_DATA_MB	NO_MB
#else
#define WAIT_DATA_MB	MB
#endif
#ifdef MUT_WAKE_LATE
#define OFF	0	/* the threshold is one too high */
#else
#define OFF	1
#endif

/* ringbuf_passed() */
#define PASSED(wake, old, new)	(SUB(SUB(new, wake), 1) < SUB(new, old))

/* whether ringbuf_produce() and ringbuf_consume() ask for an event */
#ifdef THRESHOLDS
#define PRODUCE_NOTIFY	PASSED(mem[DWAKE], old, prod)
#define CONSUME_NOTIFY	PASSED(mem[SWAKE], old, cons)
#else
#ifdef MUT_PRODUCE_LOOK_FIRST
#define PRODUCE_NOTIFY	(SUB(prod, seen) <= n)
#else
#ifdef MUT_PRODUCE_OFF_BY_ONE
#define PRODUCE_NOTIFY	(SUB(prod, mem[CONS]) < n)
#else
#define PRODUCE_NOTIFY	(mem[CONS] != prod && SUB(prod, mem[CONS]) <= n)
#endif
#endif
#ifdef MUT_CONSUME_NEW_CONS
#define CONSUME_NOTIFY	(SUB(mem[PROD], cons) >= SIZE)
#else
#define CONSUME_NOTIFY	(SUB(mem[PROD], old) >= SIZE)
#endif
#endif

#define STORE(buffer, word, value)	buffer!word,value

/* ringbuf_read_cons() and ringbuf_read_prod(): an honest peer passes */
inline read_cons()
{
	atomic {
		assert(SUB(prod, mem[CONS]) <= SUB(prod, cons));
		cons = mem[CONS]
	}
}

inline read_prod()
{
	atomic {
		assert(SUB(mem[PROD], cons) <= SIZE);
		assert(SUB(mem[PROD], cons) >= SUB(prod, cons));
		prod = mem[PROD]
	}
}

proctype producer()
{
	byte prod, cons, old, n, want, seen;
	bool notify;

again:
	if
	:: stopped_p = true; goto end_stop
	:: atomic { select(want : 1 .. max_p) }
	fi;

	/* ringbuf_space() */
	read_cons();
	atomic {
		MB(buffer_p);
		if
		:: SIZE - SUB(prod, cons) >= want -> goto room
		:: else
		fi
	};

	/* ringbuf_wait_space() */
#ifdef THRESHOLDS
	STORE(buffer_p, SWAKE, SUB(ADD(prod, want), SIZE + OFF));
#endif
#ifndef MUT_NO_LOOK_SPACE
	WAIT_SPACE_MB(buffer_p);
	read_cons();
	atomic {
		MB(buffer_p);
		if
		:: SIZE - SUB(prod, cons) >= want -> goto room
		:: else
		fi
	};
#endif
sleep:	atomic { want_p = want; asleep_p = true };
end_asleep:
	atomic { event_p; event_p = false; asleep_p = false; want_p = 0 };
	goto again;

room:	/* ringbuf_produce() */
	atomic {
		select(n : 1 .. SIZE - SUB(prod, cons));
		old = prod;
		prod = ADD(old, n)
	};
#ifdef MUT_PRODUCE_LOOK_FIRST
	seen = mem[CONS];
#endif
	STORE(buffer_p, PROD, prod);
	PRODUCE_MB(buffer_p);
	atomic {
		notify = PRODUCE_NOTIFY;
		old = 0; n = 0; seen = 0; want = 0;
		if
		:: !notify -> goto produced
		:: else
		fi
	};
	atomic { notify = false; event_c = true };
produced:
#ifdef MUT_SLEEP_UNSEEN_SPACE
	if
	:: SUB(prod, cons) == SIZE -> want = 1; goto sleep
	:: else
	fi;
#endif
	goto again;

end_stop:
	false
}

proctype consumer()
{
	byte prod, cons, old, n, want;
	bool notify;

again:
	if
	:: stopped_c = true; goto end_stop
	:: atomic { select(want : 1 .. max_c) }
	fi;

	/* ringbuf_avail() */
	atomic {
		read_prod();
		if
		:: SUB(prod, cons) >= want -> goto data
		:: else
		fi
	};

	/* ringbuf_wait_data() */
#ifdef THRESHOLDS
	STORE(buffer_c, DWAKE, SUB(ADD(cons, want), OFF));
#endif
#ifndef MUT_NO_LOOK_DATA
	WAIT_DATA_MB(buffer_c);
	atomic {
		read_prod();
		if
		:: SUB(prod, cons) >= want -> goto data
		:: else
		fi
	};
#endif
sleep:	atomic { want_c = want; asleep_c = true };
end_asleep:
	atomic { event_c; event_c = false; asleep_c = false; want_c = 0 };
	goto again;

data:	/* ringbuf_consume() */
	atomic {
		select(n : 1 .. SUB(prod, cons));
		old = cons;
		cons = ADD(old, n)
	};
	MB(buffer_c);
	STORE(buffer_c, CONS, cons);
	CONSUME_MB(buffer_c);
	atomic {
		notify = CONSUME_NOTIFY;
		old = 0; n = 0; want = 0;
		if
		:: !notify -> goto consumed
		:: else
		fi
	};
	atomic { notify = false; event_p = true };
consumed:
#ifdef MUT_SLEEP_UNSEEN_DATA
	if
	:: prod == cons -> want = 1; goto sleep
	:: else
	fi;
#endif
	goto again;

end_stop:
	false
}

/* The store buffers empty themselves */
proctype drain(chan buffer)
{
	byte word, value;

end:	do
	:: atomic { buffer?word,value -> mem[word] = value; word = 0; value = 0 }
	od
}

init
{
	byte used;

#ifdef THRESHOLDS
	/* sides that wait for more than the ring has wait for each other */
	select(max_p : 1 .. SIZE);
	max_c = SIZE + 1 - max_p;
#ifdef MUT_WANT_TOO_MUCH
	max_c++;
#endif
#endif
	atomic {
		run producer();
		run consumer();
		run drain(buffer_p);
		run drain(buffer_c)
	}

	timeout ->
	used = SUB(mem[PROD], mem[CONS]);
	assert(!asleep_c || used < want_c);
	assert(!asleep_p || SIZE - used < want_p);
	assert(stopped_p || stopped_c)
}
