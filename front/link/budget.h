/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Budgets: what the guest's users have of what all of them need. A user pays
 * for the sockets of his processes; who has made a user namespace also pays for
 * the users in it, since anyone can make users that way. What has been charged
 * to somebody is given back by the same payers.
 */
#ifndef PVC_BUDGET_H
#define PVC_BUDGET_H

#include <linux/uidgid.h>

#include "link/share.h"

struct pvc_payers;

/**
 * struct pvc_account - what a user has, for those who show it
 * @uid: the user
 * @use: what is charged to him
 * @refused: how often he was refused something because he had his share
 */
struct pvc_account {
	kuid_t uid;
	struct pvc_use use;
	unsigned long refused;
};

struct pvc_payers *pvc_payers_get(void);
struct pvc_payers *pvc_payers_hold(struct pvc_payers *payers);
void pvc_payers_put(struct pvc_payers *payers);

int pvc_budget_charge(struct pvc_payers *payers, enum pvc_kind kind, long n,
		      long ceiling);
void pvc_budget_uncharge(struct pvc_payers *payers, enum pvc_kind kind, long n);
long pvc_budget_left(struct pvc_payers *payers, enum pvc_kind kind,
		     long ceiling);

void pvc_budget_refused(struct pvc_payers *payers);

int pvc_budget_take(enum pvc_kind kind, long n, long ceiling);
void pvc_budget_give(enum pvc_kind kind, long n);

struct pvc_use pvc_budget_all(void);
bool pvc_budget_next(struct pvc_account *account);
long pvc_budget_share(long ceiling);

#endif /* PVC_BUDGET_H */
