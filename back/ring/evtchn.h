/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event channels of data rings. One may serve many rings (feature-shared-
 * evtchn): an event on it makes those be looked at whose indexes the guest has
 * moved, each by its own worker, and the last one that has been looked at gives
 * the EOI.
 *
 * Until then the channel is masked: there is one event at a time, and each ring
 * has at most one share of its EOI. Who stops listening gives its share back,
 * so that no ring keeps the others from hearing more.
 */
#ifndef PVCALLS_BACK_EVTCHN_H
#define PVCALLS_BACK_EVTCHN_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <xen/interface/event_channel.h>

struct pvcalls_subscriber;
struct xenbus_device;

#define PVCALLS_EVTCHN_HASH_BITS	8

/**
 * struct pvcalls_evtchns - the event channels of a guest's data rings
 * @lock: guards @all, and pvcalls_evtchn.nr
 * @all: by the guest's end
 */
struct pvcalls_evtchns {
	struct mutex lock;
	struct hlist_head all[1 << PVCALLS_EVTCHN_HASH_BITS];
};

/**
 * struct pvcalls_evtchn - an event channel
 * @hash: in pvcalls_evtchns.all
 * @port: the guest's end
 * @irq: our end's interrupt
 * @local: our end, 0 if that is not known
 * @nr: rings that it serves
 * @lock: guards @subs, pvcalls_subscriber.ops and pvcalls_subscriber.steers;
 *	taken with interrupts off
 * @subs: the rings
 * @shares: of the EOI that is owed; one is the handler's while it runs
 * @found: somebody has found a reason for the event
 * @found_last: there was a reason for the event before
 */
struct pvcalls_evtchn {
	struct hlist_node hash;
	evtchn_port_t port;
	int irq;
	evtchn_port_t local;
	unsigned int nr;
	spinlock_t lock;
	struct list_head subs;
	atomic_t shares;
	bool found;
	bool found_last;
};

/**
 * struct pvcalls_subscriber_ops - what a ring's event channel asks of it
 * @due: has the guest changed anything in the ring since the last event was
 *	served?
 * @mark: have the ring be looked at soon
 *
 * Context: hard interrupt, with pvcalls_evtchn.lock held.
 */
struct pvcalls_subscriber_ops {
	bool (*due)(const struct pvcalls_subscriber *sub);
	void (*mark)(struct pvcalls_subscriber *sub);
};

/**
 * struct pvcalls_subscriber - a ring, as its event channel knows it
 * @evtchn: the event channel
 * @node: in pvcalls_evtchn.subs
 * @ops: called about events; NULL while nobody wants to hear of them
 * @owner: for @ops
 * @state: bit 0: it has a share of the EOI that is owed
 * @steers: the interrupt goes where this ring is run, if it goes anywhere
 */
struct pvcalls_subscriber {
	struct pvcalls_evtchn *evtchn;
	struct list_head node;
	const struct pvcalls_subscriber_ops *ops;
	void *owner;
	unsigned long state;
	bool steers;
};

void pvcalls_evtchns_init(struct pvcalls_evtchns *evtchns);

int pvcalls_evtchn_join(struct pvcalls_evtchns *evtchns,
			struct pvcalls_subscriber *sub,
			struct xenbus_device *dev, evtchn_port_t evtchn,
			bool shared);
void pvcalls_evtchn_leave(struct pvcalls_evtchns *evtchns,
			  struct pvcalls_subscriber *sub);

void pvcalls_evtchn_enable(struct pvcalls_subscriber *sub,
			   const struct pvcalls_subscriber_ops *ops,
			   void *owner);
void pvcalls_evtchn_disable(struct pvcalls_subscriber *sub);

bool pvcalls_evtchn_take(struct pvcalls_subscriber *sub);
void pvcalls_evtchn_done(struct pvcalls_subscriber *sub, bool found);

#endif /* PVCALLS_BACK_EVTCHN_H */
