// SPDX-License-Identifier: GPL-2.0
/*
 * See cache.h. A data ring has hundreds of pages and an event channel, and
 * making one takes hypercalls at both ends: that costs more than a short
 * connection. Therefore a ring stays when its socket has gone, and serves the
 * next socket (feature-reuse).
 */
#include <linux/jiffies.h>

#include "link/cache.h"
#include "link/cmd.h"
#include "link/link.h"
#include "link/ring.h"
#include "link/work.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(reuse_rings, 32, 0, 4096, 0644);
MODULE_PARM_DESC(reuse_rings,
		 "Data rings that are cached for sockets to come, 0 to 4096 (default 32)");

PVCALLS_PARAM_UINT(reuse_seconds, 10, 1, 3600, 0644);
MODULE_PARM_DESC(reuse_seconds,
		 "Seconds for which a data ring is cached for sockets to come, 1 to 3600 (default 10)");

/* Changes how many rings are cached. Call with cache->lock held. */
static void pvc_cache_count(struct pvc_cache *cache, int change)
{
	/* pvc_cache_wants() and pvc_cache_take() read without the lock */
	WRITE_ONCE(cache->count, cache->count + change);
}

static void pvc_cache_arm(struct pvc_cache *cache)
{
	lockdep_assert_held(&cache->lock);
	if (!cache->stopped)
		pvc_queue_delayed(&cache->age, HZ);
}

/* Takes rings that are too old or too many, as many as one FORGET can name. */
static unsigned int pvc_cache_old(struct pvc_link *link, struct list_head *old)
{
	unsigned long keep = READ_ONCE(param_reuse_seconds) * HZ;
	struct pvc_cache *cache = &link->cache;
	unsigned int n = 0;
	struct pvc_shm *shm;

	spin_lock_irq(&cache->lock);
	while (!pvc_link_ended(link) && !list_empty(&cache->idle) &&
	       n < PVCALLS_MAX_FORGET) {
		shm = list_last_entry(&cache->idle, struct pvc_shm, list);
		if (!cache->drain && !shm->refused &&
		    cache->count <= READ_ONCE(param_reuse_rings) &&
		    time_before(jiffies, shm->since + keep))
			break;
		list_move(&shm->list, old);
		pvc_cache_count(cache, -1);
		n++;
	}
	spin_unlock_irq(&cache->lock);
	return n;
}

/*
 * Has the backend unmap rings, and frees them. A request without rings serves
 * to get a response: the responses that nobody waits for come before it.
 * Returns false if the backend has not been told, and may still map the rings:
 * they stay in the cache.
 */
static bool pvc_cache_forget(struct pvc_link *link, struct list_head *old,
			     unsigned int n)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_FORGET };
	struct pvcalls_req_forget *args = (void *)&req.u;
	struct pvc_cache *cache = &link->cache;
	struct pvc_shm *shm, *next;
	bool told;

	list_for_each_entry(shm, old, list)
		args->ref[args->count++] = shm->intf_ref;
	if (!n)
		args->count = 1;
	told = !pvc_cmd_call(link, &req, NULL);

	spin_lock_irq(&cache->lock);
	if (!told || pvc_link_ended(link)) {
		list_splice_tail_init(old, &cache->idle);
		pvc_cache_count(cache, n);
	}
	spin_unlock_irq(&cache->lock);
	list_for_each_entry_safe(shm, next, old, list) {
		list_del(&shm->list);
		pvc_shm_free(link, shm);
	}
	return told;
}

static void pvc_cache_age(struct work_struct *work)
{
	struct pvc_cache *cache = container_of(to_delayed_work(work),
					       struct pvc_cache, age);
	struct pvc_link *link = container_of(cache, struct pvc_link, cache);
	bool drain = READ_ONCE(cache->drain);
	LIST_HEAD(old);
	unsigned int n;

	while ((n = pvc_cache_old(link, &old)))
		if (!pvc_cache_forget(link, &old, n))
			break;
	if (pvc_cmd_unseen(link))
		pvc_cache_forget(link, &old, 0);

	spin_lock_irq(&cache->lock);
	/* somebody may have asked for it too late: then this runs again */
	if (drain)
		WRITE_ONCE(cache->drain, false);
	if (cache->count || pvc_cmd_unseen(link))
		pvc_cache_arm(cache);
	spin_unlock_irq(&cache->lock);
	wake_up_all(&cache->drained);
}

/**
 * pvc_cache_init() - begin without cached rings
 * @link: new link
 *
 * Context: any.
 */
void pvc_cache_init(struct pvc_link *link)
{
	struct pvc_cache *cache = &link->cache;

	spin_lock_init(&cache->lock);
	INIT_LIST_HEAD(&cache->idle);
	INIT_DELAYED_WORK(&cache->age, pvc_cache_age);
	init_waitqueue_head(&cache->drained);
	link->watch_unseen = pvc_cache_watch;
}

