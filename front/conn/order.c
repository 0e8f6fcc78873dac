// SPDX-License-Identifier: GPL-2.0
/* See conn.h. Which data ring a connection gets: how large, new or cached. */
#include <linux/mm.h>
#include <net/sock.h>

#include "conn/conn.h"
#include "link/cache.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(ring_order, 8, 1, PVCALLS_MAX_PAGE_ORDER, 0644);
MODULE_PARM_DESC(ring_order,
		 "Largest order of new data rings: 2^n pages, half for each direction, 1 to 9 (default 8, 512 KiB each way); the more large ones there are, the smaller new ones get");

/*
 * A cached ring may exceed the wanted order by this much. If it might exceed
 * more, small rings would use up the large ones.
 */
#define PVC_CACHE_ABOVE	2

/* Pages that all data rings may have together; each page takes a grant */
static long pvc_max_ring_pages;

/* Order for datagrams: half of a direction holds the largest one */
#define PVC_DGRAM_ORDER	7

/*
 * May one more ring have this order? A few sockets get large rings, and many
 * sockets small ones. Rings of order 8 and above may have a sixteenth of the
 * pages, those of order 7 and above an eighth, and so on. Besides, no ring gets
 * more than an eighth of the pages that are left. So there may be thousands of
 * sockets with small rings, and others still get large ones.
 */
static bool pvc_order_fits(unsigned int order)
{
	long large = 1L << order, left = pvc_max_ring_pages;
	unsigned int i;

	for (i = 1; i <= PVCALLS_MAX_PAGE_ORDER; i++) {
		long n = pvc_shm_count(i);

		/* each ring has an indexes page besides */
		left -= n * ((1L << i) + 1);
		if (i >= order)
			large += n << i;
	}
	return large <= pvc_max_ring_pages >> (order - PVC_SMALL_ORDER) &&
	       1L << order <= left / 8;
}

/* The greatest order that fits, but no more than was wanted. */
static unsigned int pvc_choose_order(unsigned int order)
{
	while (order > PVC_SMALL_ORDER && !pvc_order_fits(order))
		order--;
	return order;
}

/* The order that suits SO_SNDBUF and SO_RCVBUF, which Linux has doubled. */
static unsigned int pvc_wanted_order(const struct sock *sk)
{
	unsigned int order = READ_ONCE(param_ring_order);
	u32 size = RINGBUF_SIZE(order);
	u32 out = size, in = size;

	if (!sk)
		return order;
	if (sk->sk_type == SOCK_DGRAM) {
		order = PVC_DGRAM_ORDER;
		out = RINGBUF_SIZE(order);
		in = out;
	}
	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		out = READ_ONCE(sk->sk_sndbuf) / 2;
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		in = READ_ONCE(sk->sk_rcvbuf) / 2;
	size = clamp_t(u32, max(out, in),
		       RINGBUF_SIZE(sk->sk_type == SOCK_DGRAM ?
				    PVC_DGRAM_ORDER : 1),
		       RINGBUF_SIZE(PVCALLS_MAX_PAGE_ORDER));
	return order_base_2(size) - order_base_2(RINGBUF_SIZE(0));
}

/**
 * pvc_order_ring() - get a data ring for a connection
 * @link: the link
 * @sk: the program's socket, or NULL if there is none yet
 * @event: handles the ring's events, see &struct pvc_subscriber
 *
 * A cached ring of about the wanted order is best, a new one of that order
 * comes next. Smaller orders follow where there are many sockets, or where
 * memory or grants have run out, and any cached ring is the last resort.
 *
 * Context: process, may sleep.
 * Return: the ring's memory, or an error pointer: -ENOMEM or -ENOBUFS.
 */
struct pvc_shm *pvc_order_ring(struct pvc_link *link, const struct sock *sk,
			       bool (*event)(void *user))
{
	unsigned int order = pvc_choose_order(min(pvc_wanted_order(sk),
						  link->max_order));
	struct pvc_shm *shm = pvc_cache_take(link, order,
					     order + PVC_CACHE_ABOVE);

	if (shm)
		return shm;
	do {
		shm = pvc_shm_alloc(link, order, event);
	} while ((shm == ERR_PTR(-ENOMEM) || shm == ERR_PTR(-ENOSPC)) &&
		 --order);
	if (IS_ERR(shm))
		shm = pvc_cache_take(link, 1, PVCALLS_MAX_PAGE_ORDER) ?: shm;
	return shm == ERR_PTR(-ENOSPC) ? ERR_PTR(-ENOBUFS) : shm;
}

/**
 * pvc_order_init() - find out how many pages there are for rings
 *
 * Context: any.
 */
void pvc_order_init(void)
{
	/* at most a quarter of the memory, and what Xen lets be granted */
	pvc_max_ring_pages =
		min_t(long, totalram_pages() / 4,
		      gnttab_max_grant_frames() *
		      (long)(PAGE_SIZE / sizeof(struct grant_entry_v1)));
}
