// SPDX-License-Identifier: GPL-2.0
/* See share.h. */
#include "link/share.h"

/**
 * pvc_share() - what one user may have
 * @ceiling: what all together may have, 0 or more
 * @percent: of that, 1 to 100
 *
 * Context: any.
 * Return: the share, rounded down, but at least 1.
 */
long pvc_share(long ceiling, unsigned int percent)
{
	/* not the product, which may be too large */
	long share = ceiling / 100 * percent + ceiling % 100 * percent / 100;

	return share ? share : 1;
}

/**
 * pvc_use_left() - how much more may be charged?
 * @use: those who pay, each the whole amount
 * @nr: number of @use
 * @kind: what
 * @limit: what each may have
 *
 * Context: any; nobody changes @use meanwhile.
 * Return: what the one with the least room may still have, 0 or more.
 */
long pvc_use_left(struct pvc_use *const *use, unsigned int nr,
		  enum pvc_kind kind, long limit)
{
	long left = limit;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (limit - use[i]->of[kind] < left)
			left = limit - use[i]->of[kind];
	return left > 0 ? left : 0;
}

/**
 * pvc_use_charge() - charge all or nobody
 * @use: those who pay, each the whole amount
 * @nr: number of @use
 * @kind: what
 * @n: amount, 1 or more
 * @limit: what each may have, the new amount included
 *
 * Context: any; nobody else uses @use meanwhile.
 * Return: true, or false if it would be too much for one of @use.
 */
bool pvc_use_charge(struct pvc_use *const *use, unsigned int nr,
		    enum pvc_kind kind, long n, long limit)
{
	unsigned int i;

	if (n > pvc_use_left(use, nr, kind, limit))
		return false;
	for (i = 0; i < nr; i++)
		use[i]->of[kind] += n;
	return true;
}

/**
 * pvc_use_uncharge() - undo pvc_use_charge()
 * @use: those who have paid
 * @nr: number of @use
 * @kind: what
 * @n: amount
 *
 * Context: any; nobody else uses @use meanwhile.
 */
void pvc_use_uncharge(struct pvc_use *const *use, unsigned int nr,
		      enum pvc_kind kind, long n)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		use[i]->of[kind] -= n;
}
