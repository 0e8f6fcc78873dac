// SPDX-License-Identifier: GPL-2.0
/* See conn.h. Life and connecting; closing is in close.c. */
#include <linux/module.h>
#include <linux/slab.h>
#include <net/sock.h>
#include <xen/events.h>

#include "conn/conn.h"

static struct workqueue_struct *pvcalls_wq;

/* Frees an object that has no ring any more. Any context. */
static void pvc_conn_destroy(struct pvc_conn *c)
{
	struct pvc_link *link = c->link;
	unsigned long flags;

	spin_lock_irqsave(&link->conns_lock, flags);
	list_del(&c->list);
	spin_unlock_irqrestore(&link->conns_lock, flags);
	pvc_cmd_fini(&c->open);
	pvc_cmd_fini(&c->op);
	pvc_cmd_fini(&c->rel);
	if (c->listener)
		pvc_conn_put(c->listener);
	pvc_link_put(link);
	kfree(c);
}

/* Takes the ring from an object that nobody uses, if it can be kept. */
static void pvc_conn_recycle(struct pvc_conn *c)
{
	if (!c->reusable)
		return;
	pvc_ring_detach(&c->ring);
	c->has_ring = !pvc_cache_put(c->link, c->ring.shm);
}

/*
 * Pages that are mapped still can be freed, but the kernel then takes grants
 * back one by one, ten in a second.
 */
static bool pvc_conn_linger(struct pvc_conn *c)
{
	struct pvc_link *link = c->link;
	bool lingers;

	spin_lock_irq(&link->conns_lock);
	lingers = c->has_ring && READ_ONCE(link->dead) && !link->let_go;
	c->lingers = lingers;
	spin_unlock_irq(&link->conns_lock);
	return lingers;
}

static void pvc_conn_free_work(struct work_struct *work)
{
	struct pvc_conn *c = container_of(work, struct pvc_conn, free_work);

	if (c->has_ring)
		pvc_conn_recycle(c);
	if (pvc_conn_linger(c))
		return;
	if (c->has_ring) {
		pvc_ring_detach(&c->ring);
		pvc_conn_free_shm(c->link, c->ring.shm);
	}
	pvc_conn_destroy(c);
}

static void pvc_conn_free(struct kref *ref)
{
	struct pvc_conn *c = container_of(ref, struct pvc_conn, ref);

	queue_work(pvcalls_wq, &c->free_work);
}

/* The same where no lock is held that it needs; now, if it need not sleep. */
static void pvc_conn_free_now(struct kref *ref)
{
	struct pvc_conn *c = container_of(ref, struct pvc_conn, ref);

	pvc_conn_recycle(c);
	if (c->has_ring)
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
 * pvc_conn_submit() - submit one of a connection's commands
 * @c: connection; a reference is held until the command's done(), which drops
 *	it
 * @cmd: &pvc_conn.open, op or rel
 *
 * Context: any.
 * Return: 0 or -ENOTCONN.
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

static void pvc_conn_open_done(struct pvc_cmd *cmd)
{
	struct pvc_conn *c = container_of(cmd, struct pvc_conn, open);
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (cmd->rsp.ret)
		c->err = cmd->rsp.ret;
	spin_unlock_irqrestore(&c->lock, flags);
	pvc_conn_put(c);
}

static void pvc_conn_rel_done(struct pvc_cmd *cmd)
{
	struct pvc_conn *c = container_of(cmd, struct pvc_conn, rel);

	c->reusable = c->has_ring && !cmd->rsp.ret &&
		      cmd->req.u.release.reuse;
	complete_all(&c->released);
	kref_put(&c->ref, pvc_conn_free_now);
}

/**
 * pvc_conn_new() - a socket object that the backend does not know yet
 * @link: connection to the backend; a reference is taken
 * @family: AF_INET or AF_INET6
 * @type: SOCK_STREAM, or SOCK_DGRAM with feature-dgram
 * @protocol: of datagrams
 *
 * Context: process, may sleep.
 * Return: the object with one reference, or NULL without memory.
 */
struct pvc_conn *pvc_conn_new(struct pvc_link *link, int family, int type,
			      int protocol)
{
	struct pvc_conn *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	kref_init(&c->ref);
	spin_lock_init(&c->lock);
	mutex_init(&c->rx_mutex);
	mutex_init(&c->tx_mutex);
	init_completion(&c->released);
	INIT_WORK(&c->free_work, pvc_conn_free_work);
	INIT_WORK(&c->wake_work, pvc_wake_work);
	INIT_LIST_HEAD(&c->acceptq);
	INIT_LIST_HEAD(&c->accept_node);
	c->family = family;
	c->id = atomic64_inc_return(&link->next_id);
	if (pvc_cmd_init(&c->open, link, PVCALLS_SOCKET, pvc_conn_open_done) ||
	    pvc_cmd_init(&c->rel, link, PVCALLS_RELEASE, pvc_conn_rel_done)) {
		pvc_cmd_fini(&c->open);
		kfree(c);
		return NULL;
	}
	c->rel.req.u.release.id = c->id;
	c->open.req.u.socket.id = c->id;
	c->open.req.u.socket.domain = family;
	c->open.req.u.socket.type = type;
	c->open.req.u.socket.protocol = type == SOCK_STREAM ? IPPROTO_IP :
							      protocol;

	kref_get(&link->ref);
	c->link = link;
	spin_lock_irq(&link->conns_lock);
	list_add_tail(&c->list, &link->conns);
	spin_unlock_irq(&link->conns_lock);
	return c;
}

/**
 * pvc_conn_open() - create the backend's socket
 * @c: new object
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_conn_open(struct pvc_conn *c)
{
	int ret;

	c->opened = true;
	ret = pvc_cmd_call(c->link, &c->open.req, NULL);
	/* killed: the backend may still create it */
	if (ret && ret != -EINTR)
		c->opened = false;
	return ret;
}

