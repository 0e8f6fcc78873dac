/* SPDX-License-Identifier: GPL-2.0 */
/* One connection to a backend, from Connected to Closed. */
#ifndef PVC_LINK_H
#define PVC_LINK_H

#include <linux/kref.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <xen/interface/event_channel.h>
#include <xen/xenbus.h>

#include "link/evtchn.h"
#include "link/cmd.h"
#include "link/cache.h"

/**
 * struct pvc_link - a connection to a backend
 * @ref: held by the xenbus device, every socket of the connection and whoever
 *	uses it
 * @otherend: the backend's domain
 * @features: negotiated extensions, bits of &enum pvcalls_feature
 * @max_order: largest ring order that the backend maps
 * @lock: command ring (producer side), @backlog to @dead, states of commands;
 *	taken with interrupts off, innermost
 * @ring: command ring
 * @irq: of the command ring's event channel
 * @port: its port
 * @ring_order: log2 of the command ring's pages, 0 to PVCALLS_MAX_CMD_ORDER
 * @sring_refs: their grants
 * @cmds: commands by req_id
 * @backlog: commands that wait for a slot
 * @held: commands that go with the next one
 * @nr_held: how many
 * @urgent: commands on their way that somebody waits for
 * @unseen: commands on their way that nobody waits for
 * @deferred: the requests that deferred results come back with
 * @dead: no command can be submitted any more
 * @conns: all sockets of the connection, under @conns_lock
 * @let_go: the backend maps nothing of the connection any more, under
 *	@conns_lock
 * @conns_lock: taken with interrupts off, inside no other lock
 * @evtchns: event channels of data rings
 * @cache: data rings that no socket uses
 * @next_id: next socket id
 * @break_once: bit 0: it has broken a rule
 * @broken: tears the connection down after the backend broke a rule
 * @watch: of the backend's directory, from the end of the connection until the
 *	backend has let go
 */
struct pvc_link {
	struct kref ref;
	domid_t otherend;
	unsigned long features;
	unsigned int max_order;

	spinlock_t lock;
	struct xen_pvcalls_front_ring ring;
	int irq;
	evtchn_port_t port;
	unsigned int ring_order;
	grant_ref_t sring_refs[1 << PVCALLS_MAX_CMD_ORDER];
	struct xarray cmds;
	struct list_head backlog;
	struct list_head held;
	unsigned int nr_held;
	unsigned int urgent;
	unsigned int unseen;
	struct pvc_cmd deferred[PVC_DEFERRED_REQS];
	bool dead;

	spinlock_t conns_lock;
	struct list_head conns;
	bool let_go;
	struct pvc_evtchns evtchns;
	struct pvc_cache cache;
	atomic64_t next_id;
	unsigned long break_once;
	struct work_struct broken;
	struct xenbus_watch watch;
};

static inline bool pvc_link_has(const struct pvc_link *link,
				enum pvcalls_feature f)
{
	return test_bit(f, &link->features);
}

struct pvc_link *pvc_link_get(void);
bool pvc_link_present(void);
bool pvc_link_datagrams(void);
void pvc_link_put(struct pvc_link *link);
void pvc_link_break(struct pvc_link *link, const char *rule);

int pvc_xenbus_init(void);
void pvc_xenbus_exit(void);

#endif /* PVC_LINK_H */
