// SPDX-License-Identifier: GPL-2.0
/*
 * Registers IPPROTO_PVCALLS, and turns programs' sockets of TCP, UDP and ICMP
 * echoes into it while they are made: a probe on inet_create() and
 * inet6_create() changes the protocol that is looked up. Sockets of the kernel
 * itself are left alone.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/net.h>
#include <net/ping.h>
#include <net/protocol.h>
#include <net/tcp.h>
#include <net/transp_v6.h>
#include <net/udp.h>

#include "capture.h"
#include "link/link.h"
#include "pvcalls_compat.h"
#include "scope.h"
#include "sock/sock.h"

/* What stands for ICMP echoes while a socket is made; free on all kernels */
#define PVC_PROTO_ECHO	(IPPROTO_PVCALLS + 1)

static int pvc_create_probe(struct kprobe *p, struct pt_regs *regs);

static struct kprobe pvc_probes[] = {
	{ .symbol_name = "inet_create", .pre_handler = pvc_create_probe },
	{ .symbol_name = "inet6_create", .pre_handler = pvc_create_probe },
};

/*
 * int inet_create(struct net *net, struct socket *sock, int protocol, int kern)
 * and the same for inet6_create().
 */
static int pvc_create_probe(struct kprobe *p, struct pt_regs *regs)
{
	struct net *net = (struct net *)regs_get_kernel_argument(regs, 0);
	struct socket *sock = (struct socket *)regs_get_kernel_argument(regs, 1);
	int protocol = regs_get_kernel_argument(regs, 2);
	bool kern = regs_get_kernel_argument(regs, 3);

	if (kern || !pvc_scope_has(net))
		return 0;
	switch (sock->type) {
	case SOCK_STREAM:
		if ((protocol == IPPROTO_IP || protocol == IPPROTO_TCP) &&
		    pvc_link_present())
			pvcalls_set_argument2(regs, IPPROTO_PVCALLS);
		break;
	case SOCK_DGRAM:
		if (!pvc_link_datagrams())
			break;
		if (protocol == IPPROTO_IP || protocol == IPPROTO_UDP)
			pvcalls_set_argument2(regs, IPPROTO_PVCALLS);
		else if (protocol == (p == &pvc_probes[1] ?
				      IPPROTO_ICMPV6 : IPPROTO_ICMP))
			pvcalls_set_argument2(regs, PVC_PROTO_ECHO);
		break;
	}
	return 0;
}

/**
 * struct pvc_kind - a kind of sockets that we make
 * @proto: the native one, but for init; lives only while a socket is made: from
 *	init on it is one of the native ones
 * @sw: its registration
 * @native: the native one; NULL if the kernel has none
 * @protocol: what SO_PROTOCOL says, and what goes into packets of a local one
 * @family: AF_INET or AF_INET6
 * @registered: it is
 */
struct pvc_kind {
	struct proto proto;
	struct inet_protosw sw;
	struct proto *native;
	int protocol;
	int family;
	bool registered;
};

static struct pvc_kind pvc_kinds[];

static int pvc_proto_init(struct sock *sk)
{
	struct pvc_kind *kind = container_of(sk->sk_prot, struct pvc_kind,
					     proto);

	sk->sk_prot = kind->native;
	sk->sk_prot_creator = kind->native;
	sk->sk_protocol = kind->protocol;
	return kind->native->init ? kind->native->init(sk) : 0;
}

#define PVC_KIND(fam, typ, proto_nr, proto_native, sw_nr, sw_flags) {	\
	.family = fam,							\
	.protocol = proto_nr,						\
	.native = proto_native,						\
	.sw = { .type = typ, .protocol = sw_nr, .flags = sw_flags },	\
}

static struct pvc_kind pvc_kinds[] = {
	PVC_KIND(AF_INET, SOCK_STREAM, IPPROTO_TCP, &tcp_prot,
		 IPPROTO_PVCALLS, INET_PROTOSW_ICSK),
	PVC_KIND(AF_INET, SOCK_DGRAM, IPPROTO_UDP, &udp_prot,
		 IPPROTO_PVCALLS, 0),
	PVC_KIND(AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &ping_prot,
		 PVC_PROTO_ECHO, INET_PROTOSW_REUSE),
	PVC_KIND(AF_INET6, SOCK_STREAM, IPPROTO_TCP, NULL,
		 IPPROTO_PVCALLS, INET_PROTOSW_ICSK),
	PVC_KIND(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, NULL,
		 IPPROTO_PVCALLS, 0),
	PVC_KIND(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, NULL,
		 PVC_PROTO_ECHO, INET_PROTOSW_REUSE),
};

/* IPv6's are not there if the kernel was built without it */
static void pvc_kind_find(struct pvc_kind *kind)
{
	if (kind->family == AF_INET || !pvc_remote_ops(AF_INET6))
		return;
	switch (kind->protocol) {
	case IPPROTO_TCP:
		kind->native = &tcpv6_prot;
		break;
	case IPPROTO_UDP:
		kind->native = pvc_udp6_prot();
		break;
	default:
		kind->native = &pingv6_prot;
		break;
	}
}

static int pvc_kind_register(struct pvc_kind *kind)
{
	int ret = 0;

	pvc_kind_find(kind);
	if (!kind->native)
		return 0;
	kind->proto = *kind->native;
	kind->proto.init = pvc_proto_init;
	kind->sw.prot = &kind->proto;
	kind->sw.ops = kind->sw.type == SOCK_STREAM ?
		       pvc_remote_ops(kind->family) :
		       pvc_dgram_ops(kind->family);
	if (kind->family == AF_INET)
		inet_register_protosw(&kind->sw);
	else
		ret = inet6_register_protosw(&kind->sw);
	kind->registered = !ret;
	return ret;
}

static void pvc_kinds_unregister(void)
{
	int i;

	for (i = ARRAY_SIZE(pvc_kinds) - 1; i >= 0; i--) {
		if (!pvc_kinds[i].registered)
			continue;
		if (pvc_kinds[i].family == AF_INET)
			inet_unregister_protosw(&pvc_kinds[i].sw);
		else
			inet6_unregister_protosw(&pvc_kinds[i].sw);
		pvc_kinds[i].registered = false;
	}
}

/* The kernel may have been built without IPv6: then there is one probe less. */
static unsigned int pvc_nr_probes(void)
{
	return pvc_remote_ops(AF_INET6) ? 2 : 1;
}

/**
 * pvc_capture_init() - begin to take sockets
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int pvc_capture_init(void)
{
	unsigned int i;
	int ret;

	ret = pvc_scope_init();
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(pvc_kinds); i++) {
		ret = pvc_kind_register(&pvc_kinds[i]);
		if (ret)
			goto err_kinds;
	}
	for (i = 0; i < pvc_nr_probes(); i++) {
		ret = register_kprobe(&pvc_probes[i]);
		if (ret) {
			pr_err("cannot probe %s: %d\n",
			       pvc_probes[i].symbol_name, ret);
			goto err_probes;
		}
	}
	return 0;

err_probes:
	while (i--)
		unregister_kprobe(&pvc_probes[i]);
err_kinds:
	pvc_kinds_unregister();
	pvc_scope_exit();
	return ret;
}

/**
 * pvc_capture_exit() - take no more sockets
 *
 * Description: Those that exist keep the module in use, so there are none.
 *
 * Context: process, may sleep.
 */
void pvc_capture_exit(void)
{
	unsigned int i;

	for (i = 0; i < pvc_nr_probes(); i++)
		unregister_kprobe(&pvc_probes[i]);
	pvc_kinds_unregister();
	pvc_scope_exit();
}
