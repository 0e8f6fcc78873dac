// SPDX-License-Identifier: GPL-2.0
/* See record.h. */
#include <linux/uio.h>
#include <net/sock.h>

#include "conn/conn.h"
#include "pvcalls_ctl.h"
#include "sock/record.h"
#include "sock/wait.h"

/*
 * Reads the header of the next record. Returns the size of the record, or 0 if
 * there is none.
 */
static int pvc_record_next(struct pvc_conn *c, struct pvcalls_dgram *hdr,
			   bool arm)
{
	struct kvec kv = { .iov_base = hdr, .iov_len = sizeof(*hdr) };
	int n = pvc_conn_avail(c, arm);
	struct iov_iter iter;
	u32 size;

	if (!n)
		return 0;
	if (n >= sizeof(*hdr)) {
		iov_iter_kvec(&iter, ITER_DEST, &kv, 1, sizeof(*hdr));
		pvc_ring_read(&c->ring, 0, sizeof(*hdr), &iter);
		size = pvcalls_record_size(hdr, PVCALLS_DGRAM_ERROR, n);
		if (size)
			return size;
	}
	pvc_conn_break(c, "datagram");
	/* nobody can tell where the next record begins */
	pvc_conn_consume(c, n);
	return 0;
}

static void pvc_record_name(const struct sock *sk, struct msghdr *msg,
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

/* Gives control data, as if the datagram had come in by the loopback device. */
static void pvc_record_control(const struct sock *sk, struct pvc_conn *c,
			       struct msghdr *msg,
			       const struct pvcalls_dgram *hdr)
{
	int ifindex = READ_ONCE(sock_net(sk)->loopback_dev)->ifindex;
	struct pvcalls_ctl ctl;
	u8 buf[PVCALLS_MAX_CTL];
	struct iov_iter iter;
	struct kvec kv = { .iov_base = buf, .iov_len = hdr->ctl_len };
	u32 at = 0;
	u8 *data;

	if (!hdr->ctl_len)
		return;
	iov_iter_kvec(&iter, ITER_DEST, &kv, 1, hdr->ctl_len);
	pvc_ring_read(&c->ring, sizeof(*hdr), hdr->ctl_len, &iter);
	while ((data = pvcalls_ctl_next(buf, hdr->ctl_len, &at, &ctl))) {
		if (pvcalls_ctl_pktinfo(ctl.level, ctl.type))
			pvcalls_ctl_set_ifindex(ctl.level, data, ifindex);
		put_cmsg(msg, ctl.level, ctl.type, ctl.len, data);
	}
}

/**
 * pvc_record_take() - receive a datagram
 * @sk: the program's socket
 * @c: the backend's socket, with a data ring
 * @msg: where to
 * @len: bytes
 * @flags: MSG_*; does not wait
 * @arm: if there is none, have readers woken when there is one
 *
 * Context: process, may sleep; killable.
 * Return: bytes, -EAGAIN if there is none, or an error of an earlier datagram.
 */
int pvc_record_take(struct sock *sk, struct pvc_conn *c, struct msghdr *msg,
		    size_t len, int flags, bool arm)
{
	struct pvcalls_dgram hdr;
	int size, ret = -EAGAIN;
	size_t n;

	/* who has the lock may have memory that takes long to fault in */
	if (mutex_lock_killable(&c->rx_mutex))
		return -EINTR;
	size = pvc_record_next(c, &hdr, arm);
	if (size && hdr.type == PVCALLS_DGRAM_ERROR) {
		ret = pvc_sane_error(hdr.err);
		/* an error is told once, even to a call that peeks */
		flags &= ~MSG_PEEK;
	} else if (size) {
		n = min_t(size_t, len, hdr.len);
		ret = flags & MSG_TRUNC ? hdr.len : n;
		if (n < hdr.len)
			msg->msg_flags |= MSG_TRUNC;
		if (pvc_ring_read(&c->ring, sizeof(hdr) + hdr.ctl_len, n,
				  &msg->msg_iter) < n)
			ret = -EFAULT;
		pvc_record_name(sk, msg, &hdr);
		pvc_record_control(sk, c, msg, &hdr);
	}
	if (size && !(flags & MSG_PEEK))
		pvc_conn_consume(c, size);
	mutex_unlock(&c->rx_mutex);
	if (size && !(flags & MSG_PEEK))
		pvc_recv_rearm(sk, c);
	return ret;
}

/**
 * pvc_record_drop() - throw away what has come in, and have the next wake
 * @c: the backend's socket, with a data ring
 *
 * For sockets whose packets programs would see: those programs see nothing of
 * what is in the ring, and may be gone when the next datagram comes.
 *
 * Context: process, may sleep.
 */
void pvc_record_drop(struct pvc_conn *c)
{
	/* whoever has the lock drops or receives what is there */
	if (mutex_trylock(&c->rx_mutex)) {
		pvc_conn_consume(c, pvc_conn_avail(c, false));
		mutex_unlock(&c->rx_mutex);
	}
	/* but need not ask for an event */
	pvc_conn_avail(c, true);
}

/**
 * pvc_record_error() - take an error that comes next
 * @c: the backend's socket, with a data ring
 *
 * The next call of the program tells the error, whichever call that is.
 *
 * Context: process, may sleep; killable.
 * Return: the error, or 0 if something else comes next, or nothing.
 */
int pvc_record_error(struct pvc_conn *c)
{
	struct pvcalls_dgram hdr;
	int size, ret = 0;

	if (mutex_lock_killable(&c->rx_mutex))
		return -EINTR;
	size = pvc_record_next(c, &hdr, false);
	if (size && hdr.type == PVCALLS_DGRAM_ERROR) {
		ret = pvc_sane_error(hdr.err);
		pvc_conn_consume(c, size);
	}
	mutex_unlock(&c->rx_mutex);
	return ret;
}

/**
 * pvc_record_len() - how long is the next datagram?
 * @c: the backend's socket, with a data ring
 *
 * Context: process, may sleep; killable.
 * Return: bytes, or -EAGAIN if no datagram comes next.
 */
int pvc_record_len(struct pvc_conn *c)
{
	struct pvcalls_dgram hdr;
	int size;

	if (mutex_lock_killable(&c->rx_mutex))
		return -EINTR;
	size = pvc_record_next(c, &hdr, false);
	mutex_unlock(&c->rx_mutex);
	return size && hdr.type == PVCALLS_DGRAM_DATA ? hdr.len : -EAGAIN;
}

/**
 * pvc_record_write() - send a datagram
 * @c: the backend's socket, with a data ring that has room for it; tx_mutex
 *	held
 * @rec: header and control data of the datagram
 * @msg: bytes of the datagram
 *
 * Context: process, may sleep.
 * Return: bytes, or -EFAULT: then nothing is sent.
 */
int pvc_record_write(struct pvc_conn *c, struct pvcalls_record *rec,
		     struct msghdr *msg)
{
	const struct pvcalls_dgram *hdr = &rec->hdr;
	u32 skip = sizeof(*hdr) + hdr->ctl_len;
	struct kvec kv = { .iov_base = rec, .iov_len = skip };
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, &kv, 1, skip);
	pvc_ring_write(&c->ring, 0, skip, &iter);
	if (pvc_ring_write(&c->ring, skip, hdr->len,
			   &msg->msg_iter) < hdr->len)
		return -EFAULT;
	pvc_conn_produce(c, pvcalls_dgram_size(hdr));
	return hdr->len;
}
