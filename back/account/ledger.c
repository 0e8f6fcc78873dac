// SPDX-License-Identifier: GPL-2.0
/* The accounts of all guests, and their limits; ledger.h describes both. */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <xen/page.h>

#include "account/ledger.h"
#include "limits.h"
#include "peer.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(guest_share, 25, 1, 100, 0644);
MODULE_PARM_DESC(guest_share,
		 "Percent that a guest may have of what the other guests leave of each host_ ceiling, 1 to 100 (default 25)");

/* Out of the range, for a ceiling that is not set when the module is loaded */
#define PVCALLS_BY_MEMORY	UINT_MAX

PVCALLS_PARAM_UINT(host_sockets, PVCALLS_BY_MEMORY, 0, INT_MAX, 0644);
MODULE_PARM_DESC(host_sockets,
		 "Sockets that all guests together may have (default 48 for each MiB of memory, at most 65536)");

PVCALLS_PARAM_UINT(host_listeners, PVCALLS_BY_MEMORY, 0, INT_MAX, 0644);
MODULE_PARM_DESC(host_listeners,
		 "Listening sockets that all guests together may have (default 6 for each MiB of memory, at most 8192)");

PVCALLS_PARAM_UINT(host_queued, PVCALLS_BY_MEMORY, 0, INT_MAX, 0644);
MODULE_PARM_DESC(host_queued,
		 "Connections of all guests together that may wait to be accepted, beyond two for each listening socket (default 24 for each MiB of memory, at most 32768)");

PVCALLS_PARAM_UINT(host_ports, PVCALLS_BY_MEMORY, 0, INT_MAX, 0644);
MODULE_PARM_DESC(host_ports,
		 "Sockets with a port of their own that all guests together may have (default 12 for each MiB of memory, at most 16384)");

PVCALLS_PARAM_UINT(host_pages, 196608, 0, INT_MAX, 0644);
MODULE_PARM_DESC(host_pages,
		 "Pages of 4 KiB of all guests together that may be mapped (default 196608)");

PVCALLS_PARAM_UINT(host_calls, PVCALLS_BY_MEMORY, 0, INT_MAX, 0644);
MODULE_PARM_DESC(host_calls,
		 "Calls of all guests together that may wait at a time (default 96 for each MiB of memory, at most 131072)");

PVCALLS_PARAM_UINT(host_pinned, 32768, 0, INT_MAX, 0644);
MODULE_PARM_DESC(host_pinned,
		 "Pages of 4 KiB of all guests together that the network may refer to (default 32768)");

PVCALLS_PARAM_UINT(host_memory, 0, 0, INT_MAX, 0644);
MODULE_PARM_DESC(host_memory,
		 "Pages of 4 KiB that the queues of all guests' sockets may have; 0: three 64ths of this domain's memory (default 0)");

/**
 * struct pvcalls_account - what a guest has
 * @list: entry in the list of all accounts, in the order of @domid
 * @ref: held by the connection, and by what outlives it
 * @domid: the guest
 * @tally: what is charged
 * @refused: how often something of each kind was refused
 * @most: what the guest may have of each kind in any case
 * @may: what the guest might have of each kind when it was last charged by
 *	pvcalls_account_force(), and
 * @fill: how full its share was
 */
struct pvcalls_account {
	struct list_head list;
	refcount_t ref;
	domid_t domid;
	struct pvcalls_tally tally;
	unsigned long refused[PVCALLS_KINDS];
	long most[PVCALLS_KINDS];
	long may[PVCALLS_KINDS];
	enum pvcalls_fill fill[PVCALLS_KINDS];
};

/**
 * struct pvcalls_kind_rule - how a kind is limited
 * @ceiling: the parameter with what all guests may have
 * @of_mib: how much that is for each MiB of this domain's memory, and
 * @at_most: at most, if the parameter is not set; 0: it has a number
 * @otherwise: returns the ceiling if the parameter is 0; NULL: 0
 * @most: returns what one may have in any case; NULL: anything
 * @kept: the part of the ceiling that is not for shares is one in so many; 0:
 *	there is none
 * @err: error number for a guest that may not have more
 */
