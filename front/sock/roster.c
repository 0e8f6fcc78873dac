// SPDX-License-Identifier: GPL-2.0
/* See roster.h. */
#include <linux/list.h>
#include <linux/spinlock.h>
#include <net/sock.h>

#include "sock/roster.h"
#include "sock/sock.h"

/*
 * Guards the lists, pvc_backends_gone, and &pvc_again.sk, @addr and @port;
 * bottom halves off, as pvc_sock.lock
 */
static DEFINE_SPINLOCK(pvc_roster_lock);
static LIST_HEAD(pvc_served);
static LIST_HEAD(pvc_waiting);
/* The one that the backend is being told of, or none */
static LIST_HEAD(pvc_trying);
/* Sockets that the backend has refused, until the next attempt */
static LIST_HEAD(pvc_refused);

/* Counts backends, so that each begins without refusals */
static unsigned int pvc_backends_gone;

/* Has the backend told of the sockets that wait, soon */
static void (*pvc_replay)(void);

/**
 * pvc_roster_init() - say who tells backends of sockets
 * @replay: called when a socket waits though there is a backend. Context:
 *	process; does not sleep
 *
 * Context: module initialisation, before the first socket.
 */
void pvc_roster_init(void (*replay)(void))
{
	pvc_replay = replay;
}

/* Does a backend that has not gone know the socket? */
static bool pvc_roster_is_served(struct pvc_sock *psk)
{
	struct pvc_conn *c = pvc_sk_conn(psk);
	bool served = c && !pvc_link_ended(c->link);

	if (c)
		pvc_conn_put(c);
	return served;
}

/* An address, as one of the user's who has made a socket. */
static struct pvc_port_key pvc_roster_key(const struct sock *sk,
					  const struct pvc_addr *a)
{
	struct pvc_port_key key = {
		.space = &pvc_waiting,
		.type = sk->sk_type,
		.protocol = sk->sk_protocol,
		.uid = __kuid_val(sk->sk_uid),
	};

	pvc_addr_to_key(a, &key);
	return key;
}

/*
 * Moves a socket to a list. In all lists but one the socket keeps its address
 * from other users; of served ones the backend's socket does so. Call with the
 * lock held.
 */
static void pvc_roster_move(struct pvc_sock *psk, struct list_head *list)
{
	struct pvc_again *again = &psk->again;
	struct pvc_port_key key;

	list_move_tail(&again->node, list);
	if (list == &pvc_served) {
		pvc_port_drop(&again->port);
		return;
	}
	key = pvc_roster_key(again->sk, &again->addr);
	pvc_port_hold(&again->port, &key);
}

/**
 * pvc_roster_join() - a socket is to come back from now on
 * @psk: socket, ctl held
 * @sk: its native socket
 *
 * A socket that is in the roster already goes to the list that fits.
 *
 * Context: process; does not sleep.
 */
void pvc_roster_join(struct pvc_sock *psk, struct sock *sk)
{
	bool served;

	spin_lock_bh(&pvc_roster_lock);
	/*
	 * pvc_roster_ended() takes the lock after the link has ended. So it
	 * also moves a socket whose link is found alive here.
	 */
	served = pvc_roster_is_served(psk);
	/* close() changes the state before the socket leaves the roster */
	if (pvc_sk_state(psk) != PVC_SK_CLOSED) {
		psk->again.sk = sk;
		psk->again.addr = psk->local;
		if (served) {
			psk->again.refusals = 0;
			WRITE_ONCE(psk->again.err, 0);
		}
		pvc_roster_move(psk, served ? &pvc_served : &pvc_waiting);
	}
	spin_unlock_bh(&pvc_roster_lock);
	/* a backend that has come meanwhile may have looked before */
	if (!served && pvc_link_present())
		pvc_replay();
}

/**
 * pvc_roster_leave() - a socket need not come back
 * @psk: socket, in the roster or not
 *
 * Context: process or softirq.
 */
void pvc_roster_leave(struct pvc_sock *psk)
{
	spin_lock_bh(&pvc_roster_lock);
	list_del_init(&psk->again.node);
	pvc_port_drop(&psk->again.port);
	spin_unlock_bh(&pvc_roster_lock);
}

