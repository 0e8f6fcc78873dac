// SPDX-License-Identifier: GPL-2.0
/*
 * The command ring, as the backend reads it. The guest writes requests and
 * indexes as it likes, an index at the very moment when it is read, and a slot
 * as soon as it is copied. The backend reads no more requests than there are
 * slots, hands on what it has copied and nothing that is not in force, and
 * answers each request once, in a slot that is free. What of a response is not
 * used is zero.
 */
#include "commands.h"
#include "guest/call.h"
#include "guest/guest.h"
#include "guest/policy.h"
#include "input.h"
#include "link/cmd.h"
#include "sched/worker.h"
#include "sock/conn.h"
#include "sock/listener.h"
#include "sock/name.h"
#include "sock/open.h"
#include "sock/run.h"
#include "sock/sock.h"
#include "sock/sockopt.h"

#define MOST	1024

/* What has become of a request */
enum fate {
	READ,		/* nobody has answered it */
	PROMISED,	/* its slot was answered, and the result comes later */
	ANSWERED,
};

static struct request {
	struct xen_pvcalls_request req;
	enum fate fate;
} requests[MOST];
static u32 nr;

/* Calls that a socket has */
static struct pvcalls_call *held[MOST];
static u32 nr_held;

static struct pvcalls_guest *g;
static struct pvcalls_worker worker;
static struct pvcalls_sock sock;
static struct ratelimit_state quiet;
static size_t pages;
static RING_IDX answered, written;
static u32 breaks, eois, forgets, charged;
static u8 mood;
static bool dead;

static bool lucky(u32 one_in)
{
	return take_u8() % one_in != 0;
}

/* The guest changes an index while it is looked at */
void peer_look(const volatile void *p, size_t len)
{
	RING_IDX *index = (RING_IDX *)p;
	u32 how;

	if (!g || (u8 *)p < (u8 *)g->ring.sring ||
	    (u8 *)p >= (u8 *)g->ring.sring + offsetof(struct xen_pvcalls_sring,
						      ring))
		return;
	MUST(len == sizeof(*index));
	how = take_u8();
	switch (how % 8) {
	case 7:
		*index = take_u32();
		break;
	case 1:
		*index = g->ring.req_cons + how / 8;
		break;
	case 2:
		*index = g->ring.rsp_prod_pvt + g->ring.nr_ents - 8 + how / 8;
		break;
	case 3:
		*index = g->ring.req_cons + 1;
		break;
	default:
		break;
	}
}

/* A request has been copied: the guest uses the slot for something else */
void fuzz_request(const struct xen_pvcalls_request *req)
{
	RING_IDX at = (g->ring.req_cons - 1) & (g->ring.nr_ents - 1);
	void *slot = &g->ring.sring->ring[at];

	MUST(!breaks && !g->forget && nr < MOST);
	MUST(!memcmp(req, slot, sizeof(*req)));
	MUST(g->ring.req_cons - g->ring.rsp_prod_pvt <= g->ring.nr_ents);
	requests[nr].req = *req;
	requests[nr].fate = READ;
	nr++;
	memset(slot, 0xaa, sizeof(*req));
}

/* The extension that a command needs; -1 for no such command */
static int needs(u32 number)
{
#define NEEDS(number, name, needs, take, run)	case number: return needs;
	switch (number) {
	PVCALLS_COMMANDS(NEEDS, NEEDS)
	}
	return -1;
}

static bool in_force(u32 number)
{
	int f = needs(number);

	return f == PVCALLS_F_NONE || (f >= 0 && pvcalls_guest_has(g, f));
}

/* The request that was read last is worked on */
static const struct xen_pvcalls_request *now(void)
{
	MUST(nr && in_force(requests[nr - 1].req.cmd));
	return &requests[nr - 1].req;
}

struct pvcalls_sock *pvcalls_sock_find(struct pvcalls_guest *guest, u64 id)
{
	MUST(id == now()->u.socket.id);
	return id % 4 ? &sock : NULL;
}

