// SPDX-License-Identifier: GPL-2.0
/* Commands of listening sockets; listener.h says what runs where. */
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/net.h>

#include <net/inet_connection_sock.h>
#include <net/sock.h>

#include "account/ledger.h"
#include "guest/call.h"
#include "guest/guest.h"
#include "guest/policy.h"
#include "sched/worker.h"
#include "sock/conn.h"
#include "sock/flowlog.h"
#include "sock/inbound.h"
#include "sock/listener.h"
#include "sock/name.h"
#include "sock/sock.h"
#include "sock/sockopt.h"

/* Connections that a run of a socket hands out, or resets, at most */
#define PVCALLS_ACCEPT_BATCH	8

/* Polls that a run of a socket answers at most */
#define PVCALLS_POLL_BATCH	32

/*
 * Connections that a listening socket's own charge is good for. TCP lets two
 * wait at least, since it allows one more than the limit, and takes no requests
 * with a limit of 0.
 */
#define PVCALLS_QUEUE_FREE	2

/* Charge connections. That there is no room for them is said only once. */
static bool pvcalls_listener_charge(struct pvcalls_sock *ps, long n)
{
	const struct pvcalls_peer *peer = &ps->guest->peer;

	if (ps->listener.scarce)
		return pvcalls_account_try(peer->account, PVCALLS_KIND_QUEUED,
					   n);
	return !pvcalls_account_charge(peer, PVCALLS_KIND_QUEUED, n);
}

/**
 * pvcalls_listener_queued() - charge the connections that wait
 * @ps: the socket, which listens
 *
 * The next connection is charged before it comes. If it may not come, TCP
 * ignores it, as if the backlog were full, until there is room.
 *
 * Context: any; takes pvcalls_listener.lock.
 */
void pvcalls_listener_queued(struct pvcalls_sock *ps)
{
	long *held = &ps->held.of[PVCALLS_KIND_QUEUED];
	struct pvcalls_listener *l = &ps->listener;
	struct sock *sk = ps->sock->sk;
	u32 limit;
	long want;

	spin_lock_bh(&l->lock);
	limit = READ_ONCE(l->backlog);
	want = max(READ_ONCE(sk->sk_ack_backlog) + 1L - PVCALLS_QUEUE_FREE, 0L);
	if (want < *held) {
		pvcalls_account_uncharge(ps->guest->peer.account,
					 PVCALLS_KIND_QUEUED, *held - want);
		*held = want;
	} else if (want > *held && pvcalls_listener_charge(ps, want - *held)) {
		*held = want;
	}
	l->scarce = want > *held;
	/* TCP lets one more wait than this */
	if (l->scarce)
		limit = min(limit, (u32)*held + PVCALLS_QUEUE_FREE - 1);
	WRITE_ONCE(sk->sk_max_ack_backlog, limit);
	spin_unlock_bh(&l->lock);
}

/*
 * Answer an accept that has failed. The guest gets its ring back before the
 * answer. The socket that was to hold the connection belongs to the listening
 * socket's worker, and has had neither a kernel socket nor a command.
 */
static void pvcalls_listener_fail(struct pvcalls_sock *ps,
				  struct pvcalls_call *call, int err)
{
	struct pvcalls_sock *child = call->child;

	/* the listening socket may have changed its worker since ACCEPT came */
	child->tools = ps->tools;
	pvcalls_sock_unhash(child);
	pvcalls_conn_close(child, false);
	pvcalls_conn_let_go(child);
	pvcalls_sock_drop(child);
	pvcalls_reply(call, err);
}

/* Answer polls, at most a batch. Returns whether there are more. */
static bool pvcalls_listener_answer(struct pvcalls_sock *ps, int ret)
{
	struct pvcalls_call *call, *next;
	int n = PVCALLS_POLL_BATCH;

	list_for_each_entry_safe(call, next, &ps->listener.polls, list) {
		if (!n--)
			return true;
		list_del(&call->list);
		pvcalls_reply(call, ret);
		pvcalls_worker_spend(PVCALLS_STEP_COST);
	}
	return false;
}

/* Fail accepts, at most a batch. Returns whether there may be more. */
static bool pvcalls_listener_abort(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call, *next;
	int n = PVCALLS_ACCEPT_BATCH;

	list_for_each_entry_safe(call, next, &ps->listener.accepts, list) {
		list_del(&call->list);
		pvcalls_listener_fail(ps, call, -ECONNABORTED);
		if (pvcalls_worker_spend(PVCALLS_CALL_COST) || !--n)
			return true;
	}
	return false;
}

/*
 * Reset connections that wait, at most a batch, as the kernel does when it
 * closes a listening socket, but it does that with all of them at once. A batch
 * is left to it. Returns whether there may be more.
 */
