// SPDX-License-Identifier: GPL-2.0
/*
 * The command ring: reads requests, finds their commands, and passes them on.
 */
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/net.h>

#include <xen/events.h>
#include <xen/xenbus.h>

#include "commands.h"
#include "guest/call.h"
#include "guest/guest.h"
#include "guest/policy.h"
#include "link/cmd.h"
#include "sched/worker.h"
#include "sock/conn.h"
#include "sock/listener.h"
#include "sock/name.h"
#include "sock/open.h"
#include "sock/run.h"
#include "sock/sock.h"
#include "sock/sockopt.h"
#include "trace.h"

/* Requests that are read before other works of this worker run */
#define PVCALLS_CMD_BATCH	32

/**
 * struct pvcalls_cmd - a command, see commands.h
 * @number: the command's number in requests
 * @needs: extension that must be in force, or PVCALLS_F_NONE
 * @take: takes a request off the command ring; on the command ring's worker
 * @run: runs the command on its socket's worker; NULL for a command without a
 *	socket
 */
struct pvcalls_cmd {
	u32 number;
	enum pvcalls_feature needs;
	void (*take)(struct pvcalls_call *call, struct pvcalls_worker *w);
	void (*run)(struct pvcalls_sock *ps, struct pvcalls_call *call);
};

static void pvcalls_cmd_socket(struct pvcalls_call *call,
			       struct pvcalls_worker *w)
{
	const struct xen_pvcalls_socket *req = &call->req.u.socket;

	pvcalls_reply(call, pvcalls_sock_open(call->guest, req->id, req->domain,
					      req->type, req->protocol));
}

/* Run some of the FORGET that is under way. */
static void pvcalls_cmd_forget_some(struct pvcalls_guest *g,
				    struct pvcalls_worker *w)
{
	struct pvcalls_call *call = g->forget;
	const struct pvcalls_req_forget *req = (const void *)&call->req.u;

	do {
		pvcalls_ring_forget(&g->rings, req->ref[g->forgotten++],
				    &w->tools.scratch);
	} while (g->forgotten < req->count && !pvcalls_worker_is_over());
	if (g->forgotten < req->count)
		return;
	g->forget = NULL;
	pvcalls_reply(call, 0);
}

static void pvcalls_cmd_forget(struct pvcalls_call *call,
			       struct pvcalls_worker *w)
{
	const struct pvcalls_req_forget *req = (const void *)&call->req.u;

	if (!req->count || req->count > PVCALLS_MAX_FORGET) {
		pvcalls_reply(call, -EINVAL);
		return;
	}
	call->guest->forget = call;
	call->guest->forgotten = 0;
	pvcalls_cmd_forget_some(call->guest, w);
}

static void pvcalls_cmd_deferred(struct pvcalls_call *call,
				 struct pvcalls_worker *w)
{
	pvcalls_reply_slot(call);
}

/*
 * Pass a command on to its socket, whose worker runs all of the socket's
 * commands in order.
 */
static void pvcalls_cmd_submit(struct pvcalls_call *call, bool release)
{
	struct pvcalls_sock *ps;

	ps = pvcalls_sock_find(call->guest, call->req.u.socket.id);
	if (!ps) {
		pvcalls_reply(call, -EBADF);
		return;
	}
	/* from here on the guest may use the id again */
	if (release)
		pvcalls_sock_unhash(ps);
	pvcalls_sock_submit(ps, call);
	pvcalls_sock_put(ps);
}

static void pvcalls_cmd_forward(struct pvcalls_call *call,
				struct pvcalls_worker *w)
{
	pvcalls_cmd_submit(call, false);
}

static void pvcalls_cmd_release(struct pvcalls_call *call,
				struct pvcalls_worker *w)
{
	pvcalls_cmd_submit(call, true);
}

