// SPDX-License-Identifier: GPL-2.0
/* See front.h: data rings of a frontend by hand. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "front.h"

#define PATIENCE_MS	10000

void conn_init(struct fe *fe, struct conn *c, u32 order)
{
	static u64 next_id = 0x1000;
	u32 n = 1U << order;
	int port;

	memset(c, 0, sizeof(*c));
	c->id = next_id++;
	pages_alloc(fe, &c->index, 1, true);
	pages_alloc(fe, &c->data, n, true);
	c->intf = (struct raw_intf *)c->index.va;
	c->intf->ring_order = order;
	memcpy(c->intf->ref, c->data.ref, n * sizeof(u32));
	c->size = n * PAGE / 2;
	c->in = c->data.va;
	c->out = c->data.va + c->size;
	port = evt_unbound(fe->evt, BACK_DOMID);
	expect(port > 0, "evtchn: %s", strerror(-port));
	c->port = port;
}

void conn_free(struct fe *fe, struct conn *c)
{
	evt_unbind(fe->evt, c->port);
	pages_free(fe, &c->data);
	pages_free(fe, &c->index);
}

static void put_address(u8 addr[28], const char *host, u16 port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = inet_addr(host),
	};

	memcpy(addr, &to, sizeof(to));
}

struct raw_req conn_request(struct fe *fe, const struct conn *c,
			    const char *host, u16 port)
{
	struct raw_req req = req_new(fe, CMD_CONNECT, c->id);

	put_address(req.u.connect.addr, host, port);
	req.u.connect.len = sizeof(struct sockaddr_in);
	req.u.connect.ref = c->index.ref[0];
	req.u.connect.evtchn = c->port;
	return req;
}

struct raw_req accept_request(struct fe *fe, const struct conn *c, u64 id)
{
	struct raw_req req = req_new(fe, CMD_ACCEPT, id);

	req.u.accept.id_new = c->id;
	req.u.accept.ref = c->index.ref[0];
	req.u.accept.evtchn = c->port;
	return req;
}

/* Socket and connect; @port counts from peer_base */
s32 conn_open(struct fe *fe, struct conn *c, int port)
{
	struct raw_req req;
	s32 ret;

	ret = fe_socket(fe, c->id);
	if (ret)
		return ret;
	req = conn_request(fe, c, peer_host, peer_base + port);
	return fe_call(fe, &req);
}

void conn_must_open(struct fe *fe, struct conn *c, u32 order, int port)
{
	s32 ret;

	conn_init(fe, c, order);
	ret = conn_open(fe, c, port);
	expect(!ret, "connect failed: %d", ret);
}

void conn_release(struct fe *fe, struct conn *c)
{
	s32 ret = fe_simple(fe, CMD_RELEASE, c->id);

	expect(!ret, "release failed: %d", ret);
	conn_free(fe, c);
}

bool conn_dead(const struct conn *c)
{
	return GET(c->intf->in_error) || GET(c->intf->out_error);
}

/* Sends what fits now. */
u32 conn_send(struct fe *fe, struct conn *c, const void *data, u32 len)
{
	u32 cons = GET(c->intf->out_cons), off, first;

	mb();
	expect(c->out_prod - cons <= c->size, "out_cons beyond out_prod");
	if (len > c->size - (c->out_prod - cons))
		len = c->size - (c->out_prod - cons);
	if (!len)
		return 0;
	off = c->out_prod % c->size;
	first = len < c->size - off ? len : c->size - off;
	memcpy(c->out + off, data, first);
	memcpy(c->out, (const u8 *)data + first, len - first);
	mb();
	c->out_prod += len;
	SET(c->intf->out_prod, c->out_prod);
	mb();
	evt_notify(fe->evt, c->port);
	return len;
}

/* Takes what is there now. */
u32 conn_recv(struct fe *fe, struct conn *c, void *data, u32 len)
{
	u32 prod = GET(c->intf->in_prod), off, first;

	mb();
	expect(prod - c->in_cons <= c->size, "in_prod beyond the ring");
	if (len > prod - c->in_cons)
		len = prod - c->in_cons;
	if (!len)
		return 0;
	off = c->in_cons % c->size;
	first = len < c->size - off ? len : c->size - off;
	memcpy(data, c->in + off, first);
	memcpy((u8 *)data + first, c->in, len - first);
	mb();
	c->in_cons += len;
	SET(c->intf->in_cons, c->in_cons);
	mb();
	evt_notify(fe->evt, c->port);
	return len;
}

void conn_wait_in(struct fe *fe, struct conn *c)
{
	u64 end = now_ms() + PATIENCE_MS;

	while (GET(c->intf->in_prod) == c->in_cons) {
		expect(!conn_dead(c), "the socket died: in %d, out %d",
		       GET(c->intf->in_error), GET(c->intf->out_error));
		expect(now_ms() < end, "nothing came from the peer");
		evt_wait(fe->evt, 50);
	}
}

/* @len bytes there and back, compared */
void conn_echo(struct fe *fe, struct conn *c, u32 len)
{
	u64 end = now_ms() + PATIENCE_MS;
	u32 sent = 0, got = 0, i;
	u8 buf[2048], want;

	while (got < len) {
		u32 moved = 0, n;

		if (sent < len) {
			n = len - sent < sizeof(buf) ? len - sent : sizeof(buf);
			for (i = 0; i < n; i++)
				buf[i] = (sent + i) * 167 >> 3;
			n = conn_send(fe, c, buf, n);
			sent += n;
			moved += n;
		}
		n = conn_recv(fe, c, buf, sizeof(buf));
		for (i = 0; i < n; i++) {
			want = (got + i) * 167 >> 3;
			expect(buf[i] == want, "echo: byte %u is wrong",
			       got + i);
		}
		got += n;
		moved += n;
		if (moved)
			continue;
		expect(!conn_dead(c), "echo: the socket died: in %d, out %d",
		       GET(c->intf->in_error), GET(c->intf->out_error));
		expect(now_ms() < end, "echo: %u of %u came back", got, len);
		evt_wait(fe->evt, 50);
	}
}

void want_punished(struct fe *fe, struct conn *c, const char *what)
{
	u64 end = now_ms() + 5000;

	while (!conn_dead(c) && be_state() == ST_CONNECTED) {
		expect(now_ms() < end, "%s: the backend does not mind", what);
		evt_notify(fe->evt, c->port);
		evt_wait(fe->evt, 20);
	}
}

void fe_control(struct fe *fe)
{
	struct conn c;

	fe_again(fe);
	conn_must_open(fe, &c, 3, PORT_ECHO);
	conn_echo(fe, &c, 1);
	conn_echo(fe, &c, 50000);
	conn_release(fe, &c);
}

void control(void)
{
	static struct fe fe;

	fe_open(&fe);
	fe_control(&fe);
}
