// SPDX-License-Identifier: GPL-2.0
/* Mapping and unmapping of data rings; datamap.h describes the object. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "account/ledger.h"
#include "peer.h"
#include "ring/datamap.h"

/*
 * Milliseconds after which is looked again whether somebody still refers to a
 * page, the first time; it takes longer each time, up to a second.
 */
#define PVCALLS_LATE_MS		5
#define PVCALLS_LATE_MAX_MS	1000

/*
 * Unmaps one ring at a time, and waits for none. Somebody still referred to the
 * rings' pages when they were to be unmapped.
 */
static struct workqueue_struct *pvcalls_datamap_wq;
static struct pvcalls_datamap_scratch pvcalls_datamap_late_scratch;
/* Rings that @pvcalls_datamap_wq has or will have */
static atomic_t pvcalls_datamaps_late;

/**
 * pvcalls_datamap_init() - prepare for mapping
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pvcalls_datamap_init(void)
{
	pvcalls_datamap_wq = alloc_ordered_workqueue("pvcalls_unmap", 0);
	return pvcalls_datamap_wq ? 0 : -ENOMEM;
}

/**
 * pvcalls_datamap_exit() - undo pvcalls_datamap_init()
 *
 * Description: The call waits until nobody refers to a page of a guest any more.
 *
 * Context: process, sleeps; all references must have been dropped.
 */
void pvcalls_datamap_exit(void)
{
	wait_var_event(&pvcalls_datamaps_late,
		       !atomic_read(&pvcalls_datamaps_late));
	destroy_workqueue(pvcalls_datamap_wq);
}

static unsigned long pvcalls_page_vaddr(struct page *page)
{
	return (unsigned long)pfn_to_kaddr(page_to_pfn(page));
}

/*
 * Unmap the grants among @n pages, to which nobody refers, and free the pages. A
 * page without a mapping has an invalid handle. Returns whether all could be
 * unmapped.
 */
static bool pvcalls_unmap_pages(struct page **pages, grant_handle_t *handles,
				u32 n, struct pvcalls_datamap_scratch *scratch)
{
	bool failed = false;
	u32 i = 0;

	scratch->cost += n * PVCALLS_PAGE_COST;
	while (i < n) {
		u32 j, count = 0;

		for (; i < n && count < PVCALLS_GRANT_BATCH; i++) {
			if (handles[i] == INVALID_GRANT_HANDLE)
				continue;
			gnttab_set_unmap_op(&scratch->unmap[count],
					    pvcalls_page_vaddr(pages[i]),
					    GNTMAP_host_map, handles[i]);
			scratch->pages[count++] = pages[i];
		}
		if (!count)
			break;
		if (gnttab_unmap_refs(scratch->unmap, NULL, scratch->pages,
				      count))
			failed = true;
		for (j = 0; j < count; j++)
			if (scratch->unmap[j].status != GNTST_okay)
				failed = true;
	}

	/* a page that the guest may still own must never be used again */
	if (failed)
		pr_err("can't unmap grants, leaking %u pages\n", n);
	else
		gnttab_free_pages(n, pages);
	return !failed;
}

static int pvcalls_map_error(s16 status)
{
	switch (status) {
	case GNTST_okay:
		return 0;
	/* it goes by Xen's version which of both a full table is */
	case GNTST_no_device_space:
	case GNTST_no_space:
		return -ENOSPC;
	default:
		return -EFAULT;
	}
}

