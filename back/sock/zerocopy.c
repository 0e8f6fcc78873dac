// SPDX-License-Identifier: GPL-2.0
/* Sends by reference; zerocopy.h says how bytes are given back. */
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include <net/dst.h>
#include <net/sock.h>

#include "account/ledger.h"
#include "ring/datamap.h"
#include "pvcalls_compat.h"
#include "pvcalls_param.h"
#include "sock/zerocopy.h"

/*
 * If TCP has copied a send by reference after all (a tap device, a bridge to
 * another namespace), copying here is cheaper. So further sends are copied for
 * a while, and then one by reference is tried again.
 */
#define PVCALLS_BACKOFF_MIN	16
#define PVCALLS_BACKOFF_MAX	4096

PVCALLS_PARAM_UINT(zerocopy, 16384, 0, 1 << 20, 0644);
MODULE_PARM_DESC(zerocopy,
		 "Bytes from which on a send to another host is made by reference, 0 (never) to 1048576 (default 16384)");

/**
 * enum pvcalls_send_state - states of a send by reference
 * @PVCALLS_SEND_FLYING: TCP refers to the pages
 * @PVCALLS_SEND_DONE: TCP does not refer to the pages any more; the worker
 *	frees the send
 * @PVCALLS_SEND_FORGOTTEN: the socket is gone; the completion frees the send
 */
enum pvcalls_send_state {
	PVCALLS_SEND_FLYING,
	PVCALLS_SEND_DONE,
	PVCALLS_SEND_FORGOTTEN,
};

/**
 * struct pvcalls_send - a send by reference
 * @ubuf: the send, as TCP knows it
 * @list: entry in &pvcalls_zerocopy.sends
 * @z: the sends of the owner, which is referenced until the send is done
 * @map: mapping of the pages, which is referenced until the send is done
 * @pages: number of pages that are charged
 * @len: number of bytes, including copied ones that follow
 * @copied: TCP has copied some of the bytes
 * @state: see &enum pvcalls_send_state
 */
struct pvcalls_send {
	struct ubuf_info ubuf;
	struct list_head list;
	struct pvcalls_zerocopy *z;
	struct pvcalls_datamap *map;
	u32 pages;
	u32 len;
	bool copied;
	enum pvcalls_send_state state;
};

static struct kmem_cache *pvcalls_send_cache;
static atomic_t pvcalls_sends_flying;

/**
 * pvcalls_zerocopy_start() - prepare for sends by reference
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pvcalls_zerocopy_start(void)
{
	pvcalls_send_cache = KMEM_CACHE(pvcalls_send, 0);
	return pvcalls_send_cache ? 0 : -ENOMEM;
}

/**
 * pvcalls_zerocopy_stop() - undo pvcalls_zerocopy_start()
 *
 * Description: The call waits until no send refers to pages. All connections
 * have been reset before, so that only queues of devices can still refer to
 * pages. The workers must still run.
 *
 * Context: process, sleeps.
 */
void pvcalls_zerocopy_stop(void)
{
	wait_var_event(&pvcalls_sends_flying,
		       !atomic_read(&pvcalls_sends_flying));
	kmem_cache_destroy(pvcalls_send_cache);
}

/**
 * pvcalls_zerocopy_init() - initialise the sends of an owner
 * @z: the sends; there are none
 * @ops: the owner's functions
 *
 * Context: any.
 */
void pvcalls_zerocopy_init(struct pvcalls_zerocopy *z,
			   const struct pvcalls_zerocopy_ops *ops)
{
	z->ops = ops;
	INIT_LIST_HEAD(&z->sends);
	z->taken = 0;
	z->skip = 0;
	z->backoff = 0;
	z->by_ref = 0;
	z->copied = 0;
	atomic_set(&z->pinned, 0);
}

