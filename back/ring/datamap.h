/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A data ring of a guest, mapped: the indexes page and the pages of the two
 * arrays, each grant in a real page that the network stack may refer to.
 */
#ifndef PVCALLS_BACK_DATAMAP_H
#define PVCALLS_BACK_DATAMAP_H

#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <xen/grant_table.h>
#include <xen/interface/io/pvcalls.h>

struct page;

/* Grants that are mapped or unmapped by one hypercall: a ring of order 8 */
#define PVCALLS_GRANT_BATCH	257

/**
 * struct pvcalls_datamap_scratch - memory for mapping and unmapping
 * @map: arguments of a hypercall
 * @unmap: arguments of a hypercall
 * @pages: the pages that they are about
 *
 * There is one per worker, so that unmapping can't fail for want of memory.
 */
struct pvcalls_datamap_scratch {
	union {
		struct gnttab_map_grant_ref map[PVCALLS_GRANT_BATCH];
		struct gnttab_unmap_grant_ref unmap[PVCALLS_GRANT_BATCH];
	};
	struct page *pages[PVCALLS_GRANT_BATCH];
};

/**
 * struct pvcalls_datamap - one mapped data ring
 * @intf: the indexes page; the guest may change it at any time
 * @order: there are 2^@order data pages; checked
 * @pages: of the data; the first half is `in`, the second `out`; then @intf's
 * @handles: of the pages' grants, in the same order
 * @intf_page: page of @intf
 * @intf_handle: grant of @intf
 * @ref: held by the socket, and by each send that refers to the pages
 * @work: unmaps it when the last of those sends was the last reference
 */
struct pvcalls_datamap {
	struct pvcalls_data_intf *intf;
	u32 order;
	struct page **pages;
	grant_handle_t *handles;
	struct page *intf_page;
	grant_handle_t intf_handle;
	refcount_t ref;
	struct work_struct work;
};

/**
 * pvcalls_datamap_pages() - pages of the guest that a ring holds
 * @map: a mapped ring
 *
 * Context: any.
 * Return: their number, with the indexes page.
 */
static inline u32 pvcalls_datamap_pages(const struct pvcalls_datamap *map)
{
	return 1 + (1U << map->order);
}

/**
 * pvcalls_datamap_in() - where the bytes for the guest go
 * @map: a mapped ring
 *
 * Context: any.
 * Return: the pages of the array `in`, 2^(@map->order - 1) of them.
 */
static inline struct page **
pvcalls_datamap_in(const struct pvcalls_datamap *map)
{
	return map->pages;
}

/**
 * pvcalls_datamap_out() - where the guest's bytes are
 * @map: a mapped ring
 *
 * Context: any.
 * Return: the pages of the array `out`, 2^(@map->order - 1) of them.
 */
static inline struct page **
pvcalls_datamap_out(const struct pvcalls_datamap *map)
{
	return map->pages + (1U << (map->order - 1));
}

int pvcalls_datamap_init(void);
void pvcalls_datamap_exit(void);

struct pvcalls_datamap *
pvcalls_datamap_map(domid_t domid, grant_ref_t ref, u32 max_order,
		    struct pvcalls_datamap_scratch *scratch);
void pvcalls_datamap_unmap(struct pvcalls_datamap *map,
			   struct pvcalls_datamap_scratch *scratch);
void pvcalls_datamap_put(struct pvcalls_datamap *map);

#endif /* PVCALLS_BACK_DATAMAP_H */
