// SPDX-License-Identifier: GPL-2.0
/* See bind.h. */
#include <linux/random.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "sock/bind.h"
#include "sock/dgram_conn.h"
#include "sock/native.h"
#include "sock/own.h"
#include "sock/policy.h"
#include "sock/route.h"
#include "sock/sockopt.h"

/* Attempts at a port that is free both at the backend and in the guest */
#define PVC_PORT_TRIES	64

/**
 * pvc_to_backend() - give an address the family of the backend's socket
 * @c: the backend's socket
 * @a: address; IPv4 becomes IPv4-mapped for a socket of family AF_INET6
 *
 * Context: any.
 * Return: 0 or -ENETUNREACH.
 */
int pvc_to_backend(const struct pvc_conn *c, struct pvc_addr *a)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (a->sa.sa_family == c->family)
		return 0;
	if (c->family == AF_INET)
		return -ENETUNREACH;
	in6.sin6_port = a->in.sin_port;
	ipv6_addr_set_v4mapped(a->in.sin_addr.s_addr, &in6.sin6_addr);
	a->in6 = in6;
	a->len = sizeof(in6);
	return 0;
}

/*
 * Makes a socket of the backend that is bound to @want; a socket of datagrams
 * gets its ring. Returns the socket or an error pointer.
 */
static struct pvc_conn *pvc_bind_conn(struct pvc_sock *psk,
				      struct pvc_link *link, struct sock *sk,
				      const struct pvc_addr *want)
{
	struct pvc_conn *c = pvc_conn_new(link, want->sa.sa_family,
					  sk->sk_type, sk->sk_protocol);
	int ret;

	if (!c)
		return ERR_PTR(-ENOMEM);
	ret = pvc_conn_open(c) ?: pvc_relay_opts(psk, sk, c);
	if (!ret) {
		c->uid = sk->sk_uid;
		ret = pvc_conn_bind(c, want);
		if (!ret && sk->sk_reuseport && pvc_conn_is_shared(c))
			ret = -EADDRINUSE;
	}
	if (!ret && sk->sk_type == SOCK_DGRAM)
		ret = pvc_dgram_attach(c, sk);
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

/* Does in the guest what goes with an address that the backend has given. */
static int pvc_bind_guest(struct socket *sock, const struct pvc_addr *a,
			  bool any, bool told)
{
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
	struct pvc_conn *c;
	int ret, tries;

	for (tries = 0; tries < PVC_PORT_TRIES; tries++) {
		if (!pvc_addr_port(addr) && !names)
			pvc_addr_set_port(&want, pvc_random_port(sock_net(sk)));
		c = pvc_bind_dual(psk, link, sk, &want);
		ret = PTR_ERR_OR_ZERO(c);
		if (!ret) {
			ret = pvc_bind_guest(sock, &c->local, any, told);
			if (ret) {
				pvc_conn_close(c, true);
				pvc_conn_put(c);
			}
		}
		if (!ret) {
			psk->local = c->local;
			pvc_sk_set_conn(psk, c);
			return 0;
		}
		if (ret != -EADDRINUSE || pvc_addr_port(addr))
			break;
	}
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

	return port && inet_port_requires_bind_service(sock_net(sk), port) &&
	       !ns_capable(sock_net(sk)->user_ns, CAP_NET_BIND_SERVICE);
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

/* Call with ctl held. */
static int pvc_bind_locked(struct pvc_sock *psk, struct socket *sock,
			   struct pvc_link *link, const struct pvc_addr *a,
			   struct sockaddr *sa, int len)
{
	bool dgram = sock->type == SOCK_DGRAM;
	struct sock *sk = sock->sk;
	int ret;

	if (pvc_sk_state(psk) == PVC_SK_LOCAL)
		return pvc_native(sk)->bind(sock, sa, len);
	if (psk->conn || (dgram && psk->local.len) || inet_sk(sk)->inet_num)
		return -EINVAL;
	if (pvc_bind_is_local(sk, a)) {
		if (!dgram)
			pvc_go_local(psk, sock);
		return pvc_native(sk)->bind(sock, sa, len);
	}
	ret = pvc_bind_remote(sock, psk, link, a, true);
	if (ret)
		return ret;
	psk->port_given = pvc_addr_port(a);
	pvc_sk_move(psk, sock, PVC_SK_BOUND);
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
		return native->bind(sock, sa, len);
	link = sock->type == SOCK_DGRAM ? pvc_dgram_link() : pvc_link_get();
	if (!link)
		return native->bind(sock, sa, len);
	ret = pvc_bind_policy(sk, sa, len, &a);
	if (!ret)
		ret = mutex_lock_killable(&psk->ctl);
	if (!ret) {
		ret = pvc_bind_locked(psk, sock, link, &a, sa, len);
		mutex_unlock(&psk->ctl);
	}
	pvc_link_put(link);
	return ret;
}

/**
 * pvc_bind_again() - bind a socket to the address that it had
 * @sock: socket whose connection has failed or was ended
 * @psk: what we know of @sock, ctl held
 * @link: connection to the backend
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_bind_again(struct socket *sock, struct pvc_sock *psk,
		   struct pvc_link *link)
{
	struct pvc_conn *c = pvc_bind_conn(psk, link, sock->sk, &psk->local);

	if (IS_ERR(c))
		return PTR_ERR(c);
	pvc_sk_set_conn(psk, c);
	return 0;
}

/**
 * pvc_bind_any() - give a socket a port, for listen() without bind()
 * @sock: socket without a socket of the backend
 * @psk: what we know of @sock, ctl held
 *
 * A socket that listened before gets its old port if bind() had named the port.
 *
 * Context: process, sleeps; killable.
 * Return: 0, or -ENOTCONN if there is no backend, or another error.
 */
int pvc_bind_any(struct socket *sock, struct pvc_sock *psk)
{
	struct pvc_link *link = pvc_link_get();
	struct pvc_addr any = {};
	int ret;

	if (!link)
		return -ENOTCONN;
	if (psk->local.len && psk->port_given) {
		ret = pvc_bind_again(sock, psk, link);
	} else if (psk->local.len) {
		any = psk->local;
		pvc_addr_set_port(&any, 0);
		ret = pvc_bind_remote(sock, psk, link, &any, false);
	} else {
		any.sa.sa_family = sock->sk->sk_family;
		any.len = any.sa.sa_family == AF_INET ? sizeof(any.in) :
							sizeof(any.in6);
		ret = pvc_bind_remote(sock, psk, link, &any, false);
	}
	pvc_link_put(link);
	return ret;
}
