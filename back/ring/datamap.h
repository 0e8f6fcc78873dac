/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mapped data ring of a guest: the indexes page and the pages of the two
 * arrays. Each grant is mapped into a real page, so that the network stack may
 * refer to it.
 */
#ifndef PVCALLS_BACK_DATAMAP_H
#define PVCALLS_BACK_DATAMAP_H

#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <xen/grant_table.h>
#include <xen/interface/io/pvcalls.h>

struct page;
struct pvcalls_account;
struct pvcalls_peer;

/* Grants in one hypercall: enough for a ring of order 8 and its indexes page */
#define PVCALLS_GRANT_BATCH	257

/*
 * Cost of a page that is mapped or unmapped, and of a ring's event channel that
 * is bound or closed, in bytes that could have been moved instead
 */
#define PVCALLS_PAGE_COST	4096
#define PVCALLS_PORT_COST	16384

/**
 * struct pvcalls_datamap_scratch - memory for mapping and unmapping
 * @cost: what has been mapped and unmapped has cost so many bytes. A worker
 *	charges them after each run, and begins with 0 again
 * @map: arguments of a hypercall
 * @unmap: arguments of a hypercall
 * @pages: pages of the grants in @unmap
 *
 * Each worker has its own, because unmapping must not fail for want of memory.
 */
struct pvcalls_datamap_scratch {
	u64 cost;
	union {
		struct gnttab_map_grant_ref map[PVCALLS_GRANT_BATCH];
		struct gnttab_unmap_grant_ref unmap[PVCALLS_GRANT_BATCH];
	};
	struct page *pages[PVCALLS_GRANT_BATCH];
};

/**
 * struct pvcalls_datamap - one mapped data ring
 * @intf: the indexes page; the guest may change it at any time
 * @order: log2 of the number of data pages, checked: 1 to the caller's limit
 * @pages: the data pages, first half `in` and second half `out`, and after them
 *	@intf_page; NULL until pvcalls_datamap_fill()
 * @handles: grant handles of @pages, in the same order
 * @intf_page: page of @intf
 * @intf_handle: grant handle of @intf_page
 * @account: who is charged the pages that are mapped, with a reference
 * @ref: references, held by the socket, and by each send that refers to the
 *	pages
 * @late: unmaps the ring after the last reference has been dropped, if a send
 *	drops it, or if somebody still refers to a page
 * @looks: how often @late has found that somebody does
 */
struct pvcalls_datamap {
	struct pvcalls_data_intf *intf;
	u32 order;
	struct page **pages;
	grant_handle_t *handles;
	struct page *intf_page;
	grant_handle_t intf_handle;
	struct pvcalls_account *account;
	refcount_t ref;
	struct delayed_work late;
	u32 looks;
};

/**
 * pvcalls_datamap_pages() - how many pages of the guest a ring holds
 * @map: a mapped ring
 *
 * Context: any.
 * Return: number of pages of 4 KiB, including the indexes page.
 */
static inline u32 pvcalls_datamap_pages(const struct pvcalls_datamap *map)
{
	return 1 + (1U << map->order);
}

/**
 * pvcalls_datamap_in() - the pages for bytes to the guest
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
 * pvcalls_datamap_out() - the pages with bytes from the guest
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
pvcalls_datamap_map(const struct pvcalls_peer *peer, grant_ref_t ref,
		    u32 max_order, struct pvcalls_datamap_scratch *scratch);
int pvcalls_datamap_fill(struct pvcalls_datamap *map, domid_t domid,
			 struct pvcalls_datamap_scratch *scratch);
void pvcalls_datamap_unmap(struct pvcalls_datamap *map,
			   struct pvcalls_datamap_scratch *scratch);
void pvcalls_datamap_put(struct pvcalls_datamap *map);
bool pvcalls_datamap_is_busy(const struct pvcalls_datamap *map);

#endif /* PVCALLS_BACK_DATAMAP_H */
