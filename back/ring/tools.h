/* SPDX-License-Identifier: GPL-2.0 */
/* What a worker has for the rings that it serves; the worker's own. */
#ifndef PVCALLS_BACK_TOOLS_H
#define PVCALLS_BACK_TOOLS_H

#include <linux/bits.h>
#include <linux/bvec.h>

#include "pvcalls_ext.h"
#include "ring/datamap.h"
#include "ring/frags.h"
#include "ring/notify.h"

/* More segments than half of the largest ring, begun amid a page, can have */
#define PVCALLS_MAX_SEGS	(BIT(PVCALLS_MAX_PAGE_ORDER - 1) + 2)

/**
 * struct pvcalls_tools - what a worker has for rings
 * @events: owed to guests, and sent when all that is ready has had a turn
 * @scratch: for mapping and unmapping
 * @bvec: segments of a pass
 * @frags: pages for data that is copied for sending
 */
struct pvcalls_tools {
	struct pvcalls_events events;
	struct pvcalls_datamap_scratch scratch;
	struct bio_vec bvec[PVCALLS_MAX_SEGS];
	struct pvcalls_frags frags;
};

/**
 * pvcalls_tools_init() - nobody is owed anything, no pages are kept
 * @tools: zeroed memory
 *
 * Context: any. Undone by pvcalls_tools_exit().
 */
static inline void pvcalls_tools_init(struct pvcalls_tools *tools)
{
	pvcalls_events_init(&tools->events);
}

/**
 * pvcalls_tools_exit() - undo pvcalls_tools_init()
 * @tools: of a worker that has stopped
 *
 * Context: any.
 */
static inline void pvcalls_tools_exit(struct pvcalls_tools *tools)
{
	pvcalls_frags_free(&tools->frags);
}

#endif /* PVCALLS_BACK_TOOLS_H */