/* Map @n grants into new pages. On error no grant is mapped. */
static int pvcalls_map_pages(domid_t domid, const grant_ref_t *refs,
			     struct page **pages, grant_handle_t *handles,
			     u32 n, struct pvcalls_datamap_scratch *scratch)
{
	u32 i, j;
	int err;

	scratch->cost += n * PVCALLS_PAGE_COST;
	err = gnttab_alloc_pages(n, pages);
	if (err)
		return err;
	for (i = 0; i < n; i++)
		handles[i] = INVALID_GRANT_HANDLE;

	for (i = 0; i < n; i += PVCALLS_GRANT_BATCH) {
		u32 batch = min_t(u32, n - i, PVCALLS_GRANT_BATCH);

		for (j = 0; j < batch; j++)
			gnttab_set_map_op(&scratch->map[j],
					  pvcalls_page_vaddr(pages[i + j]),
					  GNTMAP_host_map, refs[i + j], domid);
		err = gnttab_map_refs(scratch->map, NULL, &pages[i], batch);
		for (j = 0; j < batch; j++) {
			if (scratch->map[j].status == GNTST_okay)
				handles[i + j] = scratch->map[j].handle;
			err = err ?: pvcalls_map_error(scratch->map[j].status);
		}
		if (err) {
			pvcalls_unmap_pages(pages, handles, n, scratch);
			return err;
		}
	}
	return 0;
}

/*
 * Copy the data pages' grant references out of the indexes page, which the
 * guest may change at any time.
 */
static grant_ref_t *pvcalls_copy_refs(const struct pvcalls_data_intf *intf,
				      u32 n)
{
	grant_ref_t *refs;
	u32 i;

	refs = kvmalloc_array(n, sizeof(*refs), GFP_KERNEL);
	if (!refs)
		return NULL;
	for (i = 0; i < n; i++)
		refs[i] = READ_ONCE(intf->ref[i]);
	return refs;
}

static void pvcalls_datamap_free(struct pvcalls_datamap *map,
				 struct pvcalls_datamap_scratch *scratch)
{
	u32 n = map->pages ? pvcalls_datamap_pages(map) : 1;

	/* what is still mapped stays charged, and so the account stays */
	if (pvcalls_unmap_pages(map->pages ?: &map->intf_page,
				map->handles ?: &map->intf_handle, n,
				scratch)) {
		pvcalls_account_uncharge(map->account, PVCALLS_KIND_PAGES, n);
		pvcalls_account_put(map->account);
	}
	kvfree(map->handles);
	kvfree(map->pages);
	kfree(map);
}

/**
 * pvcalls_datamap_is_busy() - does somebody still refer to a page of a ring?
 * @map: a ring to which no send refers any more
 *
 * Description: The network says that it has done with a send before it lets go
 * of the pages. A page that is busy must not be unmapped, nor be used again.
 *
 * Context: any.
 * Return: true if there is such a page.
 */
bool pvcalls_datamap_is_busy(const struct pvcalls_datamap *map)
{
	u32 i;

	for (i = 0; map->pages && i < pvcalls_datamap_pages(map); i++)
		if (page_count(map->pages[i]) > 1)
			return true;
	return false;
}

/* Have a ring without references unmapped in @ms milliseconds. */
static void pvcalls_datamap_queue(struct pvcalls_datamap *map, u32 ms)
{
	queue_delayed_work(pvcalls_datamap_wq, &map->late,
			   msecs_to_jiffies(ms));
}

static void pvcalls_datamap_late(struct work_struct *work)
{
	struct pvcalls_datamap *map = container_of(to_delayed_work(work),
						   struct pvcalls_datamap,
						   late);

	if (pvcalls_datamap_is_busy(map)) {
		map->looks++;
		pvcalls_datamap_queue(map, min_t(u32, PVCALLS_LATE_MAX_MS,
						 map->looks * PVCALLS_LATE_MS));
		return;
	}
	pvcalls_datamap_free(map, &pvcalls_datamap_late_scratch);
	if (atomic_dec_and_test(&pvcalls_datamaps_late))
		wake_up_var(&pvcalls_datamaps_late);
}

/**
 * pvcalls_datamap_map() - map the indexes page of a data ring
 * @peer: the guest, which has been charged the page
 * @ref: grant of the indexes page
 * @max_order: the largest order that is allowed, 1 to PVCALLS_MAX_PAGE_ORDER
 * @scratch: memory to work with
 *
 * The order is read from the indexes page once, because the guest may change
 * it. pvcalls_datamap_fill() maps the rest of the ring.
 *
 * Context: process, may sleep.
 * Return: the mapping, which has taken the charge over; or an error pointer,
 * and the charge is still the caller's: -EINVAL for a bad order, -EFAULT for a
 * bad grant, -ENOSPC if this domain's maptrack table is full, -ENOMEM.
 */
