// SPDX-License-Identifier: GPL-2.0
/* See prot.h. */
#include <net/tcp.h>
#include <net/udp.h>

#include "sock/prot.h"

#define PVC_PROT(fam, typ, proto_nr, proto_native, sw_nr, sw_flags) {	\
	.family = fam,							\
	.protocol = proto_nr,						\
	.native = proto_native,						\
	.sw = { .type = typ, .protocol = sw_nr, .flags = sw_flags },	\
}

struct pvc_prot pvc_prots[PVC_PROTS] = {
	PVC_PROT(AF_INET, SOCK_STREAM, IPPROTO_TCP, &tcp_prot,
		 IPPROTO_PVCALLS, INET_PROTOSW_ICSK),
	PVC_PROT(AF_INET6, SOCK_STREAM, IPPROTO_TCP, NULL,
		 IPPROTO_PVCALLS, INET_PROTOSW_ICSK),
	PVC_PROT(AF_INET, SOCK_STREAM, IPPROTO_TCP, &tcp_prot,
		 PVC_PROTO_MPTCP, INET_PROTOSW_ICSK),
	PVC_PROT(AF_INET6, SOCK_STREAM, IPPROTO_TCP, NULL,
		 PVC_PROTO_MPTCP, INET_PROTOSW_ICSK),
	PVC_PROT(AF_INET, SOCK_DGRAM, IPPROTO_UDP, &udp_prot,
		 IPPROTO_PVCALLS, 0),
	PVC_PROT(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, NULL,
		 IPPROTO_PVCALLS, 0),
	PVC_PROT(AF_INET, SOCK_DGRAM, IPPROTO_ICMP, NULL,
		 PVC_PROTO_ECHO, INET_PROTOSW_REUSE),
	PVC_PROT(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, NULL,
		 PVC_PROTO_ECHO, INET_PROTOSW_REUSE),
};

/**
 * pvc_prot_of() - find the protocol of ours that a struct proto belongs to
 * @proto: any struct proto
 *
 * Context: any.
 * Return: the protocol, or NULL if the struct proto is not one of ours.
 */
struct pvc_prot *pvc_prot_of(const struct proto *proto)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		if (proto == &pvc_prots[i].proto)
			return &pvc_prots[i];
	return NULL;
}

/**
 * pvc_prot_native() - the native struct proto of a socket
 * @sk: any socket
 *
 * Context: any.
 * Return: the original if the socket's struct proto is one of ours, else what
 * the socket has.
 */
struct proto *pvc_prot_native(const struct sock *sk)
{
	struct proto *proto = READ_ONCE(sk->sk_prot);
	struct pvc_prot *prot = pvc_prot_of(proto);

	return prot ? prot->native : proto;
}

/**
 * pvc_prot_ours() - our copy of a native struct proto
 * @native: tcp_prot or tcpv6_prot
 *
 * Context: any.
 * Return: the copy, of two the one for TCP and not that for MPTCP.
 */
struct proto *pvc_prot_ours(const struct proto *native)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		if (pvc_prots[i].native == native)
			return &pvc_prots[i].proto;
	WARN_ON_ONCE(1);
	return NULL;
}

/**
 * pvc_prot_stream() - the native struct proto of a TCP socket
 * @family: AF_INET or AF_INET6
 *
 * Context: any.
 * Return: tcp_prot or tcpv6_prot.
 */
struct proto *pvc_prot_stream(int family)
{
	/* the table begins with TCP over IPv4, then IPv6 */
	return pvc_prots[family == AF_INET6].native;
}

/**
 * pvc_prot_tail() - what we know of a socket of datagrams
 * @sk: socket with our operations
 *
 * Context: any.
 * Return: the tail of the socket's object.
 */
struct pvc_sock *pvc_prot_tail(const struct sock *sk)
{
	/* sk_prot_creator says how large the object is: it never changes */
	struct pvc_prot *prot = container_of(sk->sk_prot_creator,
					     struct pvc_prot, proto);

	return (void *)sk + prot->tail;
}

/**
 * pvc_prot_ops() - our operations for TCP sockets
 * @family: AF_INET or AF_INET6
 *
 * Context: any.
 * Return: the table with which the protocol is registered; NULL if the kernel
 * has no IPv6.
 */
const struct proto_ops *pvc_prot_ops(int family)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvc_prots); i++)
		if (pvc_prots[i].family == family &&
		    pvc_prots[i].protocol == IPPROTO_TCP)
			return pvc_prots[i].sw.ops;
	return NULL;
}
