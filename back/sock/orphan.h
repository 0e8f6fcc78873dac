/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Orphans: kernel sockets that are closed here, and that TCP still needs for
 * the last bytes or the end of the connection. What they are charged stays
 * charged until TCP has done with them.
 *
 * TCP calls nobody at an orphan's end. So orphans are looked at once a second,
 * more often while many end, and when a guest would be refused something
 * otherwise.
 */
#ifndef PVCALLS_BACK_ORPHAN_H
#define PVCALLS_BACK_ORPHAN_H

#include <linux/types.h>

#include "account/account.h"

struct pvcalls_account;
struct pvcalls_orphan;
struct pvcalls_peer;
struct socket;

void pvcalls_orphans_stop(void);

struct pvcalls_orphan *pvcalls_orphan_new(void);
void pvcalls_orphan_free(struct pvcalls_orphan *orphan);
void pvcalls_orphan_leave(struct pvcalls_orphan *orphan, struct socket *sock,
			  struct pvcalls_account *account,
			  const struct pvcalls_use *held);
int pvcalls_orphan_charge(const struct pvcalls_peer *peer,
			  enum pvcalls_kind kind, long n);

#endif /* PVCALLS_BACK_ORPHAN_H */
