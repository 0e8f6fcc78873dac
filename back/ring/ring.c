// SPDX-License-Identifier: GPL-2.0
/* See ring.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/hash.h>
#include <linux/slab.h>

#include "datamap.h"
#include "fe.h"
#include "policy.h"
#include "ring.h"
#include "worker.h"

/*
 * Unmapping can't fail for want of memory: a worker has its own scratch, and
 * this one is for the end of a connection, which is not a worker's.
 */
static struct pvcalls_datamap_scratch pvcalls_end_scratch;
static DEFINE_MUTEX(pvcalls_end_lock);

static struct hlist_head *pvcalls_ring_bucket(struct pvcalls_fe *fe,
					      grant_ref_t ref)
{
	return &fe->rings.all[hash_32(ref, PVCALLS_RING_HASH_BITS)];
}

static struct pvcalls_ring *pvcalls_ring_find(struct pvcalls_fe *fe,
					      grant_ref_t ref)
{
	struct pvcalls_ring *ring;

	lockdep_assert_held(&fe->rings.lock);
	hlist_for_each_entry(ring, pvcalls_ring_bucket(fe, ref), hash)
		if (ring->ref == ref)
			return ring;
	return NULL;
}

static bool pvcalls_ring_kept(const struct pvcalls_ring *ring)
{
	return !list_empty(&ring->kept);
}

/* From here on it is its caller's alone. */
static void pvcalls_ring_unkeep(struct pvcalls_fe *fe,
				struct pvcalls_ring *ring)
{
	list_del_init(&ring->kept);
	fe->rings.kept_pages -= pvcalls_datamap_pages(ring->map);
}

/* Give a ring that nobody uses back to the guest. */
static void pvcalls_ring_free(struct pvcalls_fe *fe, struct pvcalls_ring *ring,
			      struct pvcalls_datamap_scratch *scratch)
{
	pvcalls_port_leave(&fe->rings.ports, &ring->tap);
	atomic_sub(pvcalls_datamap_pages(ring->map), &fe->pages);
	pvcalls_datamap_unmap(ring->map, scratch);
	kfree(ring);
}

/*
 * Forget a kept ring. Under the lock all the while: the guest may name the ring
 * again at any time, and then its event channel must be free to be bound.
 */
static void pvcalls_ring_drop(struct pvcalls_fe *fe, struct pvcalls_ring *ring,
			      struct pvcalls_datamap_scratch *scratch)
{
	pvcalls_ring_unkeep(fe, ring);
	hlist_del(&ring->hash);
	pvcalls_ring_free(fe, ring, scratch);
}

/* Forget the kept ring that was not used for the longest time, if any. */
static bool pvcalls_ring_drop_last(struct pvcalls_fe *fe)
{
	if (list_empty(&fe->rings.kept))
		return false;
	pvcalls_ring_drop(fe, list_last_entry(&fe->rings.kept,
					      struct pvcalls_ring, kept),
			  &pvcalls_worker_current()->scratch);
	return true;
}

static void pvcalls_rings_timer(struct timer_list *timer)
{
	struct pvcalls_fe *fe = container_of(timer, struct pvcalls_fe,
					     rings.timer);

	set_bit(PVCALLS_FE_AGE, &fe->flags);
	pvcalls_work_mark(&fe->work);
}

/**
 * pvcalls_rings_init() - a guest without data rings
 * @fe: zeroed frontend
 *
 * Any context. Undone by pvcalls_rings_exit().
 */
void pvcalls_rings_init(struct pvcalls_fe *fe)
{
	mutex_init(&fe->rings.lock);
	pvcalls_ports_init(&fe->rings.ports);
	INIT_LIST_HEAD(&fe->rings.kept);
	timer_setup(&fe->rings.timer, pvcalls_rings_timer, 0);
}

/**
 * pvcalls_rings_exit() - forget all kept rings
 * @fe: a frontend without sockets, whose command ring has stopped
 *
 * May sleep. Not on a worker.
 */
