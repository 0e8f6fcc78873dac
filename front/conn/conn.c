// SPDX-License-Identifier: GPL-2.0
/* See conn.h. The object: its life, its references, its state. */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/socket.h>

#include "conn/conn.h"
#include "link/cache.h"
#include "link/work.h"
#include "pvcalls_param.h"
#include "trace.h"

PVCALLS_PARAM_UINT(max_sockets, 16384, 1, 1048576, 0644);
MODULE_PARM_DESC(max_sockets,
		 "Sockets that the guest may have at the backend, 1 to 1048576 (default 16384)");

/**
 * struct pvc_conn_rule - what is known of a state
 * @name: for the tracepoint, shorter than PVC_TRACE_STATE_LEN
 * @next: the states that may follow, a bit for each
 */
struct pvc_conn_rule {
	const char *name;
	u32 next;
};

static const struct pvc_conn_rule pvc_conn_rules[PVC_CONN_STATES] = {
	[PVC_CONN_NEW] = { "new",
		BIT(PVC_CONN_OPENED) | BIT(PVC_CONN_CONNECTING) |
		BIT(PVC_CONN_ACCEPTING) | BIT(PVC_CONN_RELEASED) |
		BIT(PVC_CONN_LINGERING) },
	[PVC_CONN_OPENED] = { "opened",
		BIT(PVC_CONN_BOUND) | BIT(PVC_CONN_CONNECTING) |
		BIT(PVC_CONN_RELEASING) },
	[PVC_CONN_BOUND] = { "bound",
		BIT(PVC_CONN_CONNECTING) | BIT(PVC_CONN_LISTENING) |
		BIT(PVC_CONN_RELEASING) },
	[PVC_CONN_CONNECTING] = { "connecting",
		BIT(PVC_CONN_CONNECTED) | BIT(PVC_CONN_FAILED) |
		BIT(PVC_CONN_RELEASING) },
	[PVC_CONN_ACCEPTING] = { "accepting",
		BIT(PVC_CONN_CONNECTED) | BIT(PVC_CONN_RELEASED) },
	[PVC_CONN_CONNECTED] = { "connected",
		BIT(PVC_CONN_DRAINING) | BIT(PVC_CONN_RELEASING) },
	[PVC_CONN_LISTENING] = { "listening",
		BIT(PVC_CONN_FAILED) | BIT(PVC_CONN_RELEASING) },
	[PVC_CONN_FAILED] = { "failed", BIT(PVC_CONN_RELEASING) },
	[PVC_CONN_DRAINING] = { "draining",
		BIT(PVC_CONN_RELEASING) | BIT(PVC_CONN_RELEASED) },
	[PVC_CONN_RELEASING] = { "releasing",
		BIT(PVC_CONN_RELEASED) | BIT(PVC_CONN_REUSABLE) },
	[PVC_CONN_RELEASED] = { "released", BIT(PVC_CONN_LINGERING) },
	[PVC_CONN_REUSABLE] = { "reusable", BIT(PVC_CONN_LINGERING) },
	[PVC_CONN_LINGERING] = { "lingering", 0 },
};

/**
 * pvc_conn_move() - change the state of a connection
 * @c: connection
 * @to: the state from now on
 *
 * All that was written before is visible to whoever sees the new state with
 * smp_load_acquire().
 *
 * Context: any; with the lock held, unless nobody else can change the state:
 * nobody else knows the connection yet, or its RELEASE has just ended.
 */
void pvc_conn_move(struct pvc_conn *c, enum pvc_conn_state to)
{
	const struct pvc_conn_rule *rule = &pvc_conn_rules[c->state];

	WARN_ON_ONCE(!(rule->next & BIT(to)));
	trace_conn_state(c->link->otherend, c->id, rule->name,
			 pvc_conn_rules[to].name);
	/* pairs with smp_load_acquire() in pvc_connect_result() */
	smp_store_release(&c->state, to);
}

/**
 * pvc_conn_max() - how many connections may there be?
 *
 * Context: any.
 * Return: number on all links together, 1 to 1048576.
 */
unsigned int pvc_conn_max(void)
{
	return READ_ONCE(param_max_sockets);
}

/* Charges a new connection. */
static int pvc_conn_charge(struct pvc_conn *c, struct pvc_payers *payers)
{
	int ret;

	c->payers = pvc_payers_hold(payers);
	ret = pvc_budget_charge(c->payers, PVC_KIND_SOCKETS, 1, pvc_conn_max());
	if (ret) {
		pvc_budget_refused(c->payers);
		goto err_put;
	}
	ret = pvc_budget_take(PVC_KIND_SOCKETS, 1, pvc_conn_max());
	if (!ret)
		return 0;
	pvc_budget_uncharge(c->payers, PVC_KIND_SOCKETS, 1);
err_put:
	pvc_payers_put(c->payers);
	return -ENOBUFS;
}

