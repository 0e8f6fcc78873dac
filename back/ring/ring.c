// SPDX-License-Identifier: GPL-2.0
/* Data rings of a guest and their cache; ring.h describes the objects. */
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "account/ledger.h"
#include "limits.h"
#include "peer.h"
#include "pvcalls_compat.h"
#include "ring/datamap.h"
#include "ring/ring.h"

/*
 * Unmapping must not fail for want of memory, so each worker has its own
 * scratch. A connection ends outside the workers, so this scratch is for that.
 */
static struct pvcalls_datamap_scratch pvcalls_end_scratch;
static DEFINE_MUTEX(pvcalls_end_lock);

static struct hlist_head *pvcalls_ring_bucket(struct pvcalls_rings *rings,
					      grant_ref_t ref)
{
	return &rings->all[hash_32(ref, PVCALLS_RING_HASH_BITS)];
}

static struct pvcalls_ring *pvcalls_ring_find(struct pvcalls_rings *rings,
					      grant_ref_t ref)
{
	struct pvcalls_ring *ring;

	lockdep_assert_held(&rings->lock);
	hlist_for_each_entry(ring, pvcalls_ring_bucket(rings, ref), hash)
		if (ring->ref == ref)
			return ring;
	return NULL;
}

static bool pvcalls_ring_is_cached(const struct pvcalls_ring *ring)
{
	return !list_empty(&ring->cached);
}

/* Take a ring out of the cache. The caller is then its only user. */
static void pvcalls_ring_uncache(struct pvcalls_rings *rings,
				 struct pvcalls_ring *ring)
{
	list_del_init(&ring->cached);
	rings->cached_pages -= pvcalls_datamap_pages(ring->map);
}

static void pvcalls_ring_unbind(struct pvcalls_rings *rings,
				struct pvcalls_ring *ring,
				struct pvcalls_datamap_scratch *scratch)
{
	scratch->cost += PVCALLS_PORT_COST;
	pvcalls_evtchn_leave(&rings->evtchns, &ring->sub);
}

/* Give a ring without a user back to the guest. */
static void pvcalls_ring_free(struct pvcalls_rings *rings,
			      struct pvcalls_ring *ring,
			      struct pvcalls_datamap_scratch *scratch)
{
	pvcalls_ring_unbind(rings, ring, scratch);
	pvcalls_datamap_unmap(ring->map, scratch);
	kfree(ring);
}

/*
 * Unmap a cached ring. The lock is held throughout: the guest may name the ring
 * again at any time, and its event channel must be free to be bound by then.
 */
static void pvcalls_ring_drop(struct pvcalls_rings *rings,
			      struct pvcalls_ring *ring,
			      struct pvcalls_datamap_scratch *scratch)
{
	pvcalls_ring_uncache(rings, ring);
	hlist_del(&ring->hash);
	pvcalls_ring_free(rings, ring, scratch);
}

/* Unmap the cached ring that has been unused for the longest time, if any. */
static bool pvcalls_ring_drop_last(struct pvcalls_rings *rings,
				   struct pvcalls_datamap_scratch *scratch)
{
	if (list_empty(&rings->cached))
		return false;
	pvcalls_ring_drop(rings, list_last_entry(&rings->cached,
						 struct pvcalls_ring, cached),
			  scratch);
	return true;
}

/* Are more pages cached than may be? */
static bool pvcalls_rings_are_many(const struct pvcalls_rings *rings)
{
	return rings->cached_pages > pvcalls_reuse_pages();
}

static void pvcalls_rings_timer(struct timer_list *timer)
{
	struct pvcalls_rings *rings = container_of(timer, struct pvcalls_rings,
						   timer);

	rings->aged(rings);
}

/**
 * pvcalls_rings_init() - initialise the data rings of a guest
 * @rings: the rings, in zeroed memory; the guest has none
 * @peer: the guest; valid until pvcalls_rings_exit()
 * @aged: value for pvcalls_rings.aged
 *
 * Context: any; undone by pvcalls_rings_exit().
 */
