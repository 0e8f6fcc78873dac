// SPDX-License-Identifier: GPL-2.0
/* See conn.h. Which data ring a connection gets: how large, new or used. */
#include <linux/mm.h>
#include <net/sock.h>

#include "conn/conn.h"
#include "link/cache.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(ring_order, 8, 1, PVCALLS_MAX_PAGE_ORDER, 0644);
MODULE_PARM_DESC(ring_order,
		 "Largest order of new data rings: 2^n pages, half for each direction, 1 to 9 (default 8, 512 KiB each way); the more large ones there are, the smaller new ones get");

/* A used ring may be that much larger, or small ones would take large ones */
#define PVC_CACHE_ABOVE	2

/* Pages that all data rings may have together; each page takes a grant */
static long pvc_max_ring_pages;

/* For datagrams: half of a direction holds the largest one */
#define PVC_DGRAM_ORDER	7

/*
 * A few sockets get large rings, and many sockets small ones: order 8 until the
 * rings of that order and above have a sixteenth of the pages, order 7 until
 * those from there on have an eighth, and so on; but no ring gets more than an
 * eighth of what is left. Of sockets with small rings there may be thousands,
 * mostly idle, without others having to do with less.
 */
static bool pvc_order_fits(unsigned int order)
{
	long large = 1L << order, left = pvc_max_ring_pages;
	unsigned int i;

	for (i = 1; i <= PVCALLS_MAX_PAGE_ORDER; i++) {
		long n = pvc_shm_count(i);

		/* with the indexes page */
		left -= n * ((1L << i) + 1);
		if (i >= order)
			large += n << i;
	}
	return large <= pvc_max_ring_pages >> (order - PVC_SMALL_ORDER) &&
	       1L << order <= left / 8;
}

static unsigned int pvc_choose_order(unsigned int order)
{
	while (order > PVC_SMALL_ORDER && !pvc_order_fits(order))
		order--;
	return order;
}

/* As large as what the program has asked for, which Linux doubles. */
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
 * pvc_conn_add_ring() - give a connection its data ring
 * @c: object without one
 * @sk: the program's socket, if there is one already
 *
 * One that was used before and is about as large, or a new one of the wanted
 * order, or less where there are many sockets or where memory or grants have
 * run out.
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM or -ENOBUFS.
 */
int pvc_conn_add_ring(struct pvc_conn *c, const struct sock *sk)
{
	unsigned int order = pvc_choose_order(min(pvc_wanted_order(sk),
						  c->link->max_order));
	struct pvc_shm *shm = pvc_cache_take(c->link, order,
					     order + PVC_CACHE_ABOVE);

	if (!shm) {
		do {
			shm = pvc_shm_alloc(c->link, order,
					    pvc_conn_event);
		} while ((shm == ERR_PTR(-ENOMEM) ||
			  shm == ERR_PTR(-ENOSPC)) && --order);
		if (IS_ERR(shm))
			shm = pvc_cache_take(c->link, 1,
					     PVCALLS_MAX_PAGE_ORDER) ?: shm;
	}
	if (IS_ERR(shm))
		return shm == ERR_PTR(-ENOSPC) ? -ENOBUFS : PTR_ERR(shm);
	pvc_ring_attach(&c->ring, shm, pvc_link_has(c->link, PVCALLS_F_WAKEUP),
			c);
	c->has_ring = true;
	return 0;
}

/**
 * pvc_order_init() - find out how much there is for rings
 *
 * Context: any.
 */
void pvc_order_init(void)
{
	/* a quarter of the memory, and no more than Xen lets be granted */
	pvc_max_ring_pages =
		min_t(long, totalram_pages() / 4,
		      gnttab_max_grant_frames() *
		      (long)(PAGE_SIZE / sizeof(struct grant_entry_v1)));
}
