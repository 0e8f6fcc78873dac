// SPDX-License-Identifier: GPL-2.0
/* Opening of sockets; open.h says which command asks for it. */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/net.h>

#include <net/net_namespace.h>
#include <net/sock.h>

#include "guest/guest.h"
#include "guest/policy.h"
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
 * pvcalls_sock_open() - open a socket
 * @g: the guest
 * @id: the socket's id, chosen by the guest
 * @domain: AF_INET, or AF_INET6 with its extension in force
 * @type: SOCK_STREAM, or SOCK_DGRAM with its extensions in force
 * @protocol: IPPROTO_IP, or a protocol of @type. ICMP allows echoes only, and
 *	needs root in this domain's net.ipv4.ping_group_range
 *
 * Context: the command ring's worker.
 * Return: 0 or a negative error number.
 */
int pvcalls_sock_open(struct pvcalls_guest *g, u64 id, u32 domain, u32 type,
		      u32 protocol)
{
	struct pvcalls_sock *ps;
	struct socket *sock;
	struct net *net;
	int err;

	err = pvcalls_sock_check(g, domain, type, protocol);
	if (err) {
		pvcalls_guest_warn(g, "socket(%u, %u, %u) not supported\n",
				   domain, type, protocol);
		return err;
	}

	err = pvcalls_policy_socket(g, domain, type, protocol, &net);
	if (err)
		return err;

	pvcalls_worker_spend(PVCALLS_CALL_COST);
	err = pvcalls_sock_charge(g);
	if (err)
		goto put_net;
	/*
	 * sock_create_kern() is not used, because its sockets hold no reference
	 * to their network namespace. When such a socket is closed TCP stops
	 * its timers, and a lost segment is never sent again.
	 */
	err = __sock_create(net, domain, type, protocol, &sock, 0);
	if (err)
		goto uncharge;
	pvcalls_sockopt_init(g, sock);

	ps = pvcalls_sock_new(g, id, pvcalls_sock_type(type), sock);
	if (!IS_ERR(ps))
		goto put_net;
	err = PTR_ERR(ps);
	sock_release(sock);
uncharge:
	pvcalls_sock_uncharge(g);
put_net:
	put_net(net);
	return err;
}