/* Give pages back that a send was charged and does not refer to any more. */
static void pvcalls_send_unpin(struct pvcalls_send *send, u32 pages)
{
	pvcalls_account_uncharge(send->map->account, PVCALLS_KIND_PINNED,
				 pages);
	atomic_sub(pages, &send->z->pinned);
}

/*
 * Drop one of TCP's references to a send. The last one completes the send.
 * Called in any context.
 */
static void pvcalls_send_complete(struct sk_buff *skb, struct ubuf_info *ubuf,
				  bool success)
{
	struct pvcalls_send *send = container_of(ubuf, struct pvcalls_send,
						 ubuf);
	struct pvcalls_zerocopy *z = send->z;

	if (!success)
		WRITE_ONCE(send->copied, true);
	if (!refcount_dec_and_test(&ubuf->refcnt))
		return;
	pvcalls_send_unpin(send, send->pages);
	pvcalls_datamap_put(send->map);
	/* from here on the worker may free the send; pairs with its acquire */
	if (xchg(&send->state, PVCALLS_SEND_DONE) == PVCALLS_SEND_FORGOTTEN)
		kmem_cache_free(pvcalls_send_cache, send);
	z->ops->done(z);
	if (atomic_dec_and_test(&pvcalls_sends_flying))
		wake_up_var(&pvcalls_sends_flying);
}

PVCALLS_DEFINE_UBUF_OPS(pvcalls_send_ops, pvcalls_send_complete);

/*
 * Would TCP only copy? On the loopback device it copies the pages before a
 * program can read them.
 */
static bool pvcalls_send_stays_here(struct sock *sk)
{
	struct dst_entry *dst;
	bool here;

	rcu_read_lock();
	dst = __sk_dst_get(sk);
	here = dst && dst->dev->flags & IFF_LOOPBACK;
	rcu_read_unlock();
	return here;
}

/*
 * May TCP keep pages for longer than it says? It takes a segment to be sent when
 * its pages have become a part of a probe, which is sent later.
 */
static bool pvcalls_send_is_probed(const struct sock *sk)
{
	return PVCALLS_PROBES_HOLD &&
	       (READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_mtu_probing) ||
		inet_csk(sk)->icsk_mtup.enabled);
}

/**
 * pvcalls_zerocopy_wanted() - should the next send be by reference?
 * @z: the sends
 * @sk: the owner's kernel socket
 * @len: number of bytes that are there to be sent
 *
 * Context: the worker that the owner belongs to.
 * Return: true if a send by reference is likely to be cheaper than copying.
 */
bool pvcalls_zerocopy_wanted(struct pvcalls_zerocopy *z, struct sock *sk,
			     u32 len)
{
	u32 min = READ_ONCE(param_zerocopy);

	if (!min || len < min || !(READ_ONCE(sk->sk_route_caps) & NETIF_F_SG) ||
	    pvcalls_send_stays_here(sk) || pvcalls_send_is_probed(sk))
		return false;
	if (z->skip) {
		z->skip--;
		return false;
	}
	return true;
}

/**
 * pvcalls_zerocopy_send() - send bytes by reference
 * @z: the sends
 * @map: mapping of the owner's ring
 * @sock: the owner's kernel socket
 * @msg: the message, with bytes in pages of the ring
 *
 * Context: the worker that the owner belongs to, may sleep, but not for the
 * network.
 * Return: number of bytes that TCP has taken; -ENOBUFS if the bytes should be
 * copied, also because the network refers to too many pages of the guest; or
 * another negative error number of TCP.
 */
int pvcalls_zerocopy_send(struct pvcalls_zerocopy *z,
			  struct pvcalls_datamap *map, struct socket *sock,
			  struct msghdr *msg)
{
	u32 first = msg->msg_iter.bvec->bv_offset;
	u32 pages = msg->msg_iter.nr_segs;
	struct pvcalls_send *send;
	int n;

