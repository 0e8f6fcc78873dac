// SPDX-License-Identifier: GPL-2.0
/* The most that a guest may cost in a second; see cap.h. */
#include <linux/kernel.h>
#include <linux/ktime.h>

#include "sched/cap.h"

/* How much of what may come at once must be free for a turn */
#define PVCALLS_CAP_HALF	(PVCALLS_BUCKET_AHEAD / 2)

/* How long a guest waits for what it has cost, at most */
#define PVCALLS_CAP_DEBT	(2 * PVCALLS_BUCKET_SECOND)

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

/**
 * pvcalls_cap_ask() - pvcalls_cap_may() where there is a cap
 * @cap: the cap
 * @wait: as of pvcalls_cap_may()
 *
 * Context: process.
 * Return: as of pvcalls_cap_may().
 */
s64 pvcalls_cap_ask(struct pvcalls_cap *cap, u64 *wait)
{
	u32 rate = READ_ONCE(cap->rate);
	u64 now = ktime_get_ns(), left;
	s64 may = S64_MAX;

	spin_lock(&cap->lock);
	left = rate ? pvcalls_bucket_wait(&cap->bucket, now, PVCALLS_CAP_HALF) :
		      0;
	if (left) {
		may = 0;
		*wait = left;
		if (!cap->waits)
			WRITE_ONCE(cap->waited, cap->waited + 1);
	} else if (rate) {
		may = pvcalls_bucket_room(&cap->bucket, rate, now);
	}
	cap->waits = left;
	spin_unlock(&cap->lock);
	return may;
}

/**
 * pvcalls_cap_tell() - pvcalls_cap_did() where there is a cap
 * @cap: the cap
 * @cost: the cost, in bytes
 *
 * Context: process.
 */
void pvcalls_cap_tell(struct pvcalls_cap *cap, u64 cost)
{
	u32 rate = READ_ONCE(cap->rate);
	u64 now = ktime_get_ns();

	if (!rate)
		return;
	spin_lock(&cap->lock);
	pvcalls_bucket_spend(&cap->bucket, rate, now,
			     min_t(u64, cost, U32_MAX));
	cap->bucket.until = min(cap->bucket.until, now + PVCALLS_CAP_DEBT);
	spin_unlock(&cap->lock);
}
