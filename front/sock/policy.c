// SPDX-License-Identifier: GPL-2.0
/* See policy.h. */
#include <linux/atomic.h>
#include <linux/in.h>
#include <linux/module.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "conn/addr.h"
#include "pvcalls_compat.h"
#include "pvcalls_ctl.h"
#include "sock/native.h"
#include "sock/policy.h"
#include "sock/prot.h"
#include "sock/route.h"
#include "sock/sock.h"

static bool capture_filtered;
module_param(capture_filtered, bool, 0644);
MODULE_PARM_DESC(capture_filtered,
		 "Capture sockets of cgroups whose ingress or egress programs of BPF then see nothing of them (default N)");

/* Calls that have stayed in the guest because of such programs */
static atomic64_t pvc_filtered_calls;

/* Has a socket's cgroup programs that see packets? */
static bool pvc_policy_sees_packets(const struct sock *sk)
{
	/* the runners take no constant socket, but do not change the socket */
	struct sock *s = (struct sock *)sk;

	return (cgroup_bpf_enabled(CGROUP_INET_EGRESS) &&
		pvcalls_cgroup_has(s, CGROUP_INET_EGRESS)) ||
	       (cgroup_bpf_enabled(CGROUP_INET_INGRESS) &&
		pvcalls_cgroup_has(s, CGROUP_INET_INGRESS));
}

/**
 * pvc_policy_filters() - would programs that see packets keep a socket here?
 * @sk: socket
 *
 * Context: any.
 * Return: true if so.
 */
bool pvc_policy_filters(const struct sock *sk)
{
	return pvc_policy_sees_packets(sk) && !READ_ONCE(capture_filtered);
}

/**
 * pvc_policy_filtered() - do programs that see packets keep a socket here?
 * @sk: socket
 *
 * Description: Programs may come and go at any time, so each call asks that
 * could lead to the backend.
 *
 * Context: any.
 * Return: true if so; counted, and the first time told in the log.
 */
bool pvc_policy_filtered(const struct sock *sk)
{
	if (!pvc_policy_filters(sk))
		return false;
	atomic64_inc(&pvc_filtered_calls);
	pr_warn_once("a cgroup has ingress or egress programs: its sockets stay in the guest, see capture_filtered\n");
	return true;
}

/**
 * pvc_policy_filtered_calls() - how often has pvc_policy_filtered() said yes?
 *
 * Context: any.
 * Return: calls since the module was loaded.
 */
u64 pvc_policy_filtered_calls(void)
{
	return atomic64_read(&pvc_filtered_calls);
}

/*
 * Do IP_UNICAST_IF, IPV6_UNICAST_IF or IPV6_PKTINFO lead elsewhere? A socket of
 * IPv6 has the first one for IPv4-mapped addresses.
 */
static bool pvc_policy_unicast_elsewhere(const struct sock *sk)
{
	const struct ipv6_pinfo *np;

	if (pvc_is_elsewhere(READ_ONCE(inet_sk(sk)->uc_index)))
		return true;
	if (sk->sk_family != AF_INET6)
		return false;
	np = inet6_sk(sk);
	return pvc_is_elsewhere(READ_ONCE(np->ucast_oif)) ||
	       pvc_is_elsewhere(READ_ONCE(np->sticky_pktinfo.ipi6_ifindex));
}

/**
 * pvc_policy_elsewhere() - does a datagram have to leave by a certain device?
 * @sk: socket of datagrams
 * @msg: the datagram with its control data, or NULL
 *
 * pvc_is_elsewhere() says which devices do not lead to the backend.
 *
 * Context: any.
 * Return: true if so.
 */
