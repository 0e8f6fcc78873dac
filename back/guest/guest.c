// SPDX-License-Identifier: GPL-2.0
/* The guest's life and the list of all guests; guest.h describes the object. */
#include <linux/mutex.h>
#include <linux/slab.h>

#include <xen/events.h>

#include "account/ledger.h"
#include "guest/guest.h"
#include "sched/queues.h"

static DEFINE_MUTEX(pvcalls_guest_lock);
static LIST_HEAD(pvcalls_guest_list);

/**
 * pvcalls_guest_for_each() - call a function for each connected guest
 * @fn: the function; may sleep, but must not connect or disconnect a guest
 * @arg: argument of @fn
 *
 * Context: process, may sleep; @fn is called with the list's mutex held.
 */
void pvcalls_guest_for_each(void (*fn)(struct pvcalls_guest *g, void *arg),
			    void *arg)
{
	struct pvcalls_guest *g;

	mutex_lock(&pvcalls_guest_lock);
	list_for_each_entry(g, &pvcalls_guest_list, all)
		fn(g, arg);
	mutex_unlock(&pvcalls_guest_lock);
}

/**
 * pvcalls_guest_new() - allocate a guest
 *
 * Context: process, may sleep.
 * Return: a guest that is not connected yet, with one reference; or NULL.
 */
struct pvcalls_guest *pvcalls_guest_new(void)
{
	struct pvcalls_guest *g = kvzalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return NULL;
	kref_init(&g->ref);
	init_completion(&g->stopped);
	spin_lock_init(&g->rsp_lock);
	INIT_LIST_HEAD(&g->results);
	return g;
}

/**
 * pvcalls_guest_show() - add a guest to the list of connected guests
 * @g: the guest, which pvcalls_guest_for_each() will find
 *
 * Context: process, may sleep; undone by pvcalls_guest_hide().
 */
void pvcalls_guest_show(struct pvcalls_guest *g)
{
	mutex_lock(&pvcalls_guest_lock);
	list_add_tail(&g->all, &pvcalls_guest_list);
	mutex_unlock(&pvcalls_guest_lock);
}

/**
 * pvcalls_guest_hide() - undo pvcalls_guest_show()
 * @g: the guest
 *
 * Context: process, may sleep.
 */
void pvcalls_guest_hide(struct pvcalls_guest *g)
{
	mutex_lock(&pvcalls_guest_lock);
	list_del(&g->all);
	mutex_unlock(&pvcalls_guest_lock);
}

/**
 * pvcalls_guest_get() - take a reference
 * @g: the guest
 *
 * Context: any.
 */
void pvcalls_guest_get(struct pvcalls_guest *g)
{
	kref_get(&g->ref);
}

static void pvcalls_guest_free(struct kref *ref)
{
	struct pvcalls_guest *g = container_of(ref, struct pvcalls_guest, ref);

	if (g->peer.account)
		pvcalls_account_put(g->peer.account);
	if (g->queues)
		pvcalls_queues_put(g->queues);
	kvfree(g->socks);
	kvfree(g->slots);
	kvfree(g);
}

/**
 * pvcalls_guest_put() - drop a reference
 * @g: the guest, which is freed with its last reference
 *
 * Context: any.
 */
void pvcalls_guest_put(struct pvcalls_guest *g)
{
	kref_put(&g->ref, pvcalls_guest_free);
}

/**
 * pvcalls_guest_notify() - send the event that responses are owed, if any
 * @g: the guest
 *
 * Every run that may have answered requests ends with this call, so that one
 * event announces all responses of the run. The caller must be the command
 * ring's run or hold a live socket, because these keep the event channel open.
 *
 * Context: process, may sleep.
 */
void pvcalls_guest_notify(struct pvcalls_guest *g)
{
	if (test_bit(PVCALLS_GUEST_NOTIFY, &g->flags) &&
	    test_and_clear_bit(PVCALLS_GUEST_NOTIFY, &g->flags))
		notify_remote_via_irq(g->irq);
}
