// SPDX-License-Identifier: GPL-2.0
/* Calls and their responses; call.h describes the object. */
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "account/ledger.h"
#include "guest/call.h"
#include "guest/guest.h"
#include "trace.h"

static struct kmem_cache *pvcalls_call_cache;

/**
 * pvcalls_reply_init() - prepare for calls
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pvcalls_reply_init(void)
{
	pvcalls_call_cache = KMEM_CACHE(pvcalls_call, 0);
	return pvcalls_call_cache ? 0 : -ENOMEM;
}

/**
 * pvcalls_reply_exit() - undo pvcalls_reply_init()
 *
 * Description: No call may exist any more.
 *
 * Context: process, may sleep.
 */
void pvcalls_reply_exit(void)
{
	kmem_cache_destroy(pvcalls_call_cache);
}

/**
 * pvcalls_call_alloc() - make a call
 * @g: the guest whose request the call will hold
 *
 * Context: process, may sleep.
 * Return: a call of which the caller sets @req and @run, or NULL.
 */
struct pvcalls_call *pvcalls_call_alloc(struct pvcalls_guest *g)
{
	struct pvcalls_call *call;

	call = kmem_cache_alloc(pvcalls_call_cache, GFP_KERNEL);
	if (!call)
		return NULL;
	INIT_LIST_HEAD(&call->list);
	call->guest = g;
	call->begun = trace_pvcalls_response_enabled() ? ktime_get_ns() : 0;
	call->deferred = false;
	call->child = NULL;
	call->len = 0;
	return call;
}

/**
 * pvcalls_call_free() - forget a call without a response
 * @call: the call, which is on no list
 *
 * Context: any.
 */
void pvcalls_call_free(struct pvcalls_call *call)
{
	if (call->deferred)
		pvcalls_account_uncharge(call->guest->peer.account,
					 PVCALLS_KIND_CALLS, 1);
	kmem_cache_free(pvcalls_call_cache, call);
}

/**
 * pvcalls_call_name() - put an address into the response
 * @call: the call
 * @addr: the address
 * @len: length of @addr in bytes, or the error number of the function that
 *	looked the address up
 *
 * Nothing happens without feature-names, or if @len is not a length.
 *
 * Context: any; the caller owns the call.
 */
void pvcalls_call_name(struct pvcalls_call *call,
		       const struct sockaddr_storage *addr, int len)
{
	if (len <= 0 || len > PVCALLS_ADDR_LEN ||
	    !pvcalls_guest_has(call->guest, PVCALLS_F_NAMES))
		return;
	memcpy(call->addr, addr, len);
	call->len = len;
}

/**
 * pvcalls_call_value() - put bytes of an option's value into the response
 * @call: the call
 * @value: the bytes
 * @len: length of @value in bytes, 0 to PVCALLS_ADDR_LEN
 *
 * Context: any; the caller owns the call.
 */
void pvcalls_call_value(struct pvcalls_call *call, const void *value, u32 len)
{
	memcpy(call->addr, value, len);
	call->len = len;
}

/*
 * Put a response on the ring. There is always room: a response takes the slot
 * of a request, and no more requests are read than the ring has slots. Nothing
 * is read back from the ring, not even the index, because the guest may change
 * it.
 */
static void pvcalls_push(struct pvcalls_guest *g,
			 const struct pvcalls_response *rsp)
{
	struct xen_pvcalls_sring *sring = g->ring.sring;
	RING_IDX prod = g->ring.rsp_prod_pvt;

	lockdep_assert_held(&g->rsp_lock);

	memcpy(&sring->ring[prod & (RING_SIZE(&g->ring) - 1)], rsp,
	       sizeof(*rsp));
	g->ring.rsp_prod_pvt = ++prod;
	/* write the response before the index that publishes it */
	virt_wmb();
	WRITE_ONCE(sring->rsp_prod, prod);
	/* write the index before reading rsp_event, so that no event is lost */
	virt_mb();
	if (READ_ONCE(sring->rsp_event) == prod)
		set_bit(PVCALLS_GUEST_NOTIFY, &g->flags);
}

static void pvcalls_push_plain(struct pvcalls_call *call, int ret)
{
	struct pvcalls_response rsp = {
		.req_id = call->req.req_id,
		.cmd = call->req.cmd,
		.ret = ret,
		/* every request with an id has the id at the same place */
		.u.id = call->req.u.socket.id,
	};

	if (!ret && call->len) {
		memcpy(rsp.u.name.addr, call->addr, call->len);
		rsp.u.name.len = call->len;
	}
	trace_pvcalls_response(call->guest->peer.domid, &call->req,
			       call->begun, ret, call->addr, call->len);
	pvcalls_push(call->guest, &rsp);
}

