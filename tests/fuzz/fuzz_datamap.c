// SPDX-License-Identifier: GPL-2.0
/*
 * Data rings that a guest wants to have mapped. It writes the order and the
 * grants as it likes, at the very moment when they are read. Each is read once,
 * no more pages are mapped than may be, and of a ring that cannot be mapped
 * nothing stays. What was mapped is unmapped once, when nobody refers to it.
 */
#include "account/ledger.h"
#include "input.h"
#include "peer.h"
#include "ring/datamap.h"

#define MOST	(1 + (1 << PVCALLS_MAX_PAGE_ORDER))

static struct pvcalls_datamap_scratch scratch;
static struct delayed_work *late;
/* All pages that there are, and what is mapped of them */
static struct page all[2 * MOST];
static u32 nr_pages, nr_mapped, nr_leaked;
static long charged;
static int holds;
/* The indexes page as the guest sees it, and what was read there */
static u8 *shared;
static u32 words[PAGE_SIZE / 4], reads[PAGE_SIZE / 4];
static bool fails;

/* The guest changes a word while it is looked at */
void peer_look(const volatile void *p, size_t len)
{
	size_t at = (const volatile u8 *)p - shared;

	if (!shared || (u8 *)p < shared || at >= PAGE_SIZE)
		return;
	MUST(len == sizeof(u32) && at % 4 == 0);
	if (at == PVCALLS_RING_ORDER_OFFSET && take_u8() % 2)
		*(u32 *)p = take_u8() % 12;
	else if (take_u8() % 8 == 0)
		*(u32 *)p = take_u32();
	words[at / 4] = *(const volatile u32 *)p;
	reads[at / 4]++;
}

int gnttab_alloc_pages(int n, struct page **pages)
{
	int i;

	MUST(n >= 1 && n < MOST);
	if (fails && take_u8() % 8 == 0)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		MUST(nr_pages < ARRAY_SIZE(all));
		pages[i] = &all[nr_pages++];
		pages[i]->count = 1;
		/* a single page is that of the indexes */
		pages[i]->mem = calloc(1, n == 1 ? PAGE_SIZE : 1);
		MUST(pages[i]->mem);
		if (n == 1)
			shared = pages[i]->mem;
	}
	return 0;
}

void gnttab_free_pages(int n, struct page **pages)
{
	int i;

	for (i = 0; i < n; i++) {
		MUST(!pages[i]->mapped && pages[i]->count == 1);
		MUST(pages[i]->mem);
		if (pages[i]->mem == shared)
			shared = NULL;
		free(pages[i]->mem);
		pages[i]->mem = NULL;
	}
}

/* Was the last map refused since a table is full? */
static bool full;

int gnttab_map_refs(struct gnttab_map_grant_ref *ops, void *kops,
		    struct page **pages, unsigned int count)
{
	static grant_handle_t handle;
	unsigned int i;

	MUST(count >= 1 && count <= PVCALLS_GRANT_BATCH);
	for (i = 0; i < count; i++) {
		MUST(ops[i].vaddr == (unsigned long)pages[i]->mem);
		MUST(ops[i].flags == GNTMAP_host_map && ops[i].domid == 5);
		if (fails && take_u8() % 32 == 0) {
			full = ops[i].ref % 2;
			ops[i].status = full ? GNTST_no_space :
					       GNTST_bad_gntref;
			ops[i].handle = 12345;
			continue;
		}
		ops[i].status = GNTST_okay;
		ops[i].handle = ++handle;
		pages[i]->mapped = true;
		pages[i]->ref = ops[i].ref;
		pages[i]->handle = handle;
		nr_mapped++;
	}
	return 0;
}

int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *ops, void *kops,
		      struct page **pages, unsigned int count)
{
	unsigned int i;

	MUST(count >= 1 && count <= PVCALLS_GRANT_BATCH);
	for (i = 0; i < count; i++) {
		MUST(ops[i].vaddr == (unsigned long)pages[i]->mem);
		MUST(pages[i]->mapped && ops[i].handle == pages[i]->handle);
		MUST(pages[i]->count == 1);
		ops[i].status = GNTST_okay;
		if (fails && take_u8() % 64 == 0) {
			ops[i].status = GNTST_bad_gntref;
			nr_leaked++;
			continue;
		}
		pages[i]->mapped = false;
		nr_mapped--;
	}
	return 0;
}

void fuzz_queue(struct delayed_work *work)
{
	MUST(!late || late == work);
	late = work;
}

