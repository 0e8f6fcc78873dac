// SPDX-License-Identifier: GPL-2.0
/* See ring.h. */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/page.h>

#include "link/evtchn.h"
#include "link/link.h"
#include "link/ring.h"

static struct page *pvc_shm_page(const struct pvc_shm *shm, unsigned int i)
{
	void *p = shm->data + (size_t)i * PAGE_SIZE;

	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

/* Contiguous for copying; physically so only where that is cheap. */
static void *pvc_shm_alloc_data(unsigned int order)
{
	size_t size = PAGE_SIZE << order;
	void *p;

	p = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
			      __GFP_NORETRY);
	return p ?: vzalloc(size);
}

static void pvc_shm_free_data(void *p, unsigned int order)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else if (p)
		free_pages_exact(p, PAGE_SIZE << order);
}

static int pvc_shm_grant(struct pvc_shm *shm, domid_t otherend)
{
	unsigned int i, n = 1U << shm->order;
	grant_ref_t head;
	int ret;

	ret = gnttab_alloc_grant_references(n + 1, &head);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		struct page *page = pvc_shm_page(shm, i);

		shm->refs[i] = gnttab_claim_grant_reference(&head);
		gnttab_grant_foreign_access_ref(shm->refs[i], otherend,
						xen_page_to_gfn(page), 0);
		shm->intf->ref[i] = shm->refs[i];
	}
	shm->intf_ref = gnttab_claim_grant_reference(&head);
	gnttab_grant_foreign_access_ref(shm->intf_ref, otherend,
					virt_to_gfn(shm->intf), 0);
	return 0;
}

/**
 * pvc_shm_alloc() - make what a backend can map as a data ring
 * @link: connection
 * @order: 2^order data pages, 1 to PVCALLS_MAX_PAGE_ORDER
 * @event: see &struct pvc_shm
 *
 * Context: process, may sleep.
 * Return: it, or an error pointer: -ENOMEM, or -ENOSPC if grants or event
 * channels have run out.
 */
struct pvc_shm *pvc_shm_alloc(struct pvc_link *link, unsigned int order,
			      bool (*event)(void *user))
{
	struct pvc_shm *shm = kzalloc(sizeof(*shm), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!shm)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&shm->list);
	shm->event = event;
	shm->order = order;
	shm->refs = kmalloc_array(1U << order, sizeof(*shm->refs), GFP_KERNEL);
	shm->data = pvc_shm_alloc_data(order);
	shm->intf = (void *)get_zeroed_page(GFP_KERNEL);
	if (!shm->refs || !shm->data || !shm->intf)
		goto err_free;
	shm->intf->ring_order = order;

	ret = pvc_evtchn_join(link, shm);
	if (ret)
		goto err_free;
	ret = pvc_shm_grant(shm, link->otherend);
	if (ret)
		goto err_leave;
	return shm;

err_leave:
	pvc_evtchn_leave(link, shm);
err_free:
	free_page((unsigned long)shm->intf);
	pvc_shm_free_data(shm->data, order);
	kfree(shm->refs);
	kfree(shm);
	return ERR_PTR(ret);
}

/**
 * pvc_shm_free() - give everything back
 * @link: connection
 * @shm: what no socket uses any more
 *
 * Pages that the backend still maps stay allocated until it lets them go.
 *
 * Context: process, may sleep.
 */
void pvc_shm_free(struct pvc_link *link, struct pvc_shm *shm)
{
	unsigned int i;

	pvc_evtchn_leave(link, shm);
	for (i = 0; i < 1U << shm->order; i++)
		gnttab_end_foreign_access(shm->refs[i], NULL);
	gnttab_end_foreign_access(shm->intf_ref, NULL);
	free_page((unsigned long)shm->intf);
	pvc_shm_free_data(shm->data, shm->order);
	kfree(shm->refs);
	kfree(shm);
}

