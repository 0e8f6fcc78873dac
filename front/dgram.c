// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of datagrams: UDP, and ICMP echoes. The native socket underneath
 * talks to the guest's own addresses, a socket of the backend to all others;
 * which one is decided for each datagram. What comes in is taken from both.
 */
#include <linux/ip.h>
#include <linux/poll.h>
#include <linux/sockios.h>
#include <linux/termios.h>
#include <linux/uaccess.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "route.h"
#include "sock.h"

/* Has the backend's socket gone with its backend, or never come about? */
static bool pvc_dgram_dead(const struct pvc_conn *c)
{
	return READ_ONCE(c->state) == PVC_CONN_FAILED || READ_ONCE(c->in_err);
}

/* The connection to a backend that knows datagrams, referenced, or NULL. */
static struct pvc_dev *pvc_dgram_dev(void)
{
	struct pvc_dev *dev = pvc_dev_get();

	if (dev && !pvc_dev_has(dev, PVCALLS_F_DGRAM)) {
		pvc_dev_put(dev);
		dev = NULL;
	}
	return dev;
}

/* Gives the backend's socket its data ring; does not wait for the answer. */
static int pvc_dgram_attach(struct pvc_sock *ps, struct sock *sk)
{
	struct pvc_addr none = { .len = sizeof(struct sockaddr_in) };
	int ret = pvc_conn_connect(ps->conn, sk, &none);

	ps->conn->peer.len = 0;
	if (ret)
		pvc_sk_drop_conn(ps, true);
	return ret;
}

/* Sets the peer, or takes it away if there is no address. */
static int pvc_dgram_set_peer(struct pvc_conn *c, const struct pvc_addr *to)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_CONNECT };
	struct xen_pvcalls_connect *args = &req.u.connect;
	struct pvcalls_response rsp;
	int ret;

	args->id = c->id;
	args->len = sizeof(struct sockaddr_in);
	if (to->len) {
		args->len = to->len;
		memcpy(args->addr, to->raw, sizeof(args->addr));
	}
	ret = pvc_cmd_call(c->dev, &req, &rsp);
	if (ret)
		return ret;
	spin_lock_irq(&c->lock);
	c->peer = *to;
	if (pvc_dev_has(c->dev, PVCALLS_F_NAMES))
		pvc_addr_from_rsp(&rsp.u.name, &c->local);
	spin_unlock_irq(&c->lock);
	return 0;
}

static int pvc_dgram_create(struct socket *sock, struct pvc_sock *ps,
			    struct pvc_dev *dev)
{
	struct sock *sk = sock->sk;
	int family = AF_INET;
	struct pvc_conn *c;
	int ret;

	if (sk->sk_family == AF_INET6 && pvc_dev_has(dev, PVCALLS_F_IPV6))
		family = AF_INET6;
	c = pvc_conn_new(dev, family, SOCK_DGRAM, sk->sk_protocol);
	if (!c)
		return -ENOMEM;
	ret = pvc_conn_open_nowait(c);
	if (ret) {
		pvc_conn_put(c);
		return ret;
	}
	pvc_relay_opts(sk, c);
	pvc_sk_set_conn(ps, c);
	return 0;
}

/* Has a socket of the backend's made, if there is none that works. */
static int pvc_dgram_open(struct socket *sock, struct pvc_sock *ps,
			  struct pvc_dev *dev)
{
	struct pvc_addr peer = {};
	int ret;

	if (ps->conn && pvc_dgram_dead(ps->conn)) {
		peer = ps->conn->peer;
		pvc_sk_drop_conn(ps, true);
	}
	if (ps->conn)
		return 0;
	ret = ps->local.len ? pvc_bind_again(sock, ps, dev) :
			      pvc_dgram_create(sock, ps, dev);
	if (!ret)
		ret = pvc_dgram_attach(ps, sock->sk);
	/* its peer is the new one's peer, too */
	if (!ret && peer.len)
		ret = pvc_dgram_set_peer(ps->conn, &peer);
	if (ret && ps->dpeer == PVC_PEER_REMOTE)
		ps->dpeer = PVC_PEER_NONE;
	return ret;
}

/* The backend's socket, referenced, made if need be; or an error pointer. */
static struct pvc_conn *pvc_dgram_conn(struct socket *sock)
{
	struct pvc_conn *c = pvc_sk_conn(sock->sk);
	struct pvc_sock *ps;
	struct pvc_dev *dev;
	int ret;

