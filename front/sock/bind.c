// SPDX-License-Identifier: GPL-2.0
/* See bind.h. */
#include <linux/random.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "pvcalls_compat.h"
#include "sock/bind.h"
#include "sock/dgram_conn.h"
#include "sock/native.h"
#include "sock/own.h"
#include "sock/policy.h"
#include "sock/roster.h"
#include "sock/route.h"
#include "sock/sockopt.h"

/* Attempts at a port that is free both at the backend and in the guest */
#define PVC_PORT_TRIES	64

/*
 * Makes a socket of the backend that is bound to @want; a socket of datagrams
 * gets its ring. Returns the socket or an error pointer.
 */
static struct pvc_conn *pvc_bind_conn(struct pvc_sock *psk,
				      struct pvc_link *link, struct sock *sk,
				      const struct pvc_addr *want)
{
	struct pvc_conn *c = pvc_sk_new_conn(psk, link, want->sa.sa_family,
					     sk->sk_type, sk->sk_protocol);
	int ret;

	if (IS_ERR(c))
		return c;
	c->named = true;
	ret = pvc_conn_open(c) ?: pvc_relay_opts(psk, sk, c);
	if (!ret) {
		/* the socket comes back to a port that it has had */
		if (pvc_sk_state(psk) == PVC_SK_LISTENING)
			pvc_relay_reuse(c);
		c->uid = sk->sk_uid;
		/* the backend would let the port be shared for a moment */
		if (c->reuseport && pvc_addr_port(want) &&
		    pvc_conn_is_shared(c, want))
			ret = -EADDRINUSE;
		else
			ret = pvc_conn_bind(c, want);
		/* others may have been as fast, or the port is a new one */
		if (!ret && c->reuseport && pvc_conn_is_shared(c, &c->local))
			ret = -EADDRINUSE;
	}
	if (!ret && sk->sk_type == SOCK_DGRAM)
		ret = pvc_dgram_attach(psk, c, sk);
	if (!ret)
		return c;
	pvc_conn_close(c, true);
	pvc_conn_put(c);
	return ERR_PTR(ret);
}

/*
 * Does the same for a backend that may have no IPv6: then the unspecified
 * address of an IPv6 socket that takes IPv4 as well becomes the IPv4 one.
 */
static struct pvc_conn *pvc_bind_dual(struct pvc_sock *psk,
				      struct pvc_link *link, struct sock *sk,
				      const struct pvc_addr *want)
{
	struct pvc_conn *c = ERR_PTR(-EAFNOSUPPORT);
	struct pvc_addr v4 = { .len = sizeof(v4.in) };

	if (want->sa.sa_family == AF_INET || pvc_link_has(link, PVCALLS_F_IPV6))
		c = pvc_bind_conn(psk, link, sk, want);
	if (c != ERR_PTR(-EAFNOSUPPORT))
		return c;
	if (!pvc_addr_is_any(want) || ipv6_only_sock(sk))
		return ERR_PTR(-EADDRNOTAVAIL);
	v4.in.sin_family = AF_INET;
	v4.in.sin_port = pvc_addr_port(want);
	return pvc_bind_conn(psk, link, sk, &v4);
}

static __be16 pvc_random_port(struct net *net)
{
	int low, high;

	inet_get_local_port_range(net, &low, &high);
	return htons(low + get_random_u32() % (high - low + 1));
}

/* The unspecified address, of the socket's own family, without a port. */
static struct pvc_addr pvc_any(const struct sock *sk)
{
	struct pvc_addr any = {};

	any.sa.sa_family = sk->sk_family;
	any.len = sk->sk_family == AF_INET ? sizeof(any.in) : sizeof(any.in6);
	return any;
}

/* Notes the address that the native socket has been bound to. */
static void pvc_bind_note(struct pvc_sock *psk, const struct sock *sk)
{
	struct pvc_addr a = pvc_any(sk);

	if (sk->sk_family == AF_INET)
		a.in.sin_addr.s_addr = inet_sk(sk)->inet_rcv_saddr;
#if IS_ENABLED(CONFIG_IPV6)
	else
		a.in6.sin6_addr = sk->sk_v6_rcv_saddr;
#endif
	pvc_addr_set_port(&a, htons(inet_sk(sk)->inet_num));
	/* an IPv4-mapped address becomes one of IPv4 */
	if (pvc_addr_from_user(sk, &a.sa, a.len, true, &psk->local))
		psk->local = a;
}

/*
 * Binds while there is no backend: in the guest alone, until the next backend
 * is told of the address. An address that is not the guest's is refused, as on
 * a host whose network is not up yet, unless the program has set IP_FREEBIND.
 * The native bind() asks programs of BPF by itself.
 */
static int pvc_bind_away(struct socket *sock, struct pvc_sock *psk,
			 struct sockaddr *sa, int len)
{
	int ret = pvc_native(sock->sk)->bind(sock, pvcalls_sa(sa), len);

