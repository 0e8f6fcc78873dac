/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wing guest/: a connected guest, from XenbusStateConnected until the
 * connection ends, with its command ring and all its sockets.
 *
 * It offers the guest (guest.h), calls and responses (call.h), and the policy
 * (policy.h) with what that can say (rules.h), what there is to choose from
 * (congestion.h) and what it asks this domain (own.h). It may use sched/work.h,
 * sched/queues.h, ring/, account/, limits.h, peer.h, trace.h and include/; it
 * does not look into sockets.
 *
 * Locks: the list's mutex is held while all guests are looked at.
 * pvcalls_guest.rsp_lock guards responses; it is a spinlock that only process
 * context takes, with no other lock inside it. Requests are read by the command
 * ring's worker only, and any worker may answer. References may be dropped in
 * any context.
 */
#ifndef PVCALLS_BACK_GUEST_H
#define PVCALLS_BACK_GUEST_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include <xen/interface/event_channel.h>
#include <xen/interface/io/pvcalls.h>

#include "peer.h"
#include "pvcalls_ext.h"
#include "ring/ring.h"
#include "sched/work.h"

struct pvcalls_call;
struct pvcalls_policy;
struct pvcalls_queues;
struct pvcalls_socks;

/**
 * enum pvcalls_guest_flag - bits of pvcalls_guest.flags
 * @PVCALLS_GUEST_DEAD: the connection ends, and all sockets are closed
 * @PVCALLS_GUEST_BROKEN: the guest broke a rule of the command ring
 * @PVCALLS_GUEST_EOI: the command ring's event channel is owed an EOI
 * @PVCALLS_GUEST_NOTIFY: the guest is owed an event about responses
 * @PVCALLS_GUEST_AGE: cached rings may have become too old
 */
enum pvcalls_guest_flag {
	PVCALLS_GUEST_DEAD,
	PVCALLS_GUEST_BROKEN,
	PVCALLS_GUEST_EOI,
	PVCALLS_GUEST_NOTIFY,
	PVCALLS_GUEST_AGE,
};

/**
 * struct pvcalls_guest - a connected guest
 * @ref: held by the connection, by each socket and by queued work
 * @all: entry in the list of all connected guests
 * @peer: identity of the guest. The xenbus device may go away once all sockets
 *	are closed and the command ring has stopped
 * @node: NUMA node on which the guest is, or PLACEMENT_ANY_NODE
 * @mark: mark of the guest's sockets, as of SO_MARK; 0 for none
 * @flags: bits of enum pvcalls_guest_flag
 * @queues: the queues in which workers have the guest's works, with a reference
 * @work: the command ring's work
 * @stopped: completed when the command ring is not read any more
 * @irq: interrupt of the command ring's event channel
 * @delay: marks @work when the policy lets the guest make calls again
 * @forget: the FORGET that is under way, or NULL; as @progress
 * @forgotten: how many of its rings have been unmapped
 * @progress: requests were found since the last EOI; only the command ring's
 *	worker uses this
 * @ring: the command ring; its worker owns the requests, @rsp_lock guards the
 *	responses
 * @cmd_pages: number of pages of @ring
 * @rsp_lock: guards the responses, @results and @slots; taken in process
 *	context only
 * @results: results of deferred requests that wait for a slot
 * @slots: req_ids of outstanding PVCALLS_DEFERRED requests, a circular queue of
 *	as many as the ring has slots
 * @first_slot: index of the oldest entry in @slots
 * @nr_slots: number of entries in @slots
 * @socks: the guest's sockets, an object of sock/ that is freed with the guest
 * @rings: the guest's data rings
 * @policy: who may do what; belongs to the device, as @peer.warnings does
 * @broken: called, in process context and at most once, when the guest has
 *	broken a rule of the command ring
 * @broken_arg: argument of @broken
 */
struct pvcalls_guest {
	struct kref ref;
	struct list_head all;
	struct pvcalls_peer peer;
	int node;
	u32 mark;
	unsigned long flags;

	struct pvcalls_queues *queues;
	struct pvcalls_work work;
	struct completion stopped;
	int irq;
	struct timer_list delay;
	struct pvcalls_call *forget;
	u32 forgotten;
	bool progress;
	struct xen_pvcalls_back_ring ring;
	u32 cmd_pages;

	spinlock_t rsp_lock;
	struct list_head results;
	u32 *slots;
	u32 first_slot;
	u32 nr_slots;

	struct pvcalls_socks *socks;
	struct pvcalls_rings rings;
	struct pvcalls_policy *policy;
	void (*broken)(void *arg);
	void *broken_arg;
};

/**
 * pvcalls_guest_warn() - write one line to the log that names the guest
 * @g: the guest
 * @fmt: format as of printk(), with a newline
 * @...: arguments of @fmt
 *
 * Context: any.
 */
#define pvcalls_guest_warn(g, fmt, ...) \
	pvcalls_peer_warn(&(g)->peer, fmt, ##__VA_ARGS__)

/**
 * pvcalls_guest_dead() - is the connection ending?
 * @g: the guest
 *
 * Context: any.
 * Return: true once the connection ends and requests are not answered any more.
 */
static inline bool pvcalls_guest_dead(const struct pvcalls_guest *g)
{
	return test_bit(PVCALLS_GUEST_DEAD, &g->flags);
}

/**
 * pvcalls_guest_has() - is an extension in force?
 * @g: the guest
 * @f: the extension
 *
 * Context: any.
 * Return: true if both sides have offered the extension.
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