	if (c && !pvc_dgram_dead(c))
		return c;
	if (c)
		pvc_conn_put(c);
	ps = pvc_sk_create(sock->sk);
	if (!ps)
		return ERR_PTR(-ENOMEM);
	dev = pvc_dgram_dev();
	if (!dev)
		return ERR_PTR(-ENETDOWN);
	ret = mutex_lock_killable(&ps->ctl);
	if (!ret) {
		ret = pvc_dgram_open(sock, ps, dev);
		c = ret ? NULL : pvc_conn_hold(ps->conn);
		mutex_unlock(&ps->ctl);
	}
	pvc_dev_put(dev);
	return ret ? ERR_PTR(ret) : c;
}

static int pvc_dgram_bind(struct socket *sock, struct sockaddr *sa, int len)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct sock *sk = sock->sk;
	struct pvc_sock *ps;
	struct pvc_addr a;
	struct pvc_dev *dev;
	int ret;

	if (pvc_addr_from_user(sk, sa, len, true, &a))
		return native->bind(sock, sa, len);
	if (pvc_port_denied(sk, &a))
		return -EACCES;
	dev = pvc_dgram_dev();
	if (!dev)
		return native->bind(sock, sa, len);
	ps = pvc_sk_create(sk);
	ret = -ENOMEM;
	if (!ps)
		goto out;
	ret = mutex_lock_killable(&ps->ctl);
	if (ret)
		goto out;
	if (ps->conn || inet_sk(sk)->inet_num) {
		ret = -EINVAL;
	} else if (!pvc_addr_is_any(&a) &&
		   pvc_addr_is_local(sock_net(sk), &a)) {
		ret = native->bind(sock, sa, len);
	} else {
		ret = pvc_bind_remote(sock, ps, dev, &a);
		if (!ret)
			ret = pvc_dgram_attach(ps, sk);
	}
	mutex_unlock(&ps->ctl);
out:
	pvc_dev_put(dev);
	return ret;
}

/* Whoever it talked to is its peer no more. */
static void pvc_dgram_unpeer(struct socket *sock, struct pvc_sock *ps)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct pvc_addr to = {};

	if (ps->dpeer == PVC_PEER_REMOTE && ps->conn)
		pvc_dgram_set_peer(ps->conn, &to);
	else if (ps->dpeer == PVC_PEER_LOCAL)
		pvc_native(sock->sk)->connect(sock, &none, sizeof(none), 0);
	ps->dpeer = PVC_PEER_NONE;
}

static int pvc_dgram_connect_remote(struct socket *sock, struct pvc_sock *ps,
				    struct pvc_dev *dev, struct pvc_addr *to)
{
	struct pvc_addr name = *to;
	int ret;

	ret = pvc_dgram_open(sock, ps, dev);
	if (!ret)
		ret = pvc_to_backend(ps->conn, &name);
	if (!ret)
		ret = pvc_dgram_set_peer(ps->conn, &name);
	if (ret)
		return ret;
	if (ps->dpeer == PVC_PEER_LOCAL)
		pvc_dgram_unpeer(sock, ps);
	ps->dpeer = PVC_PEER_REMOTE;
	return 0;
}

static int pvc_dgram_connect(struct socket *sock, struct sockaddr *sa, int len,
			     int flags)
{
	const struct proto_ops *native = pvc_native(sock->sk);
	struct pvc_dev *dev = NULL;
	struct pvc_sock *ps;
	struct pvc_addr to;
	int ret;

	if (len < sizeof(sa->sa_family))
		return -EINVAL;
	ps = pvc_sk_create(sock->sk);
	if (!ps)
		return -ENOMEM;
	ret = mutex_lock_killable(&ps->ctl);
	if (ret)
		return ret;
	if (sa->sa_family != AF_UNSPEC &&
	    !pvc_addr_from_user(sock->sk, sa, len, false, &to) &&
	    pvc_route_remote(sock_net(sock->sk), &to))
		dev = pvc_dgram_dev();
	if (dev) {
		ret = pvc_dgram_connect_remote(sock, ps, dev, &to);
		pvc_dev_put(dev);
	} else {
		if (ps->dpeer == PVC_PEER_REMOTE)
			pvc_dgram_unpeer(sock, ps);
		ret = native->connect(sock, sa, len, flags);
		if (!ret)
			ps->dpeer = sa->sa_family == AF_UNSPEC ?
				    PVC_PEER_NONE : PVC_PEER_LOCAL;
	}
	mutex_unlock(&ps->ctl);
	return ret;
}

