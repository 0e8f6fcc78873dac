/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data rings of a guest, each with its event channel: in use by a socket, or
 * kept for the next one because the guest has said that there will be one.
 */
#ifndef PVCALLS_BACK_RING_H
#define PVCALLS_BACK_RING_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/timer.h>
#include <linux/types.h>

#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>

#include "ring/evtchn.h"

struct pvcalls_datamap;
struct pvcalls_datamap_scratch;
struct pvcalls_peer;

#define PVCALLS_RING_HASH_BITS	10

/**
 * struct pvcalls_rings - the data rings of a guest
 * @peer: the guest
 * @pages: pages of the guest that are mapped for them
 * @lock: guards all of the following but @evtchns, also while a kept ring is
 *	being unmapped
 * @evtchns: their event channels
 * @all: all rings, by the grant of their indexes page
 * @cached: those that no socket uses, the one that was used last at the head
 * @cached_pages: pages of the guest that those hold
 * @timer: runs while there are any
 * @aged: called in softirq context when rings may have been kept for too long;
 *	a call of pvcalls_rings_age() is to follow
 */
struct pvcalls_rings {
	const struct pvcalls_peer *peer;
	atomic_t pages;
	struct mutex lock;
	struct pvcalls_evtchns evtchns;
	struct hlist_head all[1 << PVCALLS_RING_HASH_BITS];
	struct list_head cached;
	u32 cached_pages;
	struct timer_list timer;
	void (*aged)(struct pvcalls_rings *rings);
};

/**
 * struct pvcalls_ring - a mapped data ring with its event channel
 * @map: the pages
 * @ref: grant of the indexes page
 * @port: the guest's end of the event channel
 * @sub: the event channel
 * @steered: number of the worker to whose CPU the interrupt goes, 0: to none;
 *	while a socket uses it, that socket's work knows
 * @astray: how often in a row a softirq has moved bytes on another CPU than the
 *	one that the connection's packets arrive on
 * @follows: for how many more runs of a socket's work the interrupt stays there
 * @hash: in pvcalls_rings.all
 * @cached: in pvcalls_rings.cached, empty while it is used; under
 *	pvcalls_rings.lock
 * @since: when it was last used, in jiffies
 */
struct pvcalls_ring {
	struct pvcalls_datamap *map;
	grant_ref_t ref;
	evtchn_port_t port;
	struct pvcalls_subscriber sub;
	u32 steered;
	u8 astray;
	u8 follows;
	struct hlist_node hash;
	struct list_head cached;
	unsigned long since;
};

void pvcalls_rings_init(struct pvcalls_rings *rings,
			const struct pvcalls_peer *peer,
			void (*aged)(struct pvcalls_rings *rings));
void pvcalls_rings_exit(struct pvcalls_rings *rings);
void pvcalls_rings_age(struct pvcalls_rings *rings,
		       struct pvcalls_datamap_scratch *scratch);

struct pvcalls_ring *pvcalls_ring_get(struct pvcalls_rings *rings,
				      grant_ref_t ref, evtchn_port_t port,
				      struct pvcalls_datamap_scratch *scratch);
void pvcalls_ring_put(struct pvcalls_rings *rings, struct pvcalls_ring *ring,
		      u32 steered, bool keep,
		      struct pvcalls_datamap_scratch *scratch);
void pvcalls_ring_forget(struct pvcalls_rings *rings, grant_ref_t ref,
			 struct pvcalls_datamap_scratch *scratch);

#endif /* PVCALLS_BACK_RING_H */
