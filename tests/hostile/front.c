// SPDX-License-Identifier: GPL-2.0
/* See front.h: pages, the handshake, commands. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xen/gntalloc.h>

#include "front.h"

/* How long the backend may take over what it can do at once */
#define PATIENCE_MS	10000

void pages_alloc(struct fe *fe, struct pages *p, u32 n, bool writable)
{
	struct {
		struct ioctl_gntalloc_alloc_gref op;
		u32 more[1U << MAX_ORDER];
	} arg = {
		.op.domid = BACK_DOMID,
		.op.flags = writable ? GNTALLOC_FLAG_WRITABLE : 0,
		.op.count = n,
	};

	if (ioctl(fe->gnt, IOCTL_GNTALLOC_ALLOC_GREF, &arg))
		fail("gntalloc: %u pages: %m", n);
	p->n = n;
	p->index = arg.op.index;
	memcpy(p->ref, (u8 *)&arg + offsetof(struct ioctl_gntalloc_alloc_gref,
					     gref_ids), n * sizeof(u32));
	p->va = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     fe->gnt, p->index);
	if (p->va == MAP_FAILED)
		fail("gntalloc: mmap: %m");
}

void pages_free(struct fe *fe, struct pages *p)
{
	struct ioctl_gntalloc_dealloc_gref op = {
		.index = p->index, .count = p->n
	};

	munmap(p->va, p->n * PAGE);
	if (ioctl(fe->gnt, IOCTL_GNTALLOC_DEALLOC_GREF, &op))
		fail("gntalloc: dealloc: %m");
}

/* ---- handshake ---- */

static const char *back_path(void)
{
	static char path[XS_VALUE];

	if (!*path && xs_get(path, FRONT "/backend") < 0)
		fail("this guest has no pvcalls device");
	return path;
}

long be_state(void)
{
	char path[XS_VALUE + 8];

	snprintf(path, sizeof(path), "%s/state", back_path());
	return xs_number(path, ST_UNKNOWN);
}

bool be_wait(unsigned int states, unsigned int ms)
{
	u64 end = now_ms() + ms;

	for (;;) {
		long state = be_state();

		if (state >= 0 && state < 32 && (states & (1U << state)))
			return true;
		if (now_ms() > end)
			return false;
		sleep_ms(10);
	}
}

bool fe_offered(const char *feature)
{
	char path[XS_VALUE + 64];

	snprintf(path, sizeof(path), "%s/%s", back_path(), feature);
	return xs_number(path, 0) == 1;
}

void fe_node(const char *key, const char *value)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), FRONT "/%s", key);
	ret = value ? xs_put(path, value) : xs_remove(path);
	if (ret && ret != -ENOENT)
		fail("xenstore: %s: %s", path, strerror(-ret));
}

void fe_state(const char *value)
{
	fe_node("state", value);
}

void fe_init(struct fe *fe)
{
	int port;

	memset(fe, 0, sizeof(*fe));
	fe->gnt = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC);
	if (fe->gnt < 0)
		fail("/dev/xen/gntalloc: %m");
	fe->evt = evt_open();
	pages_alloc(fe, &fe->ring_page, 1, true);
	fe->sring = (struct raw_sring *)fe->ring_page.va;
	fe->sring->req_event = 1;
	fe->sring->rsp_event = 1;
	port = evt_unbound(fe->evt, BACK_DOMID);
	expect(port > 0, "evtchn: %s", strerror(-port));
	fe->port = port;
	fe->next_id = 1;
}

void fe_number(const char *key, u32 number)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", number);
	fe_node(key, value);
}

void fe_publish(struct fe *fe)
{
	fe_node("version", "1");
	fe_number("ring-ref", fe->ring_page.ref[0]);
	fe_number("port", fe->port);
}

/* What version 1 does not know */
static const char * const extensions[] = {
	"feature-defer", "feature-shutdown", "feature-names", "feature-ipv6",
	"feature-wakeup", "feature-sockopt", "feature-reuse", "feature-open",
	"feature-shared-evtchn", "feature-dgram", "feature-getsockopt",
	"ring-page-order", "ring-ref0", "ring-ref1",
};