	if (!pvcalls_account_take(map->account, PVCALLS_KIND_PINNED, pages))
		return -ENOBUFS;
	send = kmem_cache_alloc(pvcalls_send_cache, GFP_KERNEL);
	if (!send) {
		pvcalls_account_uncharge(map->account, PVCALLS_KIND_PINNED,
					 pages);
		return -ENOBUFS;
	}
	pvcalls_ubuf_init(&send->ubuf, &pvcalls_send_ops);
	send->copied = false;
	send->state = PVCALLS_SEND_FLYING;
	send->z = z;
	send->map = map;
	send->pages = pages;
	atomic_add(pages, &z->pinned);
	z->ops->get(z);
	refcount_inc(&send->map->ref);
	atomic_inc(&pvcalls_sends_flying);

	msg->msg_flags |= MSG_ZEROCOPY;
	msg->msg_ubuf = &send->ubuf;
	n = sock_sendmsg(sock, msg);
	msg->msg_flags &= ~MSG_ZEROCOPY;
	msg->msg_ubuf = NULL;

	/* the pages of what TCP has not taken are charged with another send */
	send->pages = n > 0 ? DIV_ROUND_UP(first + n, PAGE_SIZE) : 0;
	pvcalls_send_unpin(send, pages - send->pages);
	/* a send without bytes has no reference but ours, and completes here */
	send->len = max(n, 0);
	list_add_tail(&send->list, &z->sends);
	z->taken += send->len;
	z->by_ref++;
	pvcalls_send_complete(NULL, &send->ubuf, true);
	return n;
}

/**
 * pvcalls_zerocopy_copied() - count bytes that were copied for sending
 * @z: the sends
 * @len: number of bytes
 *
 * The bytes are given back in the order of the sends, by
 * pvcalls_zerocopy_reap().
 *
 * Context: the worker that the owner belongs to.
 */
void pvcalls_zerocopy_copied(struct pvcalls_zerocopy *z, u32 len)
{
	z->taken += len;
	/* add to the last send: the bytes can't be given back before it */
	if (!list_empty(&z->sends))
		list_last_entry(&z->sends, struct pvcalls_send, list)->len +=
			len;
}

/**
 * pvcalls_zerocopy_reap() - reap completed sends
 * @z: the sends
 *
 * Context: the worker that the owner belongs to.
 * Return: number of bytes, from the consumer's index on, to give back to the
 * guest.
 */
u32 pvcalls_zerocopy_reap(struct pvcalls_zerocopy *z)
{
	struct pvcalls_send *send, *next;
	u32 len = 0;

	list_for_each_entry_safe(send, next, &z->sends, list) {
		/* pairs with the xchg() in pvcalls_send_complete() */
		if (smp_load_acquire(&send->state) != PVCALLS_SEND_DONE)
			goto out;
		len += send->len;
		if (send->copied) {
			z->backoff = clamp(z->backoff * 2, PVCALLS_BACKOFF_MIN,
					   PVCALLS_BACKOFF_MAX);
			z->skip = z->backoff;
			z->copied++;
		} else {
			z->backoff = 0;
		}
		list_del(&send->list);
		kmem_cache_free(pvcalls_send_cache, send);
	}
	/* no send is left, so all bytes copied since can be given back too */
	len = z->taken;
out:
	z->taken -= len;
	return len;
}

/**
 * pvcalls_zerocopy_forget() - stop waiting for sends
 * @z: the sends of a socket of a dead guest, whose kernel socket is closed
 *
 * The pages are unmapped after the last of the sends.
 *
 * Context: the worker that the owner belongs to.
 */
void pvcalls_zerocopy_forget(struct pvcalls_zerocopy *z)
{
	struct pvcalls_send *send, *next;

	list_for_each_entry_safe(send, next, &z->sends, list) {
		list_del(&send->list);
		if (xchg(&send->state, PVCALLS_SEND_FORGOTTEN) ==
		    PVCALLS_SEND_DONE)
			kmem_cache_free(pvcalls_send_cache, send);
	}
	z->taken = 0;
}
