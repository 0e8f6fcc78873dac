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
struct pvcalls_datamap;
struct pvcalls_zerocopy;
struct sock;
struct socket;

/**
 * struct pvcalls_zerocopy_ops - what the owner of sends is told
 * @get: a send refers to the owner from now on
 * @done: the send does so no more, and there is something to reap; any context
 */
struct pvcalls_zerocopy_ops {
	void (*get)(struct pvcalls_zerocopy *z);
	void (*done)(struct pvcalls_zerocopy *z);
};

/**
 * struct pvcalls_zerocopy - what an active socket knows of its sends
 * @ops: what the owner is told
 * @sends: those whose bytes have not been given back, the oldest first
 * @taken: their bytes, from the consumer's index on
 * @skip: sends that are to be copied before another is tried by reference
 * @backoff: value of @skip when the next one turns out to be copied by TCP
 * @by_ref: sends by reference so far, for people
 * @copied: those of them that TCP has copied
 */
struct pvcalls_zerocopy {
	const struct pvcalls_zerocopy_ops *ops;
	struct list_head sends;
	u32 taken;
	u32 skip;
	u32 backoff;
	unsigned long by_ref;
	unsigned long copied;
};

int pvcalls_zerocopy_start(void);
void pvcalls_zerocopy_stop(void);

void pvcalls_zerocopy_init(struct pvcalls_zerocopy *z,
			   const struct pvcalls_zerocopy_ops *ops);

bool pvcalls_zerocopy_wanted(struct pvcalls_zerocopy *z, struct sock *sk,
			     u32 len);
int pvcalls_zerocopy_send(struct pvcalls_zerocopy *z,
			  struct pvcalls_datamap *map, struct socket *sock,
			  struct msghdr *msg);
void pvcalls_zerocopy_copied(struct pvcalls_zerocopy *z, u32 len);
u32 pvcalls_zerocopy_reap(struct pvcalls_zerocopy *z);
void pvcalls_zerocopy_forget(struct pvcalls_zerocopy *z);

#endif /* PVCALLS_BACK_ZEROCOPY_H */