void pvcalls_sock_unhash(struct pvcalls_sock *ps)
{
	MUST(now()->cmd == PVCALLS_RELEASE);
}

void pvcalls_sock_submit(struct pvcalls_sock *ps, struct pvcalls_call *call)
{
	MUST(ps == &sock && call->run && nr_held < MOST);
	MUST(!memcmp(&call->req, now(), sizeof(call->req)));
	held[nr_held++] = call;
}

void pvcalls_sock_put(struct pvcalls_sock *ps)
{
	MUST(ps == &sock);
}

int pvcalls_sock_open(struct pvcalls_guest *guest, u64 id, u32 domain, u32 type,
		      u32 protocol)
{
	const struct xen_pvcalls_request *req = now();
	sa_family_t family;

	if (req->cmd == PVCALLS_SOCKET) {
		MUST(id == req->u.socket.id && domain == req->u.socket.domain);
		MUST(type == req->u.socket.type);
		MUST(protocol == req->u.socket.protocol);
	} else {
		memcpy(&family, req->u.connect.addr, sizeof(family));
		MUST(req->cmd == PVCALLS_CONNECT && domain == family);
		MUST(req->u.connect.flags & PVCALLS_CONNECT_OPEN);
		MUST(pvcalls_guest_has(g, PVCALLS_F_OPEN));
		MUST(id == req->u.connect.id && type == SOCK_STREAM);
	}
	return lucky(2) ? 0 : -EAFNOSUPPORT;
}

/* As many as the request names, each in its turn */
void pvcalls_ring_forget(struct pvcalls_rings *rings, grant_ref_t ref,
			 struct pvcalls_datamap_scratch *scratch)
{
	const struct pvcalls_req_forget *req = (const void *)&now()->u;

	MUST(now()->cmd == PVCALLS_FORGET && req->count <= PVCALLS_MAX_FORGET);
	MUST(forgets < req->count && ref == req->ref[forgets]);
	forgets = (forgets + 1) % req->count;
}

/* What the backend's other parts would do is as the input says */
bool pvcalls_rings_age(struct pvcalls_rings *rings,
		       struct pvcalls_datamap_scratch *scratch)
{
	return lucky(2);
}

u32 pvcalls_policy_calls(struct pvcalls_guest *guest, u32 n, u64 *wait)
{
	*wait = 1000000;
	return n == 1 && (mood & 1 || lucky(8));
}

bool pvcalls_worker_spend(u64 cost)
{
	return !(mood & 2) && !lucky(8);
}

bool pvcalls_worker_is_over(void)
{
	return mood & 2 ? false : !lucky(4);
}

bool pvcalls_account_try(struct pvcalls_account *a, enum pvcalls_kind kind,
			 long n)
{
	if (!lucky(8))
		return false;
	charged += n;
	return true;
}

int pvcalls_account_charge(const struct pvcalls_peer *peer,
			   enum pvcalls_kind kind, long n)
{
	return pvcalls_account_try(peer->account, kind, n) ? 0 : -ENOBUFS;
}

void pvcalls_account_uncharge(struct pvcalls_account *a, enum pvcalls_kind kind,
			      long n)
{
	MUST(charged >= n);
	charged -= n;
}

void pvcalls_guest_notify(struct pvcalls_guest *guest)
{
	clear_bit(PVCALLS_GUEST_NOTIFY, &g->flags);
}

void xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	MUST(irq == (unsigned int)g->irq && eois && !breaks);
	eois--;
}

static void broken(void *arg)
{
	MUST(arg == &broken);
	breaks++;
}

void pvcalls_guest_get(struct pvcalls_guest *guest)
{
}

void pvcalls_guest_put(struct pvcalls_guest *guest)
{
}

void pvcalls_work_steer(struct pvcalls_work *work, int irq)
{
}

void pvcalls_work_mark(struct pvcalls_work *work)
{
}

