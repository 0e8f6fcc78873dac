// SPDX-License-Identifier: GPL-2.0
/* See ring.h. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/xen/hypercall.h>
#include <xen/events.h>
#include <xen/page.h>

#include "ring.h"

static struct page *pvc_ring_page(const struct pvc_ring *r, unsigned int i)
{
	void *p = r->data + (size_t)i * PAGE_SIZE;

	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

/* Contiguous for copying; physically so only where that is cheap. */
static void *pvc_ring_alloc_data(unsigned int order)
{
	size_t size = PAGE_SIZE << order;
	void *p;

	p = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
			      __GFP_NORETRY);
	return p ?: vzalloc(size);
}

static void pvc_ring_free_data(void *p, unsigned int order)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else if (p)
		free_pages_exact(p, PAGE_SIZE << order);
}

static int pvc_ring_grant(struct pvc_ring *r, domid_t otherend)
{
	unsigned int i, n = 1U << r->order;
	grant_ref_t head;
	int ret;

	ret = gnttab_alloc_grant_references(n + 1, &head);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		r->refs[i] = gnttab_claim_grant_reference(&head);
		gnttab_grant_foreign_access_ref(r->refs[i], otherend,
						xen_page_to_gfn(pvc_ring_page(r, i)),
						0);
		r->intf->ref[i] = r->refs[i];
	}
	r->intf_ref = gnttab_claim_grant_reference(&head);
	gnttab_grant_foreign_access_ref(r->intf_ref, otherend,
					virt_to_gfn(r->intf), 0);
	return 0;
}

static int pvc_ring_bind(struct pvc_ring *r, domid_t otherend,
			 irq_handler_t handler, void *arg)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = DOMID_SELF,
		.remote_dom = otherend,
	};
	int ret;

	ret = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	if (ret)
		return ret;
	ret = bind_evtchn_to_irqhandler_lateeoi(alloc.port, handler, 0,
						"pvcalls-ring", arg);
	if (ret < 0) {
		struct evtchn_close close = { .port = alloc.port };

		HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
		return ret;
	}
	r->evtchn = alloc.port;
	r->irq = ret;
	return 0;
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
 * pvc_ring_alloc() - make a data ring that a backend can map
 * @r: zeroed
 * @otherend: the backend's domain
 * @order: 2^order data pages, 1 to PVCALLS_MAX_PAGE_ORDER
 * @wakeup: feature-wakeup is in force
 * @handler: for the ring's events; late EOI
 * @arg: for @handler
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC if grants or event channels have run out.
 */
int pvc_ring_alloc(struct pvc_ring *r, domid_t otherend, unsigned int order,
		   bool wakeup, irq_handler_t handler, void *arg)
{
	u8 *page;
	int ret = -ENOMEM;

	r->order = order;
	r->refs = kmalloc_array(1U << order, sizeof(*r->refs), GFP_KERNEL);
	r->data = pvc_ring_alloc_data(order);
	page = (u8 *)get_zeroed_page(GFP_KERNEL);
	r->intf = (struct pvcalls_data_intf *)page;
	if (!r->refs || !r->data || !page)
		goto err_free;

	r->intf->ring_order = order;
	pvc_ring_init_dir(&r->in, &r->intf->in_prod, &r->intf->in_cons,
			  wakeup ? page + PVCALLS_IN_DATA_WAKE : NULL, order);
	pvc_ring_init_dir(&r->out, &r->intf->out_prod, &r->intf->out_cons,
			  wakeup ? page + PVCALLS_OUT_DATA_WAKE : NULL, order);

	ret = pvc_ring_bind(r, otherend, handler, arg);
	if (ret)
		goto err_free;
	ret = pvc_ring_grant(r, otherend);
	if (ret)
		goto err_unbind;
	return 0;

err_unbind:
	unbind_from_irqhandler(r->irq, arg);
err_free:
	free_page((unsigned long)page);
	pvc_ring_free_data(r->data, order);
	kfree(r->refs);
	memset(r, 0, sizeof(*r));
	return ret;
}

/**
 * pvc_ring_free() - give everything back
 * @r: ring whose interrupt has been unbound; one that was never allocated is
 *	fine
 *
 * Pages that the backend still maps stay allocated until it lets them go.
 *
 * Context: process, may sleep.
 */
void pvc_ring_free(struct pvc_ring *r)
{
	unsigned int i;

	if (!r->intf)
		return;
	for (i = 0; i < 1U << r->order; i++)
		gnttab_end_foreign_access(r->refs[i], NULL);
	gnttab_end_foreign_access(r->intf_ref, NULL);
	free_page((unsigned long)r->intf);
	pvc_ring_free_data(r->data, r->order);
	kfree(r->refs);
	memset(r, 0, sizeof(*r));
}

/**
 * pvc_ring_write() - copy into the free part of the out ring
 * @r: ring
 * @len: bytes, at most what ringbuf_space() has returned
 * @from: source
 *
 * Does not publish them.
 *
 * Context: as @from needs; the caller is the only producer.
 * Return: bytes copied; fewer than @len if @from faulted.
 */
size_t pvc_ring_write(struct pvc_ring *r, size_t len, struct iov_iter *from)
{
	struct ringbuf_span s = ringbuf_free_span(&r->out, len);
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
