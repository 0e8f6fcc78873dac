/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event channels of data rings. With feature-shared-evtchn one channel may
 * serve many rings. An event on the channel marks those rings whose indexes the
 * guest has moved. Each of them is looked at by its own worker, and the last
 * one gives the EOI.
 *
 * Until the EOI the channel is masked: there is one event at a time, and each
 * ring has at most one share of the EOI. A ring that is disabled gives its
 * share back, so that it does not keep the other rings from being told of
 * events.
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
 * @all: the event channels, hashed by pvcalls_evtchn.port
 */
struct pvcalls_evtchns {
	struct mutex lock;
	struct hlist_head all[1 << PVCALLS_EVTCHN_HASH_BITS];
};

/**
 * struct pvcalls_evtchn - an event channel
 * @hash: entry in pvcalls_evtchns.all
 * @port: port number of the guest's end
 * @irq: interrupt of our end
 * @local: port number of our end, 0 if unknown
 * @nr: number of rings on the channel, at most %PVCALLS_MAX_SHARED
 * @lock: guards @subs, pvcalls_subscriber.ops and pvcalls_subscriber.steers;
 *	taken with interrupts off
 * @subs: the rings
 * @shares: shares of the EOI that is owed; the handler has one while it runs
 * @found: a ring had a reason for this event
 * @found_last: a ring had a reason for the previous event
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
 * struct pvcalls_subscriber_ops - functions that an event channel calls
 * @due: has the guest changed anything in the ring since the last event was
 *	served?
 * @mark: mark the work that looks at the ring
 *
 * Context: hard interrupt, with pvcalls_evtchn.lock held.
 */
struct pvcalls_subscriber_ops {
	bool (*due)(const struct pvcalls_subscriber *sub);
	void (*mark)(struct pvcalls_subscriber *sub);
};

/**
 * struct pvcalls_subscriber - a ring on an event channel
 * @evtchn: the event channel
 * @node: entry in pvcalls_evtchn.subs
 * @ops: functions that are called about events; NULL while the ring is disabled
 * @owner: the ring's user, for @ops
 * @state: bit 0: the ring has a share of the EOI that is owed
 * @steers: the channel's interrupt is steered by this ring's worker
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
			struct xenbus_device *dev, evtchn_port_t port,
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
