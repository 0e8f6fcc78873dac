// SPDX-License-Identifier: GPL-2.0
/*
 * The command ring, as the frontend reads it. The backend writes responses and
 * indexes as it likes, an index at the very moment when it is read, and a slot
 * as soon as it is copied. Each command is done once, by a response that is for
 * it or by the link's end, and only the copy counts. Nobody sees an error number
 * that Linux does not have, and what the link counts stays right.
 */
#include "input.h"
#include "link/cmd.h"
#include "link/link.h"

#define COMMANDS	64

/* A command, and what has become of it */
static struct mine {
	struct pvc_cmd cmd;
	bool under_way;
} mine[COMMANDS];

static struct pvc_link *link;
static struct xen_pvcalls_sring *sring;
static struct pvcalls_response copied;
static u32 eois;
static bool broken, ending, expected;

/* The backend changes an index while it is looked at */
void peer_look(const volatile void *p, size_t len)
{
	RING_IDX *index = (RING_IDX *)p;
	u32 how;

	if (!sring || (u8 *)p < (u8 *)sring || (u8 *)p >= (u8 *)sring->ring)
		return;
	MUST(len == sizeof(*index));
	how = take_u8();
	switch (how % 8) {
	case 1:
		*index = link->ring.rsp_cons + 1 + how / 64;
		break;
	case 2:
		*index = link->ring.rsp_cons + how / 8;
		break;
	case 3:
		*index = link->ring.rsp_cons + RING_SIZE(&link->ring) - 2 +
			 how / 64;
		break;
	case 4:
		if (how / 8 == 31)
			*index = take_u32();
		break;
	default:
		break;
	}
}

/* A response has been copied: the backend uses the slot for something else */
void peer_wrote(void)
{
	void *slot = &sring->ring[link->ring.rsp_cons &
				  (RING_SIZE(&link->ring) - 1)];

	struct pvc_cmd *cmd;

	memcpy(&copied, slot, sizeof(copied));
	cmd = xa_load(&link->cmds, copied.req_id);
	expected = cmd && cmd->state == PVC_CMD_SENT &&
		   cmd->req.cmd == copied.cmd;
	memset(slot, 0x55, sizeof(copied));
}

void notify_remote_via_irq(int irq)
{
	MUST(irq == link->irq);
}

void xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	MUST(irq == (unsigned int)link->irq);
	eois++;
}

void pvc_link_break(struct pvc_link *l, const char *rule)
{
	MUST(!ending);
	if (!strncmp(rule, "deferred", 8))
		MUST(expected && copied.cmd == PVCALLS_DEFERRED);
	else
		MUST(!expected || !strncmp(rule, "responses", 9));
	broken = true;
}

void pvc_link_put(struct pvc_link *l)
{
	MUST(l->ref.v-- > 1);
}

static void watch_unseen(struct pvc_link *l)
{
}

/* A number that a program may see */
static void sane(int ret)
{
	MUST(ret <= 0 && ret >= -EHWPOISON);
}

static void done(struct pvc_cmd *cmd)
{
	struct mine *m = container_of(cmd, struct mine, cmd);
	const struct pvcalls_rsp_deferred *d = &copied.u.deferred;

	MUST(m->under_way && cmd->state == PVC_CMD_IDLE);
	m->under_way = false;
	sane(cmd->rsp.ret);
	if (ending) {
		MUST(cmd->rsp.ret == -ECONNRESET);
	} else if (copied.cmd == PVCALLS_DEFERRED) {
		/* what was put off, in another command's response */
		MUST(d->req_id == cmd->req.req_id && d->cmd == cmd->req.cmd);
		MUST(cmd->rsp.u.name.len == d->len);
		MUST(!memcmp(cmd->rsp.u.name.addr, d->addr, sizeof(d->addr)));
		if (d->ret <= 0 && d->ret >= -EHWPOISON)
			MUST(cmd->rsp.ret == d->ret);
	} else {
		MUST(copied.req_id == cmd->req.req_id);
		MUST(copied.cmd == cmd->req.cmd);
		MUST(!memcmp(&cmd->rsp.u, &copied.u, sizeof(copied.u)));
		if (copied.ret <= 0 && copied.ret >= -EHWPOISON)
			MUST(cmd->rsp.ret == copied.ret);
	}
}

/* All commands that there are, also those of callers and for results */
static void count(void)
{
	u32 sent = 0, urgent = 0, unseen = 0, i;
	struct pvc_cmd *cmd;

	for (i = 1; i < ARRAY_SIZE(link->cmds.entry); i++) {
		cmd = xa_load(&link->cmds, i);
		if (!cmd || cmd->state == PVC_CMD_IDLE)
			continue;
		MUST(cmd->req.req_id == i);
		sent += cmd->state == PVC_CMD_SENT;
		urgent += !cmd->lazy;
		unseen += cmd->lazy && cmd->req.cmd != PVCALLS_DEFERRED;
		MUST(cmd->state != PVC_CMD_DEFERRED ||
		     (pvc_link_has(link, PVCALLS_F_DEFER) && !cmd->lazy));
	}
	MUST(link->urgent == urgent && link->unseen == unseen);
	MUST(RING_SIZE(&link->ring) >= link->ring.req_prod_pvt -
				       link->ring.rsp_cons);
	/* each slot of a response was one of a request */
	if (!broken)
		MUST(sent == link->ring.req_prod_pvt - link->ring.rsp_cons);
}

/* The last one is what no program asks for */
static const u32 codes[] = { PVCALLS_SOCKET, PVCALLS_CONNECT, PVCALLS_RELEASE,
			     PVCALLS_ACCEPT, PVCALLS_GETNAME,
			     PVCALLS_DEFERRED };

