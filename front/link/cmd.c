// SPDX-License-Identifier: GPL-2.0
/*
 * See cmd.h. No caller waits for a slot of the ring: a command that finds none
 * is queued. With feature-defer the backend answers every command without
 * waiting for the network, and so the queue always moves.
 */
#include <linux/completion.h>
#include <linux/slab.h>
#include <xen/events.h>
#include <xen/page.h>

#include "link/cmd.h"
#include "link/link.h"

/**
 * pvc_cmd_init() - prepare a command
 * @cmd: zeroed memory
 * @link: link of the command; the owner of @cmd holds a reference
 * @code: PVCALLS_SOCKET and the like
 * @done: see &struct pvc_cmd
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pvc_cmd_init(struct pvc_cmd *cmd, struct pvc_link *link, u32 code,
		 void (*done)(struct pvc_cmd *cmd))
{
	u32 id;
	int ret;

	ret = xa_alloc_irq(&link->cmds, &id, cmd, xa_limit_31b, GFP_KERNEL);
	if (ret)
		return ret == -EBUSY ? -ENOMEM : ret;
	cmd->req.req_id = id;
	cmd->req.cmd = code;
	cmd->done = done;
	cmd->link = link;
	cmd->state = PVC_CMD_IDLE;
	return 0;
}

/**
 * pvc_cmd_fini() - undo pvc_cmd_init()
 * @cmd: idle command, or zeroed memory that has never been a command
 *
 * Context: any.
 */
void pvc_cmd_fini(struct pvc_cmd *cmd)
{
	struct pvc_link *link = cmd->link;
	unsigned long flags;

	if (!link)
		return;
	/* a lying backend may have the interrupt look the command up now */
	spin_lock_irqsave(&link->lock, flags);
	xa_erase(&link->cmds, cmd->req.req_id);
	spin_unlock_irqrestore(&link->lock, flags);
	cmd->link = NULL;
}

/*
 * Moves commands from the backlog to the ring, and says whether the backend is
 * to be notified. Call with link->lock held.
 */
static bool pvc_cmd_push(struct pvc_link *link)
{
	struct xen_pvcalls_front_ring *ring = &link->ring;
	struct pvc_cmd *cmd, *n;
	int notify;

	list_splice_tail_init(&link->held, &link->backlog);
	link->nr_held = 0;
	list_for_each_entry_safe(cmd, n, &link->backlog, list) {
		if (RING_FULL(ring))
			break;
		list_del(&cmd->list);
		cmd->state = PVC_CMD_SENT;
		*RING_GET_REQUEST(ring, ring->req_prod_pvt) = cmd->req;
		ring->req_prod_pvt++;
	}
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(ring, notify);
	return notify;
}

/* Does anybody wait for the next response? Call with link->lock held. */
static bool pvc_cmd_urgent(const struct pvc_link *link)
{
	return link->urgent || !list_empty(&link->backlog);
}

/*
 * Asks for an event with the next response. Responses up to rsp_prod may have
 * come without an event, and the wish must lie beyond them; a response that
 * comes meanwhile makes the wish outdated, and is a reason to try again. Call
 * with link->lock held.
 */
static void pvc_cmd_arm(struct pvc_link *link)
{
	struct xen_pvcalls_sring *sring = link->ring.sring;
	unsigned int tries = RING_SIZE(&link->ring);
	RING_IDX prod;

	do {
		prod = READ_ONCE(sring->rsp_prod);
		WRITE_ONCE(sring->rsp_event, prod + 1);
		/* rsp_event is written before rsp_prod is read again */
		virt_mb();
	} while (READ_ONCE(sring->rsp_prod) != prod && --tries);
}

/* Counts a command that goes or has come back. Call with link->lock held. */
static void pvc_cmd_count(struct pvc_link *link, const struct pvc_cmd *cmd,
			  int n)
{
	if (!cmd->lazy)
		link->urgent += n;
	else if (cmd->req.cmd != PVCALLS_DEFERRED)
		/* pvc_cmd_unseen() reads without the lock */
		WRITE_ONCE(link->unseen, link->unseen + n);
}

/**
 * pvc_cmd_submit() - hand a command to the backend
 * @cmd: idle command with its request filled in
 *
 * On success @cmd->done will be called exactly once. A link that ends does all
 * commands with rsp.ret -ECONNRESET.
 *
 * Context: any.
 * Return: 0, or -ENOTCONN if the link has ended.
 */