bool pvc_policy_elsewhere(const struct sock *sk, struct msghdr *msg)
{
	struct cmsghdr *cmsg;

	if (pvc_bound_elsewhere(sk) || pvc_policy_unicast_elsewhere(sk))
		return true;
	if (!msg || !msg->msg_controllen)
		return false;
	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			break;
		if (pvcalls_ctl_pktinfo(cmsg->cmsg_level, cmsg->cmsg_type) &&
		    pvcalls_ctl_valid(cmsg) &&
		    pvc_is_elsewhere(pvcalls_ctl_ifindex(cmsg->cmsg_level,
							 CMSG_DATA(cmsg))))
			return true;
	}
	return false;
}

static bool pvc_policy_sees_connect(struct sock *sk)
{
	return pvcalls_cgroup_has(sk, CGROUP_INET4_CONNECT) ||
	       pvcalls_cgroup_has(sk, CGROUP_INET6_CONNECT);
}

/**
 * pvc_policy_connect() - run the programs for connect()
 * @sk: socket, not locked
 * @sa: address, which they may change
 * @len: length of @sa in bytes
 *
 * The struct protos that are ours have no pre_connect, so that the native
 * connect() of a socket that is ours does not run the programs once more.
 *
 * Context: process, sleeps; takes the socket's lock.
 * Return: 0 or the error with which the call is refused.
 */
int pvc_policy_connect(struct sock *sk, struct sockaddr *sa, int len)
{
	struct proto *native = pvc_prot_native(sk);
	int ret;

	if (!pvc_policy_sees_connect(sk) || !native->pre_connect)
		return 0;
	/* that of datagrams takes the lock by itself */
	if (sk->sk_type == SOCK_DGRAM)
		return native->pre_connect(sk, pvcalls_sa(sa), len);
	lock_sock(sk);
	ret = native->pre_connect(sk, pvcalls_sa(sa), len);
	release_sock(sk);
	return ret;
}

/**
 * pvc_policy_connect_native() - connect a socket that has just gone local
 * @sock: native TCP socket, for which pvc_policy_connect() has run
 * @sa: address
 * @len: length of @sa in bytes
 * @flags: O_NONBLOCK
 *
 * The native connect() would run the programs once more. They are in the native
 * struct proto, so the connection begins with ours, without waiting, while the
 * lock keeps everybody else from the socket.
 *
 * Context: process, sleeps as the native connect() does; the caller holds the
 * module.
 * Return: 0 or the error that TCP gives.
 */
int pvc_policy_connect_native(struct socket *sock, struct sockaddr *sa, int len,
			      int flags)
{
	const struct proto_ops *ops = pvc_native(sock->sk);
	struct sock *sk = sock->sk;
	struct proto *native;
	int ret;

	if (!pvc_policy_sees_connect(sk))
		return ops->connect(sock, pvcalls_sa(sa), len, flags);
	lock_sock(sk);
	native = READ_ONCE(sk->sk_prot);
	/* another thread may have put something else onto the native socket */
	if (native == pvc_prot_stream(sk->sk_family))
		WRITE_ONCE(sk->sk_prot, pvc_prot_ours(native));
	ret = __inet_stream_connect(sock, pvcalls_sa(sa), len,
				    flags | O_NONBLOCK, 0);
	WRITE_ONCE(sk->sk_prot, native);
	release_sock(sk);
	if (ret != -EINPROGRESS || flags & O_NONBLOCK)
		return ret;
	ret = ops->connect(sock, pvcalls_sa(sa), len, flags);
	return ret == -EALREADY ? -EINPROGRESS : ret;
}

/**
 * pvc_policy_bind() - run the programs for bind()
 * @sk: socket
 * @sa: address, as long as its family's; they may change the address
 * @any_port: result: they allow a low port to a process without the right
 *
 * Context: process, sleeps; takes the socket's lock.
 * Return: 0 or the error with which the call is refused.
 */
