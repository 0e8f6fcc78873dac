// SPDX-License-Identifier: GPL-2.0
/* See msg.h. */
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "conn/conn.h"
#include "pvcalls_compat.h"
#include "sock/msg.h"

/**
 * pvc_zerocopy_begin() - before a send whose completion a program waits for
 * @sk: any of ours
 * @msg: what is to be sent
 * @len: length of the message in bytes
 * @ubuf: result, for pvc_zerocopy_end(); NULL if no completion is wanted
 *
 * The bytes are copied nevertheless, which the completion says.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOBUFS.
 */
int pvc_zerocopy_begin(struct sock *sk, const struct msghdr *msg, size_t len,
		       struct ubuf_info **ubuf)
{
	*ubuf = NULL;
	if (!(msg->msg_flags & MSG_ZEROCOPY) || !len || msg->msg_ubuf ||
	    !sock_flag(sk, SOCK_ZEROCOPY))
		return 0;
	/* no page of the program is held: nothing to account for */
	*ubuf = pvcalls_zerocopy_alloc(sk, 0);
	return *ubuf ? 0 : -ENOBUFS;
}

/**
 * pvc_zerocopy_end() - after the send
 * @ubuf: what pvc_zerocopy_begin() gave
 * @sent: bytes; 0: the send has failed, and there is no completion
 *
 * Context: process.
 */
void pvc_zerocopy_end(struct ubuf_info *ubuf, size_t sent)
{
	if (!ubuf)
		return;
	if (sent) {
		uarg_to_msgzc(ubuf)->zerocopy = 0;
		net_zcopy_put(ubuf);
	} else {
		msg_zerocopy_put_abort(ubuf, true);
	}
}

/**
 * pvc_put_inq() - tell a program that has asked how many bytes are left
 * @sk: connected socket
 * @c: the backend's socket
 * @msg: what is being received
 *
 * Context: process.
 */
void pvc_put_inq(struct sock *sk, struct pvc_conn *c, struct msghdr *msg)
{
	bool cmsg = tcp_sk(sk)->recvmsg_inq;
	int left;

	if (!cmsg && !msg->msg_get_inq)
		return;
	left = pvc_conn_avail(c, false);
	/* the end of the stream is something to read, too */
	if (!left && c->in_err)
		left = 1;
	msg->msg_inq = left;
	if (cmsg)
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(left), &left);
}
