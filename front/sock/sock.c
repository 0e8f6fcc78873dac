// SPDX-License-Identifier: GPL-2.0
/* See sock.h. */
#include <linux/module.h>
#include <linux/slab.h>

#include "link/budget.h"
#include "sock/sock.h"

/* The states that may follow each state */
static const u8 pvc_sk_next[] = {
	[PVC_SK_OPEN] = BIT(PVC_SK_OPEN) | BIT(PVC_SK_BOUND) |
			BIT(PVC_SK_CONNECTING) | BIT(PVC_SK_CONNECTED) |
			BIT(PVC_SK_LISTENING) | BIT(PVC_SK_LOCAL) |
			BIT(PVC_SK_CLOSED),
	[PVC_SK_BOUND] = BIT(PVC_SK_OPEN) | BIT(PVC_SK_BOUND) |
			 BIT(PVC_SK_CONNECTING) | BIT(PVC_SK_LISTENING) |
			 BIT(PVC_SK_LOCAL) | BIT(PVC_SK_CLOSED),
	[PVC_SK_CONNECTING] = BIT(PVC_SK_OPEN) | BIT(PVC_SK_BOUND) |
			      BIT(PVC_SK_CONNECTED) | BIT(PVC_SK_CLOSED),
	[PVC_SK_CONNECTED] = BIT(PVC_SK_OPEN) | BIT(PVC_SK_BOUND) |
			     BIT(PVC_SK_CLOSED),
	[PVC_SK_LISTENING] = BIT(PVC_SK_OPEN) | BIT(PVC_SK_BOUND) |
			     BIT(PVC_SK_LISTENING) | BIT(PVC_SK_LOCAL) |
			     BIT(PVC_SK_CLOSED),
	[PVC_SK_LOCAL] = 0,
	[PVC_SK_CLOSED] = BIT(PVC_SK_CLOSED),
};

/* The state of struct socket that goes with each state of ours */
static socket_state pvc_sk_native_state(enum pvc_sk_state state)
{
	switch (state) {
	case PVC_SK_CONNECTING:
		return SS_CONNECTING;
	case PVC_SK_CONNECTED:
		return SS_CONNECTED;
	default:
		return SS_UNCONNECTED;
	}
}

/**
 * pvc_sk_move() - change the state of a socket
 * @psk: socket, ctl held or not yet visible
 * @sock: struct socket of @psk; NULL while the socket is destroyed
 * @to: the new state, which must be one that may follow
 *
 * Context: any.
 */
void pvc_sk_move(struct pvc_sock *psk, struct socket *sock,
		 enum pvc_sk_state to)
{
	WARN_ON_ONCE(!(pvc_sk_next[psk->state] & BIT(to)));
	WRITE_ONCE(psk->state, to);
	if (sock && to != PVC_SK_LOCAL && to != PVC_SK_CLOSED)
		sock->state = pvc_sk_native_state(to);
}

/**
 * pvc_sk_rest() - go back to where connect() or listen() began
 * @psk: socket without a connection in use, ctl held
 * @sock: its struct socket
 *
 * Context: process; does not sleep.
 */
void pvc_sk_rest(struct pvc_sock *psk, struct socket *sock)
{
	pvc_sk_move(psk, sock, psk->local.len ? PVC_SK_BOUND : PVC_SK_OPEN);
}

/**
 * pvc_sk_init() - set up an object
 * @psk: zeroed memory
 *
 * Context: any.
 */
void pvc_sk_init(struct pvc_sock *psk)
{
	kref_init(&psk->ref);
	mutex_init(&psk->ctl);
	spin_lock_init(&psk->lock);
	INIT_LIST_HEAD(&psk->again.node);
}

