// SPDX-License-Identifier: GPL-2.0
/* Moving datagrams in both directions; dgram.h says what runs where. */
#include <linux/in.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <linux/uio.h>

#include <net/inet_sock.h>
#include <net/sock.h>

#include "guest/call.h"
#include "guest/guest.h"
#include "guest/policy.h"
#include "pvcalls_compat.h"
#include "pvcalls_ctl.h"
#include "ring/datamap.h"
#include "ring/tools.h"
#include "sched/fairq.h"
#include "sched/worker.h"
#include "sock/conn.h"
#include "sock/dgram.h"
#include "sock/direction.h"
#include "sock/flowlog.h"
#include "sock/name.h"
#include "sock/pace.h"
#include "sock/sock.h"
#include "sock/stream.h"

/* Cost of a datagram in addition to its bytes, in bytes */
#define PVCALLS_DGRAM_COST	4096

/*
 * Take the address of a CONNECT. Returns its length, 0 for no address, or a
 * negative error number.
 */
static int pvcalls_dgram_addr(struct pvcalls_sock *ps,
			      const struct xen_pvcalls_connect *req,
			      struct sockaddr_storage *addr)
{
	sa_family_t family;
	int len, ret;

	memcpy(&family, req->addr, sizeof(family));
	if (family == AF_UNSPEC) {
		memset(addr, 0, sizeof(*addr));
		return 0;
	}
	len = pvcalls_policy_addr(ps->guest, req->addr, req->len, addr);
	if (len < 0)
		return len;
	ret = pvcalls_policy_connect(ps->guest, ps->sock->sk, addr);
	return ret ?: len;
}

static int pvcalls_dgram_set_peer(struct pvcalls_sock *ps,
				  struct sockaddr_storage *addr, int len)
{
	return kernel_connect(ps->sock, pvcalls_sa(addr),
			      len ?: sizeof(struct sockaddr), O_NONBLOCK);
}

/**
 * pvcalls_dgram_connect() - run the command CONNECT of a datagram socket
 * @ps: the socket
 * @call: the request, which is answered and freed
 *
 * The first CONNECT names the data ring. Each CONNECT sets or removes the
 * peer's address.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_dgram_connect(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	const struct xen_pvcalls_connect *req = &call->req.u.connect;
	bool first = ps->state == PVCALLS_SS_IDLE;
	struct sockaddr_storage addr;
	int len, ret;

	len = pvcalls_dgram_addr(ps, req, &addr);
	ret = min(len, 0);
	if (!ret && !first && ps->state != PVCALLS_SS_CONNECTED)
		ret = -EINVAL;
	/* the kernel binds a datagram socket that is connected or sends */
	if (!ret && first)
		ret = pvcalls_sock_hold(ps, PVCALLS_KIND_PORTS);
	if (!ret && first)
		ret = pvcalls_conn_map(ps, req->ref, req->evtchn);
	if (ret) {
		pvcalls_sock_unhold_port(ps);
		pvcalls_reply(call, ret);
		return;
	}
	if (len || !first)
		ret = pvcalls_dgram_set_peer(ps, &addr, len);
	if (first) {
		ps->conn.connect = call;
		pvcalls_conn_attach(ps);
		if (!ret) {
			pvcalls_conn_connected(ps);
			return;
		}
		pvcalls_conn_failed(ps, ret);
		pvcalls_sock_unhold_port(ps);
		/* datagrams come without a ring, too, and are to be counted */
		pvcalls_conn_attach(ps);
		return;
	}
	if (!ret) {
		/* who has another peer is another flow */
		pvcalls_flowlog_end(ps, PVCALLS_FLOW_CLOSED);
		pvcalls_flowlog_begin(ps, false);
		pvcalls_name_put(ps, call, false);
	}
	pvcalls_reply(call, ret);
}

/*
 * Describe the next @len bytes of an array: of `out` with @out, else of `in`.
 */
