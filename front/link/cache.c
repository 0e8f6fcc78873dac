// SPDX-License-Identifier: GPL-2.0
/*
 * Making a data ring costs more than a short connection: hundreds of pages, an
 * event channel, and hypercalls at both ends. So it stays when its socket has
 * gone, and serves the next one (feature-reuse).
 */
#include <linux/jiffies.h>
#include <linux/moduleparam.h>

#include "conn.h"
#include "dev.h"
#include "pool.h"
#include "ring.h"

static unsigned int reuse_rings = 32;

static int reuse_rings_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 4096);
}

static const struct kernel_param_ops reuse_rings_ops = {
	.set = reuse_rings_set,
	.get = param_get_uint,
};

module_param_cb(reuse_rings, &reuse_rings_ops, &reuse_rings, 0644);
MODULE_PARM_DESC(reuse_rings,
		 "Data rings that are kept for sockets to come, 0 to 4096 (default 32)");

static unsigned int reuse_seconds = 10;

static int reuse_seconds_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, 3600);
}

static const struct kernel_param_ops reuse_seconds_ops = {
	.set = reuse_seconds_set,
	.get = param_get_uint,
};

module_param_cb(reuse_seconds, &reuse_seconds_ops, &reuse_seconds, 0644);
MODULE_PARM_DESC(reuse_seconds,
		 "Seconds for which a data ring is kept for sockets to come, 1 to 3600 (default 10)");

static void pvc_pool_arm(struct pvc_pool *pool)
{
	lockdep_assert_held(&pool->lock);
	if (!pool->stopped)
		pvc_queue_delayed(&pool->age, HZ);
}

/* Rings that have been here for too long, or are too many. */
static unsigned int pvc_pool_old(struct pvc_dev *dev, struct list_head *old)
{
	unsigned long keep = READ_ONCE(reuse_seconds) * HZ;
	struct pvc_pool *pool = &dev->pool;
	unsigned int n = 0;
	struct pvc_shm *shm;

	spin_lock_irq(&pool->lock);
	while (!READ_ONCE(dev->dead) && !list_empty(&pool->idle) &&
	       n < PVCALLS_MAX_FORGET) {
		shm = list_last_entry(&pool->idle, struct pvc_shm, list);
		if (pool->count <= READ_ONCE(reuse_rings) &&
		    time_before(jiffies, shm->since + keep))
			break;
		list_move(&shm->list, old);
		pool->count--;
		n++;
	}
	spin_unlock_irq(&pool->lock);
	return n;
}

/*
 * Has the backend unmap rings, and frees them. With none it still makes the
 * backend answer, so that the responses come in which nobody waits for.
 */
static void pvc_pool_forget(struct pvc_dev *dev, struct list_head *old,
			    unsigned int n)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_FORGET };
	struct pvcalls_req_forget *args = (void *)&req.u;
	struct pvc_pool *pool = &dev->pool;
	struct pvc_shm *shm, *next;

	list_for_each_entry(shm, old, list)
		args->ref[args->count++] = shm->intf_ref;
	if (!n)
		args->count = 1;
	pvc_cmd_call(dev, &req, NULL);

	spin_lock_irq(&pool->lock);
	if (READ_ONCE(dev->dead)) {
		/* mapped still, perhaps: for pvc_pool_free() */
		list_splice_tail_init(old, &pool->idle);
		pool->count += n;
	}
	spin_unlock_irq(&pool->lock);
	list_for_each_entry_safe(shm, next, old, list) {
		list_del(&shm->list);
		pvc_conn_free_shm(dev, shm);
	}
}

static void pvc_pool_age(struct work_struct *work)
{
	struct pvc_pool *pool = container_of(to_delayed_work(work),
					     struct pvc_pool, age);
	struct pvc_dev *dev = container_of(pool, struct pvc_dev, pool);
	LIST_HEAD(old);
	unsigned int n;

	while ((n = pvc_pool_old(dev, &old)))
		pvc_pool_forget(dev, &old, n);
	if (pvc_cmd_unseen(dev))
		pvc_pool_forget(dev, &old, 0);

	spin_lock_irq(&pool->lock);
	if (pool->count || pvc_cmd_unseen(dev))
		pvc_pool_arm(pool);
	spin_unlock_irq(&pool->lock);
}

