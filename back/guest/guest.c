// SPDX-License-Identifier: GPL-2.0
/* See guest.h. */
#include <linux/mutex.h>
#include <linux/slab.h>

#include <xen/events.h>

#include "guest/guest.h"

static DEFINE_MUTEX(pvcalls_guest_lock);
static LIST_HEAD(pvcalls_guest_list);

/**
 * pvcalls_guest_for_each() - look at all connected frontends
 * @fn: called for each; may sleep, must not connect or disconnect any
 * @arg: for @fn
 *
 * May sleep.
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
 * pvcalls_guest_new() - make an object
 *
 * Context: may sleep.
 * Return: a frontend with one reference that is not connected yet, or NULL.
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
 * pvcalls_guest_show() - a frontend is connected
 * @g: frontend, for pvcalls_guest_for_each() to find
 *
 * Context: may sleep. Undone by pvcalls_guest_hide().
 */
void pvcalls_guest_show(struct pvcalls_guest *g)
{
	mutex_lock(&pvcalls_guest_lock);
	list_add_tail(&g->all, &pvcalls_guest_list);
	mutex_unlock(&pvcalls_guest_lock);
}

/**
 * pvcalls_guest_hide() - undo pvcalls_guest_show()
 * @g: frontend
 *
 * Context: may sleep.
 */
void pvcalls_guest_hide(struct pvcalls_guest *g)
{
	mutex_lock(&pvcalls_guest_lock);
	list_del(&g->all);
	mutex_unlock(&pvcalls_guest_lock);
}

/**
 * pvcalls_guest_get() - take a reference
 * @g: frontend
 *
 * Any context.
 */
void pvcalls_guest_get(struct pvcalls_guest *g)
{
	kref_get(&g->ref);
}

static void pvcalls_guest_free(struct kref *ref)
{
	struct pvcalls_guest *g = container_of(ref, struct pvcalls_guest, ref);

	kvfree(g->socks);
	kvfree(g->slots);
	kvfree(g);
}

/**
 * pvcalls_guest_put() - drop a reference
 * @g: frontend; may be freed
 *
 * Any context.
 */
void pvcalls_guest_put(struct pvcalls_guest *g)
{
	kref_put(&g->ref, pvcalls_guest_free);
}

/**
 * pvcalls_guest_notify() - send the event that responses are owed, if any
 * @g: frontend
 *
 * Every run that may have answered requests ends with it. The caller must be
 * the command ring's run or hold a live socket, so that the event channel is
 * there. May sleep.
 */
void pvcalls_guest_notify(struct pvcalls_guest *g)
{
	if (test_bit(PVCALLS_GUEST_NOTIFY, &g->flags) &&
	    test_and_clear_bit(PVCALLS_GUEST_NOTIFY, &g->flags))
		notify_remote_via_irq(g->irq);
}
