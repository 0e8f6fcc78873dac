// SPDX-License-Identifier: GPL-2.0
/* See conn.h. Which data ring a connection gets: how large, new or cached. */
#include <linux/mm.h>
#include <net/sock.h>

#include "conn/conn.h"
#include "link/cache.h"
#include "link/reserve.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(ring_order, 8, 1, PVCALLS_MAX_PAGE_ORDER, 0644);
MODULE_PARM_DESC(ring_order,
		 "Largest order of new data rings: 2^n pages, half for each direction, 1 to 9 (default 8, 512 KiB each way); the more large ones there are, the smaller new ones get");

/*
 * A cached ring may exceed the wanted order by this much. If it might exceed
 * more, small rings would use up the large ones.
 */
#define PVC_CACHE_ABOVE	2

/* Order for datagrams: half of a direction holds the largest one */
#define PVC_DGRAM_ORDER	7

/*
 * What the rings of an order and above may have together, in thirty-seconds of
 * all pages. A few sockets get large rings, and thousands get small ones.
 */
static const u8 pvc_order_parts[PVCALLS_MAX_PAGE_ORDER + 1] = {
	0, 32, 24, 16, 12, 8, 6, 4, 2, 1
};

/*
 * May one more ring have this order? Besides what the table says, no ring gets
 * more than an eighth of the pages that are left to its user. So others still
 * get large rings when somebody has many.
 */
static bool pvc_order_fits(unsigned int order, long left)
{
	long large = 1L << order;
	unsigned int i;

	for (i = order; i <= PVCALLS_MAX_PAGE_ORDER; i++)
		large += pvc_shm_count(i) << i;
	return large <= pvc_reserve_pages() * pvc_order_parts[order] / 32 &&
	       1L << order <= left / 8;
}

/*
 * The greatest order that fits, but no more than was wanted, and no less than
 * small datagrams need.
 */
static unsigned int pvc_choose_order(struct pvc_payers *payers,
				     const struct sock *sk, unsigned int order)
{
	unsigned int least = sk && sk->sk_type == SOCK_DGRAM ?
			     PVC_SMALL_ORDER : 1;
	long left = pvc_budget_left(payers, PVC_KIND_PAGES,
				    pvc_reserve_pages());

	while (order > least && !pvc_order_fits(order, left))
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

/* Makes a ring of this order, or of a smaller one if that is not possible. */
static struct pvc_shm *pvc_order_new(struct pvc_link *link,
				     struct pvc_payers *payers,
				     unsigned int order,
				     bool (*event)(void *user))
{
	struct pvc_shm *shm;

	do {
		shm = pvc_shm_alloc(link, payers, order, event);
	} while (IS_ERR(shm) && --order);
	return shm;
}

/**
 * pvc_order_ring() - get a data ring for a connection
 * @link: the link
 * @payers: who pays
 * @sk: the program's socket, or NULL if there is none yet
 * @event: handles the ring's events, see &struct pvc_subscriber
 *
 * A cached ring of about the wanted order is best, a new one of that order
 * comes next. Smaller orders follow where there are many sockets, or where
 * memory or grants have run out, and any cached ring is the last resort. Before
 * somebody is refused whose share it is not, all cached rings are freed.
 *
 * Context: process, sleeps; waits for the backend, a second at most, only where
 * cached rings are to be freed.
 * Return: the ring's memory, or an error pointer: -ENOMEM or -ENOBUFS.
 */
struct pvc_shm *pvc_order_ring(struct pvc_link *link, struct pvc_payers *payers,
			       const struct sock *sk,
			       bool (*event)(void *user))
{
	unsigned int order = pvc_choose_order(payers, sk,
					      min(pvc_wanted_order(sk),
						  link->max_order));
	struct pvc_shm *shm = pvc_cache_take(link, payers, order,
					     order + PVC_CACHE_ABOVE);

	if (shm)
		return shm;
	shm = pvc_order_new(link, payers, order, event);
	if (IS_ERR(shm))
		shm = pvc_cache_take(link, payers, 1,
				     PVCALLS_MAX_PAGE_ORDER) ?: shm;
	if (IS_ERR(shm) && shm != ERR_PTR(-EDQUOT) && pvc_cache_drain(link))
		shm = pvc_order_new(link, payers, order, event);
	if (shm == ERR_PTR(-EDQUOT))
		pvc_budget_refused(payers);
	return shm == ERR_PTR(-EDQUOT) || shm == ERR_PTR(-ENOSPC) ?
	       ERR_PTR(-ENOBUFS) : shm;
}
