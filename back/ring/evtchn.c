// SPDX-License-Identifier: GPL-2.0
/* See port.h. */
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include <xen/events.h>

#include "notify.h"
#include "port.h"
#include "pvcalls_ext.h"
#include "worker.h"

#define PVCALLS_TAP_SHARE	0

/* One share of the EOI less; who gives back the last one gives the EOI. */
static void pvcalls_port_settle(struct pvcalls_port *port)
{
	bool found;

	if (!atomic_dec_and_test(&port->shares))
		return;
	/*
	 * The channel is masked, so this is nobody else's now. What an event
	 * tells of may have been seen before it came, but only once in a row.
	 */
	found = port->found || port->found_last;
	port->found_last = port->found;
	port->found = false;
	xen_irq_lateeoi(READ_ONCE(port->irq), found ? 0 : XEN_EOI_FLAG_SPURIOUS);
}

static irqreturn_t pvcalls_port_event(int irq, void *data)
{
	struct pvcalls_port *port = data;
	struct pvcalls_tap *tap;

	spin_lock(&port->lock);
	/* the first event may come before binding has returned the number */
	WRITE_ONCE(port->irq, irq);
	/* none of those who are marked is the last one before all are */
	atomic_inc(&port->shares);
	list_for_each_entry(tap, &port->taps, node) {
		/* it is mostly meant for one of many */
		if (!tap->work || !tap->work->ops->due(tap->work))
			continue;
		/* a run that has begun may give it back at once */
		atomic_inc(&port->shares);
		if (test_and_set_bit(PVCALLS_TAP_SHARE, &tap->state))
			atomic_dec(&port->shares);
		if (tap->work->ops->little(tap->work))
			pvcalls_work_mark_soft(tap->work);
		else
			pvcalls_work_mark(tap->work);
	}
	spin_unlock(&port->lock);
	/* if it is for nobody, what it tells of has been seen, or has gone */
	pvcalls_port_settle(port);
	return IRQ_HANDLED;
}

static struct hlist_head *pvcalls_port_bucket(struct pvcalls_ports *ports,
					      evtchn_port_t port)
{
	return &ports->all[hash_32(port, PVCALLS_PORT_HASH_BITS)];
}

static struct pvcalls_port *pvcalls_port_find(struct pvcalls_ports *ports,
					      evtchn_port_t number)
{
	struct pvcalls_port *port;

	lockdep_assert_held(&ports->lock);
	hlist_for_each_entry(port, pvcalls_port_bucket(ports, number), hash)
		if (port->port == number)
			return port;
	return NULL;
}

static struct pvcalls_port *pvcalls_port_new(struct pvcalls_ports *ports,
					     struct xenbus_device *dev,
					     evtchn_port_t number)
{
	struct pvcalls_port *port;
	int irq;

	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return ERR_PTR(-ENOMEM);
	port->port = number;
	spin_lock_init(&port->lock);
	INIT_LIST_HEAD(&port->taps);

	irq = bind_interdomain_evtchn_to_irqhandler_lateeoi(dev, number,
							    pvcalls_port_event,
							    0,
							    "pvcalls-mt-data",
							    port);
	if (irq < 0) {
		kfree(port);
		return ERR_PTR(irq);
	}
	WRITE_ONCE(port->irq, irq);
	port->local = pvcalls_notify_find(irq);
	hlist_add_head(&port->hash, pvcalls_port_bucket(ports, number));
	return port;
}

/**
 * pvcalls_ports_init() - a guest without data rings
 * @ports: zeroed memory
 *
 * Any context.
 */
void pvcalls_ports_init(struct pvcalls_ports *ports)
{
	mutex_init(&ports->lock);
}

/**
 * pvcalls_port_join() - a ring has an event channel
 * @ports: the guest's
 * @tap: zeroed memory
 * @dev: the guest
 * @number: the guest's end
 * @shared: the channel may serve other rings already
 *
 * Nobody hears of events before pvcalls_port_listen(). Process context, may
 * sleep. Undone by pvcalls_port_leave().
 *
 * Return: 0, -ENOBUFS if it serves as many rings as it may, or another negative
 * error number if there is no such channel, or it is in use otherwise.
 */
