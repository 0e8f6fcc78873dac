/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events that a worker owes to guests. A round of the worker may owe events to
 * many guests. They are sent together at the end of the round, or of a part of
 * it, because a hypercall for all costs less than one for each.
 */
#ifndef PVCALLS_BACK_NOTIFY_H
#define PVCALLS_BACK_NOTIFY_H

#include <linux/list.h>

#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>

/* Events in one hypercall; Xen looks for other work between two of them */
#define PVCALLS_EVENTS_BATCH	16

/**
 * struct pvcalls_notify - a ring whose guest may be owed an event
 * @node: entry in pvcalls_events.owed while an event is owed, else empty
 * @irq: the event channel's interrupt
 * @port: port number of our end of the event channel, 0 if unknown
 */
struct pvcalls_notify {
	struct list_head node;
	int irq;
	evtchn_port_t port;
};

/**
 * struct pvcalls_events - events that a worker's round owes
 * @owed: list of struct pvcalls_notify
 * @nr: entries of the following arrays that are in use
 * @irqs: interrupts of the event channels, each once
 * @sends: arguments of @calls, with the event channels' ports
 * @calls: the hypercalls, one for each event
 */
struct pvcalls_events {
	struct list_head owed;
	unsigned int nr;
	int irqs[PVCALLS_EVENTS_BATCH];
	struct evtchn_send sends[PVCALLS_EVENTS_BATCH];
	struct multicall_entry calls[PVCALLS_EVENTS_BATCH];
};

evtchn_port_t pvcalls_notify_find(int irq);

void pvcalls_notify_send(const struct pvcalls_notify *n);
void pvcalls_notify_init(struct pvcalls_notify *n);
void pvcalls_notify_owe(struct pvcalls_notify *n, struct pvcalls_events *ev);
void pvcalls_notify_now(struct pvcalls_notify *n);

void pvcalls_events_init(struct pvcalls_events *ev);
void pvcalls_events_send(struct pvcalls_events *ev);

#endif /* PVCALLS_BACK_NOTIFY_H */
