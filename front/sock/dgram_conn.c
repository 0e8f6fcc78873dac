// SPDX-License-Identifier: GPL-2.0
/* See dgram_conn.h. */
#include "conn/conn.h"
#include "link/link.h"
#include "sock/dgram_conn.h"
#include "sock/sock.h"

/**
 * pvc_dgram_dead() - is a socket of the backend of no use any more?
 * @c: the backend's socket
 *
 * Context: any.
 * Return: true if the socket has gone with its backend or has never come about;
 * then sock_error() knows why, unless the program has been told.
 */
bool pvc_dgram_dead(const struct pvc_conn *c)
{
	/* pairs with the release when the connection has failed */
	return smp_load_acquire(&c->state) == PVC_CONN_FAILED ||
	       READ_ONCE(c->in_err);
}

/**
 * pvc_dgram_link() - find the connection to a backend that knows datagrams
 *
 * Context: process.
 * Return: the connection with a reference, or NULL if there is none.
 */
struct pvc_link *pvc_dgram_link(void)
{
	struct pvc_link *link = pvc_link_get();

	if (link && !pvc_link_has(link, PVCALLS_F_DGRAM)) {
		pvc_link_put(link);
		link = NULL;
	}
	return link;
}

/**
 * pvc_dgram_attach() - give the backend's socket its data ring, and its peer
 * @psk: what we know of @sk
 * @c: open socket of the backend that no other thread knows yet, since every
 *	thread that knows the socket uses its ring
 * @sk: the program's socket
 *
 * A socket that has had a peer at another backend gets the ring and that peer
 * at once, so that nobody else's datagrams come in.
 *
 * Context: process, may sleep; waits for the backend for a second at most, and
 * only if rings have run out and idle ones are to be freed.
 * Return: 0 or a negative error.
 */
int pvc_dgram_attach(struct pvc_sock *psk, struct pvc_conn *c, struct sock *sk)
{
	bool has_peer = psk->dpeer == PVC_PEER_REMOTE;
	struct pvc_addr to = { .len = sizeof(struct sockaddr_in) };
	int ret = 0;

	if (has_peer) {
		to = psk->peer;
		ret = pvc_addr_to_family(&to, c->family);
	}
	if (!ret)
		ret = pvc_conn_connect(c, sk, &to);
	if (!has_peer)
		c->peer.len = 0;
	return ret;
}

/**
 * pvc_dgram_set_peer() - tell the backend whom a socket talks to
 * @c: the backend's socket
 * @to: address of the peer; without a length the socket has no peer any more
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_dgram_set_peer(struct pvc_conn *c, const struct pvc_addr *to)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_CONNECT };
	struct xen_pvcalls_connect *args = &req.u.connect;
	struct pvcalls_response rsp;
	int ret;

	args->id = c->id;
	args->len = sizeof(struct sockaddr_in);
	if (to->len) {
		args->len = to->len;
		memcpy(args->addr, to->raw, sizeof(args->addr));
	}
	ret = pvc_cmd_call(c->link, &req, &rsp);
	if (ret)
		return ret;
	spin_lock_irq(&c->lock);
	c->peer = *to;
	if (pvc_link_has(c->link, PVCALLS_F_NAMES))
		pvc_addr_from_rsp(&rsp.u.name, &c->local);
	pvc_conn_hold_port(c);
	spin_unlock_irq(&c->lock);
	return 0;
}
