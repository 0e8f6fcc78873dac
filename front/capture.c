// SPDX-License-Identifier: GPL-2.0
/*
 * Registers IPPROTO_PVCALLS, and turns programs' TCP sockets into it while they
 * are made: a probe on inet_create() and inet6_create() changes the protocol
 * that is looked up. Sockets of the kernel itself are left alone.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/net.h>
#include <net/protocol.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "capture.h"
#include "dev.h"
#include "pvcalls_compat.h"
#include "sock.h"

enum { PVC_CAPTURE_OFF, PVC_CAPTURE_ALL };

static const char * const pvcalls_capture_names[] = {
	[PVC_CAPTURE_OFF] = "off",
	[PVC_CAPTURE_ALL] = "all",
};

static int capture = PVC_CAPTURE_ALL;

static int capture_set(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(pvcalls_capture_names, val);

	if (i < 0) {
		pr_err("pvcalls: capture is off or all\n");
		return i;
	}
	WRITE_ONCE(capture, i);
	return 0;
}

static int capture_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", pvcalls_capture_names[capture]);
}

static const struct kernel_param_ops capture_ops = {
	.set = capture_set,
	.get = capture_get,
};

module_param_cb(capture, &capture_ops, &capture, 0644);
MODULE_PARM_DESC(capture,
		 "Which new TCP sockets of programs go through the backend: off or all (default all)");

/*
 * int inet_create(struct net *net, struct socket *sock, int protocol, int kern)
 * and the same for inet6_create().
 */
static int pvc_create_probe(struct kprobe *p, struct pt_regs *regs)
{
	struct socket *sock = (struct socket *)regs_get_kernel_argument(regs, 1);
	int protocol = regs_get_kernel_argument(regs, 2);
	bool kern = regs_get_kernel_argument(regs, 3);

	if (READ_ONCE(capture) == PVC_CAPTURE_ALL && !kern &&
	    sock->type == SOCK_STREAM &&
	    (protocol == IPPROTO_IP || protocol == IPPROTO_TCP) &&
	    pvc_dev_present())
		pvcalls_set_argument2(regs, IPPROTO_PVCALLS);
	return 0;
}

static struct kprobe pvcalls_probes[] = {
	{ .symbol_name = "inet_create", .pre_handler = pvc_create_probe },
	{ .symbol_name = "inet6_create", .pre_handler = pvc_create_probe },
};

/*
 * TCP's own, but for init. They live only while a socket is made: from init on
 * it is one of TCP's.
 */
static struct proto pvcalls_proto4, pvcalls_proto6;

static int pvc_proto_init(struct sock *sk, struct proto *tcp)
{
	sk->sk_prot = tcp;
	sk->sk_prot_creator = tcp;
	/* what SO_PROTOCOL says, and what goes into packets of a local one */
	sk->sk_protocol = IPPROTO_TCP;
	return tcp->init(sk);
}

static int pvc_proto4_init(struct sock *sk)
{
	return pvc_proto_init(sk, &tcp_prot);
}

static int pvc_proto6_init(struct sock *sk)
{
	return pvc_proto_init(sk, &tcpv6_prot);
}

static struct inet_protosw pvcalls_protosw4 = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_PVCALLS,
	.prot = &pvcalls_proto4,
	.flags = INET_PROTOSW_ICSK,
};

static struct inet_protosw pvcalls_protosw6 = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_PVCALLS,
	.prot = &pvcalls_proto6,
	.flags = INET_PROTOSW_ICSK,
};

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

	pvcalls_proto4 = tcp_prot;
	pvcalls_proto4.init = pvc_proto4_init;
	pvcalls_protosw4.ops = pvc_remote_ops(AF_INET);
	inet_register_protosw(&pvcalls_protosw4);
	if (pvc_nr_probes() > 1) {
		pvcalls_proto6 = tcpv6_prot;
		pvcalls_proto6.init = pvc_proto6_init;
		pvcalls_protosw6.ops = pvc_remote_ops(AF_INET6);
		ret = inet6_register_protosw(&pvcalls_protosw6);
		if (ret)
			goto err_protosw;
	}
	for (i = 0; i < pvc_nr_probes(); i++) {
		ret = register_kprobe(&pvcalls_probes[i]);
		if (ret) {
			pr_err("pvcalls: cannot probe %s: %d\n",
			       pvcalls_probes[i].symbol_name, ret);
			goto err_probes;
		}
	}
	return 0;

err_probes:
	while (i--)
		unregister_kprobe(&pvcalls_probes[i]);
	if (pvc_nr_probes() > 1)
		inet6_unregister_protosw(&pvcalls_protosw6);
err_protosw:
	inet_unregister_protosw(&pvcalls_protosw4);
	return ret;
}

/**
 * pvc_capture_exit() - take no more sockets
 *
 * Those that exist keep the module in use, so there are none.
 *
 * Context: process, may sleep.
 */
void pvc_capture_exit(void)
{
	unsigned int i;

	for (i = 0; i < pvc_nr_probes(); i++)
		unregister_kprobe(&pvcalls_probes[i]);
	if (pvc_nr_probes() > 1)
		inet6_unregister_protosw(&pvcalls_protosw6);
	inet_unregister_protosw(&pvcalls_protosw4);
}
