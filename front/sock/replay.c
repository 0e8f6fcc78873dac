// SPDX-License-Identifier: GPL-2.0
/* See replay.h. */
#include <linux/workqueue.h>
#include <net/sock.h>

#include "link/work.h"
#include "sock/bind.h"
#include "sock/dgram.h"
#include "sock/policy.h"
#include "sock/replay.h"
#include "sock/roster.h"
#include "sock/sock.h"
#include "sock/sockopt.h"

/* A socket that a backend has refused is tried again after that, in jiffies */
#define PVC_REPLAY_AGAIN	(2 * HZ)

/*
 * The program is told of as many refusals as that in a row. The first ones may
 * come from what the guest itself had at the host a moment ago.
 */
#define PVC_REPLAY_TELL		5

/* Has all of the program's threads look at the new connection. */
static void pvc_replay_wake(struct pvc_conn *c)
{
	spin_lock_irq(&c->lock);
	if (c->sk)
		pvc_wake(c, PVC_WAKE_STATE);
	spin_unlock_irq(&c->lock);
}

/* Has the backend's socket listen as the program's does. Call with ctl held. */
static int pvc_replay_listen(struct pvc_sock *psk, struct sock *sk)
{
	struct pvc_conn *c = pvc_sk_conn(psk);
	int ret;

	/* closed meanwhile */
	if (!c)
		return 0;
	ret = pvc_conn_listen(c, psk->again.backlog);
	if (ret) {
		pvc_sk_drop_conn(psk, true);
	} else {
		pvc_conn_attach(c, sk);
		if (pvc_link_has(c->link, PVCALLS_F_DEFER))
			pvc_conn_post_accepts(c);
	}
	pvc_conn_put(c);
	return ret;
}

/* Gives a TCP socket its half at the backend. Call with ctl held. */
static int pvc_replay_stream(struct pvc_sock *psk, struct sock *sk,
			     struct pvc_link *link)
{
	int ret;

	pvc_sk_drop_ended(psk);
	/* a program has been faster */
	if (psk->conn)
		return 0;
	ret = pvc_bind_again(psk, sk, link);
	if (!ret && pvc_sk_state(psk) == PVC_SK_LISTENING)
		ret = pvc_replay_listen(psk, sk);
	return ret;
}

/* Tells a backend of a socket that it wants to know. Call with ctl held. */
static int pvc_replay_locked(struct pvc_sock *psk, struct sock *sk,
			     struct pvc_link *link)
{
	unsigned int seq = READ_ONCE(psk->again.seq);
	struct pvc_conn *c;
	int ret;

	if (sk->sk_type == SOCK_DGRAM)
		ret = pvc_dgram_open(psk, sk, link);
	else
		ret = pvc_replay_stream(psk, sk, link);
	c = ret ? NULL : pvc_sk_conn(psk);
	if (c) {
		/* options that were set before the program's calls found @c */
		if (READ_ONCE(psk->again.seq) != seq)
			pvc_relay_opts(psk, sk, c);
		pvc_replay_wake(c);
		pvc_conn_put(c);
	}
	return ret;
}

/* Is there anything to tell this backend of? Call with ctl held. */
static bool pvc_replay_wanted(const struct pvc_sock *psk, const struct sock *sk,
			      const struct pvc_link *link)
{
	switch (pvc_sk_state(psk)) {
	case PVC_SK_OPEN:
		return sk->sk_type == SOCK_DGRAM &&
		       pvc_link_has(link, PVCALLS_F_DGRAM);
	case PVC_SK_BOUND:
		return sk->sk_type == SOCK_STREAM ||
		       pvc_link_has(link, PVCALLS_F_DGRAM);
	case PVC_SK_LISTENING:
		return true;
	default:
		return false;
	}
}