static void pvcalls_dgram_iter(struct pvcalls_sock *ps, bool out, u32 len,
			       struct iov_iter *iter)
{
	struct bio_vec *bv = ps->tools->bvec;
	struct pvcalls_conn *c = &ps->conn;
	struct page **pages;
	struct ringbuf_span span;

	if (out) {
		pages = pvcalls_datamap_out(c->map);
		span = ringbuf_data_span(&c->out, 0, len);
	} else {
		pages = pvcalls_datamap_in(c->map);
		span = ringbuf_free_span(&c->in, 0, len);
	}
	iov_iter_bvec(iter, out ? ITER_SOURCE : ITER_DEST, bv,
		      pvcalls_stream_bvec(bv, pages, &span), len);
}

/* May the guest send from the source address in this control message? */
static int pvcalls_dgram_source(struct pvcalls_sock *ps, int level,
				const u8 *data)
{
	struct sockaddr_storage addr = {};
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&addr;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&addr;

	if (level == SOL_IP) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr,
		       data + offsetof(struct in_pktinfo, ipi_spec_dst),
		       sizeof(v4->sin_addr));
	} else {
		v6->sin6_family = AF_INET6;
		memcpy(&v6->sin6_addr, data, sizeof(v6->sin6_addr));
	}
	/* at the same place for both */
	v4->sin_port = inet_sk(ps->sock->sk)->inet_sport;
	return pvcalls_policy_source(ps->guest, ps->sock->sk, &addr);
}

/* Convert the control data of a guest's datagram into the kernel's form. */
static int pvcalls_dgram_control(struct pvcalls_sock *ps,
				 struct pvcalls_record *rec,
				 struct msghdr *msg, u8 *buf)
{
	struct pvcalls_ctl ctl;
	u32 at = 0;
	int ret = 0;
	u8 *data;

	if (!rec->hdr.ctl_len)
		return 0;
	msg->msg_control = buf;
	msg->msg_controllen = PVCALLS_MAX_CMSGS;
	while (!ret && (data = pvcalls_ctl_next(rec->ctl, rec->hdr.ctl_len, &at,
						&ctl))) {
		if (pvcalls_ctl_pktinfo(ctl.level, ctl.type)) {
			pvcalls_ctl_set_ifindex(ctl.level, data, 0);
			ret = pvcalls_dgram_source(ps, ctl.level, data);
		}
		if (!ret)
			ret = put_cmsg(msg, ctl.level, ctl.type, ctl.len, data);
	}
	if (!ret && at != rec->hdr.ctl_len)
		ret = -EINVAL;
	msg->msg_control = buf;
	msg->msg_controllen = PVCALLS_MAX_CMSGS - msg->msg_controllen;
	return ret;
}

/* Charge this run for a datagram. Returns the cost with the @bytes. */
static u32 pvcalls_dgram_cost(u32 bytes)
{
	pvcalls_worker_spend(PVCALLS_DGRAM_COST);
	return bytes + PVCALLS_DGRAM_COST;
}

/*
 * Send one datagram. Returns 0, also if the datagram was dropped; or -EAGAIN.
 */
static int pvcalls_dgram_send(struct pvcalls_sock *ps,
			      struct pvcalls_record *rec)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	u8 cmsgs[PVCALLS_MAX_CMSGS] __aligned(sizeof(long));
	const struct pvcalls_dgram *hdr = &rec->hdr;
	struct pvcalls_conn *c = &ps->conn;
	u32 skip = sizeof(*hdr) + hdr->ctl_len;
	struct sockaddr_storage addr;
	int ret = 0;

	if (hdr->addr_len) {
		ret = pvcalls_policy_addr(ps->guest, hdr->addr, hdr->addr_len,
					  &addr);
		msg.msg_name = &addr;
		msg.msg_namelen = max(ret, 0);
		if (ret > 0)
			ret = pvcalls_policy_connect(ps->guest, ps->sock->sk,
						     &addr);
	}
	if (!ret)
		ret = pvcalls_dgram_control(ps, rec, &msg, cmsgs);
	if (!ret) {
		pvcalls_dgram_iter(ps, true, skip + hdr->len, &msg.msg_iter);
		iov_iter_advance(&msg.msg_iter, skip);
		ret = sock_sendmsg(ps->sock, &msg);
	}
	if (pvcalls_stream_retry(ret))
		return -EAGAIN;
	if (ret < 0) {
		c->dgram_err = ret;
		c->lost_out++;
		set_bit(PVCALLS_SF_IN_READY, &ps->flags);
	} else {
		c->flow.out += ret;
	}
	return 0;
}

