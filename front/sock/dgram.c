// SPDX-License-Identifier: GPL-2.0
/* See dgram.h. */
#include <linux/ip.h>
#include <linux/poll.h>
#include <linux/sockios.h>
#include <linux/termios.h>
#include <linux/uaccess.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "pvcalls_compat.h"
#include "pvcalls_ctl.h"
#include "sock/bind.h"
#include "sock/dgram.h"
#include "sock/dgram_conn.h"
#include "sock/msg.h"
#include "sock/native.h"
#include "sock/policy.h"
#include "sock/prot.h"
#include "sock/record.h"
#include "sock/roster.h"
#include "sock/route.h"
#include "sock/sockopt.h"
#include "sock/wait.h"

static int pvc_dgram_create(struct pvc_sock *psk, struct sock *sk,
			    struct pvc_link *link)
{
	int family = AF_INET;
	struct pvc_conn *c;
	int ret;

	if (sk->sk_family == AF_INET6 && pvc_link_has(link, PVCALLS_F_IPV6))
		family = AF_INET6;
	c = pvc_sk_new_conn(psk, link, family, SOCK_DGRAM, sk->sk_protocol);
	if (IS_ERR(c))
		return PTR_ERR(c);
	ret = pvc_conn_open_nowait(c) ?: pvc_relay_opts(psk, sk, c);
	if (!ret)
		ret = pvc_dgram_attach(psk, c, sk);
	if (ret) {
		pvc_conn_close(c, true);
		pvc_conn_put(c);
		return ret;
	}
	return pvc_sk_set_conn(psk, c);
}

/**
 * pvc_dgram_open() - make a socket of the backend's, unless one works
 * @psk: what we know of @sk, ctl held
 * @sk: the program's socket
 * @link: connection to a backend that knows datagrams
 *
 * The socket has the address and the peer that the program has named.
 *
 * Context: process, sleeps; killable.
 * Return: 0 or a negative error.
 */
int pvc_dgram_open(struct pvc_sock *psk, struct sock *sk, struct pvc_link *link)
{
	struct pvc_conn *c = pvc_sk_conn(psk);
	bool works = c && !pvc_dgram_dead(c);

	if (c)
		pvc_conn_put(c);
	if (works)
		return 0;
	if (c)
		pvc_sk_drop_conn(psk, true);
	return psk->local.len ? pvc_bind_again(psk, sk, link) :
				pvc_dgram_create(psk, sk, link);
}

/*
 * Finds the backend's socket, and makes one if need be. Returns the socket with
 * a reference, or an error pointer.
 */
static struct pvc_conn *pvc_dgram_conn(struct socket *sock)
{
	struct pvc_sock *psk = pvc_prot_tail(sock->sk);
	struct pvc_conn *c = pvc_sk_conn(psk);
	struct pvc_link *link;
	int ret;

	if (c && !pvc_dgram_dead(c))
		return c;
	if (c)
		pvc_conn_put(c);
	link = pvc_dgram_link();
	if (!link)
		return ERR_PTR(-ENETUNREACH);
	ret = mutex_lock_killable(&psk->ctl);
	if (!ret) {
		ret = pvc_dgram_open(psk, sock->sk, link);
		c = ret ? NULL : pvc_conn_hold(psk->conn);
		if (!ret)
			pvc_roster_join(psk, sock->sk);
		mutex_unlock(&psk->ctl);
	}
	if (ret && pvc_link_ended(link))
		ret = -ENETUNREACH;
	pvc_link_put(link);
	return ret ? ERR_PTR(ret) : c;
}

/* Takes its peer away from a socket, in the guest or at the backend. */
static void pvc_dgram_unpeer(struct socket *sock, struct pvc_sock *psk)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct pvc_addr to = {};

	if (psk->dpeer == PVC_PEER_REMOTE && psk->conn)
		pvc_dgram_set_peer(psk->conn, &to);
	else if (psk->dpeer == PVC_PEER_LOCAL)
		pvc_native(sock->sk)->connect(sock, pvcalls_sa(&none),
					      sizeof(none), 0);
	WRITE_ONCE(psk->dpeer, PVC_PEER_NONE);
}

