// SPDX-License-Identifier: GPL-2.0
/*
 * See reserve.h. Neither the kernel nor Xen tells how many grants or event
 * channels a domain has left. So both are tried out, in ways that leave nothing
 * short for others meanwhile.
 */
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <asm/xen/hypercall.h>
#include <xen/events.h>
#include <xen/page.h>

#include "link/link.h"
#include "link/reserve.h"
#include "pvcalls_param.h"

/*
 * A queue of a network card takes 514 grants, a queue of a disk one and up to
 * 33 for each request that is under way: the default has room for four queues of
 * a card and 15 requests of a disk.
 */
PVCALLS_PARAM_UINT(reserve_grants, 2560, 0, 32768, 0644);
MODULE_PARM_DESC(reserve_grants,
		 "Grants that are left to other devices, 0 to 32768 (default 2560)");

/* A queue of a network card takes two, a queue of a disk one, a CPU six */
PVCALLS_PARAM_UINT(reserve_evtchns, 64, 0, 1024, 0644);
MODULE_PARM_DESC(reserve_evtchns,
		 "Event channels that are left to other devices, 0 to 1024 (default 64)");

/* How many event channels xl lets a domain have if nobody says otherwise */
#define PVC_USUAL_EVTCHNS	1023

/* Event channels that may be taken after a look at how many there are */
#define PVC_EVTCHN_CREDIT	48

/* The last ones of these are for event channels that rings share */
#define PVC_EVTCHN_SPARE	16

/* Pages of memory that all data rings may have together */
static long pvc_ring_memory;

/* Grants that Xen lets the domain have */
static long pvc_max_grants;

/* Makes it one step to look how much is left and to take of that */
static DEFINE_MUTEX(pvc_reserve_lock);

/**
 * struct pvc_evtchn_credit - what is known of the domain's event channels
 * @left: how many may be taken before the next look
 * @more: the last look has found as many as it looked for
 * @until: until when @left holds, in jiffies; no look comes before that if
 *	@more is false
 * @seen: the greatest port that Xen has given
 *
 * All is guarded by pvc_reserve_lock; @seen is also read without.
 */
struct pvc_evtchn_credit {
	unsigned int left;
	bool more;
	unsigned long until;
	evtchn_port_t seen;
};

static struct pvc_evtchn_credit pvc_evtchn_credit;

/**
 * pvc_reserve_look() - find out how many grants Xen lets the domain have
 *
 * Description: That may be another number on another host. Asking Xen takes a
 * hypercall, so this is done for each link, not for each ring.
 *
 * Context: any.
 */
void pvc_reserve_look(void)
{
	WRITE_ONCE(pvc_max_grants, gnttab_max_grant_frames() *
		   (long)(PAGE_SIZE / sizeof(struct grant_entry_v1)));
}

/**
 * pvc_reserve_init() - find out how much memory there is for rings
 *
 * Context: module initialisation.
 */
void pvc_reserve_init(void)
{
	pvc_ring_memory = totalram_pages() / 4;
	pvc_evtchn_credit.until = jiffies;
	pvc_reserve_look();
}

/**
 * pvc_reserve_pages() - how many pages may all data rings have together?
 *
 * Context: any.
 * Return: a quarter of the memory, or the grants that Xen lets the domain have
 * without the reserve, if that is less; 0 or more.
 */
long pvc_reserve_pages(void)
{
	long grants = READ_ONCE(pvc_max_grants) -
		      READ_ONCE(param_reserve_grants);

	return clamp(grants, 0L, pvc_ring_memory);
}

/* ---- grants ---- */

static void pvc_grants_are_free(void *arg)
{
	*(bool *)arg = true;
}

/* Has the grant table so many free entries, without growing? */
static bool pvc_grants_free(u16 n)
{
	struct gnttab_free_callback cb = {};
	bool free = false;

	/* nobody calls back any more once the request has been cancelled */
	gnttab_request_free_callback(&cb, pvc_grants_are_free, &free, n);
	gnttab_cancel_free_callback(&cb);
	return free;
}

/**
 * pvc_reserve_grants() - take grants, but none of the reserve
 * @n: how many
 * @head: as gnttab_alloc_grant_references() has it
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOSPC if there would be too few left.
 */
