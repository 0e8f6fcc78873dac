// SPDX-License-Identifier: GPL-2.0
/* See ring.h. The memory is granted once, and used by socket after socket. */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/page.h>

#include "link/link.h"
#include "link/reserve.h"
#include "link/ring.h"

/* Number of memories of each order, on all links */
static atomic_long_t pvc_shm_counts[PVCALLS_MAX_PAGE_ORDER + 1];

static struct page *pvc_shm_page(const struct pvc_shm *shm, unsigned int i)
{
	void *p = shm->data + (size_t)i * PAGE_SIZE;

	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

/*
 * Copying needs contiguous addresses. Physically contiguous pages are faster to
 * copy, but not worth the effort of reclaiming others. The memory is charged to
 * the memory cgroup of this process. Where memory is short, a smaller ring will
 * do: no process is killed for one above PVC_SMALL_ORDER.
 */
static void *pvc_shm_alloc_data(unsigned int order)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	size_t size = PAGE_SIZE << order;
	void *p;

	p = alloc_pages_exact(size, gfp | __GFP_NORETRY);
	if (order > PVC_SMALL_ORDER)
		gfp |= __GFP_NORETRY;
	return p ?: __vmalloc(size, gfp);
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

	ret = pvc_reserve_grants(n + 1, &head);
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
 * pvc_shm_memcg() - which memory cgroup pays for this process?
 *
 * Context: process.
 * Return: a number that no other cgroup ever has; 0 without memory cgroups.
 */
u64 pvc_shm_memcg(void)
{
	u64 id = 0;

#ifdef CONFIG_MEMCG
	rcu_read_lock();
	if (!mem_cgroup_disabled())
		id = cgroup_id(mem_cgroup_from_task(current)->css.cgroup);
	rcu_read_unlock();
#endif
	return id;
}

/* Charges memory of some order to a user. */
static int pvc_shm_charge(struct pvc_link *link, struct pvc_payers *payers,
			  unsigned int order)
{
	long n = pvc_shm_pages(order);
	int ret;

	ret = pvc_budget_charge(payers, PVC_KIND_PAGES, n, pvc_reserve_pages());
	if (ret)
		return ret;
	ret = pvc_budget_charge(payers, PVC_KIND_RINGS, 1,
				pvc_reserve_rings(link));
	if (ret)
		pvc_budget_uncharge(payers, PVC_KIND_PAGES, n);
	return ret;
}

static void pvc_shm_uncharge(struct pvc_payers *payers, unsigned int order)
{
	pvc_budget_uncharge(payers, PVC_KIND_RINGS, 1);
	pvc_budget_uncharge(payers, PVC_KIND_PAGES, pvc_shm_pages(order));
}

/**
 * pvc_shm_lend() - charge memory to a user
 * @link: the link
 * @shm: memory that no socket has
 * @payers: who pays from now on
 *
 * Context: process, perhaps with interrupts off; does not sleep.
 * Return: 0, or -EDQUOT if one of the payers has his share.
 */
int pvc_shm_lend(struct pvc_link *link, struct pvc_shm *shm,
		 struct pvc_payers *payers)
{
	int ret = pvc_shm_charge(link, payers, shm->order);

	if (!ret)
		shm->payers = pvc_payers_hold(payers);
	return ret;
}

/**
 * pvc_shm_return() - undo pvc_shm_lend()
 * @shm: memory that its last socket has detached
 *
 * Context: any.
 */
void pvc_shm_return(struct pvc_shm *shm)
{
	pvc_shm_uncharge(shm->payers, shm->order);
	pvc_payers_put(shm->payers);
	shm->payers = NULL;
}

/* Counts memory of some order among all that there is. */
static int pvc_shm_take(struct pvc_link *link, unsigned int order)
{
	int ret = pvc_budget_take(PVC_KIND_PAGES, pvc_shm_pages(order),
				  pvc_reserve_pages());

	if (ret)
		return ret;
	ret = pvc_budget_take(PVC_KIND_RINGS, 1, pvc_reserve_rings(link));
	if (ret)
		pvc_budget_give(PVC_KIND_PAGES, pvc_shm_pages(order));
	return ret;
}

static void pvc_shm_give(unsigned int order)
{
	pvc_budget_give(PVC_KIND_RINGS, 1);
	pvc_budget_give(PVC_KIND_PAGES, pvc_shm_pages(order));
}

/* Makes memory that has been counted already. */
static struct pvc_shm *pvc_shm_make(struct pvc_link *link, unsigned int order,
				    bool (*event)(void *user))
{
	struct pvc_shm *shm = kzalloc(sizeof(*shm), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!shm)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&shm->list);
	shm->sub.event = event;
	shm->order = order;
	shm->memcg = pvc_shm_memcg();
	shm->refs = kmalloc_array(1U << order, sizeof(*shm->refs),
				  GFP_KERNEL_ACCOUNT);
	shm->data = pvc_shm_alloc_data(order);
	shm->intf = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!shm->refs || !shm->data || !shm->intf)
		goto err_free;
	shm->intf->ring_order = order;

	ret = pvc_evtchn_join(link, &shm->sub, order < PVC_SMALL_ORDER);
	if (ret)
		goto err_free;
	ret = pvc_shm_grant(shm, link->otherend);
	if (ret)
		goto err_leave;
	atomic_long_inc(&pvc_shm_counts[order]);
	return shm;