void pvcalls_rings_exit(struct pvcalls_fe *fe)
{
	struct pvcalls_ring *ring, *next;

	del_timer_sync(&fe->rings.timer);
	mutex_lock(&pvcalls_end_lock);
	mutex_lock(&fe->rings.lock);
	list_for_each_entry_safe(ring, next, &fe->rings.kept, kept)
		pvcalls_ring_drop(fe, ring, &pvcalls_end_scratch);
	mutex_unlock(&fe->rings.lock);
	mutex_unlock(&pvcalls_end_lock);
}

/**
 * pvcalls_rings_age() - forget rings that were not used again in time
 * @fe: frontend
 *
 * On the command ring's worker.
 */
void pvcalls_rings_age(struct pvcalls_fe *fe)
{
	struct list_head *kept = &fe->rings.kept;
	unsigned long keep = pvcalls_reuse_time();

	mutex_lock(&fe->rings.lock);
	while (!list_empty(kept)) {
		unsigned long end = list_last_entry(kept, struct pvcalls_ring,
						    kept)->since + keep;

		if (time_before(jiffies, end)) {
			mod_timer(&fe->rings.timer, end);
			break;
		}
		pvcalls_ring_drop_last(fe);
	}
	mutex_unlock(&fe->rings.lock);
}

/* Count the pages of a new mapping. Kept rings have to make way. */
static int pvcalls_ring_charge(struct pvcalls_fe *fe, u32 pages)
{
	u32 max = pvcalls_max_pages();
	bool dropped;

	while (atomic_add_return(pages, &fe->pages) > max) {
		atomic_sub(pages, &fe->pages);
		mutex_lock(&fe->rings.lock);
		dropped = pvcalls_ring_drop_last(fe);
		mutex_unlock(&fe->rings.lock);
		if (!dropped) {
			pvcalls_fe_warn(fe, "more than %u pages of data rings\n",
					max);
			return -ENOBUFS;
		}
	}
	return 0;
}

static int pvcalls_ring_bind(struct pvcalls_fe *fe, struct pvcalls_ring *ring)
{
	bool shared = pvcalls_fe_has(fe, PVCALLS_F_SHARED_EVTCHN);
	int err;

	err = pvcalls_port_join(&fe->rings.ports, &ring->tap, fe->dev,
				ring->port, shared);
	if (!err)
		return 0;
	pvcalls_fe_warn(fe, "data ring %u: bad port %u (%d)\n", ring->ref,
			ring->port, err);
	return err == -ENOBUFS || err == -ENOMEM ? err : -EINVAL;
}

/* Make it known, unless the guest has named it for two sockets at a time. */
static int pvcalls_ring_add(struct pvcalls_fe *fe, struct pvcalls_ring *ring)
{
	int err = 0;

	mutex_lock(&fe->rings.lock);
	if (pvcalls_ring_find(fe, ring->ref))
		err = -EINVAL;
	else
		hlist_add_head(&ring->hash, pvcalls_ring_bucket(fe, ring->ref));
	mutex_unlock(&fe->rings.lock);
	if (err)
		pvcalls_fe_warn(fe, "data ring %u: in use\n", ring->ref);
	return err;
}

/* Map a ring that is not kept. */
static struct pvcalls_ring *pvcalls_ring_new(struct pvcalls_fe *fe,
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
	INIT_LIST_HEAD(&ring->kept);

	ring->map = pvcalls_datamap_map(fe->domid, ref, pvcalls_max_order(),
					scratch);
	if (IS_ERR(ring->map)) {
		err = PTR_ERR(ring->map);
		pvcalls_fe_warn(fe, "data ring %u: %s (%d)\n", ref,
				err == -EINVAL ? "bad order" : "can't map",
				err);
		goto free;
	}
	err = pvcalls_ring_charge(fe, pvcalls_datamap_pages(ring->map));
	if (err)
		goto unmap;
	err = pvcalls_ring_bind(fe, ring);
	if (err)
		goto uncharge;
	err = pvcalls_ring_add(fe, ring);
	if (!err)
		return ring;

	pvcalls_ring_free(fe, ring, scratch);
	return ERR_PTR(err);

uncharge:
	atomic_sub(pvcalls_datamap_pages(ring->map), &fe->pages);
unmap:
	pvcalls_datamap_unmap(ring->map, scratch);
free:
	kfree(ring);
	return ERR_PTR(err);
}

