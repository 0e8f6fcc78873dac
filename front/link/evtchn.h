/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event channels of data rings. The first rings have one each; those beyond
 * share them (feature-shared-evtchn), since a domain has few.
 */
#ifndef PVC_EVTCHN_H
#define PVC_EVTCHN_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <xen/interface/event_channel.h>

struct pvc_link;
struct pvc_shm;

/**
 * struct pvc_evtchns - the event channels of a connection's data rings
 * @lock: guards @open, @own and pvc_evtchn.nr
 * @open: those that may serve more rings than they do
 * @own: those that serve one ring alone
 */
struct pvc_evtchns {
	struct mutex lock;
	struct list_head open;
	unsigned int own;
};

/**
 * struct pvc_evtchn - an event channel
 * @list: in pvc_evtchns.open, else empty
 * @shared: for many rings
 * @nr: rings that it serves
 * @lock: guards @rings, and pvc_shm.user of those; taken with interrupts off
 * @rings: the rings
 * @port: port that the backend binds to
 * @irq: of it
 */
struct pvc_evtchn {
	struct list_head list;
	bool shared;
	unsigned int nr;
	spinlock_t lock;
	struct list_head rings;
	evtchn_port_t port;
	int irq;
};

void pvc_evtchns_init(struct pvc_evtchns *evtchns);
int pvc_evtchn_join(struct pvc_link *link, struct pvc_shm *shm);
void pvc_evtchn_leave(struct pvc_link *link, struct pvc_shm *shm);

#endif /* PVC_EVTCHN_H */
