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
#include <linux/spinlock.h>

#include <xen/interface/event_channel.h>
#include <xen/interface/io/pvcalls.h>

#include "peer.h"
#include "pvcalls_ext.h"
#include "ring/ring.h"
#include "sched/work.h"

struct pvcalls_socks;

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
 * @peer: who the guest is. The xenbus device is gone when all sockets are and
 *	the command ring has stopped
 * @node: NUMA node that the guest is on, or PLACEMENT_ANY_NODE
 * @mark: marks its sockets, as SO_MARK does; 0 for none
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
 * @socks: its sockets, which are sock/'s; freed with the guest
 * @rings: its data rings
 * @denied: calls that the policy denied
 * @broken: called, in process context and at most once, when the guest has
 *	broken a rule of the command ring
 * @broken_arg: for @broken
 */
struct pvcalls_guest {
	struct kref ref;
	struct list_head all;
	struct pvcalls_peer peer;
	int node;
	u32 mark;
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

	struct pvcalls_socks *socks;
	struct pvcalls_rings rings;
	atomic_long_t denied;
	void (*broken)(void *arg);
	void *broken_arg;
};

/**
 * pvcalls_guest_warn() - write one line to the log that names the guest
 * @g: frontend
 * @fmt: format as of printk(), with a newline
 * @...: its arguments
 *
 * Context: any.
 */
#define pvcalls_guest_warn(g, fmt, ...) \
	pvcalls_peer_warn(&(g)->peer, fmt, ##__VA_ARGS__)

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
	return pvcalls_peer_has(&g->peer, f);
}

struct pvcalls_guest *pvcalls_guest_new(void);
void pvcalls_guest_show(struct pvcalls_guest *g);
void pvcalls_guest_hide(struct pvcalls_guest *g);
void pvcalls_guest_get(struct pvcalls_guest *g);
void pvcalls_guest_put(struct pvcalls_guest *g);
void pvcalls_guest_notify(struct pvcalls_guest *g);
void pvcalls_guest_for_each(void (*fn)(struct pvcalls_guest *g, void *arg),
			    void *arg);

#endif /* PVCALLS_BACK_GUEST_H */
