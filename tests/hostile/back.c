// SPDX-License-Identifier: GPL-2.0
/* See back.h: handshake, command ring, mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "back.h"

#include <xen/gntdev.h>

#define PATIENCE_MS	15000

static const char *back_path(const char *key)
{
	static char path[128];

	snprintf(path, sizeof(path), "/local/domain/0/backend/pvcalls/%u/0/%s",
		 guest, key);
	return path;
}

static void front_get(char value[XS_VALUE], const char *key)
{
	if (xs_get(value, "/local/domain/%u/device/pvcalls/0/%s", guest,
		   key) < 0)
		fail("the frontend has no %s", key);
}

static u32 front_number(const char *key)
{
	char value[XS_VALUE];

	front_get(value, key);
	return strtoul(value, NULL, 10);
}

void be_node(const char *key, const char *value)
{
	int ret;

	ret = value ? xs_put(back_path(key), value) : xs_remove(back_path(key));
	if (ret && ret != -ENOENT)
		fail("xenstore: %s: %s", key, strerror(-ret));
}

void be_state(const char *value)
{
	be_node("state", value);
}

long front_state(void)
{
	char value[XS_VALUE];

	front_get(value, "state");
	return atol(value);
}

bool front_wait(unsigned int states, unsigned int ms)
{
	u64 end = now_ms() + ms;

	for (;;) {
		long state = front_state();

		if (state >= 0 && state < 32 && (states & (1U << state)))
			return true;
		if (now_ms() > end)
			return false;
		sleep_ms(10);
	}
}

/* Ends whatever there is. */
void be_close(void)
{
	if (front_state() == ST_INITIALISING)
		return;
	be_state("5");
	front_wait(1 << ST_CLOSING | 1 << ST_CLOSED, 3000);
	be_state("6");
	expect(front_wait(1 << ST_CLOSED | 1 << ST_INITIALISING, PATIENCE_MS),
	       "the frontend does not close: state %ld", front_state());
}

void be_offer(unsigned int features)
{
	static const char * const keys[] = {
		"feature-defer", "feature-shutdown", "feature-names",
		"feature-ipv6", "feature-wakeup", "feature-dgram",
		"feature-getsockopt"
	};
	unsigned int i;

	be_node("versions", "1");
	be_node("max-page-order", "4");
	be_node("function-calls", "1");
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		be_node(keys[i], features & (1U << i) ? "1" : NULL);
	be_state("2");
}

/* Waits for a device of any guest, and says what a backend says first. */
int be_offer_first(void)
{
	char names[PAGE], path[128];
	int len, at;

	for (;;) {
		len = xs_names(names, "backend/pvcalls");
		for (at = 0; at < len; at += strlen(names + at) + 1) {
			guest = atoi(names + at);
			snprintf(path, sizeof(path),
				 "backend/pvcalls/%u/0/state", guest);
			if (xs_number(path, 0) != ST_INITIALISING)
				continue;
			be_offer(0);
			return 0;
		}
		sleep_ms(20);
	}
}

static void *map_refs(struct be *be, const u32 *refs, u32 n, u64 *at)
{
	struct ioctl_gntdev_map_grant_ref *op;
	struct ioctl_gntdev_grant_ref *ref;
	void *va;
	u32 i;

	op = calloc(1, sizeof(*op) + n * sizeof(*ref));
	if (!op)
		fail("calloc: %m");
	op->count = n;
	ref = op->refs;
	for (i = 0; i < n; i++) {
		ref[i].domid = guest;
		ref[i].ref = refs[i];
	}
	if (ioctl(be->gnt, IOCTL_GNTDEV_MAP_GRANT_REF, op)) {
		free(op);
		return NULL;
	}
	*at = op->index;
	free(op);
	va = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, be->gnt,
		  *at);
	return va == MAP_FAILED ? NULL : va;
}

static void unmap_refs(struct be *be, void *va, u32 n, u64 at)
{
	struct ioctl_gntdev_unmap_grant_ref op = { .index = at, .count = n };

	munmap(va, n * PAGE);
	ioctl(be->gnt, IOCTL_GNTDEV_UNMAP_GRANT_REF, &op);
}

