// SPDX-License-Identifier: GPL-2.0
/* See sock.h. */
#include <linux/in.h>
#include <linux/net.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include <net/net_namespace.h>
#include <net/sock.h>

#include "sock/fastpath.h"
#include "guest/guest.h"
#include "sock/sockopt.h"
#include "guest/policy.h"
#include "limits.h"
#include "guest/call.h"
#include "sock/sock.h"
#include "trace.h"

/* Commands of a socket that are run at a time */
#define PVCALLS_CALL_BATCH	8

static const struct rhashtable_params pvcalls_sock_params = {
	.key_len = sizeof_field(struct pvcalls_sock, id),
	.key_offset = offsetof(struct pvcalls_sock, id),
	.head_offset = offsetof(struct pvcalls_sock, hash),
	.automatic_shrinking = true,
};

static const struct pvcalls_work_ops pvcalls_sock_ops;

/**
 * pvcalls_socks_init() - a frontend without sockets
 * @g: frontend
 *
 * May sleep. Undone by pvcalls_socks_exit().
 *
 * Return: 0 or a negative error number.
 */
int pvcalls_socks_init(struct pvcalls_guest *g)
{
	return rhashtable_init(&g->socks, &pvcalls_sock_params);
}

/**
 * pvcalls_socks_exit() - undo pvcalls_socks_init()
 * @g: frontend; its sockets are gone
 *
 * May sleep.
 */
void pvcalls_socks_exit(struct pvcalls_guest *g)
{
	rhashtable_destroy(&g->socks);
}

/**
 * pvcalls_socks_mark_all() - have all sockets see that the frontend is dead
 * @g: frontend
 *
 * Process context.
 */
void pvcalls_socks_mark_all(struct pvcalls_guest *g)
{
	struct pvcalls_sock *ps;

	spin_lock(&g->sock_lock);
	list_for_each_entry(ps, &g->sock_list, list)
		pvcalls_work_mark(&ps->work);
	spin_unlock(&g->sock_lock);
}

/* Takes the next of its commands, in the order in which they came, or NULL. */
static struct pvcalls_call *pvcalls_sock_next(struct pvcalls_sock *ps)
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

	/* read while a dead frontend's sockets were being torn down */
	while ((call = pvcalls_sock_next(ps)))
		pvcalls_call_free(call);
	pvcalls_guest_put(ps->guest);
	kfree_rcu(ps, rcu);
}

/**
 * pvcalls_sock_put() - drop a reference
 * @ps: socket; may be freed
 *
 * Any context.
 */
void pvcalls_sock_put(struct pvcalls_sock *ps)
{
	kref_put(&ps->ref, pvcalls_sock_free);
}

/* Not one that waits for its connection, or that did so in vain. */
static bool pvcalls_sock_ready(const struct pvcalls_sock *ps)
{
	/* pairs with the release when a connection has been accepted */
	enum pvcalls_sock_state state = smp_load_acquire(&ps->state);

	return state != PVCALLS_SS_ACCEPTING && state != PVCALLS_SS_GONE;
}

/**
 * pvcalls_sock_find() - look a socket up
 * @g: whose
 * @id: which
 *
 * A socket that waits for its connection has an id but is not there yet. On
 * the command ring's worker.
 *
 * Return: the socket, with a reference, or NULL.
 */
struct pvcalls_sock *pvcalls_sock_find(struct pvcalls_guest *g, u64 id)
{
	struct pvcalls_sock *ps;

	rcu_read_lock();
	ps = rhashtable_lookup(&g->socks, &id, pvcalls_sock_params);
	if (ps && (!pvcalls_sock_ready(ps) || !kref_get_unless_zero(&ps->ref)))
		ps = NULL;
	rcu_read_unlock();
	return ps;
}

/**
 * pvcalls_sock_unhash() - an id means this socket no more
 * @ps: socket
 *
 * Idempotent. Process context.
 */
void pvcalls_sock_unhash(struct pvcalls_sock *ps)
{
	rhashtable_remove_fast(&ps->guest->socks, &ps->hash, pvcalls_sock_params);
}

/**
 * pvcalls_sock_submit() - give a socket a command
 * @ps: an alive socket
 * @call: the command
 *
 * Commands are run in the order in which they are given. Any context.
 */
void pvcalls_sock_submit(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	llist_add(&call->node, &ps->calls);
	pvcalls_work_mark(&ps->work);
}

/**
 * pvcalls_sock_new() - make an object
 * @g: whose
 * @id: its id
 * @sock: the kernel socket, taken over; or NULL: it waits for its connection
 *
 * On a worker, while @g has a live socket or reads its command ring.
 *
 * Return: an alive socket, or an error pointer: -EEXIST if the id is in use,
 * -ENFILE if the guest has too many, -ENOMEM; then @sock is still the
 * caller's.
 */