/* The kept ring, out of the hands of all others; NULL if there is none. */
static struct pvcalls_ring *pvcalls_ring_again(struct pvcalls_fe *fe,
					       grant_ref_t ref,
					       evtchn_port_t port)
{
	struct pvcalls_ring *ring;

	mutex_lock(&fe->rings.lock);
	ring = pvcalls_ring_find(fe, ref);
	if (ring && !pvcalls_ring_kept(ring)) {
		ring = NULL;
	} else if (ring && ring->port != port) {
		/* not what was announced, so begin with nothing */
		pvcalls_ring_drop(fe, ring, &pvcalls_worker_current()->scratch);
		ring = NULL;
	} else if (ring) {
		pvcalls_ring_unkeep(fe, ring);
	}
	mutex_unlock(&fe->rings.lock);
	return ring;
}

/**
 * pvcalls_ring_get() - a guest names a data ring for a socket
 * @fe: the guest
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
struct pvcalls_ring *pvcalls_ring_get(struct pvcalls_fe *fe, grant_ref_t ref,
				      evtchn_port_t port)
{
	return pvcalls_ring_again(fe, ref, port) ?:
	       pvcalls_ring_new(fe, ref, port);
}

static void pvcalls_ring_keep(struct pvcalls_fe *fe, struct pvcalls_ring *ring)
{
	mutex_lock(&fe->rings.lock);
	if (list_empty(&fe->rings.kept))
		mod_timer(&fe->rings.timer, jiffies + pvcalls_reuse_time());
	ring->since = jiffies;
	list_add(&ring->kept, &fe->rings.kept);
	fe->rings.kept_pages += pvcalls_datamap_pages(ring->map);
	while (fe->rings.kept_pages > pvcalls_reuse_pages())
		pvcalls_ring_drop_last(fe);
	mutex_unlock(&fe->rings.lock);
}

/**
 * pvcalls_ring_put() - a socket does not use its data ring any more
 * @fe: the guest
 * @ring: ring; the socket owes no event to the guest
 * @steered: number of the worker to whose CPU the interrupt goes, 0: to none
 * @keep: the guest has said that it will be used again
 *
 * On the worker that the socket belongs to.
 */
void pvcalls_ring_put(struct pvcalls_fe *fe, struct pvcalls_ring *ring,
		      u32 steered, bool keep)
{
	if (keep) {
		pvcalls_port_hush(&ring->tap);
		ring->steered = steered;
		pvcalls_ring_keep(fe, ring);
		return;
	}
	/* as long as it is mapped, it is not free to be named again */
	pvcalls_port_leave(&fe->rings.ports, &ring->tap);
	atomic_sub(pvcalls_datamap_pages(ring->map), &fe->pages);
	pvcalls_datamap_unmap(ring->map, &pvcalls_worker_current()->scratch);
	mutex_lock(&fe->rings.lock);
	hlist_del(&ring->hash);
	mutex_unlock(&fe->rings.lock);
	kfree(ring);
}

/**
 * pvcalls_ring_forget() - the guest will not use a ring again after all
 * @fe: frontend
 * @ref: grant of the indexes page
 *
 * Does nothing if the ring is in use or not kept. On the command ring's worker.
 */
void pvcalls_ring_forget(struct pvcalls_fe *fe, grant_ref_t ref)
{
	struct pvcalls_ring *ring;

	mutex_lock(&fe->rings.lock);
	ring = pvcalls_ring_find(fe, ref);
	if (ring && pvcalls_ring_kept(ring))
		pvcalls_ring_drop(fe, ring, &pvcalls_worker_current()->scratch);
	mutex_unlock(&fe->rings.lock);
}
