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
#ifndef PVCALLS_BACK_PORT_H
#define PVCALLS_BACK_PORT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <xen/interface/event_channel.h>

struct pvcalls_work;
struct xenbus_device;

#define PVCALLS_PORT_HASH_BITS	8

/**
 * struct pvcalls_ports - the event channels of a guest's data rings
 * @lock: guards @all, and pvcalls_port.nr
 * @all: by the guest's end
 */
struct pvcalls_ports {
	struct mutex lock;
	struct hlist_head all[1 << PVCALLS_PORT_HASH_BITS];
};

/**
 * struct pvcalls_port - an event channel
 * @hash: in pvcalls_ports.all
 * @port: the guest's end
 * @irq: our end's interrupt
 * @local: our end, 0 if that is not known
 * @nr: rings that it serves
 * @lock: guards @taps, pvcalls_tap.work and pvcalls_tap.steers; taken with
 *	interrupts off
 * @taps: the rings
 * @shares: of the EOI that is owed; one is the handler's while it runs
 * @found: somebody has found a reason for the event
 * @found_last: there was a reason for the event before
 */
struct pvcalls_port {
	struct hlist_node hash;
	evtchn_port_t port;
	int irq;
	evtchn_port_t local;
	unsigned int nr;
	spinlock_t lock;
	struct list_head taps;
	atomic_t shares;
	bool found;
	bool found_last;
};

/**
 * struct pvcalls_tap - a ring, as its event channel knows it
 * @port: the event channel
 * @node: in pvcalls_port.taps
 * @work: marked by events; NULL while nobody wants to hear of them
 * @state: bit 0: it has a share of the EOI that is owed
 * @steers: the interrupt goes where this ring is run, if it goes anywhere
 */
struct pvcalls_tap {
	struct pvcalls_port *port;
	struct list_head node;
	struct pvcalls_work *work;
	unsigned long state;
	bool steers;
};

void pvcalls_ports_init(struct pvcalls_ports *ports);

int pvcalls_port_join(struct pvcalls_ports *ports, struct pvcalls_tap *tap,
		      struct xenbus_device *dev, evtchn_port_t port,
		      bool shared);
void pvcalls_port_leave(struct pvcalls_ports *ports, struct pvcalls_tap *tap);

void pvcalls_port_listen(struct pvcalls_tap *tap, struct pvcalls_work *work);
void pvcalls_port_hush(struct pvcalls_tap *tap);

bool pvcalls_port_take(struct pvcalls_tap *tap);
void pvcalls_port_done(struct pvcalls_tap *tap, bool found);

#endif /* PVCALLS_BACK_PORT_H */