struct pvcalls_sock *pvcalls_sock_new(struct pvcalls_guest *g, u64 id,
				      struct socket *sock)
{
	struct pvcalls_sock *ps;
	int err = -ENFILE;

	if (atomic_inc_return(&g->live) > pvcalls_max_sockets()) {
		pvcalls_guest_warn(g, "more than %u sockets\n",
				   pvcalls_max_sockets());
		goto uncount;
	}
	err = -ENOMEM;
	ps = kzalloc(sizeof(*ps), GFP_KERNEL);
	if (!ps)
		goto uncount;

	kref_init(&ps->ref);
	ps->guest = g;
	ps->id = id;
	ps->state = sock ? PVCALLS_SS_IDLE : PVCALLS_SS_ACCEPTING;
	init_llist_head(&ps->calls);
	ps->sock = sock;
	pvcalls_conn_init(&ps->conn);
	pvcalls_listener_init(&ps->listener);

	err = rhashtable_lookup_insert_fast(&g->socks, &ps->hash,
					    pvcalls_sock_params);
	if (err) {
		if (err == -EEXIST)
			pvcalls_guest_warn(g, "socket id %llx in use\n", id);
		goto free;
	}
	pvcalls_guest_get(g);
	spin_lock(&g->sock_lock);
	list_add_tail(&ps->list, &g->sock_list);
	/* its worker may run it at once, but can't drop it under the lock */
	pvcalls_work_init(&ps->work, &pvcalls_sock_ops, g->domid, g->node,
			  pvcalls_worker_current());
	spin_unlock(&g->sock_lock);
	return ps;

free:
	kfree(ps);
uncount:
	atomic_dec(&g->live);
	return ERR_PTR(err);
}

static int pvcalls_sock_check(struct pvcalls_guest *g, u32 domain, u32 type,
			      u32 protocol)
{
	if (domain != AF_INET &&
	    !(domain == AF_INET6 && pvcalls_guest_has(g, PVCALLS_F_IPV6)))
		return -EAFNOSUPPORT;
	switch (type) {
	case SOCK_STREAM:
		if (protocol == IPPROTO_IP || protocol == IPPROTO_TCP)
			return 0;
		return -EPROTONOSUPPORT;
	case SOCK_DGRAM:
		if (!pvcalls_guest_has(g, PVCALLS_F_DGRAM) ||
		    !pvcalls_guest_has(g, PVCALLS_F_WAKEUP))
			break;
		if (protocol == IPPROTO_IP || protocol == IPPROTO_UDP ||
		    protocol == (domain == AF_INET ? IPPROTO_ICMP :
						     IPPROTO_ICMPV6))
			return 0;
		return -EPROTONOSUPPORT;
	}
	return -ESOCKTNOSUPPORT;
}

/**
 * pvcalls_sock_open() - SOCKET
 * @g: whose
 * @id: its id
 * @domain: AF_INET, or AF_INET6 if that is in force
 * @type: SOCK_STREAM, or SOCK_DGRAM if that is in force
 * @protocol: IPPROTO_IP, or one of this type; of ICMP only echoes, if this
 *	domain's net.ipv4.ping_group_range lets root
 *
 * On the command ring's worker.
 *
 * Return: 0 or a negative error number.
 */
int pvcalls_sock_open(struct pvcalls_guest *g, u64 id, u32 domain, u32 type,
		      u32 protocol)
{
	struct pvcalls_sock *ps;
	struct socket *sock;
	int err;

	err = pvcalls_sock_check(g, domain, type, protocol);
	if (err) {
		pvcalls_guest_warn(g, "socket(%u, %u, %u) not supported\n",
				   domain, type, protocol);
		return err;
	}

	pvcalls_worker_spend(PVCALLS_CALL_COST);
	/*
	 * Not a kernel socket in the sense of sock_create_kern(): TCP stops the
	 * timers of such a one when it is closed (it holds no reference to its
	 * network namespace), and then a lost segment is never sent again.
	 */
	err = __sock_create(&init_net, domain, type, protocol, &sock, 0);
	if (err)
		return err;
	pvcalls_sockopt_init(g, sock);

	ps = pvcalls_sock_new(g, id, sock);
	if (IS_ERR(ps)) {
		sock_release(sock);
		return PTR_ERR(ps);
	}
	return 0;
}

/**
 * pvcalls_sock_close() - tear a socket down
 * @ps: socket, alive; stays allocated
 *
 * Closes the kernel socket, answers all calls but @ps->release, then gives the
 * data ring and the event channel back. Never waits for the network. On the
 * worker that it belongs to.
 *
 * Return: true if all is done; false if the network still has pages of the
 * ring: the socket's work is marked when it has let go of them, for
 * pvcalls_conn_let_go().
 */
