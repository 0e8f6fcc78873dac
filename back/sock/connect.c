// SPDX-License-Identifier: GPL-2.0
/* Connecting of stream sockets; connect.h says what runs where. */
#include <linux/fcntl.h>
#include <linux/net.h>

#include <net/sock.h>
#include <net/tcp_states.h>

#include "guest/call.h"
#include "guest/policy.h"
#include "pvcalls_compat.h"
#include "sock/conn.h"
#include "sock/connect.h"
#include "sock/pace.h"
#include "sock/sock.h"

/*
 * Have the kernel connect. The first call starts the connection, and later
 * calls return its outcome.
 */
static int pvcalls_connect_try(struct pvcalls_sock *ps)
{
	/* use a copy, because the kernel may change the address */
	struct sockaddr_storage addr = ps->conn.addr;

	return kernel_connect(ps->sock, pvcalls_sa(&addr), ps->conn.addr_len,
			      O_NONBLOCK);
}

static bool pvcalls_connect_pending(const struct pvcalls_sock *ps)
{
	return (1 << READ_ONCE(ps->sock->sk->sk_state)) &
	       (TCPF_SYN_SENT | TCPF_SYN_RECV);
}

/*
 * Begin to connect, or wait for the guest's turn. Those who wait must not fill
 * the command ring, so the call fails if the guest may have no more deferred
 * calls, as if it waited for the network. The rules may be others by the time
 * that it has @waited.
 */
static void pvcalls_connect_begin(struct pvcalls_sock *ps, bool waited)
{
	int ret = 0;

	if (!pvcalls_pace_may(ps, PVCALLS_PACE_CONNECTS, 1)) {
		ret = pvcalls_reply_later(ps->conn.connect);
		if (ret)
			goto leave;
		return;
	}
	if (waited)
		ret = pvcalls_policy_connect(ps->guest, ps->sock->sk,
					     &ps->conn.addr);
	if (ret)
		goto leave;
	pvcalls_pace_did(ps, PVCALLS_PACE_CONNECTS, 1);
	ps->conn.begun = true;
	ret = pvcalls_connect_try(ps);
	if (ret && ret != -EINPROGRESS) {
		pvcalls_conn_failed(ps, ret);
		return;
	}
	if (!ret) {
		pvcalls_conn_connected(ps);
		return;
	}
	/* a connection within this host may be decided by now */
	pvcalls_connect_check(ps);
	if (ps->state != PVCALLS_SS_CONNECTING)
		return;
	ret = pvcalls_reply_later(ps->conn.connect);
	if (ret) {
		/* the call fails, so the kernel socket must stop connecting */
		kernel_sock_shutdown(ps->sock, SHUT_RDWR);
		pvcalls_conn_failed(ps, ret);
	}
	return;

leave:
	pvcalls_pace_leave(ps, PVCALLS_PACE_CONNECTS);
	pvcalls_conn_failed(ps, ret);
}

/**
 * pvcalls_connect_check() - look whether the network has answered
 * @ps: the socket, in PVCALLS_SS_CONNECTING
 *
 * If the network has answered, so is the CONNECT. If the CONNECT has not begun,
 * it begins when it is its turn.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_connect_check(struct pvcalls_sock *ps)
{
	int ret;

	if (!ps->conn.begun) {
		pvcalls_connect_begin(ps, true);
		return;
	}
	if (pvcalls_connect_pending(ps))
		return;
	ret = pvcalls_connect_try(ps);
	if (ret == -EALREADY || ret == -EINPROGRESS)
		return;
	if (ret)
		pvcalls_conn_failed(ps, ret);
	else
		pvcalls_conn_connected(ps);
}

static int pvcalls_connect_start(struct pvcalls_sock *ps,
				 struct pvcalls_call *call)
{
	const struct xen_pvcalls_connect *req = &call->req.u.connect;
	struct pvcalls_conn *c = &ps->conn;
	int ret;

	switch (ps->state) {
	case PVCALLS_SS_IDLE:
		break;
	case PVCALLS_SS_CONNECTING:
		return -EALREADY;
	default:
		return -EISCONN;
	}
	ret = pvcalls_policy_addr(ps->guest, req->addr, req->len, &c->addr);
	if (ret < 0)
		return ret;
	c->addr_len = ret;
	ret = pvcalls_policy_connect(ps->guest, ps->sock->sk, &c->addr);
	if (ret)
		return ret;
	return pvcalls_conn_map(ps, req->ref, req->evtchn);
}

/**
 * pvcalls_connect_stream() - run the command CONNECT of a stream socket
 * @ps: the socket
 * @call: the request, which is answered and freed, now or later
 *
 * The call never waits for the network.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_connect_stream(struct pvcalls_sock *ps,
			    struct pvcalls_call *call)
{
	int ret;

	ret = pvcalls_connect_start(ps, call);
	if (ret) {
		pvcalls_reply(call, ret);
		return;
	}

	ps->conn.connect = call;
	ps->conn.begun = false;
	WRITE_ONCE(ps->state, PVCALLS_SS_CONNECTING);
	/*
	 * attach before anything can arrive: earlier events are not announced
	 */
	pvcalls_conn_attach(ps);
	pvcalls_connect_begin(ps, false);
}