int pvc_policy_bind(struct sock *sk, struct sockaddr *sa, bool *any_port)
{
	u32 flags = 0;
	int ret;

	*any_port = false;
	/* a protocol with a bind of its own, as that of echoes, asks nobody */
	if (pvc_prot_native(sk)->bind)
		return 0;
	if (sk->sk_family == AF_INET)
		ret = pvcalls_cgroup_addr(sk, sa, CGROUP_INET4_BIND, NULL,
					  &flags);
	else
		ret = pvcalls_cgroup_addr(sk, sa, CGROUP_INET6_BIND, NULL,
					  &flags);
	*any_port = flags & BPF_RET_BIND_NO_CAP_NET_BIND_SERVICE;
	return ret;
}

static int pvc_policy_run_post_bind(struct sock *sk)
{
	if (sk->sk_family == AF_INET)
		return BPF_CGROUP_RUN_PROG_INET4_POST_BIND(sk);
	return BPF_CGROUP_RUN_PROG_INET6_POST_BIND(sk);
}

/**
 * pvc_policy_post_bind() - run the programs that see what bind() has given
 * @sk: socket that is bound at the backend and not in the guest
 * @a: address at the backend
 *
 * The programs read the address off the socket, so the socket has the address
 * meanwhile.
 *
 * Context: process, sleeps; takes the socket's lock.
 * Return: 0 or the error with which the call is refused.
 */
int pvc_policy_post_bind(struct sock *sk, const struct pvc_addr *a)
{
	struct inet_sock *inet = inet_sk(sk);
	int ret = 0;

	if (pvc_prot_native(sk)->bind)
		return 0;
	if (!(sk->sk_family == AF_INET ?
	      pvcalls_cgroup_has(sk, CGROUP_INET4_POST_BIND) :
	      pvcalls_cgroup_has(sk, CGROUP_INET6_POST_BIND)))
		return 0;
	lock_sock(sk);
	/* a datagram within the guest has bound the socket meanwhile */
	if (inet->inet_num) {
		ret = -EINVAL;
		goto out;
	}
	if (a->sa.sa_family == AF_INET)
		inet->inet_rcv_saddr = a->in.sin_addr.s_addr;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && a->sa.sa_family == AF_INET6)
		sk->sk_v6_rcv_saddr = a->in6.sin6_addr;
	else if (sk->sk_family == AF_INET6)
		ipv6_addr_set_v4mapped(a->in.sin_addr.s_addr,
				       &sk->sk_v6_rcv_saddr);
#endif
	inet->inet_num = ntohs(pvc_addr_port(a));
	ret = pvc_policy_run_post_bind(sk);
	inet->inet_num = 0;
	inet_reset_saddr(sk);
out:
	release_sock(sk);
	return ret;
}

/**
 * pvc_policy_hold_port() - bind a port in the guest that the backend has given
 * @sock: socket that is not bound in the guest
 * @port: port
 * @told: a program has called bind(), so programs that see the result run
 *
 * The native bind() would run the programs for bind() once more, with a port
 * that the caller may not have asked for.
 *
 * Context: process, sleeps; takes the socket's lock.
 * Return: 0 or a negative error.
 */
int pvc_policy_hold_port(struct socket *sock, __be16 port, bool told)
{
	struct sock *sk = sock->sk;
	struct proto *native = pvc_prot_native(sk);
	struct inet_sock *inet = inet_sk(sk);
	struct sockaddr_storage ss;
	struct pvc_addr any = {};
	int ret = -EINVAL;

	if (native->bind) {
		ret = pvc_addr_to_user(sk, &any, (struct sockaddr *)&ss);
		((struct sockaddr_in *)&ss)->sin_port = port;
		return native->bind(sk, pvcalls_sa(&ss), ret);
	}
	lock_sock(sk);
	if (sk->sk_state != TCP_CLOSE || inet->inet_num)
		goto out;
	inet_reset_saddr(sk);
	ret = sk->sk_prot->get_port(sk, ntohs(port));
	if (ret)
		goto out;
	ret = told ? pvc_policy_run_post_bind(sk) : 0;
	if (ret) {
		if (sk->sk_prot->put_port)
			sk->sk_prot->put_port(sk);
		goto out;
	}
	if (port)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	inet->inet_sport = htons(inet->inet_num);
	inet->inet_daddr = 0;
	inet->inet_dport = 0;
	sk_dst_reset(sk);
out:
	release_sock(sk);
	return ret;
}