static void pvcalls_cmd_connect(struct pvcalls_call *call,
				struct pvcalls_worker *w)
{
	const struct xen_pvcalls_connect *req = &call->req.u.connect;
	struct pvcalls_guest *g = call->guest;
	sa_family_t family;
	int ret;

	if (pvcalls_guest_has(g, PVCALLS_F_OPEN) &&
	    (req->flags & PVCALLS_CONNECT_OPEN)) {
		memcpy(&family, req->addr, sizeof(family));
		ret = pvcalls_sock_open(g, req->id, family, SOCK_STREAM,
					IPPROTO_IP);
		if (ret) {
			pvcalls_reply(call, ret);
			return;
		}
	}
	pvcalls_cmd_submit(call, false);
}

#define PVCALLS_CMD(number, name, needs, take, run) \
	{ number, needs, take, run },

static const struct pvcalls_cmd pvcalls_cmds[] = {
	PVCALLS_COMMANDS(PVCALLS_CMD, PVCALLS_CMD)
};

/*
 * Find the command of a request; NULL if there is none or its extension is not
 * in force.
 */
static const struct pvcalls_cmd *pvcalls_cmd_find(struct pvcalls_guest *g,
						  u32 number)
{
	const struct pvcalls_cmd *cmd;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvcalls_cmds); i++) {
		cmd = &pvcalls_cmds[i];
		if (cmd->number != number)
			continue;
		if (cmd->needs == PVCALLS_F_NONE ||
		    pvcalls_guest_has(g, cmd->needs))
			return cmd;
		break;
	}
	return NULL;
}

static void pvcalls_cmd_take(struct pvcalls_call *call,
			     struct pvcalls_worker *w)
{
	const struct pvcalls_cmd *cmd;

	cmd = pvcalls_cmd_find(call->guest, call->req.cmd);
	if (!cmd) {
		pvcalls_guest_warn(call->guest, "unknown command %u\n",
				   call->req.cmd);
		pvcalls_reply(call, -ENOTSUPP);
		return;
	}
	call->run = cmd->run;
	cmd->take(call, w);
}

/*
 * How many requests are there to read? The guest's index is read once, because
 * the guest may change it. It may be ahead of the requests read, and of the
 * responses sent, by at most the number of slots.
 */
static int pvcalls_cmd_pending(struct pvcalls_guest *g)
{
	RING_IDX prod = READ_ONCE(g->ring.sring->req_prod);
	RING_IDX rsp;

	/*
	 * read the index before the requests, and before the number of
	 * responses
	 */
	virt_rmb();
	rsp = READ_ONCE(g->ring.rsp_prod_pvt);
	if (prod - g->ring.req_cons > RING_SIZE(&g->ring) ||
	    prod - rsp > RING_SIZE(&g->ring))
		return -EPROTO;
	return prod - g->ring.req_cons;
}

/*
 * May a request be read now? If not, the guest's policy has it wait, and a timer
 * marks the work.
 */
static bool pvcalls_cmd_may(struct pvcalls_guest *g)
{
	u64 wait = 0;

	if (pvcalls_policy_calls(g, 1, &wait))
		return true;
	mod_timer(&g->delay, jiffies + nsecs_to_jiffies(wait) + 1);
	return false;
}

/**
 * pvcalls_cmd_delayed() - the time has come for which a guest had to wait
 * @timer: pvcalls_guest.delay
 *
 * Context: softirq.
 */
void pvcalls_cmd_delayed(struct timer_list *timer)
{
	struct pvcalls_guest *g = container_of(timer, struct pvcalls_guest,
					       delay);

	pvcalls_work_mark(&g->work);
}

/*
 * Read requests that were there when the run began, at most a batch, and none
 * after a FORGET that is under way. Returns whether there is more to do, or a
 * negative error number.
 */
