// SPDX-License-Identifier: GPL-2.0
/* See link.h. The object: its life, and which link new sockets use. */
#include <linux/slab.h>

#include "link/link.h"
#include "link/work.h"

/* The link that new sockets use; written under the lock, read without it */
static struct pvc_link *pvc_current;
static bool pvc_current_dgram;
/* The guest has a device, so that a backend may come; read without a lock */
static bool pvc_expected;
static DEFINE_SPINLOCK(pvc_current_lock);

/**
 * pvc_link_new() - make a link that nobody uses yet
 * @otherend: the backend's domain
 * @broken: takes the link down after the backend has broken a rule, and drops
 *	the reference that pvc_link_break() has taken; runs in process context
 *
 * Event channels, cache and command ring are set up by their own files.
 *
 * Context: process, may sleep.
 * Return: the link with one reference, or NULL without memory.
 */
struct pvc_link *pvc_link_new(domid_t otherend,
			      void (*broken)(struct work_struct *work))
{
	struct pvc_link *link = kzalloc(sizeof(*link), GFP_KERNEL);

	if (!link)
		return NULL;
	kref_init(&link->ref);
	spin_lock_init(&link->lock);
	spin_lock_init(&link->conns_lock);
	link->slow_until = jiffies;
	INIT_LIST_HEAD(&link->backlog);
	INIT_LIST_HEAD(&link->held);
	INIT_LIST_HEAD(&link->conns);
	INIT_WORK(&link->broken, broken);
	xa_init_flags(&link->cmds, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ);
	link->otherend = otherend;
	return link;
}

/**
 * pvc_link_publish() - say which link new sockets use from now on
 * @link: the link, or NULL for none
 *
 * Context: process; does not sleep.
 */
void pvc_link_publish(struct pvc_link *link)
{
	spin_lock(&pvc_current_lock);
	WRITE_ONCE(pvc_current_dgram,
		   link && pvc_link_has(link, PVCALLS_F_DGRAM));
	WRITE_ONCE(pvc_current, link);
	spin_unlock(&pvc_current_lock);
}

/**
 * pvc_link_get() - find the link that new sockets use
 *
 * Context: process; does not sleep.
 * Return: the link with a reference, or NULL if there is no backend now.
 */
struct pvc_link *pvc_link_get(void)
{
	struct pvc_link *link;

	spin_lock(&pvc_current_lock);
	link = pvc_current;
	if (link)
		kref_get(&link->ref);
	spin_unlock(&pvc_current_lock);
	return link;
}

/**
 * pvc_link_present() - is there a backend now?
 *
 * Context: any. The answer may be outdated when the caller gets it.
 * Return: true if so.
 */
bool pvc_link_present(void)
{
	return READ_ONCE(pvc_current);
}

/**
 * pvc_link_expect() - say whether a backend may come
 * @expected: the guest has a device
 *
 * Context: any.
 */
void pvc_link_expect(bool expected)
{
	WRITE_ONCE(pvc_expected, expected);
}

/**
 * pvc_link_away() - is there no backend now, though one may come?
 *
 * Context: any. The answer may be outdated when the caller gets it.
 * Return: true if so.
 */
bool pvc_link_away(void)
{
	return READ_ONCE(pvc_expected) && !pvc_link_present();
}

/**
 * pvc_link_datagrams() - is there a backend for datagrams now?
 *
 * Context: any. The answer may be outdated when the caller gets it.
 * Return: true if so.
 */
bool pvc_link_datagrams(void)
{
	return READ_ONCE(pvc_current_dgram);
}

static void pvc_link_free(struct kref *ref)
{
	struct pvc_link *link = container_of(ref, struct pvc_link, ref);

	xa_destroy(&link->cmds);
	kfree(link->watch.node);
	kfree(link);
}

/**
 * pvc_link_put() - drop a reference
 * @link: the link
 *
 * Context: any.
 */
void pvc_link_put(struct pvc_link *link)
{
	kref_put(&link->ref, pvc_link_free);
}

/**
 * pvc_link_break() - give up a backend that has broken the protocol
 * @link: the link
 * @rule: what the backend did, for the log
 *
 * The link goes down a little later, in process context.
 *
 * Context: any.
 */
void pvc_link_break(struct pvc_link *link, const char *rule)
{
	if (test_and_set_bit(0, &link->break_once))
		return;
	pr_err_ratelimited("backend %u broke the protocol: %s; connection closed\n",
			   link->otherend, rule);
	kref_get(&link->ref);
	pvc_queue_work(&link->broken);
}

/**
 * pvc_link_late() - the backend has not answered in time
 * @link: the link; pvc_link_answered() follows, with the answer or the link's
 *	end
 *
 * Context: process; does not sleep.
 */
void pvc_link_late(struct pvc_link *link)
{
	if (atomic_inc_return(&link->late) == 1)
		pr_warn_ratelimited("backend %u does not answer; close() does not wait for it\n",
				    link->otherend);
}

/**
 * pvc_link_answered() - the backend has answered at last
 * @link: the link, after pvc_link_late()
 *
 * Context: any.
 */
void pvc_link_answered(struct pvc_link *link)
{
	if (atomic_dec_and_test(&link->late) && !pvc_link_ended(link))
		pr_info_ratelimited("backend %u answers again\n",
				    link->otherend);
}
