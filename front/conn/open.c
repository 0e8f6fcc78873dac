// SPDX-License-Identifier: GPL-2.0
/* See conn.h. What a connection is made for: bind, listen, connect. */
#include <linux/slab.h>
#include <net/sock.h>

#include "conn/conn.h"

/**
 * struct pvc_opening - a SOCKET that nobody waits for
 * @cmd: the command
 * @c: the connection, referenced
 */
struct pvc_opening {
	struct pvc_cmd cmd;
	struct pvc_conn *c;
};

/* Fills in SOCKET. */
static void pvc_conn_prepare_open(const struct pvc_conn *c,
				  struct xen_pvcalls_request *req)
{
	req->u.socket.id = c->id;
	req->u.socket.domain = c->family;
	req->u.socket.type = c->type;
	req->u.socket.protocol = c->protocol;
}

/**
 * pvc_conn_open() - create the backend's socket
 * @c: new connection
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_conn_open(struct pvc_conn *c)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_SOCKET };
	int ret;

	pvc_conn_prepare_open(c, &req);
	ret = pvc_cmd_call(c->link, &req, NULL);
	/* the backend may still create a socket that a killed task asked for */
	if (!ret || ret == -EINTR)
		pvc_conn_move(c, PVC_CONN_OPENED);
	return ret;
}

static void pvc_opening_free(struct pvc_opening *o)
{
	pvc_cmd_fini(&o->cmd);
	pvc_conn_put(o->c);
	kfree(o);
}

static void pvc_opening_done(struct pvc_cmd *cmd)
{
	struct pvc_opening *o = container_of(cmd, struct pvc_opening, cmd);
	struct pvc_conn *c = o->c;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (cmd->rsp.ret)
		c->err = cmd->rsp.ret;
	spin_unlock_irqrestore(&c->lock, flags);
	pvc_opening_free(o);
}

/**
 * pvc_conn_open_nowait() - create the backend's socket without waiting
 * @c: new connection
 *
 * An error makes the connect fail that follows. So both cost one round trip.
 *
 * Context: process, may sleep, but not for the backend.
 * Return: 0, -ENOMEM, or -ENOTCONN if the link has ended.
 */
int pvc_conn_open_nowait(struct pvc_conn *c)
{
	struct pvc_opening *o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!o)
		return -ENOMEM;
	pvc_conn_hold(c);
	o->c = c;
	ret = pvc_cmd_init(&o->cmd, c->link, PVCALLS_SOCKET, pvc_opening_done);
	if (!ret) {
		pvc_conn_prepare_open(c, &o->cmd.req);
		o->cmd.lazy = true;
		ret = pvc_cmd_submit(&o->cmd);
	}
	if (ret) {
		pvc_opening_free(o);
		return ret;
	}
	pvc_conn_move(c, PVC_CONN_OPENED);
	return 0;
}

/* An address, as one of a connection's user. */
static struct pvc_port_key pvc_conn_key(const struct pvc_conn *c,
					const struct pvc_addr *a)
{
	struct pvc_port_key key = {
		.space = c->link,
		.type = c->type,
		.protocol = c->protocol,
		.uid = __kuid_val(c->uid),
	};

	pvc_addr_to_key(a, &key);
	return key;
}

/**
 * pvc_conn_hold_port() - keep other users from the address of a connection
 * @c: connection, bound or not, lock held or not known to others yet
 *
 * To be called again when the address has changed.
 *
 * Context: any.
 */
void pvc_conn_hold_port(struct pvc_conn *c)
{
	struct pvc_port_key key;

	if (!c->has_port || pvc_conn_gone(c))
		return;
	key = pvc_conn_key(c, &c->local);
	pvc_port_hold(&c->port, &key);
}

