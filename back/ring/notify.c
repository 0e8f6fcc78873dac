// SPDX-License-Identifier: GPL-2.0
/* Sending of events; notify.h says how they are gathered. */
#include <linux/kernel.h>
#include <linux/rcupdate.h>

#include <xen/events.h>

#include <asm/xen/hypercall.h>

#include "ring/notify.h"
#include "trace.h"

/* Most event channels of a domain, as Xen's public headers say */
#define PVCALLS_MAX_PORTS	EVTCHN_FIFO_NR_CHANNELS

/* Usual distance of the next port from the last one that was found */
#define PVCALLS_PORTS_NEAR	64U

static evtchn_port_t pvcalls_last_port;

static evtchn_port_t pvcalls_notify_search(int irq, u32 from, u32 to)
{
	u32 port;

	for (port = from; port < to; port++) {
		bool found;

		/* RCU, because another channel's interrupt may be going away */
		rcu_read_lock();
		found = irq_from_evtchn(port) == irq;
		rcu_read_unlock();
		if (found)
			return port;
		if (!(port % 256))
			cond_resched();
	}
	return 0;
}

/**
 * pvcalls_notify_find() - find our end of an event channel
 * @irq: interrupt of the event channel
 *
 * The kernel maps ports to interrupts but not back, so the ports are searched.
 * Xen gives out the lowest free port, which is usually near the last one, so
 * the search begins there.
 *
 * Context: process, may sleep.
 * Return: port number of our end, or 0 if no port has that interrupt.
 */
evtchn_port_t pvcalls_notify_find(int irq)
{
	u32 last = READ_ONCE(pvcalls_last_port);
	evtchn_port_t port;

	port = pvcalls_notify_search(irq, max(last, PVCALLS_PORTS_NEAR + 1) -
				     PVCALLS_PORTS_NEAR,
				     last + PVCALLS_PORTS_NEAR);
	if (!port)
		port = pvcalls_notify_search(irq, 1, PVCALLS_MAX_PORTS);
	WRITE_ONCE(pvcalls_last_port, port);
	return port;
}

/**
 * pvcalls_notify_init() - initialise a notification
 * @n: the notification: no event is owed, and no event channel is known
 *
 * Context: any.
 */
void pvcalls_notify_init(struct pvcalls_notify *n)
{
	INIT_LIST_HEAD(&n->node);
	n->irq = -1;
	n->port = 0;
}

/**
 * pvcalls_notify_send() - send an event
 * @n: the ring's notification, whose event channel is open
 *
 * The kernel finds the port of an interrupt in a tree, which takes longer than
 * a known port does.
 *
 * Context: any.
 */
void pvcalls_notify_send(const struct pvcalls_notify *n)
{
	if (n->port)
		notify_remote_via_evtchn(n->port);
	else
		notify_remote_via_irq(n->irq);
}

/**
 * pvcalls_notify_owe() - owe a guest an event
 * @n: the ring's notification; many calls before the event is sent make one
 *	event
 * @ev: the events of the worker whose work @n belongs to
 *
 * The event is sent by pvcalls_events_send().
 *
 * Context: the worker whose work @n belongs to.
 */
void pvcalls_notify_owe(struct pvcalls_notify *n, struct pvcalls_events *ev)
{
	if (list_empty(&n->node))
		list_add_tail(&n->node, &ev->owed);
}

/**
 * pvcalls_notify_now() - send the event if one is owed
 * @n: the ring's notification
 *
 * The caller may close the event channel afterwards.
 *
 * Context: the worker whose work @n belongs to.
 */
void pvcalls_notify_now(struct pvcalls_notify *n)
{
	if (list_empty(&n->node))
		return;
	list_del_init(&n->node);
	pvcalls_notify_send(n);
}

/**
 * pvcalls_events_init() - initialise a worker's events
 * @ev: the events, in zeroed memory; none is owed
 *
 * Context: any.
 */
void pvcalls_events_init(struct pvcalls_events *ev)
{
	INIT_LIST_HEAD(&ev->owed);
}

/*
 * Send the batch in one hypercall. A Xen without multicalls gets the events one
 * by one.
 */
static void pvcalls_events_flush(struct pvcalls_events *ev)
{
	unsigned int i, nr = ev->nr;

	ev->nr = 0;
	if (nr)
		trace_pvcalls_events(nr);
	if (nr > 1 && !HYPERVISOR_multicall(ev->calls, nr))
		return;
	for (i = 0; i < nr; i++)
		notify_remote_via_evtchn(ev->sends[i].port);
}

/*
 * Is an event for @irq in the batch? Rings that share an event channel need one
 * event only.
 */
static bool pvcalls_events_has(const struct pvcalls_events *ev, int irq)
{
	unsigned int i;

	for (i = 0; i < ev->nr; i++)
		if (ev->irqs[i] == irq)
			return true;
	return false;
}

static void pvcalls_events_add(struct pvcalls_events *ev,
			       const struct pvcalls_notify *n)
{
	struct multicall_entry *call = &ev->calls[ev->nr];
	struct evtchn_send *send = &ev->sends[ev->nr];

	send->port = n->port;
	call->op = __HYPERVISOR_event_channel_op;
	call->args[0] = EVTCHNOP_send;
	call->args[1] = (unsigned long)send;
	ev->irqs[ev->nr++] = n->irq;
}

/**
 * pvcalls_events_send() - send all events that a worker owes
 * @ev: events of the worker that this is
 *
 * Context: the worker that @ev belongs to.
 */
void pvcalls_events_send(struct pvcalls_events *ev)
{
	struct pvcalls_notify *n, *next;

	list_for_each_entry_safe(n, next, &ev->owed, node) {
		if (!n->port) {
			pvcalls_notify_now(n);
			continue;
		}
		list_del_init(&n->node);
		if (pvcalls_events_has(ev, n->irq))
			continue;
		pvcalls_events_add(ev, n);
		if (ev->nr == PVCALLS_EVENTS_BATCH)
			pvcalls_events_flush(ev);
	}
	pvcalls_events_flush(ev);
}
