// SPDX-License-Identifier: GPL-2.0
/*
 * Making a data ring costs more than a short connection: hundreds of pages, an
 * event channel, and hypercalls at both ends. So it stays when its socket has
 * gone, and serves the next one (feature-reuse).
 */
#include <linux/jiffies.h>
#include <linux/moduleparam.h>

#include "conn/conn.h"
#include "link/link.h"
#include "link/cache.h"
#include "link/ring.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(reuse_rings, 32, 0, 4096, 0644);
MODULE_PARM_DESC(reuse_rings,
		 "Data rings that are kept for sockets to come, 0 to 4096 (default 32)");

PVCALLS_PARAM_UINT(reuse_seconds, 10, 1, 3600, 0644);
MODULE_PARM_DESC(reuse_seconds,
		 "Seconds for which a data ring is kept for sockets to come, 1 to 3600 (default 10)");

static void pvc_cache_arm(struct pvc_cache *cache)
{
	lockdep_assert_held(&cache->lock);
	if (!cache->stopped)
		pvc_queue_delayed(&cache->age, HZ);
}

/* Rings that have been here for too long, or are too many. */
static unsigned int pvc_cache_old(struct pvc_link *link, struct list_head *old)
{
	unsigned long keep = READ_ONCE(param_reuse_seconds) * HZ;
	struct pvc_cache *cache = &link->cache;
	unsigned int n = 0;
	struct pvc_shm *shm;

	spin_lock_irq(&cache->lock);
	while (!READ_ONCE(link->dead) && !list_empty(&cache->idle) &&
	       n < PVCALLS_MAX_FORGET) {
		shm = list_last_entry(&cache->idle, struct pvc_shm, list);
		if (cache->count <= READ_ONCE(param_reuse_rings) &&
		    time_before(jiffies, shm->since + keep))
			break;
		list_move(&shm->list, old);
		cache->count--;
		n++;
	}
	spin_unlock_irq(&cache->lock);
	return n;
}

/*
 * Has the backend unmap rings, and frees them. With none it still makes the
 * backend answer, so that the responses come in which nobody waits for.
 */
static void pvc_cache_forget(struct pvc_link *link, struct list_head *old,
			     unsigned int n)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_FORGET };
	struct pvcalls_req_forget *args = (void *)&req.u;
	struct pvc_cache *cache = &link->cache;
	struct pvc_shm *shm, *next;

	list_for_each_entry(shm, old, list)
		args->ref[args->count++] = shm->intf_ref;
	if (!n)
		args->count = 1;
	pvc_cmd_call(link, &req, NULL);

	spin_lock_irq(&cache->lock);
	if (READ_ONCE(link->dead)) {
		/* mapped still, perhaps: for pvc_cache_free() */
		list_splice_tail_init(old, &cache->idle);
		cache->count += n;
	}
	spin_unlock_irq(&cache->lock);
	list_for_each_entry_safe(shm, next, old, list) {
		list_del(&shm->list);
		pvc_conn_free_shm(link, shm);
	}
}

static void pvc_cache_age(struct work_struct *work)
{
	struct pvc_cache *cache = container_of(to_delayed_work(work),
					       struct pvc_cache, age);
	struct pvc_link *link = container_of(cache, struct pvc_link, cache);
	LIST_HEAD(old);
	unsigned int n;

	while ((n = pvc_cache_old(link, &old)))
		pvc_cache_forget(link, &old, n);
	if (pvc_cmd_unseen(link))
		pvc_cache_forget(link, &old, 0);

	spin_lock_irq(&cache->lock);
	if (cache->count || pvc_cmd_unseen(link))
		pvc_cache_arm(cache);
	spin_unlock_irq(&cache->lock);
}

/**
 * pvc_cache_init() - no ring is kept
 * @link: new connection
 */
void pvc_cache_init(struct pvc_link *link)
{
	struct pvc_cache *cache = &link->cache;

	spin_lock_init(&cache->lock);
	INIT_LIST_HEAD(&cache->idle);
	INIT_DELAYED_WORK(&cache->age, pvc_cache_age);
}

/**
 * pvc_cache_stop() - keep no more rings
 * @link: connection whose commands have been stopped
 *
 * Those that are there stay: the backend may still map them.
 *
 * Context: process, sleeps.
 */
void pvc_cache_stop(struct pvc_link *link)
{
	struct pvc_cache *cache = &link->cache;

	spin_lock_irq(&cache->lock);
	cache->stopped = true;
	spin_unlock_irq(&cache->lock);
	cancel_delayed_work_sync(&cache->age);
}

/**
 * pvc_cache_free() - free the rings that are left
 * @link: connection that has been stopped
 *
 * Context: process, may sleep.
 */
void pvc_cache_free(struct pvc_link *link)
{
	struct pvc_cache *cache = &link->cache;
	struct pvc_shm *shm, *next;

	list_for_each_entry_safe(shm, next, &cache->idle, list) {
		list_del(&shm->list);
		pvc_conn_free_shm(link, shm);
	}
	cache->count = 0;
}

/**
 * pvc_cache_wants() - would another ring be kept?
 * @link: connection
 *
 * Context: any.
 * Return: true if so; pvc_cache_put() does not look again.
 */
bool pvc_cache_wants(struct pvc_link *link)
{
	return pvc_link_has(link, PVCALLS_F_REUSE) &&
	       READ_ONCE(link->cache.count) < READ_ONCE(param_reuse_rings);
}

/**
 * pvc_cache_take() - a ring that was used before
 * @link: connection
 * @min: least order
 * @max: largest order
 *
 * Context: process or interrupt; does not sleep.
 * Return: a ring, or NULL if there is none.
 */
struct pvc_shm *pvc_cache_take(struct pvc_link *link, unsigned int min,
			       unsigned int max)
{
	struct pvc_cache *cache = &link->cache;
	struct pvc_shm *shm, *found = NULL;
	unsigned long flags;

	if (!READ_ONCE(cache->count))
		return NULL;
	spin_lock_irqsave(&cache->lock, flags);
	list_for_each_entry(shm, &cache->idle, list) {
		if (!cache->stopped && shm->order >= min && shm->order <= max) {
			list_del_init(&shm->list);
			cache->count--;
			found = shm;
			break;
		}
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	return found;
}

/**
 * pvc_cache_put() - keep a ring
 * @link: connection
 * @shm: what its last socket has released with the hint, and the backend too
 *
 * Context: any.
 * Return: true if it is kept; false if the connection has ended.
 */
bool pvc_cache_put(struct pvc_link *link, struct pvc_shm *shm)
{
	struct pvc_cache *cache = &link->cache;
	unsigned long flags;
	bool kept;

	spin_lock_irqsave(&cache->lock, flags);
	kept = !cache->stopped;
	if (kept) {
		shm->since = jiffies;
		list_add(&shm->list, &cache->idle);
		cache->count++;
		pvc_cache_arm(cache);
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	return kept;
}

/**
 * pvc_cache_watch() - there will be a response that nobody waits for
 * @link: connection
 *
 * It is taken notice of within seconds, even if nothing else happens.
 *
 * Context: any.
 */
void pvc_cache_watch(struct pvc_link *link)
{
	struct pvc_cache *cache = &link->cache;
	unsigned long flags;

	if (!pvc_link_has(link, PVCALLS_F_REUSE) ||
	    delayed_work_pending(&cache->age))
		return;
	spin_lock_irqsave(&cache->lock, flags);
	pvc_cache_arm(cache);
	spin_unlock_irqrestore(&cache->lock, flags);
}