/* Tells program and log, once, that a backend goes on to refuse a socket. */
static void pvc_replay_failed(struct pvc_sock *psk, struct sock *sk,
			      struct pvc_link *link, int err)
{
	pvc_roster_refused(psk);
	if (++psk->again.refusals != PVC_REPLAY_TELL)
		return;
	pr_warn_ratelimited("backend %u does not take back %pISpc: %d\n",
			    link->otherend, &psk->local.sa, err);
	if (pvc_sk_state(psk) == PVC_SK_LISTENING) {
		WRITE_ONCE(psk->again.err, err);
		pvc_wake_sock(sk, PVC_WAKE_DATA);
	} else if (sk->sk_type == SOCK_DGRAM) {
		WRITE_ONCE(sk->sk_err, -err);
		pvc_wake_sock(sk, PVC_WAKE_ERROR);
	}
}

/*
 * Tells a backend of a socket. No memory cgroup pays for the ring: a cgroup
 * that has too much would make the work wait, and with that all other sockets.
 */
static void pvc_replay_one(struct pvc_sock *psk, struct sock *sk,
			   struct pvc_link *link)
{
	int ret;

	/* a program may have the lock for as long as its memory faults */
	if (!mutex_trylock(&psk->ctl)) {
		pvc_roster_refused(psk);
		return;
	}
	if (!pvc_replay_wanted(psk, sk, link)) {
		/* there is nothing to tell this backend */
	} else if (pvc_policy_filters(sk)) {
		/* the socket stays in the guest while programs filter */
		pvc_roster_refused(psk);
	} else {
		ret = pvc_replay_locked(psk, sk, link);
		if (!ret) {
			psk->again.refusals = 0;
			WRITE_ONCE(psk->again.err, 0);
		} else if (pvc_link_ended(link)) {
			/*
			 * The link may have ended before pvc_roster_next(),
			 * and then nobody has moved the socket since.
			 */
			pvc_roster_refused(psk);
		} else if (ret != -EBADF) {
			pvc_replay_failed(psk, sk, link, ret);
		}
	}
	mutex_unlock(&psk->ctl);
}

static void pvc_replay_again(struct work_struct *unused);

/* Tells the backend once more of the sockets that it has refused */
static DECLARE_DELAYED_WORK(pvc_replay_later, pvc_replay_again);

/*
 * Tells the backend of all sockets that wait. A backend that never answers
 * holds up the work, and the calls that a program makes with that one socket;
 * both end with the link.
 */
static void pvc_replay_work(struct work_struct *unused)
{
	struct pvc_link *link = pvc_link_get();
	struct pvc_sock *psk;
	struct sock *sk;

	/* the next link calls the work again */
	if (!link)
		return;
	while (!pvc_link_ended(link)) {
		psk = pvc_roster_next();
		if (!psk)
			break;
		/* constant while the socket lives */
		sk = psk->again.sk;
		pvc_replay_one(psk, sk, link);
		pvc_roster_tried();
		pvc_sk_put(psk);
		sock_put(sk);
	}
	pvc_link_put(link);
	if (pvc_roster_refusing())
		pvc_queue_delayed(&pvc_replay_later, PVC_REPLAY_AGAIN);
}

static DECLARE_WORK(pvc_replay_soon, pvc_replay_work);

static void pvc_replay_kick(void)
{
	pvc_queue_work(&pvc_replay_soon);
}

static void pvc_replay_again(struct work_struct *unused)
{
	pvc_roster_retry();
	pvc_replay_kick();
}

static void pvc_replay_began(struct pvc_link *link)
{
	pvc_roster_retry();
	pvc_replay_kick();
}

static void pvc_replay_ended(struct pvc_link *link)
{
	pvc_conn_reset_all(link);
	pvc_roster_ended();
}

const struct pvc_link_ops pvc_replay_link_ops = {
	.began	= pvc_replay_began,
	.ended	= pvc_replay_ended,
	.let_go	= pvc_conn_free_all,
};

/**
 * pvc_replay_init() - have sockets come back
 *
 * Context: module initialisation, before the first link.
 */
void pvc_replay_init(void)
{
	pvc_roster_init(pvc_replay_kick);
}

/**
 * pvc_replay_exit() - undo pvc_replay_init()
 *
 * Description: No socket and no link is left; pvc_work_exit() waits for the
 * rest.
 *
 * Context: process, sleeps.
 */
void pvc_replay_exit(void)
{
	cancel_delayed_work_sync(&pvc_replay_later);
}