int pvc_reserve_grants(u16 n, grant_ref_t *head)
{
	unsigned int all = n + READ_ONCE(param_reserve_grants);
	int ret = 0;

	mutex_lock(&pvc_reserve_lock);
	if (!pvc_grants_free(all)) {
		/*
		 * The table may have room to grow. It grows for all that is
		 * wanted or not at all, so nobody misses what was free.
		 */
		ret = gnttab_alloc_grant_references(all, head);
		if (!ret)
			gnttab_free_grant_references(*head);
	}
	if (!ret)
		ret = gnttab_alloc_grant_references(n, head);
	mutex_unlock(&pvc_reserve_lock);
	return ret;
}

/* ---- event channels ---- */

/**
 * pvc_reserve_rings() - how many data rings may there be?
 * @link: the link
 *
 * Context: any.
 * Return: number, as far as event channels decide: no limit if the backend lets
 * rings share one.
 */
long pvc_reserve_rings(const struct pvc_link *link)
{
	long evtchns = max_t(long, PVC_USUAL_EVTCHNS,
			     READ_ONCE(pvc_evtchn_credit.seen));

	if (pvc_link_has(link, PVCALLS_F_SHARED_EVTCHN))
		return LONG_MAX;
	evtchns = min_t(long, evtchns, xen_evtchn_nr_channels());
	return max(evtchns - (long)READ_ONCE(param_reserve_evtchns), 0L);
}

static int pvc_evtchn_alloc(domid_t otherend, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = DOMID_SELF,
		.remote_dom = otherend,
	};
	int ret;

	ret = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	if (ret)
		return ret;
	*port = alloc.port;
	if (alloc.port > pvc_evtchn_credit.seen)
		WRITE_ONCE(pvc_evtchn_credit.seen, alloc.port);
	return 0;
}

static void pvc_evtchn_close(evtchn_port_t port)
{
	struct evtchn_close close = { .port = port };

	HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
}

/*
 * How many event channels are left, up to @n? Takes them for a moment. Returns
 * -ENOMEM if nobody can tell.
 */
static int pvc_evtchn_count(domid_t otherend, unsigned int n)
{
	evtchn_port_t *port = kmalloc_array(n, sizeof(*port), GFP_KERNEL);
	unsigned int found = 0, i;

	if (!port)
		return -ENOMEM;
	while (found < n && !pvc_evtchn_alloc(otherend, &port[found]))
		found++;
	for (i = 0; i < found; i++)
		pvc_evtchn_close(port[i]);
	kfree(port);
	return found;
}

/*
 * Looks how many event channels are left, if there may be no more than @spare.
 * While few are, other devices find none for the moment that this takes, so
 * there is a second between two looks. Call with the lock held. Returns 0 or
 * -ENOMEM.
 */
static int pvc_evtchn_look(domid_t otherend, unsigned int spare)
{
	int reserve = READ_ONCE(param_reserve_evtchns), found;
	int n = reserve + PVC_EVTCHN_CREDIT;
	bool old = time_after_eq(jiffies, pvc_evtchn_credit.until);

	if (!old &&
	    (pvc_evtchn_credit.left > spare || !pvc_evtchn_credit.more))
		return 0;
	found = pvc_evtchn_count(otherend, n);
	if (found < 0)
		return found;
	pvc_evtchn_credit.left = found > reserve ? found - reserve : 0;
	pvc_evtchn_credit.more = found == n;
	pvc_evtchn_credit.until = jiffies + HZ;
	return 0;
}

/**
 * pvc_reserve_evtchn() - take an event channel, but none of the reserve
 * @otherend: domain that is to bind to it
 * @spare: leave some for event channels that rings share, too
 * @port: the event channel's port
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC if there would be too few left.
 */
int pvc_reserve_evtchn(domid_t otherend, bool spare, evtchn_port_t *port)
{
	unsigned int leave = spare ? PVC_EVTCHN_SPARE : 0;
	int ret;

	mutex_lock(&pvc_reserve_lock);
	ret = pvc_evtchn_look(otherend, leave);
	if (!ret && pvc_evtchn_credit.left <= leave)
		ret = -ENOSPC;
	if (!ret)
		ret = pvc_evtchn_alloc(otherend, port);
	if (!ret)
		pvc_evtchn_credit.left--;
	mutex_unlock(&pvc_reserve_lock);
	return ret;
}

/**
 * pvc_reserve_evtchn_gone() - an event channel has been closed
 *
 * Context: process, may sleep.
 */
void pvc_reserve_evtchn_gone(void)
{
	mutex_lock(&pvc_reserve_lock);
	pvc_evtchn_credit.left++;
	mutex_unlock(&pvc_reserve_lock);
}