/*
 * Those who wait while the peer is in the guest ask for no events about the
 * ring. So they look again once the ring counts.
 */
static void pvc_dgram_look_again(struct pvc_conn *c, struct sock *sk)
{
	if (!pvc_conn_avail(c, true))
		return;
	pvc_wake_sock(sk, PVC_WAKE_DATA);
}

static int pvc_dgram_connect_remote(struct socket *sock, struct pvc_sock *psk,
				    struct pvc_link *link, struct pvc_addr *to)
{
	struct pvc_addr name = *to;
	int ret;

	/* a backend that has just come need not know the peer of before */
	if (psk->dpeer == PVC_PEER_REMOTE &&
	    (!psk->conn || pvc_dgram_dead(psk->conn)))
		WRITE_ONCE(psk->dpeer, PVC_PEER_NONE);
	ret = pvc_dgram_open(psk, sock->sk, link);
	if (!ret)
		pvc_roster_join(psk, sock->sk);
	if (!ret)
		ret = pvc_addr_to_family(&name, psk->conn->family);
	if (!ret)
		ret = pvc_dgram_set_peer(psk->conn, &name);
	if (ret)
		return pvc_link_ended(link) ? -ENETUNREACH : ret;
	if (psk->dpeer == PVC_PEER_LOCAL)
		pvc_dgram_unpeer(sock, psk);
	psk->peer = *to;
	WRITE_ONCE(psk->dpeer, PVC_PEER_REMOTE);
	pvc_dgram_look_again(psk->conn, sock->sk);
	return 0;
}

static int pvc_dgram_bind(struct socket *sock, pvcalls_sockaddr *sa, int len)
{
	return pvc_bind(pvc_prot_tail(sock->sk), sock, (struct sockaddr *)sa,
			len);
}

/*
 * Does an address lead out of the guest? If the guest's routes have an error
 * for the address, then the native socket tells of it.
 */
static bool pvc_dgram_is_remote(const struct sock *sk, struct msghdr *msg,
				const struct pvc_addr *to)
{
	return !pvc_policy_elsewhere(sk, msg) && !pvc_policy_filtered(sk) &&
	       pvc_route_remote(sk, to) > 0;
}

static int pvc_dgram_connect(struct socket *sock, pvcalls_sockaddr *addr,
			     int len, int flags)
{
	struct sockaddr *sa = (struct sockaddr *)addr;
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_sock *psk = pvc_prot_tail(sock->sk);
	struct pvc_link *link = NULL;
	struct pvc_addr to;
	bool away = false;
	int ret;

	if (len < sizeof(sa->sa_family))
		return -EINVAL;
	ret = sa->sa_family == AF_UNSPEC ? 0 :
	      pvc_policy_connect(sock->sk, sa, len);
	if (!ret)
		ret = mutex_lock_killable(&psk->ctl);
	if (ret)
		return ret;
	if (sa->sa_family != AF_UNSPEC &&
	    !pvc_addr_from_user(sock->sk, sa, len, false, &to) &&
	    pvc_dgram_is_remote(sock->sk, NULL, &to)) {
		link = pvc_dgram_link();
		away = !link && pvc_link_away();
	}
	if (away) {
		ret = -ENETUNREACH;
	} else if (link) {
		ret = pvc_dgram_connect_remote(sock, psk, link, &to);
		pvc_link_put(link);
	} else {
		if (psk->dpeer == PVC_PEER_REMOTE)
			pvc_dgram_unpeer(sock, psk);
		ret = native->connect(sock, addr, len, flags);
		if (!ret)
			WRITE_ONCE(psk->dpeer, sa->sa_family == AF_UNSPEC ?
				   PVC_PEER_NONE : PVC_PEER_LOCAL);
		if (psk->dpeer == PVC_PEER_NONE && psk->conn)
			pvc_dgram_look_again(psk->conn, sock->sk);
	}
	mutex_unlock(&psk->ctl);
	return ret;
}

