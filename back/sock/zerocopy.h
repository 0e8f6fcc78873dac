/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sending by reference: TCP gets the guest's pages as they are, and says when
 * it has let go of them. Until then the bytes stay in the ring: they have been
 * taken, but are given back to the guest in order, as the sends complete.
 *
 * Everything here but the completion, which may come in any context, runs on
 * the worker that the socket belongs to.
 */
#ifndef PVCALLS_BACK_ZEROCOPY_H
#define PVCALLS_BACK_ZEROCOPY_H

#include <linux/list.h>
#include <linux/types.h>

struct msghdr;
struct pvcalls_send;
struct pvcalls_sock;

/**
 * struct pvcalls_zerocopy - what an active socket knows of its sends
 * @sends: those whose bytes have not been given back, the oldest first
 * @taken: their bytes, from the consumer's index on
 * @skip: sends that are to be copied before another is tried by reference
 * @backoff: value of @skip when the next one turns out to be copied by TCP
 * @by_ref: sends by reference so far, for people
 * @copied: those of them that TCP has copied
 */
struct pvcalls_zerocopy {
	struct list_head sends;
	u32 taken;
	u32 skip;
	u32 backoff;
	unsigned long by_ref;
	unsigned long copied;
};

int pvcalls_zerocopy_start(void);
void pvcalls_zerocopy_stop(void);

void pvcalls_zerocopy_init(struct pvcalls_zerocopy *z);

bool pvcalls_zerocopy_wanted(struct pvcalls_sock *ps, u32 len);
int pvcalls_zerocopy_send(struct pvcalls_sock *ps, struct msghdr *msg);
void pvcalls_zerocopy_copied(struct pvcalls_sock *ps, u32 len);
u32 pvcalls_zerocopy_reap(struct pvcalls_sock *ps);
void pvcalls_zerocopy_forget(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_ZEROCOPY_H */
