// SPDX-License-Identifier: GPL-2.0
/*
 * See conn.h. Connections that come in. ACCEPTs are posted ahead of accept():
 * so poll() knows without asking whether a listening socket is readable, and
 * accept() mostly finds a connection that is ready to use.
 */
#include <net/sock.h>

#include "conn/conn.h"

/* ACCEPTs that a listener may have posted at once, with feature-defer */
#define PVC_MAX_POSTED	4

/*
 * Puts a connection that came in, or the error of an ACCEPT, into the accept
 * queue. Gives false if the listener has been closed. Call with l->lock held.
 */
static bool pvc_acceptq_add(struct pvc_conn *l, struct pvc_conn *c, int err)
{
	struct pvc_acceptq *q = &l->acceptq;

	q->posted--;
	if (err) {
		/* the next backend gets new ACCEPTs: accept() waits on */
		if (!pvc_link_ended(l->link))
			WRITE_ONCE(q->err, err);
		return true;
	}
	if (pvc_conn_gone(l))
		return false;
	list_add_tail(&c->accept_node, &q->conns);
	WRITE_ONCE(q->queued, q->queued + 1);
	/* a busy listener gets more connections ahead of accept() */
	if (pvc_link_has(l->link, PVCALLS_F_DEFER) &&
	    q->target < PVC_MAX_POSTED)
		q->target++;
	return true;
}

static void pvc_accept_done(struct pvc_cmd *cmd)
{
	struct pvc_conn *c = container_of(cmd, struct pvc_conn, cmds.op);
	struct pvc_conn *l = c->listener;
	int ret = cmd->rsp.ret;
	unsigned long flags;
	bool taken;

	if (!ret && pvc_link_has(c->link, PVCALLS_F_NAMES))
		pvc_addr_from_rsp(&cmd->rsp.u.name, &c->peer);
	/* no lock: nobody else knows the connection yet */
	if (!ret)
		c->ring.shm->known = false;
	pvc_conn_move(c, ret ? PVC_CONN_RELEASED : PVC_CONN_CONNECTED);
	spin_lock_irqsave(&l->lock, flags);
	taken = pvc_acceptq_add(l, c, ret);
	if (l->sk)
		pvc_wake(l, PVC_WAKE_DATA);
	spin_unlock_irqrestore(&l->lock, flags);

	if (!taken)
		pvc_conn_close(c, true);
	/* the accept queue has the first reference, the command the second */
	if (!taken || ret)
		pvc_conn_put(c);
	pvc_conn_put(c);
}

/* Lets the backend have one more ACCEPT, with a new connection. */
static int pvc_post_accept(struct pvc_conn *l)
{
	struct pvc_conn *c = pvc_conn_new(l->link, l->payers, l->family,
					  SOCK_STREAM, 0);
	struct xen_pvcalls_accept *req;
	int ret;

	if (IS_ERR(c))
		return PTR_ERR(c);
	c->listener = pvc_conn_hold(l);
	ret = pvc_conn_add_ring(c, NULL);
	if (!ret)
		ret = pvc_cmd_init(&c->cmds.op, c->link, PVCALLS_ACCEPT,
				   pvc_accept_done);
	if (ret)
		goto err_put;
	req = &c->cmds.op.req.u.accept;
	req->id = l->id;
	req->id_new = c->id;
	req->ref = c->ring.shm->intf_ref;
	req->evtchn = c->ring.shm->sub.evtchn->port;
	pvc_conn_move(c, PVC_CONN_ACCEPTING);
	ret = pvc_conn_submit(c, &c->cmds.op);
	if (!ret)
		return 0;
	pvc_conn_move(c, PVC_CONN_RELEASED);
err_put:
	pvc_conn_put(c);
	return ret;
}

/* No ACCEPT could be posted. Call with l->lock held. */
static void pvc_accept_unposted(struct pvc_conn *l, int err)
{
	struct pvc_acceptq *q = &l->acceptq;

	q->posted--;
	/* accept() can do with fewer, but not with none */
	if (q->posted || q->queued || pvc_link_ended(l->link))
		return;
	WRITE_ONCE(q->err, err);
	/* all who sleep in accept() are to try by themselves, but once */
	if (l->sk && !q->starved)
		pvc_wake(l, PVC_WAKE_STATE | PVC_WAKE_DATA);
	q->starved = true;
}

/**
 * pvc_conn_post_accepts() - let the backend have as many ACCEPTs as it should
 * @l: listener, or a connection that has been one
 *
 * Context: process, may sleep; waits for the backend for a second at most, and
 * only if rings have run out and idle ones are to be freed.
 */
void pvc_conn_post_accepts(struct pvc_conn *l)
{
	struct pvc_acceptq *q = &l->acceptq;
	bool want;
	int ret;

	for (;;) {
		spin_lock_irq(&l->lock);
		/* no endless loop: accept() takes the error first */
		want = l->state == PVC_CONN_LISTENING && !q->err &&
		       q->posted + q->queued < q->target;
		if (want)
			q->posted++;
		spin_unlock_irq(&l->lock);
		if (!want)
			return;
		ret = pvc_post_accept(l);
		spin_lock_irq(&l->lock);
		if (ret)
			pvc_accept_unposted(l, ret);
		else
			q->starved = false;
		spin_unlock_irq(&l->lock);
		if (ret)
			return;
	}
}

/**
 * pvc_conn_accept() - take the next connection that has come in
 * @l: listener, or a connection that has been one
 *
 * Context: process; does not sleep.
 * Return: the connection with the accept queue's reference; NULL if there is
 * none; or an error pointer that says why the backend could not accept.
 */
struct pvc_conn *pvc_conn_accept(struct pvc_conn *l)
{
	struct pvc_acceptq *q = &l->acceptq;
	struct pvc_conn *c;
	int err = 0;

	spin_lock_irq(&l->lock);
	c = list_first_entry_or_null(&q->conns, struct pvc_conn, accept_node);
	if (c) {
		list_del_init(&c->accept_node);
		WRITE_ONCE(q->queued, q->queued - 1);
	} else {
		err = q->err;
		WRITE_ONCE(q->err, 0);
	}
	spin_unlock_irq(&l->lock);
	return err ? ERR_PTR(err) : c;
}

/**
 * pvc_conn_unaccept() - undo pvc_conn_accept()
 * @l: listener, or a connection that has been one
 * @c: the connection; the caller's reference is taken over
 *
 * Context: process; does not sleep.
 */
void pvc_conn_unaccept(struct pvc_conn *l, struct pvc_conn *c)
{
	struct pvc_acceptq *q = &l->acceptq;
	bool gone;

	spin_lock_irq(&l->lock);
	gone = pvc_conn_gone(l);
	if (!gone) {
		list_add(&c->accept_node, &q->conns);
		WRITE_ONCE(q->queued, q->queued + 1);
		/* another thread may have found the queue empty meanwhile */
		if (l->sk)
			pvc_wake(l, PVC_WAKE_DATA);
	}
	spin_unlock_irq(&l->lock);
	if (gone) {
		pvc_conn_close(c, true);
		pvc_conn_put(c);
	}
}
