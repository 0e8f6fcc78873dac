// SPDX-License-Identifier: GPL-2.0
/* See ring.h. */
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/slab.h>

#include "ring/datamap.h"
#include "guest/guest.h"
#include "limits.h"
#include "ring/ring.h"
#include "sched/worker.h"

/*
 * Unmapping can't fail for want of memory: a worker has its own scratch, and
 * this one is for the end of a connection, which is not a worker's.
 */
static struct pvcalls_datamap_scratch pvcalls_end_scratch;
static DEFINE_MUTEX(pvcalls_end_lock);

static struct hlist_head *pvcalls_ring_bucket(struct pvcalls_guest *g,
					      grant_ref_t ref)
{
	return &g->rings.all[hash_32(ref, PVCALLS_RING_HASH_BITS)];
}

static struct pvcalls_ring *pvcalls_ring_find(struct pvcalls_guest *g,
					      grant_ref_t ref)
{
	struct pvcalls_ring *ring;

	lockdep_assert_held(&g->rings.lock);
	hlist_for_each_entry(ring, pvcalls_ring_bucket(g, ref), hash)
		if (ring->ref == ref)
			return ring;
	return NULL;
}

static bool pvcalls_ring_is_cached(const struct pvcalls_ring *ring)
{
	return !list_empty(&ring->cached);
}

/* From here on it is its caller's alone. */
static void pvcalls_ring_uncache(struct pvcalls_guest *g,
				 struct pvcalls_ring *ring)
{
	list_del_init(&ring->cached);
	g->rings.cached_pages -= pvcalls_datamap_pages(ring->map);
}

/* Give a ring that nobody uses back to the guest. */
static void pvcalls_ring_free(struct pvcalls_guest *g, struct pvcalls_ring *ring,
			      struct pvcalls_datamap_scratch *scratch)
{
	pvcalls_evtchn_leave(&g->rings.evtchns, &ring->sub);
	atomic_sub(pvcalls_datamap_pages(ring->map), &g->pages);
	pvcalls_datamap_unmap(ring->map, scratch);
	kfree(ring);
}

/*
 * Forget a kept ring. Under the lock all the while: the guest may name the ring
 * again at any time, and then its event channel must be free to be bound.
 */
static void pvcalls_ring_drop(struct pvcalls_guest *g, struct pvcalls_ring *ring,
			      struct pvcalls_datamap_scratch *scratch)
{
	pvcalls_ring_uncache(g, ring);
	hlist_del(&ring->hash);
	pvcalls_ring_free(g, ring, scratch);
}

/* Forget the kept ring that was not used for the longest time, if any. */
static bool pvcalls_ring_drop_last(struct pvcalls_guest *g)
{
	if (list_empty(&g->rings.cached))
		return false;
	pvcalls_ring_drop(g, list_last_entry(&g->rings.cached,
					     struct pvcalls_ring, cached),
			  &pvcalls_worker_current()->scratch);
	return true;
}

static void pvcalls_rings_timer(struct timer_list *timer)
{
	struct pvcalls_guest *g = container_of(timer, struct pvcalls_guest,
					       rings.timer);

	set_bit(PVCALLS_GUEST_AGE, &g->flags);
	pvcalls_work_mark(&g->work);
}

/**
 * pvcalls_rings_init() - a guest without data rings
 * @g: zeroed frontend
 *
 * Any context. Undone by pvcalls_rings_exit().
 */
void pvcalls_rings_init(struct pvcalls_guest *g)
{
	mutex_init(&g->rings.lock);
	pvcalls_evtchns_init(&g->rings.evtchns);
	INIT_LIST_HEAD(&g->rings.cached);
	timer_setup(&g->rings.timer, pvcalls_rings_timer, 0);
}

/**
 * pvcalls_rings_exit() - forget all kept rings
 * @g: a frontend without sockets, whose command ring has stopped
 *
 * May sleep. Not on a worker.
 */
void pvcalls_rings_exit(struct pvcalls_guest *g)
{
	struct pvcalls_ring *ring, *next;

	del_timer_sync(&g->rings.timer);
	mutex_lock(&pvcalls_end_lock);
	mutex_lock(&g->rings.lock);
	list_for_each_entry_safe(ring, next, &g->rings.cached, cached)
		pvcalls_ring_drop(g, ring, &pvcalls_end_scratch);
	mutex_unlock(&g->rings.lock);
	mutex_unlock(&pvcalls_end_lock);
}