/*
 * Read the next record, except for its data. Returns the record's length, or
 * -EPROTO.
 */
static int pvcalls_dgram_next(struct pvcalls_sock *ps, u32 avail,
			      struct pvcalls_record *rec)
{
	struct pvcalls_dgram *hdr = &rec->hdr;
	struct iov_iter iter;
	u32 len;

	if (avail < sizeof(*hdr))
		return -EPROTO;
	pvcalls_dgram_iter(ps, true, min_t(u32, avail, sizeof(*rec)), &iter);
	if (!copy_from_iter_full(hdr, sizeof(*hdr), &iter))
		return -EPROTO;
	len = pvcalls_record_size(hdr, PVCALLS_DGRAM_DATA, avail);
	if (!len || !copy_from_iter_full(rec->ctl, hdr->ctl_len, &iter))
		return -EPROTO;
	return len;
}

/**
 * pvcalls_dgram_out() - send datagrams from the guest
 * @ps: the socket, in PVCALLS_SS_CONNECTED, PVCALLS_SS_DRAINING or
 *	PVCALLS_SS_RESETTING
 *
 * Context: the worker that the socket belongs to; never waits for the network.
 * Return: true if the socket is to be run again.
 */
bool pvcalls_dgram_out(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	struct pvcalls_record rec;
	int avail, len = 0;
	s64 left;

	if (c->out_state == PVCALLS_OUT_DONE)
		return false;
	for (left = pvcalls_fairq_budget(); left > 0;
	     left -= pvcalls_dgram_cost(len)) {
		avail = pvcalls_out_avail(c);
		if (!avail)
			return false;
		len = avail < 0 ? avail : pvcalls_dgram_next(ps, avail, &rec);
		if (len < 0) {
			pvcalls_direction_broken(ps);
			return false;
		}
		clear_bit(PVCALLS_SF_OUT_READY, &ps->flags);
		/*
		 * clear the flag before the try, so that room made afterwards
		 * sets it
		 */
		smp_mb__after_atomic();
		if (!pvcalls_pace_may(ps, PVCALLS_PACE_OUT, len)) {
			pvcalls_out_block(ps);
			return false;
		}
		if (pvcalls_dgram_send(ps, &rec)) {
			pvcalls_out_block(ps);
			/*
			 * write the state before reading the flag;
			 * pvcalls_run_space() pairs
			 */
			smp_mb();
			if (!test_bit(PVCALLS_SF_OUT_READY, &ps->flags))
				return false;
		} else {
			pvcalls_pace_did(ps, PVCALLS_PACE_OUT, len);
			if (ringbuf_consume(&c->out, len))
				pvcalls_direction_owe(ps);
		}
		pvcalls_out_unblock(ps);
	}
	return true;
}

/*
 * May the guest hear the datagram that was looked at? Sockets for ICMP do not
 * tell its length in another way, so @len is set for them.
 */
static bool pvcalls_dgram_heard(struct pvcalls_sock *ps, int *len)
{
	struct sock *sk = ps->sock->sk;
	bool udp = sk->sk_protocol == IPPROTO_UDP;
	struct sk_buff_head *queue;
	struct sk_buff *skb;
	bool heard;

	queue = udp ? &udp_sk(sk)->reader_queue : &sk->sk_receive_queue;
	spin_lock_bh(&queue->lock);
	skb = skb_peek(queue);
	heard = skb && pvcalls_policy_hears(ps->guest, skb);
	if (skb && !udp)
		*len = min_t(u32, skb->len, PVCALLS_MAX_DGRAM);
	spin_unlock_bh(&queue->lock);
	return heard;
}

