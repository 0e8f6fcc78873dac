// SPDX-License-Identifier: GPL-2.0
/* The socket's life and a guest's sockets; sock.h describes both. */
#include <linux/net.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include <net/inet_sock.h>

#include "account/ledger.h"
#include "guest/call.h"
#include "guest/guest.h"
#include "sched/pool.h"
#include "sched/worker.h"
#include "sock/orphan.h"
#include "sock/sock.h"

static const struct rhashtable_params pvcalls_sock_params = {
	.key_len = sizeof_field(struct pvcalls_sock, id),
	.key_offset = offsetof(struct pvcalls_sock, id),
	.head_offset = offsetof(struct pvcalls_sock, hash),
	.automatic_shrinking = true,
};

/**
 * pvcalls_socks_init() - initialise a guest's sockets
 * @g: the guest, which has no sockets
 *
 * Context: process, may sleep; undone by pvcalls_socks_exit(), and the memory
 * is freed with @g.
 * Return: 0 or a negative error number.
 */
int pvcalls_socks_init(struct pvcalls_guest *g)
{
	struct pvcalls_socks *socks = kvzalloc(sizeof(*socks), GFP_KERNEL);

	if (!socks)
		return -ENOMEM;
	g->socks = socks;
	spin_lock_init(&socks->lock);
	INIT_LIST_HEAD(&socks->all);
	init_waitqueue_head(&socks->gone);
	return rhashtable_init(&socks->ids, &pvcalls_sock_params);
}

/**
 * pvcalls_socks_exit() - undo pvcalls_socks_init()
 * @g: the guest, whose sockets are gone
 *
 * Context: process, may sleep.
 */
void pvcalls_socks_exit(struct pvcalls_guest *g)
{
	rhashtable_destroy(&g->socks->ids);
}

/**
 * pvcalls_socks_for_each() - call a function for each socket of a guest
 * @g: the guest
 * @fn: the function, which must not sleep
 * @arg: argument of @fn
 *
 * Context: process; @fn is called with pvcalls_socks.lock held.
 */
void pvcalls_socks_for_each(struct pvcalls_guest *g,
			    void (*fn)(struct pvcalls_sock *ps, void *arg),
			    void *arg)
{
	struct pvcalls_socks *socks = g->socks;
	struct pvcalls_sock *ps;

	spin_lock(&socks->lock);
	list_for_each_entry(ps, &socks->all, list)
		fn(ps, arg);
	spin_unlock(&socks->lock);
}

static void pvcalls_socks_mark(struct pvcalls_sock *ps, void *unused)
{
	pvcalls_work_mark(&ps->work);
}

/**
 * pvcalls_socks_end() - tear down all sockets of a dead guest
 * @g: the guest, which opens no more sockets
 *
 * The call returns when all sockets have been torn down by their workers.
 *
 * Context: process, sleeps, but not for the network; not a worker.
 */
void pvcalls_socks_end(struct pvcalls_guest *g)
{
	pvcalls_socks_for_each(g, pvcalls_socks_mark, NULL);
	wait_event(g->socks->gone, !atomic_read(&g->socks->live));
}

/**
 * pvcalls_sock_next() - take a socket's next command
 * @ps: the socket
 *
 * Context: the socket's run; or any, with the last reference to the socket.
 * Return: the oldest of the commands, or NULL.
 */
struct pvcalls_call *pvcalls_sock_next(struct pvcalls_sock *ps)
{
	struct llist_node *node = ps->todo;

	if (!node)
		node = llist_reverse_order(llist_del_all(&ps->calls));
	if (!node)
		return NULL;
	ps->todo = node->next;
	return llist_entry(node, struct pvcalls_call, node);
}

static void pvcalls_sock_free(struct kref *ref)
{
	struct pvcalls_sock *ps = container_of(ref, struct pvcalls_sock, ref);
	struct pvcalls_call *call;

	/* commands may have come while a dead guest's sockets were torn down */
	while ((call = pvcalls_sock_next(ps)))
		pvcalls_call_free(call);
	pvcalls_guest_put(ps->guest);
	kfree_rcu(ps, rcu);
}

