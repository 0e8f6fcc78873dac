/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wing account/: what guests have of what they share with each other and with
 * this domain.
 *
 * It offers the accounts of all guests (ledger.h), and the arithmetic of those
 * (account.h), and rates (bucket.h) with those who wait for them (rate.h). It
 * may use limits.h, peer.h, trace.h and include/; it does not know what it
 * counts.
 *
 * A guest's account is found by its domain id, and outlives the connection as
 * long as something is charged that outlives it, too. So a guest does not get
 * rid of its account by connecting anew.
 *
 * Locks: rate.h has that of a rate. One spinlock with interrupts off guards all
 * accounts. It is held for some arithmetic only, and no other lock is taken
 * inside it.
 */
#ifndef PVCALLS_BACK_LEDGER_H
#define PVCALLS_BACK_LEDGER_H

#include <linux/types.h>

#include <xen/interface/xen.h>

#include "account/account.h"

struct pvcalls_account;
struct pvcalls_peer;

/**
 * struct pvcalls_statement - an account, for those who show it
 * @domid: the guest; meaningless for all guests together
 * @use: what is charged
 * @limit: what may be charged of each kind
 * @refused: how often something of each kind was refused
 */
struct pvcalls_statement {
	domid_t domid;
	struct pvcalls_use use;
	long limit[PVCALLS_KINDS];
	unsigned long refused[PVCALLS_KINDS];
};

void pvcalls_ledger_start(void);

struct pvcalls_account *pvcalls_account_open(domid_t domid);
void pvcalls_account_hold(struct pvcalls_account *account);
void pvcalls_account_put(struct pvcalls_account *account);

bool pvcalls_account_try(struct pvcalls_account *account,
			 enum pvcalls_kind kind, long n);
bool pvcalls_account_take(struct pvcalls_account *account,
			  enum pvcalls_kind kind, long n);
int pvcalls_account_charge(const struct pvcalls_peer *peer,
			   enum pvcalls_kind kind, long n);
enum pvcalls_fill pvcalls_account_force(struct pvcalls_account *account,
					enum pvcalls_kind kind, long n);
void pvcalls_account_uncharge(struct pvcalls_account *account,
			      enum pvcalls_kind kind, long n);
long pvcalls_account_has(struct pvcalls_account *account,
			 enum pvcalls_kind kind);

enum pvcalls_fill pvcalls_account_fill(const struct pvcalls_account *account,
				       enum pvcalls_kind kind);
long pvcalls_account_might(const struct pvcalls_account *account,
			   enum pvcalls_kind kind);

void pvcalls_account_limit(struct pvcalls_account *account,
			   enum pvcalls_kind kind, long most);
bool pvcalls_ledger_next(int after, struct pvcalls_statement *st);
void pvcalls_ledger_all(struct pvcalls_statement *st);

#endif /* PVCALLS_BACK_LEDGER_H */
