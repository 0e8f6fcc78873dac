// SPDX-License-Identifier: GPL-2.0
/* Mapping and unmapping of data rings; datamap.h describes the object. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "account/ledger.h"
#include "peer.h"
#include "ring/datamap.h"

/*
 * Unmaps one ring at a time. Its rings were still being sent when their guest
 * went away.
 */
static struct workqueue_struct *pvcalls_datamap_wq;
static struct pvcalls_datamap_scratch pvcalls_datamap_late;

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
 * Context: process, sleeps; all references must have been dropped.
 */
void pvcalls_datamap_exit(void)
{
	destroy_workqueue(pvcalls_datamap_wq);
}

static unsigned long pvcalls_page_vaddr(struct page *page)
{
	return (unsigned long)pfn_to_kaddr(page_to_pfn(page));
}

/*
 * Unmap the grants among @n pages, and free the pages. A page without a mapping
 * has an invalid handle. Returns whether all could be unmapped.
 */
static bool pvcalls_unmap_pages(struct page **pages, grant_handle_t *handles,
				u32 n, struct pvcalls_datamap_scratch *scratch)
{
	struct gntab_unmap_queue_data *item = &scratch->item;
	bool failed = false;
	u32 i = 0;

	scratch->cost += n * PVCALLS_PAGE_COST;
	while (i < n) {
		u32 j;

		*item = (struct gntab_unmap_queue_data) {
			.unmap_ops = scratch->unmap,
			.pages = scratch->pages,
		};
		for (; i < n && item->count < PVCALLS_GRANT_BATCH; i++) {
			if (handles[i] == INVALID_GRANT_HANDLE)
				continue;
			gnttab_set_unmap_op(&scratch->unmap[item->count],
					    pvcalls_page_vaddr(pages[i]),
					    GNTMAP_host_map, handles[i]);
			scratch->pages[item->count++] = pages[i];
		}
		if (!item->count)
			break;
		if (gnttab_unmap_refs_sync(item))
			failed = true;
		for (j = 0; j < item->count; j++)
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
			else if (!err)
				err = -EFAULT;
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

static void pvcalls_datamap_work(struct work_struct *work)
{
	pvcalls_datamap_free(container_of(work, struct pvcalls_datamap, work),
			     &pvcalls_datamap_late);
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
 * bad grant, -ENOMEM.
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
	INIT_WORK(&map->work, pvcalls_datamap_work);

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
 * charge is still the caller's: -EFAULT for a bad grant, -ENOMEM.
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
 * ring is unmapped after the last of these sends.
 *
 * Context: process, may sleep, but not for the network.
 */
void pvcalls_datamap_unmap(struct pvcalls_datamap *map,
			   struct pvcalls_datamap_scratch *scratch)
{
	if (refcount_dec_and_test(&map->ref))
		pvcalls_datamap_free(map, scratch);
}

/**
 * pvcalls_datamap_put() - drop the reference of a send
 * @map: mapping whose pages the send does not refer to any more
 *
 * Context: any.
 */
void pvcalls_datamap_put(struct pvcalls_datamap *map)
{
	if (refcount_dec_and_test(&map->ref))
		queue_work(pvcalls_datamap_wq, &map->work);
}
