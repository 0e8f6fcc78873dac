/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wing ring/: the memory that is shared with a guest.
 *
 * It offers mapped data rings (ring.h, datamap.h), their event channels
 * (evtchn.h), events to guests (notify.h), pages for sending (frags.h), and the
 * set of all that a worker needs for rings (tools.h). It may use account/,
 * limits.h, peer.h, trace.h and include/; it knows neither sockets nor workers.
 *
 * Locks: pvcalls_rings.lock, inside it pvcalls_evtchns.lock, inside that
 * pvcalls_evtchn.lock. The first two are mutexes and may be held while a ring
 * is mapped or unmapped; the last one is a spinlock with interrupts off.
 * Handlers of events run as hard interrupts and only mark work. Everything else
 * runs on workers, or on the thread that ends a connection.
 *
 * A data ring is in use by a socket, or it is in the ring cache. The cache has
 * rings for which the guest has announced another use, because mapping is
 * expensive.
 */
#ifndef PVCALLS_BACK_RING_H
#define PVCALLS_BACK_RING_H

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
 * @lock: guards all of the following but @evtchns, also while a cached ring is
 *	being unmapped
 * @evtchns: event channels of the rings
 * @all: all rings, hashed by pvcalls_ring.ref
 * @cached: rings that no socket uses, the most recently used one at the head
 * @cached_pages: number of the guest's pages in @cached
 * @timer: runs while @cached is not empty
 * @aged: called in any context when rings may have been cached for too long;
 *	calls of pvcalls_rings_age() are to follow
 */
struct pvcalls_rings {
	const struct pvcalls_peer *peer;
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
 * @map: mapping of the ring's pages
 * @ref: grant of the indexes page
 * @port: port number of the guest's end of the event channel
 * @sub: the ring on its event channel
 * @steered: number of the worker to whose CPU the interrupt goes, or 0; valid
 *	in the cache, while pvcalls_work.steered of the socket's work has the
 *	number for a ring in use
 * @astray: how often in a row a softirq has moved bytes on a CPU on which the
 *	connection's packets do not arrive
 * @follows: for how many more runs of a socket's work the interrupt stays on
 *	the CPU where the packets arrive
 * @hash: entry in pvcalls_rings.all
 * @cached: entry in pvcalls_rings.cached, empty while a socket uses the ring;
 *	under pvcalls_rings.lock
 * @since: time of the last use, in jiffies
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
bool pvcalls_rings_age(struct pvcalls_rings *rings,
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
