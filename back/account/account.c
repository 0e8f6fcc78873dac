// SPDX-License-Identifier: GPL-2.0
/* See account.h. */
#include "account/account.h"

static const char * const pvcalls_kind_names[PVCALLS_KINDS] = {
	[PVCALLS_KIND_SOCKETS]		= "sockets",
	[PVCALLS_KIND_LISTENERS]	= "listeners",
	[PVCALLS_KIND_QUEUED]		= "queued",
	[PVCALLS_KIND_PORTS]		= "ports",
	[PVCALLS_KIND_PAGES]		= "pages",
	[PVCALLS_KIND_CALLS]		= "calls",
	[PVCALLS_KIND_PINNED]		= "pinned",
	[PVCALLS_KIND_MEMORY]		= "memory",
};

/**
 * pvcalls_kind_name() - what a kind is called
 * @kind: the kind
 *
 * Context: any.
 * Return: a word.
 */
const char *pvcalls_kind_name(enum pvcalls_kind kind)
{
	return pvcalls_kind_names[kind];
}

/* What counts against other guests */
static long pvcalls_use_counts(const struct pvcalls_tally *tally,
			       enum pvcalls_kind kind)
{
	return tally->use.of[kind] - tally->beyond.of[kind];
}

static void pvcalls_use_add(struct pvcalls_tally *tally, enum pvcalls_kind kind,
			    long n, long beyond)
{
	tally->use.of[kind] += n;
	tally->beyond.of[kind] += beyond;
}

/**
 * pvcalls_use_limit() - how much may a guest have?
 * @mine: what the guest has
 * @all: what all guests have together, @mine included
 * @kind: what
 * @limit: how much there is
 *
 * Description: The result counts what the guest has already. It may be less
 * than that if a limit has become lower, or if others have taken some since.
 *
 * Context: any; nobody changes @mine and @all meanwhile.
 * Return: amount, 0 or more.
 */
long pvcalls_use_limit(const struct pvcalls_tally *mine,
		       const struct pvcalls_tally *all, enum pvcalls_kind kind,
		       const struct pvcalls_limit *limit)
{
	long others = pvcalls_use_counts(all, kind) -
		      pvcalls_use_counts(mine, kind);
	long rest = limit->ceiling - others;
	long shared = rest - limit->kept;
	long least = limit->kept / PVCALLS_KEPT_GUESTS;
	long may;

	if (rest <= 0)
		return 0;
	/* not the product, which may be too large */
	may = shared / 100 * (long)limit->percent +
	      shared % 100 * (long)limit->percent / 100;
	/* what is left is for use, even where a share of it is nothing */
	if (least < 1)
		least = 1;
	if (may < least)
		may = least;
	if (may > rest)
		may = rest;
	return may < limit->most ? may : limit->most;
}

/**
 * pvcalls_use_fill() - how full is a guest's share?
 * @has: what the guest has, 0 or more
 * @may: what it may have, 0 or more
 * @before: how full it was before
 *
 * Context: any.
 * Return: how full it is.
 */
enum pvcalls_fill pvcalls_use_fill(long has, long may, enum pvcalls_fill before)
{
	if (has > may)
		return PVCALLS_FILL_OVER;
	/* not back and forth at one limit */
	if (before != PVCALLS_FILL_LITTLE)
		may /= 2;
	return has > may / 2 ? PVCALLS_FILL_MUCH : PVCALLS_FILL_LITTLE;
}

/**
 * pvcalls_use_charge() - charge a guest, if it may have so much
 * @mine: what the guest has
 * @all: what all guests have together, @mine included
 * @kind: what
 * @n: amount, 1 or more
 * @limit: how much there is
 *
 * Context: any; nobody else uses @mine and @all meanwhile.
 * Return: true, or false if it would be too much. Then nothing is charged.
 */
bool pvcalls_use_charge(struct pvcalls_tally *mine, struct pvcalls_tally *all,
			enum pvcalls_kind kind, long n,
			const struct pvcalls_limit *limit)
{
	if (n > pvcalls_use_limit(mine, all, kind, limit) - mine->use.of[kind])
		return false;
	pvcalls_use_add(mine, kind, n, 0);
	pvcalls_use_add(all, kind, n, 0);
	return true;
}

/**
 * pvcalls_use_force() - charge a guest what it has taken already
 * @mine: what the guest has
 * @all: what all guests have together, @mine included
 * @kind: what
 * @n: amount; less than 0 for what it has given back
 * @may: what the guest may have, to which what it has makes no difference
 *
 * Context: any; nobody else uses @mine and @all meanwhile.
 * Return: true, or false if the guest has more than it may have.
 */
bool pvcalls_use_force(struct pvcalls_tally *mine, struct pvcalls_tally *all,
		       enum pvcalls_kind kind, long n, long may)
{
	long much = mine->use.of[kind] + n - may;
	long beyond = (much > 0 ? much : 0) - mine->beyond.of[kind];

	pvcalls_use_add(mine, kind, n, beyond);
	pvcalls_use_add(all, kind, n, beyond);
	return much <= 0;
}

/**
 * pvcalls_use_uncharge() - undo pvcalls_use_charge() and pvcalls_use_force()
 * @mine: what the guest has
 * @all: what all guests have together, @mine included
 * @kind: what
 * @n: amount
 *
 * Context: any; nobody else uses @mine and @all meanwhile.
 */
void pvcalls_use_uncharge(struct pvcalls_tally *mine, struct pvcalls_tally *all,
			  enum pvcalls_kind kind, long n)
{
	long beyond = mine->beyond.of[kind];

	if (beyond > n)
		beyond = n;
	pvcalls_use_add(mine, kind, -n, -beyond);
	pvcalls_use_add(all, kind, -n, -beyond);
}
