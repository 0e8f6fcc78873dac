// SPDX-License-Identifier: GPL-2.0
/* Rates with those who wait for them; see rate.h. */
#include <linux/build_bug.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>

#include "account/rate.h"
#include "pvcalls_compat.h"

/* How much of what may come at once must be free before the line moves */
#define PVCALLS_RATE_HALF	(PVCALLS_BUCKET_AHEAD / 2)

/* How often a second has that */
#define PVCALLS_RATE_HALVES	20
static_assert(PVCALLS_RATE_HALVES * PVCALLS_RATE_HALF == PVCALLS_BUCKET_SECOND);

/* Have the timer look when the first of the line may be let out. */
static void pvcalls_rate_arm(struct pvcalls_rate *r, u64 now)
{
	u64 wait = pvcalls_bucket_wait(&r->bucket, now, PVCALLS_RATE_HALF);

	mod_timer(&r->timer, jiffies + nsecs_to_jiffies(wait) + 1);
}

/* Let a claim out of the line. */
static void pvcalls_rate_wake(struct pvcalls_claim *c)
{
	list_del_init(&c->node);
	c->wake(c);
}

/* Let out as many as there are pieces for. */
static void pvcalls_rate_timer(struct timer_list *timer)
{
	struct pvcalls_rate *r = container_of(timer, struct pvcalls_rate,
					      timer);
	u64 now = ktime_get_ns();
	struct pvcalls_claim *c;

	spin_lock_bh(&r->lock);
	while (!list_empty(&r->line) &&
	       !pvcalls_bucket_wait(&r->bucket, now, PVCALLS_RATE_HALF)) {
		c = list_first_entry(&r->line, struct pvcalls_claim, node);
		c->own = min(pvcalls_bucket_room(&r->bucket, r->rate, now),
			     r->piece);
		pvcalls_bucket_spend(&r->bucket, r->rate, now, c->own);
		pvcalls_rate_wake(c);
	}
	if (!list_empty(&r->line))
		pvcalls_rate_arm(r, now);
	spin_unlock_bh(&r->lock);
}

/**
 * pvcalls_rate_init() - begin with any amount
 * @r: the rate
 * @piece: how much one who has waited gets at a time, 1 or more
 *
 * Context: any; undone by pvcalls_rate_exit().
 */
void pvcalls_rate_init(struct pvcalls_rate *r, u32 piece)
{
	spin_lock_init(&r->lock);
	INIT_LIST_HEAD(&r->line);
	timer_setup(&r->timer, pvcalls_rate_timer, 0);
	r->piece = piece;
}

/**
 * pvcalls_rate_exit() - undo pvcalls_rate_init()
 * @r: the rate, for which nobody waits any more
 *
 * Context: process, may sleep.
 */
void pvcalls_rate_exit(struct pvcalls_rate *r)
{
	pvcalls_timer_stop(&r->timer);
}

/**
 * pvcalls_rate_set() - change a rate
 * @r: the rate
 * @rate: how much a second, 1 to PVCALLS_BUCKET_MAX; 0: any amount
 *
 * What was done at another rate is forgotten, and all who wait ask again.
 *
 * Context: process.
 */
void pvcalls_rate_set(struct pvcalls_rate *r, u32 rate)
{
	struct pvcalls_claim *c, *next;

	spin_lock_bh(&r->lock);
	if (rate != r->rate) {
		WRITE_ONCE(r->rate, rate);
		r->bucket.until = 0;
		list_for_each_entry_safe(c, next, &r->line, node)
			pvcalls_rate_wake(c);
	}
	spin_unlock_bh(&r->lock);
}

/**
 * pvcalls_claim_init() - initialise one who uses a rate
 * @c: the claim
 * @wake: see struct pvcalls_claim
 * @owner: see struct pvcalls_claim
 *
 * Context: any.
 */
void pvcalls_claim_init(struct pvcalls_claim *c,
			void (*wake)(struct pvcalls_claim *c), void *owner)
{
	INIT_LIST_HEAD(&c->node);
	c->own = 0;
	c->waited = false;
	c->wake = wake;
	c->owner = owner;
}

/**
 * pvcalls_rate_leave() - wait no longer
 * @r: the rate
 * @c: the claim, whether it waits or not; does not ask meanwhile
 *
 * Context: process or softirq. Afterwards pvcalls_claim.wake is not called before
 * the claim asks again.
 */
void pvcalls_rate_leave(struct pvcalls_rate *r, struct pvcalls_claim *c)
{
	/* most never wait, and this is for each socket that is closed */
	if (!c->waited)
		return;
	spin_lock_bh(&r->lock);
	list_del_init(&c->node);
	c->own = 0;
	c->waited = false;
	spin_unlock_bh(&r->lock);
}

/*
 * How much of @n may be done now, or more? While others wait, nobody has more
 * than his own. Nor has who wants more than there is, before the line would
 * move: there is always a little again as soon as it has been used.
 */
static u32 pvcalls_rate_room(struct pvcalls_rate *r,
			     const struct pvcalls_claim *c, u32 n)
{
	u32 room;

	if (!r->rate)
		return ~0U;
	if (!list_empty(&r->line))
		return c->own;
	room = pvcalls_bucket_room(&r->bucket, r->rate, ktime_get_ns());
	if (c->own + room < n && room <= r->rate / PVCALLS_RATE_HALVES)
		return c->own;
	return c->own + room;
}

/**
 * pvcalls_rate_ask() - pvcalls_rate_may() where there is a rate
 * @r: the rate
 * @c: who asks
 * @n: how much is to be done, 1 or more
 *
 * Context: as pvcalls_rate_may().
 * Return: as pvcalls_rate_may().
 */
u32 pvcalls_rate_ask(struct pvcalls_rate *r, struct pvcalls_claim *c, u32 n)
{
	u32 may;

	spin_lock_bh(&r->lock);
	may = min(pvcalls_rate_room(r, c, n), n);
	if (!may && list_empty(&c->node)) {
		/* the timer has been set for those before */
		if (list_empty(&r->line))
			pvcalls_rate_arm(r, ktime_get_ns());
		list_add_tail(&c->node, &r->line);
		c->waited = true;
		WRITE_ONCE(r->waits, r->waits + 1);
	}
	spin_unlock_bh(&r->lock);
	return may;
}

/**
 * pvcalls_rate_look() - pvcalls_rate_has() where there is a rate
 * @r: the rate
 * @c: who asks
 * @n: how much is to be done, 1 or more
 *
 * Context: as pvcalls_rate_has().
 * Return: as pvcalls_rate_has().
 */
bool pvcalls_rate_look(struct pvcalls_rate *r, struct pvcalls_claim *c, u32 n)
{
	bool has;

	spin_lock_bh(&r->lock);
	has = pvcalls_rate_room(r, c, n) >= n;
	spin_unlock_bh(&r->lock);
	return has;
}

/**
 * pvcalls_rate_tell() - pvcalls_rate_did() where there is a rate
 * @r: the rate
 * @c: who was let
 * @n: how much has been done
 *
 * Context: as pvcalls_rate_did().
 */
void pvcalls_rate_tell(struct pvcalls_rate *r, struct pvcalls_claim *c, u32 n)
{
	u32 own;

	spin_lock_bh(&r->lock);
	own = min(c->own, n);
	c->own -= own;
	if (r->rate)
		pvcalls_bucket_spend(&r->bucket, r->rate, ktime_get_ns(),
				     n - own);
	spin_unlock_bh(&r->lock);
}
