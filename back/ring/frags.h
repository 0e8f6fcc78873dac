/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages for data that is copied for sending.
 *
 * TCP copies into pages of the task that sends (struct page_frag), and
 * allocates a new one when it is full. Debian's kernels zero all that they
 * allocate, which costs as much as the copy itself. So a worker keeps its full
 * pages, and uses the oldest again once the network has let go of it.
 */
#ifndef PVCALLS_BACK_FRAGS_H
#define PVCALLS_BACK_FRAGS_H

#include <linux/mm_types_task.h>
#include <linux/types.h>

struct page;
struct sock;

/* Pages that a worker can keep at most */
#define PVCALLS_MAX_FRAGS	512

/**
 * struct pvcalls_frags - the pages of a worker, a circular queue
 * @page: full ones, each with one reference that is ours
 * @first: index of the oldest
 * @count: how many
 * @fast: the page that its softirq copies into
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
