// SPDX-License-Identifier: GPL-2.0
/* See open.h. */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/net.h>

#include <net/net_namespace.h>
#include <net/sock.h>

#include "guest/guest.h"
#include "sched/worker.h"
#include "sock/open.h"
#include "sock/run.h"
#include "sock/sock.h"
#include "sock/sockopt.h"

static int pvcalls_sock_check(struct pvcalls_guest *g, u32 domain, u32 type,
			      u32 protocol)
{
	if (domain != AF_INET &&
	    !(domain == AF_INET6 && pvcalls_guest_has(g, PVCALLS_F_IPV6)))
		return -EAFNOSUPPORT;
	switch (type) {
	case SOCK_STREAM:
		if (protocol == IPPROTO_IP || protocol == IPPROTO_TCP)
			return 0;
		return -EPROTONOSUPPORT;
	case SOCK_DGRAM:
		if (!pvcalls_guest_has(g, PVCALLS_F_DGRAM) ||
		    !pvcalls_guest_has(g, PVCALLS_F_WAKEUP))
			break;
		if (protocol == IPPROTO_IP || protocol == IPPROTO_UDP ||
		    protocol == (domain == AF_INET ? IPPROTO_ICMP :
						     IPPROTO_ICMPV6))
			return 0;
		return -EPROTONOSUPPORT;
	}
	return -ESOCKTNOSUPPORT;
}

/**
 * pvcalls_sock_open() - SOCKET
 * @g: whose
 * @id: its id
 * @domain: AF_INET, or AF_INET6 if that is in force
 * @type: SOCK_STREAM, or SOCK_DGRAM if that is in force
 * @protocol: IPPROTO_IP, or one of this type; of ICMP only echoes, if this
 *	domain's net.ipv4.ping_group_range lets root
 *
 * Context: the command ring's worker.
 * Return: 0 or a negative error number.
 */
int pvcalls_sock_open(struct pvcalls_guest *g, u64 id, u32 domain, u32 type,
		      u32 protocol)
{
	struct pvcalls_sock *ps;
	struct socket *sock;
	int err;

	err = pvcalls_sock_check(g, domain, type, protocol);
	if (err) {
		pvcalls_guest_warn(g, "socket(%u, %u, %u) not supported\n",
				   domain, type, protocol);
		return err;
	}

	pvcalls_worker_spend(PVCALLS_CALL_COST);
	/*
	 * Not a kernel socket in the sense of sock_create_kern(): TCP stops the
	 * timers of such a one when it is closed (it holds no reference to its
	 * network namespace), and then a lost segment is never sent again.
	 */
	err = __sock_create(&init_net, domain, type, protocol, &sock, 0);
	if (err)
		return err;
	pvcalls_sockopt_init(g, sock);

	ps = pvcalls_sock_new(g, id, pvcalls_sock_type(type), sock);
	if (IS_ERR(ps)) {
		sock_release(sock);
		return PTR_ERR(ps);
	}
	return 0;
}
