// SPDX-License-Identifier: GPL-2.0
/* See budget.h. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/hashtable.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include "link/budget.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(user_share, 75, 1, 100, 0644);
MODULE_PARM_DESC(user_share,
		 "Percent of sockets, rings and their pages that one user may have, 1 to 100 (default 75)");

/* A user, and the owners of namespaces: these are nested 33 deep at most */
#define PVC_MAX_PAYERS	34

/**
 * struct pvc_owner - a user with an account
 * @node: in pvc_owners
 * @payers: number of &struct pvc_payers that the user is one of
 * @account: what he has
 */
struct pvc_owner {
	struct hlist_node node;
	unsigned int payers;
	struct pvc_account account;
};

/**
 * struct pvc_payers - a user, and the owners of the user namespaces he is in
 * @node: in pvc_payers_table
 * @ref: held by each socket, connection and data ring that they pay for
 * @nr: number of @owner, at least 1
 * @use: the accounts of @owner, in the same order
 * @owner: the users, each once, the user himself first
 */
struct pvc_payers {
	struct hlist_node node;
	refcount_t ref;
	unsigned int nr;
	struct pvc_use **use;
	struct pvc_owner *owner[];
};

/* Guards all that follows; taken with interrupts off, innermost */
static DEFINE_SPINLOCK(pvc_budget_lock);
static DEFINE_HASHTABLE(pvc_owners, 6);
static DEFINE_HASHTABLE(pvc_payers_table, 6);
/* What all have together, the ring cache included */
static struct pvc_use pvc_budget_total;

static struct pvc_use *const pvc_budget_totals[] = { &pvc_budget_total };

/* Who pays for what this process does? Returns how many. */
static unsigned int pvc_payers_uids(kuid_t uid[PVC_MAX_PAYERS])
{
	const struct user_namespace *ns = current_user_ns();
	unsigned int i, n = 0;

	uid[n++] = current_uid();
	for (; ns != &init_user_ns && n < PVC_MAX_PAYERS; ns = ns->parent) {
		/* root starts the containers of others, and has no share */
		if (uid_eq(ns->owner, GLOBAL_ROOT_UID))
			continue;
		for (i = 0; i < n && !uid_eq(uid[i], ns->owner); i++)
			;
		if (i == n)
			uid[n++] = ns->owner;
	}
	return n;
}

/* Call with the lock held. */
static struct pvc_payers *pvc_payers_find(const kuid_t *uid, unsigned int n)
{
	struct pvc_payers *p;
	unsigned int i;

	hash_for_each_possible(pvc_payers_table, p, node, __kuid_val(uid[0])) {
		if (p->nr != n)
			continue;
		for (i = 0; i < n; i++)
			if (!uid_eq(p->owner[i]->account.uid, uid[i]))
				break;
		if (i == n && refcount_inc_not_zero(&p->ref))
			return p;
	}
	return NULL;
}

/* Finds or makes a user's account. Call with the lock held. */
static struct pvc_owner *pvc_owner_get(kuid_t uid)
{
	struct pvc_owner *o;

	hash_for_each_possible(pvc_owners, o, node, __kuid_val(uid)) {
		if (uid_eq(o->account.uid, uid)) {
			o->payers++;
			return o;
		}
	}
	/* no cgroup pays: it could not make room while the lock is held */
	o = kzalloc(sizeof(*o), GFP_NOWAIT | __GFP_NOWARN);
	if (!o)
		return NULL;
	o->account.uid = uid;
	o->payers = 1;
	hash_add(pvc_owners, &o->node, __kuid_val(uid));
	return o;
}

/* Call with the lock held. */
static void pvc_owner_put(struct pvc_owner *o)
{
	if (--o->payers)
		return;
	hash_del(&o->node);
	kfree(o);
}

/* Drops the accounts of payers that nobody knows. Call with the lock held. */
static void pvc_payers_free(struct pvc_payers *p)
{
	while (p->nr)
		pvc_owner_put(p->owner[--p->nr]);
	kfree(p);
}