	if (!ret)
		pvc_bind_note(psk, sock->sk);
	return ret;
}

/*
 * Gives a socket a port for listen() while there is no backend: in the guest
 * alone, until the next backend is told of the port.
 */
static int pvc_bind_away_any(struct socket *sock, struct pvc_sock *psk)
{
	int ret = -EADDRNOTAVAIL;

	if (!psk->local.len || pvc_addr_is_any(&psk->local))
		ret = pvc_policy_hold_port(sock, 0, false);
	if (!ret)
		pvc_bind_note(psk, sock->sk);
	return ret;
}

/*
 * Has a program no right to a port? A socket of ours is in a network namespace
 * that the operator has opened, so the user namespace that owns that network
 * namespace is asked.
 */
static bool pvc_port_denied(const struct sock *sk, const struct pvc_addr *a)
{
	unsigned short port = ntohs(pvc_addr_port(a));
	bool echo = sk->sk_type == SOCK_DGRAM && sk->sk_protocol != IPPROTO_UDP;

	/* the numbers of ICMP echoes are no ports */
	return port && !echo &&
	       inet_port_requires_bind_service(sock_net(sk), port) &&
	       !ns_capable(sock_net(sk)->user_ns, CAP_NET_BIND_SERVICE);
}

/* Has the backend given a port that the program could not have had? */
static bool pvc_bind_strange(const struct sock *sk, const struct pvc_addr *want,
			     const struct pvc_addr *got)
{
	__be16 port = pvc_addr_port(want);

	return port ? pvc_addr_port(got) != port : pvc_port_denied(sk, got);
}

/* Does in the guest what goes with an address that the backend has given. */
static int pvc_bind_guest(struct socket *sock, const struct pvc_addr *a,
			  bool any, bool told)
{
	if (pvc_roster_reserves(sock->sk, a))
		return -EADDRINUSE;
	if (any)
		return pvc_policy_hold_port(sock, pvc_addr_port(a), told);
	return told ? pvc_policy_post_bind(sock->sk, a) : 0;
}

/*
 * Binds at the backend; the unspecified address is bound in the guest, too, for
 * programs that connect from within. @told: bind() names the address.
 */
static int pvc_bind_remote(struct socket *sock, struct pvc_sock *psk,
			   struct pvc_link *link, const struct pvc_addr *addr,
			   bool told)
{
	bool names = pvc_link_has(link, PVCALLS_F_NAMES);
	bool any = pvc_addr_is_any(addr);
	struct pvc_addr want = *addr;
	struct sock *sk = sock->sk;
	struct pvc_addr got;
	struct pvc_conn *c;
	int ret, tries;

	/* not even for a moment: the other socket may be tried just then */
	if (pvc_addr_port(addr) && pvc_roster_reserves(sk, addr))
		return -EADDRINUSE;
	for (tries = 0; tries < PVC_PORT_TRIES; tries++) {
		if (!pvc_addr_port(addr) && !names)
			pvc_addr_set_port(&want, pvc_random_port(sock_net(sk)));
		c = pvc_bind_dual(psk, link, sk, &want);
		ret = PTR_ERR_OR_ZERO(c);
		if (!ret) {
			got = pvc_conn_addr(c, false);
			ret = pvc_bind_strange(sk, &want, &got) ?
			      -EADDRNOTAVAIL :
			      pvc_bind_guest(sock, &got, any, told);
			if (ret) {
				pvc_conn_close(c, true);
				pvc_conn_put(c);
			}
		}
		if (!ret) {
			psk->local = got;
			return pvc_sk_set_conn(psk, c);
		}
		if (ret != -EADDRINUSE || pvc_addr_port(addr))
			break;
	}
	return ret;
}

/*
 * Asks programs of BPF, which may change the address @a, and whether the
 * process has a right to the port. @sa stays as the program has given it: a
 * native bind() asks the programs by itself.
 */
static int pvc_bind_policy(struct sock *sk, const struct sockaddr *sa, int len,
			   struct pvc_addr *a)
{
	struct sockaddr_storage ss = {};
	bool any_port;
	int ret;

	memcpy(&ss, sa, min_t(int, len, sizeof(ss)));
	ret = pvc_policy_bind(sk, (struct sockaddr *)&ss, &any_port);
	if (!ret)
		ret = pvc_addr_from_user(sk, (struct sockaddr *)&ss, len, true,
					 a);
	if (!ret && !any_port && pvc_port_denied(sk, a))
		ret = -EACCES;
	return ret;
}

/* Does a socket stay in the guest if bind() names an address? */
static bool pvc_bind_is_local(const struct sock *sk, const struct pvc_addr *a)
{
	return pvc_bound_elsewhere(sk) || pvc_policy_filtered(sk) ||
	       pvc_addr_is_link_local(a) ||
	       (!pvc_addr_is_any(a) && pvc_addr_is_local(sock_net(sk), a));
}