/**
 * pvc_conn_open_nowait() - the same without waiting
 * @c: new object
 *
 * If it fails, then so does the connect() that follows: both cost one round
 * trip together.
 *
 * Context: any.
 * Return: 0 or -ENOTCONN.
 */
int pvc_conn_open_nowait(struct pvc_conn *c)
{
	c->opened = true;
	c->open.lazy = true;
	return pvc_conn_submit(c, &c->open);
}

/**
 * pvc_conn_bind() - bind the backend's socket
 * @c: open object
 * @want: address
 *
 * Sets @c->local to the address bound, as far as the backend tells.
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_conn_bind(struct pvc_conn *c, const struct pvc_addr *want)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_BIND };
	struct pvcalls_response rsp;
	int ret;

	req.u.bind.id = c->id;
	req.u.bind.len = want->len;
	memcpy(req.u.bind.addr, want->raw, sizeof(req.u.bind.addr));
	ret = pvc_cmd_call(c->link, &req, &rsp);
	if (ret)
		return ret;
	if (pvc_link_has(c->link, PVCALLS_F_NAMES))
		pvc_addr_from_rsp(&rsp.u.name, &c->local);
	if (!c->local.len)
		c->local = *want;
	c->bound = true;
	return 0;
}

/* Call with link->conns_lock held. */
static bool pvc_conn_shares(const struct pvc_conn *c, const struct pvc_conn *o)
{
	return o != c && o->bound && !READ_ONCE(o->closing) &&
	       !uid_eq(o->uid, c->uid) && o->local.len == c->local.len &&
	       !memcmp(o->local.raw, c->local.raw, c->local.len);
}

/**
 * pvc_conn_is_shared() - is it bound to what another user has bound?
 * @c: bound object
 *
 * With SO_REUSEPORT the backend lets sockets share an address that are the
 * guest's, whoever in the guest they belong to. TCP and UDP let only those of
 * one user.
 *
 * Context: process; does not sleep.
 * Return: true if so.
 */
bool pvc_conn_is_shared(struct pvc_conn *c)
{
	struct pvc_link *link = c->link;
	bool shared = false;
	struct pvc_conn *o;

	spin_lock_irq(&link->conns_lock);
	list_for_each_entry(o, &link->conns, list) {
		shared = pvc_conn_shares(c, o);
		if (shared)
			break;
	}
	spin_unlock_irq(&link->conns_lock);
	return shared;
}

/**
 * pvc_conn_listen() - make the backend's socket passive
 * @c: bound object, or one that listens already
 * @backlog: as in listen()
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_conn_listen(struct pvc_conn *c, int backlog)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_LISTEN };
	int ret;

	req.u.listen.id = c->id;
	req.u.listen.backlog = backlog;
	ret = pvc_cmd_call(c->link, &req, NULL);
	if (ret)
		return ret;
	spin_lock_irq(&c->lock);
	c->state = PVC_CONN_LISTENING;
	c->target = max(c->target, 1U);
	spin_unlock_irq(&c->lock);
	return 0;
}

/* Call with c->lock held. */
static void pvc_conn_fail(struct pvc_conn *c)
{
	struct sock *sk = c->sk;

	if (sk) {
		WRITE_ONCE(sk->sk_err, -c->err);
		if (sk->sk_type == SOCK_STREAM)
			WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	}
	/* who sees the state sees why */
	smp_store_release(&c->state, PVC_CONN_FAILED);
	if (sk)
		pvc_wake(c, PVC_WAKE_STATE | PVC_WAKE_ERROR);
}

static void pvc_conn_connect_done(struct pvc_cmd *cmd)
{
	struct pvc_conn *c = container_of(cmd, struct pvc_conn, op);
	int ret = cmd->rsp.ret;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (!c->err)
		c->err = ret;
	if (c->err) {
		pvc_conn_fail(c);
	} else {
		if (pvc_link_has(c->link, PVCALLS_F_NAMES))
			pvc_addr_from_rsp(&cmd->rsp.u.name, &c->local);
		c->state = PVC_CONN_CONNECTED;
		if (c->sk) {
			pvc_wake(c, PVC_WAKE_STATE);
			sk_wake_async(c->sk, SOCK_WAKE_IO, POLL_OUT);
		}
	}
	spin_unlock_irqrestore(&c->lock, flags);
	pvc_conn_put(c);
}