static int pvc_dgram_getname(struct socket *sock, struct sockaddr *sa, int peer)
{
	struct pvc_sock *psk = pvc_prot_tail(sock->sk);
	struct pvc_conn *c = NULL;
	struct sock *sk = sock->sk;
	struct pvc_addr a;
	int ret;

	if (psk->dpeer == PVC_PEER_REMOTE ||
	    (!peer && psk->dpeer == PVC_PEER_NONE))
		c = pvc_sk_conn(psk);
	if (!c && peer && psk->dpeer == PVC_PEER_REMOTE)
		return pvc_addr_to_user(sk, &psk->peer, sa);
	if (!c)
		return pvc_native(sk)->getname(sock, sa, peer);
	ret = 0;
	if (!peer) {
		/* without bind() the first send gives the socket its port */
		spin_lock_irq(&c->lock);
		if (!pvc_addr_port(&c->local))
			c->local.len = 0;
		spin_unlock_irq(&c->lock);
		ret = pvc_conn_getname(c, false);
	}
	if (!ret) {
		a = pvc_conn_addr(c, peer);
		ret = pvc_addr_to_user(sk, &a, sa);
	}
	pvc_conn_put(c);
	if (ret > 0)
		pvc_policy_getname(sk, sa, peer);
	return ret;
}

/*
 * Whom may a program hear? Once the program has named a peer, only one of the
 * two sockets is connected to that peer; the other socket would let anybody's
 * datagrams in.
 */
static enum pvc_peer pvc_dgram_peer(const struct sock *sk)
{
	return READ_ONCE(pvc_prot_tail(sk)->dpeer);
}

/* Finds the backend's socket, referenced, if a program may hear from that. */
static struct pvc_conn *pvc_dgram_heard(const struct sock *sk)
{
	struct pvc_conn *c;

	if (pvc_dgram_peer(sk) == PVC_PEER_LOCAL || pvc_bound_elsewhere(sk))
		return NULL;
	c = pvc_sk_conn(pvc_prot_tail(sk));
	if (c && pvc_policy_filtered(sk)) {
		pvc_record_drop(c);
		pvc_conn_put(c);
		c = NULL;
	}
	return c;
}