struct pvcalls_kind_rule {
	unsigned int *ceiling;
	unsigned int of_mib;
	unsigned int at_most;
	long (*otherwise)(void);
	u32 (*most)(void);
	unsigned int kept;
	int err;
};

/* The kernel's own arithmetic for the first number of net.ipv4.tcp_mem */
static long pvcalls_host_memory(void)
{
	return (totalram_pages() * 3 / 64) << (PAGE_SHIFT - XEN_PAGE_SHIFT);
}

static const struct pvcalls_kind_rule pvcalls_kind_rules[PVCALLS_KINDS] = {
	[PVCALLS_KIND_SOCKETS] = {
		.ceiling = &param_host_sockets,
		.of_mib = 48,
		.at_most = 65536,
		.most = pvcalls_max_sockets,
		.err = -ENFILE,
	},
	[PVCALLS_KIND_LISTENERS] = {
		.ceiling = &param_host_listeners,
		.of_mib = 6,
		.at_most = 8192,
		.err = -ENOBUFS,
	},
	[PVCALLS_KIND_QUEUED] = {
		.ceiling = &param_host_queued,
		.of_mib = 24,
		.at_most = 32768,
		.err = -ENOBUFS,
	},
	[PVCALLS_KIND_PORTS] = {
		.ceiling = &param_host_ports,
		.of_mib = 12,
		.at_most = 16384,
		.err = -ENOBUFS,
	},
	[PVCALLS_KIND_PAGES] = {
		.ceiling = &param_host_pages,
		.most = pvcalls_max_pages,
		/* enough for a command ring and a data ring of order 8 */
		.kept = 8,
		.err = -ENOBUFS,
	},
	[PVCALLS_KIND_CALLS] = {
		.ceiling = &param_host_calls,
		.of_mib = 96,
		.at_most = 131072,
		.most = pvcalls_max_deferred,
		.err = -ENOBUFS,
	},
	[PVCALLS_KIND_PINNED] = {
		.ceiling = &param_host_pinned,
	},
	[PVCALLS_KIND_MEMORY] = {
		.ceiling = &param_host_memory,
		.otherwise = pvcalls_host_memory,
	},
};

/* Guards all that follows, and what is in the accounts */
static DEFINE_SPINLOCK(pvcalls_ledger_lock);
static LIST_HEAD(pvcalls_ledger_list);
/* What all guests have together, and how often they were refused something */
static struct pvcalls_tally pvcalls_ledger_tally;
static unsigned long pvcalls_ledger_refused[PVCALLS_KINDS];

static struct pvcalls_limit pvcalls_kind_limit(enum pvcalls_kind kind)
{
	const struct pvcalls_kind_rule *rule = &pvcalls_kind_rules[kind];
	long ceiling = READ_ONCE(*rule->ceiling);

	if (!ceiling && rule->otherwise)
		ceiling = rule->otherwise();
	return (struct pvcalls_limit){
		.ceiling = ceiling,
		.percent = READ_ONCE(param_guest_share),
		.most = rule->most ? rule->most() : LONG_MAX,
		.kept = rule->kept ? ceiling / rule->kept : 0,
	};
}

/* What a guest may have, by the parameters and by its policy */
static struct pvcalls_limit
pvcalls_account_may(const struct pvcalls_account *account,
		    enum pvcalls_kind kind)
{
	struct pvcalls_limit limit = pvcalls_kind_limit(kind);

	limit.most = min(limit.most, READ_ONCE(account->most[kind]));
	return limit;
}

/**
 * pvcalls_ledger_start() - set the ceilings that go by this domain's memory
 *
 * Context: the module's begin.
 */