/* Fills in payers, or frees them. Call with the lock held. */
static struct pvc_payers *pvc_payers_fill(struct pvc_payers *p,
					  const kuid_t *uid, unsigned int n)
{
	refcount_set(&p->ref, 1);
	p->use = (struct pvc_use **)&p->owner[n];
	for (; p->nr < n; p->nr++) {
		p->owner[p->nr] = pvc_owner_get(uid[p->nr]);
		if (!p->owner[p->nr]) {
			pvc_payers_free(p);
			return NULL;
		}
		p->use[p->nr] = &p->owner[p->nr]->account.use;
	}
	hash_add(pvc_payers_table, &p->node, __kuid_val(uid[0]));
	return p;
}

/**
 * pvc_payers_get() - who pays for what this process does?
 *
 * Description: The user is the real one, so that a program that runs with
 * another's rights does not make the other pay.
 *
 * Context: process, may sleep.
 * Return: the payers with a reference, or NULL without memory.
 */
struct pvc_payers *pvc_payers_get(void)
{
	struct pvc_payers *p, *fresh;
	kuid_t uid[PVC_MAX_PAYERS];
	unsigned int n = pvc_payers_uids(uid);

	spin_lock_irq(&pvc_budget_lock);
	p = pvc_payers_find(uid, n);
	spin_unlock_irq(&pvc_budget_lock);
	if (p)
		return p;
	fresh = kzalloc(struct_size(fresh, owner, 2 * n), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return NULL;
	spin_lock_irq(&pvc_budget_lock);
	p = pvc_payers_find(uid, n);
	if (p)
		kfree(fresh);
	else
		p = pvc_payers_fill(fresh, uid, n);
	spin_unlock_irq(&pvc_budget_lock);
	return p;
}

/**
 * pvc_payers_hold() - take a reference
 * @payers: the payers, of which the caller has a reference
 *
 * Context: any.
 * Return: @payers.
 */
struct pvc_payers *pvc_payers_hold(struct pvc_payers *payers)
{
	refcount_inc(&payers->ref);
	return payers;
}

/**
 * pvc_payers_put() - drop a reference
 * @payers: the payers; with the last reference nothing may be charged any more
 *
 * Context: any.
 */
void pvc_payers_put(struct pvc_payers *payers)
{
	unsigned long flags;

	if (!refcount_dec_and_test(&payers->ref))
		return;
	spin_lock_irqsave(&pvc_budget_lock, flags);
	hash_del(&payers->node);
	pvc_payers_free(payers);
	spin_unlock_irqrestore(&pvc_budget_lock, flags);
}

/*
 * May this process have more than a share? A kernel's thread works for others,
 * whose shares count.
 */
static bool pvc_budget_exempt(void)
{
	return !(current->flags & PF_KTHREAD) &&
	       ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
}

/**
 * pvc_budget_share() - what one user may have
 * @ceiling: what all together may have
 *
 * Context: any.
 * Return: the share.
 */
long pvc_budget_share(long ceiling)
{
	return pvc_share(ceiling, READ_ONCE(param_user_share));
}

/**
 * pvc_budget_charge() - charge a user
 * @payers: who pays
 * @kind: what
 * @n: amount
 * @ceiling: what all users together may have. One may have his share of that,
 *	or all if the process has CAP_SYS_RESOURCE in the first user namespace
 *
 * Context: process, perhaps with interrupts off; does not sleep.
 * Return: 0, or -EDQUOT if one of the payers has his share.
 */
int pvc_budget_charge(struct pvc_payers *payers, enum pvc_kind kind, long n,
		      long ceiling)
{
	long limit = pvc_budget_share(ceiling);
	unsigned long flags;
	bool ok;

	for (;;) {
		spin_lock_irqsave(&pvc_budget_lock, flags);
		ok = pvc_use_charge(payers->use, payers->nr, kind, n, limit);
		spin_unlock_irqrestore(&pvc_budget_lock, flags);
		if (ok)
			return 0;
		if (limit == ceiling || !pvc_budget_exempt())
			return -EDQUOT;
		limit = ceiling;
	}
}

/**
 * pvc_budget_uncharge() - undo pvc_budget_charge()
 * @payers: who has paid
 * @kind: what
 * @n: amount
 *
 * Context: any.
 */
void pvc_budget_uncharge(struct pvc_payers *payers, enum pvc_kind kind, long n)
{
	unsigned long flags;

	spin_lock_irqsave(&pvc_budget_lock, flags);
	pvc_use_uncharge(payers->use, payers->nr, kind, n);
	spin_unlock_irqrestore(&pvc_budget_lock, flags);
}

/**
 * pvc_budget_refused() - note that a user was refused something
 * @payers: the user and those who pay with him
 *
 * Context: process; does not sleep.
 */
void pvc_budget_refused(struct pvc_payers *payers)
{
	spin_lock_irq(&pvc_budget_lock);
	payers->owner[0]->account.refused++;
	spin_unlock_irq(&pvc_budget_lock);
}

/**
 * pvc_budget_left() - how much more could be charged and taken?
 * @payers: who would pay
 * @kind: what
 * @ceiling: as in pvc_budget_charge()
 *
 * Context: process; does not sleep. The answer may be outdated when the caller
 * gets it.
 * Return: amount, 0 or more.
 */
long pvc_budget_left(struct pvc_payers *payers, enum pvc_kind kind,
		     long ceiling)
{
	long limit = pvc_budget_exempt() ? ceiling : pvc_budget_share(ceiling);
	long left;

	spin_lock_irq(&pvc_budget_lock);
	left = min(pvc_use_left(payers->use, payers->nr, kind, limit),
		   pvc_use_left(pvc_budget_totals, 1, kind, ceiling));
	spin_unlock_irq(&pvc_budget_lock);
	return left;
}

/**
 * pvc_budget_take() - count what all have together
 * @kind: what
 * @n: amount
 * @ceiling: what all may have
 *
 * Context: any.
 * Return: 0, or -ENOSPC if there is no more.
 */
int pvc_budget_take(enum pvc_kind kind, long n, long ceiling)
{
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&pvc_budget_lock, flags);
	ok = pvc_use_charge(pvc_budget_totals, 1, kind, n, ceiling);
	spin_unlock_irqrestore(&pvc_budget_lock, flags);
	return ok ? 0 : -ENOSPC;
}

