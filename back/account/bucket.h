/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How often a guest may do something: so many a second, and what comes at once
 * within a tenth of one. Pure: no Xen, no sockets, no allocation, no locks.
 */
#ifndef PVCALLS_BACK_BUCKET_H
#define PVCALLS_BACK_BUCKET_H

#include "bucket_port.h"

/* In nanoseconds: a second, and how far a guest may be ahead of its rate */
#define PVCALLS_BUCKET_SECOND	1000000000ULL
#define PVCALLS_BUCKET_AHEAD	100000000ULL

/* Largest rate */
#define PVCALLS_BUCKET_MAX	4000000000U

/**
 * struct pvcalls_bucket - what a guest has done of late
 * @until: time for which that is enough at its rate, in nanoseconds
 */
struct pvcalls_bucket {
	u64 until;
};

u32 pvcalls_bucket_room(struct pvcalls_bucket *b, u32 rate, u64 now);
void pvcalls_bucket_spend(struct pvcalls_bucket *b, u32 rate, u64 now, u32 n);
u32 pvcalls_bucket_take(struct pvcalls_bucket *b, u32 rate, u64 now, u32 n);
u64 pvcalls_bucket_wait(const struct pvcalls_bucket *b, u64 now, u64 ahead);

#endif /* PVCALLS_BACK_BUCKET_H */
