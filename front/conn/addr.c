// SPDX-License-Identifier: GPL-2.0
/* See addr.h. */
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>

#include "conn/addr.h"

static void pvc_addr_v4(struct pvc_addr *a, __be32 ip, __be16 port)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->in);
	a->in.sin_family = AF_INET;
	a->in.sin_addr.s_addr = ip;
	a->in.sin_port = port;
}

/**
 * pvc_addr_from_user() - take over an address that a program has given
 * @sk: the program's socket, of family AF_INET or AF_INET6
 * @sa: the address, in kernel memory
 * @len: length of @sa in bytes
 * @bind: the address is bind()'s; AF_UNSPEC then means any, on AF_INET sockets
 * @a: result; an IPv4-mapped address becomes one of AF_INET
 *
 * Context: any.
 * Return: 0, or the error that Linux TCP gives: -EINVAL, -EAFNOSUPPORT,
 * -ENETUNREACH.
 */
int pvc_addr_from_user(const struct sock *sk, const struct sockaddr *sa,
		       int len, bool bind, struct pvc_addr *a)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	if (sk->sk_family == AF_INET) {
		if (len < sizeof(*in))
			return -EINVAL;
		if (in->sin_family != AF_INET &&
		    !(bind && in->sin_family == AF_UNSPEC &&
		      in->sin_addr.s_addr == htonl(INADDR_ANY)))
			return -EAFNOSUPPORT;
		pvc_addr_v4(a, in->sin_addr.s_addr, in->sin_port);
		return 0;
	}

	/* of AF_INET6 sockets only UDP sends to AF_INET addresses */
	if (!bind && sk->sk_protocol == IPPROTO_UDP && len >= sizeof(*in) &&
	    in->sin_family == AF_INET && !ipv6_only_sock(sk)) {
		pvc_addr_v4(a, in->sin_addr.s_addr, in->sin_port);
		return 0;
	}
	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (in6->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (ipv6_addr_v4mapped(&in6->sin6_addr)) {
		if (ipv6_only_sock(sk))
			return bind ? -EINVAL : -ENETUNREACH;
		pvc_addr_v4(a, in6->sin6_addr.s6_addr32[3], in6->sin6_port);
		return 0;
	}
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->in6);
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = in6->sin6_port;
	a->in6.sin6_addr = in6->sin6_addr;
	/* the scope id stays behind: it names an interface of the guest */
	if (len >= sizeof(*in6))
		a->in6.sin6_flowinfo = in6->sin6_flowinfo;
	return 0;
}

/**
 * pvc_addr_to_user() - give an address to a program
 * @sk: the program's socket; one of AF_INET6 gets IPv4 addresses mapped
 * @a: the address; if there is none, the program gets the unspecified one
 * @sa: result, room for struct sockaddr_in6
 *
 * Context: any.
 * Return: length of @sa in bytes.
 */
int pvc_addr_to_user(const struct sock *sk, const struct pvc_addr *a,
		     struct sockaddr *sa)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

	if (sk->sk_family == AF_INET) {
		memset(in, 0, sizeof(*in));
		in->sin_family = AF_INET;
		if (a->len && a->sa.sa_family == AF_INET) {
			in->sin_port = a->in.sin_port;
			in->sin_addr = a->in.sin_addr;
		}
		return sizeof(*in);
	}

	memset(in6, 0, sizeof(*in6));
	in6->sin6_family = AF_INET6;
	in6->sin6_port = pvc_addr_port(a);
	if (a->len && a->sa.sa_family == AF_INET6)
		in6->sin6_addr = a->in6.sin6_addr;
	else if (a->len && a->in.sin_addr.s_addr)
		ipv6_addr_set_v4mapped(a->in.sin_addr.s_addr, &in6->sin6_addr);
	return sizeof(*in6);
}

/**
 * pvc_addr_from_rsp() - take over an address from a response
 * @name: private copy of the response's fields
 * @a: result; no address if the backend gave none or one that makes no sense
 *
 * Context: any.
 */
void pvc_addr_from_rsp(const struct pvcalls_rsp_name *name, struct pvc_addr *a)
{
	memset(a, 0, sizeof(*a));
	if (name->len > sizeof(a->raw) || name->len < sizeof(a->in))
		return;
	memcpy(a->raw, name->addr, name->len);
	if (a->sa.sa_family == AF_INET) {
		a->len = sizeof(a->in);
	} else if (a->sa.sa_family == AF_INET6 &&
		   name->len == sizeof(a->in6)) {
		a->len = sizeof(a->in6);
		/* the scope id names an interface of the backend's domain */
		a->in6.sin6_scope_id = 0;
		if (ipv6_addr_v4mapped(&a->in6.sin6_addr))
			pvc_addr_v4(a, a->in6.sin6_addr.s6_addr32[3],
				    a->in6.sin6_port);
	}
}