static void pvc_ring_init_dir(struct ringbuf *b, RING_IDX *prod, RING_IDX *cons,
			      void *wake, unsigned int order)
{
	const struct ringbuf_shared sh = {
		.prod = prod,
		.cons = cons,
		.data_wake = wake,
		.space_wake = wake ? wake + sizeof(u32) : NULL,
	};

	ringbuf_init(b, &sh, RINGBUF_SIZE(order));
}

/**
 * pvc_ring_attach() - a socket gets a data ring
 * @r: of the socket
 * @shm: made by pvc_shm_alloc(), or released by the backend's last socket
 * @wakeup: feature-wakeup is in force
 * @user: for the events, which may come at once
 *
 * The bytes of the socket before, which the backend has seen, may stay; the
 * indexes, errors and thresholds begin with zeros.
 *
 * Context: process or interrupt; does not sleep.
 */
void pvc_ring_attach(struct pvc_ring *r, struct pvc_shm *shm, bool wakeup,
		     void *user)
{
	struct pvcalls_data_intf *intf = shm->intf;
	u8 *page = (u8 *)intf;
	unsigned long flags;

	memset(intf, 0, PVCALLS_RING_ORDER_OFFSET);
	pvc_ring_init_dir(&r->in, &intf->in_prod, &intf->in_cons,
			  wakeup ? page + PVCALLS_IN_DATA_WAKE : NULL,
			  shm->order);
	pvc_ring_init_dir(&r->out, &intf->out_prod, &intf->out_cons,
			  wakeup ? page + PVCALLS_OUT_DATA_WAKE : NULL,
			  shm->order);
	ringbuf_start_producer(&r->out);
	r->shm = shm;
	r->intf = intf;
	r->data = shm->data;
	r->irq = shm->evtchn->irq;

	spin_lock_irqsave(&shm->evtchn->lock, flags);
	shm->user = user;
	spin_unlock_irqrestore(&shm->evtchn->lock, flags);
}

/**
 * pvc_ring_detach() - undo pvc_ring_attach()
 * @r: of a socket that nobody uses
 *
 * No event is handled for it any more when it returns.
 *
 * Idempotent. Context: any.
 */
void pvc_ring_detach(struct pvc_ring *r)
{
	struct pvc_shm *shm = r->shm;
	unsigned long flags;

	spin_lock_irqsave(&shm->evtchn->lock, flags);
	shm->user = NULL;
	spin_unlock_irqrestore(&shm->evtchn->lock, flags);
}

/**
 * pvc_ring_write() - copy into the free part of the out ring
 * @r: ring
 * @skip: bytes to leave out before them
 * @len: bytes; @skip + @len at most what ringbuf_space() has returned
 * @from: source
 *
 * Does not publish them.
 *
 * Context: as @from needs; the caller is the only producer.
 * Return: bytes copied; fewer than @len if @from faulted.
 */
size_t pvc_ring_write(struct pvc_ring *r, u32 skip, size_t len,
		      struct iov_iter *from)
{
	struct ringbuf_span s = ringbuf_free_span(&r->out, skip, len);
	void *out = r->data + r->out.size;
	size_t n;

	n = copy_from_iter(out + s.off[0], s.len[0], from);
	if (n == s.len[0] && s.len[1])
		n += copy_from_iter(out, s.len[1], from);
	return n;
}

/**
 * pvc_ring_read() - copy from the in ring
 * @r: ring
 * @skip: bytes to pass over
 * @len: bytes; @skip + @len at most what ringbuf_avail() has returned
 * @to: destination
 *
 * Does not consume them.
 *
 * Context: as @to needs; the caller is the only consumer.
 * Return: bytes copied; fewer than @len if @to faulted.
 */
size_t pvc_ring_read(struct pvc_ring *r, u32 skip, size_t len,
		     struct iov_iter *to)
{
	struct ringbuf_span s = ringbuf_data_span(&r->in, skip, len);
	size_t n;

	n = copy_to_iter(r->data + s.off[0], s.len[0], to);
	if (n == s.len[0] && s.len[1])
		n += copy_to_iter(r->data, s.len[1], to);
	return n;
}
