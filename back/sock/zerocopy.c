// SPDX-License-Identifier: GPL-2.0
/* See zerocopy.h. */
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include <net/dst.h>
#include <net/sock.h>

#include "ring/datamap.h"
#include "pvcalls_compat.h"
#include "pvcalls_param.h"
#include "sock/zerocopy.h"

/*
 * Where TCP has copied after all (a tap, a bridge to another namespace), sends
 * are copied here for a while, since that is cheaper; then one is tried again.
 */
#define PVCALLS_BACKOFF_MIN	16
#define PVCALLS_BACKOFF_MAX	4096

PVCALLS_PARAM_UINT(zerocopy, 16384, 0, 1 << 20, 0644);
MODULE_PARM_DESC(zerocopy,
		 "Bytes from which on a send to another host is made by reference, 0 (never) to 1048576 (default 16384)");

/**
 * enum pvcalls_send_state - how far a send is
 * @PVCALLS_SEND_FLYING: TCP refers to the pages
 * @PVCALLS_SEND_DONE: it does not any more; the worker is to free the send
 * @PVCALLS_SEND_FORGOTTEN: the socket is gone; the completion frees the send
 */
enum pvcalls_send_state {
	PVCALLS_SEND_FLYING,
	PVCALLS_SEND_DONE,
	PVCALLS_SEND_FORGOTTEN,
};

/**
 * struct pvcalls_send - bytes that TCP has been given
 * @ubuf: what TCP knows of it
 * @list: in &pvcalls_zerocopy.sends
 * @z: whose send it is; the owner is referenced until it is done
 * @map: the pages; likewise
 * @len: bytes
 * @copied: TCP has copied some of it
 * @state: see &enum pvcalls_send_state
 */
struct pvcalls_send {
	struct ubuf_info ubuf;
	struct list_head list;
	struct pvcalls_zerocopy *z;
	struct pvcalls_datamap *map;
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
 * Description: Waits until the network has let go of everything; the
 * connections have been reset before, so that only devices' queues can have
 * something. Call it while there are workers.
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
 * pvcalls_zerocopy_init() - nothing has been sent
 * @z: to initialise
 * @ops: what the owner is told
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
}

/* TCP has let go of a reference; maybe it was the last. Any context. */
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
	pvcalls_datamap_put(send->map);
	/* from here on the worker may free it; pairs with its acquire */
	if (xchg(&send->state, PVCALLS_SEND_DONE) == PVCALLS_SEND_FORGOTTEN)
		kmem_cache_free(pvcalls_send_cache, send);
	z->ops->done(z);
	if (atomic_dec_and_test(&pvcalls_sends_flying))
		wake_up_var(&pvcalls_sends_flying);
}

PVCALLS_DEFINE_UBUF_OPS(pvcalls_send_ops, pvcalls_send_complete);

/* Would TCP only copy? On this host it does before anybody can read it. */
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

/**
 * pvcalls_zerocopy_wanted() - is the next send to be made by reference?
 * @z: the sends
 * @sk: kernel socket
 * @len: bytes that are there to be sent
 *
 * Return: true if that is likely to be cheaper than to copy.
 */
bool pvcalls_zerocopy_wanted(struct pvcalls_zerocopy *z, struct sock *sk,
			     u32 len)
{
	u32 min = READ_ONCE(param_zerocopy);

	if (!min || len < min || !(READ_ONCE(sk->sk_route_caps) & NETIF_F_SG) ||
	    pvcalls_send_stays_here(sk))
		return false;
	if (z->skip) {
		z->skip--;
		return false;
	}
	return true;
}

/**
 * pvcalls_zerocopy_send() - send by reference
 * @z: the sends
 * @map: the ring
 * @sock: kernel socket
 * @msg: the bytes, in pages of the ring
 *
 * Return: bytes that TCP has taken, a negative error number of its own, or
 * -ENOBUFS: copy.
 */
int pvcalls_zerocopy_send(struct pvcalls_zerocopy *z,
			  struct pvcalls_datamap *map, struct socket *sock,
			  struct msghdr *msg)
{
	struct pvcalls_send *send;
	int n;

	send = kmem_cache_alloc(pvcalls_send_cache, GFP_KERNEL);
	if (!send)
		return -ENOBUFS;
	pvcalls_ubuf_init(&send->ubuf, &pvcalls_send_ops);
	send->copied = false;
	send->state = PVCALLS_SEND_FLYING;
	send->z = z;
	send->map = map;
	z->ops->get(z);
	refcount_inc(&send->map->ref);
	atomic_inc(&pvcalls_sends_flying);

	msg->msg_flags |= MSG_ZEROCOPY;
	msg->msg_ubuf = &send->ubuf;
	n = sock_sendmsg(sock, msg);
	msg->msg_flags &= ~MSG_ZEROCOPY;
	msg->msg_ubuf = NULL;

	/* without bytes nothing refers to it, but for us */
	send->len = max(n, 0);
	list_add_tail(&send->list, &z->sends);
	z->taken += send->len;
	z->by_ref++;
	pvcalls_send_complete(NULL, &send->ubuf, true);
	return n;
}

/**
 * pvcalls_zerocopy_copied() - bytes have been sent by copying them
 * @z: the sends
 * @len: how many
 *
 * They are given back in their turn, by pvcalls_zerocopy_reap().
 */
void pvcalls_zerocopy_copied(struct pvcalls_zerocopy *z, u32 len)
{
	z->taken += len;
	/* with the send before: it can't be done any sooner than that */
	if (!list_empty(&z->sends))
		list_last_entry(&z->sends, struct pvcalls_send, list)->len +=
			len;
}

/**
 * pvcalls_zerocopy_reap() - what can be given back to the guest?
 * @z: the sends
 *
 * Return: bytes from the consumer's index on.
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
	/* all are done, and so is what was copied since */
	len = z->taken;
out:
	z->taken -= len;
	return len;
}

/**
 * pvcalls_zerocopy_forget() - the socket waits for its sends no more
 * @z: the sends of a socket of a dead guest, whose kernel socket is closed
 *
 * The pages are unmapped when the last of them is done.
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
