/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sends by reference: TCP gets the guest's pages as they are, and reports when
 * it has let go of them. Until then the bytes stay in the ring. They have been
 * taken, but are given back to the guest in order, as the sends complete.
 *
 * All functions run on the worker that the socket belongs to. The exceptions
 * are the completion, which may come in any context, and the start and stop of
 * the module.
 */
#ifndef PVCALLS_BACK_ZEROCOPY_H
#define PVCALLS_BACK_ZEROCOPY_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>

struct msghdr;
struct pvcalls_datamap;
struct pvcalls_zerocopy;
struct sock;
struct socket;

/**
 * struct pvcalls_zerocopy_ops - functions of the owner of sends
 * @get: take a reference to the owner, for a send
 * @done: drop the reference of a send that is done and can be reaped; any
 *	context
 */
struct pvcalls_zerocopy_ops {
	void (*get)(struct pvcalls_zerocopy *z);
	void (*done)(struct pvcalls_zerocopy *z);
};

/**
 * struct pvcalls_zerocopy - a socket's sends that have not been given back
 * @ops: the owner's functions
 * @sends: sends whose bytes have not been given back, the oldest first
 * @taken: number of bytes that have not been given back, from the consumer's
 *	index on
 * @skip: number of sends to copy before one is tried by reference
 * @backoff: last value that @skip was set to; doubles if TCP copies again
 * @by_ref: number of sends by reference so far, for debugfs
 * @copied: number of these sends that TCP has copied
 * @pinned: number of pages that sends refer to; changes in any context
 */
struct pvcalls_zerocopy {
	const struct pvcalls_zerocopy_ops *ops;
	struct list_head sends;
	u32 taken;
	u32 skip;
	u32 backoff;
	unsigned long by_ref;
	unsigned long copied;
	atomic_t pinned;
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