static bool pvcalls_listener_reset(struct pvcalls_sock *ps)
{
	const struct sock *sk = ps->sock->sk;
	int n = PVCALLS_ACCEPT_BATCH;
	struct socket *sock;

	while (READ_ONCE(sk->sk_ack_backlog) > PVCALLS_ACCEPT_BATCH) {
		/* without memory the kernel has to do it */
		if (kernel_accept(ps->sock, &sock, O_NONBLOCK))
			break;
		sock_no_linger(sock->sk);
		sock_release(sock);
		if (pvcalls_worker_spend(PVCALLS_CALL_COST) || !--n)
			return true;
	}
	pvcalls_worker_spend((u64)READ_ONCE(sk->sk_ack_backlog) *
			     PVCALLS_CALL_COST);
	return false;
}

/**
 * pvcalls_listener_end() - end what waits at a listening socket, a part of it
 * @ps: the socket, listening or not, which is going to be torn down
 *
 * Thousands of calls and connections may wait, so each run ends some.
 *
 * Context: the worker that the socket belongs to.
 * Return: true if nothing is left, else the socket is to be run again.
 */
bool pvcalls_listener_end(struct pvcalls_sock *ps)
{
	bool more;

	if (ps->state != PVCALLS_SS_LISTENING)
		return true;
	/* TCP takes no more connections, as long as one waits */
	WRITE_ONCE(ps->listener.backlog, 0);
	more = pvcalls_listener_answer(ps, -EBADF) ||
	       pvcalls_listener_abort(ps) || pvcalls_listener_reset(ps);
	pvcalls_listener_queued(ps);
	return !more;
}

/* Listen, or change the backlog. Returns 0 or an error number for the guest. */
static int pvcalls_listener_start(struct pvcalls_sock *ps, u32 backlog)
{
	u32 limit = READ_ONCE(sock_net(ps->sock->sk)->core.sysctl_somaxconn);
	int ret;

	/* a socket that is not bound gets a port */
	ret = pvcalls_sock_hold(ps, PVCALLS_KIND_PORTS) ?:
	      pvcalls_sock_hold(ps, PVCALLS_KIND_LISTENERS);
	if (ret)
		goto unhold;
	/*
	 * attach before a connection can come: earlier events are not announced
	 */
	pvcalls_conn_attach(ps);
	pvcalls_inbound_attach(ps->sock->sk);
	backlog = min(backlog, limit);
	ret = kernel_listen(ps->sock, backlog);
	if (!ret) {
		WRITE_ONCE(ps->listener.backlog, backlog);
		WRITE_ONCE(ps->state, PVCALLS_SS_LISTENING);
		pvcalls_listener_queued(ps);
	} else if (ps->state == PVCALLS_SS_IDLE) {
		pvcalls_inbound_detach(ps->sock->sk);
		pvcalls_callbacks_detach(&ps->callbacks, ps->sock->sk);
		pvcalls_sock_unhold(ps, PVCALLS_KIND_LISTENERS);
		goto unhold;
	}
	return ret;

unhold:
	pvcalls_sock_unhold_port(ps);
	return ret;
}

/**
 * pvcalls_listener_listen() - run the command LISTEN
 * @ps: the socket
 * @call: the request, which is answered and freed
 *
 * If the socket listens already, the backlog is changed. The backlog is limited
 * by net.core.somaxconn, as for a program of this domain.
 *
 * Only TCP's sockets are large enough for what listening writes into them, so
 * others must not get any further, although the kernel would refuse them.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_listener_listen(struct pvcalls_sock *ps,
			     struct pvcalls_call *call)
{
	int ret;

	if (ps->sock->sk->sk_protocol != IPPROTO_TCP)
		ret = -EOPNOTSUPP;
	else if (ps->state != PVCALLS_SS_IDLE &&
		 ps->state != PVCALLS_SS_LISTENING)
		ret = -EINVAL;
	else
		ret = pvcalls_policy_listen(ps->guest, ps->sock->sk) ?:
		      pvcalls_listener_start(ps, call->req.u.listen.backlog);
	pvcalls_reply(call, ret);
}

/*
 * Try to accept a connection. Returns -EAGAIN if there is none; else the call
 * has been answered.
 */
static int pvcalls_listener_try(struct pvcalls_sock *ps,
				struct pvcalls_call *call)
{
	struct pvcalls_sock *child = call->child;
	int ret;

	ret = kernel_accept(ps->sock, &child->sock, O_NONBLOCK);
	if (ret == -EAGAIN)
		return ret;
	if (ret) {
		pvcalls_listener_fail(ps, call, ret);
		return 0;
	}