bool pvcalls_sock_close(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call;

	/* its own worker leaves one that never had its connection alone */
	if (ps->state != PVCALLS_SS_ACCEPTING)
		WRITE_ONCE(ps->state, PVCALLS_SS_CLOSING);
	pvcalls_sock_unhash(ps);
	if (ps->sock)
		pvcalls_callbacks_detach(ps);
	pvcalls_conn_close(ps);
	pvcalls_listener_close(ps);
	if (ps->sock) {
		sock_release(ps->sock);
		ps->sock = NULL;
	}

	while ((call = pvcalls_sock_next(ps)))
		pvcalls_reply(call, -EBADF);
	return pvcalls_conn_let_go(ps);
}

/**
 * pvcalls_sock_drop() - a socket that was torn down is not alive any more
 * @ps: socket; may be freed
 *
 * Afterwards the frontend may be gone: responses have been sent before, and so
 * has the event for them. On the worker that it belonged to.
 */
void pvcalls_sock_drop(struct pvcalls_sock *ps)
{
	struct pvcalls_guest *g = ps->guest;

	WRITE_ONCE(ps->state, PVCALLS_SS_GONE);
	spin_lock(&g->sock_lock);
	list_del(&ps->list);
	spin_unlock(&g->sock_lock);
	pvcalls_work_exit(&ps->work);
	if (atomic_dec_and_test(&g->live))
		wake_up(&g->gone);
	pvcalls_sock_put(ps);
}

/**
 * pvcalls_sock_name() - put a socket's address into a response
 * @ps: socket with a kernel socket
 * @call: whose response
 * @peer: the peer's address, not its own
 *
 * On the worker that it belongs to.
 */
void pvcalls_sock_name(struct pvcalls_sock *ps, struct pvcalls_call *call,
		       bool peer)
{
	struct sockaddr_storage addr = {};
	int len;

	if (peer)
		len = kernel_getpeername(ps->sock, (struct sockaddr *)&addr);
	else
		len = kernel_getsockname(ps->sock, (struct sockaddr *)&addr);
	pvcalls_call_name(call, &addr, len);
}

static void pvcalls_sock_getname(struct pvcalls_sock *ps,
				 struct pvcalls_call *call)
{
	const struct pvcalls_req_getname *req = (const void *)&call->req.u;

	pvcalls_sock_name(ps, call, req->peer);
	pvcalls_reply(call, req->peer && !call->len ? -ENOTCONN : 0);
}

static void pvcalls_sock_bind(struct pvcalls_sock *ps,
			      struct pvcalls_call *call)
{
	const struct xen_pvcalls_bind *req = &call->req.u.bind;
	struct sockaddr_storage addr;
	int ret;

	ret = pvcalls_policy_addr(ps->guest, req->addr, req->len, &addr);
	if (ret > 0) {
		int len = ret;

		ret = pvcalls_policy_bind(ps->guest, &addr);
		if (!ret) {
			pvcalls_sockopt_bind(ps->guest, ps->sock);
			ret = kernel_bind(ps->sock, (struct sockaddr *)&addr,
					  len);
		}
	}
	if (!ret)
		pvcalls_sock_name(ps, call, false);
	pvcalls_reply(call, ret);
}

static void pvcalls_sock_release(struct pvcalls_sock *ps,
				 struct pvcalls_call *call)
{
	ps->release = call;
	if (ps->state == PVCALLS_SS_CONNECTED)
		pvcalls_conn_drain(ps);
}

static void pvcalls_sock_call(struct pvcalls_sock *ps,
			      struct pvcalls_call *call)
{
	switch (call->req.cmd) {
	case PVCALLS_CONNECT:
		pvcalls_conn_connect(ps, call);
		break;
	case PVCALLS_RELEASE:
		pvcalls_sock_release(ps, call);
		break;
	case PVCALLS_BIND:
		pvcalls_sock_bind(ps, call);
		break;
	case PVCALLS_LISTEN:
		pvcalls_listener_listen(ps, call);
		break;
	case PVCALLS_ACCEPT:
		pvcalls_listener_accept(ps, call);
		break;
	case PVCALLS_POLL:
		pvcalls_listener_poll(ps, call);
		break;
	case PVCALLS_SHUTDOWN:
		pvcalls_conn_shutdown(ps, call);
		break;
	case PVCALLS_GETNAME:
		pvcalls_sock_getname(ps, call);
		break;
	case PVCALLS_SETSOCKOPT:
		pvcalls_sockopt_set(ps, call);
		break;
	case PVCALLS_GETSOCKOPT:
		pvcalls_sockopt_get(ps, call);
		break;
	}
}

