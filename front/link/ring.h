/* SPDX-License-Identifier: GPL-2.0 */
/* Memory and grants of a data ring. */
#ifndef PVC_RING_H
#define PVC_RING_H

#include <linux/list.h>
#include <linux/uio.h>
#include <xen/grant_table.h>

#include "pvcalls_ext.h"
#include "ringbuf.h"

struct pvc_evtchn;
struct pvc_link;

/* No ring is made smaller than that because there are many */
#define PVC_SMALL_ORDER	4

/**
 * struct pvc_shm - what a data ring shares with the backend
 * @list: in a pool
 * @since: when it was put there, in jiffies
 * @evtchn: event channel
 * @on_evtchn: in pvc_evtchn.rings
 * @user: for @event; NULL while no socket uses it; under pvc_evtchn.lock
 * @event: handles an event, in hard interrupt with that lock held; true if it
 *	had a reason
 * @intf: indexes page
 * @data: the bytes, contiguous: first half in, second half out
 * @refs: grants of the data pages
 * @intf_ref: grant of the indexes page
 * @order: 2^order data pages
 *
 * It is made once and may serve one socket after another.
 */
struct pvc_shm {
	struct list_head list;
	unsigned long since;
	struct pvc_evtchn *evtchn;
	struct list_head on_evtchn;
	void *user;
	bool (*event)(void *user);
	struct pvcalls_data_intf *intf;
	void *data;
	grant_ref_t *refs;
	grant_ref_t intf_ref;
	unsigned int order;
};

/**
 * struct pvc_ring - one data ring, while a socket uses it
 * @in: what comes from the network; we consume
 * @out: what goes to the network; we produce
 * @shm: memory, grants, event channel
 * @intf: indexes page, shared
 * @data: the bytes, contiguous: first half in, second half out
 * @irq: of the event channel
 */
struct pvc_ring {
	struct ringbuf in;
	struct ringbuf out;
	struct pvc_shm *shm;
	struct pvcalls_data_intf *intf;
	void *data;
	int irq;
};

struct pvc_shm *pvc_shm_alloc(struct pvc_link *link, unsigned int order,
			      bool (*event)(void *user));
void pvc_shm_free(struct pvc_link *link, struct pvc_shm *shm);

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
 * Look at it before ringbuf_avail(): what was published before the end counts.
 * Return: 0, or what the backend wrote.
 */
static inline s32 pvc_ring_in_error(const struct pvc_ring *r)
{
	s32 err = READ_ONCE(r->intf->in_error);

	/* the error before the index */
	virt_rmb();
	return err;
}

static inline s32 pvc_ring_out_error(const struct pvc_ring *r)
{
	return READ_ONCE(r->intf->out_error);
}

#endif /* PVC_RING_H */