static int pvc_dgram_getname(struct socket *sock, struct sockaddr *sa, int peer)
{
	struct pvc_sock *ps = pvc_sk(sock->sk);
	struct pvc_conn *c = NULL;
	struct sock *sk = sock->sk;
	int ret;

	if (ps && (ps->dpeer == PVC_PEER_REMOTE ||
		   (!peer && ps->dpeer == PVC_PEER_NONE)))
		c = pvc_sk_conn(sk);
	if (!c)
		return pvc_native(sk)->getname(sock, sa, peer);
	ret = 0;
	if (!peer) {
		/* without bind() it gets its port when it first sends */
		spin_lock_irq(&c->lock);
		if (!pvc_addr_port(&c->local))
			c->local.len = 0;
		spin_unlock_irq(&c->lock);
		ret = pvc_conn_getname(c, false);
	}
	if (!ret)
		ret = pvc_addr_to_user(sk, peer ? &c->peer : &c->local, sa);
	pvc_conn_put(c);
	return ret;
}

/* The next record's header. Returns the record's size, 0 if there is none. */
static int pvc_dgram_next(struct pvc_conn *c, struct pvcalls_dgram *hdr,
			  bool arm)
{
	struct kvec kv = { .iov_base = hdr, .iov_len = sizeof(*hdr) };
	int n = pvc_conn_avail(c, arm);
	struct iov_iter iter;

	if (!n)
		return 0;
	if (n < sizeof(*hdr))
		goto broken;
	iov_iter_kvec(&iter, ITER_DEST, &kv, 1, sizeof(*hdr));
	pvc_ring_read(&c->ring, 0, sizeof(*hdr), &iter);
	if (hdr->type > PVCALLS_DGRAM_ERROR || hdr->len > PVCALLS_MAX_DGRAM ||
	    PVCALLS_DGRAM_SIZE(hdr->len) > n)
		goto broken;
	return PVCALLS_DGRAM_SIZE(hdr->len);

broken:
	pvc_conn_break(c, "datagram");
	return 0;
}

static void pvc_dgram_put_name(const struct sock *sk, struct msghdr *msg,
			       const struct pvcalls_dgram *hdr)
{
	struct pvcalls_rsp_name name = { .len = hdr->addr_len };
	struct pvc_addr a;

	if (!msg->msg_name)
		return;
	memcpy(name.addr, hdr->addr, sizeof(name.addr));
	pvc_addr_from_rsp(&name, &a);
	msg->msg_namelen = pvc_addr_to_user(sk, &a, msg->msg_name);
}

/* Takes a record from the ring; -EAGAIN if there is none. */
static int pvc_dgram_take(struct sock *sk, struct pvc_conn *c,
			  struct msghdr *msg, size_t len, int flags, bool arm)
{
	struct pvcalls_dgram hdr;
	int size, ret = -EAGAIN;
	size_t n;

	mutex_lock(&c->rx_mutex);
	size = pvc_dgram_next(c, &hdr, arm);
	if (size && hdr.type == PVCALLS_DGRAM_ERROR) {
		ret = hdr.err < 0 && hdr.err >= -EHWPOISON ? hdr.err : -EPROTO;
		/* an error is told once, also to who only peeks */
		flags &= ~MSG_PEEK;
	} else if (size) {
		n = min_t(size_t, len, hdr.len);
		ret = flags & MSG_TRUNC ? hdr.len : n;
		if (n < hdr.len)
			msg->msg_flags |= MSG_TRUNC;
		if (pvc_ring_read(&c->ring, sizeof(hdr), n, &msg->msg_iter) < n)
			ret = -EFAULT;
		pvc_dgram_put_name(sk, msg, &hdr);
	}
	if (size && !(flags & MSG_PEEK))
		pvc_conn_consume(c, size);
	mutex_unlock(&c->rx_mutex);
	if (size && !(flags & MSG_PEEK))
		pvc_recv_rearm(sk, c);
	return ret;
}

