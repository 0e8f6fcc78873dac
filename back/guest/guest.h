/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connected frontend: one guest, from XenbusStateConnected until the
 * connection ends, with its command ring and all its sockets.
 */
#ifndef PVCALLS_BACK_GUEST_H
#define PVCALLS_BACK_GUEST_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/ratelimit.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <xen/interface/event_channel.h>
#include <xen/interface/io/pvcalls.h>

#include "pvcalls_ext.h"
#include "ring/ring.h"
#include "sched/worker.h"

struct xenbus_device;

/**
 * enum pvcalls_guest_flag - bits of pvcalls_guest.flags
 * @PVCALLS_GUEST_DEAD: the connection ends; everything is torn down
 * @PVCALLS_GUEST_BROKEN: the guest broke a rule of the command ring
 * @PVCALLS_GUEST_EOI: the command ring's event channel is owed an EOI
 * @PVCALLS_GUEST_NOTIFY: the guest is owed an event about responses
 * @PVCALLS_GUEST_AGE: kept rings may have become too old
 */
enum pvcalls_guest_flag {
	PVCALLS_GUEST_DEAD,
	PVCALLS_GUEST_BROKEN,
	PVCALLS_GUEST_EOI,
	PVCALLS_GUEST_NOTIFY,
	PVCALLS_GUEST_AGE,
};

/**
 * struct pvcalls_guest - a connected frontend
 * @ref: held by the connection, by each socket and by queued work
 * @all: in the list of all frontends
 * @dev: xenbus device; gone when @live is 0 and the command ring has stopped
 * @domid: the guest
 * @node: NUMA node that the guest is on, or PLACEMENT_ANY_NODE
 * @mark: marks its sockets, as SO_MARK does; 0 for none
 * @features: extensions in force, bits of enum pvcalls_feature
 * @flags: bits of enum pvcalls_guest_flag
 * @work: the command ring's work
 * @stopped: completed when the command ring is not read any more
 * @irq: the command ring's event channel
 * @progress: requests were found since the last EOI; the worker's
 * @ring: the command ring; requests are the worker's, responses @rsp_lock's
 * @rsp_lock: guards the responses, @results, @slots and @nr_deferred; taken in
 *	process context only
 * @results: results of deferred requests that wait for a slot
 * @slots: req_ids of outstanding PVCALLS_DEFERRED requests, a circular queue of
 *	as many as the ring has slots
 * @first_slot: index of the oldest of them
 * @nr_slots: how many
 * @nr_deferred: deferred requests without a result, and @results
 * @socks: sockets by id
 * @sock_lock: guards @sock_list; taken in process context only
 * @sock_list: all sockets
 * @live: sockets that are not torn down
 * @gone: woken when @live reaches 0
 * @rings: its data rings
 * @pages: pages of the guest that are mapped for those
 * @denied: calls that the policy denied
 * @warnings: limits the messages about this guest; not the connection's, or
 *	the guest could connect anew for more
 * @broken: called, in process context and at most once, when the guest has
 *	broken a rule of the command ring
 * @broken_arg: for @broken
 */
struct pvcalls_guest {
	struct kref ref;
	struct list_head all;
	struct xenbus_device *dev;
	domid_t domid;
	int node;
	u32 mark;
	unsigned long features;
	unsigned long flags;

	struct pvcalls_work work;
	struct completion stopped;
	int irq;
	bool progress;
	struct xen_pvcalls_back_ring ring;

	spinlock_t rsp_lock;
	struct list_head results;
	u32 *slots;
	u32 first_slot;
	u32 nr_slots;
	u32 nr_deferred;

	struct rhashtable socks;
	spinlock_t sock_lock;
	struct list_head sock_list;
	atomic_t live;
	wait_queue_head_t gone;

	struct pvcalls_rings rings;
	atomic_t pages;
	atomic_long_t denied;
	struct ratelimit_state *warnings;
	void (*broken)(void *arg);
	void *broken_arg;
};

/**
 * struct pvcalls_guest_params - what a frontend says when it connects
 * @port: event channel of the command ring
 * @ring_order: log2 of the command ring's pages, 0 to PVCALLS_MAX_CMD_ORDER
 * @ring_refs: their grants
 * @features: extensions in force
 * @warnings: see struct pvcalls_guest
 * @node: see struct pvcalls_guest
 * @mark: see struct pvcalls_guest
 * @broken: see struct pvcalls_guest
 * @broken_arg: for @broken
 */
struct pvcalls_guest_params {
	evtchn_port_t port;
	unsigned int ring_order;
	grant_ref_t ring_refs[1 << PVCALLS_MAX_CMD_ORDER];
	unsigned long features;
	struct ratelimit_state *warnings;
	int node;
	u32 mark;
	void (*broken)(void *arg);
	void *broken_arg;
};

/* One rate-limited line in the log that names the guest. */
#define pvcalls_guest_warn(g, fmt, ...) do { \
	struct pvcalls_guest *__g = (g); \
	\
	if (__ratelimit(__g->warnings)) \
		pr_warn("dom%u: " fmt, __g->domid, ##__VA_ARGS__); \
} while (0)

/**
 * pvcalls_guest_dead() - is the connection ending?
 * @g: frontend
 *
 * Return: true once everything is to be torn down. Any context.
 */
static inline bool pvcalls_guest_dead(const struct pvcalls_guest *g)
{
	return test_bit(PVCALLS_GUEST_DEAD, &g->flags);
}

/**
 * pvcalls_guest_has() - is an extension in force?
 * @g: frontend
 * @f: which
 *
 * Return: true if both sides offered it. Any context.
 */
static inline bool pvcalls_guest_has(const struct pvcalls_guest *g,
				     enum pvcalls_feature f)
{
	return test_bit(f, &g->features);
}

struct pvcalls_guest *pvcalls_guest_create(struct xenbus_device *dev,
					   struct pvcalls_guest_params *params);
void pvcalls_guest_destroy(struct pvcalls_guest *g);
void pvcalls_guest_get(struct pvcalls_guest *g);
void pvcalls_guest_put(struct pvcalls_guest *g);
void pvcalls_guest_notify(struct pvcalls_guest *g);
void pvcalls_guest_for_each(void (*fn)(struct pvcalls_guest *g, void *arg),
			    void *arg);

#endif /* PVCALLS_BACK_GUEST_H */