err_leave:
	pvc_evtchn_leave(link, &shm->sub);
err_free:
	free_page((unsigned long)shm->intf);
	pvc_shm_free_data(shm->data, order);
	kfree(shm->refs);
	kfree(shm);
	return ERR_PTR(ret);
}

/**
 * pvc_shm_alloc() - make memory that a backend can map as a data ring
 * @link: the link
 * @payers: who pays
 * @order: log2 of the number of data pages, 1 to PVCALLS_MAX_PAGE_ORDER
 * @event: see &struct pvc_subscriber
 *
 * Context: process, may sleep.
 * Return: the memory, or an error pointer: -EDQUOT if one of the payers has his
 * share, -ENOSPC if all together have taken what there is, grants or event
 * channels have run out, or -ENOMEM.
 */
struct pvc_shm *pvc_shm_alloc(struct pvc_link *link, struct pvc_payers *payers,
			      unsigned int order, bool (*event)(void *user))
{
	struct pvc_shm *shm;
	int ret;

	ret = pvc_shm_charge(link, payers, order);
	if (ret)
		return ERR_PTR(ret);
	ret = pvc_shm_take(link, order);
	if (ret)
		goto err_uncharge;
	shm = pvc_shm_make(link, order, event);
	ret = PTR_ERR_OR_ZERO(shm);
	if (ret)
		goto err_give;
	shm->payers = pvc_payers_hold(payers);
	return shm;

err_give:
	pvc_shm_give(order);
err_uncharge:
	pvc_shm_uncharge(payers, order);
	return ERR_PTR(ret);
}

/**
 * pvc_shm_free() - free the memory, the grants and the event channel
 * @link: the link
 * @shm: memory that no socket uses and that is not in the cache
 *
 * Pages that the backend still maps stay allocated until the backend has
 * unmapped them.
 *
 * Context: process, may sleep.
 */
void pvc_shm_free(struct pvc_link *link, struct pvc_shm *shm)
{
	unsigned int i;

	atomic_long_dec(&pvc_shm_counts[shm->order]);
	pvc_evtchn_leave(link, &shm->sub);
	for (i = 0; i < 1U << shm->order; i++)
		gnttab_end_foreign_access(shm->refs[i], NULL);
	gnttab_end_foreign_access(shm->intf_ref, NULL);
	free_page((unsigned long)shm->intf);
	pvc_shm_free_data(shm->data, shm->order);
	kfree(shm->refs);
	pvc_shm_give(shm->order);
	if (shm->payers)
		pvc_shm_return(shm);
	kfree(shm);
}

/**
 * pvc_shm_count() - how many memories are there?
 * @order: their order, 1 to PVCALLS_MAX_PAGE_ORDER
 *
 * Context: any. The answer may be outdated when the caller gets it.
 * Return: number of memories on all links, those in the cache included.
 */
long pvc_shm_count(unsigned int order)
{
	return atomic_long_read(&pvc_shm_counts[order]);
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
 * pvc_ring_attach() - give a socket a data ring
 * @r: the socket's ring
 * @shm: the memory: new, or released by its last socket and by the backend
 * @wakeup: feature-wakeup is in force
 * @user: argument of event(), which may be called at once
 *
 * Indexes, errors and thresholds begin with zeros. The bytes of the socket
 * before may stay, since the backend has seen them anyway.
 *
 * Context: process or interrupt; does not sleep.
 */
void pvc_ring_attach(struct pvc_ring *r, struct pvc_shm *shm, bool wakeup,
		     void *user)
{
	struct pvcalls_data_intf *intf = shm->intf;
	u8 *page = (u8 *)intf;

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
	r->irq = shm->sub.evtchn->irq;
	r->port = shm->sub.evtchn->port;
	pvc_evtchn_set_user(&shm->sub, user);
}

/**
 * pvc_ring_detach() - stop the events of a socket's data ring
 * @r: ring of a socket that nobody uses any more
 *
 * When the function returns, no event is being handled for the socket. The
 * memory stays in @r->shm; who takes the memory away clears that. A second call
 * does nothing.
 *
 * Context: any.
 */
void pvc_ring_detach(struct pvc_ring *r)
{
	pvc_evtchn_set_user(&r->shm->sub, NULL);
}

/**
 * pvc_ring_write() - copy into the free part of the out ring
 * @r: ring
 * @skip: number of free bytes to leave out before the copied ones
 * @len: number of bytes; @skip + @len at most what ringbuf_space() has returned
 * @from: source
 *
 * The bytes are not published yet: see ringbuf_produce().
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
 * @skip: number of bytes to pass over
 * @len: number of bytes; @skip + @len at most what ringbuf_avail() has returned
 * @to: destination
 *
 * The bytes are not consumed yet: see ringbuf_consume().
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
