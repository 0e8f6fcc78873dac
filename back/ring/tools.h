/* SPDX-License-Identifier: GPL-2.0 */
/* A worker's tools for the rings that it serves. Only the worker uses them. */
#ifndef PVCALLS_BACK_TOOLS_H
#define PVCALLS_BACK_TOOLS_H

#include <linux/bits.h>
#include <linux/bvec.h>

#include "pvcalls_ext.h"
#include "ring/datamap.h"
#include "ring/frags.h"
#include "ring/notify.h"

/* Most segments of one move: half of the largest ring, begun within a page */
#define PVCALLS_MAX_SEGS	(BIT(PVCALLS_MAX_PAGE_ORDER - 1) + 2)

/**
 * struct pvcalls_tools - a worker's tools for rings
 * @events: events that are owed to guests; sent at the end of a round at the
 *	latest
 * @scratch: memory for mapping and unmapping
 * @bvec: segments of the move under way
 * @frags: pages for data that is copied for sending
 */
struct pvcalls_tools {
	struct pvcalls_events events;
	struct pvcalls_datamap_scratch scratch;
	struct bio_vec bvec[PVCALLS_MAX_SEGS];
	struct pvcalls_frags frags;
};

/**
 * pvcalls_tools_init() - initialise a worker's tools
 * @tools: the tools, in zeroed memory; no event is owed and no page held
 *
 * Context: any; undone by pvcalls_tools_exit().
 */
static inline void pvcalls_tools_init(struct pvcalls_tools *tools)
{
	pvcalls_events_init(&tools->events);
}

/**
 * pvcalls_tools_exit() - undo pvcalls_tools_init()
 * @tools: the tools of a worker that has stopped
 *
 * Context: any.
 */
static inline void pvcalls_tools_exit(struct pvcalls_tools *tools)
{
	pvcalls_frags_free(&tools->frags);
}

#endif /* PVCALLS_BACK_TOOLS_H */
