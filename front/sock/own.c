// SPDX-License-Identifier: GPL-2.0
/* See own.h. */
#include <linux/module.h>
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "pvcalls_compat.h"
#include "sock/native.h"
#include "sock/own.h"
#include "sock/prot.h"
#include "sock/roster.h"

static const struct tcp_ulp_ops pvc_ulp;

/**
 * pvc_sk_get() - a call begins: what do we know of its socket?
 * @sk: socket that somebody has called one of our functions with
 *
 * Context: process.
 * Return: the object, for pvc_sk_put(), or NULL if the socket is native.
 */
struct pvc_sock *pvc_sk_get(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct pvc_sock *psk;

	if (sk->sk_type == SOCK_DGRAM)
		return pvc_sk_hold(pvc_prot_tail(sk));
	rcu_read_lock();
	psk = rcu_dereference(icsk->icsk_ulp_data);
	/*
	 * pvc_go_local() clears the data, then the operations, and only then
	 * can another ULP come. So data read before our operations were seen
	 * is ours.
	 */
	smp_rmb();
	if (READ_ONCE(icsk->icsk_ulp_ops) != &pvc_ulp)
		psk = NULL;
	if (psk)
		psk = pvc_sk_hold(psk);
	rcu_read_unlock();
	return psk;
}

/**
 * pvc_sk_is_native() - is nothing of ours on a socket?
 * @sk: TCP socket
 *
 * Context: any.
 * Return: true if so.
 */
bool pvc_sk_is_native(const struct sock *sk)
{
	return READ_ONCE(inet_csk(sk)->icsk_ulp_ops) != &pvc_ulp;
}

/*
 * The native socket is destroyed, perhaps with bottom halves off. The kernel
 * drops the ULP's reference to the module when this function has returned, and
 * clears icsk_ulp_ops.
 */
static void pvc_ulp_release(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct pvc_sock *psk = rcu_dereference_raw(icsk->icsk_ulp_data);

	RCU_INIT_POINTER(icsk->icsk_ulp_data, NULL);
	/* references may keep the native socket longer than the module */
	WRITE_ONCE(sk->sk_prot, pvc_prot_native(sk));
	pvc_sk_abandon(psk);
	pvc_roster_leave(psk);
	pvc_sk_put(psk);
}

/*
 * A listening socket was copied byte for byte for a connection from within the
 * guest. The copy becomes native before anybody can find it, so that a copy
 * that is closed or destroyed before accept() needs nothing of us.
 */
static void pvc_ulp_clone(const struct request_sock *req, struct sock *newsk,
			  const gfp_t priority)
{
	struct inet_connection_sock *icsk = inet_csk(newsk);
	struct proto *native = pvc_prot_native(newsk);

	RCU_INIT_POINTER(icsk->icsk_ulp_data, NULL);
	icsk->icsk_ulp_ops = NULL;
	newsk->sk_prot = native;
	newsk->sk_prot_creator = native;
}

static const struct tcp_ulp_ops pvc_ulp = {
	.name		= "pvcalls",
	.owner		= THIS_MODULE,
	.release	= pvc_ulp_release,
	.clone		= pvc_ulp_clone,
};

/**
 * pvc_own() - make a native TCP socket ours
 * @sk: socket that nobody knows yet and that has never been used
 * @sock: struct socket that it has or will have
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM without memory or if the module is about to go.
 */
int pvc_own(struct sock *sk, struct socket *sock)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct pvc_sock *psk = pvc_sk_alloc();

	if (!psk)
		return -ENOMEM;
	/* the ULP's own reference: tcp_cleanup_ulp() drops it */
	__module_get(THIS_MODULE);
	WRITE_ONCE(sk->sk_prot, pvc_prot_ours(sk->sk_prot));
	WRITE_ONCE(icsk->icsk_ulp_ops, &pvc_ulp);
	/* inet_diag looks at the operations if there is data */
	rcu_assign_pointer(icsk->icsk_ulp_data, psk);
	pvcalls_custom_sockopt(sock, true);
	return 0;
}

/**
 * pvc_go_local() - make a TCP socket native, for good
 * @psk: object of the socket, ctl held, referenced by the caller
 * @sock: socket in state OPEN, BOUND or LISTENING
 *
 * The wait queue, the options and the local port stay as they are, so that
 * threads that poll the socket notice nothing. Calls that have begun find the
 * state LOCAL once they hold ctl, and go to the native operations.
 *
 * Context: process, sleeps; takes the socket's lock.
 */
void pvc_go_local(struct pvc_sock *psk, struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct inet_connection_sock *icsk = inet_csk(sk);

	pvc_roster_leave(psk);
	pvc_sk_drop_conn(psk, true);
	lock_sock(sk);
	WRITE_ONCE(sk->sk_prot, pvc_prot_native(sk));
	/*
	 * A softirq may be copying a socket that has listened: a copy with our
	 * struct proto still needs the ULP's hook, which makes it native.
	 */
	if (psk->listened)
		synchronize_rcu();
	RCU_INIT_POINTER(icsk->icsk_ulp_data, NULL);
	/* pairs with smp_rmb() in pvc_sk_get() */
	smp_wmb();
	WRITE_ONCE(icsk->icsk_ulp_ops, NULL);
	pvcalls_custom_sockopt(sock, false);
	pvc_ops_to_native(sock, sk, pvc_prot_ops(sk->sk_family));
	release_sock(sk);
	pvc_sk_move(psk, sock, PVC_SK_LOCAL);
	/* drop the ULP's reference, and the socket's reference to the object */
	module_put(THIS_MODULE);
	pvc_sk_put(psk);
}