int pvc_cmd_submit(struct pvc_cmd *cmd)
{
	struct pvc_link *link = cmd->link;
	bool armed, notify = false;
	unsigned long flags;
	int ret = -ENOTCONN;

	spin_lock_irqsave(&link->lock, flags);
	if (!link->dead) {
		/* only FORGET makes lazy responses come in, see cache.c */
		cmd->lazy &= pvc_link_has(link, PVCALLS_F_REUSE);
		armed = pvc_cmd_urgent(link);
		cmd->state = PVC_CMD_QUEUED;
		list_add_tail(&cmd->list, &link->backlog);
		pvc_cmd_count(link, cmd, 1);
		/* the wish for an event goes out before the command */
		if (!armed && !cmd->lazy)
			pvc_cmd_arm(link);
		notify = pvc_cmd_push(link);
		if (!armed && cmd->lazy && pvc_cmd_urgent(link))
			pvc_cmd_arm(link);
		ret = 0;
	}
	spin_unlock_irqrestore(&link->lock, flags);
	if (notify)
		notify_remote_via_irq(link->irq);
	return ret;
}

/*
 * Submits a request for a deferred result. The backend has others left, and so
 * the request can wait for the next command that goes to the backend.
 */
static void pvc_cmd_submit_held(struct pvc_cmd *cmd)
{
	struct pvc_link *link = cmd->link;
	bool notify = false;
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	if (!link->dead) {
		cmd->state = PVC_CMD_QUEUED;
		list_add_tail(&cmd->list, &link->held);
		pvc_cmd_count(link, cmd, 1);
		if (++link->nr_held >= PVC_DEFERRED_REQS / 2)
			notify = pvc_cmd_push(link);
	}
	spin_unlock_irqrestore(&link->lock, flags);
	if (notify)
		notify_remote_via_irq(link->irq);
}

/**
 * pvc_cmd_unseen() - are there responses that nobody waits for?
 * @link: the link
 *
 * Context: any.
 * Return: true if a lazy command is without a response, or if the backend has
 * responded without an event.
 */
bool pvc_cmd_unseen(struct pvc_link *link)
{
	return READ_ONCE(link->unseen);
}

/**
 * struct pvc_call - a command whose caller waits, or has better things to do
 * @cmd: the command
 * @done: completes with the command
 * @ref: held by the caller and by the command under way: a caller that is
 *	killed goes before the response comes
 */
struct pvc_call {
	struct pvc_cmd cmd;
	struct completion done;
	struct kref ref;
};

static void pvc_call_free(struct kref *ref)
{
	struct pvc_call *call = container_of(ref, struct pvc_call, ref);
	struct pvc_link *link = call->cmd.link;

	pvc_cmd_fini(&call->cmd);
	pvc_link_put(link);
	kfree(call);
}

static void pvc_call_done(struct pvc_cmd *cmd)
{
	struct pvc_call *call = container_of(cmd, struct pvc_call, cmd);

	complete(&call->done);
	kref_put(&call->ref, pvc_call_free);
}

/* Makes a call and submits its command. The caller gets a reference. */
static struct pvc_call *pvc_call_start(struct pvc_link *link,
				       const struct xen_pvcalls_request *req,
				       bool lazy)
{
	struct pvc_call *call;
	int ret;

	/* a task that is killed leaves the call to a backend that hangs */
	call = kzalloc(sizeof(*call), GFP_KERNEL_ACCOUNT);
	if (!call)
		return ERR_PTR(-ENOMEM);
	ret = pvc_cmd_init(&call->cmd, link, req->cmd, pvc_call_done);
	if (ret) {
		kfree(call);
		return ERR_PTR(ret);
	}
	kref_get(&link->ref);
	init_completion(&call->done);
	kref_init(&call->ref);
	call->cmd.req.u = req->u;
	call->cmd.lazy = lazy;

	kref_get(&call->ref);
	ret = pvc_cmd_submit(&call->cmd);
	if (!ret)
		return call;
	kref_put(&call->ref, pvc_call_free);
	kref_put(&call->ref, pvc_call_free);
	return ERR_PTR(ret);
}

/**
 * pvc_cmd_call() - send a command and wait for its response
 * @link: link, referenced by the caller
 * @req: the request, except for req_id
 * @rsp: where the response goes, or NULL
 *
 * The command must be one that a backend answers without waiting for the
 * network.
 *
 * Context: process, sleeps; ends early only when the task is killed.
 * Return: the response's return value, -ENOTCONN if the link has ended,
 * -ENOMEM, or -EINTR when killed.
 */
int pvc_cmd_call(struct pvc_link *link, struct xen_pvcalls_request *req,
		 struct pvcalls_response *rsp)
{
	struct pvc_call *call = pvc_call_start(link, req, false);
	int ret = -EINTR;

