// SPDX-License-Identifier: GPL-2.0
/* See account.h. */
#include "account/account.h"

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
long pvcalls_use_limit(const struct pvcalls_use *mine,
		       const struct pvcalls_use *all, enum pvcalls_kind kind,
		       const struct pvcalls_limit *limit)
{
	long rest = limit->ceiling - (all->of[kind] - mine->of[kind]);
	long share;

	if (rest <= 0)
		return 0;
	/* not the product, which may be too large */
	share = rest / 100 * limit->percent +
		rest % 100 * limit->percent / 100;
	/* what is left is for use, even where a share of it is nothing */
	if (!share)
		share = 1;
	return share < limit->most ? share : limit->most;
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
bool pvcalls_use_charge(struct pvcalls_use *mine, struct pvcalls_use *all,
			enum pvcalls_kind kind, long n,
			const struct pvcalls_limit *limit)
{
	if (n > pvcalls_use_limit(mine, all, kind, limit) - mine->of[kind])
		return false;
	mine->of[kind] += n;
	all->of[kind] += n;
	return true;
}

/**
 * pvcalls_use_force() - charge a guest what it has taken already
 * @mine: what the guest has
 * @all: what all guests have together, @mine included
 * @kind: what
 * @n: amount; less than 0 for what it has given back
 * @limit: how much there is
 *
 * Context: any; nobody else uses @mine and @all meanwhile.
 * Return: true, or false if the guest has more than it may have.
 */
bool pvcalls_use_force(struct pvcalls_use *mine, struct pvcalls_use *all,
		       enum pvcalls_kind kind, long n,
		       const struct pvcalls_limit *limit)
{
	mine->of[kind] += n;
	all->of[kind] += n;
	return mine->of[kind] <= pvcalls_use_limit(mine, all, kind, limit);
}

/**
 * pvcalls_use_uncharge() - undo pvcalls_use_charge()
 * @mine: what the guest has
 * @all: what all guests have together, @mine included
 * @kind: what
 * @n: amount
 *
 * Context: any; nobody else uses @mine and @all meanwhile.
 */
void pvcalls_use_uncharge(struct pvcalls_use *mine, struct pvcalls_use *all,
			  enum pvcalls_kind kind, long n)
{
	mine->of[kind] -= n;
	all->of[kind] -= n;
}