void pvcalls_rings_init(struct pvcalls_rings *rings,
			const struct pvcalls_peer *peer,
			void (*aged)(struct pvcalls_rings *rings))
{
	rings->peer = peer;
	rings->aged = aged;
	mutex_init(&rings->lock);
	pvcalls_evtchns_init(&rings->evtchns);
	INIT_LIST_HEAD(&rings->cached);
	timer_setup(&rings->timer, pvcalls_rings_timer, 0);
}

/**
 * pvcalls_rings_exit() - unmap all cached rings
 * @rings: the rings of a guest without sockets, whose command ring has stopped
 *
 * Context: process, may sleep; not a worker.
 */
void pvcalls_rings_exit(struct pvcalls_rings *rings)
{
	bool more;

	pvcalls_timer_stop(&rings->timer);
	do {
		/* other guests end meanwhile, ring by ring as this one */
		mutex_lock(&pvcalls_end_lock);
		mutex_lock(&rings->lock);
		more = pvcalls_ring_drop_last(rings, &pvcalls_end_scratch);
		mutex_unlock(&rings->lock);
		mutex_unlock(&pvcalls_end_lock);
		cond_resched();
	} while (more);
}

/**
 * pvcalls_rings_age() - unmap a ring that has been cached for too long
 * @rings: the guest's rings
 * @scratch: the worker's scratch
 *
 * While too many pages are cached, any ring has been so for too long. Each call
 * unmaps one, because other workers wait for the lock, and other works for this
 * worker.
 *
 * Context: the command ring's worker.
 * Return: true if there may be more of them.
 */
bool pvcalls_rings_age(struct pvcalls_rings *rings,
		       struct pvcalls_datamap_scratch *scratch)
{
	struct list_head *cached = &rings->cached;
	bool more = false;
	unsigned long end;

	mutex_lock(&rings->lock);
	if (list_empty(cached))
		goto unlock;
	end = list_last_entry(cached, struct pvcalls_ring, cached)->since +
	      pvcalls_reuse_time();
	more = pvcalls_rings_are_many(rings) || !time_before(jiffies, end);
	if (more)
		pvcalls_ring_drop_last(rings, scratch);
	else
		mod_timer(&rings->timer, end);
unlock:
	mutex_unlock(&rings->lock);
	return more;
}

/*
 * Charge pages that are to be mapped. If the guest has too many pages, cached
 * rings are unmapped first, as many as it takes: no connection is refused for
 * want of what is only kept.
 */
static int pvcalls_ring_charge(struct pvcalls_rings *rings, u32 pages,
			       struct pvcalls_datamap_scratch *scratch)
{
	bool dropped = true;

	while (dropped) {
		if (pvcalls_account_try(rings->peer->account,
					PVCALLS_KIND_PAGES, pages))
			return 0;
		mutex_lock(&rings->lock);
		dropped = pvcalls_ring_drop_last(rings, scratch);
		mutex_unlock(&rings->lock);
	}
	return pvcalls_account_charge(rings->peer, PVCALLS_KIND_PAGES, pages);
}

static void pvcalls_ring_uncharge(struct pvcalls_rings *rings, u32 pages)
{
	pvcalls_account_uncharge(rings->peer->account, PVCALLS_KIND_PAGES,
				 pages);
}

/* Map the pages of a ring, which are charged before. */
static struct pvcalls_datamap *
pvcalls_ring_map(struct pvcalls_rings *rings, grant_ref_t ref,
		 struct pvcalls_datamap_scratch *scratch)
{
	struct pvcalls_datamap *map;
	u32 n;
	int err;

	err = pvcalls_ring_charge(rings, 1, scratch);
	if (err)
		return ERR_PTR(err);
	map = pvcalls_datamap_map(rings->peer, ref, pvcalls_max_order(),
				  scratch);
	if (IS_ERR(map)) {
		pvcalls_ring_uncharge(rings, 1);
		return map;
	}

	n = pvcalls_datamap_pages(map) - 1;
	err = pvcalls_ring_charge(rings, n, scratch);
	if (err)
		goto unmap;
	err = pvcalls_datamap_fill(map, rings->peer->domid, scratch);
	if (!err)
		return map;
	pvcalls_ring_uncharge(rings, n);
unmap:
	pvcalls_datamap_unmap(map, scratch);
	return ERR_PTR(err);
}