/**
 * pvc_sk_pay() - have the user of this process pay for a socket
 * @psk: object that is not yet visible
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pvc_sk_pay(struct pvc_sock *psk)
{
	psk->payers = pvc_payers_get();
	return psk->payers ? 0 : -ENOMEM;
}

/* Nobody pays for the socket any more; its connections have their own payers */
static void pvc_sk_unpay(struct pvc_sock *psk)
{
	struct pvc_payers *payers;

	spin_lock_bh(&psk->lock);
	payers = psk->payers;
	psk->payers = NULL;
	spin_unlock_bh(&psk->lock);
	if (payers)
		pvc_payers_put(payers);
}

/**
 * pvc_sk_alloc() - make the object of a TCP socket
 *
 * Description: The object holds the module, since calls that use the object may
 * still be under way when the socket has become native.
 *
 * Context: process, may sleep.
 * Return: the object with one reference, or NULL without memory or if the
 * module is about to go.
 */
struct pvc_sock *pvc_sk_alloc(void)
{
	struct pvc_sock *psk;

	if (!try_module_get(THIS_MODULE))
		return NULL;
	psk = kzalloc(sizeof(*psk), GFP_KERNEL_ACCOUNT);
	if (!psk) {
		module_put(THIS_MODULE);
		return NULL;
	}
	pvc_sk_init(psk);
	if (pvc_sk_pay(psk)) {
		kfree(psk);
		module_put(THIS_MODULE);
		return NULL;
	}
	return psk;
}

/**
 * pvc_sk_hold() - take one more reference
 * @psk: object that is going to be, or is, referenced by its socket
 *
 * Context: any, in an RCU read-side section if nothing else keeps the object.
 * Return: the object, or NULL if its last reference has gone.
 */
struct pvc_sock *pvc_sk_hold(struct pvc_sock *psk)
{
	return kref_get_unless_zero(&psk->ref) ? psk : NULL;
}

static void pvc_sk_free(struct kref *ref)
{
	struct pvc_sock *psk = container_of(ref, struct pvc_sock, ref);

	if (psk->embedded)
		return;
	pvc_sk_unpay(psk);
	kfree_rcu(psk, rcu);
	/* at exit synchronize_rcu_tasks() waits for this function to end */
	module_put(THIS_MODULE);
}

/**
 * pvc_sk_put() - drop a reference
 * @psk: object
 *
 * Context: any.
 */
void pvc_sk_put(struct pvc_sock *psk)
{
	kref_put(&psk->ref, pvc_sk_free);
}

/**
 * pvc_sk_new_conn() - make a connection that the maker of a socket pays for
 * @psk: the program's socket
 * @link: the link
 * @family: AF_INET or AF_INET6
 * @type: SOCK_STREAM or SOCK_DGRAM
 * @protocol: protocol of datagrams
 *
 * Context: process, may sleep; also on behalf of another process.
 * Return: as pvc_conn_new(), or -EBADF if the socket is destroyed.
 */
struct pvc_conn *pvc_sk_new_conn(struct pvc_sock *psk, struct pvc_link *link,
				 int family, int type, int protocol)
{
	struct pvc_payers *payers;
	struct pvc_conn *c;

	spin_lock_bh(&psk->lock);
	payers = psk->payers ? pvc_payers_hold(psk->payers) : NULL;
	spin_unlock_bh(&psk->lock);
	if (!payers)
		return ERR_PTR(-EBADF);
	c = pvc_conn_new(link, payers, family, type, protocol);
	pvc_payers_put(payers);
	return c;
}

/**
 * pvc_sk_conn() - the backend's socket behind a program's
 * @psk: the program's socket
 *
 * Context: process.
 * Return: the backend's socket with a reference, or NULL if there is none.
 */
struct pvc_conn *pvc_sk_conn(struct pvc_sock *psk)
{
	struct pvc_conn *c;

	spin_lock_bh(&psk->lock);
	c = psk->conn;
	if (c)
		pvc_conn_hold(c);
	spin_unlock_bh(&psk->lock);
	return c;
}