struct pvcalls_datamap *
pvcalls_datamap_map(const struct pvcalls_peer *peer, grant_ref_t ref,
		    u32 max_order, struct pvcalls_datamap_scratch *scratch)
{
	struct pvcalls_datamap *map;
	int err;

	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return ERR_PTR(-ENOMEM);
	refcount_set(&map->ref, 1);
	INIT_DELAYED_WORK(&map->late, pvcalls_datamap_late);

	err = pvcalls_map_pages(peer->domid, &ref, &map->intf_page,
				&map->intf_handle, 1, scratch);
	if (err)
		goto free;
	map->intf = (void *)pvcalls_page_vaddr(map->intf_page);

	map->order = READ_ONCE(map->intf->ring_order);
	if (map->order < 1 || map->order > max_order) {
		err = -EINVAL;
		goto unmap;
	}
	map->account = peer->account;
	pvcalls_account_hold(map->account);
	return map;

unmap:
	pvcalls_unmap_pages(&map->intf_page, &map->intf_handle, 1, scratch);
free:
	kfree(map);
	return ERR_PTR(err);
}

/**
 * pvcalls_datamap_fill() - map the data pages of a ring
 * @map: mapping of the indexes page
 * @domid: the guest, which has been charged the data pages
 * @scratch: memory to work with
 *
 * The grant references are read from the indexes page once, because the guest
 * may change them.
 *
 * Context: process, may sleep.
 * Return: 0, and the mapping has taken the charge over; or an error, and the
 * charge is still the caller's: -EFAULT for a bad grant, -ENOSPC if this
 * domain's maptrack table is full, -ENOMEM.
 */
int pvcalls_datamap_fill(struct pvcalls_datamap *map, domid_t domid,
			 struct pvcalls_datamap_scratch *scratch)
{
	u32 n = 1U << map->order;
	grant_handle_t *handles;
	struct page **pages;
	grant_ref_t *refs;
	int err = -ENOMEM;

	refs = pvcalls_copy_refs(map->intf, n);
	pages = kvmalloc_array(n + 1, sizeof(*pages), GFP_KERNEL);
	handles = kvmalloc_array(n + 1, sizeof(*handles), GFP_KERNEL);
	if (refs && pages && handles)
		err = pvcalls_map_pages(domid, refs, pages, handles, n,
					scratch);
	kvfree(refs);
	if (err) {
		kvfree(handles);
		kvfree(pages);
		return err;
	}
	/* the indexes page comes last, so that one call unmaps all pages */
	pages[n] = map->intf_page;
	handles[n] = map->intf_handle;
	map->pages = pages;
	map->handles = handles;
	return 0;
}

/**
 * pvcalls_datamap_unmap() - give a data ring back to its guest
 * @map: mapping, which the caller must not use any more
 * @scratch: memory to work with
 *
 * Drops the socket's reference. If sends still refer to pages of the ring, the
 * ring is unmapped after the last of these sends; and if somebody else does, a
 * little later.
 *
 * Context: process, may sleep, but not for the network.
 */
void pvcalls_datamap_unmap(struct pvcalls_datamap *map,
			   struct pvcalls_datamap_scratch *scratch)
{
	if (!refcount_dec_and_test(&map->ref))
		return;
	if (!pvcalls_datamap_is_busy(map)) {
		pvcalls_datamap_free(map, scratch);
		return;
	}
	atomic_inc(&pvcalls_datamaps_late);
	pvcalls_datamap_queue(map, PVCALLS_LATE_MS);
}

/**
 * pvcalls_datamap_put() - drop the reference of a send
 * @map: mapping whose pages the send does not refer to any more
 *
 * Context: any.
 */
void pvcalls_datamap_put(struct pvcalls_datamap *map)
{
	if (!refcount_dec_and_test(&map->ref))
		return;
	atomic_inc(&pvcalls_datamaps_late);
	pvcalls_datamap_queue(map, 0);
}