static void pvc_conn_uncharge(struct pvc_conn *c)
{
	pvc_budget_give(PVC_KIND_SOCKETS, 1);
	pvc_budget_uncharge(c->payers, PVC_KIND_SOCKETS, 1);
	pvc_payers_put(c->payers);
}

/* Frees a connection that has no ring any more. Any context. */
static void pvc_conn_destroy(struct pvc_conn *c)
{
	struct pvc_link *link = c->link;
	unsigned long flags;

	spin_lock_irqsave(&link->conns_lock, flags);
	list_del(&c->list);
	spin_unlock_irqrestore(&link->conns_lock, flags);
	pvc_cmd_fini(&c->cmds.op);
	pvc_cmd_fini(&c->cmds.release);
	if (c->listener)
		pvc_conn_put(c->listener);
	pvc_conn_uncharge(c);
	pvc_link_put(link);
	kfree(c);
}

/*
 * Gives the ring of a connection that nobody uses to the cache, if possible. A
 * ring that has come from the cache goes back to it if the backend has refused
 * the connection: only FORGET has the backend let go of such a ring, and a port
 * that it could not bind for want of memory stays bound in Linux. A ring that
 * was freed without it would leave its event channel's port to another ring,
 * which the backend takes for one that shares the channel.
 */
static void pvc_conn_recycle(struct pvc_conn *c)
{
	bool refused = c->state != PVC_CONN_REUSABLE;
	struct pvc_shm *shm = c->ring.shm;

	if (!shm || (refused && !shm->known))
		return;
	pvc_ring_detach(&c->ring);
	if (pvc_cache_put(c->link, shm, refused))
		c->ring.shm = NULL;
}

/*
 * Is a connection to wait until the backend has unmapped its ring? Pages that
 * are still mapped could be freed at once, but the kernel would then take their
 * grants back one by one, ten in a second.
 */
static bool pvc_conn_linger(struct pvc_conn *c)
{
	struct pvc_link *link = c->link;
	bool lingers;

	spin_lock_irq(&link->conns_lock);
	lingers = c->ring.shm && pvc_link_ended(link) && !link->let_go;
	if (lingers)
		pvc_conn_move(c, PVC_CONN_LINGERING);
	spin_unlock_irq(&link->conns_lock);
	return lingers;
}

static void pvc_conn_free_work(struct work_struct *work)
{
	struct pvc_conn *c = container_of(work, struct pvc_conn, free_work);

	pvc_conn_recycle(c);
	if (pvc_conn_linger(c))
		return;
	if (c->ring.shm) {
		pvc_ring_detach(&c->ring);
		pvc_shm_free(c->link, c->ring.shm);
	}
	pvc_conn_destroy(c);
}

static void pvc_conn_free(struct kref *ref)
{
	struct pvc_conn *c = container_of(ref, struct pvc_conn, ref);

	pvc_queue_work(&c->free_work);
}

/*
 * Frees a connection at once if that takes no sleep. The caller holds no lock
 * that the cache or the link takes.
 */
static void pvc_conn_free_now(struct kref *ref)
{
	struct pvc_conn *c = container_of(ref, struct pvc_conn, ref);

	pvc_conn_recycle(c);
	if (c->ring.shm)
		pvc_conn_free(ref);
	else
		pvc_conn_destroy(c);
}

/**
 * pvc_conn_put() - drop a reference
 * @c: connection
 *
 * Context: any.
 */
void pvc_conn_put(struct pvc_conn *c)
{
	kref_put(&c->ref, pvc_conn_free);
}

/**
 * pvc_conn_is_dgram() - is the backend's socket one of datagrams?
 * @c: connection
 *
 * Context: any.
 * Return: true if so, false for a stream.
 */
bool pvc_conn_is_dgram(const struct pvc_conn *c)
{
	return c->type == SOCK_DGRAM;
}

/**
 * pvc_conn_submit() - submit one of a connection's commands
 * @c: connection; a reference is held until the command's done(), which drops
 *	it
 * @cmd: one of &pvc_conn.cmds
 *
 * Context: any.
 * Return: 0, or -ENOTCONN if the link has ended.
 */
int pvc_conn_submit(struct pvc_conn *c, struct pvc_cmd *cmd)
{
	int ret;

	pvc_conn_hold(c);
	ret = pvc_cmd_submit(cmd);
	if (ret)
		pvc_conn_put(c);
	return ret;
}