/* One try, at the backend's socket and the native one. */
static int pvc_dgram_try(struct socket *sock, struct msghdr *msg, size_t len,
			 int flags, bool arm)
{
	struct sock *sk = sock->sk;
	struct pvc_conn *c = pvc_sk_conn(sk);
	int ret = -EAGAIN;

	if (c) {
		ret = pvc_dgram_take(sk, c, msg, len, flags, arm);
		pvc_conn_put(c);
	}
	if (ret == -EAGAIN)
		ret = pvc_native(sk)->recvmsg(sock, msg, len,
					      flags | MSG_DONTWAIT);
	if (ret == -EAGAIN && READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
		ret = 0;
	return ret;
}

static int pvc_dgram_recvmsg(struct socket *sock, struct msghdr *msg,
			     size_t len, int flags)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = sock->sk;
	bool waiting = false;
	long timeo, ret;

	if (flags & MSG_ERRQUEUE)
		return pvc_native(sk)->recvmsg(sock, msg, len, flags);
	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	for (;;) {
		ret = pvc_dgram_try(sock, msg, len, flags, waiting);
		if (ret != -EAGAIN)
			break;
		/* on the wait queue before the look that decides to wait */
		if (!waiting && timeo) {
			add_wait_queue(sk_sleep(sk), &wait);
			waiting = true;
			continue;
		}
		ret = pvc_wait(sk, &wait, timeo);
		if (ret < 0)
			break;
		timeo = ret;
	}
	if (waiting)
		remove_wait_queue(sk_sleep(sk), &wait);
	return ret;
}

/* An error of an earlier datagram is told by the next call, whichever. */
static int pvc_dgram_error(struct sock *sk, struct pvc_conn *c)
{
	struct pvcalls_dgram hdr;
	int size, ret = sock_error(sk);

	if (ret)
		return ret;
	mutex_lock(&c->rx_mutex);
	size = pvc_dgram_next(c, &hdr, false);
	if (size && hdr.type == PVCALLS_DGRAM_ERROR) {
		ret = hdr.err < 0 && hdr.err >= -EHWPOISON ? hdr.err : -EPROTO;
		pvc_conn_consume(c, size);
	}
	mutex_unlock(&c->rx_mutex);
	return ret;
}

static int pvc_dgram_write(struct pvc_conn *c, struct pvcalls_dgram *hdr,
			   struct msghdr *msg)
{
	struct kvec kv = { .iov_base = hdr, .iov_len = sizeof(*hdr) };
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, &kv, 1, sizeof(*hdr));
	pvc_ring_write(&c->ring, 0, sizeof(*hdr), &iter);
	if (pvc_ring_write(&c->ring, sizeof(*hdr), hdr->len,
			   &msg->msg_iter) < hdr->len)
		return -EFAULT;
	pvc_conn_produce(c, PVCALLS_DGRAM_SIZE(hdr->len));
	return hdr->len;
}

static int pvc_dgram_send(struct sock *sk, struct pvc_conn *c,
			  struct pvcalls_dgram *hdr, struct msghdr *msg,
			  long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	bool waiting = false;
	long ret;

	mutex_lock(&c->tx_mutex);
	for (;;) {
		ret = -EPIPE;
		if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
			break;
		ret = -ENETDOWN;
		if (pvc_conn_gone(c) || pvc_dgram_dead(c))
			break;
		if (pvc_conn_space(c, waiting) >=
		    PVCALLS_DGRAM_SIZE(hdr->len)) {
			ret = pvc_dgram_write(c, hdr, msg);
			break;
		}
		/* on the wait queue before the look that decides to wait */
		if (!waiting && timeo) {
			add_wait_queue(sk_sleep(sk), &wait);
			waiting = true;
			continue;
		}
		mutex_unlock(&c->tx_mutex);
		ret = pvc_wait(sk, &wait, timeo);
		mutex_lock(&c->tx_mutex);
		if (ret < 0)
			break;
		timeo = ret;
	}
	mutex_unlock(&c->tx_mutex);
	if (waiting)
		remove_wait_queue(sk_sleep(sk), &wait);
	return ret;
}

/* To whom: 1 if that is somebody outside, then @to has no length for the peer. */
static int pvc_dgram_to(struct sock *sk, const struct msghdr *msg,
			struct pvc_addr *to)
{
	const struct pvc_sock *ps = pvc_sk(sk);