/* Tries to receive, from the backend's socket and then from the native one. */
static int pvc_dgram_try(struct socket *sock, struct msghdr *msg, size_t len,
			 int flags, bool arm)
{
	struct sock *sk = sock->sk;
	struct pvc_conn *c = pvc_dgram_heard(sk);
	int ret = -EAGAIN;

	if (c) {
		ret = pvc_record_take(sk, c, msg, len, flags, arm);
		pvc_conn_put(c);
		if (ret >= 0)
			pvc_policy_recvmsg(sk, msg);
	}
	if (ret == -EAGAIN && pvc_dgram_peer(sk) == PVC_PEER_REMOTE)
		ret = sock_error(sk) ?: -EAGAIN;
	else if (ret == -EAGAIN)
		ret = pvc_native(sk)->recvmsg(sock, msg, len,
					      flags | MSG_DONTWAIT);
	if (ret == -EAGAIN && READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
		ret = 0;
	return ret;
}

static int pvc_dgram_recvmsg(struct socket *sock, struct msghdr *msg,
			     size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct pvc_waiter waiter;
	long ret;

	if (flags & MSG_ERRQUEUE)
		return pvc_native(sk)->recvmsg(sock, msg, len, flags);
	pvc_waiter_init(&waiter, sock_rcvtimeo(sk, flags & MSG_DONTWAIT));
	do {
		ret = pvc_dgram_try(sock, msg, len, flags, waiter.waiting);
		if (ret != -EAGAIN)
			break;
		ret = pvc_waiter_next(&waiter, sk, NULL);
	} while (!ret);
	pvc_waiter_end(&waiter, sk);
	return ret;
}

static int pvc_dgram_send(struct sock *sk, struct pvc_conn *c,
			  struct pvcalls_record *rec, struct msghdr *msg,
			  long timeo)
{
	struct ubuf_info *ubuf = NULL;
	struct pvc_waiter waiter;
	long ret;

	if (mutex_lock_killable(&c->tx_mutex))
		return -EINTR;
	pvc_waiter_init(&waiter, timeo);
	do {
		ret = -EPIPE;
		if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
			break;
		if (pvc_conn_gone(c) || pvc_dgram_dead(c)) {
			/* the backend may have refused the socket just now */
			ret = sock_error(sk) ?: -ENETUNREACH;
			break;
		}
		if (pvc_conn_space(c, waiter.waiting) >=
		    pvcalls_dgram_size(&rec->hdr)) {
			ret = pvc_zerocopy_begin(sk, msg, rec->hdr.len, &ubuf);
			if (!ret)
				ret = pvc_record_write(c, rec, msg);
			break;
		}
		ret = pvc_waiter_next(&waiter, sk, &c->tx_mutex);
	} while (!ret);
	pvc_zerocopy_end(ubuf, max(ret, 0L));
	mutex_unlock(&c->tx_mutex);
	pvc_waiter_end(&waiter, sk);
	return ret;
}

/*
 * Does a datagram leave the guest? @to becomes its address, without a length if
 * the datagram is for the peer.
 */
static bool pvc_dgram_to(struct sock *sk, struct msghdr *msg,
			 struct pvc_addr *to)
{
	memset(to, 0, sizeof(*to));
	if (!msg->msg_name)
		return pvc_dgram_peer(sk) == PVC_PEER_REMOTE;
	/* the native socket tells what is wrong with an address */
	return !pvc_addr_from_user(sk, msg->msg_name, msg->msg_namelen, false,
				   to) &&
	       pvc_dgram_is_remote(sk, msg, to) &&
	       (pvc_link_datagrams() || pvc_link_away());
}

static int pvc_dgram_check(const struct sock *sk, struct msghdr *msg,
			   size_t len, const struct pvc_addr *to)
{
	struct cmsghdr *cmsg;

	/* the peer of connect() is outside, but the socket may not go there */
	if (!to->len && pvc_policy_elsewhere(sk, msg))
		return -ENETUNREACH;
	if (!to->len && pvc_policy_filtered(sk))
		return -EPERM;
	/* IPv4's and UDP's headers need the rest of 64 KiB */
	if (len > 65535 - sizeof(struct iphdr) - sizeof(struct udphdr))
		return -EMSGSIZE;
	if (msg->msg_flags & (MSG_OOB | MSG_MORE))
		return -EOPNOTSUPP;
	if (to->len && !pvc_addr_port(to) && sk->sk_protocol == IPPROTO_UDP)
		return -EINVAL;
	for_each_cmsghdr(cmsg, msg)
		if (!CMSG_OK(msg, cmsg) || cmsg->cmsg_level == SOL_UDP ||
		    !pvcalls_ctl_valid(cmsg))
			return -EINVAL;
	return 0;
}

/*
 * Asks programs of BPF, but not for a datagram to the peer in the guest: then
 * the native sendmsg() asks. For an address in the guest that asks once more,
 * with what the programs have left.
 */
static int pvc_dgram_policy(struct sock *sk, struct msghdr *msg, bool *sender)
{
	*sender = false;
	if (!msg->msg_name && pvc_dgram_peer(sk) != PVC_PEER_REMOTE)
		return 0;
	return pvc_policy_sendmsg(sk, msg, sender);
}

static int pvc_dgram_sendmsg(struct socket *sock, struct msghdr *msg,
			     size_t len)
{
	struct pvcalls_record rec = { .hdr.len = len };
	struct sock *sk = sock->sk;
	struct pvc_addr to;
	struct pvc_conn *c;
	bool sender;
	int ret;

	ret = pvc_dgram_policy(sk, msg, &sender);
	if (ret)
		return ret;
	if (!pvc_dgram_to(sk, msg, &to))
		return pvc_native(sk)->sendmsg(sock, msg, len);
	ret = sender ? -EADDRNOTAVAIL : pvc_dgram_check(sk, msg, len, &to);
	if (ret)
		return ret;
	c = pvc_dgram_conn(sock);
	if (IS_ERR(c))
		return PTR_ERR(c);
	ret = sock_error(sk) ?: pvc_record_error(c);
	rec.hdr.ctl_len = pvcalls_ctl_pack(msg, rec.ctl);
	if (!ret && pvcalls_dgram_size(&rec.hdr) > pvc_conn_want_space(c))
		ret = -EMSGSIZE;
	if (!ret && to.len) {
		ret = pvc_addr_to_family(&to, c->family);
		rec.hdr.addr_len = to.len;
		memcpy(rec.hdr.addr, to.raw, sizeof(rec.hdr.addr));
	}
	if (!ret)
		ret = pvc_dgram_send(sk, c, &rec, msg,
				     sock_sndtimeo(sk, msg->msg_flags &
						       MSG_DONTWAIT));
	pvc_conn_put(c);
	return ret;
}

static __poll_t pvc_dgram_poll(struct file *file, struct socket *sock,
			       struct poll_table_struct *wait)
{
	struct sock *sk = sock->sk;
	struct pvc_conn *c;
	__poll_t mask;

	if (sk->sk_protocol == IPPROTO_UDP)
		mask = pvc_native(sk)->poll(file, sock, wait);
	else
		mask = datagram_poll(file, sock, wait);
	if (pvc_dgram_peer(sk) == PVC_PEER_REMOTE &&
	    !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN))
		mask &= ~(EPOLLIN | EPOLLRDNORM);
	c = pvc_dgram_heard(sk);
	if (!c)
		return mask;
	if (pvc_conn_avail(c, true))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!pvc_dgram_dead(c) &&
	    pvc_conn_space(c, true) < pvc_conn_want_space(c))
		mask &= ~(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	pvc_conn_put(c);
	return mask;
}