void __init pvcalls_ledger_start(void)
{
	unsigned long mib = totalram_pages() >> (20 - PAGE_SHIFT);
	const struct pvcalls_kind_rule *rule;
	int i;

	for (i = 0; i < PVCALLS_KINDS; i++) {
		rule = &pvcalls_kind_rules[i];
		if (*rule->ceiling == PVCALLS_BY_MEMORY)
			*rule->ceiling = min_t(unsigned long, rule->at_most,
					       mib * rule->of_mib);
	}
}

/* The account before which one of @domid belongs. Call with the lock held. */
static struct list_head *pvcalls_account_place(domid_t domid)
{
	struct pvcalls_account *a;

	list_for_each_entry(a, &pvcalls_ledger_list, list)
		if (a->domid >= domid)
			return &a->list;
	return &pvcalls_ledger_list;
}

/* Takes a reference to a guest's account. Call with the lock held. */
static struct pvcalls_account *pvcalls_account_find(domid_t domid)
{
	struct pvcalls_account *a;

	list_for_each_entry(a, &pvcalls_ledger_list, list)
		if (a->domid == domid && refcount_inc_not_zero(&a->ref))
			return a;
	return NULL;
}

/**
 * pvcalls_account_open() - find a guest's account, or make one
 * @domid: the guest
 *
 * Context: process, may sleep.
 * Return: the account with a reference, or NULL without memory.
 */
struct pvcalls_account *pvcalls_account_open(domid_t domid)
{
	struct pvcalls_account *a, *fresh;
	struct pvcalls_limit limit;
	int i;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return NULL;
	refcount_set(&fresh->ref, 1);
	fresh->domid = domid;
	for (i = 0; i < PVCALLS_KINDS; i++)
		fresh->most[i] = LONG_MAX;

	spin_lock_irq(&pvcalls_ledger_lock);
	a = pvcalls_account_find(domid);
	if (!a) {
		list_add_tail(&fresh->list, pvcalls_account_place(domid));
		for (i = 0; i < PVCALLS_KINDS; i++) {
			limit = pvcalls_account_may(fresh, i);
			fresh->may[i] = pvcalls_use_limit(&fresh->tally,
							  &pvcalls_ledger_tally,
							  i, &limit);
		}
	}
	spin_unlock_irq(&pvcalls_ledger_lock);
	if (!a)
		return fresh;
	kfree(fresh);
	return a;
}

/**
 * pvcalls_account_hold() - take a reference
 * @account: the account, of which the caller has a reference
 *
 * Context: any.
 */
void pvcalls_account_hold(struct pvcalls_account *account)
{
	refcount_inc(&account->ref);
}

/**
 * pvcalls_account_put() - drop a reference
 * @account: the account; with the last reference nothing may be charged to it
 *
 * Context: any.
 */
void pvcalls_account_put(struct pvcalls_account *account)
{
	unsigned long flags;
	int i;

	if (!refcount_dec_and_test(&account->ref))
		return;
	spin_lock_irqsave(&pvcalls_ledger_lock, flags);
	list_del(&account->list);
	spin_unlock_irqrestore(&pvcalls_ledger_lock, flags);
	for (i = 0; i < PVCALLS_KINDS; i++)
		WARN_ONCE(account->tally.use.of[i], "dom%u: %ld %s are charged for ever\n",
			  account->domid, account->tally.use.of[i],
			  pvcalls_kind_name(i));
	kfree(account);
}

/**
 * pvcalls_account_try() - charge a guest, without a word if that fails
 * @account: its account
 * @kind: what
 * @n: amount, 1 or more
 *
 * Context: any.
 * Return: true, or false if the guest may not have so much.
 */
bool pvcalls_account_try(struct pvcalls_account *account,
			 enum pvcalls_kind kind, long n)
{
	const struct pvcalls_limit limit = pvcalls_account_may(account, kind);
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&pvcalls_ledger_lock, flags);
	ok = pvcalls_use_charge(&account->tally, &pvcalls_ledger_tally, kind, n,
				&limit);
	spin_unlock_irqrestore(&pvcalls_ledger_lock, flags);
	return ok;
}