/* Sockets' own commands are for their workers, of which there are none here */
#define NOT_HERE(fn)							\
void fn(struct pvcalls_sock *ps, struct pvcalls_call *call)		\
{									\
	MUST(0);							\
}

NOT_HERE(pvcalls_sock_connect)
NOT_HERE(pvcalls_sock_release)
NOT_HERE(pvcalls_name_bind)
NOT_HERE(pvcalls_name_get)
NOT_HERE(pvcalls_listener_listen)
NOT_HERE(pvcalls_listener_accept)
NOT_HERE(pvcalls_listener_poll)
NOT_HERE(pvcalls_conn_shutdown)
NOT_HERE(pvcalls_sockopt_set)
NOT_HERE(pvcalls_sockopt_get)

/* Finds a request that a response may be for, by its socket's id as well */
static struct request *find(u32 req_id, u32 cmd, const __u64 *id,
			    enum fate fate)
{
	struct request *r;

	for (r = requests; r < requests + nr; r++)
		if (r->fate == fate && r->req.req_id == req_id &&
		    r->req.cmd == cmd && (!id || *id == r->req.u.socket.id))
			return r;
	MUST(!"a response to no request");
	return NULL;
}

static void zeroes(const u8 *from, size_t n)
{
	while (n--)
		MUST(!*from++);
}

static void unused(const struct pvcalls_response *rsp)
{
	const u8 *end = (const u8 *)(rsp + 1);

	MUST(!rsp->pad);
	if (rsp->cmd == PVCALLS_DEFERRED && !rsp->ret) {
		MUST(rsp->u.deferred.len <= PVCALLS_ADDR_LEN);
		zeroes(rsp->u.deferred.addr + rsp->u.deferred.len,
		       end - rsp->u.deferred.addr - rsp->u.deferred.len);
	} else {
		MUST(rsp->u.name.len <= PVCALLS_ADDR_LEN);
		zeroes(rsp->u.name.addr + rsp->u.name.len,
		       PVCALLS_ADDR_LEN - rsp->u.name.len);
		zeroes(rsp->u.name.pad, end - rsp->u.name.pad);
	}
}

static void judge(const struct pvcalls_response *rsp)
{
	bool result = rsp->cmd == PVCALLS_DEFERRED && !rsp->ret;
	struct request *r;

	unused(rsp);
	r = find(rsp->req_id, rsp->cmd, result ? NULL : &rsp->u.id, READ);
	if (!in_force(rsp->cmd))
		MUST(rsp->ret == -ENOTSUPP);
	if (rsp->ret == -EINPROGRESS) {
		MUST(pvcalls_guest_has(g, PVCALLS_F_DEFER));
		r->fate = PROMISED;
		return;
	}
	r->fate = ANSWERED;
	if (result)
		find(rsp->u.deferred.req_id, rsp->u.deferred.cmd, NULL,
		     PROMISED)->fate = ANSWERED;
}

/* All responses since the last look, which the guest has not overwritten yet */
static void judge_all(void)
{
	struct pvcalls_response rsp;
	RING_IDX at;

	/* one for each request at most */
	MUST(g->ring.req_cons - g->ring.rsp_prod_pvt <= g->ring.nr_ents);
	while (answered != g->ring.rsp_prod_pvt) {
		at = answered++ & (g->ring.nr_ents - 1);
		memcpy(&rsp, &g->ring.sring->ring[at], sizeof(rsp));
		judge(&rsp);
	}
	MUST(g->nr_slots <= g->ring.nr_ents);
}

/* The guest writes requests, most of which make some sense */
static void write_requests(void)
{
	static const u32 known[] = {
#define NUMBER(number, name, needs, take, run)	number,
		PVCALLS_COMMANDS(NUMBER, NUMBER)
	};
	u32 how = take_u8(), where = take_u8(), n = 1;
	struct xen_pvcalls_request req = {};
	RING_IDX at;

	take(&req, where & 1 ? sizeof(req) : 24);
	if (how % 16 < ARRAY_SIZE(known))
		req.cmd = known[how % 16];
	at = g->ring.req_cons + where / 8;
	if (where & 2) {
		at = written;
		n = 1 + how / 16;
		written += n;
	}
	while (n--)
		memcpy(&g->ring.sring->ring[at++ & (g->ring.nr_ents - 1)],
		       &req, sizeof(req));
	if (where & 4)
		g->ring.sring->req_prod = written;
}