/**
 * pvcalls_sock_get() - take a reference
 * @ps: the socket
 *
 * Context: any.
 */
void pvcalls_sock_get(struct pvcalls_sock *ps)
{
	kref_get(&ps->ref);
}

/**
 * pvcalls_sock_put() - drop a reference
 * @ps: the socket, which is freed with its last reference
 *
 * Context: any.
 */
void pvcalls_sock_put(struct pvcalls_sock *ps)
{
	kref_put(&ps->ref, pvcalls_sock_free);
}

/**
 * pvcalls_sock_ready() - does a socket belong to its own worker?
 * @ps: the socket
 *
 * Context: any.
 * Return: false if the socket waits for the connection that it is to hold, or
 * is torn down.
 */
bool pvcalls_sock_ready(const struct pvcalls_sock *ps)
{
	/* pairs with the release when a connection has been accepted */
	enum pvcalls_sock_state state = smp_load_acquire(&ps->state);

	return state != PVCALLS_SS_ACCEPTING && state != PVCALLS_SS_GONE;
}

/**
 * pvcalls_sock_find() - find a socket by its id
 * @g: the guest
 * @id: the socket's id
 *
 * A socket that waits for the connection that it is to hold is not found.
 *
 * Context: the command ring's worker.
 * Return: the socket, with a reference, or NULL.
 */
struct pvcalls_sock *pvcalls_sock_find(struct pvcalls_guest *g, u64 id)
{
	struct pvcalls_sock *ps;

	rcu_read_lock();
	ps = rhashtable_lookup(&g->socks->ids, &id, pvcalls_sock_params);
	if (ps && (!pvcalls_sock_ready(ps) || !kref_get_unless_zero(&ps->ref)))
		ps = NULL;
	rcu_read_unlock();
	return ps;
}

/**
 * pvcalls_sock_unhash() - release a socket's id
 * @ps: the socket
 *
 * The guest may use the id again. More than one call has no further effect.
 *
 * Context: process.
 */
void pvcalls_sock_unhash(struct pvcalls_sock *ps)
{
	rhashtable_remove_fast(&ps->guest->socks->ids, &ps->hash,
			       pvcalls_sock_params);
}

/**
 * pvcalls_sock_submit() - give a socket a command
 * @ps: the socket, which the caller has a reference to
 * @call: the command
 *
 * The socket's worker runs commands in the order in which they are given.
 *
 * Context: any.
 */
void pvcalls_sock_submit(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	llist_add(&call->node, &ps->calls);
	pvcalls_work_mark(&ps->work);
}

static struct pvcalls_sock *pvcalls_sock_of_sends(struct pvcalls_zerocopy *z)
{
	return container_of(z, struct pvcalls_sock, conn.zerocopy);
}

static void pvcalls_sock_sends_get(struct pvcalls_zerocopy *z)
{
	pvcalls_sock_get(pvcalls_sock_of_sends(z));
}

/*
 * Mark the work, because the worker gives the bytes back to the guest. Room for
 * further bytes is announced by TCP.
 */
static void pvcalls_sock_sends_done(struct pvcalls_zerocopy *z)
{
	struct pvcalls_sock *ps = pvcalls_sock_of_sends(z);

	pvcalls_work_mark(&ps->work);
	pvcalls_sock_put(ps);
}

static const struct pvcalls_zerocopy_ops pvcalls_sock_sends = {
	.get = pvcalls_sock_sends_get,
	.done = pvcalls_sock_sends_done,
};

/*
 * TCP may have memory again. The timer ends before the kernel socket does. Or the
 * pages of a socket that is torn down may be free, and then the timer ends
 * before the socket does.
 */
