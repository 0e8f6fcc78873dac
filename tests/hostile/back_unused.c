// SPDX-License-Identifier: GPL-2.0
/* Bytes that nobody uses: those of requests and new rings have to be zero. */
#include <string.h>
#include <sys/socket.h>

#include "back.h"

/* Where addresses are in CONNECT and BIND, and what is behind those of IPv4 */
#define ADDR		8
#define ADDR_V4		16
#define ADDR_LEN	28

/* How many bytes of a request's arguments there are */
static u32 used(const struct raw_req *req)
{
	switch (req->cmd) {
	case CMD_SOCKET:
		return 20;
	case CMD_CONNECT:
		return 52;
	case CMD_RELEASE:
		return 10;
	case CMD_BIND:
		return 40;
	case CMD_LISTEN:
	case CMD_SHUTDOWN:
	case CMD_GETNAME:
		return 12;
	case CMD_ACCEPT:
		return 24;
	default:
		return 8;
	}
}

/* An honest backend that looks closely at requests, */
static bool request(struct be *be, const struct raw_req *req)
{
	static const char what[] = "request with command";
	u32 n = used(req);
	u16 family;

	(void)be;
	want_zero(req->u.raw + n, sizeof(req->u.raw) - n, what, req->cmd);
	if (req->cmd != CMD_CONNECT && req->cmd != CMD_BIND)
		return false;
	memcpy(&family, req->u.raw + ADDR, sizeof(family));
	if (family == AF_INET)
		want_zero(req->u.raw + ADDR + ADDR_V4, ADDR_LEN - ADDR_V4,
			  "address with command", req->cmd);
	return false;
}

/* and at rings of which nothing has been used yet but what has been sent. */
static void ring(struct be *be, struct bconn *c)
{
	u32 prod = GET(c->intf->out_prod), n;

	if (!c->step) {
		n = 1U << c->intf->ring_order;
		expect(prod <= c->size, "out_prod makes no sense");
		want_zero(c->intf->pad1, sizeof(c->intf->pad1), "indexes", 1);
		want_zero(c->intf->pad2, sizeof(c->intf->pad2), "indexes", 2);
		want_zero(c->intf->ref + n, sizeof(c->intf->ref) - 4 * n,
			  "grants beyond", n);
		want_zero(c->in, c->size, "ring of pages", n);
		want_zero(c->out + prod, c->size - prod, "ring of pages", n);
	}
	conn_echo(be, c);
}

#define LOOK(n, v, f)							\
	{ n, run_lie, 90, 0, &(const struct lie) {			\
		.victim = v, .allow = OK, .request = request, .data = ring, \
		.features = f } }

const struct hcase unused_cases[] = {
	LOOK("unused-requests", "echo 20000", F_SHUTDOWN | F_NAMES),
	/* this backend does not know what has been bound */
	LOOK("unused-accepts", "accept", F_SHUTDOWN),
};

const unsigned int unused_count = sizeof(unused_cases) / sizeof(*unused_cases);