	if (IS_ERR(call))
		return PTR_ERR(call);
	if (!wait_for_completion_killable(&call->done)) {
		if (rsp)
			*rsp = call->cmd.rsp;
		ret = call->cmd.rsp.ret;
	}
	kref_put(&call->ref, pvc_call_free);
	return ret;
}

/**
 * pvc_cmd_post() - send a command whose response does not matter
 * @link: link, referenced by the caller
 * @req: the request, except for req_id
 *
 * A program could fill memory with such commands. Therefore the function waits
 * for the response if the backend has as many lazy commands as the ring slots.
 *
 * Context: process, may sleep.
 * Return: 0, -ENOTCONN if the link has ended, -ENOMEM, or -EINTR when killed.
 */
int pvc_cmd_post(struct pvc_link *link, struct xen_pvcalls_request *req)
{
	struct pvc_call *call;
	int ret;

	if (READ_ONCE(link->unseen) >= RING_SIZE(&link->ring)) {
		ret = pvc_cmd_call(link, req, NULL);
		/* an error of the backend's does not matter */
		return ret == -EINTR || ret == -ENOMEM || ret == -ENOTCONN ?
		       ret : 0;
	}
	call = pvc_call_start(link, req, true);
	if (IS_ERR(call))
		return PTR_ERR(call);
	link->watch_unseen(link);
	kref_put(&call->ref, pvc_call_free);
	return 0;
}

static bool pvc_cmd_may_defer(const struct pvc_link *link, u32 code)
{
	return pvc_link_has(link, PVCALLS_F_DEFER) &&
	       (code == PVCALLS_CONNECT || code == PVCALLS_ACCEPT ||
		code == PVCALLS_RELEASE);
}

/*
 * Finds the command that a response is for, and takes it from the backend.
 * Gives NULL if the result is to come later, or an error pointer if no such
 * command is with the backend.
 */
static struct pvc_cmd *pvc_cmd_take(struct pvc_link *link, u32 req_id, u32 code,
				    s32 ret, enum pvc_cmd_state state)
{
	struct pvc_cmd *cmd;

	spin_lock(&link->lock);
	cmd = xa_load(&link->cmds, req_id);
	if (!cmd || cmd->state != state || cmd->req.cmd != code) {
		cmd = ERR_PTR(-EPROTO);
	} else if (ret == -EINPROGRESS && state == PVC_CMD_SENT &&
		   pvc_cmd_may_defer(link, code)) {
		cmd->state = PVC_CMD_DEFERRED;
		/* a result that comes late is worth an event */
		pvc_cmd_count(link, cmd, -1);
		cmd->lazy = false;
		pvc_cmd_count(link, cmd, 1);
		cmd = NULL;
	} else {
		cmd->state = PVC_CMD_IDLE;
		pvc_cmd_count(link, cmd, -1);
	}
	spin_unlock(&link->lock);
	return cmd;
}

static void pvc_cmd_done(struct pvc_cmd *cmd, s32 ret)
{
	/* programs see no error number that Linux does not have */
	if (ret == -ENOTSUPP)
		ret = -EOPNOTSUPP;
	else if (ret > 0 || ret < -EHWPOISON)
		ret = -EPROTO;
	cmd->rsp.ret = ret;
	cmd->done(cmd);
}

static int pvc_cmd_response(struct pvc_link *link,
			    const struct pvcalls_response *rsp)
{
	struct pvc_cmd *cmd;

	cmd = pvc_cmd_take(link, rsp->req_id, rsp->cmd, rsp->ret, PVC_CMD_SENT);
	if (IS_ERR_OR_NULL(cmd))
		return PTR_ERR_OR_ZERO(cmd);
	cmd->rsp = *rsp;
	pvc_cmd_done(cmd, rsp->ret);
	return 0;
}

/* Completes the command of a deferred result, and asks for another result. */
static void pvc_deferred_done(struct pvc_cmd *cmd)
{
	const struct pvcalls_rsp_deferred *d = &cmd->rsp.u.deferred;
	struct pvc_link *link = cmd->link;
	struct pvc_cmd *target;

	if (cmd->rsp.ret) {
		if (!pvc_link_ended(link))
			pvc_link_break(link, "deferred request refused");
		return;
	}
	target = pvc_cmd_take(link, d->req_id, d->cmd, d->ret,
			      PVC_CMD_DEFERRED);
	if (IS_ERR(target)) {
		pvc_link_break(link, "deferred result for no request");
		return;
	}
	memset(&target->rsp, 0, sizeof(target->rsp));
	target->rsp.u.name.len = d->len;
	memcpy(target->rsp.u.name.addr, d->addr, sizeof(d->addr));
	pvc_cmd_done(target, d->ret);
	pvc_cmd_submit_held(cmd);
}

