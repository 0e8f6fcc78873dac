// SPDX-License-Identifier: GPL-2.0
/* See conn.h. How connections end: by their program, or with the backend. */
#include <net/sock.h>

#include "conn/conn.h"

/**
 * pvc_conn_shutdown() - send a FIN after what has been written
 * @c: connected object
 * @how: SHUT_WR or SHUT_RDWR
 *
 * Towards a version 1 backend the FIN waits for close().
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_conn_shutdown(struct pvc_conn *c, int how)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_SHUTDOWN };
	struct pvcalls_req_shutdown *args = (void *)&req.u;

	if (!pvc_link_has(c->link, PVCALLS_F_SHUTDOWN))
		return 0;
	args->id = c->id;
	args->how = how;
	return pvc_cmd_call(c->link, &req, NULL);
}

/* Has the backend taken all that was written? Call with c->lock held. */
static bool pvc_conn_drained(struct pvc_conn *c)
{
	u32 size = c->ring.out.size;
	int space;

	if (c->out_err)
		return true;
	space = ringbuf_wait_space(&c->ring.out, size);
	return space < 0 || space == size;
}

/* Does the backend's socket keep others from a port? */
static bool pvc_conn_has_port(const struct pvc_conn *c)
{
	enum pvc_conn_state state = READ_ONCE(c->state);

	return state == PVC_CONN_LISTENING ||
	       (c->bound && (state == PVC_CONN_OPEN ||
			     c->open.req.u.socket.type == SOCK_DGRAM));
}

/**
 * pvc_conn_close() - the program has closed it
 * @c: object; the caller's reference is not consumed
 * @abort: reset the connection and drop what is unsent
 *
 * Releases the backend's socket, after it has taken all that was written.
 * @c->released completes when that has been done.
 *
 * Context: any.
 */
void pvc_conn_close(struct pvc_conn *c, bool abort)
{
	bool release = true, drain = false, lingers;
	unsigned long flags;
	struct pvc_conn *q, *n;
	LIST_HEAD(orphans);

	spin_lock_irqsave(&c->lock, flags);
	lingers = c->sk && sock_flag(c->sk, SOCK_LINGER);
	c->sk = NULL;
	if (c->closing || !c->opened)
		release = false;
	c->closing = true;
	if (release && c->state == PVC_CONN_CONNECTED && !abort &&
	    !pvc_link_has(c->link, PVCALLS_F_SHUTDOWN) && !pvc_conn_drained(c)) {
		/* a version 1 backend drops what it has not taken */
		drain = true;
		c->draining = true;
		pvc_conn_hold(c);
	}
	list_splice_init(&c->acceptq, &orphans);
	c->queued = 0;
	spin_unlock_irqrestore(&c->lock, flags);

	list_for_each_entry_safe(q, n, &orphans, accept_node) {
		list_del_init(&q->accept_node);
		pvc_conn_close(q, true);
		pvc_conn_put(q);
	}
	if (abort && pvc_link_has(c->link, PVCALLS_F_SHUTDOWN))
		c->rel.req.u.dummy.dummy[PVCALLS_RELEASE_FLAGS] =
			PVCALLS_RELEASE_ABORT;
	if (release) {
		c->rel.req.u.release.reuse = c->has_ring &&
					     pvc_cache_wants(c->link);
		/* close() waits for these */
		c->rel.lazy = !lingers && !pvc_conn_has_port(c);
		pvc_cache_watch(c->link);
	}
	if (drain || (release && !pvc_conn_submit(c, &c->rel)))
		return;
	complete_all(&c->released);
}

/**
 * pvc_conn_await_port() - after pvc_conn_close(), wait until its port is free
 * @c: object that was closed
 *
 * As with TCP, whoever has closed a listening socket finds nobody answering
 * there, and can bind to the port again. A backend that hangs is waited for
 * a second.
 *
 * Context: process, sleeps; not interruptible, since programs restart by way of
 * being killed.
 */
void pvc_conn_await_port(struct pvc_conn *c)
{
	if (pvc_conn_has_port(c))
		wait_for_completion_timeout(&c->released, HZ);
}

/**
 * pvc_conn_drain() - go on with a close that waits for the out ring
 * @c: object with lock held
 *
 * Context: hard interrupt or interrupts off.
 */
void pvc_conn_drain(struct pvc_conn *c)
{
	if (!c->draining || !pvc_conn_drained(c))
		return;
	c->draining = false;
	if (pvc_conn_submit(c, &c->rel))
		complete_all(&c->released);
	pvc_conn_put(c);
}

/* The backend has gone: nobody may wait for it any more. */
static void pvc_conn_reset(struct pvc_conn *c, void *unused)
{
	spin_lock_irq(&c->lock);
	if (c->state == PVC_CONN_LISTENING) {
		c->state = PVC_CONN_FAILED;
		c->err = -ENOTCONN;
		if (c->sk)
			pvc_wake(c, PVC_WAKE_STATE);
	} else if (c->state == PVC_CONN_CONNECTED) {
		pvc_conn_end(c, -ECONNRESET, -ECONNRESET);
	}
	if (c->draining) {
		c->draining = false;
		complete_all(&c->released);
		pvc_conn_put(c);
	}
	spin_unlock_irq(&c->lock);
}

/**
 * pvc_conn_reset_all() - tell all programs that the backend has gone
 * @link: connection whose commands have been stopped
 *
 * Context: process, may sleep.
 */
void pvc_conn_reset_all(struct pvc_link *link)
{
	pvc_conn_for_each(link, pvc_conn_reset, NULL);
}