/**
 * pvc_cache_stop() - take and give no more rings
 * @link: link whose commands have been stopped
 *
 * Cached rings stay where they are, since the backend may still map them.
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
	/* the work may have been cancelled before it ran */
	WRITE_ONCE(cache->drain, false);
	wake_up_all(&cache->drained);
}

/**
 * pvc_cache_free() - free the rings that are left
 * @link: link whose cache has been stopped
 *
 * Context: process, may sleep.
 */
void pvc_cache_free(struct pvc_link *link)
{
	struct pvc_cache *cache = &link->cache;
	struct pvc_shm *shm, *next;

	list_for_each_entry_safe(shm, next, &cache->idle, list) {
		list_del(&shm->list);
		pvc_shm_free(link, shm);
	}
	WRITE_ONCE(cache->count, 0);
}

/**
 * pvc_cache_wants() - is there room for another ring?
 * @link: the link
 *
 * The answer decides what RELEASE asks the backend to do with a ring;
 * pvc_cache_put() does not look again.
 *
 * Context: any.
 * Return: true if so.
 */
bool pvc_cache_wants(struct pvc_link *link)
{
	return pvc_link_has(link, PVCALLS_F_REUSE) &&
	       READ_ONCE(link->cache.count) < READ_ONCE(param_reuse_rings);
}

/**
 * pvc_cache_take() - take a ring that was used before
 * @link: the link
 * @payers: who pays from now on
 * @min: least order, log2 of pages
 * @max: largest order
 *
 * A ring stays charged to the memory cgroup that has made it, and so only
 * processes of that cgroup get it.
 *
 * Context: process; does not sleep.
 * Return: the ring that was used last, or NULL if there is no such ring that
 * the payers can pay for.
 */
struct pvc_shm *pvc_cache_take(struct pvc_link *link, struct pvc_payers *payers,
			       unsigned int min, unsigned int max)
{
	struct pvc_cache *cache = &link->cache;
	struct pvc_shm *shm, *found = NULL;
	unsigned long flags;
	u64 memcg;

	if (!READ_ONCE(cache->count))
		return NULL;
	memcg = pvc_shm_memcg();
	spin_lock_irqsave(&cache->lock, flags);
	list_for_each_entry(shm, &cache->idle, list) {
		if (cache->stopped || shm->order < min || shm->order > max ||
		    shm->refused || shm->memcg != memcg)
			continue;
		if (!pvc_shm_lend(link, shm, payers)) {
			list_del_init(&shm->list);
			pvc_cache_count(cache, -1);
			found = shm;
		}
		break;
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	return found;
}

/**
 * pvc_cache_put() - give a ring to the cache
 * @link: the link
 * @shm: ring that its last socket has detached; the backend has answered the
 *	RELEASE that asked for reuse, or the ring has come from the cache and
 *	the backend has not used it for a connection
 * @refused: the latter: the backend is told to forget the ring, and no socket
 *	gets it any more
 *
 * Context: any.
 * Return: true, or false if the link has ended and the ring is still the
 * caller's.
 */
bool pvc_cache_put(struct pvc_link *link, struct pvc_shm *shm, bool refused)
{
	struct pvc_cache *cache = &link->cache;
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&cache->lock, flags);
	taken = !cache->stopped;
	if (taken) {
		/* who takes it next pays next */
		if (shm->payers)
			pvc_shm_return(shm);
		shm->known = true;
		shm->refused = refused;
		shm->since = jiffies;
		/* those at the end go first */
		if (refused)
			list_add_tail(&shm->list, &cache->idle);
		else
			list_add(&shm->list, &cache->idle);
		pvc_cache_count(cache, 1);
		pvc_cache_arm(cache);
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	return taken;
}

/**
 * pvc_cache_drain() - free all cached rings, for somebody who gets none
 * @link: the link
 *
 * Context: process, sleeps, until the backend has let go of the rings;
 * killable. The wait ends after a second, which all who call meanwhile share.
 * Return: true if there were rings, and the backend has let go of them, unless
 * it could not be told; false if there were none, or the wait ended before.
 */
bool pvc_cache_drain(struct pvc_link *link)
{
	struct pvc_cache *cache = &link->cache;
	long left;

	spin_lock_irq(&cache->lock);
	if (cache->stopped || !cache->count || pvc_link_hung(link)) {
		spin_unlock_irq(&cache->lock);
		return false;
	}
	if (!cache->drain) {
		WRITE_ONCE(cache->drain, true);
		cache->drain_until = jiffies + HZ;
	}
	left = cache->drain_until - jiffies;
	pvc_queue_delayed_now(&cache->age);
	spin_unlock_irq(&cache->lock);
	if (left <= 0)
		return false;
	return wait_event_killable_timeout(cache->drained,
					   !READ_ONCE(cache->drain), left) > 0;
}

/**
 * pvc_cache_watch() - expect a response that nobody waits for
 * @link: the link
 *
 * The response is noticed within seconds, even if nothing else happens.
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
