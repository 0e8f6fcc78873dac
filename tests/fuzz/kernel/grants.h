/* SPDX-License-Identifier: GPL-2.0 */
/* The pages of a kernel, and the grants that are mapped into them. */
#ifndef FUZZ_KERNEL_GRANTS_H
#define FUZZ_KERNEL_GRANTS_H

#include "kernel.h"

/*
 * A page that a grant can be mapped into. Of its memory there is as much as is
 * looked at.
 */
struct page {
	u8 *mem;
	int count;
	grant_ref_t ref;
	grant_handle_t handle;
	bool mapped;
};

#define page_to_pfn(p)		((unsigned long)(p))
#define pfn_to_kaddr(pfn)	(((struct page *)(pfn))->mem)
#define page_count(p)		((p)->count)

static inline void gnttab_set_map_op(struct gnttab_map_grant_ref *op,
				     unsigned long vaddr, u32 flags,
				     grant_ref_t ref, domid_t domid)
{
	op->vaddr = vaddr;
	op->flags = flags;
	op->ref = ref;
	op->domid = domid;
}

static inline void gnttab_set_unmap_op(struct gnttab_unmap_grant_ref *op,
				       unsigned long vaddr, u32 flags,
				       grant_handle_t handle)
{
	op->vaddr = vaddr;
	op->flags = flags;
	op->handle = handle;
}

int gnttab_alloc_pages(int n, struct page **pages);
void gnttab_free_pages(int n, struct page **pages);
int gnttab_map_refs(struct gnttab_map_grant_ref *ops, void *kops,
		    struct page **pages, unsigned int count);
int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *ops, void *kops,
		      struct page **pages, unsigned int count);

#define alloc_ordered_workqueue(name, flags) \
	((struct workqueue_struct *)calloc(1, 1))
#define destroy_workqueue(wq)	free(wq)
#define queue_delayed_work(wq, w, delay) \
	((void)(wq), (void)(delay), fuzz_queue(w))
void fuzz_queue(struct delayed_work *work);

/* Nobody else is there to make a condition true */
#define wait_var_event(var, condition)	\
	do { if (!(condition)) abort(); } while (0)
#define wake_up_var(var)	((void)(var))

#endif /* FUZZ_KERNEL_GRANTS_H */