/**
 * pvc_budget_give() - undo pvc_budget_take()
 * @kind: what
 * @n: amount
 *
 * Context: any.
 */
void pvc_budget_give(enum pvc_kind kind, long n)
{
	unsigned long flags;

	spin_lock_irqsave(&pvc_budget_lock, flags);
	pvc_use_uncharge(pvc_budget_totals, 1, kind, n);
	spin_unlock_irqrestore(&pvc_budget_lock, flags);
}

/**
 * pvc_budget_all() - what have all users together?
 *
 * Context: process; does not sleep.
 * Return: how much, the ring cache included.
 */
struct pvc_use pvc_budget_all(void)
{
	struct pvc_use all;

	spin_lock_irq(&pvc_budget_lock);
	all = pvc_budget_total;
	spin_unlock_irq(&pvc_budget_lock);
	return all;
}

/**
 * pvc_budget_next() - go through all users with an account, by number
 * @account: the user before, or one with the number -1 (no user) to begin with;
 *	filled in with the next user
 *
 * Context: process; does not sleep.
 * Return: true, or false if there is no further user.
 */
bool pvc_budget_next(struct pvc_account *account)
{
	u64 after = uid_valid(account->uid) ?
		    __kuid_val(account->uid) + 1ULL : 0;
	struct pvc_owner *o, *next = NULL;
	unsigned int i;

	spin_lock_irq(&pvc_budget_lock);
	hash_for_each(pvc_owners, i, o, node)
		if (__kuid_val(o->account.uid) >= after &&
		    (!next || uid_lt(o->account.uid, next->account.uid)))
			next = o;
	if (next)
		*account = next->account;
	spin_unlock_irq(&pvc_budget_lock);
	return next;
}
