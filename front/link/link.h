/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A link is one connection to a backend, from Initialised until that backend
 * has let go of all that it mapped.
 *
 * The wing, from the top down; each file uses only those below it:
 *   xenbus.c	the device: makes a link, takes it down, and tells its user
 *   node.c	what the two sides' nodes in xenstore say
 *   cache.c	data rings between two sockets
 *   cmd.c	requests on the command ring, and their responses
 *   ring.c	memory and grants of data rings
 *   evtchn.c	event channels of data rings
 *   reserve.c	grants and event channels that are left to other devices
 *   link.c	the object: references, the current link, breaking it
 *   budget.c	what the guest's users have of all that
 *   share.c	the arithmetic of that
 *   work.c	the workqueue
 */
#ifndef PVC_LINK_H
#define PVC_LINK_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <xen/interface/event_channel.h>
#include <xen/xenbus.h>

#include "pvcalls_ext.h"

struct pvc_cmd;

/**
 * struct pvc_evtchns - the event channels of a link's data rings
 * @lock: guards @open, @own and pvc_evtchn.nr
 * @open: event channels that may serve more rings than they do
 * @own: number of event channels that serve one ring alone
 */
struct pvc_evtchns {
	struct mutex lock;
	struct list_head open;
	unsigned int own;
};

/**
 * struct pvc_cache - the data rings of a link that no socket uses
 * @lock: guards @idle to @drain_until; taken with interrupts off, inside no
 *	other lock
 * @idle: the rings, the one that was used last at the head
 * @count: length of @idle; also read without @lock
 * @stopped: the link has ended, so that no ring is put or taken any more
 * @drain: all rings are to be freed; also read without @lock
 * @drain_until: until when others wait for that, in jiffies
 * @drained: woken when @drain has become false
 * @age: frees the rings that nobody has taken for a while
 */
struct pvc_cache {
	spinlock_t lock;
	struct list_head idle;
	unsigned int count;
	bool stopped;
	bool drain;
	unsigned long drain_until;
	wait_queue_head_t drained;
	struct delayed_work age;
};

/**
 * struct pvc_link - a connection to a backend
 * @ref: held by the xenbus device, by every socket of the link, and by every
 *	thread that uses the link
 * @otherend: the backend's domain
 * @features: negotiated extensions, bits of &enum pvcalls_feature; constant
 *	once the link is published
 * @max_order: largest data ring that the backend maps, 1 to
 *	PVCALLS_MAX_PAGE_ORDER
 * @lock: guards the producer's side of @ring, @backlog to @dead, and the states
 *	of commands; taken with interrupts off, innermost
 * @ring: command ring
 * @irq: of the command ring's event channel
 * @port: of the command ring's event channel
 * @ring_order: log2 of the command ring's pages, 0 to PVCALLS_MAX_CMD_ORDER
 * @sring_refs: grants of the command ring's pages
 * @cmds: commands by req_id
 * @backlog: commands that wait for a slot of @ring
 * @held: commands that go to the backend together with the next one
 * @nr_held: length of @held
 * @urgent: number of commands on their way that somebody waits for
 * @unseen: number of commands on their way that nobody waits for; also read
 *	without @lock
 * @deferred: the requests that deferred results come back with, or NULL without
 *	feature-defer
 * @dead: no command can be submitted any more; also read without @lock
 * @late: number of sockets whose release the backend has not answered in time
 * @slow_until: until when a wait for the network would be in vain, in jiffies
 * @watch_unseen: sees to it that responses are noticed though nobody waits for
 *	them. Context: any
 * @conns_lock: guards @conns and @let_go; taken with interrupts off, inside no
 *	other lock
 * @conns: all sockets of the link
 * @let_go: the backend maps nothing of the link any more
 * @evtchns: event channels of data rings
 * @cache: data rings that no socket uses
 * @next_id: id of the newest socket
 * @break_once: bit 0: the backend has broken a rule
 * @broken: takes the link down after the backend has broken a rule
 * @watch: watches the backend's directory, from the end of the link until the
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
	struct pvc_cmd *deferred;
	bool dead;
	atomic_t late;
	unsigned long slow_until;
	void (*watch_unseen)(struct pvc_link *link);

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

/**
 * struct pvc_link_ops - what the user of links is told of
 * @began: new sockets use the link from now on. Context: process, does not
 *	sleep, under the device's lock
 * @ended: the backend has gone, and all commands have been done. Context:
 *	process, may sleep, under the device's lock
 * @let_go: the backend maps nothing of the link any more, or the frontend does
 *	not wait for that any longer. Context: process, may sleep
 */
struct pvc_link_ops {
	void (*began)(struct pvc_link *link);
	void (*ended)(struct pvc_link *link);
	void (*let_go)(struct pvc_link *link);
};

/**
 * pvc_link_has() - is an extension in force?
 * @link: the link
 * @f: the extension
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool pvc_link_has(const struct pvc_link *link,
				enum pvcalls_feature f)
{
	return test_bit(f, &link->features);
}

/**
 * pvc_link_ended() - has the backend of a link gone?
 * @link: the link
 *
 * Context: any.
 * Return: true if so: no command can be submitted any more.
 */
static inline bool pvc_link_ended(const struct pvc_link *link)
{
	return READ_ONCE(link->dead);
}

/**
 * pvc_link_hung() - is it known that the backend does not answer?
 * @link: the link
 *
 * Context: any.
 * Return: true if so: there is no use in waiting for the backend.
 */
static inline bool pvc_link_hung(const struct pvc_link *link)
{
	return atomic_read(&link->late);
}

/* link.c: the object */
struct pvc_link *pvc_link_new(domid_t otherend,
			      void (*broken)(struct work_struct *work));
void pvc_link_publish(struct pvc_link *link);
struct pvc_link *pvc_link_get(void);
bool pvc_link_present(void);
void pvc_link_expect(bool expected);
bool pvc_link_away(void);
bool pvc_link_datagrams(void);
void pvc_link_put(struct pvc_link *link);
void pvc_link_break(struct pvc_link *link, const char *rule);
void pvc_link_late(struct pvc_link *link);
void pvc_link_answered(struct pvc_link *link);

/* xenbus.c: the device */
int pvc_xenbus_init(const struct pvc_link_ops *ops);
void pvc_xenbus_exit(void);

#endif /* PVC_LINK_H */