/**
 * pvcalls_account_take() - charge a guest, and count if that fails
 * @account: its account
 * @kind: what
 * @n: amount, 1 or more
 *
 * Description: For what the guest gets in another way then.
 *
 * Context: any.
 * Return: true, or false if the guest may not have so much.
 */
bool pvcalls_account_take(struct pvcalls_account *account,
			  enum pvcalls_kind kind, long n)
{
	unsigned long flags;

	if (pvcalls_account_try(account, kind, n))
		return true;
	spin_lock_irqsave(&pvcalls_ledger_lock, flags);
	account->refused[kind]++;
	pvcalls_ledger_refused[kind]++;
	spin_unlock_irqrestore(&pvcalls_ledger_lock, flags);
	return false;
}

/**
 * pvcalls_account_charge() - charge a guest, and say so if that fails
 * @peer: the guest
 * @kind: what
 * @n: amount, 1 or more
 *
 * Description: To be called before the thing is taken.
 *
 * Context: any.
 * Return: 0; or an error number for the guest, which may not have so much. That
 * has been counted, and is in the log.
 */
int pvcalls_account_charge(const struct pvcalls_peer *peer,
			   enum pvcalls_kind kind, long n)
{
	struct pvcalls_account *a = peer->account;
	const struct pvcalls_limit limit = pvcalls_account_may(a, kind);
	unsigned long flags;
	long has, may;

	if (pvcalls_account_take(a, kind, n))
		return 0;
	spin_lock_irqsave(&pvcalls_ledger_lock, flags);
	has = a->tally.use.of[kind];
	may = pvcalls_use_limit(&a->tally, &pvcalls_ledger_tally, kind, &limit);
	spin_unlock_irqrestore(&pvcalls_ledger_lock, flags);
	pvcalls_peer_warn(peer, "no more %s: has %ld, may have %ld\n",
			  pvcalls_kind_name(kind), has, may);
	return pvcalls_kind_rules[kind].err;
}

/**
 * pvcalls_account_force() - charge a guest what it has taken already
 * @account: its account
 * @kind: what
 * @n: amount; less than 0 for what it has given back
 *
 * Context: any.
 * Return: how full the guest's share is.
 */
enum pvcalls_fill pvcalls_account_force(struct pvcalls_account *account,
					enum pvcalls_kind kind, long n)
{
	const struct pvcalls_limit limit = pvcalls_account_may(account, kind);
	enum pvcalls_fill fill;
	unsigned long flags;
	long may;

	spin_lock_irqsave(&pvcalls_ledger_lock, flags);
	may = pvcalls_use_limit(&account->tally, &pvcalls_ledger_tally, kind,
				&limit);
	pvcalls_use_force(&account->tally, &pvcalls_ledger_tally, kind, n, may);
	fill = pvcalls_use_fill(account->tally.use.of[kind], may,
				account->fill[kind]);
	WRITE_ONCE(account->may[kind], may);
	WRITE_ONCE(account->fill[kind], fill);
	if (fill == PVCALLS_FILL_OVER && n > 0) {
		account->refused[kind]++;
		pvcalls_ledger_refused[kind]++;
	}
	spin_unlock_irqrestore(&pvcalls_ledger_lock, flags);
	return fill;
}

/**
 * pvcalls_account_uncharge() - undo pvcalls_account_charge()
 * @account: the guest's account
 * @kind: what
 * @n: amount
 *
 * Description: To be called when the thing has been given back.
 *
 * Context: any.
 */
void pvcalls_account_uncharge(struct pvcalls_account *account,
			      enum pvcalls_kind kind, long n)
{
	unsigned long flags;

