/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A rate of a guest, which several of its sockets use at a time: so much a
 * second, and who may not go on waits in a line. bucket.h has the arithmetic.
 *
 * Who wants something asks first (pvcalls_rate_may()), and tells afterwards how
 * much it has been (pvcalls_rate_did()). Several who ask at a time may together
 * do more than there is room for, once; that is a debt, which all wait for. Who
 * may do nothing is put into the line, and so is everybody who comes while
 * others are in it, and who wants more than there is, if that is less than half
 * of what may come at once. When half of that is free again, a timer lets the
 * first ones out, each with a piece that is his own, so that nobody takes
 * everything again and again. While there is no rate, asking and telling is one
 * look at a number.
 *
 * Lock: pvcalls_rate.lock, a spinlock that is taken with bottom halves off. The
 * functions of claims are called with it held, and may mark works only.
 */
#ifndef PVCALLS_BACK_RATE_H
#define PVCALLS_BACK_RATE_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>

#include "account/bucket.h"

/**
 * struct pvcalls_rate - a rate of a guest
 * @lock: guards all but reading @rate and @waits
 * @rate: how much a second, 1 to PVCALLS_BUCKET_MAX; 0: any amount
 * @piece: how much one who has waited gets at a time, 1 or more
 * @bucket: what was done of late
 * @line: claims that wait, the first one first
 * @timer: lets claims out of @line; set while there are any
 * @waits: how often somebody had to wait
 */
struct pvcalls_rate {
	spinlock_t lock;
	u32 rate;
	u32 piece;
	struct pvcalls_bucket bucket;
	struct list_head line;
	struct timer_list timer;
	unsigned long waits;
};

/**
 * struct pvcalls_claim - one who uses a rate
 * @node: entry in pvcalls_rate.line, or empty
 * @own: how much may be done that has been counted already
 * @waited: has been in the line; only who asks uses this
 * @wake: called when it is this one's turn to ask again, or when the rate has
 *	changed
 * @owner: for @wake; stays until pvcalls_rate_leave()
 */
struct pvcalls_claim {
	struct list_head node;
	u32 own;
	bool waited;
	void (*wake)(struct pvcalls_claim *c);
	void *owner;
};

void pvcalls_rate_init(struct pvcalls_rate *r, u32 piece);
void pvcalls_rate_exit(struct pvcalls_rate *r);
void pvcalls_rate_set(struct pvcalls_rate *r, u32 rate);

void pvcalls_claim_init(struct pvcalls_claim *c,
			void (*wake)(struct pvcalls_claim *c), void *owner);
void pvcalls_rate_leave(struct pvcalls_rate *r, struct pvcalls_claim *c);

u32 pvcalls_rate_ask(struct pvcalls_rate *r, struct pvcalls_claim *c, u32 n);
bool pvcalls_rate_look(struct pvcalls_rate *r, struct pvcalls_claim *c, u32 n);
void pvcalls_rate_tell(struct pvcalls_rate *r, struct pvcalls_claim *c, u32 n);

/**
 * pvcalls_rate_may() - how much may be done now?
 * @r: the rate
 * @c: who asks; waits if nothing may be done, and is woken
 * @n: how much there is to be done, 1 or more
 *
 * Context: process or softirq; one at a time for @c.
 * Return: how much, 0 to @n.
 */
static inline u32 pvcalls_rate_may(struct pvcalls_rate *r,
				   struct pvcalls_claim *c, u32 n)
{
	return likely(!READ_ONCE(r->rate)) ? n : pvcalls_rate_ask(r, c, n);
}

/**
 * pvcalls_rate_has() - may it be done without waiting?
 * @r: the rate
 * @c: who asks; does not wait
 * @n: how much is to be done, 1 or more
 *
 * Context: process or softirq; one at a time for @c.
 * Return: true if all of it may be done now.
 */
static inline bool pvcalls_rate_has(struct pvcalls_rate *r,
				    struct pvcalls_claim *c, u32 n)
{
	return likely(!READ_ONCE(r->rate)) || pvcalls_rate_look(r, c, n);
}

/**
 * pvcalls_rate_did() - tell how much has been done
 * @r: the rate
 * @c: who was let
 * @n: how much; may be other than what may be done
 *
 * Context: process or softirq; one at a time for @c.
 */
static inline void pvcalls_rate_did(struct pvcalls_rate *r,
				    struct pvcalls_claim *c, u32 n)
{
	if (unlikely(READ_ONCE(r->rate)))
		pvcalls_rate_tell(r, c, n);
}

#endif /* PVCALLS_BACK_RATE_H */
