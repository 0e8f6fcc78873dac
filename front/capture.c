// SPDX-License-Identifier: GPL-2.0
/*
 * Turns programs' sockets of TCP, MPTCP, UDP and ICMP echoes into ours while
 * they are made: a probe on inet_create() and inet6_create() changes the
 * protocol that these functions look up. Sockets of the kernel itself are left
 * alone.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/sched.h>

#include "capture.h"
#include "link/link.h"
#include "pvcalls_compat.h"
#include "scope.h"
#include "sock/native.h"
#include "sock/prot.h"
#include "sock/protosw.h"
#include "sock/tables.h"
#include "watch.h"

/* Nobody's protocol, looked up for a program that may not have one of ours */
#define PVC_PROTO_NONE	(IPPROTO_PVCALLS + 2)

/*
 * Calls of inet_create(), and as many of inet6_create(), that may be under way
 * at once. A further one is not captured.
 */
#define PVC_MAX_CREATING	1024

static int pvc_create_entry(struct kretprobe_instance *ri,
			    struct pt_regs *regs);
static int pvc_create_return(struct kretprobe_instance *ri,
			     struct pt_regs *regs);

#define PVC_CREATE_PROBE(symbol) {			\
	.kp.symbol_name = symbol,			\
	.entry_handler = pvc_create_entry,		\
	.handler = pvc_create_return,			\
	.maxactive = PVC_MAX_CREATING,			\
}

/* [1] is for IPv6 */
static struct kretprobe pvc_probes[] = {
	PVC_CREATE_PROBE("inet_create"),
	PVC_CREATE_PROBE("inet6_create"),
};

/* All probes have been registered, so that each may take sockets */
static bool pvc_capturing;

/* What is looked up instead of a protocol that a program has asked for */
static int pvc_protocol_for(int type, int protocol, int echo)
{
	switch (type) {
	case SOCK_STREAM:
		if (!pvc_link_present() && !pvc_link_away())
			break;
		if (protocol == IPPROTO_IP || protocol == IPPROTO_TCP)
			return IPPROTO_PVCALLS;
		if (protocol == IPPROTO_MPTCP)
			return PVC_PROTO_MPTCP;
		break;
	case SOCK_DGRAM:
		if (!pvc_link_datagrams() && !pvc_link_away())
			break;
		if (protocol == IPPROTO_IP || protocol == IPPROTO_UDP)
			return IPPROTO_PVCALLS;
		if (protocol == echo)
			return PVC_PROTO_ECHO;
		break;
	}
	return protocol;
}

static bool pvc_protocol_is_ours(int protocol)
{
	return protocol == IPPROTO_PVCALLS || protocol == PVC_PROTO_ECHO ||
	       protocol == PVC_PROTO_MPTCP;
}

/*
 * int inet_create(struct net *net, struct socket *sock, int protocol, int kern)
 * begins, or inet6_create() with the same arguments. Returns 0 if the call may
 * make a socket of ours. The call sleeps between looking up our protocol and
 * taking a reference to the module, so the probe holds the module until the
 * call returns.
 */
static int pvc_create_entry(struct kretprobe_instance *ri,
			    struct pt_regs *regs)
{
	struct net *net = (struct net *)regs_get_kernel_argument(regs, 0);
	struct socket *sock = (void *)regs_get_kernel_argument(regs, 1);
	int protocol = regs_get_kernel_argument(regs, 2);
	int kern = regs_get_kernel_argument(regs, 3);
	int echo = get_kretprobe(ri) == &pvc_probes[1] ? IPPROTO_ICMPV6 :
							 IPPROTO_ICMP;
	int wanted = protocol;

	if (pvc_watch_hit(get_kretprobe(ri)))
		return 1;
	/* some parts of the kernel make sockets as if they were programs */
	if (kern || current->flags & PF_KTHREAD || !READ_ONCE(pvc_capturing)) {
		if (pvc_protocol_is_ours(protocol))
			wanted = PVC_PROTO_NONE;
	} else if (pvc_protocol_is_ours(protocol)) {
		if (!pvc_scope_allows(net))
			wanted = PVC_PROTO_NONE;
	} else if (pvc_scope_has(net)) {
		wanted = pvc_protocol_for(sock->type, protocol, echo);
	}
	if (pvc_protocol_is_ours(wanted) && !try_module_get(THIS_MODULE))
		wanted = pvc_protocol_is_ours(protocol) ? PVC_PROTO_NONE :
							  protocol;
	if (wanted != protocol)
		pvcalls_set_argument2(regs, wanted);
	return !pvc_protocol_is_ours(wanted);
}

static int pvc_create_return(struct kretprobe_instance *ri,
			     struct pt_regs *regs)
{
	module_put(THIS_MODULE);
	return 0;
}

/*
 * May a socket that has found a protocol of ours be ours? There is none before
 * nothing can fail any more, because the module would go in spite of sockets.
 */
static int pvc_capture_wants(const struct net *net)
{
	if (!READ_ONCE(pvc_capturing))
		return -EPROTONOSUPPORT;
	return pvc_scope_allows(net);
}

/* The kernel may have been built without IPv6: then there is one probe less. */
static unsigned int pvc_nr_probes(void)
{
	return pvc_native_ops(AF_INET6, SOCK_STREAM) ? 2 : 1;
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
	pvc_tables_init();
	ret = pvc_protosw_init(pvc_capture_wants, pvc_tables_ops);
	if (ret)
		goto err_scope;
	for (i = 0; i < pvc_nr_probes(); i++) {
		ret = register_kretprobe(&pvc_probes[i]);
		if (ret) {
			pr_err("cannot probe %s: %d\n",
			       pvc_probes[i].kp.symbol_name, ret);
			goto err_probes;
		}
	}
	WRITE_ONCE(pvc_capturing, true);
	pvc_watch_start(pvc_probes, pvc_nr_probes());
	return 0;

err_probes:
	while (i--)
		unregister_kretprobe(&pvc_probes[i]);
	pvc_protosw_exit();
err_scope:
	pvc_scope_exit();
	return ret;
}

/**
 * pvc_capture_exit() - take no more sockets
 *
 * Description: Sockets of ours and calls that make some keep the module in use,
 * so there are none.
 *
 * Context: process, may sleep.
 */
void pvc_capture_exit(void)
{
	unsigned int i;

	pvc_watch_stop();
	/*
	 * The probes go last: while the module is being removed they let nobody
	 * find a protocol of ours.
	 */
	pvc_protosw_exit();
	for (i = 0; i < pvc_nr_probes(); i++)
		unregister_kretprobe(&pvc_probes[i]);
	pvc_scope_exit();
}
