// SPDX-License-Identifier: GPL-2.0
/* Options of kernel sockets; sockopt.h says for whom. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/uidgid.h>

#include <net/dst.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "guest/call.h"
#include "guest/congestion.h"
#include "guest/guest.h"
#include "guest/own.h"
#include "guest/policy.h"
#include "pvcalls_sockopt.h"
#include "sock/sock.h"
#include "sock/sockopt.h"

/**
 * pvcalls_sockopt_owner() - set the owner of a kernel socket
 * @g: the guest
 * @sock: the guest's kernel socket
 *
 * Sockets with SO_REUSEPORT may share a port if they have the same owner. So
 * each guest has an owner of its own: if root owned all sockets, guests could
 * take connections from each other and from this domain.
 *
 * Context: process, may sleep.
 */
void pvcalls_sockopt_owner(struct pvcalls_guest *g, struct socket *sock)
{
	kuid_t uid = pvcalls_own_uid(g->peer.domid);

	SOCK_INODE(sock)->i_uid = uid;
	sock->sk->sk_uid = uid;
}

static int pvcalls_sockopt_set_congestion(struct socket *sock, const char *name)
{
	return READ_ONCE(sock->ops)->setsockopt(sock, IPPROTO_TCP,
						TCP_CONGESTION,
						KERNEL_SOCKPTR((char *)name),
						strlen(name));
}

/*
 * Have a new TCP socket begin with what its guest may choose. Connections that
 * it accepts have the same.
 */
static void pvcalls_sockopt_begin(struct pvcalls_guest *g, struct socket *sock)
{
	const char *has = inet_csk(sock->sk)->icsk_ca_ops->name, *name;

	name = pvcalls_congestion_begin(has, pvcalls_policy_congestion(g));
	if (name)
		pvcalls_sockopt_set_congestion(sock, name);
}

/**
 * pvcalls_sockopt_init() - set the defaults of a new kernel socket
 * @g: the guest
 * @sock: the guest's kernel socket
 *
 * A guest without feature-sockopt can't set options, so the defaults are chosen
 * to suit most programs.
 *
 * Context: process, may sleep.
 */
void pvcalls_sockopt_init(struct pvcalls_guest *g, struct socket *sock)
{
	struct sock *sk = sock->sk;

	pvcalls_sockopt_owner(g, sock);
	/* accepted connections inherit the mark from the listening socket */
	if (g->mark)
		sock_set_mark(sk, g->mark);
	if (sk->sk_family == AF_INET6)
		sk->sk_ipv6only = 0;
	if (sk->sk_type != SOCK_STREAM)
		return;
	pvcalls_sockopt_begin(g, sock);
	/* the ring gathers bytes already, so Nagle would only add latency */
	if (!pvcalls_guest_has(g, PVCALLS_F_SOCKOPT))
		tcp_sock_set_nodelay(sk);
}

/**
 * pvcalls_sockopt_bind() - set the options of a kernel socket before bind
 * @g: the guest
 * @sock: the guest's kernel socket
 *
 * Context: process, may sleep.
 */
void pvcalls_sockopt_bind(struct pvcalls_guest *g, struct socket *sock)
{
	/*
	 * Servers set SO_REUSEADDR, because they could not be restarted for a
	 * minute without it. A port on which another socket listens stays taken
	 * nevertheless.
	 */
	if (sock->type == SOCK_STREAM &&
	    !pvcalls_guest_has(g, PVCALLS_F_SOCKOPT))
		sock_set_reuseaddr(sock->sk);
}

