/* SPDX-License-Identifier: GPL-2.0 */
/* Data rings: the memory that the backend maps, and its use by one socket. */
#ifndef PVC_RING_H
#define PVC_RING_H

#include <linux/list.h>
#include <linux/uio.h>
#include <xen/grant_table.h>

#include "link/budget.h"
#include "link/evtchn.h"
#include "pvcalls_ext.h"
#include "ringbuf.h"

struct pvc_link;

/*
 * Rings below this order are small. Where many sockets make new rings smaller,
 * only those of streams become small.
 */
#define PVC_SMALL_ORDER	4

/**
 * struct pvc_shm - the memory of a data ring, shared with the backend
 * @list: in pvc_cache.idle, or empty
 * @since: when the memory was put into the cache, in jiffies
 * @sub: its part in an event channel
 * @intf: indexes page
 * @data: data pages, contiguous: the first half is for in, the second for out
 * @refs: grants of the data pages
 * @intf_ref: grant of the indexes page
 * @order: log2 of the number of data pages, 1 to PVCALLS_MAX_PAGE_ORDER
 * @payers: who pays for the memory, referenced; NULL while no socket has it
 * @memcg: the memory cgroup that the pages are charged to, see pvc_shm_memcg()
 * @known: the backend may have the memory in its cache, and has not said that it
 *	took the memory out for a connection
 * @refused: a connection with the memory was refused, so that the backend may
 *	not have been able to map it or to bind its event channel
 *
 * One such memory may serve one socket after another.
 */
struct pvc_shm {
	struct list_head list;
	unsigned long since;
	struct pvc_subscriber sub;
	struct pvcalls_data_intf *intf;
	void *data;
	grant_ref_t *refs;
	grant_ref_t intf_ref;
	unsigned int order;
	struct pvc_payers *payers;
	u64 memcg;
	bool known;
	bool refused;
};

/**
 * pvc_shm_pages() - how many pages has a data ring of some order?
 * @order: log2 of the number of data pages
 *
 * Context: any.
 * Return: the number, the indexes page included; so many grants there are, too.
 */
static inline long pvc_shm_pages(unsigned int order)
{
	return (1L << order) + 1;
}

/**
 * struct pvc_ring - a data ring, in the hands of a socket
 * @in: bytes from the network; the frontend consumes them
 * @out: bytes to the network; the frontend produces them
 * @shm: the memory, or NULL if the socket has none
 * @intf: @shm's indexes page
 * @data: @shm's data pages
 * @irq: interrupt of @shm's event channel
 * @port: port of the event channel
 */
struct pvc_ring {
	struct ringbuf in;
	struct ringbuf out;
	struct pvc_shm *shm;
	struct pvcalls_data_intf *intf;
	void *data;
	int irq;
	evtchn_port_t port;
};

struct pvc_shm *pvc_shm_alloc(struct pvc_link *link, struct pvc_payers *payers,
			      unsigned int order, bool (*event)(void *user));
void pvc_shm_free(struct pvc_link *link, struct pvc_shm *shm);
int pvc_shm_lend(struct pvc_link *link, struct pvc_shm *shm,
		 struct pvc_payers *payers);
void pvc_shm_return(struct pvc_shm *shm);
u64 pvc_shm_memcg(void);
long pvc_shm_count(unsigned int order);

void pvc_ring_attach(struct pvc_ring *r, struct pvc_shm *shm, bool wakeup,
		     void *user);
void pvc_ring_detach(struct pvc_ring *r);

size_t pvc_ring_write(struct pvc_ring *r, u32 skip, size_t len,
		      struct iov_iter *from);
size_t pvc_ring_read(struct pvc_ring *r, u32 skip, size_t len,
		     struct iov_iter *to);

/**
 * pvc_ring_in_error() - has receiving ended?
 * @r: ring
 *
 * Bytes that were published before the end still count. Therefore look for the
 * end before ringbuf_avail().
 *
 * Context: any.
 * Return: 0, or whatever the backend has written.
 */
static inline s32 pvc_ring_in_error(const struct pvc_ring *r)
{
	s32 err = READ_ONCE(r->intf->in_error);

	/* in_error is read before in_prod; the backend writes in_prod first */
	virt_rmb();
	return err;
}

/**
 * pvc_ring_out_error() - has sending ended?
 * @r: ring
 *
 * Context: any.
 * Return: 0, or whatever the backend has written.
 */
static inline s32 pvc_ring_out_error(const struct pvc_ring *r)
{
	return READ_ONCE(r->intf->out_error);
}

#endif /* PVC_RING_H */
