// SPDX-License-Identifier: GPL-2.0
/* Pages for sending; frags.h says why workers reuse them. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/skbuff.h>

#include <net/sock.h>

#include "ring/frags.h"
#include "pvcalls_param.h"

/* A page with less room than this, in bytes, is full: half of a small page */
#define PVCALLS_FRAG_FULL	2048

PVCALLS_PARAM_UINT(recycle, 128, 0, PVCALLS_MAX_FRAGS, 0644);
MODULE_PARM_DESC(recycle,
		 "Pages of up to 32 KiB for sending that a worker keeps and uses again, 0 to 512 (default 128)");

static struct page *pvcalls_frags_pop(struct pvcalls_frags *f)
{
	struct page *page = f->page[f->first];

	f->first = (f->first + 1) % PVCALLS_MAX_FRAGS;
	f->count--;
	return page;
}

/* Queue a full page until the network has let go of it. */
static void pvcalls_frags_push(struct pvcalls_frags *f, struct page *page)
{
	if (f->count >= READ_ONCE(param_recycle)) {
		put_page(page);
		return;
	}
	f->page[(f->first + f->count) % PVCALLS_MAX_FRAGS] = page;
	f->count++;
}

/*
 * Take the oldest page if the network has let go of it. If not, the page
 * becomes the newest: a receiver that does not read must not keep the other
 * pages from being used again.
 */
static struct page *pvcalls_frags_oldest(struct pvcalls_frags *f)
{
	struct page *page;

	if (!f->count)
		return NULL;
	page = pvcalls_frags_pop(f);
	if (page_ref_count(page) == 1)
		return page;
	pvcalls_frags_push(f, page);
	return NULL;
}

/**
 * pvcalls_frags_room() - give this task a page to send from
 * @f: pages of the worker that this is
 *
 * Context: the worker that @f belongs to, may sleep.
 * Return: bytes that TCP can copy before it allocates a page of its own; 0 if
 * there is no memory.
 */
u32 pvcalls_frags_room(struct pvcalls_frags *f)
{
	struct page_frag *frag = &current->task_frag;
	struct page *page;

	if (frag->page) {
		if (page_ref_count(frag->page) == 1)
			frag->offset = 0;
		if (frag->size - frag->offset >= PVCALLS_FRAG_FULL)
			return frag->size - frag->offset;
		pvcalls_frags_push(f, frag->page);
		frag->page = NULL;
	}

	page = pvcalls_frags_oldest(f);
	if (page) {
		frag->page = page;
		frag->offset = 0;
		frag->size = page_size(page);
	} else if (!skb_page_frag_refill(PVCALLS_FRAG_FULL, frag,
					 GFP_KERNEL)) {
		return 0;
	}
	return frag->size;
}

/**
 * pvcalls_frags_swap() - lend a socket the softirq's page, or undo that
 * @f: a worker's pages
 * @sk: locked socket that has either no page of its own or the lent page
 *
 * A task lends sockets its own page, but a softirq has no task. The page is
 * taken back because it would cost 32 KiB in each socket.
 *
 * Context: softirq, for the worker that @f belongs to.
 */
void pvcalls_frags_swap(struct pvcalls_frags *f, struct sock *sk)
{
	swap(f->fast, sk->sk_frag);
}

/**
 * pvcalls_frags_free() - give all pages back
 * @f: pages of a worker that has stopped
 *
 * A page that is being sent is freed when the network lets go of it.
 *
 * Context: any.
 */
void pvcalls_frags_free(struct pvcalls_frags *f)
{
	while (f->count)
		put_page(pvcalls_frags_pop(f));
	if (f->fast.page)
		put_page(f->fast.page);
}
