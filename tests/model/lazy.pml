/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Responses on the command ring that somebody waits for and others that nobody
 * waits for, as front/link/cmd.c has it: when the frontend asks for an event. Stores
 * go through store buffers as in notify.pml; to let go of the lock takes its
 * turn in the buffer, too. The backend answers in any order.
 *
 * MUT_...	one thing broken, which the checker has to notice; see run
 *
 * When nothing can happen any more, every response that somebody waits for must
 * have been taken, and few of the others may be left.
 */

#define LAZY	2	/* PVC_LAZY_RSPS */
#define SLOTS	3
#define MOD	6	/* indexes wrap here instead of at 2^32 */
#define ADD(a, b)	(((a) + (b)) % MOD)
#define SUB(a, b)	(((a) + MOD - (b)) % MOD)

/* the shared words; requests of each kind are only counted */
#define PROD	0	/* rsp_prod */
#define EVENT	1	/* rsp_event */
#define URGENT	2
#define OTHER	3
byte mem[4];

chan buffer_s = [2] of { byte, byte };	/* who submits */
chan buffer_i = [2] of { byte, byte };	/* the interrupt */
chan buffer_b = [2] of { byte, byte };	/* the backend */
chan ring = [SLOTS] of { bool };	/* responses: is it waited for? */

bool event;		/* pending */
bool locked;		/* pvc_dev.lock */
byte urgent;		/* under the lock: pvc_dev.urgent */
byte cons;		/* under the lock: rsp_cons */
byte used;		/* slots: requests without a response that was taken */

#define MB(buffer)		empty(buffer)
#define STORE(buffer, word, value)	buffer!word,value
#define LOCK			atomic { !locked; locked = true }
#define UNLOCK(buffer)		atomic { empty(buffer); locked = false }

#ifdef MUT_ARM_NO_MB
#define ARM_MB			skip
#else
#define ARM_MB			MB(buffer_s)
#endif
#ifdef MUT_BACK_NO_MB
#define BACK_MB			skip
#else
#define BACK_MB			MB(buffer_b)
#endif
#ifdef MUT_ARM_FROM_CONS
#define ARM_FROM		cons
#else
#define ARM_FROM		mem[PROD]
#endif
#ifdef MUT_IRQ_ALWAYS_LAZY
#define AHEAD			LAZY
#else
#define AHEAD			(urgent -> 1 : LAZY)
#endif

/* pvc_cmd_arm() */
inline arm()
{
	do
	:: seen = ARM_FROM;
	   STORE(buffer_s, EVENT, ADD(seen, 1));
#ifdef MUT_ARM_NO_LOOK
	   break
#else
	   ARM_MB;
	   if
	   :: atomic { ARM_FROM == seen -> break }
	   :: else
	   fi
#endif
	od;
	seen = 0
}

/* pvc_cmd_submit() */
proctype submitter()
{
	bool wait, armed;
	byte seen, requests[2];

again:
	if
	:: goto end_stop
	:: atomic { used < SLOTS; used++; wait = true }
	:: atomic { used < SLOTS; used++; wait = false }
	fi;
	LOCK;
	atomic {
		armed = urgent > 0;
		if
		:: wait -> urgent++
		:: else
		fi
	};
#ifndef MUT_ARM_LATE
	if
	:: wait && !armed -> arm()
	:: else
	fi;
#endif
	atomic {
		requests[wait] = ADD(requests[wait], 1);
		STORE(buffer_s, (wait -> URGENT : OTHER), requests[wait])
	};
#ifdef MUT_ARM_LATE
	if
	:: wait && !armed -> arm()
	:: else
	fi;
#endif
	UNLOCK(buffer_s);
	goto again;

end_stop:
	false
}

/* pvc_cmd_irq() */
proctype interrupt()
{
	byte prod;
	bool wait;

end_idle:
	atomic { event; event = false };
more:
	prod = mem[PROD];
	do
	:: cons == prod -> break
	:: else ->
		LOCK;
		atomic {
			ring?wait;
			cons = ADD(cons, 1);
			used--;
			if
			:: wait -> urgent--
			:: else
			fi;
			wait = false
		};
		UNLOCK(buffer_i)
	od;
	LOCK;
	STORE(buffer_i, EVENT, ADD(cons, AHEAD));
	UNLOCK(buffer_i);
	prod = 0;
#ifndef MUT_IRQ_NO_LOOK
	MB(buffer_i);
	if
	:: mem[PROD] != cons -> goto more
	:: else
	fi;
#endif
	goto end_idle
}

/* pvcalls_push() */
proctype backend()
{
	byte seen[2], prod;
	bool wait;

end_idle:
	atomic {
		if
		:: mem[URGENT] != seen[1] -> wait = true
		:: mem[OTHER] != seen[0] -> wait = false
		fi;
		seen[wait] = ADD(seen[wait], 1);
		prod = ADD(prod, 1);
		ring!wait;
		wait = false
	};
	STORE(buffer_b, PROD, prod);
	BACK_MB;
	if
	:: atomic { mem[EVENT] == prod -> event = true }
	:: else
	fi;
	goto end_idle
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
	mem[EVENT] = LAZY;
	atomic {
		run submitter();
		run interrupt();
		run backend();
		run drain(buffer_s);
		run drain(buffer_i);
		run drain(buffer_b)
	}

	timeout ->
	assert(!urgent);
	assert(SUB(mem[PROD], cons) < LAZY)
}
