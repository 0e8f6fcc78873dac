// SPDX-License-Identifier: GPL-2.0
/* The most that a guest may cost in a second; see cap.h. */
#include <linux/kernel.h>
#include <linux/math64.h>

#include "sched/cap.h"

/* What a turn is worth, in nanoseconds */
#define PVCALLS_CAP_TURN	(PVCALLS_BUCKET_AHEAD / 20)

/* How far a turn may be ahead of its time, so that its end is no further */
#define PVCALLS_CAP_AHEAD	(PVCALLS_BUCKET_AHEAD - PVCALLS_CAP_TURN)

/* How long a guest waits for what it has cost, at most */
#define PVCALLS_CAP_DEBT	(10 * PVCALLS_BUCKET_SECOND)

/**
 * pvcalls_cap_init() - begin with any amount
 * @cap: the cap, in zeroed memory
 *
 * Context: any.
 */
void pvcalls_cap_init(struct pvcalls_cap *cap)
{
	spin_lock_init(&cap->lock);
}

/* Set the next turn that there is aside, and return its moment. */
static u64 pvcalls_cap_next(struct pvcalls_cap *cap, u64 now)
{
	u64 when;

	/* time that has passed unused is no credit */
	cap->until = max(cap->until, now);
	when = max(now, cap->until - min(cap->until, PVCALLS_CAP_AHEAD));
	cap->until += PVCALLS_CAP_TURN;
	return when;
}

/**
 * pvcalls_cap_ask() - how much may the guest's next turn cost?
 * @cap: the cap
 * @place: the worker's place in the guest's queues, 0 to PVCALLS_PLACES - 1
 * @now: time in nanoseconds
 * @when: the moment to ask again, if there is no turn now; else untouched
 *
 * A ticket that was not used for a while, since nothing was ready any more, is
 * worth nothing.
 *
 * Context: process.
 * Return: how much, S64_MAX for any amount; 0 if there is no turn now. Otherwise
 * pvcalls_cap_tell() is due when the turn is over.
 */
s64 pvcalls_cap_ask(struct pvcalls_cap *cap, u32 place, u64 now, u64 *when)
{
	u32 rate = READ_ONCE(cap->rate);
	u64 *ticket = &cap->ticket[place];
	s64 may = S64_MAX;

	spin_lock(&cap->lock);
	if (!rate || *ticket + PVCALLS_BUCKET_AHEAD < now)
		*ticket = 0;
	if (rate && !*ticket) {
		*ticket = pvcalls_cap_next(cap, now);
		if (*ticket > now)
			WRITE_ONCE(cap->waited, cap->waited + 1);
	}
	if (*ticket > now) {
		*when = *ticket;
		may = 0;
	} else if (rate) {
		*ticket = 0;
		may = div64_u64(PVCALLS_CAP_TURN * rate,
				PVCALLS_BUCKET_SECOND);
	}
	spin_unlock(&cap->lock);
	return may;
}

/**
 * pvcalls_cap_tell() - tell what a turn has cost
 * @cap: the cap
 * @cost: how much more it was than what pvcalls_cap_ask() has returned, negative
 *	if it was less; all of it, if that was any amount
 * @now: time in nanoseconds
 *
 * Context: process.
 */
void pvcalls_cap_tell(struct pvcalls_cap *cap, s64 cost, u64 now)
{
	u32 rate = READ_ONCE(cap->rate);
	u64 much, ns;

	if (!rate)
		return;
	much = min_t(u64, cost < 0 ? -cost : cost, U32_MAX);
	ns = div64_u64(much * PVCALLS_BUCKET_SECOND, rate);
	spin_lock(&cap->lock);
	if (cost < 0)
		cap->until -= min(cap->until, ns);
	else
		cap->until = min(cap->until + ns, now + PVCALLS_CAP_DEBT);
	spin_unlock(&cap->lock);
}