/* The guest raises an event, or the worker comes round again */
static void run(bool event)
{
	RING_IDX cons = g->ring.req_cons;
	u32 old = nr;

	if (nr > MOST - 64)
		return;
	if (event && !test_bit(PVCALLS_GUEST_EOI, &g->flags) && !eois) {
		set_bit(PVCALLS_GUEST_EOI, &g->flags);
		eois++;
	}
	g->delay.pending = false;
	pvcalls_cmd_ops.run(&g->work, &worker);
	MUST(nr - old == g->ring.req_cons - cons && nr - old <= 32);
	MUST(breaks == test_bit(PVCALLS_GUEST_BROKEN, &g->flags));
	MUST(breaks <= 1 && (!dead || nr == old));
	judge_all();
}

/* A socket's worker has done with a call, or has it wait */
static void answer(void)
{
	struct pvcalls_call *call;
	struct sockaddr_storage addr;
	u32 how = take_u8(), i;

	if (!nr_held)
		return;
	i = take_u8() % nr_held;
	call = held[i];
	if (how % 4 == 0) {
		pvcalls_reply_later(call);
	} else if (how % 4 == 1) {
		pvcalls_reply_maybe_later(call);
	} else {
		take(&addr, sizeof(addr));
		pvcalls_call_name(call, &addr, (int)(how / 4) - 8);
		held[i] = held[--nr_held];
		pvcalls_reply(call, how % 4 == 2 ? 0 : -ECONNREFUSED);
	}
	judge_all();
}

static void begin(void)
{
	struct xen_pvcalls_sring *sring;
	u32 how = take_u8();

	nr = 0;
	nr_held = 0;
	breaks = 0;
	eois = 0;
	forgets = 0;
	charged = 0;
	dead = false;
	mood = how >> 4;
	pages = 1 << how % 3;
	g = calloc(1, sizeof(*g));
	MUST(g);
	g->peer.warnings = &quiet;
	g->peer.features = take_u8() | take_u8() << 8;
	g->irq = 1;
	g->broken = broken;
	g->broken_arg = &broken;
	INIT_LIST_HEAD(&g->results);
	sring = calloc(pages, PAGE_SIZE);
	MUST(sring);
	BACK_RING_INIT(&g->ring, sring, pages * PAGE_SIZE);
	g->slots = calloc(g->ring.nr_ents, sizeof(*g->slots));
	MUST(g->slots);
	answered = take_u32();
	written = answered;
	g->ring.req_cons = answered;
	g->ring.rsp_prod_pvt = answered;
	g->ring.sring->req_prod = answered;
}

/* The connection ends: all that was read is freed, and nobody is answered */
static void end(void)
{
	RING_IDX prod = g->ring.rsp_prod_pvt;

	dead = true;
	set_bit(PVCALLS_GUEST_DEAD, &g->flags);
	run(false);
	while (nr_held)
		pvcalls_reply(held[--nr_held], 0);
	if (g->forget)
		pvcalls_reply(g->forget, 0);
	pvcalls_reply_flush(g);
	MUST(g->ring.rsp_prod_pvt == prod);
	/* calls that were put off are charged until they are freed */
	MUST(!charged);
	free(g->ring.sring);
	free(g->slots);
	free(g);
	g = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	left = size;
	pvcalls_reply_init();
	begin();
	while (left) {
		switch (take_u8() % 4) {
		case 0:
		case 1:
			write_requests();
			break;
		case 2:
			run(take_u8() & 1);
			break;
		default:
			answer();
			break;
		}
	}
	end();
	pvcalls_reply_exit();
	return 0;
}