	pvcalls_sockopt_owner(ps->guest, child->sock);
	pvcalls_callbacks_attach(&child->callbacks, child->sock->sk,
				 &ps->callbacks);
	pvcalls_name_put(child, call, true);
	set_bit(PVCALLS_SF_IN_READY, &child->flags);
	pvcalls_flowlog_begin(child, true);
	pvcalls_conn_enable(child);
	/*
	 * From here on the new socket belongs to its own worker, which looks at
	 * it at once. The guest is answered afterwards, because commands can't
	 * find the socket before.
	 */
	call->child = NULL;
	pvcalls_sock_get(child);
	/* pairs with the acquire in pvcalls_sock_ready() */
	smp_store_release(&child->state, PVCALLS_SS_CONNECTED);
	pvcalls_work_mark(&child->work);
	pvcalls_sock_put(child);
	pvcalls_reply(call, 0);
	return 0;
}

/* Make the socket that is to hold the connection. */
static int pvcalls_listener_child(struct pvcalls_sock *ps,
				  struct pvcalls_call *call)
{
	const struct xen_pvcalls_accept *req = &call->req.u.accept;
	int err;

	err = pvcalls_sock_charge(ps->guest);
	if (err)
		return err;
	call->child = pvcalls_sock_new(ps->guest, req->id_new, ps->type, NULL);
	if (!IS_ERR(call->child))
		return 0;
	err = PTR_ERR(call->child);
	call->child = NULL;
	pvcalls_sock_uncharge(ps->guest);
	return err;
}

/**
 * pvcalls_listener_accept() - run the command ACCEPT
 * @ps: the socket
 * @call: the request, which is answered and freed, now or later
 *
 * The ring is mapped before a connection is taken, so that a bad ring does not
 * cost a connection.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_listener_accept(struct pvcalls_sock *ps,
			     struct pvcalls_call *call)
{
	const struct xen_pvcalls_accept *req = &call->req.u.accept;
	int ret;

	if (ps->state != PVCALLS_SS_LISTENING) {
		pvcalls_reply(call, -EINVAL);
		return;
	}
	ret = pvcalls_listener_child(ps, call);
	if (ret) {
		pvcalls_reply(call, ret);
		return;
	}
	call->child->tools = ps->tools;
	ret = pvcalls_conn_map(call->child, req->ref, req->evtchn);
	if (ret) {
		pvcalls_listener_fail(ps, call, ret);
		return;
	}

	if (list_empty(&ps->listener.accepts) &&
	    pvcalls_listener_try(ps, call) != -EAGAIN)
		return;
	ret = pvcalls_reply_later(call);
	if (ret) {
		pvcalls_listener_fail(ps, call, ret);
		return;
	}
	call->child->tools = NULL;
	list_add_tail(&call->list, &ps->listener.accepts);
}

static bool pvcalls_listener_ready(const struct pvcalls_sock *ps)
{
	return !reqsk_queue_empty(&inet_csk(ps->sock->sk)->icsk_accept_queue);
}

/**
 * pvcalls_listener_poll() - run the command POLL
 * @ps: the socket
 * @call: the request, which is answered and freed, now or later
 *
 * The answer comes when there is a connection to accept.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_listener_poll(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	int ret = 0;

	if (ps->state != PVCALLS_SS_LISTENING) {
		ret = -EINVAL;
	} else if (!pvcalls_listener_ready(ps)) {
		ret = pvcalls_reply_later(call);
		if (!ret) {
			list_add_tail(&call->list, &ps->listener.polls);
			return;
		}
	}
	pvcalls_reply(call, ret);
}

/* Hand connections out, at most a batch. Returns whether there are more. */
static bool pvcalls_listener_hand_out(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call, *next;
	int n = PVCALLS_ACCEPT_BATCH;

	list_for_each_entry_safe(call, next, &ps->listener.accepts, list) {
		if (!pvcalls_listener_ready(ps))
			return false;
		if (!n--)
			return true;
		list_del_init(&call->list);
		if (pvcalls_listener_try(ps, call) == -EAGAIN) {
			list_add(&call->list, &ps->listener.accepts);
			return false;
		}
		pvcalls_worker_spend(PVCALLS_CALL_COST);
	}
	return pvcalls_listener_ready(ps) && pvcalls_listener_answer(ps, 0);
}

/**
 * pvcalls_listener_pass() - hand out connections
 * @ps: the socket, in PVCALLS_SS_LISTENING
 *
 * Context: the worker that the socket belongs to.
 * Return: true if the socket is to be run again, for further connections.
 */
bool pvcalls_listener_pass(struct pvcalls_sock *ps)
{
	bool more = pvcalls_listener_hand_out(ps);

	pvcalls_listener_queued(ps);
	return more;
}
