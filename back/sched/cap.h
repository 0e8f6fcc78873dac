/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cap: the most that a guest may cost all workers together in a second, in the
 * unit of the parameter budget. A worker asks before it gives a guest a turn,
 * and tells afterwards what the turn has cost. Workers who ask at a time may
 * together go beyond the cap, once; that is a debt, for which the guest waits,
 * but no longer than two seconds.
 */
#ifndef PVCALLS_BACK_CAP_H
#define PVCALLS_BACK_CAP_H

#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "account/bucket.h"

/**
 * struct pvcalls_cap - a guest's cap
 * @rate: how much a second, 1 to PVCALLS_BUCKET_MAX; 0: any amount. Written
 *	without @lock
 * @lock: guards all else but reading @waited; taken in process context only
 * @bucket: what the guest has cost of late
 * @waits: the guest's turns are put off
 * @waited: how often that has begun
 */
struct pvcalls_cap {
	u32 rate;
	spinlock_t lock;
	struct pvcalls_bucket bucket;
	bool waits;
	unsigned long waited;
};

void pvcalls_cap_init(struct pvcalls_cap *cap);
s64 pvcalls_cap_ask(struct pvcalls_cap *cap, u64 *wait);
void pvcalls_cap_tell(struct pvcalls_cap *cap, u64 cost);

/**
 * pvcalls_cap_set() - change a cap
 * @cap: the cap
 * @rate: how much a second, 1 to PVCALLS_BUCKET_MAX; 0: any amount
 *
 * Context: any.
 */
static inline void pvcalls_cap_set(struct pvcalls_cap *cap, u32 rate)
{
	WRITE_ONCE(cap->rate, rate);
}

/**
 * pvcalls_cap_is_set() - is there a most?
 * @cap: the cap
 *
 * Context: any.
 * Return: false if the guest may cost any amount.
 */
static inline bool pvcalls_cap_is_set(const struct pvcalls_cap *cap)
{
	return unlikely(READ_ONCE(cap->rate));
}

/**
 * pvcalls_cap_may() - how much may the guest's next turn cost?
 * @cap: the cap
 * @wait: in how many nanoseconds to ask again, if none; else untouched
 *
 * Context: process.
 * Return: how much, S64_MAX for any amount; 0 if there is no turn now.
 */
static inline s64 pvcalls_cap_may(struct pvcalls_cap *cap, u64 *wait)
{
	return pvcalls_cap_is_set(cap) ? pvcalls_cap_ask(cap, wait) : S64_MAX;
}

/**
 * pvcalls_cap_did() - tell what a turn has cost
 * @cap: the cap
 * @cost: the cost, in bytes
 *
 * Context: process.
 */
static inline void pvcalls_cap_did(struct pvcalls_cap *cap, u64 cost)
{
	if (pvcalls_cap_is_set(cap))
		pvcalls_cap_tell(cap, cost);
}

#endif /* PVCALLS_BACK_CAP_H */
