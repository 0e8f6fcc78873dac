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

#include <linux/types.h>

struct page;

/* Pages that a worker can keep at most */
#define PVCALLS_MAX_FRAGS	512

/**
 * struct pvcalls_frags - the pages of a worker, a circular queue
 * @page: full ones, each with one reference that is ours
 * @first: index of the oldest
 * @count: how many
 */
struct pvcalls_frags {
	struct page *page[PVCALLS_MAX_FRAGS];
	u32 first;
	u32 count;
};

u32 pvcalls_frags_room(struct pvcalls_frags *f);
void pvcalls_frags_free(struct pvcalls_frags *f);

#endif /* PVCALLS_BACK_FRAGS_H */