/**
 * pvc_conn_bind() - bind the backend's socket
 * @c: opened connection that no program knows yet
 * @want: address
 *
 * Sets @c->local to the address bound, as far as the backend tells.
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_conn_bind(struct pvc_conn *c, const struct pvc_addr *want)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_BIND };
	struct pvcalls_response rsp;
	int ret;

	req.u.bind.id = c->id;
	req.u.bind.len = want->len;
	memcpy(req.u.bind.addr, want->raw, sizeof(req.u.bind.addr));
	ret = pvc_cmd_call(c->link, &req, &rsp);
	if (ret)
		return ret;
	if (pvc_link_has(c->link, PVCALLS_F_NAMES))
		pvc_addr_from_rsp(&rsp.u.name, &c->local);
	if (!c->local.len)
		c->local = *want;
	c->has_port = true;
	pvc_conn_hold_port(c);
	pvc_conn_move(c, PVC_CONN_BOUND);
	return 0;
}

/**
 * pvc_conn_is_shared() - has another user bound a part of the same address?
 * @c: connection of a user
 * @a: address with a port
 *
 * With SO_REUSEPORT the backend lets all sockets of the guest share an address,
 * whichever of the guest's users they belong to. TCP and UDP let only sockets
 * of one user share it.
 *
 * Context: process; does not sleep.
 * Return: true if so.
 */
bool pvc_conn_is_shared(const struct pvc_conn *c, const struct pvc_addr *a)
{
	struct pvc_port_key key = pvc_conn_key(c, a);

	return pvc_port_is_others(&key);
}

/**
 * pvc_conn_listen() - make the backend's socket listen
 * @c: bound connection, or one that listens already
 * @backlog: as in listen()
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_conn_listen(struct pvc_conn *c, int backlog)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_LISTEN };
	int ret;

	req.u.listen.id = c->id;
	req.u.listen.backlog = backlog;
	ret = pvc_cmd_call(c->link, &req, NULL);
	if (ret)
		return ret;
	spin_lock_irq(&c->lock);
	if (c->state == PVC_CONN_BOUND)
		pvc_conn_move(c, PVC_CONN_LISTENING);
	c->acceptq.target = max(c->acceptq.target, 1U);
	spin_unlock_irq(&c->lock);
	return 0;
}

/**
 * pvc_conn_add_ring() - give a connection its data ring
 * @c: connection without one
 * @sk: the program's socket, or NULL if there is none yet
 *
 * Context: process, sleeps; see pvc_order_ring().
 * Return: 0, -ENOMEM or -ENOBUFS.
 */
int pvc_conn_add_ring(struct pvc_conn *c, const struct sock *sk)
{
	struct pvc_shm *shm = pvc_order_ring(c->link, c->payers, sk,
					     pvc_conn_event);

	if (IS_ERR(shm))
		return PTR_ERR(shm);
	pvc_ring_attach(&c->ring, shm, pvc_link_has(c->link, PVCALLS_F_WAKEUP),
			c);
	return 0;
}

/* Tells the program that connecting has failed. Call with c->lock held. */
static void pvc_conn_fail(struct pvc_conn *c)
{
	/* a socket of datagrams goes on with the next backend */
	bool tell = !pvc_conn_is_dgram(c) || !pvc_link_ended(c->link);
	struct sock *sk = c->sk;

	if (sk && tell) {
		WRITE_ONCE(sk->sk_err, -c->err);
		if (sk->sk_type == SOCK_STREAM)
			WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	}
	/* pvc_connect_result() reads the state before sk_err */
	pvc_conn_move(c, PVC_CONN_FAILED);
	if (sk)
		pvc_wake(c, PVC_WAKE_STATE | (tell ? PVC_WAKE_ERROR : 0));
}