static int pvcalls_cmd_read(struct pvcalls_guest *g, struct pvcalls_worker *w)
{
	int n = pvcalls_cmd_pending(g);

	if (n < 0)
		return n;
	if (n)
		g->progress = true;
	n = min(n, PVCALLS_CMD_BATCH);
	while (n-- && !g->forget) {
		struct pvcalls_call *call;

		/* no event is of use before the timer's */
		if (!pvcalls_cmd_may(g))
			return 0;
		call = pvcalls_call_alloc(g);
		if (!call)
			return 1;
		RING_COPY_REQUEST(&g->ring, g->ring.req_cons, &call->req);
		g->ring.req_cons++;
		trace_pvcalls_request(g->peer.domid, &call->req);
		pvcalls_cmd_take(call, w);
		if (pvcalls_worker_spend(PVCALLS_STEP_COST))
			break;
	}

	WRITE_ONCE(g->ring.sring->req_event, g->ring.req_cons + 1);
	/*
	 * ask for an event before the last look, so that no request is missed
	 */
	virt_mb();
	n = pvcalls_cmd_pending(g);
	return n < 0 ? n : n > 0;
}

/*
 * Do what is left to do before requests are read. Returns whether this has cost
 * so much that they have to wait for the next run.
 */
static bool pvcalls_cmd_chores(struct pvcalls_guest *g,
			       struct pvcalls_worker *w)
{
	bool over = false, aged;

	if (test_and_clear_bit(PVCALLS_GUEST_AGE, &g->flags)) {
		do {
			aged = pvcalls_rings_age(&g->rings, &w->tools.scratch);
			over = pvcalls_worker_is_over();
		} while (aged && !over);
		if (aged)
			set_bit(PVCALLS_GUEST_AGE, &g->flags);
	}
	if (g->forget && !over) {
		pvcalls_cmd_forget_some(g, w);
		over = pvcalls_worker_is_over();
	}
	return over;
}

static bool pvcalls_cmd_run(struct pvcalls_work *work,
			    struct pvcalls_worker *w)
{
	struct pvcalls_guest *g = container_of(work, struct pvcalls_guest,
					       work);
	bool eoi, over;
	int more;

	/*
	 * the first event may come before the irq that needs the EOI is known
	 */
	if (!READ_ONCE(g->irq))
		return false;
	eoi = test_and_clear_bit(PVCALLS_GUEST_EOI, &g->flags);

	if (pvcalls_guest_dead(g)) {
		complete_all(&g->stopped);
		return false;
	}
	/* give no EOI, so that a broken guest can't raise further events */
	if (test_bit(PVCALLS_GUEST_BROKEN, &g->flags))
		return false;

	pvcalls_work_steer(work, g->irq);
	over = pvcalls_cmd_chores(g, w);
	more = over ? 1 : pvcalls_cmd_read(g, w);
	if (more < 0) {
		set_bit(PVCALLS_GUEST_BROKEN, &g->flags);
		pvcalls_guest_warn(g,
				   "command ring: more requests than slots, closing\n");
		g->broken(g->broken_arg);
		return false;
	}
	pvcalls_guest_notify(g);
	/* a guest that has to wait raises no event meanwhile */
	if (eoi && (over || timer_pending(&g->delay))) {
		set_bit(PVCALLS_GUEST_EOI, &g->flags);
	} else if (eoi) {
		xen_irq_lateeoi(g->irq,
				g->progress ? 0 : XEN_EOI_FLAG_SPURIOUS);
		g->progress = false;
	}
	return more || g->forget || test_bit(PVCALLS_GUEST_AGE, &g->flags);
}

static void pvcalls_cmd_get(struct pvcalls_work *work)
{
	pvcalls_guest_get(container_of(work, struct pvcalls_guest, work));
}

static void pvcalls_cmd_put(struct pvcalls_work *work)
{
	pvcalls_guest_put(container_of(work, struct pvcalls_guest, work));
}

const struct pvcalls_work_ops pvcalls_cmd_ops = {
	.run = pvcalls_cmd_run,
	.get = pvcalls_cmd_get,
	.put = pvcalls_cmd_put,
};
