/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Struct protos of our own: copies of the native ones. A copy is on a socket
 * for as long as the socket is ours. The life of what we know of the socket
 * hangs on the copy, because other kernel code replaces a struct proto only by
 * rules that ours keep out of:
 *
 * - psock_update_sk_prot is NULL, so that a sockmap refuses the socket;
 * - diag_destroy is NULL, since the native function would end only the native
 *   socket.
 *
 * pre_connect is NULL, too: policy.c calls the native function before anybody
 * decides where a connection goes.
 *
 * No copy is registered: proto_register() would replace the native slabs of
 * requests and of TIME-WAIT, and proto_unregister() would destroy those slabs.
 * The copies count in the native ones' statistics.
 *
 * The copies for TCP have the native object, slab and owner, because clones,
 * TIME-WAIT and IPv6 rely on those; sk_prot_creator is native from the
 * beginning. The copies for datagrams have a larger object in a slab of ours,
 * and the module is their owner.
 *
 * protosw.c registers the copies with socket() and has their functions.
 */
#ifndef PVC_PROT_H
#define PVC_PROT_H

#include <net/protocol.h>
#include <net/sock.h>

struct pvc_sock;

/*
 * socket(AF_INET, SOCK_STREAM, IPPROTO_PVCALLS) asks for one of ours. The
 * number is free in all supported kernels, below IPPROTO_MAX and unknown to
 * networks.
 */
#define IPPROTO_PVCALLS	257

/* Stands for ICMP echoes while a socket is made; the number is as free */
#define PVC_PROTO_ECHO	(IPPROTO_PVCALLS + 1)

/*
 * Stands for MPTCP while a socket is made, and is free likewise. The socket
 * becomes one of TCP.
 */
#define PVC_PROTO_MPTCP	(IPPROTO_PVCALLS + 3)

/* Protocols of ours: TCP, MPTCP, UDP, ICMP echoes, each over IPv4 and IPv6 */
#define PVC_PROTS	8

/* The place of UDP over IPv4 among them */
#define PVC_PROT_UDP4	4

/**
 * struct pvc_prot - a protocol of ours
 * @proto: the copy
 * @sw: registration of the copy with socket()
 * @native: the original; NULL if the kernel has none
 * @tail: of datagrams: offset of &struct pvc_sock in the object, in bytes
 * @protocol: what SO_PROTOCOL says, and what goes into packets of the guest
 * @family: AF_INET or AF_INET6
 * @registered: @sw is in force
 * @name: of the slab
 */
struct pvc_prot {
	struct proto proto;
	struct inet_protosw sw;
	struct proto *native;
	unsigned int tail;
	int protocol;
	int family;
	bool registered;
	char name[32];
};

extern struct pvc_prot pvc_prots[PVC_PROTS];

struct pvc_prot *pvc_prot_of(const struct proto *proto);
struct proto *pvc_prot_native(const struct sock *sk);
struct proto *pvc_prot_ours(const struct proto *native);
struct proto *pvc_prot_stream(int family);
struct pvc_sock *pvc_prot_tail(const struct sock *sk);
const struct proto_ops *pvc_prot_ops(int family);

#endif /* PVC_PROT_H */
