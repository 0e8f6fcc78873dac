/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events that the guests are owed. A worker's round may owe them to many; they
 * go to Xen together at its end, in one hypercall.
 */
#ifndef PVCALLS_BACK_NOTIFY_H
#define PVCALLS_BACK_NOTIFY_H

#include <linux/list.h>

#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>

/* Events in one hypercall; Xen looks for other work to do between them */
#define PVCALLS_EVENTS_BATCH	16

/**
 * struct pvcalls_notify - a ring whose guest may be owed an event
 * @node: on its worker's list while an event is owed, else empty
 * @irq: the event channel's interrupt
 * @port: our end of the event channel, 0 if that is not known
 */
struct pvcalls_notify {
	struct list_head node;
	int irq;
	evtchn_port_t port;
};

/**
 * struct pvcalls_events - what a worker's round owes
 * @owed: struct pvcalls_notify
 * @nr: entries of the following
 * @irqs: for which events are due; each once
 * @sends: their event channels
 * @calls: the hypercalls
 */
struct pvcalls_events {
	struct list_head owed;
	unsigned int nr;
	int irqs[PVCALLS_EVENTS_BATCH];
	struct evtchn_send sends[PVCALLS_EVENTS_BATCH];
	struct multicall_entry calls[PVCALLS_EVENTS_BATCH];
};

evtchn_port_t pvcalls_notify_find(int irq);

void pvcalls_notify_init(struct pvcalls_notify *n);
void pvcalls_notify_owe(struct pvcalls_notify *n, struct pvcalls_events *ev);
void pvcalls_notify_now(struct pvcalls_notify *n);

void pvcalls_events_init(struct pvcalls_events *ev);
void pvcalls_events_send(struct pvcalls_events *ev);

#endif /* PVCALLS_BACK_NOTIFY_H */
