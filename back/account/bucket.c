// SPDX-License-Identifier: GPL-2.0
/* See bucket.h. */
#include "account/bucket.h"

/**
 * pvcalls_bucket_room() - how often may something be done now?
 * @b: what was done of late
 * @rate: how often a second, 1 to PVCALLS_BUCKET_MAX
 * @now: time in nanoseconds, not before that of an earlier call
 *
 * Context: any; nobody else uses @b meanwhile.
 * Return: how often. If not 0, once more than keeps within the tenth of a
 * second, so that any rate lets something be done.
 */
u32 pvcalls_bucket_room(struct pvcalls_bucket *b, u32 rate, u64 now)
{
	/* time that has passed unused is no credit */
	if (b->until < now)
		b->until = now;
	if (b->until - now > PVCALLS_BUCKET_AHEAD)
		return 0;
	return pvcalls_bucket_div((PVCALLS_BUCKET_AHEAD - (b->until - now)) *
				  rate, PVCALLS_BUCKET_SECOND) + 1;
}

/**
 * pvcalls_bucket_spend() - count what has been done
 * @b: what was done of late
 * @rate: how often a second, 1 to PVCALLS_BUCKET_MAX
 * @now: time in nanoseconds, not before that of an earlier call
 * @n: how often it was done; more than there was room for is a debt
 *
 * Context: any; nobody else uses @b meanwhile.
 */
void pvcalls_bucket_spend(struct pvcalls_bucket *b, u32 rate, u64 now, u32 n)
{
	if (b->until < now)
		b->until = now;
	/* what is less than a nanosecond counts as one */
	b->until += pvcalls_bucket_div((u64)n * PVCALLS_BUCKET_SECOND + rate -
				       1, rate);
}

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
	u32 room = pvcalls_bucket_room(b, rate, now);

	if (n > room)
		n = room;
	pvcalls_bucket_spend(b, rate, now, n);
	return n;
}

/**
 * pvcalls_bucket_wait() - when may it be done again?
 * @b: what was done of late
 * @now: time in nanoseconds
 * @ahead: how far the guest may still be ahead of its rate then, in nanoseconds:
 *	PVCALLS_BUCKET_AHEAD for one thing, less for several of them
 *
 * Context: any; nobody else uses @b meanwhile.
 * Return: in how many nanoseconds, 0 for at once.
 */
u64 pvcalls_bucket_wait(const struct pvcalls_bucket *b, u64 now, u64 ahead)
{
	if (b->until <= now + ahead)
		return 0;
	return b->until - ahead - now;
}
