// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of sockets in requests and responses; name.h says what runs where.
 */
#include <linux/net.h>
#include <linux/socket.h>

#include <net/sock.h>

#include "guest/call.h"
#include "guest/policy.h"
#include "pvcalls_compat.h"
#include "sock/callbacks.h"
#include "sock/name.h"
#include "sock/sock.h"
#include "sock/sockopt.h"

/**
 * pvcalls_name_put() - put a socket's address into a response
 * @ps: the socket, with a kernel socket
 * @call: the call that is going to be answered
 * @peer: take the peer's address in place of the socket's own
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_name_put(struct pvcalls_sock *ps, struct pvcalls_call *call,
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

/**
 * pvcalls_name_get() - run the command GETNAME
 * @ps: the socket
 * @call: the request, which is answered and freed
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_name_get(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	const struct pvcalls_req_getname *req = (const void *)&call->req.u;

	pvcalls_name_put(ps, call, req->peer);
	pvcalls_reply(call, req->peer && !call->len ? -ENOTCONN : 0);
}

/* Bind the kernel socket. Returns 0 or an error number for the guest. */
static int pvcalls_name_take(struct pvcalls_sock *ps,
			     struct sockaddr_storage *addr, int len)
{
	int ret;

	ret = pvcalls_sock_hold(ps, PVCALLS_KIND_PORTS);
	if (ret)
		return ret;
	/* attach before a datagram can come, which is charged when announced */
	if (ps->sock->sk->sk_type == SOCK_DGRAM)
		pvcalls_callbacks_attach(&ps->callbacks, ps->sock->sk,
					 NULL);
	pvcalls_sockopt_bind(ps->guest, ps->sock);
	ret = kernel_bind(ps->sock, pvcalls_sa(addr), len);
	/* with IP_BIND_ADDRESS_NO_PORT there is none yet */
	pvcalls_sock_unhold_port(ps);
	return ret;
}

/**
 * pvcalls_name_bind() - run the command BIND
 * @ps: the socket
 * @call: the request, which is answered and freed
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_name_bind(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	const struct xen_pvcalls_bind *req = &call->req.u.bind;
	struct sockaddr_storage addr;
	int ret;

	ret = pvcalls_policy_addr(ps->guest, req->addr, req->len, &addr);
	if (ret > 0) {
		int len = ret;

		ret = pvcalls_policy_bind(ps->guest, ps->sock->sk, &addr) ?:
		      pvcalls_name_take(ps, &addr, len);
	}
	if (!ret)
		pvcalls_name_put(ps, call, false);
	pvcalls_reply(call, ret);
}
