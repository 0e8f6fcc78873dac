/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cap: the most that a guest may cost all workers together in a second, in the
 * unit of the parameter budget.
 *
 * A worker asks before it gives a guest a turn. If the guest has cost too much of
 * late, the worker gets a ticket instead: the moment of the turn, which is set
 * aside for it. So workers have their turns in the order in which they asked,
 * whoever looks more often, and each turn is paid for beforehand: what the guest
 * may cost in five milliseconds. What it has cost more, or less, is told
 * afterwards.
 */
#ifndef PVCALLS_BACK_CAP_H
#define PVCALLS_BACK_CAP_H

#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "account/bucket.h"

/*
 * Workers that there may be at a time: those of a pool, and those of the one
 * before it, which end
 */
#define PVCALLS_PLACES		128

/**
 * struct pvcalls_cap - a guest's cap
 * @rate: how much a second, 1000 to PVCALLS_BUCKET_MAX; 0: any amount. Written
 *	without @lock
 * @lock: guards all else but reading @waited; taken in process context only
 * @until: the time up to which that is enough which the guest has cost, and
 *	will by the tickets that are out, in nanoseconds
 * @waited: how often a turn was put off
 * @ticket: by worker, the moment of its turn; 0: it has none
 */
struct pvcalls_cap {
	u32 rate;
	spinlock_t lock;
	u64 until;
	unsigned long waited;
	u64 ticket[PVCALLS_PLACES];
};

void pvcalls_cap_init(struct pvcalls_cap *cap);
s64 pvcalls_cap_ask(struct pvcalls_cap *cap, u32 place, u64 now, u64 *when);
void pvcalls_cap_tell(struct pvcalls_cap *cap, s64 cost, u64 now);

/**
 * pvcalls_cap_set() - change a cap
 * @cap: the cap
 * @rate: how much a second, 1000 to PVCALLS_BUCKET_MAX; 0: any amount
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

#endif /* PVCALLS_BACK_CAP_H */