void pvcalls_account_hold(struct pvcalls_account *account)
{
	holds++;
}

void pvcalls_account_put(struct pvcalls_account *account)
{
	MUST(holds-- > 0);
}

void pvcalls_account_uncharge(struct pvcalls_account *account,
			      enum pvcalls_kind kind, long n)
{
	MUST(kind == PVCALLS_KIND_PAGES);
	charged -= n;
}

/* Maps the indexes page, which the guest fills with what it likes */
static struct pvcalls_datamap *map_ring(u32 max_order)
{
	const struct pvcalls_peer peer = { .domid = 5 };
	struct pvcalls_datamap *map;
	u32 order = PVCALLS_RING_ORDER_OFFSET / 4;

	charged = 1;
	map = pvcalls_datamap_map(&peer, take_u32(), max_order, &scratch);
	if (IS_ERR(map)) {
		MUST(PTR_ERR(map) == -EINVAL || PTR_ERR(map) == -ENOMEM ||
		     PTR_ERR(map) == (full ? -ENOSPC : -EFAULT));
		MUST(charged == 1 && !holds);
		return NULL;
	}
	MUST(reads[order] == 1 && map->order == words[order]);
	MUST(map->order >= 1 && map->order <= max_order);
	MUST(holds == 1 && nr_mapped == 1);
	return map;
}

static void check_filled(const struct pvcalls_datamap *map)
{
	u32 i, n = 1U << map->order, first = PVCALLS_RING_ORDER_OFFSET / 4 + 1;

	MUST(pvcalls_datamap_pages(map) == n + 1 && nr_mapped == n + 1);
	MUST(pvcalls_datamap_out(map) - pvcalls_datamap_in(map) == n / 2);
	for (i = 0; i < PAGE_SIZE / 4 - first; i++) {
		MUST(reads[first + i] == (i < n));
		if (i < n)
			MUST(map->pages[i]->ref == words[first + i] &&
			     map->pages[i]->mapped);
	}
	MUST((u8 *)map->intf == map->pages[n]->mem);
}

/* The network lets go of a page, and the ring is looked at once more */
static void until_free(struct page *busy)
{
	struct delayed_work *work = late;
	u32 mapped = nr_mapped;

	late = NULL;
	if (!work)
		return;
	work->work.fn(&work->work);
	if (late) {
		MUST(busy && nr_mapped == mapped);
		busy->count = 1;
		work = late;
		late = NULL;
		work->work.fn(&work->work);
	}
	MUST(!late);
}

/* A socket has the ring, and sends refer to it; in the end nobody does */
static void use_ring(struct pvcalls_datamap *map)
{
	u32 n = 1U << map->order, sends = take_u8() % 4, i;
	struct page *busy = NULL;

	charged += n;
	if (pvcalls_datamap_fill(map, 5, &scratch)) {
		/* only the indexes page is left, and the charge for it */
		charged -= n;
		MUST(nr_mapped - nr_leaked == 1 && !map->pages);
	} else {
		check_filled(map);
		if (take_u8() % 2) {
			busy = map->pages[take_u32() % n];
			busy->count = 2;
		}
	}
	MUST(pvcalls_datamap_is_busy(map) == !!busy);
	map->ref.v += sends;
	n = nr_mapped;
	for (i = 0; i <= sends; i++) {
		MUST(nr_mapped == n && !late);
		if (i == sends / 2)
			pvcalls_datamap_unmap(map, &scratch);
		else
			pvcalls_datamap_put(map);
	}
	until_free(busy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pvcalls_datamap *map;
	u32 how;

	input = data;
	left = size;
	how = take_u8();
	fails = how & 1;
	nr_leaked = 0;
	memset(reads, 0, sizeof(reads));
	MUST(!pvcalls_datamap_init());
	map = map_ring(1 + (how >> 1) % PVCALLS_MAX_PAGE_ORDER);
	if (map)
		use_ring(map);
	pvcalls_datamap_exit();
	MUST(nr_mapped == nr_leaked);
	for (how = 0; how < nr_pages; how++) {
		/* what could not be unmapped is never used again */
		MUST(!all[how].mem || nr_leaked);
		free(all[how].mem);
	}
	if (map && !nr_leaked)
		MUST(!charged && !holds);
	memset(all, 0, nr_pages * sizeof(*all));
	nr_pages = 0;
	nr_mapped = 0;
	holds = 0;
	late = NULL;
	shared = NULL;
	return 0;
}