/**
 * pvc_conn_connect() - begin to connect
 * @c: open object, or a new one with feature-open
 * @sk: the program's socket, told when it is done
 * @to: address
 *
 * Context: process, may sleep; does not wait for the backend.
 * Return: 0 if it is under way, or a negative error.
 */
int pvc_conn_connect(struct pvc_conn *c, struct sock *sk,
		     const struct pvc_addr *to)
{
	struct xen_pvcalls_connect *req = &c->op.req.u.connect;
	int ret;

	ret = pvc_conn_add_ring(c, sk);
	if (!ret)
		ret = pvc_cmd_init(&c->op, c->link, PVCALLS_CONNECT,
				   pvc_conn_connect_done);
	if (ret)
		return ret;
	req->id = c->id;
	memcpy(req->addr, to->raw, sizeof(req->addr));
	req->len = to->len;
	req->ref = c->ring.shm->intf_ref;
	req->evtchn = c->ring.shm->evtchn->port;
	if (!c->opened)
		req->flags = PVCALLS_CONNECT_OPEN;
	c->opened = true;
	c->peer = *to;

	spin_lock_irq(&c->lock);
	c->sk = sk;
	c->state = PVC_CONN_CONNECTING;
	spin_unlock_irq(&c->lock);

	return pvc_conn_submit(c, &c->op);
}

/**
 * pvc_conn_getname() - ask for an address that is not known yet
 * @c: object that the backend knows
 * @peer: whose; the result goes to @c->peer or @c->local
 *
 * Context: process, sleeps; killable.
 * Return: 0, also where the backend cannot tell, or a negative error.
 */
int pvc_conn_getname(struct pvc_conn *c, bool peer)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_GETNAME };
	struct pvcalls_req_getname *args = (void *)&req.u;
	struct pvc_addr *a = peer ? &c->peer : &c->local;
	struct pvcalls_response rsp;
	struct pvc_addr got;
	int ret;

	if (a->len || !pvc_link_has(c->link, PVCALLS_F_NAMES))
		return 0;
	args->id = c->id;
	args->peer = peer;
	ret = pvc_cmd_call(c->link, &req, &rsp);
	if (ret)
		return ret;
	pvc_addr_from_rsp(&rsp.u.name, &got);
	spin_lock_irq(&c->lock);
	*a = got;
	spin_unlock_irq(&c->lock);
	return 0;
}

/**
 * pvc_conn_for_each() - do something with all sockets of a connection
 * @link: connection to the backend
 * @fn: called with each, which is held meanwhile, and without a lock
 * @arg: for @fn
 *
 * Context: process, may sleep if @fn does.
 */
void pvc_conn_for_each(struct pvc_link *link,
		       void (*fn)(struct pvc_conn *c, void *arg), void *arg)
{
	struct pvc_conn *c, *prev = NULL;

	/* each is held while the list's lock is not */
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
 * pvc_conn_free_all() - free what the backend may have had mapped until now
 * @link: connection that has ended
 *
 * Context: process; does not sleep.
 */
void pvc_conn_free_all(struct pvc_link *link)
{
	struct pvc_conn *c;

	spin_lock_irq(&link->conns_lock);
	link->let_go = true;
	list_for_each_entry(c, &link->conns, list)
		if (c->lingers)
			queue_work(pvcalls_wq, &c->free_work);
	spin_unlock_irq(&link->conns_lock);
}

/**
 * pvc_queue_work() - run something in process context
 * @work: what; done before the module goes
 *
 * Context: any.
 * Return: false if it is queued already.
 */
bool pvc_queue_work(struct work_struct *work)
{
	return queue_work(pvcalls_wq, work);
}

/**
 * pvc_queue_delayed() - the same, later
 * @work: what; cancelled before the module goes
 * @delay: in jiffies
 *
 * Context: any.
 */
void pvc_queue_delayed(struct delayed_work *work, unsigned long delay)
{
	queue_delayed_work(pvcalls_wq, work, delay);
}

/**
 * pvc_conn_init() - set up what all connections share
 *
 * Return: 0 or -ENOMEM.
 */
int pvc_conn_init(void)
{
	pvc_order_init();
	pvcalls_wq = alloc_workqueue("pvcalls", WQ_UNBOUND, 0);
	return pvcalls_wq ? 0 : -ENOMEM;
}

/**
 * pvc_conn_exit() - wait until the last connection has been freed
 *
 * Call it when no device and no socket is left.
 *
 * Context: process, sleeps.
 */
void pvc_conn_exit(void)
{
	destroy_workqueue(pvcalls_wq);
}
