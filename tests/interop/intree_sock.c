// SPDX-License-Identifier: GPL-2.0
/*
 * A user for the in-tree PV Calls frontend, which has none: a socket family
 * whose operations are the functions of pvcalls-front.h, so that an ordinary
 * program can drive them. Nothing is made better here; what the in-tree
 * frontend can't do, the program sees. For tests only.
 *
 * The family is AF_ECONET, which the kernel dropped long ago. Addresses are
 * those of AF_INET.
 */
#include <linux/module.h>
#include <linux/version.h>
#include <linux/net.h>
#include <net/sock.h>

#include "intree_sock.h"
#include "pvcalls-front.h"

#define INTREE_FAMILY	AF_ECONET

static struct proto intree_proto = {
	.name		= "pvcalls-intree",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct sock),
};

static int intree_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	int err;

	if (!sk)
		return 0;
	err = pvcalls_front_release(sock);
	/*
	 * On an error the frontend still has the socket in its lists, and
	 * would run into a freed one when the device goes away. Rather leak.
	 */
	if (err)
		return err;
	sock_orphan(sk);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

/*
 * The frontend allocates the new socket's struct sock but does not initialise
 * it. It keeps its own state in sk_send_head, which sock_init_data() clears.
 */
static int intree_do_accept(struct socket *sock, struct socket *newsock,
			    int flags)
{
	struct sk_buff *state;
	struct sock *sk;
	int err;

	err = pvcalls_front_accept(sock, newsock, flags);
	sk = newsock->sk;
	if (sk) {
		state = sk->sk_send_head;
		sock_init_data(newsock, sk);
		sk->sk_send_head = state;
	}
	if (!err)
		newsock->state = SS_CONNECTED;
	return err;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
static int intree_accept(struct socket *sock, struct socket *newsock,
			 struct proto_accept_arg *arg)
{
	return intree_do_accept(sock, newsock, arg->flags);
}
#else
static int intree_accept(struct socket *sock, struct socket *newsock,
			 int flags, bool kern)
{
	return intree_do_accept(sock, newsock, flags);
}
#endif

static int intree_connect(struct socket *sock, struct sockaddr *addr,
			  int addr_len, int flags)
{
	int err;

	/* A second call would leak the first one's ring: refuse it here. */
	if (sock->state != SS_UNCONNECTED)
		return -EISCONN;
	sock->state = SS_CONNECTING;
	err = pvcalls_front_connect(sock, addr, addr_len, flags);
	if (!err)
		sock->state = SS_CONNECTED;
	return err;
}

static int intree_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	/* The frontend does not check, and would follow a null pointer. */
	if (sock->state != SS_CONNECTED)
		return -ENOTCONN;
	return pvcalls_front_sendmsg(sock, msg, len);
}

static int intree_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			  int flags)
{
	if (sock->state != SS_CONNECTED)
		return -ENOTCONN;
	return pvcalls_front_recvmsg(sock, msg, len, flags);
}

static const struct proto_ops intree_ops = {
	.family		= INTREE_FAMILY,
	.owner		= THIS_MODULE,
	.release	= intree_release,
	.bind		= pvcalls_front_bind,
	.connect	= intree_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= intree_accept,
	.getname	= sock_no_getname,
	.poll		= pvcalls_front_poll,
	.ioctl		= sock_no_ioctl,
	.listen		= pvcalls_front_listen,
	.shutdown	= sock_no_shutdown,
	.sendmsg	= intree_sendmsg,
	.recvmsg	= intree_recvmsg,
	.mmap		= sock_no_mmap,
};

static int intree_create(struct net *net, struct socket *sock, int protocol,
			 int kern)
{
	struct sock *sk;
	int err;

	if (sock->type != SOCK_STREAM || protocol)
		return -EPROTONOSUPPORT;
	sk = sk_alloc(net, INTREE_FAMILY, GFP_KERNEL, &intree_proto, kern);
	if (!sk)
		return -ENOMEM;
	sock->ops = &intree_ops;
	sock_init_data(sock, sk);
	err = pvcalls_front_socket(sock);
	/* After most errors its lists have the socket; see intree_release(). */
	if (err && !sk->sk_send_head) {
		sock_orphan(sk);
		sock->sk = NULL;
		sock_put(sk);
	}
	return err;
}

static const struct net_proto_family intree_family = {
	.family	= INTREE_FAMILY,
	.create	= intree_create,
	.owner	= THIS_MODULE,
};

/* There is no exit: the in-tree frontend cannot be unloaded either. */
static int __init intree_init(void)
{
	int err;

	err = sock_register(&intree_family);
	if (err)
		return err;
	err = intree_front_init();
	if (err)
		sock_unregister(INTREE_FAMILY);
	return err;
}
module_init(intree_init);