static int pvc_dgram_ioctl(struct socket *sock, unsigned int cmd,
			   unsigned long arg)
{
	struct pvc_conn *c = pvc_dgram_heard(sock->sk);
	int len = -EAGAIN;

	if (c && cmd == SIOCINQ)
		len = pvc_record_len(c);
	if (c)
		pvc_conn_put(c);
	if (len < 0 && cmd == SIOCINQ &&
	    pvc_dgram_peer(sock->sk) == PVC_PEER_REMOTE)
		len = 0;
	if (len >= 0)
		return put_user(len, (int __user *)arg);
	return pvc_native(sock->sk)->ioctl(sock, cmd, arg);
}

static int pvc_dgram_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;

	if (pvc_dgram_peer(sk) != PVC_PEER_REMOTE)
		return pvc_native(sk)->shutdown(sock, how);
	/* SHUT_* to a mask of *_SHUTDOWN */
	how++;
	if ((how & ~SHUTDOWN_MASK) || !how)
		return -EINVAL;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	pvc_wake_sock(sk, PVC_WAKE_STATE);
	return 0;
}

static int pvc_dgram_setsockopt(struct socket *sock, int level, int name,
				sockptr_t val, unsigned int len)
{
	/* these options change where datagrams begin and end */
	if (level == SOL_UDP && (name == UDP_CORK || name == UDP_ENCAP ||
				 name == UDP_SEGMENT || name == UDP_GRO))
		return -ENOPROTOOPT;
	return pvc_setsockopt(pvc_prot_tail(sock->sk), sock, level, name, val,
			      len);
}

/**
 * pvc_dgram_init() - make a table of native operations ours
 * @ops: a copy of inet_dgram_ops or inet6_dgram_ops
 *
 * Context: any.
 */
void pvc_dgram_init(struct proto_ops *ops)
{
	ops->owner = THIS_MODULE;
	ops->bind = pvc_dgram_bind;
	ops->connect = pvc_dgram_connect;
	ops->getname = pvc_dgram_getname;
	ops->poll = pvc_dgram_poll;
	ops->ioctl = pvc_dgram_ioctl;
	ops->shutdown = pvc_dgram_shutdown;
	ops->setsockopt = pvc_dgram_setsockopt;
	ops->sendmsg = pvc_dgram_sendmsg;
	ops->recvmsg = pvc_dgram_recvmsg;
}