void be_connect(struct be *be)
{
	u32 ref;
	u64 at;
	int port;

	memset(be, 0, sizeof(*be));
	expect(front_wait(1 << ST_INITIALISED, PATIENCE_MS),
	       "the frontend does not come: state %ld", front_state());
	be->gnt = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC);
	if (be->gnt < 0)
		fail("/dev/xen/gntdev: %m");
	be->evt = evt_open();
	ref = front_number("ring-ref");
	be->sring = map_refs(be, &ref, 1, &at);
	if (!be->sring)
		fail("can't map the command ring: %m");
	port = evt_interdomain(be->evt, guest, front_number("port"));
	expect(port > 0, "can't bind the port: %s", strerror(-port));
	be->port = port;
	be->req_cons = 0;
	be->rsp_prod = 0;
	be_state("4");
	expect(front_wait(1 << ST_CONNECTED, PATIENCE_MS),
	       "the frontend does not connect: state %ld", front_state());
}

/* As a driver domain that crashes: no word to anybody. */
void be_vanish(struct be *be)
{
	unsigned int i;

	for (i = 0; i < CONNS; i++)
		if (be->conns[i].used)
			be_unmap(be, &be->conns[i]);
	munmap(be->sring, PAGE);
	close(be->gnt);
	close(be->evt);
	be->sring = NULL;
}

bool be_next(struct be *be, struct raw_req *req)
{
	u32 prod;

	if (!be->sring)
		return false;
	prod = GET(be->sring->req_prod);
	mb();
	expect(prod - be->req_cons <= SLOTS, "more requests than slots");
	if (prod == be->req_cons) {
		SET(be->sring->req_event, be->req_cons + 1);
		mb();
		if (GET(be->sring->req_prod) == prod)
			return false;
	}
	memcpy(req, &be->sring->slot[be->req_cons % SLOTS].req, sizeof(*req));
	be->req_cons++;
	be->count++;
	return true;
}

/* The slot of the next response, zeroed */
struct raw_rsp *be_slot(struct be *be)
{
	struct raw_rsp *rsp = &be->sring->slot[be->rsp_prod % SLOTS].rsp;

	memset(rsp, 0, sizeof(*rsp));
	return rsp;
}

void be_push(struct be *be)
{
	mb();
	SET(be->sring->rsp_prod, ++be->rsp_prod);
	mb();
	evt_notify(be->evt, be->port);
}

void be_answer(struct be *be, const struct raw_req *req, s32 ret)
{
	struct raw_rsp *rsp = be_slot(be);

	rsp->req_id = req->req_id;
	rsp->cmd = req->cmd;
	rsp->ret = ret;
	rsp->u.id = req->u.id;
	be_push(be);
}

static bool map_conn(struct be *be, struct bconn *c, u32 ref, u32 port)
{
	u32 order, refs[1U << MAX_ORDER];
	int local;

	c->intf = map_refs(be, &ref, 1, &c->index_at);
	if (!c->intf)
		return false;
	order = GET(c->intf->ring_order);
	if (order < 1 || order > MAX_ORDER)
		goto no_data;
	memcpy(refs, c->intf->ref, sizeof(u32) << order);
	c->in = map_refs(be, refs, 1U << order, &c->data_at);
	if (!c->in)
		goto no_data;
	c->size = (PAGE << order) / 2;
	c->out = c->in + c->size;
	local = evt_interdomain(be->evt, guest, port);
	if (local > 0) {
		c->port = local;
		return true;
	}
	unmap_refs(be, c->in, 1U << order, c->data_at);
no_data:
	unmap_refs(be, c->intf, 1, c->index_at);
	return false;
}

/*
 * A frontend that has seen through the lie gives its grants up while requests
 * for them are still in the ring: then it can't be mapped.
 */
bool be_map(struct be *be, u64 id, u32 ref, u32 port)
{
	struct bconn *c = be->conns;

	while (c < be->conns + CONNS && c->used)
		c++;
	expect(c < be->conns + CONNS, "too many sockets");
	memset(c, 0, sizeof(*c));
	if (!map_conn(be, c, ref, port))
		return false;
	c->id = id;
	c->used = true;
	return true;
}

void be_unmap(struct be *be, struct bconn *c)
{
	evt_unbind(be->evt, c->port);
	unmap_refs(be, c->in, c->size * 2 / PAGE, c->data_at);
	unmap_refs(be, c->intf, 1, c->index_at);
	c->used = false;
}