static void pvcalls_sock_retry(struct timer_list *timer)
{
	struct pvcalls_sock *ps = container_of(timer, struct pvcalls_sock,
					       conn.retry);

	if (READ_ONCE(ps->state) == PVCALLS_SS_CLOSING)
		pvcalls_work_mark(&ps->work);
	else
		ps->callbacks.ops->space(&ps->callbacks, ps->sock->sk);
}

/* It is the socket's turn at a rate (pace.h). */
static void pvcalls_sock_turn(struct pvcalls_claim *claim)
{
	struct pvcalls_sock *ps = claim->owner;

	if (claim == &ps->conn.claims[PVCALLS_PACE_OUT])
		set_bit(PVCALLS_SF_OUT_READY, &ps->flags);
	else if (claim == &ps->conn.claims[PVCALLS_PACE_IN])
		set_bit(PVCALLS_SF_IN_READY, &ps->flags);
	pvcalls_work_mark(&ps->work);
}

/**
 * pvcalls_sock_charge() - charge a guest a socket
 * @g: the guest
 *
 * Undone by pvcalls_sock_uncharge(), unless pvcalls_sock_new() takes the charge
 * over.
 *
 * Context: a worker, while @g has a live socket or reads its command ring.
 * Return: 0, or -ENFILE if the guest has too many sockets.
 */
int pvcalls_sock_charge(struct pvcalls_guest *g)
{
	return pvcalls_orphan_charge(&g->peer, PVCALLS_KIND_SOCKETS, 1);
}

/**
 * pvcalls_sock_uncharge() - undo pvcalls_sock_charge()
 * @g: the guest
 *
 * Context: as pvcalls_sock_charge().
 */
void pvcalls_sock_uncharge(struct pvcalls_guest *g)
{
	pvcalls_account_uncharge(g->peer.account, PVCALLS_KIND_SOCKETS, 1);
}

/**
 * pvcalls_sock_hold() - charge for what a socket needs one of
 * @ps: the socket
 * @kind: what; nothing happens if the socket is charged one already
 *
 * The charge ends with the kernel socket, or by pvcalls_sock_unhold().
 *
 * Context: the worker that the socket belongs to.
 * Return: 0, or an error number for the guest.
 */
int pvcalls_sock_hold(struct pvcalls_sock *ps, enum pvcalls_kind kind)
{
	int err;

	if (ps->held.of[kind])
		return 0;
	err = pvcalls_orphan_charge(&ps->guest->peer, kind, 1);
	if (!err)
		ps->held.of[kind] = 1;
	return err;
}

/**
 * pvcalls_sock_unhold() - undo pvcalls_sock_hold()
 * @ps: the socket
 * @kind: what
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_sock_unhold(struct pvcalls_sock *ps, enum pvcalls_kind kind)
{
	pvcalls_account_uncharge(ps->guest->peer.account, kind, 1);
	ps->held.of[kind] = 0;
}

/**
 * pvcalls_sock_unhold_port() - undo pvcalls_sock_hold() of a port
 * @ps: the socket, with a kernel socket; nothing happens if that has a port, or
 *	may get one when a datagram is sent
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_sock_unhold_port(struct pvcalls_sock *ps)
{
	if (ps->state == PVCALLS_SS_IDLE && ps->held.of[PVCALLS_KIND_PORTS] &&
	    !inet_sk(ps->sock->sk)->inet_num)
		pvcalls_sock_unhold(ps, PVCALLS_KIND_PORTS);
}

/**
 * pvcalls_sock_new() - create a socket
 * @g: the guest, which has been charged the socket
 * @id: the socket's id, chosen by the guest
 * @type: functions of a stream or datagram socket
 * @sock: the kernel socket, which the socket takes over; or NULL if the socket
 *	is to hold a connection to be accepted
 *
 * Context: a worker, while @g has a live socket or reads its command ring.
 * Return: a socket with one reference; or an error pointer, and then @sock and
 * the charge are still the caller's: -EEXIST if the id is in use, -ENOMEM.
 */
