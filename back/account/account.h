/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of accounts: how much a guest has of what all guests share,
 * and whether that may become more. Pure: no Xen, no sockets, no allocation, no
 * locks.
 *
 * All guests together may have a ceiling of each kind. A guest may have a share
 * of what the other guests leave of the ceiling. So the first of many greedy
 * guests gets most, each further one gets less, and a part remains free however
 * many they are. Of what nobody can do without, a part of the ceiling is kept
 * besides: each guest may have a little of it, however little a share is.
 *
 * Some things are taken before they can be charged, so a guest may come to have
 * more than its share. What is beyond does not count against the others: one
 * that takes too much would leave them nothing otherwise.
 */
#ifndef PVCALLS_BACK_ACCOUNT_H
#define PVCALLS_BACK_ACCOUNT_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#endif

/**
 * enum pvcalls_kind - what is charged
 * @PVCALLS_KIND_SOCKETS: sockets, from the command that makes one until the
 *	network has done with it
 * @PVCALLS_KIND_LISTENERS: sockets among them that listen, each with room for
 *	two connections that wait
 * @PVCALLS_KIND_QUEUED: further connections that wait in accept queues
 * @PVCALLS_KIND_PORTS: sockets that a guest has bound to a port, and datagram
 *	sockets, to each of which the kernel gives one
 * @PVCALLS_KIND_PAGES: pages of 4 KiB of guests that are mapped, in data rings
 *	and command rings; each has an entry of the maptrack table
 * @PVCALLS_KIND_CALLS: calls that have given their slots in the command ring
 *	back and are not answered
 * @PVCALLS_KIND_PINNED: pages of 4 KiB of guests that the network refers to
 * @PVCALLS_KIND_MEMORY: pages of 4 KiB that the queues of kernel sockets have,
 *	but for those of guests
 * @PVCALLS_KINDS: number of kinds
 */
enum pvcalls_kind {
	PVCALLS_KIND_SOCKETS,
	PVCALLS_KIND_LISTENERS,
	PVCALLS_KIND_QUEUED,
	PVCALLS_KIND_PORTS,
	PVCALLS_KIND_PAGES,
	PVCALLS_KIND_CALLS,
	PVCALLS_KIND_PINNED,
	PVCALLS_KIND_MEMORY,
	PVCALLS_KINDS
};

/**
 * enum pvcalls_fill - how full a guest's share is
 * @PVCALLS_FILL_LITTLE: it has no more than half of it, or a quarter after it
 *	had more than half
 * @PVCALLS_FILL_MUCH: it has more, but no more than its share
 * @PVCALLS_FILL_OVER: it has more than its share
 */
enum pvcalls_fill {
	PVCALLS_FILL_LITTLE,
	PVCALLS_FILL_MUCH,
	PVCALLS_FILL_OVER
};

/**
 * struct pvcalls_use - how much a guest, or all guests together, have
 * @of: amount of each kind, 0 or more
 */
struct pvcalls_use {
	long of[PVCALLS_KINDS];
};

/**
 * struct pvcalls_tally - what a guest has, or all guests together
 * @use: how much that is
 * @beyond: how much of it does not count against other guests
 */
struct pvcalls_tally {
	struct pvcalls_use use;
	struct pvcalls_use beyond;
};

/* Guests for which what is kept is enough */
#define PVCALLS_KEPT_GUESTS	64

/**
 * struct pvcalls_limit - how much there is of a kind
 * @ceiling: what all guests together may have, 0 or more
 * @percent: what one may have of that which the others leave, 1 to 100
 * @most: what one may have in any case, 0 or more
 * @kept: part of @ceiling that is not for shares: each guest may have this
 *	divided by PVCALLS_KEPT_GUESTS, as long as there is any; 0 or more
 */
struct pvcalls_limit {
	long ceiling;
	unsigned int percent;
	long most;
	long kept;
};

const char *pvcalls_kind_name(enum pvcalls_kind kind);

long pvcalls_use_limit(const struct pvcalls_tally *mine,
		       const struct pvcalls_tally *all, enum pvcalls_kind kind,
		       const struct pvcalls_limit *limit);
bool pvcalls_use_charge(struct pvcalls_tally *mine, struct pvcalls_tally *all,
			enum pvcalls_kind kind, long n,
			const struct pvcalls_limit *limit);
enum pvcalls_fill pvcalls_use_fill(long has, long may,
				   enum pvcalls_fill before);
bool pvcalls_use_force(struct pvcalls_tally *mine, struct pvcalls_tally *all,
		       enum pvcalls_kind kind, long n, long may);
void pvcalls_use_uncharge(struct pvcalls_tally *mine, struct pvcalls_tally *all,
			  enum pvcalls_kind kind, long n);

#endif /* PVCALLS_BACK_ACCOUNT_H */
