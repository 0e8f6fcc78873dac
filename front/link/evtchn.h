/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event channels of data rings. The first rings have one each; those beyond
 * share them (feature-shared-evtchn), since a domain has few.
 */
#ifndef PVC_CHAN_H
#define PVC_CHAN_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <xen/interface/event_channel.h>

struct pvc_dev;
struct pvc_shm;

/**
 * struct pvc_chans - the event channels of a connection's data rings
 * @lock: guards @open, @own and pvc_chan.nr
 * @open: those that may serve more rings than they do
 * @own: those that serve one ring alone
 */
struct pvc_chans {
	struct mutex lock;
	struct list_head open;
	unsigned int own;
};

/**
 * struct pvc_chan - an event channel
 * @list: in pvc_chans.open, else empty
 * @shared: for many rings
 * @nr: rings that it serves
 * @lock: guards @rings, and pvc_shm.user of those; taken with interrupts off
 * @rings: the rings
 * @evtchn: port that the backend binds to
 * @irq: of it
 */
struct pvc_chan {
	struct list_head list;
	bool shared;
	unsigned int nr;
	spinlock_t lock;
	struct list_head rings;
	evtchn_port_t evtchn;
	int irq;
};

void pvc_chans_init(struct pvc_chans *chans);
int pvc_chan_join(struct pvc_dev *dev, struct pvc_shm *shm);
void pvc_chan_leave(struct pvc_dev *dev, struct pvc_shm *shm);

#endif /* PVC_CHAN_H */