/**
 * pvc_pool_init() - no ring is kept
 * @dev: new connection
 */
void pvc_pool_init(struct pvc_dev *dev)
{
	struct pvc_pool *pool = &dev->pool;

	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->idle);
	INIT_DELAYED_WORK(&pool->age, pvc_pool_age);
}

/**
 * pvc_pool_stop() - keep no more rings
 * @dev: connection whose commands have been stopped
 *
 * Those that are there stay: the backend may still map them.
 *
 * Context: process, sleeps.
 */
void pvc_pool_stop(struct pvc_dev *dev)
{
	struct pvc_pool *pool = &dev->pool;

	spin_lock_irq(&pool->lock);
	pool->stopped = true;
	spin_unlock_irq(&pool->lock);
	cancel_delayed_work_sync(&pool->age);
}

/**
 * pvc_pool_free() - free the rings that are left
 * @dev: connection that has been stopped
 *
 * Context: process, may sleep.
 */
void pvc_pool_free(struct pvc_dev *dev)
{
	struct pvc_pool *pool = &dev->pool;
	struct pvc_shm *shm, *next;

	list_for_each_entry_safe(shm, next, &pool->idle, list) {
		list_del(&shm->list);
		pvc_conn_free_shm(dev, shm);
	}
	pool->count = 0;
}

/**
 * pvc_pool_wants() - would another ring be kept?
 * @dev: connection
 *
 * Context: any.
 * Return: true if so; pvc_pool_put() does not look again.
 */
bool pvc_pool_wants(struct pvc_dev *dev)
{
	return pvc_dev_has(dev, PVCALLS_F_REUSE) &&
	       READ_ONCE(dev->pool.count) < READ_ONCE(reuse_rings);
}

/**
 * pvc_pool_take() - a ring that was used before
 * @dev: connection
 * @min: least order
 * @max: largest order
 *
 * Context: process or interrupt; does not sleep.
 * Return: a ring, or NULL if there is none.
 */
struct pvc_shm *pvc_pool_take(struct pvc_dev *dev, unsigned int min,
			      unsigned int max)
{
	struct pvc_pool *pool = &dev->pool;
	struct pvc_shm *shm, *found = NULL;
	unsigned long flags;

	if (!READ_ONCE(pool->count))
		return NULL;
	spin_lock_irqsave(&pool->lock, flags);
	list_for_each_entry(shm, &pool->idle, list) {
		if (!pool->stopped && shm->order >= min && shm->order <= max) {
			list_del_init(&shm->list);
			pool->count--;
			found = shm;
			break;
		}
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	return found;
}

/**
 * pvc_pool_put() - keep a ring
 * @dev: connection
 * @shm: what its last socket has released with the hint, and the backend too
 *
 * Context: any.
 * Return: true if it is kept; false if the connection has ended.
 */
bool pvc_pool_put(struct pvc_dev *dev, struct pvc_shm *shm)
{
	struct pvc_pool *pool = &dev->pool;
	unsigned long flags;
	bool kept;

	spin_lock_irqsave(&pool->lock, flags);
	kept = !pool->stopped;
	if (kept) {
		shm->since = jiffies;
		list_add(&shm->list, &pool->idle);
		pool->count++;
		pvc_pool_arm(pool);
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	return kept;
}

/**
 * pvc_pool_watch() - there will be a response that nobody waits for
 * @dev: connection
 *
 * It is taken notice of within seconds, even if nothing else happens.
 *
 * Context: any.
 */
void pvc_pool_watch(struct pvc_dev *dev)
{
	struct pvc_pool *pool = &dev->pool;
	unsigned long flags;

	if (!pvc_dev_has(dev, PVCALLS_F_REUSE) ||
	    delayed_work_pending(&pool->age))
		return;
	spin_lock_irqsave(&pool->lock, flags);
	pvc_pool_arm(pool);
	spin_unlock_irqrestore(&pool->lock, flags);
}