	memset(to, 0, sizeof(*to));
	if (!msg->msg_name)
		return ps && ps->dpeer == PVC_PEER_REMOTE;
	/* what is wrong with it the native socket says */
	return !pvc_addr_from_user(sk, msg->msg_name, msg->msg_namelen, false,
				   to) &&
	       pvc_route_remote(sock_net(sk), to) && pvc_dev_datagrams();
}

static int pvc_dgram_check(const struct sock *sk, struct msghdr *msg,
			   size_t len, const struct pvc_addr *to)
{
	struct cmsghdr *cmsg;

	/* as much as IPv4's and UDP's headers leave */
	if (len > 65535 - sizeof(struct iphdr) - sizeof(struct udphdr))
		return -EMSGSIZE;
	if (msg->msg_flags & (MSG_OOB | MSG_MORE))
		return -EOPNOTSUPP;
	if (to->len && !pvc_addr_port(to) && sk->sk_protocol == IPPROTO_UDP)
		return -EINVAL;
	for_each_cmsghdr(cmsg, msg)
		if (!CMSG_OK(msg, cmsg) || cmsg->cmsg_level == SOL_UDP)
			return -EINVAL;
	return 0;
}

static int pvc_dgram_sendmsg(struct socket *sock, struct msghdr *msg,
			     size_t len)
{
	struct pvcalls_dgram hdr = { .len = len };
	struct sock *sk = sock->sk;
	struct pvc_addr to;
	struct pvc_conn *c;
	int ret;

	if (!pvc_dgram_to(sk, msg, &to))
		return pvc_native(sk)->sendmsg(sock, msg, len);
	ret = pvc_dgram_check(sk, msg, len, &to);
	if (ret)
		return ret;
	c = pvc_dgram_conn(sock);
	if (IS_ERR(c))
		return PTR_ERR(c);
	ret = pvc_dgram_error(sk, c);
	if (!ret && PVCALLS_DGRAM_SIZE(len) > pvc_conn_want_space(c))
		ret = -EMSGSIZE;
	if (!ret && to.len) {
		ret = pvc_to_backend(c, &to);
		hdr.addr_len = to.len;
		memcpy(hdr.addr, to.raw, sizeof(hdr.addr));
	}
	if (!ret)
		ret = pvc_dgram_send(sk, c, &hdr, msg,
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
	c = pvc_sk_conn(sk);
	if (!c)
		return mask;
	if (pvc_conn_avail(c, true))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (pvc_conn_space(c, true) < pvc_conn_want_space(c))
		mask &= ~(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	pvc_conn_put(c);
	return mask;
}

static int pvc_dgram_ioctl(struct socket *sock, unsigned int cmd,
			   unsigned long arg)
{
	struct pvc_conn *c = pvc_sk_conn(sock->sk);
	struct pvcalls_dgram hdr;
	int size = 0;

	if (c && cmd == SIOCINQ) {
		mutex_lock(&c->rx_mutex);
		size = pvc_dgram_next(c, &hdr, false);
		mutex_unlock(&c->rx_mutex);
	}
	if (c)
		pvc_conn_put(c);
	if (size && hdr.type == PVCALLS_DGRAM_DATA)
		return put_user(hdr.len, (int __user *)arg);
	return pvc_native(sock->sk)->ioctl(sock, cmd, arg);
}

static int pvc_dgram_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct pvc_sock *ps = pvc_sk(sk);

	if (!ps || ps->dpeer != PVC_PEER_REMOTE)
		return pvc_native(sk)->shutdown(sock, how);
	/* SHUT_* to a mask of *_SHUTDOWN */
	how++;
	if ((how & ~SHUTDOWN_MASK) || !how)
		return -EINVAL;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	sk->sk_state_change(sk);
	return 0;
}

static int pvc_dgram_setsockopt(struct socket *sock, int level, int name,
				sockptr_t val, unsigned int len)
{
	/* what changes where datagrams begin and end */
	if (level == SOL_UDP && (name == UDP_CORK || name == UDP_ENCAP ||
				 name == UDP_SEGMENT || name == UDP_GRO))
		return -ENOPROTOOPT;
	return pvc_setsockopt(sock, level, name, val, len);
}

/**
 * pvc_dgram_init() - make a table of native operations ours
 * @ops: a copy of inet_dgram_ops or inet6_dgram_ops
 */
void pvc_dgram_init(struct proto_ops *ops)
{
	ops->owner = THIS_MODULE;
	ops->release = pvc_release;
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
