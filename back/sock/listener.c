// SPDX-License-Identifier: GPL-2.0
/* See passive.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fcntl.h>
#include <linux/net.h>

#include <net/inet_connection_sock.h>
#include <net/sock.h>

#include "fe.h"
#include "opts.h"
#include "reply.h"
#include "sock.h"

/* Connections of a socket that are handed out at a time */
#define PVCALLS_ACCEPT_BATCH	8

/**
 * pvcalls_passive_init() - nobody waits
 * @p: to initialise
 *
 * Any context.
 */
void pvcalls_passive_init(struct pvcalls_passive *p)
{
	INIT_LIST_HEAD(&p->accepts);
	INIT_LIST_HEAD(&p->polls);
}

/*
 * An accept has failed: the guest has its ring back before it hears of it. The
 * socket that was to hold the connection is this worker's still.
 */
static void pvcalls_passive_fail(struct pvcalls_call *call, int err)
{
	pvcalls_sock_close(call->child);
	pvcalls_sock_drop(call->child);
	pvcalls_reply(call, err);
}

/**
 * pvcalls_passive_close() - answer all who wait, if it is a passive socket
 * @ps: socket that is being torn down
 */
void pvcalls_passive_close(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call, *next;

	list_for_each_entry_safe(call, next, &ps->passive.polls, list) {
		list_del(&call->list);
		pvcalls_reply(call, -EBADF);
	}
	list_for_each_entry_safe(call, next, &ps->passive.accepts, list) {
		list_del(&call->list);
		pvcalls_passive_fail(call, -ECONNABORTED);
	}
}

/**
 * pvcalls_passive_listen() - LISTEN
 * @ps: socket
 * @call: the request; freed
 *
 * On a socket that listens already it changes the backlog. As for a program of
 * this domain, net.core.somaxconn is the most that may wait.
 */
void pvcalls_passive_listen(struct pvcalls_sock *ps,
			    struct pvcalls_call *call)
{
	u32 limit = READ_ONCE(sock_net(ps->sock->sk)->core.sysctl_somaxconn);
	int backlog = min(call->req.u.listen.backlog, limit);
	int ret;

	if (ps->state != PVCALLS_SS_IDLE && ps->state != PVCALLS_SS_LISTENING) {
		pvcalls_reply(call, -EINVAL);
		return;
	}
	/* before there can be a connection, or it would not be announced */
	pvcalls_hooks_attach(ps, NULL);
	ret = kernel_listen(ps->sock, backlog);
	if (!ret)
		WRITE_ONCE(ps->state, PVCALLS_SS_LISTENING);
	else if (ps->state == PVCALLS_SS_IDLE)
		pvcalls_hooks_detach(ps);
	pvcalls_reply(call, ret);
}

/* Returns -EAGAIN if there is no connection; else the call is answered. */
static int pvcalls_passive_try(struct pvcalls_sock *ps,
			       struct pvcalls_call *call)
{
	struct pvcalls_sock *child = call->child;
	int ret;

	ret = kernel_accept(ps->sock, &child->sock, O_NONBLOCK);
	if (ret == -EAGAIN)
		return ret;
	if (ret) {
		pvcalls_passive_fail(call, ret);
		return 0;
	}

	pvcalls_opts_owner(ps->fe, child->sock);
	pvcalls_hooks_attach(child, &ps->hooks);
	pvcalls_sock_name(child, call, true);
	set_bit(PVCALLS_SF_IN_READY, &child->flags);
	pvcalls_active_listen(child);
	/*
	 * From here on it belongs to its own worker, which looks at once. The
	 * guest must not hear of it before, or it could not be found yet.
	 */
	call->child = NULL;
	kref_get(&child->ref);
	/* pairs with the acquire in pvcalls_sock_ready() */
	smp_store_release(&child->state, PVCALLS_SS_CONNECTED);
	pvcalls_work_mark(&child->work);
	pvcalls_sock_put(child);
	pvcalls_reply(call, 0);
	return 0;
}

/**
 * pvcalls_passive_accept() - ACCEPT
 * @ps: socket
 * @call: the request
 *
 * The ring is mapped before there is a connection, so that what is wrong with
 * it costs no connection.
 */
void pvcalls_passive_accept(struct pvcalls_sock *ps,
			    struct pvcalls_call *call)
{
	const struct xen_pvcalls_accept *req = &call->req.u.accept;
	int ret;

	if (ps->state != PVCALLS_SS_LISTENING) {
		pvcalls_reply(call, -EINVAL);
		return;
	}
	call->child = pvcalls_sock_new(ps->fe, req->id_new, NULL);
	if (IS_ERR(call->child)) {
		pvcalls_reply(call, PTR_ERR(call->child));
		return;
	}
	ret = pvcalls_active_map(call->child, req->ref, req->evtchn);
	if (ret) {
		pvcalls_passive_fail(call, ret);
		return;
	}

	if (list_empty(&ps->passive.accepts) &&
	    pvcalls_passive_try(ps, call) != -EAGAIN)
		return;
	ret = pvcalls_reply_later(call);
	if (ret) {
		pvcalls_passive_fail(call, ret);
		return;
	}
	list_add_tail(&call->list, &ps->passive.accepts);
}

static bool pvcalls_passive_ready(const struct pvcalls_sock *ps)
{
	return !reqsk_queue_empty(&inet_csk(ps->sock->sk)->icsk_accept_queue);
}

/**
 * pvcalls_passive_poll() - POLL
 * @ps: socket
 * @call: the request
 *
 * Answered when there is a connection to accept.
 */
void pvcalls_passive_poll(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	int ret = 0;

	if (ps->state != PVCALLS_SS_LISTENING) {
		ret = -EINVAL;
	} else if (!pvcalls_passive_ready(ps)) {
		ret = pvcalls_reply_later(call);
		if (!ret) {
			list_add_tail(&call->list, &ps->passive.polls);
			return;
		}
	}
	pvcalls_reply(call, ret);
}

/**
 * pvcalls_passive_step() - hand connections out
 * @ps: socket that is PVCALLS_SS_LISTENING
 *
 * On the worker that it belongs to.
 *
 * Return: true if there may be more to hand out, after others had their turn.
 */
bool pvcalls_passive_step(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call, *next;
	int n = PVCALLS_ACCEPT_BATCH;

	list_for_each_entry_safe(call, next, &ps->passive.accepts, list) {
		if (!pvcalls_passive_ready(ps))
			return false;
		if (!n--)
			return true;
		list_del_init(&call->list);
		if (pvcalls_passive_try(ps, call) == -EAGAIN) {
			list_add(&call->list, &ps->passive.accepts);
			return false;
		}
		pvcalls_worker_spend(PVCALLS_CALL_COST);
	}
	if (!pvcalls_passive_ready(ps))
		return false;
	list_for_each_entry_safe(call, next, &ps->passive.polls, list) {
		list_del(&call->list);
		pvcalls_reply(call, 0);
	}
	return false;
}