/*
 * Runs the programs for a datagram of IPv4. @sender becomes true if they want
 * another sender.
 */
static int pvc_policy_sendmsg4(struct sock *sk, struct sockaddr_in *in,
			       bool *sender)
{
	__be32 src = inet_sk(sk)->inet_saddr, was = src;
	int ret;

	if (!pvcalls_cgroup_has(sk, CGROUP_UDP4_SENDMSG))
		return 0;
	ret = pvcalls_cgroup_addr(sk, (struct sockaddr *)in,
				  CGROUP_UDP4_SENDMSG, &src, NULL);
	*sender = src != was;
	return !ret && in && !in->sin_port ? -EINVAL : ret;
}

/* Runs the programs for a datagram of IPv6; see pvc_policy_sendmsg4() */
static int pvc_policy_sendmsg6(struct sock *sk, struct sockaddr_in6 *in6,
			       bool *sender)
{
	struct in6_addr src = inet6_sk(sk)->saddr, was = src;
	int ret;

	if (!pvcalls_cgroup_has(sk, CGROUP_UDP6_SENDMSG))
		return 0;
	ret = pvcalls_cgroup_addr(sk, (struct sockaddr *)in6,
				  CGROUP_UDP6_SENDMSG, &src, NULL);
	*sender = !ipv6_addr_equal(&src, &was);
	if (ret || !in6)
		return ret;
	/* as UDP answers a program that has left no address of IPv6 */
	if (ipv6_addr_v4mapped(&in6->sin6_addr))
		return -ENOTSUPP;
	return in6->sin6_port ? 0 : -EINVAL;
}

/*
 * Runs the programs for a datagram to an IPv4-mapped address, which they see as
 * one of IPv4; see pvc_policy_sendmsg4()
 */
static int pvc_policy_sendmsg_mapped(struct sock *sk, struct sockaddr_in6 *in6,
				     bool *sender)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = in6->sin6_port,
		.sin_addr.s_addr = in6->sin6_addr.s6_addr32[3],
	};
	int ret = pvc_policy_sendmsg4(sk, &in, sender);

	in6->sin6_port = in.sin_port;
	in6->sin6_addr.s6_addr32[3] = in.sin_addr.s_addr;
	return ret;
}

/*
 * Runs the programs for a datagram without an address, of a socket of IPv6
 * whose peer has an IPv4-mapped one: UDP asks for each datagram, as if it had
 * that address. Returns 1 if the socket is not of that kind; see
 * pvc_policy_sendmsg4().
 */
static int pvc_policy_sendmsg_peer(struct sock *sk, bool *sender)
{
	struct pvc_conn *c = sk->sk_family == AF_INET6 ?
			     pvc_sk_conn(pvc_prot_tail(sk)) : NULL;
	struct sockaddr_in in = { .sin_family = AF_INET }, was;
	struct pvc_addr peer;
	int ret;

	if (!c)
		return 1;
	spin_lock_irq(&c->lock);
	peer = c->peer;
	spin_unlock_irq(&c->lock);
	pvc_conn_put(c);
	if (peer.len && peer.sa.sa_family == AF_INET)
		in.sin_addr = peer.in.sin_addr;
	else if (peer.len && ipv6_addr_v4mapped(&peer.in6.sin6_addr))
		in.sin_addr.s_addr = peer.in6.sin6_addr.s6_addr32[3];
	else
		return 1;
	in.sin_port = pvc_addr_port(&peer);
	was = in;
	ret = pvc_policy_sendmsg4(sk, &in, sender);
	/* the backend sends to the peer, and to nobody else */
	if (!ret && memcmp(&in, &was, sizeof(in)))
		ret = -EADDRNOTAVAIL;
	return ret;
}