static void pvc_conn_connect_done(struct pvc_cmd *cmd)
{
	struct pvc_conn *c = container_of(cmd, struct pvc_conn, cmds.op);
	int ret = cmd->rsp.ret;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	/* the program may have closed the connection meanwhile */
	if (c->state != PVC_CONN_CONNECTING)
		goto out;
	/* a SOCKET that failed makes CONNECT fail, but knows the reason */
	if (!c->err)
		c->err = ret;
	/* what TCP says of a RST in the state SYN-SENT */
	if (c->err && pvc_link_ended(c->link) && !pvc_conn_is_dgram(c))
		c->err = -ECONNREFUSED;
	if (c->err) {
		pvc_conn_fail(c);
		goto out;
	}
	if (pvc_link_has(c->link, PVCALLS_F_NAMES))
		pvc_addr_from_rsp(&cmd->rsp.u.name, &c->local);
	pvc_conn_hold_port(c);
	c->ring.shm->known = false;
	pvc_conn_move(c, PVC_CONN_CONNECTED);
	if (c->sk) {
		pvc_wake(c, PVC_WAKE_STATE);
		sk_wake_async(c->sk, SOCK_WAKE_IO, POLL_OUT);
	}
out:
	spin_unlock_irqrestore(&c->lock, flags);
	pvc_conn_put(c);
}

/**
 * pvc_conn_connect() - begin to connect
 * @c: opened or bound connection, or a new one with feature-open
 * @sk: the program's socket, which is told of the result
 * @to: address
 *
 * Context: process, sleeps; waits for the backend as pvc_order_ring() does.
 * Return: 0 if connecting is under way, or a negative error.
 */
int pvc_conn_connect(struct pvc_conn *c, struct sock *sk,
		     const struct pvc_addr *to)
{
	struct xen_pvcalls_connect *req = &c->cmds.op.req.u.connect;
	int ret;

	ret = pvc_conn_add_ring(c, sk);
	if (!ret)
		ret = pvc_cmd_init(&c->cmds.op, c->link, PVCALLS_CONNECT,
				   pvc_conn_connect_done);
	if (ret)
		return ret;
	req->id = c->id;
	memcpy(req->addr, to->raw, sizeof(req->addr));
	req->len = to->len;
	req->ref = c->ring.shm->intf_ref;
	req->evtchn = c->ring.shm->sub.evtchn->port;
	if (c->state == PVC_CONN_NEW)
		req->flags = PVCALLS_CONNECT_OPEN;
	c->peer = *to;

	spin_lock_irq(&c->lock);
	c->sk = sk;
	pvc_conn_move(c, PVC_CONN_CONNECTING);
	spin_unlock_irq(&c->lock);

	return pvc_conn_submit(c, &c->cmds.op);
}

/**
 * pvc_conn_addr() - copy an address, as far as it is known
 * @c: connection, whose backend may be about to tell another address
 * @peer: the peer's address instead of the own one
 *
 * Context: process; does not sleep.
 * Return: the address; without a length if it is not known.
 */
struct pvc_addr pvc_conn_addr(struct pvc_conn *c, bool peer)
{
	struct pvc_addr a;

	spin_lock_irq(&c->lock);
	a = peer ? c->peer : c->local;
	spin_unlock_irq(&c->lock);
	return a;
}

/**
 * pvc_conn_getname() - ask for an address that is not known yet
 * @c: connection that the backend knows
 * @peer: the peer's address, which goes to @c->peer, instead of the own one,
 *	which goes to @c->local
 *
 * Context: process, sleeps; killable.
 * Return: 0, also where the backend cannot tell, or a negative error.
 */
int pvc_conn_getname(struct pvc_conn *c, bool peer)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_GETNAME };
	struct pvcalls_req_getname *args = (void *)&req.u;
	struct pvc_addr *a = peer ? &c->peer : &c->local;
	struct pvcalls_response rsp;
	struct pvc_addr got;
	int ret;

	if (a->len || !pvc_link_has(c->link, PVCALLS_F_NAMES))
		return 0;
	args->id = c->id;
	args->peer = peer;
	ret = pvc_cmd_call(c->link, &req, &rsp);
	if (ret)
		return ret;
	pvc_addr_from_rsp(&rsp.u.name, &got);
	spin_lock_irq(&c->lock);
	*a = got;
	spin_unlock_irq(&c->lock);
	return 0;
}