static u32 any_code(void)
{
	return codes[take_u8() % (ARRAY_SIZE(codes) - 1)];
}

/* A command that is in some state; any number if there is none, or if @lies */
static u32 pick(enum pvc_cmd_state state, bool lies)
{
	u32 i, id = take_u8() % 64;
	struct pvc_cmd *cmd;

	for (i = 0; !lies && i < 64; i++) {
		cmd = xa_load(&link->cmds, (id + i) % 64);
		if (cmd && cmd->state == state)
			return (id + i) % 64;
	}
	return lies ? take_u32() : id;
}

static u32 code_of(u32 id, bool lies)
{
	struct pvc_cmd *cmd = xa_load(&link->cmds, id);

	return cmd && !lies ? cmd->req.cmd :
			      codes[take_u8() % ARRAY_SIZE(codes)];
}

/* The backend writes a response, mostly to a request that there is */
static void respond(void)
{
	static const s32 rets[] = { 0, 0, -EINPROGRESS, -EINPROGRESS,
				    -ECONNREFUSED, -ENOTSUPP, 1, -4095 };
	struct pvcalls_response rsp = {};
	u32 how = take_u8(), ret = take_u8(), at = 0;

	if (how & 1) {
		take(&rsp, sizeof(rsp));
	} else {
		rsp.req_id = pick(PVC_CMD_SENT, how % 16 == 2);
		rsp.cmd = code_of(rsp.req_id, how % 16 == 4);
		rsp.ret = rets[ret % 8];
		take(&rsp.u, 8);
	}
	if (rsp.cmd == PVCALLS_DEFERRED && !(how & 1)) {
		rsp.u.deferred.req_id = pick(PVC_CMD_DEFERRED, how % 16 == 6);
		rsp.u.deferred.cmd = code_of(rsp.u.deferred.req_id,
					     how % 16 == 8);
		rsp.u.deferred.ret = rets[ret / 8 % 8];
		rsp.u.deferred.len = take_u8();
	}
	if (how & 64)
		at = sring->rsp_prod - link->ring.rsp_cons;
	memcpy(&sring->ring[(link->ring.rsp_cons + at) &
			    (RING_SIZE(&link->ring) - 1)], &rsp, sizeof(rsp));
	if (how & 128)
		sring->rsp_prod = link->ring.rsp_cons + at + 1;
}

static void interrupt(void)
{
	/* no end of interrupt, no more of them */
	if (broken)
		return;
	eois = 0;
	MUST(pvc_cmd_irq(link->irq, link) == IRQ_HANDLED);
	MUST(eois <= 1 && (eois || broken));
	if (!broken)
		count();
}

/* Who waits may be killed; interrupts come meanwhile */
int wait_for_completion_killable(struct completion *c)
{
	u32 tries;

	for (tries = 0; tries < 4 && !c->done; tries++) {
		respond();
		interrupt();
	}
	return c->done ? 0 : -EINTR;
}

/* One of the frontend's parts has something to say */
static void submit(void)
{
	struct xen_pvcalls_request req = {};
	struct mine *m = &mine[take_u8() % COMMANDS];
	struct pvcalls_response rsp = {};
	u32 how = take_u8();
	int ret;

	if (how % 8 == 0) {
		req.cmd = any_code();
		ret = pvc_cmd_call(link, &req, &rsp);
		sane(ret);
		if (ret != -EINTR)
			MUST(ret == rsp.ret);
		return;
	}
	if (how % 8 == 1) {
		req.cmd = any_code();
		sane(pvc_cmd_post(link, &req));
		return;
	}
	if (m->under_way)
		return;
	pvc_cmd_fini(&m->cmd);
	if (pvc_cmd_init(&m->cmd, link, any_code(), done))
		return;
	m->cmd.lazy = how & 128;
	m->under_way = true;
	MUST(!pvc_cmd_submit(&m->cmd));
}

static void begin(void)
{
	u32 how = take_u8();

	memset(mine, 0, sizeof(mine));
	broken = false;
	ending = false;
	link = calloc(1, sizeof(*link));
	sring = calloc(1 + (how & 1), PAGE_SIZE);
	MUST(link && sring);
	link->ref.v = 1;
	link->irq = 1;
	link->features = take_u8() | take_u8() << 8;
	link->watch_unseen = watch_unseen;
	INIT_LIST_HEAD(&link->backlog);
	INIT_LIST_HEAD(&link->held);
	SHARED_RING_INIT(sring);
	FRONT_RING_INIT(&link->ring, sring, (1 + (how & 1)) * PAGE_SIZE);
	if (how & 2) {
		link->ring.req_prod_pvt = take_u32();
		link->ring.rsp_cons = link->ring.req_prod_pvt;
		sring->req_prod = link->ring.req_prod_pvt;
		sring->rsp_prod = link->ring.req_prod_pvt;
	}
	MUST(!pvc_cmd_start(link));
}

/* Every command is done, and nothing is left */
static void end(void)
{
	u32 i;

	ending = true;
	pvc_cmd_stop(link);
	for (i = 0; i < COMMANDS; i++) {
		MUST(!mine[i].under_way);
		MUST(!mine[i].cmd.link ||
		     pvc_cmd_submit(&mine[i].cmd) == -ENOTCONN);
		pvc_cmd_fini(&mine[i].cmd);
	}
	for (i = 0; i < ARRAY_SIZE(link->cmds.entry); i++)
		MUST(!link->cmds.entry[i]);
	MUST(link->ref.v == 1);
	free(sring);
	free(link);
	sring = NULL;
	link = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	left = size;
	begin();
	while (left) {
		switch (take_u8() % 4) {
		case 0:
			respond();
			break;
		case 1:
			submit();
			break;
		default:
			interrupt();
			break;
		}
	}
	end();
	return 0;
}
