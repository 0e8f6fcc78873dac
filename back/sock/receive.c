// SPDX-License-Identifier: GPL-2.0
/* Two ways of taking bytes from TCP; the parameter receive chooses. */
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uio.h>

#include <net/tcp.h>

#include "pvcalls_param.h"
#include "sock/receive.h"

enum { PVCALLS_RECVMSG, PVCALLS_READ_SOCK };

static const char * const pvcalls_receive_names[] = {
	[PVCALLS_RECVMSG]	= "recvmsg",
	[PVCALLS_READ_SOCK]	= "read_sock",
};

static int pvcalls_receive_how = PVCALLS_RECVMSG;

static int param_set_receive(const char *val, const struct kernel_param *kp)
{
	int how = sysfs_match_string(pvcalls_receive_names, val);

	if (how < 0) {
		pvcalls_param_err("receive", val, "not recvmsg or read_sock");
		return how;
	}
	WRITE_ONCE(pvcalls_receive_how, how);
	return 0;
}

static int param_get_receive(char *buffer, const struct kernel_param *kp)
{
	int how = READ_ONCE(pvcalls_receive_how);

	return sysfs_emit(buffer, "%s\n", pvcalls_receive_names[how]);
}

static const struct kernel_param_ops param_ops_receive = {
	.set = param_set_receive,
	.get = param_get_receive,
};

module_param_cb(receive, &param_ops_receive, NULL, 0644);
MODULE_PARM_DESC(receive,
		 "How bytes are taken from TCP: recvmsg (default) or read_sock");

static int pvcalls_receive_some(read_descriptor_t *desc, struct sk_buff *skb,
				unsigned int offset, size_t len)
{
	struct iov_iter *to = desc->arg.data;

	len = min(len, desc->count);
	if (skb_copy_datagram_iter(skb, offset, to, len))
		return -EFAULT;
	desc->count -= len;
	return len;
}

/**
 * pvcalls_receive_locked() - copy bytes from a locked TCP socket
 * @sk: a connected kernel socket, which is locked
 * @to: destination, with as many bytes as are wanted
 *
 * Context: any, with the lock of @sk held.
 * Return: number of bytes, 0 to the size of @to, or a negative error number.
 */
int pvcalls_receive_locked(struct sock *sk, struct iov_iter *to)
{
	read_descriptor_t desc = {
		.count = iov_iter_count(to),
		.arg.data = to,
	};

	return tcp_read_sock(sk, &desc, pvcalls_receive_some);
}

static int pvcalls_receive_read_sock(struct socket *sock, struct iov_iter *to)
{
	int n;

	lock_sock(sock->sk);
	n = pvcalls_receive_locked(sock->sk, to);
	release_sock(sock->sk);
	return n;
}

/**
 * pvcalls_receive() - copy bytes from a TCP socket
 * @sock: a connected kernel socket
 * @to: destination, with as many bytes as are wanted
 *
 * The call does not wait for the network.
 *
 * Context: process, may sleep.
 * Return: number of bytes, 1 to the size of @to; 0 at the end of the stream; or
 * a negative error number, which is -EAGAIN if there are no bytes yet.
 */
int pvcalls_receive(struct socket *sock, struct iov_iter *to)
{
	struct msghdr msg = {};
	int n = 0;

	if (READ_ONCE(pvcalls_receive_how) == PVCALLS_READ_SOCK)
		n = pvcalls_receive_read_sock(sock, to);
	/* without bytes, recvmsg also tells the reason */
	if (n > 0)
		return n;
	msg.msg_iter = *to;
	return sock_recvmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}
