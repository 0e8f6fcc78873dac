// SPDX-License-Identifier: GPL-2.0
/* See conn.h. How connections end: by their program, or with the backend. */
#include <net/sock.h>

#include "conn/conn.h"
#include "link/cache.h"

/**
 * pvc_conn_shutdown() - send a FIN after all that has been written
 * @c: connected connection
 * @how: SHUT_WR or SHUT_RDWR
 *
 * A version 1 backend sends the FIN when the program closes the socket.
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

/* The state after the program has closed. Call with c->lock held. */
static enum pvc_conn_state pvc_conn_closed_state(struct pvc_conn *c,
						 bool abort)
{
	if (c->state == PVC_CONN_NEW)
		return PVC_CONN_RELEASED;
	/* a version 1 backend drops what it has not taken before RELEASE */
	if (c->state == PVC_CONN_CONNECTED && !abort &&
	    !pvc_link_has(c->link, PVCALLS_F_SHUTDOWN) && !pvc_conn_drained(c))
		return PVC_CONN_DRAINING;
	return PVC_CONN_RELEASING;
}

/* Fills in RELEASE. Call with c->lock held. */
static void pvc_conn_prepare_release(struct pvc_conn *c, bool abort,
				     bool awaited)
{
	struct pvc_cmd *cmd = &c->cmds.release;

	if (abort && pvc_link_has(c->link, PVCALLS_F_SHUTDOWN))
		cmd->req.u.dummy.dummy[PVCALLS_RELEASE_FLAGS] =
			PVCALLS_RELEASE_ABORT;
	cmd->req.u.release.reuse = c->ring.shm && pvc_cache_wants(c->link);
	/* close() waits for SO_LINGER and for a port to become free */
	cmd->lazy = !awaited && !c->has_port;
}

/**
 * pvc_conn_close() - end a connection for its program
 * @c: connection; the caller's reference is not consumed
 * @abort: reset the connection and drop what is unsent
 *
 * Releases the backend's socket, after the backend has taken all that was
 * written. &pvc_conn.over completes when the backend has answered. A second
 * close does nothing.
 *
 * Context: any.
 */
void pvc_conn_close(struct pvc_conn *c, bool abort)
{
	enum pvc_conn_state state;
	struct pvc_conn *q, *n;
	unsigned long flags;
	LIST_HEAD(orphans);
	bool awaited;

	spin_lock_irqsave(&c->lock, flags);
	awaited = c->sk && sock_flag(c->sk, SOCK_LINGER);
	c->sk = NULL;
	if (pvc_conn_gone(c)) {
		spin_unlock_irqrestore(&c->lock, flags);
		return;
	}
	/* TIME_WAIT will hold the port, longer than RELEASE takes */
	if (c->state == PVC_CONN_CONNECTED && !abort &&
	    !pvc_conn_is_dgram(c) && (!c->in_err || c->in_err == -ENOTCONN))
		c->has_port = false;
	state = pvc_conn_closed_state(c, abort);
	pvc_conn_prepare_release(c, abort, awaited);
	pvc_conn_move(c, state);
	pvc_port_drop(&c->port);
	if (state == PVC_CONN_DRAINING)
		pvc_conn_hold(c);
	list_splice_init(&c->acceptq.conns, &orphans);
	WRITE_ONCE(c->acceptq.queued, 0);
	spin_unlock_irqrestore(&c->lock, flags);

	list_for_each_entry_safe(q, n, &orphans, accept_node) {
		list_del_init(&q->accept_node);
		pvc_conn_close(q, true);
		pvc_conn_put(q);
	}
	if (state == PVC_CONN_RELEASED) {
		complete_all(&c->over);
		return;
	}
	pvc_cache_watch(c->link);
	if (state == PVC_CONN_RELEASING)
		pvc_conn_release(c);
}

/*
 * Does this thread close sockets one after the other, for a process that ends or
 * for many processes?
 */
static bool pvc_conn_is_one_of_many(void)
{
	return current->flags & (PF_EXITING | PF_KTHREAD);
}

/**
 * pvc_conn_await_port() - wait until the port of a closed connection is free
 * @c: connection after pvc_conn_close()
 *
 * As with TCP, a program that has closed a listening socket can bind to the
 * port again, and nobody answers there. The wait for a backend that hangs ends
 * after a second, and then nobody waits until the backend has answered. Where
 * the network is slow, many sockets that are closed in a row wait every other
 * second at most, all together.
 *
 * Context: process, sleeps; not interruptible, since programs restart by way of
 * being killed.
 */
void pvc_conn_await_port(struct pvc_conn *c)
{
	struct pvc_link *link = c->link;

	if (!c->has_port || pvc_link_hung(link) ||
	    (pvc_conn_is_one_of_many() &&
	     time_before(jiffies, READ_ONCE(link->slow_until))) ||
	    wait_for_completion_timeout(&c->over, HZ))
		return;
	/* the backend has answered, and the network is slow */
	if (READ_ONCE(c->state) == PVC_CONN_DRAINING ||
	    READ_ONCE(c->cmds.release.state) == PVC_CMD_DEFERRED) {
		WRITE_ONCE(link->slow_until, jiffies + HZ);
		return;
	}
	spin_lock_irq(&c->lock);
	/* another thread may wait for the same */
	if (!completion_done(&c->over) && !c->late) {
		c->late = true;
		pvc_link_late(link);
	}
	spin_unlock_irq(&c->lock);
}

/**
 * pvc_conn_await_over() - wait until the backend has released its socket
 * @c: connection after pvc_conn_close()
 * @timeout: in jiffies
 *
 * Context: process, sleeps; interruptible.
 */
void pvc_conn_await_over(struct pvc_conn *c, long timeout)
{
	wait_for_completion_interruptible_timeout(&c->over, timeout);
}

/*
 * Lets nobody wait for a backend that has gone. The program of a listener is
 * told nothing, since the socket will listen at the next backend.
 */
static void pvc_conn_reset(struct pvc_conn *c, void *unused)
{
	spin_lock_irq(&c->lock);
	switch (c->state) {
	case PVC_CONN_LISTENING:
		pvc_conn_move(c, PVC_CONN_FAILED);
		break;
	case PVC_CONN_CONNECTED:
		pvc_conn_end(c, -ECONNRESET, -ECONNRESET);
		break;
	case PVC_CONN_DRAINING:
		pvc_conn_move(c, PVC_CONN_RELEASED);
		complete_all(&c->over);
		pvc_conn_put(c);
		break;
	default:
		break;
	}
	spin_unlock_irq(&c->lock);
}

/**
 * pvc_conn_reset_all() - tell all programs that the backend has gone
 * @link: link that has ended
 *
 * Context: process; does not sleep.
 */
void pvc_conn_reset_all(struct pvc_link *link)
{
	pvc_conn_for_each(link, pvc_conn_reset, NULL);
}