static int pvcalls_ring_bind(struct pvcalls_rings *rings,
			     struct pvcalls_ring *ring,
			     struct pvcalls_datamap_scratch *scratch)
{
	bool shared = pvcalls_peer_has(rings->peer, PVCALLS_F_SHARED_EVTCHN);
	int err;

	scratch->cost += PVCALLS_PORT_COST;
	err = pvcalls_evtchn_join(&rings->evtchns, &ring->sub, rings->peer->dev,
				  ring->port, shared);
	if (!err)
		return 0;
	if (err == -ENOSPC) {
		pvcalls_peer_warn(rings->peer,
				  "data ring %u: no event channel is free\n",
				  ring->ref);
		return -ENOBUFS;
	}
	pvcalls_peer_warn(rings->peer, "data ring %u: bad port %u (%d)\n",
			  ring->ref, ring->port, err);
	return err == -ENOBUFS || err == -ENOMEM ? err : -EINVAL;
}

/* Make a ring known, unless the guest uses it for another socket already. */
static int pvcalls_ring_add(struct pvcalls_rings *rings,
			    struct pvcalls_ring *ring)
{
	int err = 0;

	mutex_lock(&rings->lock);
	if (pvcalls_ring_find(rings, ring->ref))
		err = -EINVAL;
	else
		hlist_add_head(&ring->hash,
			       pvcalls_ring_bucket(rings, ring->ref));
	mutex_unlock(&rings->lock);
	if (err)
		pvcalls_peer_warn(rings->peer, "data ring %u: in use\n", ring->ref);
	return err;
}

/* Say why a ring could not be mapped. Returns the error for the guest. */
static int pvcalls_ring_unmapped(const struct pvcalls_rings *rings,
				 grant_ref_t ref, int err)
{
	switch (err) {
	case -ENOBUFS:
		/* the account has said so itself */
		break;
	case -ENOSPC:
		pvcalls_peer_warn(rings->peer,
				  "data ring %u: the maptrack table is full\n",
				  ref);
		return -ENOBUFS;
	case -EINVAL:
		pvcalls_peer_warn(rings->peer, "data ring %u: bad order (%d)\n",
				  ref, err);
		break;
	default:
		pvcalls_peer_warn(rings->peer, "data ring %u: can't map (%d)\n",
				  ref, err);
	}
	return err;
}

/* Map a ring that is not in the cache. */
static struct pvcalls_ring *
pvcalls_ring_new(struct pvcalls_rings *rings, grant_ref_t ref,
		 evtchn_port_t port, struct pvcalls_datamap_scratch *scratch)
{
	struct pvcalls_ring *ring;
	int err;

	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return ERR_PTR(-ENOMEM);
	ring->ref = ref;
	ring->port = port;
	INIT_LIST_HEAD(&ring->cached);

	ring->map = pvcalls_ring_map(rings, ref, scratch);
	if (IS_ERR(ring->map)) {
		err = pvcalls_ring_unmapped(rings, ref, PTR_ERR(ring->map));
		goto free;
	}
	err = pvcalls_ring_bind(rings, ring, scratch);
	if (err)
		goto unmap;
	err = pvcalls_ring_add(rings, ring);
	if (!err)
		return ring;

	pvcalls_ring_free(rings, ring, scratch);
	return ERR_PTR(err);

unmap:
	pvcalls_datamap_unmap(ring->map, scratch);
free:
	kfree(ring);
	return ERR_PTR(err);
}

/* Take a ring out of the cache; NULL if the cache does not have it. */
static struct pvcalls_ring *
pvcalls_ring_again(struct pvcalls_rings *rings, grant_ref_t ref,
		   evtchn_port_t port, struct pvcalls_datamap_scratch *scratch)
{
	struct pvcalls_ring *ring;

	mutex_lock(&rings->lock);
	ring = pvcalls_ring_find(rings, ref);
	if (ring && !pvcalls_ring_is_cached(ring)) {
		ring = NULL;
	} else if (ring && ring->port != port) {
		/*
		 * the guest has announced another event channel: map the ring
		 * anew
		 */
		pvcalls_ring_drop(rings, ring, scratch);
		ring = NULL;
	} else if (ring) {
		pvcalls_ring_uncache(rings, ring);
	}
	mutex_unlock(&rings->lock);
	return ring;
}