void fe_reset(void)
{
	unsigned int i;

	if (be_state() != ST_INIT_WAIT ||
	    xs_number(FRONT "/state", 0) != ST_INITIALISING) {
		fe_state("5");
		be_wait(1 << ST_CLOSING | 1 << ST_CLOSED, 2000);
		fe_state("6");
		expect(be_wait(1 << ST_CLOSED, PATIENCE_MS),
		       "backend does not close: state %ld", be_state());
		fe_state("1");
	}
	expect(be_wait(1 << ST_INIT_WAIT, PATIENCE_MS),
	       "backend does not wait for us: state %ld", be_state());
	for (i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
		fe_node(extensions[i], NULL);
}

void fe_connect(struct fe *fe)
{
	fe_publish(fe);
	fe_state("3");
	expect(be_wait(1 << ST_CONNECTED, PATIENCE_MS),
	       "backend does not connect: state %ld", be_state());
	fe_state("4");
}

void fe_open(struct fe *fe)
{
	fe_init(fe);
	fe_reset();
	fe_connect(fe);
}

/* What was granted before stays: the backend may have it mapped still. */
void fe_again(struct fe *fe)
{
	if (be_state() == ST_CONNECTED)
		return;
	fe_open(fe);
}

/* ---- commands ---- */

bool is_error(s32 ret)
{
	return ret < 0 && (ret >= -133 || ret == -ENOTSUP_WIRE);
}

struct raw_req req_new(struct fe *fe, u32 cmd, u64 id)
{
	struct raw_req req = { .req_id = fe->next_id++, .cmd = cmd };

	req.u.id = id;
	return req;
}

void fe_push_raw(struct fe *fe, u32 req_prod)
{
	mb();
	SET(fe->sring->req_prod, req_prod);
	mb();
	evt_notify(fe->evt, fe->port);
}

/* Takes what has come off the ring, so that there is room. */
static bool fe_poll_ring(struct fe *fe)
{
	u32 prod = GET(fe->sring->rsp_prod);
	bool some = prod != fe->rsp_cons;

	mb();
	expect(prod - fe->rsp_cons <= fe->req_prod - fe->rsp_cons,
	       "more responses than requests");
	while (fe->rsp_cons != prod) {
		expect(fe->stashed < STASH, "too many responses at once");
		memcpy(&fe->stash[fe->stashed++],
		       &fe->sring->slot[fe->rsp_cons % SLOTS].rsp,
		       sizeof(struct raw_rsp));
		fe->rsp_cons++;
	}
	SET(fe->sring->rsp_event, fe->rsp_cons + 1);
	mb();
	return some || GET(fe->sring->rsp_prod) != prod;
}

/* Waits for the slot only if the ring is full. */
void fe_push(struct fe *fe, const struct raw_req *req)
{
	u64 end = now_ms() + PATIENCE_MS;

	while (fe->req_prod - fe->rsp_cons >= SLOTS) {
		if (!fe_poll_ring(fe))
			evt_wait(fe->evt, 100);
		expect(now_ms() < end, "the command ring stays full");
	}
	memcpy(&fe->sring->slot[fe->req_prod % SLOTS].req, req, sizeof(*req));
	fe_push_raw(fe, ++fe->req_prod);
}

bool fe_next(struct fe *fe, struct raw_rsp *rsp, unsigned int ms)
{
	u64 end = now_ms() + ms;

	for (;;) {
		while (fe_poll_ring(fe))
			;
		if (fe->stashed) {
			*rsp = fe->stash[0];
			fe->stashed--;
			memmove(fe->stash, fe->stash + 1,
				fe->stashed * sizeof(*rsp));
			return true;
		}
		if (now_ms() >= end)
			return false;
		evt_wait(fe->evt, 100);
	}
}

/* Waits for one response, and leaves others for later. */
struct raw_rsp fe_wait(struct fe *fe, u32 req_id, u32 cmd)
{
	u64 end = now_ms() + PATIENCE_MS;
	struct raw_rsp rsp;
	u32 i;

	for (;;) {
		while (fe_poll_ring(fe))
			;
		for (i = 0; i < fe->stashed; i++) {
			rsp = fe->stash[i];
			if (rsp.req_id != req_id)
				continue;
			fe->stashed--;
			memmove(fe->stash + i, fe->stash + i + 1,
				(fe->stashed - i) * sizeof(rsp));
			expect(rsp.cmd == cmd, "command %u answered as %u",
			       cmd, rsp.cmd);
			return rsp;
		}
		expect(now_ms() < end, "no response to command %u", cmd);
		evt_wait(fe->evt, 100);
	}
}

s32 fe_call(struct fe *fe, const struct raw_req *req)
{
	struct raw_rsp rsp;

	fe_push(fe, req);
	rsp = fe_wait(fe, req->req_id, req->cmd);
	if (req->cmd <= CMD_POLL)
		expect(rsp.u.id == req->u.id, "command %u: id not echoed",
		       req->cmd);
	expect(!rsp.ret || is_error(rsp.ret), "command %u: return value %d",
	       req->cmd, rsp.ret);
	return rsp.ret;
}

s32 fe_simple(struct fe *fe, u32 cmd, u64 id)
{
	struct raw_req req = req_new(fe, cmd, id);

	return fe_call(fe, &req);
}

s32 fe_socket(struct fe *fe, u64 id)
{
	struct raw_req req = req_new(fe, CMD_SOCKET, id);

	req.u.socket.domain = AF_INET;
	req.u.socket.type = SOCK_STREAM;
	return fe_call(fe, &req);
}

s32 fe_bind(struct fe *fe, u64 id, u16 port)
{
	struct raw_req req = req_new(fe, CMD_BIND, id);

	req.u.bind.addr[0] = AF_INET;
	req.u.bind.addr[2] = port >> 8;
	req.u.bind.addr[3] = port;
	req.u.bind.len = 16;
	return fe_call(fe, &req);
}

s32 fe_listen(struct fe *fe, u64 id, u32 backlog)
{
	struct raw_req req = req_new(fe, CMD_LISTEN, id);

	req.u.listen.backlog = backlog;
	return fe_call(fe, &req);
}