/**
 * pvc_addr_port() - find the port of an address
 * @a: address
 *
 * Context: any.
 * Return: in network byte order, 0 if there is none.
 */
__be16 pvc_addr_port(const struct pvc_addr *a)
{
	/* both families have the port in the same place */
	return a->len ? a->in.sin_port : 0;
}

/**
 * pvc_addr_set_port() - change the port of an address
 * @a: address
 * @port: in network byte order
 *
 * Context: any.
 */
void pvc_addr_set_port(struct pvc_addr *a, __be16 port)
{
	a->in.sin_port = port;
}

/**
 * pvc_addr_to_family() - give an address the family of the backend's socket
 * @a: address; IPv4 becomes IPv4-mapped for a socket of family AF_INET6
 * @family: AF_INET or AF_INET6
 *
 * Context: any.
 * Return: 0, or -ENETUNREACH if a socket of family AF_INET has no such address.
 */
int pvc_addr_to_family(struct pvc_addr *a, int family)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (a->sa.sa_family == family)
		return 0;
	if (family == AF_INET)
		return -ENETUNREACH;
	in6.sin6_port = a->in.sin_port;
	ipv6_addr_set_v4mapped(a->in.sin_addr.s_addr, &in6.sin6_addr);
	a->in6 = in6;
	a->len = sizeof(in6);
	return 0;
}

/**
 * pvc_addr_is_any() - is an address the unspecified one?
 * @a: address
 *
 * Context: any.
 * Return: true for 0.0.0.0 and ::.
 */
bool pvc_addr_is_any(const struct pvc_addr *a)
{
	if (a->sa.sa_family == AF_INET6)
		return ipv6_addr_any(&a->in6.sin6_addr);
	return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
}

/**
 * pvc_addr_to_key() - fill in what tells the address of a key
 * @a: address
 * @key: result: port, family and address; the rest stays
 *
 * The unspecified address of IPv6 counts as one of IPv4, too: whether the
 * socket is one of IPv6 only is not known here.
 *
 * Context: any.
 */
void pvc_addr_to_key(const struct pvc_addr *a, struct pvc_port_key *key)
{
	key->port = pvc_addr_port(a);
	key->family = 0;
	memset(key->addr, 0, sizeof(key->addr));
	if (!key->port || pvc_addr_is_any(a))
		return;
	key->family = a->sa.sa_family;
	if (key->family == AF_INET6)
		memcpy(key->addr, &a->in6.sin6_addr, sizeof(a->in6.sin6_addr));
	else
		memcpy(key->addr, &a->in.sin_addr, sizeof(a->in.sin_addr));
}

/**
 * pvc_addr_is_link_local() - does an address mean something on one link only?
 * @a: address
 *
 * That link is one of the guest's. Therefore such an address is not reached
 * through the backend.
 *
 * Context: any.
 * Return: true for IPv6's link-local addresses, multicast as well.
 */
bool pvc_addr_is_link_local(const struct pvc_addr *a)
{
	return a->sa.sa_family == AF_INET6 &&
	       __ipv6_addr_needs_scope_id(ipv6_addr_type(&a->in6.sin6_addr));
}

/**
 * pvc_addr_is_loopback() - is an address one that every host calls its own?
 * @a: address
 *
 * Context: any.
 * Return: true for 127.0.0.0/8 and ::1.
 */
bool pvc_addr_is_loopback(const struct pvc_addr *a)
{
	if (a->sa.sa_family == AF_INET6)
		return ipv6_addr_loopback(&a->in6.sin6_addr);
	return ipv4_is_loopback(a->in.sin_addr.s_addr);
}

/**
 * pvc_addr_is_local() - does an address belong to the guest itself?
 * @net: namespace of the socket
 * @a: address, not the unspecified one
 *
 * Context: process; does not sleep.
 * Return: true for loopback addresses and for those of the guest's interfaces.
 */
bool pvc_addr_is_local(struct net *net, const struct pvc_addr *a)
{
	if (pvc_addr_is_loopback(a))
		return true;
	if (a->sa.sa_family == AF_INET6)
		return ipv6_chk_addr(net, &a->in6.sin6_addr, NULL, 0);
	return inet_addr_type(net, a->in.sin_addr.s_addr) == RTN_LOCAL;
}