	spin_lock_irqsave(&pvcalls_ledger_lock, flags);
	pvcalls_use_uncharge(&account->tally, &pvcalls_ledger_tally, kind, n);
	spin_unlock_irqrestore(&pvcalls_ledger_lock, flags);
}

/**
 * pvcalls_account_limit() - say how much a guest may have in any case
 * @account: its account
 * @kind: what
 * @most: amount, 0 or more; LONG_MAX: the parameters say alone
 *
 * Description: What the guest has already stays.
 *
 * Context: any.
 */
void pvcalls_account_limit(struct pvcalls_account *account,
			   enum pvcalls_kind kind, long most)
{
	WRITE_ONCE(account->most[kind], most);
}

/**
 * pvcalls_account_has() - how much does a guest have?
 * @account: its account
 * @kind: what
 *
 * Context: any.
 * Return: amount, 0 or more, which may be outdated when the caller gets it.
 */
long pvcalls_account_has(struct pvcalls_account *account,
			 enum pvcalls_kind kind)
{
	return READ_ONCE(account->tally.use.of[kind]);
}

/**
 * pvcalls_account_fill() - how full was a guest's share?
 * @account: its account
 * @kind: what is charged by pvcalls_account_force()
 *
 * Context: any.
 * Return: how full it was when the guest was last charged.
 */
enum pvcalls_fill pvcalls_account_fill(const struct pvcalls_account *account,
				       enum pvcalls_kind kind)
{
	return READ_ONCE(account->fill[kind]);
}

/**
 * pvcalls_account_might() - what might a guest have?
 * @account: its account
 * @kind: what is charged by pvcalls_account_force()
 *
 * Context: any.
 * Return: amount, 0 or more, when the guest was last charged, or when the
 * account was made.
 */
long pvcalls_account_might(const struct pvcalls_account *account,
			   enum pvcalls_kind kind)
{
	return READ_ONCE(account->may[kind]);
}

/* Call with the lock held. */
static void pvcalls_account_state(const struct pvcalls_account *a,
				  struct pvcalls_statement *st)
{
	struct pvcalls_limit limit;
	int i;

	st->domid = a->domid;
	st->use = a->tally.use;
	for (i = 0; i < PVCALLS_KINDS; i++) {
		limit = pvcalls_account_may(a, i);
		st->limit[i] = pvcalls_use_limit(&a->tally, &pvcalls_ledger_tally,
						 i, &limit);
		st->refused[i] = a->refused[i];
	}
}

/**
 * pvcalls_ledger_next() - go through all accounts, by domain id
 * @after: the domain id before, or -1 to begin with
 * @st: filled in with the account of the next domain id
 *
 * Context: process; does not sleep.
 * Return: true, or false if there is no further account.
 */
bool pvcalls_ledger_next(int after, struct pvcalls_statement *st)
{
	struct pvcalls_account *a;
	bool found = false;

	spin_lock_irq(&pvcalls_ledger_lock);
	list_for_each_entry(a, &pvcalls_ledger_list, list) {
		if (a->domid <= after)
			continue;
		pvcalls_account_state(a, st);
		found = true;
		break;
	}
	spin_unlock_irq(&pvcalls_ledger_lock);
	return found;
}

/**
 * pvcalls_ledger_all() - what have all guests together?
 * @st: filled in; the limits are the ceilings, and @refused counts what guests
 *	that have gone were refused, too
 *
 * Context: process; does not sleep.
 */
void pvcalls_ledger_all(struct pvcalls_statement *st)
{
	int i;

	spin_lock_irq(&pvcalls_ledger_lock);
	st->domid = 0;
	st->use = pvcalls_ledger_tally.use;
	for (i = 0; i < PVCALLS_KINDS; i++) {
		st->limit[i] = pvcalls_kind_limit(i).ceiling;
		st->refused[i] = pvcalls_ledger_refused[i];
	}
	spin_unlock_irq(&pvcalls_ledger_lock);
}
