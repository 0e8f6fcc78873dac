// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that come in. ACCEPTs are posted ahead of accept(), so that
 * whether a listening socket is readable is known here without asking, and
 * accept() mostly finds a connection that is ready to use.
 */
#include <net/sock.h>

#include "conn/conn.h"

/* With feature-defer a listening socket may have this many posted at once */
#define PVC_MAX_POSTED	4

static void pvc_accept_done(struct pvc_cmd *cmd)
{
	struct pvc_conn *c = container_of(cmd, struct pvc_conn, op);
	struct pvc_conn *l = c->listener;
	int ret = cmd->rsp.ret;
	bool orphan = false;
	unsigned long flags;

	if (!ret) {
		c->opened = true;
		c->state = PVC_CONN_CONNECTED;
		if (pvc_link_has(c->link, PVCALLS_F_NAMES))
			pvc_addr_from_rsp(&cmd->rsp.u.name, &c->peer);
	}
	spin_lock_irqsave(&l->lock, flags);
	l->posted--;
	if (ret) {
		l->accept_err = ret;
	} else if (l->closing) {
		orphan = true;
	} else {
		list_add_tail(&c->accept_node, &l->acceptq);
		l->queued++;
		if (pvc_link_has(l->link, PVCALLS_F_DEFER) &&
		    l->target < PVC_MAX_POSTED)
			l->target++;
	}
	if (l->sk)
		pvc_wake(l, PVC_WAKE_DATA);
	spin_unlock_irqrestore(&l->lock, flags);

	if (orphan)
		pvc_conn_close(c, true);
	if (orphan || ret)
		pvc_conn_put(c);
	pvc_conn_put(c);
}

static int pvc_post_accept(struct pvc_conn *l)
{
	struct pvc_conn *c = pvc_conn_new(l->link, l->family, SOCK_STREAM, 0);
	struct xen_pvcalls_accept *req;
	int ret;

	if (!c)
		return -ENOMEM;
	c->listener = pvc_conn_hold(l);
	ret = pvc_conn_add_ring(c, NULL);
	if (!ret)
		ret = pvc_cmd_init(&c->op, c->link, PVCALLS_ACCEPT,
				   pvc_accept_done);
	if (!ret) {
		req = &c->op.req.u.accept;
		req->id = l->id;
		req->id_new = c->id;
		req->ref = c->ring.shm->intf_ref;
		req->evtchn = c->ring.shm->evtchn->port;
		ret = pvc_conn_submit(c, &c->op);
	}
	if (ret)
		pvc_conn_put(c);
	return ret;
}

/**
 * pvc_conn_post_accepts() - let the backend have as many ACCEPTs as it should
 * @l: passive object
 *
 * Context: process, may sleep; does not wait for the backend.
 */
void pvc_conn_post_accepts(struct pvc_conn *l)
{
	bool want;
	int ret;

	for (;;) {
		spin_lock_irq(&l->lock);
		want = l->state == PVC_CONN_LISTENING && !l->closing &&
		       l->posted + l->queued < l->target;
		if (want)
			l->posted++;
		spin_unlock_irq(&l->lock);
		if (!want)
			return;
		ret = pvc_post_accept(l);
		if (ret) {
			spin_lock_irq(&l->lock);
			l->posted--;
			/* fewer than wanted will do, none will not */
			if (!l->posted && !l->queued)
				l->accept_err = ret;
			spin_unlock_irq(&l->lock);
			return;
		}
	}
}

/**
 * pvc_conn_accept() - take the next connection that has come in
 * @l: passive object
 *
 * Context: process; does not sleep.
 * Return: the connection, whose reference is the caller's; NULL if there is
 * none; or why the backend could not accept, as an error pointer.
 */
struct pvc_conn *pvc_conn_accept(struct pvc_conn *l)
{
	struct pvc_conn *c;
	int err = 0;

	spin_lock_irq(&l->lock);
	c = list_first_entry_or_null(&l->acceptq, struct pvc_conn,
				     accept_node);
	if (c) {
		list_del_init(&c->accept_node);
		l->queued--;
	} else {
		err = l->accept_err ?:
		      (l->state == PVC_CONN_LISTENING ? 0 : l->err);
		l->accept_err = 0;
	}
	spin_unlock_irq(&l->lock);
	return err ? ERR_PTR(err) : c;
}

/**
 * pvc_conn_unaccept() - put back what pvc_conn_accept() has taken
 * @l: passive object
 * @c: the connection; the reference is taken over
 *
 * Context: process; does not sleep.
 */
void pvc_conn_unaccept(struct pvc_conn *l, struct pvc_conn *c)
{
	bool closing;

	spin_lock_irq(&l->lock);
	closing = l->closing;
	if (!closing) {
		list_add(&c->accept_node, &l->acceptq);
		l->queued++;
	}
	spin_unlock_irq(&l->lock);
	if (closing) {
		pvc_conn_close(c, true);
		pvc_conn_put(c);
	}
}