/* Call with ctl held; @link is NULL without a backend. */
static int pvc_bind_locked(struct pvc_sock *psk, struct socket *sock,
			   struct pvc_link *link, const struct pvc_addr *a,
			   struct sockaddr *sa, int len)
{
	bool dgram = sock->type == SOCK_DGRAM;
	struct sock *sk = sock->sk;
	int ret;

	if (pvc_sk_state(psk) == PVC_SK_LOCAL)
		return pvc_native(sk)->bind(sock, pvcalls_sa(sa), len);
	if (pvc_sk_state(psk) > PVC_SK_BOUND || psk->conn ||
	    inet_sk(sk)->inet_num ||
	    (psk->local.len && (dgram || psk->port_given)))
		return -EINVAL;
	if (pvc_bind_is_local(sk, a)) {
		if (!dgram)
			pvc_go_local(psk, sock);
		return pvc_native(sk)->bind(sock, pvcalls_sa(sa), len);
	}
	ret = link ? pvc_bind_remote(sock, psk, link, a, true) : 0;
	if (!link || (ret && pvc_link_ended(link))) {
		ret = pvc_bind_away(sock, psk, sa, len);
		/* programs of BPF may have chosen an address of the guest's */
		if (!ret && pvc_bind_is_local(sk, &psk->local)) {
			if (dgram)
				psk->local.len = 0;
			else
				pvc_go_local(psk, sock);
			return 0;
		}
	}
	if (ret)
		return ret;
	psk->port_given = pvc_addr_port(a);
	pvc_sk_move(psk, sock, PVC_SK_BOUND);
	pvc_roster_join(psk, sk);
	return 0;
}

/**
 * pvc_bind() - bind()
 * @psk: what we know of @sock
 * @sock: TCP socket, or one of datagrams
 * @sa: address
 * @len: length of the address in bytes
 *
 * An address of the guest's own makes a TCP socket local, any other address
 * makes the socket remote. The unspecified address also holds the same port in
 * the guest.
 *
 * Context: process, sleeps; killable.
 * Return: 0 or the error that TCP gives.
 */
int pvc_bind(struct pvc_sock *psk, struct socket *sock, struct sockaddr *sa,
	     int len)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct sock *sk = sock->sk;
	struct pvc_addr a;
	struct pvc_link *link;
	int ret;

	if (pvc_addr_from_user(sk, sa, len, true, &a))
		return native->bind(sock, pvcalls_sa(sa), len);
	link = sock->type == SOCK_DGRAM ? pvc_dgram_link() : pvc_link_get();
	ret = link ? pvc_bind_policy(sk, sa, len, &a) : 0;
	if (!ret)
		ret = mutex_lock_killable(&psk->ctl);
	if (!ret) {
		ret = pvc_bind_locked(psk, sock, link, &a, sa, len);
		mutex_unlock(&psk->ctl);
	}
	if (link)
		pvc_link_put(link);
	return ret;
}

/**
 * pvc_bind_again() - bind a socket to the address that it had
 * @psk: what we know of the socket, without a connection, ctl held
 * @sk: socket whose connection has failed or was ended, or whose backend went
 * @link: connection to the backend
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_bind_again(struct pvc_sock *psk, struct sock *sk, struct pvc_link *link)
{
	struct pvc_conn *c = pvc_bind_dual(psk, link, sk, &psk->local);

	return IS_ERR(c) ? PTR_ERR(c) : pvc_sk_set_conn(psk, c);
}

/**
 * pvc_bind_any() - give a socket a port, for listen() without bind()
 * @sock: socket without a socket of the backend
 * @psk: what we know of @sock, ctl held
 *
 * A socket keeps a port that bind() has named or that the socket still has in
 * the guest. Without a backend the port is the guest's alone, and the socket
 * has no connection.
 *
 * Context: process, sleeps; killable.
 * Return: 0 or the error that TCP gives.
 */
int pvc_bind_any(struct socket *sock, struct pvc_sock *psk)
{
	struct pvc_addr a = psk->local.len ? psk->local : pvc_any(sock->sk);
	struct pvc_link *link = pvc_link_get();
	int ret = -ENOTCONN;

	if (!psk->port_given && !inet_sk(sock->sk)->inet_num)
		pvc_addr_set_port(&a, 0);
	if (link && pvc_addr_port(&a))
		ret = pvc_bind_again(psk, sock->sk, link);
	else if (link)
		ret = pvc_bind_remote(sock, psk, link, &a, false);
	if (ret && (!link || pvc_link_ended(link)))
		ret = pvc_addr_port(&a) ? 0 : pvc_bind_away_any(sock, psk);
	if (link)
		pvc_link_put(link);
	return ret;
}