/**
 * pvcalls_rings_age() - forget rings that were not used again in time
 * @g: frontend
 *
 * On the command ring's worker.
 */
void pvcalls_rings_age(struct pvcalls_guest *g)
{
	struct list_head *cached = &g->rings.cached;
	unsigned long keep = pvcalls_reuse_time();

	mutex_lock(&g->rings.lock);
	while (!list_empty(cached)) {
		unsigned long end = list_last_entry(cached, struct pvcalls_ring,
						    cached)->since + keep;

		if (time_before(jiffies, end)) {
			mod_timer(&g->rings.timer, end);
			break;
		}
		pvcalls_ring_drop_last(g);
	}
	mutex_unlock(&g->rings.lock);
}

/* Count the pages of a new mapping. Kept rings have to make way. */
static int pvcalls_ring_charge(struct pvcalls_guest *g, u32 pages)
{
	u32 max = pvcalls_max_pages();
	bool dropped;

	while (atomic_add_return(pages, &g->pages) > max) {
		atomic_sub(pages, &g->pages);
		mutex_lock(&g->rings.lock);
		dropped = pvcalls_ring_drop_last(g);
		mutex_unlock(&g->rings.lock);
		if (!dropped) {
			pvcalls_guest_warn(g, "more than %u pages of data rings\n",
					   max);
			return -ENOBUFS;
		}
	}
	return 0;
}

static int pvcalls_ring_bind(struct pvcalls_guest *g, struct pvcalls_ring *ring)
{
	bool shared = pvcalls_guest_has(g, PVCALLS_F_SHARED_EVTCHN);
	int err;

	err = pvcalls_evtchn_join(&g->rings.evtchns, &ring->sub, g->dev,
				  ring->port, shared);
	if (!err)
		return 0;
	pvcalls_guest_warn(g, "data ring %u: bad port %u (%d)\n", ring->ref,
			   ring->port, err);
	return err == -ENOBUFS || err == -ENOMEM ? err : -EINVAL;
}

/* Make it known, unless the guest has named it for two sockets at a time. */
static int pvcalls_ring_add(struct pvcalls_guest *g, struct pvcalls_ring *ring)
{
	int err = 0;

	mutex_lock(&g->rings.lock);
	if (pvcalls_ring_find(g, ring->ref))
		err = -EINVAL;
	else
		hlist_add_head(&ring->hash, pvcalls_ring_bucket(g, ring->ref));
	mutex_unlock(&g->rings.lock);
	if (err)
		pvcalls_guest_warn(g, "data ring %u: in use\n", ring->ref);
	return err;
}

/* Map a ring that is not kept. */
static struct pvcalls_ring *pvcalls_ring_new(struct pvcalls_guest *g,
					     grant_ref_t ref,
					     evtchn_port_t port)
{
	struct pvcalls_datamap_scratch *scratch =
		&pvcalls_worker_current()->scratch;
	struct pvcalls_ring *ring;
	int err;

	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return ERR_PTR(-ENOMEM);
	ring->ref = ref;
	ring->port = port;
	INIT_LIST_HEAD(&ring->cached);

	ring->map = pvcalls_datamap_map(g->domid, ref, pvcalls_max_order(),
					scratch);
	if (IS_ERR(ring->map)) {
		err = PTR_ERR(ring->map);
		pvcalls_guest_warn(g, "data ring %u: %s (%d)\n", ref,
				   err == -EINVAL ? "bad order" : "can't map",
				   err);
		goto free;
	}
	err = pvcalls_ring_charge(g, pvcalls_datamap_pages(ring->map));
	if (err)
		goto unmap;
	err = pvcalls_ring_bind(g, ring);
	if (err)
		goto uncharge;
	err = pvcalls_ring_add(g, ring);
	if (!err)
		return ring;

	pvcalls_ring_free(g, ring, scratch);
	return ERR_PTR(err);

uncharge:
	atomic_sub(pvcalls_datamap_pages(ring->map), &g->pages);
unmap:
	pvcalls_datamap_unmap(ring->map, scratch);
free:
	kfree(ring);
	return ERR_PTR(err);
}