/**
 * pvcalls_ring_get() - get a data ring for a socket
 * @rings: the guest's rings
 * @ref: grant of the indexes page, as the guest says
 * @port: port number of the guest's end of the event channel, as the guest says
 * @scratch: the worker's scratch
 *
 * A cached ring stays as it was mapped: its order and grants are not read
 * again. Events are ignored until pvcalls_evtchn_enable(). The call is undone
 * by pvcalls_ring_put().
 *
 * Context: any worker.
 * Return: the ring, or an error pointer with an error number for the guest,
 * with a line in the log: -EINVAL for a bad order or port, or a ring that is in
 * use, -EFAULT for a bad grant, -ENOBUFS for too many pages or too many rings
 * on the event channel, -ENOMEM.
 */
struct pvcalls_ring *pvcalls_ring_get(struct pvcalls_rings *rings,
				      grant_ref_t ref, evtchn_port_t port,
				      struct pvcalls_datamap_scratch *scratch)
{
	return pvcalls_ring_again(rings, ref, port, scratch) ?:
	       pvcalls_ring_new(rings, ref, port, scratch);
}

/*
 * Put a ring into the cache. For one that comes another one goes, if there are
 * too many; what else there is too much of is left to the command ring's worker.
 */
static void pvcalls_ring_cache(struct pvcalls_rings *rings,
			       struct pvcalls_ring *ring,
			       struct pvcalls_datamap_scratch *scratch)
{
	bool many;

	mutex_lock(&rings->lock);
	if (list_empty(&rings->cached))
		mod_timer(&rings->timer, jiffies + pvcalls_reuse_time());
	ring->since = jiffies;
	list_add(&ring->cached, &rings->cached);
	rings->cached_pages += pvcalls_datamap_pages(ring->map);
	if (pvcalls_rings_are_many(rings))
		pvcalls_ring_drop_last(rings, scratch);
	many = pvcalls_rings_are_many(rings);
	mutex_unlock(&rings->lock);
	if (many)
		rings->aged(rings);
}

/**
 * pvcalls_ring_put() - undo pvcalls_ring_get()
 * @rings: the guest's rings
 * @ring: the ring, for which no event is owed to the guest
 * @steered: number of the worker to whose CPU the interrupt goes, or 0
 * @keep: put the ring into the cache, because the guest has said that it will
 *	use the ring again
 * @scratch: the worker's scratch
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_ring_put(struct pvcalls_rings *rings, struct pvcalls_ring *ring,
		      u32 steered, bool keep,
		      struct pvcalls_datamap_scratch *scratch)
{
	if (keep) {
		pvcalls_evtchn_disable(&ring->sub);
		ring->steered = steered;
		pvcalls_ring_cache(rings, ring, scratch);
		return;
	}
	/* a mapped ring stays known, so that the guest can't name it again */
	pvcalls_ring_unbind(rings, ring, scratch);
	pvcalls_datamap_unmap(ring->map, scratch);
	mutex_lock(&rings->lock);
	hlist_del(&ring->hash);
	mutex_unlock(&rings->lock);
	kfree(ring);
}

/**
 * pvcalls_ring_forget() - unmap a cached ring
 * @rings: the guest's rings
 * @ref: grant of the indexes page, as the guest says
 * @scratch: the worker's scratch
 *
 * The guest has said that it will not use the ring again. Nothing happens if
 * the ring is in use or not in the cache.
 *
 * Context: the command ring's worker.
 */
void pvcalls_ring_forget(struct pvcalls_rings *rings, grant_ref_t ref,
			 struct pvcalls_datamap_scratch *scratch)
{
	struct pvcalls_ring *ring;

	mutex_lock(&rings->lock);
	ring = pvcalls_ring_find(rings, ref);
	if (ring && pvcalls_ring_is_cached(ring))
		pvcalls_ring_drop(rings, ring, scratch);
	mutex_unlock(&rings->lock);
}