/**
 * pvc_cmd_irq() - handle the command ring's event
 * @irq: of the event channel
 * @arg: &struct pvc_link
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED.
 */
irqreturn_t pvc_cmd_irq(int irq, void *arg)
{
	struct pvc_link *link = arg;
	struct xen_pvcalls_front_ring *ring = &link->ring;
	unsigned int eoi = XEN_EOI_FLAG_SPURIOUS;
	struct pvcalls_response rsp;
	RING_IDX prod, i;
	bool notify;

	do {
		prod = READ_ONCE(ring->sring->rsp_prod);
		/* rsp_prod is read before the responses */
		virt_rmb();
		if (RING_RESPONSE_PROD_OVERFLOW(ring, prod)) {
			pvc_link_break(link, "responses without requests");
			goto out;
		}
		while (ring->rsp_cons != prod) {
			i = ring->rsp_cons & (RING_SIZE(ring) - 1);
			memcpy(&rsp, &ring->sring->ring[i], sizeof(rsp));
			/* the backend can change the slot: use the copy */
			barrier();
			spin_lock(&link->lock);
			ring->rsp_cons++;
			spin_unlock(&link->lock);
			if (pvc_cmd_response(link, &rsp)) {
				pvc_link_break(link, "response to no request");
				goto out;
			}
			eoi = 0;
		}
		spin_lock(&link->lock);
		WRITE_ONCE(ring->sring->rsp_event, ring->rsp_cons +
			   (pvc_cmd_urgent(link) ? 1 : PVC_LAZY_RSPS));
		spin_unlock(&link->lock);
		/* rsp_event is written before rsp_prod is read again */
		virt_mb();
	} while (READ_ONCE(ring->sring->rsp_prod) != ring->rsp_cons);

	spin_lock(&link->lock);
	notify = !list_empty(&link->backlog) && pvc_cmd_push(link);
	spin_unlock(&link->lock);
	if (notify)
		notify_remote_via_irq(irq);
	xen_irq_lateeoi(irq, eoi);
out:
	/* no end of interrupt, no more events from a backend that broke a rule;
	 * pvc_front_down() unbinds the event channel
	 */
	return IRQ_HANDLED;
}

/**
 * pvc_cmd_start() - begin to receive deferred results
 * @link: link that has just come up
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pvc_cmd_start(struct pvc_link *link)
{
	int i, ret;

	if (!pvc_link_has(link, PVCALLS_F_DEFER))
		return 0;
	link->deferred = kcalloc(PVC_DEFERRED_REQS, sizeof(*link->deferred),
				 GFP_KERNEL);
	if (!link->deferred)
		return -ENOMEM;
	for (i = 0; i < PVC_DEFERRED_REQS; i++) {
		ret = pvc_cmd_init(&link->deferred[i], link, PVCALLS_DEFERRED,
				   pvc_deferred_done);
		if (ret)
			return ret;
		link->deferred[i].lazy = true;
		pvc_cmd_submit(&link->deferred[i]);
	}
	return 0;
}

/**
 * pvc_cmd_stop() - end all commands of a link
 * @link: link whose command interrupt is no longer bound
 *
 * When the function returns, every command that was submitted has been done,
 * with -ECONNRESET.
 *
 * Context: process, may sleep.
 */
void pvc_cmd_stop(struct pvc_link *link)
{
	struct pvc_cmd *cmd;
	unsigned long id;
	bool mine;
	int i;

	spin_lock_irq(&link->lock);
	/* cache and connections read without the lock */
	WRITE_ONCE(link->dead, true);
	INIT_LIST_HEAD(&link->backlog);
	INIT_LIST_HEAD(&link->held);
	spin_unlock_irq(&link->lock);

	for (id = 0;; id++) {
		/* pvc_cmd_fini() takes the lock before a command is freed */
		spin_lock_irq(&link->lock);
		cmd = xa_find(&link->cmds, &id, ULONG_MAX, XA_PRESENT);
		mine = cmd && cmd->state != PVC_CMD_IDLE;
		if (mine)
			cmd->state = PVC_CMD_IDLE;
		spin_unlock_irq(&link->lock);
		if (!cmd)
			break;
		if (mine)
			pvc_cmd_done(cmd, -ECONNRESET);
	}
	for (i = 0; link->deferred && i < PVC_DEFERRED_REQS; i++)
		pvc_cmd_fini(&link->deferred[i]);
	kfree(link->deferred);
	link->deferred = NULL;
}