/* Returns whether there is more to do. */
static bool pvcalls_sock_step(struct pvcalls_sock *ps)
{
	switch (ps->state) {
	case PVCALLS_SS_CONNECTING:
		pvcalls_conn_connecting(ps);
		if (ps->state != PVCALLS_SS_CONNECTED)
			return false;
		fallthrough;
	case PVCALLS_SS_CONNECTED:
	case PVCALLS_SS_DRAINING:
		return pvcalls_conn_step(ps);
	case PVCALLS_SS_LISTENING:
		return pvcalls_listener_step(ps);
	default:
		return false;
	}
}

/* Like pvcalls_sock_step(), and tells the worker what it has done. */
static bool pvcalls_sock_move(struct pvcalls_sock *ps)
{
	const struct pvcalls_conn *c = &ps->conn;
	u32 in, out;
	bool more;

	pvcalls_conn_steer(ps);
	if (pvcalls_conn_resting(ps))
		return false;
	in = c->in.prod;
	out = c->out.cons;
	more = pvcalls_sock_step(ps);
	in = c->in.prod - in;
	out = c->out.cons - out;
	if (in || out)
		trace_pvcalls_move(ps->guest->domid, ps->id, in, out);
	pvcalls_work_did(&ps->work, in + out,
			 READ_ONCE(ps->sock->sk->sk_incoming_cpu));
	return more;
}

static bool pvcalls_sock_ends(struct pvcalls_sock *ps)
{
	if (pvcalls_guest_dead(ps->guest))
		return true;
	if (!ps->release)
		return false;
	if (ps->state != PVCALLS_SS_DRAINING || pvcalls_conn_drained(ps))
		return true;
	/* if it can't be deferred it keeps its slot */
	pvcalls_reply_later(ps->release);
	return false;
}

/* Some of its commands; the others have to wait until others had their turn. */
static void pvcalls_sock_calls(struct pvcalls_sock *ps)
{
	struct pvcalls_call *call;
	int n = PVCALLS_CALL_BATCH;

	while (n-- && (call = pvcalls_sock_next(ps))) {
		ps->conn.rest = false;
		pvcalls_sock_call(ps, call);
		pvcalls_worker_spend(PVCALLS_CALL_COST);
	}
}

static bool pvcalls_sock_serve(struct pvcalls_sock *ps)
{
	struct pvcalls_guest *g = ps->guest;
	bool closed, more = false;

	if (ps->state == PVCALLS_SS_CLOSING) {
		closed = pvcalls_conn_let_go(ps);
		goto closed;
	}

	if (!pvcalls_guest_dead(g)) {
		pvcalls_sock_calls(ps);
		more = pvcalls_sock_move(ps);
		/* one that came before RELEASE is answered before */
		if (ps->todo) {
			pvcalls_guest_notify(g);
			return true;
		}
	}

	if (!pvcalls_sock_ends(ps)) {
		pvcalls_guest_notify(g);
		return more;
	}
	closed = pvcalls_sock_close(ps);
closed:
	if (closed && ps->release)
		pvcalls_reply(ps->release, 0);
	pvcalls_guest_notify(g);
	if (closed)
		pvcalls_sock_drop(ps);
	return false;
}

static bool pvcalls_sock_run(struct pvcalls_work *work,
			     struct pvcalls_worker *w)
{
	struct pvcalls_sock *ps = container_of(work, struct pvcalls_sock, work);
	bool more;

	if (!pvcalls_sock_ready(ps))
		return false;
	/* another CPU's softirq is about to be done with it */
	while (test_and_set_bit_lock(PVCALLS_SF_RUNNING, &ps->flags))
		cpu_relax();
	more = pvcalls_sock_serve(ps);
	clear_bit_unlock(PVCALLS_SF_RUNNING, &ps->flags);
	return more;
}

static bool pvcalls_sock_fast(struct pvcalls_work *work,
			      struct pvcalls_worker *w)
{
	return pvcalls_fastpath_out(container_of(work, struct pvcalls_sock, work),
				    &w->frags);
}

static bool pvcalls_sock_due(const struct pvcalls_work *work)
{
	return pvcalls_conn_due(&container_of(work, struct pvcalls_sock,
					      work)->conn);
}

static bool pvcalls_sock_fast_likely(const struct pvcalls_work *work)
{
	return pvcalls_fastpath_likely(&container_of(work, struct pvcalls_sock,
						     work)->conn);
}

static void pvcalls_sock_work_get(struct pvcalls_work *work)
{
	kref_get(&container_of(work, struct pvcalls_sock, work)->ref);
}

static void pvcalls_sock_work_put(struct pvcalls_work *work)
{
	pvcalls_sock_put(container_of(work, struct pvcalls_sock, work));
}

static const struct pvcalls_work_ops pvcalls_sock_ops = {
	.run = pvcalls_sock_run,
	.fast = pvcalls_sock_fast,
	.due = pvcalls_sock_due,
	.fast_likely = pvcalls_sock_fast_likely,
	.get = pvcalls_sock_work_get,
	.put = pvcalls_sock_work_put,
};