/**
 * pvc_roster_reserves() - is an address one that another user's socket waits for?
 * @sk: socket that is to be bound
 * @a: to this address, with a port
 *
 * When a backend comes, programs may be faster than the sockets that come back.
 * No user is to have another one's port by that.
 *
 * Context: process; does not sleep.
 * Return: true if so.
 */
bool pvc_roster_reserves(const struct sock *sk, const struct pvc_addr *a)
{
	struct pvc_port_key key = pvc_roster_key(sk, a);

	return pvc_port_is_others(&key);
}

/**
 * pvc_roster_next() - take the next socket that waits
 *
 * Description: The socket keeps its address from others until
 * pvc_roster_tried().
 *
 * Context: process; does not sleep.
 * Return: the socket, with references to it and to its native socket; or NULL.
 */
struct pvc_sock *pvc_roster_next(void)
{
	struct pvc_sock *psk;

	spin_lock_bh(&pvc_roster_lock);
	psk = list_first_entry_or_null(&pvc_waiting, struct pvc_sock,
				       again.node);
	if (psk) {
		pvc_roster_move(psk, &pvc_trying);
		if (psk->again.backend != pvc_backends_gone)
			psk->again.refusals = 0;
		psk->again.backend = pvc_backends_gone;
		/* both live at least until the socket has left the roster */
		kref_get(&psk->ref);
		sock_hold(psk->again.sk);
	}
	spin_unlock_bh(&pvc_roster_lock);
	return psk;
}

/**
 * pvc_roster_tried() - the socket of pvc_roster_next() is dealt with
 *
 * Description: The socket counts as served, unless it was refused or has left.
 *
 * Context: process; does not sleep.
 */
void pvc_roster_tried(void)
{
	struct pvc_sock *psk, *next;

	spin_lock_bh(&pvc_roster_lock);
	list_for_each_entry_safe(psk, next, &pvc_trying, again.node)
		pvc_roster_move(psk, &pvc_served);
	spin_unlock_bh(&pvc_roster_lock);
}

/**
 * pvc_roster_refused() - a backend could not be told of a socket
 * @psk: socket, from pvc_roster_next()
 *
 * Context: process; does not sleep.
 */
void pvc_roster_refused(struct pvc_sock *psk)
{
	spin_lock_bh(&pvc_roster_lock);
	if (!list_empty(&psk->again.node))
		pvc_roster_move(psk, &pvc_refused);
	spin_unlock_bh(&pvc_roster_lock);
}

/**
 * pvc_roster_refusing() - have any sockets been refused?
 *
 * Context: process; does not sleep.
 * Return: true if so.
 */
bool pvc_roster_refusing(void)
{
	bool any;

	spin_lock_bh(&pvc_roster_lock);
	any = !list_empty(&pvc_refused);
	spin_unlock_bh(&pvc_roster_lock);
	return any;
}

/**
 * pvc_roster_retry() - have those that were refused wait again
 *
 * Context: process; does not sleep.
 */
void pvc_roster_retry(void)
{
	spin_lock_bh(&pvc_roster_lock);
	list_splice_tail_init(&pvc_refused, &pvc_waiting);
	spin_unlock_bh(&pvc_roster_lock);
}

/**
 * pvc_roster_ended() - the backend has gone: all sockets wait for the next one
 *
 * Description: No socket joins as a served one meanwhile, since there is no
 * backend.
 *
 * Context: process, may sleep.
 */
void pvc_roster_ended(void)
{
	struct pvc_sock *psk;

	spin_lock_bh(&pvc_roster_lock);
	while (!list_empty(&pvc_served)) {
		psk = list_first_entry(&pvc_served, struct pvc_sock,
				       again.node);
		pvc_roster_move(psk, &pvc_waiting);
		/* there may be many */
		spin_unlock_bh(&pvc_roster_lock);
		cond_resched();
		spin_lock_bh(&pvc_roster_lock);
	}
	list_splice_tail_init(&pvc_trying, &pvc_waiting);
	list_splice_tail_init(&pvc_refused, &pvc_waiting);
	pvc_backends_gone++;
	spin_unlock_bh(&pvc_roster_lock);
}
