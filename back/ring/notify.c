// SPDX-License-Identifier: GPL-2.0
/* See notify.h. */
#include <linux/kernel.h>
#include <linux/rcupdate.h>

#include <xen/events.h>

#include <asm/xen/hypercall.h>

#include "ring/notify.h"
#include "trace.h"

/* The most event channels that a domain can have: Xen's public headers */
#define PVCALLS_MAX_PORTS	EVTCHN_FIFO_NR_CHANNELS

/* How far from the last one that was found the next one usually is */
#define PVCALLS_PORTS_NEAR	64U

static evtchn_port_t pvcalls_last_port;

static evtchn_port_t pvcalls_notify_search(int irq, u32 from, u32 to)
{
	u32 port;

	for (port = from; port < to; port++) {
		bool found;

		/* another one's interrupt may be going away */
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
 * pvcalls_notify_find() - our end of an event channel
 * @irq: its interrupt
 *
 * The kernel tells only which interrupt an event channel has. Xen gives out
 * the lowest one that is free: usually that is near the last one that it gave.
 * May sleep.
 *
 * Return: the event channel, or 0 if there is none.
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
 * pvcalls_notify_init() - nothing owed, no event channel
 * @n: notification to initialise
 */
void pvcalls_notify_init(struct pvcalls_notify *n)
{
	INIT_LIST_HEAD(&n->node);
	n->irq = -1;
	n->port = 0;
}

/**
 * pvcalls_notify_owe() - an event is to be sent by pvcalls_events_send()
 * @n: to whom; many calls before that make one event
 * @ev: what the worker owes whose work @n belongs to
 *
 * Context: on that worker.
 */
void pvcalls_notify_owe(struct pvcalls_notify *n, struct pvcalls_events *ev)
{
	if (list_empty(&n->node))
		list_add_tail(&n->node, &ev->owed);
}

/**
 * pvcalls_notify_now() - send the event if one is owed
 * @n: to whom
 *
 * To be called before the event channel goes away. On the worker whose work @n
 * belongs to.
 */
void pvcalls_notify_now(struct pvcalls_notify *n)
{
	if (list_empty(&n->node))
		return;
	list_del_init(&n->node);
	notify_remote_via_irq(n->irq);
}

/**
 * pvcalls_events_init() - nobody is owed anything
 * @ev: zeroed memory
 */
void pvcalls_events_init(struct pvcalls_events *ev)
{
	INIT_LIST_HEAD(&ev->owed);
}

/* Xen makes one call of them; a Xen that can't gets them one by one. */
static void pvcalls_events_flush(struct pvcalls_events *ev)
{
	unsigned int i, nr = ev->nr;

	ev->nr = 0;
	if (nr)
		trace_pvcalls_events(nr);
	if (nr > 1 && !HYPERVISOR_multicall(ev->calls, nr))
		return;
	for (i = 0; i < nr; i++)
		notify_remote_via_irq(ev->irqs[i]);
}

/* Rings that share an event channel need one event only. */
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
 * pvcalls_events_send() - send what is owed
 * @ev: of the worker that this is
 *
 * Process context.
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