static void pvcalls_push_deferred(struct pvcalls_guest *g, u32 slot,
				  const struct pvcalls_call *call)
{
	struct pvcalls_response rsp = {
		.req_id = slot,
		.cmd = PVCALLS_DEFERRED,
		.u.deferred = {
			.req_id = call->req.req_id,
			.cmd = call->req.cmd,
			.ret = call->ret,
		},
	};

	if (!call->ret && call->len) {
		memcpy(rsp.u.deferred.addr, call->addr, call->len);
		rsp.u.deferred.len = call->len;
	}
	trace_pvcalls_response(g->peer.domid, &call->req, call->begun,
			       call->ret, call->addr, call->len);
	pvcalls_push(g, &rsp);
}

/**
 * pvcalls_reply() - answer a call
 * @call: the call, which is freed: at once, or when the guest has taken the
 *	result
 * @ret: 0 or a negative error number
 *
 * The caller's run must end with pvcalls_guest_notify(), which sends the event.
 *
 * Context: any worker; takes pvcalls_guest.rsp_lock.
 */
void pvcalls_reply(struct pvcalls_call *call, int ret)
{
	struct pvcalls_guest *g = call->guest;

	if (pvcalls_guest_dead(g)) {
		pvcalls_call_free(call);
		return;
	}

	spin_lock(&g->rsp_lock);
	if (!call->deferred) {
		pvcalls_push_plain(call, ret);
	} else {
		call->ret = ret;
		if (!g->nr_slots) {
			list_add_tail(&call->list, &g->results);
			call = NULL;
		} else {
			pvcalls_push_deferred(g, g->slots[g->first_slot],
					      call);
			g->first_slot = (g->first_slot + 1) %
					 RING_SIZE(&g->ring);
			g->nr_slots--;
		}
	}
	spin_unlock(&g->rsp_lock);
	if (call)
		pvcalls_call_free(call);
}

/* Give the slot of a call back. The call has been charged. */
static void pvcalls_reply_defer(struct pvcalls_call *call)
{
	struct pvcalls_guest *g = call->guest;

	spin_lock(&g->rsp_lock);
	pvcalls_push_plain(call, -EINPROGRESS);
	spin_unlock(&g->rsp_lock);
	call->deferred = true;
}

/**
 * pvcalls_reply_later() - defer a call that waits for the network
 * @call: the call, which stays the caller's
 *
 * With feature-defer the guest gets the call's slot in the command ring back;
 * without it, the slot stays taken until the response.
 *
 * Context: any worker; takes pvcalls_guest.rsp_lock.
 * Return: 0, or -ENOBUFS if the guest may have no more deferred calls. Then the
 * call is not deferred.
 */
int pvcalls_reply_later(struct pvcalls_call *call)
{
	struct pvcalls_guest *g = call->guest;
	int ret;

	if (call->deferred || !pvcalls_guest_has(g, PVCALLS_F_DEFER))
		return 0;

	ret = pvcalls_account_charge(&g->peer, PVCALLS_KIND_CALLS, 1);
	if (!ret)
		pvcalls_reply_defer(call);
	return ret;
}

/**
 * pvcalls_reply_maybe_later() - defer a call that waits, if there is room
 * @call: the call, which stays the caller's. If the guest may have no more
 *	deferred calls, it keeps its slot in the command ring
 *
 * Context: any worker; takes pvcalls_guest.rsp_lock.
 */
void pvcalls_reply_maybe_later(struct pvcalls_call *call)
{
	struct pvcalls_guest *g = call->guest;

	if (!call->deferred && pvcalls_guest_has(g, PVCALLS_F_DEFER) &&
	    pvcalls_account_try(g->peer.account, PVCALLS_KIND_CALLS, 1))
		pvcalls_reply_defer(call);
}

/**
 * pvcalls_reply_slot() - take a slot for the result of a deferred call
 * @call: call of a PVCALLS_DEFERRED request, which is freed
 *
 * The slot is answered at once if a result waits. If not, the slot is answered
 * when there is a result.
 *
 * Context: the command ring's worker; takes pvcalls_guest.rsp_lock.
 */
void pvcalls_reply_slot(struct pvcalls_call *call)
{
	struct pvcalls_guest *g = call->guest;
	struct pvcalls_call *result;

	spin_lock(&g->rsp_lock);
	result = list_first_entry_or_null(&g->results, struct pvcalls_call,
					  list);
	if (result) {
		list_del(&result->list);
		pvcalls_push_deferred(g, call->req.req_id, result);
	} else {
		/*
		 * a guest has at most as many slots outstanding as the ring has
		 */
		g->slots[(g->first_slot + g->nr_slots) %
			 RING_SIZE(&g->ring)] = call->req.req_id;
		g->nr_slots++;
	}
	spin_unlock(&g->rsp_lock);
	if (result)
		pvcalls_call_free(result);
	pvcalls_call_free(call);
}

/**
 * pvcalls_reply_flush() - drop results that the guest has not taken
 * @g: a dead guest without sockets
 *
 * Context: process, may sleep.
 */
void pvcalls_reply_flush(struct pvcalls_guest *g)
{
	struct pvcalls_call *call, *next;

	list_for_each_entry_safe(call, next, &g->results, list)
		pvcalls_call_free(call);
	INIT_LIST_HEAD(&g->results);
}