static void pvc_conn_release_done(struct pvc_cmd *cmd)
{
	struct pvc_conn *c = container_of(cmd, struct pvc_conn, cmds.release);
	bool reusable = !cmd->rsp.ret && cmd->req.u.release.reuse;
	unsigned long flags;
	bool late;

	pvc_conn_move(c, reusable ? PVC_CONN_REUSABLE : PVC_CONN_RELEASED);
	complete_all(&c->over);
	/* pvc_conn_await_port() looks at the completion with the lock held */
	spin_lock_irqsave(&c->lock, flags);
	late = c->late;
	spin_unlock_irqrestore(&c->lock, flags);
	if (late)
		pvc_link_answered(c->link);
	kref_put(&c->ref, pvc_conn_free_now);
}

/**
 * pvc_conn_release() - have the backend release its socket
 * @c: connection in state RELEASING
 *
 * Context: any.
 */
void pvc_conn_release(struct pvc_conn *c)
{
	if (!pvc_conn_submit(c, &c->cmds.release))
		return;
	pvc_conn_move(c, PVC_CONN_RELEASED);
	complete_all(&c->over);
}

/* Tells a program's socket, in process context, what has happened */
static work_func_t pvc_conn_waker;

/**
 * pvc_conn_set_waker() - say what tells programs' sockets what has happened
 * @waker: function of pvc_conn.wake_work
 *
 * Context: module initialisation, before the first connection.
 */
void pvc_conn_set_waker(work_func_t waker)
{
	pvc_conn_waker = waker;
}

/**
 * pvc_conn_new() - make a connection that the backend does not know yet
 * @link: the link; a reference is taken
 * @payers: who pays
 * @family: AF_INET or AF_INET6
 * @type: SOCK_STREAM, or SOCK_DGRAM with feature-dgram
 * @protocol: protocol of datagrams
 *
 * Context: process, may sleep.
 * Return: the connection with one reference, or an error pointer: -ENOMEM, or
 * -ENOBUFS if the user has his share of sockets or if there are enough.
 */
struct pvc_conn *pvc_conn_new(struct pvc_link *link, struct pvc_payers *payers,
			      int family, int type, int protocol)
{
	struct pvc_conn *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!c)
		return ERR_PTR(-ENOMEM);
	ret = pvc_conn_charge(c, payers);
	if (ret)
		goto err_free;
	kref_init(&c->ref);
	spin_lock_init(&c->lock);
	mutex_init(&c->rx_mutex);
	mutex_init(&c->tx_mutex);
	init_completion(&c->over);
	INIT_WORK(&c->free_work, pvc_conn_free_work);
	INIT_WORK(&c->wake_work, pvc_conn_waker);
	INIT_LIST_HEAD(&c->acceptq.conns);
	INIT_LIST_HEAD(&c->accept_node);
	c->family = family;
	c->type = type;
	c->protocol = type == SOCK_STREAM ? IPPROTO_IP : protocol;
	c->id = atomic64_inc_return(&link->next_id);
	ret = pvc_cmd_init(&c->cmds.release, link, PVCALLS_RELEASE,
			   pvc_conn_release_done);
	if (ret)
		goto err_uncharge;
	c->cmds.release.req.u.release.id = c->id;

	kref_get(&link->ref);
	c->link = link;
	spin_lock_irq(&link->conns_lock);
	list_add_tail(&c->list, &link->conns);
	spin_unlock_irq(&link->conns_lock);
	return c;

err_uncharge:
	pvc_conn_uncharge(c);
err_free:
	kfree(c);
	return ERR_PTR(ret);
}

/**
 * pvc_conn_for_each() - do something with all connections of a link
 * @link: the link
 * @fn: called with each connection, of which a reference is held meanwhile, and
 *	without a lock
 * @arg: second argument of @fn
 *
 * Context: process, may sleep if @fn does.
 */
void pvc_conn_for_each(struct pvc_link *link,
		       void (*fn)(struct pvc_conn *c, void *arg), void *arg)
{
	struct pvc_conn *c, *prev = NULL;

	/* the reference keeps @c in the list while the lock is not held */
	spin_lock_irq(&link->conns_lock);
	list_for_each_entry(c, &link->conns, list) {
		if (!kref_get_unless_zero(&c->ref))
			continue;
		spin_unlock_irq(&link->conns_lock);
		if (prev)
			pvc_conn_put(prev);
		fn(c, arg);
		prev = c;
		spin_lock_irq(&link->conns_lock);
	}
	spin_unlock_irq(&link->conns_lock);
	if (prev)
		pvc_conn_put(prev);
}

/**
 * pvc_conn_free_all() - free all connections that linger
 * @link: link whose backend maps nothing any more
 *
 * Context: process; does not sleep.
 */
void pvc_conn_free_all(struct pvc_link *link)
{
	struct pvc_conn *c;

	spin_lock_irq(&link->conns_lock);
	link->let_go = true;
	list_for_each_entry(c, &link->conns, list)
		if (READ_ONCE(c->state) == PVC_CONN_LINGERING)
			pvc_queue_work(&c->free_work);
	spin_unlock_irq(&link->conns_lock);
}
