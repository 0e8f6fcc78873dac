/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event channels of data rings. A domain has few event channels. Therefore the
 * first rings have one each, and further rings share one among several
 * (feature-shared-evtchn).
 */
#ifndef PVC_EVTCHN_H
#define PVC_EVTCHN_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <xen/interface/event_channel.h>

struct pvc_evtchns;
struct pvc_link;

/**
 * struct pvc_evtchn - an event channel
 * @list: in pvc_evtchns.open, or empty
 * @shared: the event channel is for many rings
 * @nr: number of rings that the event channel serves
 * @lock: guards @subscribers, and the user of each; taken with interrupts off
 * @subscribers: the rings' parts in the event channel
 * @port: port that the backend binds to
 * @irq: interrupt of the event channel
 */
struct pvc_evtchn {
	struct list_head list;
	bool shared;
	unsigned int nr;
	spinlock_t lock;
	struct list_head subscribers;
	evtchn_port_t port;
	int irq;
};

/**
 * struct pvc_subscriber - a ring's part in its event channel
 * @list: in pvc_evtchn.subscribers
 * @evtchn: the event channel
 * @user: argument of @event; NULL while no socket uses the ring; guarded by
 *	pvc_evtchn.lock
 * @event: handles an event of the ring, and says whether the event had a
 *	reason. Context: hard interrupt, under pvc_evtchn.lock
 */
struct pvc_subscriber {
	struct list_head list;
	struct pvc_evtchn *evtchn;
	void *user;
	bool (*event)(void *user);
};

void pvc_evtchns_init(struct pvc_evtchns *evtchns);
int pvc_evtchn_join(struct pvc_link *link, struct pvc_subscriber *sub,
		    bool small);
void pvc_evtchn_leave(struct pvc_link *link, struct pvc_subscriber *sub);
void pvc_evtchn_set_user(struct pvc_subscriber *sub, void *user);

#endif /* PVC_EVTCHN_H */