int pvcalls_port_join(struct pvcalls_ports *ports, struct pvcalls_tap *tap,
		      struct xenbus_device *dev, evtchn_port_t number,
		      bool shared)
{
	struct pvcalls_port *port = NULL;

	mutex_lock(&ports->lock);
	if (shared)
		port = pvcalls_port_find(ports, number);
	if (!port)
		port = pvcalls_port_new(ports, dev, number);
	else if (port->nr >= PVCALLS_MAX_SHARED)
		port = ERR_PTR(-ENOBUFS);
	if (!IS_ERR(port)) {
		port->nr++;
		tap->port = port;
		spin_lock_irq(&port->lock);
		tap->steers = list_empty(&port->taps);
		list_add_tail(&tap->node, &port->taps);
		spin_unlock_irq(&port->lock);
	}
	mutex_unlock(&ports->lock);
	return PTR_ERR_OR_ZERO(port);
}

/**
 * pvcalls_port_leave() - undo pvcalls_port_join()
 * @ports: the guest's
 * @tap: ring; owes no event
 *
 * With the last ring the event channel is closed. Process context, may sleep.
 */
void pvcalls_port_leave(struct pvcalls_ports *ports, struct pvcalls_tap *tap)
{
	struct pvcalls_port *port = tap->port;
	struct pvcalls_tap *first;

	pvcalls_port_hush(tap);
	mutex_lock(&ports->lock);
	spin_lock_irq(&port->lock);
	list_del(&tap->node);
	first = list_first_entry_or_null(&port->taps, struct pvcalls_tap, node);
	if (first)
		WRITE_ONCE(first->steers, true);
	spin_unlock_irq(&port->lock);
	if (!--port->nr) {
		hlist_del(&port->hash);
		unbind_from_irqhandler(READ_ONCE(port->irq), port);
		kfree(port);
	}
	mutex_unlock(&ports->lock);
}

/**
 * pvcalls_port_listen() - events mark a work that is due from now on
 * @tap: ring
 * @work: its work; stays until pvcalls_port_hush()
 *
 * What happened before is not announced: the caller must look, after this.
 * Process context.
 */
void pvcalls_port_listen(struct pvcalls_tap *tap, struct pvcalls_work *work)
{
	spin_lock_irq(&tap->port->lock);
	tap->work = work;
	spin_unlock_irq(&tap->port->lock);
}

/**
 * pvcalls_port_hush() - undo pvcalls_port_listen()
 * @tap: ring
 *
 * Its share of an EOI is given back: whoever made the event is served no more.
 * Idempotent. Process context.
 */
void pvcalls_port_hush(struct pvcalls_tap *tap)
{
	spin_lock_irq(&tap->port->lock);
	tap->work = NULL;
	spin_unlock_irq(&tap->port->lock);
	if (pvcalls_port_take(tap))
		pvcalls_port_done(tap, true);
}

/**
 * pvcalls_port_take() - has there been an event?
 * @tap: ring
 *
 * To be asked before the ring is looked at for the last time. In the run of its
 * work, or while that can't begin.
 *
 * Return: true if so; then pvcalls_port_done() must follow.
 */
bool pvcalls_port_take(struct pvcalls_tap *tap)
{
	return test_bit(PVCALLS_TAP_SHARE, &tap->state) &&
	       test_and_clear_bit(PVCALLS_TAP_SHARE, &tap->state);
}

/**
 * pvcalls_port_done() - a ring has been looked at
 * @tap: ring, for which pvcalls_port_take() has returned true
 * @found: there was a reason for the event
 *
 * Process or softirq context.
 */
void pvcalls_port_done(struct pvcalls_tap *tap, bool found)
{
	if (found)
		WRITE_ONCE(tap->port->found, true);
	pvcalls_port_settle(tap->port);
}