/* Take the datagram that was looked at. Without @to its data are dropped. */
static int pvcalls_dgram_take(struct pvcalls_sock *ps, struct iov_iter *to)
{
	struct msghdr msg = {};

	if (to)
		msg.msg_iter = *to;
	else
		iov_iter_kvec(&msg.msg_iter, ITER_DEST, NULL, 0, 0);
	return sock_recvmsg(ps->sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/**
 * pvcalls_dgram_shed() - drop datagrams that the guest has no memory for
 * @ps: the socket, which has been run
 *
 * A queue that is not full takes a datagram of whatever length, so a small
 * receive buffer alone does not bound what thousands of sockets have. What the
 * guest reads is not dropped, since it is in the ring by then.
 *
 * Context: the worker that the socket belongs to.
 * Return: true if the socket is to be run again.
 */
bool pvcalls_dgram_shed(struct pvcalls_sock *ps)
{
	const struct sock *sk = ps->sock->sk;
	struct pvcalls_conn *c = &ps->conn;
	s64 left = pvcalls_fairq_budget();
	int n;

	if (sk->sk_type != SOCK_DGRAM || ps->fill != PVCALLS_FILL_OVER)
		return false;
	while ((u32)atomic_read(&sk->sk_rmem_alloc) > ps->part) {
		/* others' datagrams may come as fast as these go */
		if (left <= 0)
			return true;
		n = pvcalls_dgram_take(ps, NULL);
		if (pvcalls_stream_retry(n))
			return false;
		if (n < 0) {
			/* an error may have come before the datagram */
			c->dgram_err = n;
			set_bit(PVCALLS_SF_IN_READY, &ps->flags);
			return true;
		}
		c->lost_in++;
		pvcalls_worker_spend(PVCALLS_DGRAM_COST);
		left -= PVCALLS_DGRAM_COST;
	}
	return false;
}

/*
 * Look at the next datagram without taking it. Returns its length or a negative
 * error number.
 */
static int pvcalls_dgram_peek(struct pvcalls_sock *ps,
			      struct pvcalls_record *rec)
{
	u8 cmsgs[PVCALLS_MAX_CMSGS] __aligned(sizeof(long));
	struct pvcalls_dgram *hdr = &rec->hdr;
	struct sockaddr_storage addr = {};
	struct msghdr msg = {
		.msg_name = &addr,
		.msg_control = cmsgs,
		.msg_controllen = sizeof(cmsgs),
	};
	int len;

	iov_iter_kvec(&msg.msg_iter, ITER_DEST, NULL, 0, 0);
	len = sock_recvmsg(ps->sock, &msg,
			   MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_NOSIGNAL);
	if (len < 0)
		return len;
	if (!pvcalls_dgram_heard(ps, &len)) {
		/* the next one may be heard */
		set_bit(PVCALLS_SF_IN_READY, &ps->flags);
		pvcalls_dgram_take(ps, NULL);
		return -EAGAIN;
	}
	memset(hdr, 0, sizeof(*hdr));
	hdr->len = len;
	hdr->type = PVCALLS_DGRAM_DATA;
	hdr->addr_len = min_t(u32, msg.msg_namelen, sizeof(hdr->addr));
	memcpy(hdr->addr, &addr, hdr->addr_len);
	/* control messages that the guest has asked for by its options */
	msg.msg_controllen = sizeof(cmsgs) - msg.msg_controllen;
	msg.msg_control = cmsgs;
	hdr->ctl_len = pvcalls_ctl_pack(&msg, rec->ctl);
	return len;
}

/*
 * Get the room for a record of @need bytes; or 0, after asking the guest for an
 * event when there is room.
 */
static int pvcalls_dgram_space(struct pvcalls_conn *c, u32 need)
{
	int space = ringbuf_space(&c->in);

	if (space >= 0 && space < need)
		space = ringbuf_wait_space(&c->in, need);
	if (space < 0)
		return space;
	return space < need ? 0 : space;
}

/* Put a record into the ring. Returns false if the datagram has not come. */
static bool pvcalls_dgram_put(struct pvcalls_sock *ps,
			      const struct pvcalls_record *rec)
{
	const struct pvcalls_dgram *hdr = &rec->hdr;
	u32 skip = sizeof(*hdr) + hdr->ctl_len;
	struct pvcalls_conn *c = &ps->conn;
	struct iov_iter iter;
	int n;

	pvcalls_dgram_iter(ps, false, skip + hdr->len, &iter);
	if (copy_to_iter(rec, skip, &iter) != skip)
		return false;
	if (hdr->type == PVCALLS_DGRAM_DATA) {
		n = pvcalls_dgram_take(ps, &iter);
		/* an error may have come before the datagram */
		if (n < 0 && !pvcalls_stream_retry(n))
			c->dgram_err = n;
		if (n != hdr->len)
			return false;
	}
	if (ringbuf_produce(&c->in, pvcalls_dgram_size(hdr)))
		pvcalls_direction_owe(ps);
	return true;
}

/* Find the next record for the guest. Returns false if there is none. */
static bool pvcalls_dgram_find(struct pvcalls_sock *ps,
			       struct pvcalls_record *rec)
{
	struct pvcalls_conn *c = &ps->conn;
	struct pvcalls_dgram *hdr = &rec->hdr;
	int n;

	if (!c->dgram_err) {
		n = pvcalls_dgram_peek(ps, rec);
		if (n >= 0)
			return true;
		if (pvcalls_stream_retry(n))
			return false;
		c->dgram_err = n;
	}
	memset(hdr, 0, sizeof(*hdr));
	hdr->type = PVCALLS_DGRAM_ERROR;
	hdr->err = c->dgram_err;
	return true;
}

/**
 * pvcalls_dgram_in() - give datagrams to the guest
 * @ps: the socket, in PVCALLS_SS_CONNECTED
 *
 * A datagram that finds no room stays in the kernel socket, which drops further
 * datagrams when its own buffer is full.
 *
 * Context: the worker that the socket belongs to; never waits for the network.
 * Return: true if the socket is to be run again.
 */
bool pvcalls_dgram_in(struct pvcalls_sock *ps)
{
	struct pvcalls_conn *c = &ps->conn;
	struct pvcalls_record rec;
	u32 size = 0;
	int space;
	s64 left;

	for (left = pvcalls_fairq_budget(); left > 0;
	     left -= pvcalls_dgram_cost(size)) {
		if (c->in_state == PVCALLS_IN_DONE ||
		    !test_and_clear_bit(PVCALLS_SF_IN_READY, &ps->flags))
			return false;
		if (!pvcalls_dgram_find(ps, &rec))
			continue;
		size = pvcalls_dgram_size(&rec.hdr);
		/* there may be more datagrams */
		set_bit(PVCALLS_SF_IN_READY, &ps->flags);
		if (size > c->in.size) {
			c->lost_in++;
			pvcalls_dgram_take(ps, NULL);
			continue;
		}
		space = pvcalls_dgram_space(c, size);
		if (space < 0)
			pvcalls_direction_broken(ps);
		if (space <= 0)
			return false;
		if (!pvcalls_pace_may(ps, PVCALLS_PACE_IN, size))
			return false;
		if (!pvcalls_dgram_put(ps, &rec))
			continue;
		pvcalls_pace_did(ps, PVCALLS_PACE_IN, size);
		c->flow.in += rec.hdr.len;
		if (rec.hdr.type == PVCALLS_DGRAM_ERROR)
			c->dgram_err = 0;
	}
	return true;
}
