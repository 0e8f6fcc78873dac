/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages for data that is copied for sending.
 *
 * TCP copies data into the pages of the sending task (struct page_frag), and
 * allocates a new page when the old one is full. Debian's kernels zero each
 * page that they allocate, which costs as much as the copy itself. So a worker
 * holds its full pages in a queue, and uses the oldest page again once the
 * network has let go of it.
 */
#ifndef PVCALLS_BACK_FRAGS_H
#define PVCALLS_BACK_FRAGS_H

#include <linux/mm_types_task.h>
#include <linux/types.h>

struct page;
struct sock;

/* Most pages in a worker's queue */
#define PVCALLS_MAX_FRAGS	512

/**
 * struct pvcalls_frags - the pages of a worker, a circular queue
 * @page: full pages, each with one reference that is ours
 * @first: index of the oldest page
 * @count: number of pages in @page, 0 to %PVCALLS_MAX_FRAGS
 * @fast: page into which the worker's softirq copies
 */
struct pvcalls_frags {
	struct page *page[PVCALLS_MAX_FRAGS];
	u32 first;
	u32 count;
	struct page_frag fast;
};

u32 pvcalls_frags_room(struct pvcalls_frags *f);
void pvcalls_frags_swap(struct pvcalls_frags *f, struct sock *sk);
void pvcalls_frags_free(struct pvcalls_frags *f);

#endif /* PVCALLS_BACK_FRAGS_H */