struct pvcalls_sock *pvcalls_sock_new(struct pvcalls_guest *g, u64 id,
				      const struct pvcalls_sock_type *type,
				      struct socket *sock)
{
	struct pvcalls_socks *socks = g->socks;
	struct pvcalls_sock *ps;
	int i, err = -ENOMEM;

	ps = kzalloc(sizeof(*ps), GFP_KERNEL);
	if (!ps)
		return ERR_PTR(err);
	ps->orphan = pvcalls_orphan_new();
	if (!ps->orphan)
		goto free;

	kref_init(&ps->ref);
	ps->held.of[PVCALLS_KIND_SOCKETS] = 1;
	ps->guest = g;
	ps->id = id;
	ps->state = sock ? PVCALLS_SS_IDLE : PVCALLS_SS_ACCEPTING;
	init_llist_head(&ps->calls);
	ps->sock = sock;
	ps->type = type;
	ps->callbacks.ops = type->callbacks;
	ps->conn.out_state = PVCALLS_OUT_OPEN;
	pvcalls_notify_init(&ps->conn.notify);
	pvcalls_zerocopy_init(&ps->conn.zerocopy, &pvcalls_sock_sends);
	timer_setup(&ps->conn.retry, pvcalls_sock_retry, 0);
	for (i = 0; i < PVCALLS_PACES; i++)
		pvcalls_claim_init(&ps->conn.claims[i], pvcalls_sock_turn, ps);
	INIT_LIST_HEAD(&ps->listener.accepts);
	INIT_LIST_HEAD(&ps->listener.polls);
	spin_lock_init(&ps->listener.lock);

	err = rhashtable_lookup_insert_fast(&socks->ids, &ps->hash,
					    pvcalls_sock_params);
	if (err) {
		if (err == -EEXIST)
			pvcalls_guest_warn(g, "socket id %llx in use\n", id);
		goto free;
	}
	atomic_inc(&socks->live);
	pvcalls_guest_get(g);
	spin_lock(&socks->lock);
	list_add_tail(&ps->list, &socks->all);
	/*
	 * its worker may run the work at once, but the lock keeps it from
	 * dropping the socket
	 */
	pvcalls_work_init(&ps->work, type->work, g->queues, g->node,
			  pvcalls_worker_current());
	spin_unlock(&socks->lock);
	return ps;

free:
	pvcalls_orphan_free(ps->orphan);
	kfree(ps);
	return ERR_PTR(err);
}

/**
 * pvcalls_sock_close() - close the kernel socket
 * @ps: the socket, which is being torn down and has a kernel socket
 *
 * What the guest is charged is given back when the network has done with the
 * kernel socket.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_sock_close(struct pvcalls_sock *ps)
{
	pvcalls_orphan_leave(ps->orphan, ps->sock, ps->guest->peer.account,
			     &ps->held);
	ps->orphan = NULL;
	ps->sock = NULL;
	memset(&ps->held, 0, sizeof(ps->held));
}

/**
 * pvcalls_sock_drop() - end the life of a socket that was torn down
 * @ps: the socket, which is freed with its last reference
 *
 * The guest may go away after this call. So all responses and their event must
 * have been sent before.
 *
 * Context: the worker that the socket belonged to.
 */
void pvcalls_sock_drop(struct pvcalls_sock *ps)
{
	struct pvcalls_socks *socks = ps->guest->socks;

	WRITE_ONCE(ps->state, PVCALLS_SS_GONE);
	spin_lock(&socks->lock);
	list_del(&ps->list);
	spin_unlock(&socks->lock);
	pvcalls_work_exit(&ps->work);
	/* one that never had a kernel socket is charged itself, and no more */
	if (ps->orphan) {
		pvcalls_orphan_free(ps->orphan);
		pvcalls_sock_uncharge(ps->guest);
	}
	if (atomic_dec_and_test(&socks->live))
		wake_up(&socks->gone);
	pvcalls_sock_put(ps);
}
