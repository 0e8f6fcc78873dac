// SPDX-License-Identifier: GPL-2.0
/* The beginning and the end of flows; flowlog.h says what they are for. */
#include <linux/ktime.h>
#include <linux/string.h>

#include <net/inet_sock.h>

#include "guest/guest.h"
#include "sock/flowlog.h"
#include "sock/sock.h"
#include "trace.h"

/*
 * The socket's own address, or the peer's. The kernel's functions for this would
 * take the kernel socket's lock.
 */
static void pvcalls_flowlog_addr(struct sockaddr_in6 *to, const struct sock *sk,
				 bool peer)
{
	const struct inet_sock *inet = inet_sk(sk);
	__be16 port = peer ? inet->inet_dport : inet->inet_sport;
	struct sockaddr_in *in = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		to->sin6_family = AF_INET6;
		to->sin6_port = port;
		to->sin6_addr = peer ? sk->sk_v6_daddr : sk->sk_v6_rcv_saddr;
		return;
	}
#endif
	in->sin_family = AF_INET;
	in->sin_port = port;
	in->sin_addr.s_addr = peer ? inet->inet_daddr : inet->inet_rcv_saddr;
}

/**
 * pvcalls_flowlog_begin() - a connection is established, or datagrams may go
 * @ps: the socket, with a kernel socket and a data ring
 * @accepted: the peer has begun
 *
 * Context: a worker, before anything moves.
 */
void pvcalls_flowlog_begin(struct pvcalls_sock *ps, bool accepted)
{
	struct pvcalls_flow *flow = &ps->conn.flow;
	const struct sock *sk = ps->sock->sk;

	flow->begun = ktime_get_ns();
	flow->in = 0;
	flow->out = 0;
	flow->why = PVCALLS_FLOW_STANDS;
	flow->err = 0;
	flow->protocol = sk->sk_protocol;
	flow->accepted = accepted;
	flow->shut = false;
	pvcalls_flowlog_addr(&flow->local, sk, false);
	pvcalls_flowlog_addr(&flow->peer, sk, true);
	trace_pvcalls_flow_begin(ps->guest->peer.domid, ps->id, flow);
}

/**
 * pvcalls_flowlog_end() - a connection has ended, or is being torn down
 * @ps: the socket, with a kernel socket if the flow has begun
 * @why: why
 *
 * More than one call for a flow has no further effect.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_flowlog_end(struct pvcalls_sock *ps, enum pvcalls_flow_why why)
{
	struct pvcalls_flow *flow = &ps->conn.flow;

	if (!flow->begun)
		return;
	flow->took = ktime_get_ns() - flow->begun;
	flow->why = why;
	flow->err = why == PVCALLS_FLOW_ERROR ? -ps->conn.err : 0;
	/* a datagram socket may have got its own address since */
	if (flow->protocol != IPPROTO_TCP)
		pvcalls_flowlog_addr(&flow->local, ps->sock->sk, false);
	trace_pvcalls_flow_end(ps->guest->peer.domid, ps->id, flow);
	flow->begun = 0;
}
