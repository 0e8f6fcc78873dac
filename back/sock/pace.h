/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a policy's rates let a socket do, and when: connections to begin, bytes
 * out and bytes in. A socket that may do nothing waits in the guest's line and
 * is run when it is its turn (account/rate.h). Bytes wait where they are: in the
 * guest's ring, or with TCP, whose window closes.
 *
 * Bytes of a datagram are those of its record in the ring. A datagram is moved as
 * a whole as soon as some of it may be.
 *
 * All functions run in the socket's run, or in a softirq that holds
 * PVCALLS_SF_RUNNING.
 */
#ifndef PVCALLS_BACK_PACE_H
#define PVCALLS_BACK_PACE_H

#include "account/rate.h"
#include "guest/guest.h"
#include "guest/policy.h"
#include "sock/sock.h"

/**
 * pvcalls_pace_may() - how much may a socket do now?
 * @ps: the socket, which is run again later if it may do nothing
 * @pace: what
 * @n: how much is to be done, 1 or more
 *
 * Context: the worker that the socket belongs to.
 * Return: how much, 0 to @n.
 */
static inline u32 pvcalls_pace_may(struct pvcalls_sock *ps,
				   enum pvcalls_pace pace, u32 n)
{
	return pvcalls_rate_may(&ps->guest->policy->rates[pace],
				&ps->conn.claims[pace], n);
}

/**
 * pvcalls_pace_has() - may a softirq do something?
 * @ps: the socket
 * @pace: what
 * @n: how much is to be done, 1 or more
 *
 * Context: softirq, with PVCALLS_SF_RUNNING held.
 * Return: true; or false if the worker is to ask, which waits.
 */
static inline bool pvcalls_pace_has(struct pvcalls_sock *ps,
				    enum pvcalls_pace pace, u32 n)
{
	return pvcalls_rate_has(&ps->guest->policy->rates[pace],
				&ps->conn.claims[pace], n);
}

/**
 * pvcalls_pace_did() - tell what a socket has done
 * @ps: the socket
 * @pace: what
 * @n: how much
 *
 * Context: process or softirq, with PVCALLS_SF_RUNNING held.
 */
static inline void pvcalls_pace_did(struct pvcalls_sock *ps,
				    enum pvcalls_pace pace, u32 n)
{
	pvcalls_rate_did(&ps->guest->policy->rates[pace],
			 &ps->conn.claims[pace], n);
}

/**
 * pvcalls_pace_leave() - wait no longer for one thing
 * @ps: the socket, which has no more of this to do
 * @pace: what
 *
 * Its turns would be lost to others.
 *
 * Context: the worker that the socket belongs to.
 */
static inline void pvcalls_pace_leave(struct pvcalls_sock *ps,
				      enum pvcalls_pace pace)
{
	pvcalls_rate_leave(&ps->guest->policy->rates[pace],
			   &ps->conn.claims[pace]);
}

/**
 * pvcalls_pace_end() - wait no longer for anything
 * @ps: the socket, which is being torn down
 *
 * Context: the worker that the socket belongs to.
 */
static inline void pvcalls_pace_end(struct pvcalls_sock *ps)
{
	int i;

	for (i = 0; i < PVCALLS_PACES; i++)
		pvcalls_pace_leave(ps, i);
}

#endif /* PVCALLS_BACK_PACE_H */