/**
 * pvc_policy_sendmsg() - run the programs for a datagram
 * @sk: socket of datagrams
 * @msg: datagram; they may change the address that it names
 * @sender: result: they want another sender, whom the backend does not know
 *
 * As with UDP they do not see a datagram without control data for the peer of
 * connect(), unless the peer's address is an IPv4-mapped one.
 *
 * Context: process, sleeps; takes the socket's lock.
 * Return: 0 or the error with which the call is refused.
 */
int pvc_policy_sendmsg(struct sock *sk, struct msghdr *msg, bool *sender)
{
	struct sockaddr_in6 *in6 = msg->msg_name;
	struct pvc_addr to;
	int ret;

	*sender = false;
	if (sk->sk_protocol != IPPROTO_UDP ||
	    (!pvcalls_cgroup_has(sk, CGROUP_UDP4_SENDMSG) &&
	     !pvcalls_cgroup_has(sk, CGROUP_UDP6_SENDMSG)))
		return 0;
	if (!msg->msg_name) {
		ret = pvc_policy_sendmsg_peer(sk, sender);
		if (ret <= 0)
			return ret;
	}
	if (!msg->msg_name && !msg->msg_controllen)
		return 0;
	if (!msg->msg_name)
		return sk->sk_family == AF_INET ?
		       pvc_policy_sendmsg4(sk, NULL, sender) :
		       pvc_policy_sendmsg6(sk, NULL, sender);
	/* the native socket tells what is wrong with an address */
	if (pvc_addr_from_user(sk, msg->msg_name, msg->msg_namelen, false,
			       &to) || !pvc_addr_port(&to))
		return 0;
	if (in6->sin6_family == AF_INET)
		return pvc_policy_sendmsg4(sk, msg->msg_name, sender);
	return to.sa.sa_family == AF_INET ?
	       pvc_policy_sendmsg_mapped(sk, in6, sender) :
	       pvc_policy_sendmsg6(sk, in6, sender);
}

/**
 * pvc_policy_recvmsg() - run the programs for a datagram that has come
 * @sk: socket of datagrams
 * @msg: datagram; they may change the address of the sender
 *
 * Context: process, sleeps; takes the socket's lock.
 */
void pvc_policy_recvmsg(struct sock *sk, struct msghdr *msg)
{
	if (sk->sk_protocol != IPPROTO_UDP || !msg->msg_name)
		return;
	if (sk->sk_family == AF_INET)
		pvcalls_cgroup_addr(sk, msg->msg_name, CGROUP_UDP4_RECVMSG,
				    NULL, NULL);
	else
		pvcalls_cgroup_addr(sk, msg->msg_name, CGROUP_UDP6_RECVMSG,
				    NULL, NULL);
}

/**
 * pvc_policy_getname() - run the programs for getsockname(), getpeername()
 * @sk: socket
 * @sa: address of the socket's family; they may change the address
 * @peer: the address is the peer's
 *
 * Context: process, sleeps; takes the socket's lock.
 */
void pvc_policy_getname(struct sock *sk, struct sockaddr *sa, bool peer)
{
	if (sk->sk_family == AF_INET && peer)
		pvcalls_cgroup_addr(sk, sa, CGROUP_INET4_GETPEERNAME, NULL,
				    NULL);
	else if (sk->sk_family == AF_INET)
		pvcalls_cgroup_addr(sk, sa, CGROUP_INET4_GETSOCKNAME, NULL,
				    NULL);
	else if (peer)
		pvcalls_cgroup_addr(sk, sa, CGROUP_INET6_GETPEERNAME, NULL,
				    NULL);
	else
		pvcalls_cgroup_addr(sk, sa, CGROUP_INET6_GETSOCKNAME, NULL,
				    NULL);
}
