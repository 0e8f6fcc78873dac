// SPDX-License-Identifier: GPL-2.0
/* See bucket.h. */
#include "account/bucket.h"

/**
 * pvcalls_bucket_take() - do something, as often as the rate lets
 * @b: what was done of late
 * @rate: how often a second, 1 to PVCALLS_BUCKET_MAX
 * @now: time in nanoseconds, not before that of an earlier call
 * @n: how often it is to be done
 *
 * Context: any; nobody else uses @b meanwhile.
 * Return: how often it may be done now, 0 to @n. That has been counted.
 */
u32 pvcalls_bucket_take(struct pvcalls_bucket *b, u32 rate, u64 now, u32 n)
{
	u32 each = PVCALLS_BUCKET_SECOND / rate;
	u32 room;

	/* time that has passed unused is no credit */
	if (b->until < now)
		b->until = now;
	if (b->until - now > PVCALLS_BUCKET_AHEAD)
		return 0;
	/* the last one may take the guest further ahead */
	room = (PVCALLS_BUCKET_AHEAD - (u32)(b->until - now)) / each + 1;
	if (n > room)
		n = room;
	b->until += n * each;
	return n;
}

/**
 * pvcalls_bucket_wait() - when may it be done again?
 * @b: what was done of late
 * @now: time in nanoseconds
 *
 * Context: any; nobody else uses @b meanwhile.
 * Return: in how many nanoseconds, 0 for at once.
 */
u64 pvcalls_bucket_wait(const struct pvcalls_bucket *b, u64 now)
{
	if (b->until <= now + PVCALLS_BUCKET_AHEAD)
		return 0;
	return b->until - PVCALLS_BUCKET_AHEAD - now;
}