/**
 * pvc_sk_set_conn() - give a socket its backend's socket
 * @psk: socket without a connection, ctl held or not yet visible
 * @c: the backend's socket, whose reference is taken over
 *
 * A program may close the socket meanwhile only if the caller is replay.c.
 *
 * Context: process; does not sleep.
 * Return: 0, or -EBADF if the program has closed the socket; then @c is closed.
 */
int pvc_sk_set_conn(struct pvc_sock *psk, struct pvc_conn *c)
{
	bool closed;

	spin_lock_bh(&psk->lock);
	/* pvc_sk_close() changes the state before it takes the connection */
	closed = READ_ONCE(psk->state) == PVC_SK_CLOSED;
	if (!closed)
		psk->conn = c;
	spin_unlock_bh(&psk->lock);
	if (!closed)
		return 0;
	pvc_conn_close(c, true);
	pvc_conn_put(c);
	return -EBADF;
}

/* Takes the connection off a socket. Returns the reference, or NULL. */
static struct pvc_conn *pvc_sk_take_conn(struct pvc_sock *psk)
{
	struct pvc_conn *c;

	spin_lock_bh(&psk->lock);
	c = psk->conn;
	psk->conn = NULL;
	spin_unlock_bh(&psk->lock);
	return c;
}

/**
 * pvc_sk_drop_conn() - close the backend's socket
 * @psk: socket, ctl held
 * @abort: reset the connection
 *
 * Context: process, sleeps; waits for the backend only for a second at most,
 * and only if there is a port that is to be free again.
 */
void pvc_sk_drop_conn(struct pvc_sock *psk, bool abort)
{
	struct pvc_conn *c = pvc_sk_take_conn(psk);

	if (!c)
		return;
	pvc_conn_close(c, abort);
	pvc_conn_await_port(c);
	pvc_conn_put(c);
}

/**
 * pvc_sk_drop_ended() - let go of a socket of a backend that has gone
 * @psk: socket that connects to nobody, ctl held
 *
 * Context: process; does not wait for a backend.
 */
void pvc_sk_drop_ended(struct pvc_sock *psk)
{
	struct pvc_conn *c = pvc_sk_conn(psk);

	if (!c)
		return;
	if (pvc_link_ended(c->link))
		pvc_sk_drop_conn(psk, true);
	pvc_conn_put(c);
}

/**
 * pvc_sk_close() - the program has closed its socket
 * @psk: object of the socket
 * @sk: the native socket, which nobody else uses any more
 * @timeout: jiffies to wait until all has been sent, from SO_LINGER
 *
 * Context: process, sleeps; waits for the backend only as long as @timeout
 * says, and a second for a port to be free again.
 */
void pvc_sk_close(struct pvc_sock *psk, struct sock *sk, long timeout)
{
	struct pvc_conn *c = pvc_sk_conn(psk);
	bool lingers = c && timeout && sk->sk_type == SOCK_STREAM &&
		       READ_ONCE(c->state) == PVC_CONN_CONNECTED;

	pvc_sk_move(psk, NULL, PVC_SK_CLOSED);
	pvc_sk_drop_conn(psk, sock_flag(sk, SOCK_LINGER) &&
			 !sk->sk_lingertime);
	if (lingers)
		pvc_conn_await_over(c, timeout);
	if (c)
		pvc_conn_put(c);
}

/**
 * pvc_sk_abandon() - the native socket is destroyed
 * @psk: object of the socket
 *
 * pvc_sk_close() has run before, unless making the socket has failed.
 *
 * Context: any, bottom halves may be off.
 */
void pvc_sk_abandon(struct pvc_sock *psk)
{
	struct pvc_conn *c;

	/* pvc_sk_set_conn() looks at the state with the lock held */
	pvc_sk_move(psk, NULL, PVC_SK_CLOSED);
	c = pvc_sk_take_conn(psk);
	pvc_sk_unpay(psk);
	if (!c)
		return;
	pvc_conn_close(c, true);
	pvc_conn_put(c);
}