static int pvcalls_sockopt_one(struct socket *sock,
			       const struct pvcalls_opt *opt)
{
	int i = pvcalls_relayed_find(opt->level, opt->name);
	int val = opt->value;
	int name = opt->name;

	/* ignore options that we do not know or that can only be read */
	if (i < 0 || pvcalls_relayed_told(i))
		return 0;
	/* SO_REUSEADDR of UDP would share a port with any other owner */
	if (sock->type == SOCK_DGRAM && opt->level == SOL_SOCKET &&
	    name == SO_REUSEADDR)
		name = SO_REUSEPORT;
	if (pvcalls_relayed_at(i)->kind == PVCALLS_OPT_SOCK)
		return sock_setsockopt(sock, opt->level, name,
				       KERNEL_SOCKPTR(&val), sizeof(val));
	return READ_ONCE(sock->ops)->setsockopt(sock, opt->level, opt->name,
						KERNEL_SOCKPTR(&val),
						sizeof(val));
}

static int pvcalls_sockopt_congestion(struct pvcalls_sock *ps, const char *name)
{
	int err;

	/* this thread may set any name and load modules, so check the name */
	err = pvcalls_congestion_may(name,
				     pvcalls_policy_congestion(ps->guest));
	return err ?: pvcalls_sockopt_set_congestion(ps->sock, name);
}

/**
 * pvcalls_sockopt_set() - run the command SETSOCKOPT
 * @ps: the socket
 * @call: the request, which is answered and freed
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_sockopt_set(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	const struct pvcalls_req_setsockopt *req = (const void *)&call->req.u;
	char name[PVCALLS_CONGESTION_LEN + 1];
	u32 i, n, count = req->count;
	int err, ret = 0;

	if (!count || count > PVCALLS_MAX_OPTS) {
		pvcalls_guest_warn(ps->guest, "%u socket options\n", count);
		pvcalls_reply(call, -EINVAL);
		return;
	}
	for (i = 0; i < count; i += n) {
		n = pvcalls_opts_take_name(&req->opt[i], count - i, name);
		if (n) {
			err = pvcalls_sockopt_congestion(ps, name);
		} else {
			n = 1;
			err = pvcalls_sockopt_one(ps->sock, &req->opt[i]);
		}
		if (!ret)
			ret = err;
	}
	pvcalls_reply(call, ret);
}

/* The values that a guest may read, and no others. */
union pvcalls_sockopt_value {
	struct tcp_info info;
	int number;
};

static int pvcalls_sockopt_mtu(struct sock *sk,
			       union pvcalls_sockopt_value *value)
{
	struct dst_entry *dst = sk_dst_get(sk);

	if (!dst)
		return -ENOTCONN;
	value->number = dst_mtu(dst);
	dst_release(dst);
	return sizeof(value->number);
}

static int pvcalls_sockopt_read(struct socket *sock, int level, int name,
				union pvcalls_sockopt_value *value)
{
	int i = pvcalls_relayed_find(level, name);
	struct sock *sk = sock->sk;

	if (!pvcalls_relayed_told(i) ||
	    (level == SOL_TCP && sock->type != SOCK_STREAM) ||
	    (level == SOL_IPV6 && sk->sk_family != AF_INET6))
		return -ENOPROTOOPT;
	if (pvcalls_relayed_at(i)->kind == PVCALLS_OPT_INFO) {
		tcp_get_info(sk, &value->info);
		return sizeof(value->info);
	}
	if (level != SOL_TCP)
		return pvcalls_sockopt_mtu(sk, value);
	value->number = READ_ONCE(tcp_sk(sk)->mss_cache);
	return sizeof(value->number);
}

/**
 * pvcalls_sockopt_get() - run the command GETSOCKOPT
 * @ps: the socket
 * @call: the request, which is answered and freed
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_sockopt_get(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	const struct pvcalls_req_getsockopt *req = (const void *)&call->req.u;
	union pvcalls_sockopt_value value;
	u32 offset = req->offset;
	u32 part;
	int len;

	len = pvcalls_sockopt_read(ps->sock, req->level, req->name, &value);
	if (len < 0) {
		pvcalls_reply(call, len);
		return;
	}
	part = pvcalls_value_part(len, offset);
	if (part)
		pvcalls_call_value(call, (u8 *)&value + offset, part);
	pvcalls_reply(call, 0);
}