/* The kept ring, out of the hands of all others; NULL if there is none. */
static struct pvcalls_ring *pvcalls_ring_again(struct pvcalls_guest *g,
					       grant_ref_t ref,
					       evtchn_port_t port)
{
	struct pvcalls_ring *ring;

	mutex_lock(&g->rings.lock);
	ring = pvcalls_ring_find(g, ref);
	if (ring && !pvcalls_ring_is_cached(ring)) {
		ring = NULL;
	} else if (ring && ring->port != port) {
		/* not what was announced, so begin with nothing */
		pvcalls_ring_drop(g, ring, &pvcalls_worker_current()->scratch);
		ring = NULL;
	} else if (ring) {
		pvcalls_ring_uncache(g, ring);
	}
	mutex_unlock(&g->rings.lock);
	return ring;
}

/**
 * pvcalls_ring_get() - a guest names a data ring for a socket
 * @g: the guest
 * @ref: grant of the indexes page
 * @port: the guest's end of the event channel
 *
 * One that has been kept is as it was mapped: nothing is read again. Nobody
 * hears of events yet. On any worker. Undone by pvcalls_ring_put().
 *
 * Return: the ring, or an error pointer with an error number for the guest,
 * with a line in the log: -EINVAL for a bad order or port, or a ring that is in
 * use, -EFAULT for a bad grant, -ENOBUFS for too many pages or too many rings
 * on the event channel, -ENOMEM.
 */
struct pvcalls_ring *pvcalls_ring_get(struct pvcalls_guest *g, grant_ref_t ref,
				      evtchn_port_t port)
{
	return pvcalls_ring_again(g, ref, port) ?:
	       pvcalls_ring_new(g, ref, port);
}

static void pvcalls_ring_cache(struct pvcalls_guest *g, struct pvcalls_ring *ring)
{
	mutex_lock(&g->rings.lock);
	if (list_empty(&g->rings.cached))
		mod_timer(&g->rings.timer, jiffies + pvcalls_reuse_time());
	ring->since = jiffies;
	list_add(&ring->cached, &g->rings.cached);
	g->rings.cached_pages += pvcalls_datamap_pages(ring->map);
	while (g->rings.cached_pages > pvcalls_reuse_pages())
		pvcalls_ring_drop_last(g);
	mutex_unlock(&g->rings.lock);
}

/**
 * pvcalls_ring_put() - a socket does not use its data ring any more
 * @g: the guest
 * @ring: ring; the socket owes no event to the guest
 * @steered: number of the worker to whose CPU the interrupt goes, 0: to none
 * @keep: the guest has said that it will be used again
 *
 * On the worker that the socket belongs to.
 */
void pvcalls_ring_put(struct pvcalls_guest *g, struct pvcalls_ring *ring,
		      u32 steered, bool keep)
{
	if (keep) {
		pvcalls_evtchn_disable(&ring->sub);
		ring->steered = steered;
		pvcalls_ring_cache(g, ring);
		return;
	}
	/* as long as it is mapped, it is not free to be named again */
	pvcalls_evtchn_leave(&g->rings.evtchns, &ring->sub);
	atomic_sub(pvcalls_datamap_pages(ring->map), &g->pages);
	pvcalls_datamap_unmap(ring->map, &pvcalls_worker_current()->scratch);
	mutex_lock(&g->rings.lock);
	hlist_del(&ring->hash);
	mutex_unlock(&g->rings.lock);
	kfree(ring);
}

/**
 * pvcalls_ring_forget() - the guest will not use a ring again after all
 * @g: frontend
 * @ref: grant of the indexes page
 *
 * Does nothing if the ring is in use or not kept. On the command ring's worker.
 */
void pvcalls_ring_forget(struct pvcalls_guest *g, grant_ref_t ref)
{
	struct pvcalls_ring *ring;

	mutex_lock(&g->rings.lock);
	ring = pvcalls_ring_find(g, ref);
	if (ring && pvcalls_ring_is_cached(ring))
		pvcalls_ring_drop(g, ring, &pvcalls_worker_current()->scratch);
	mutex_unlock(&g->rings.lock);
}
