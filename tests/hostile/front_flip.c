// SPDX-License-Identifier: GPL-2.0
/*
 * Words that change all the time while the backend reads them. Whichever value
 * it sees, all that it does must go by that one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "dgram.h"

/* For each word: so that one look falls between two reads */
#define TIMES	150

/* POLLs that wait, so that a request and its response have not the same slot */
#define WAITING	8

#define NONSENSE	0x4242
#define NO_SOCKET	0xf11b
#define LISTENER	0x4000

/* Two ways to read the same bytes: one record, or two */
#define WHOLE	96
#define FIRST	8
#define SECOND	40
#define MARKER	24

static struct fe fe;
static struct conn conn;

static _Atomic(u32 *) flip_word;
static u32 flip_values[2];
static atomic_uint flip_rounds;

static void *flip(void *unused)
{
	u32 *word;

	for (;;) {
		word = atomic_load(&flip_word);
		if (word) {
			SET(*word, flip_values[0]);
			SET(*word, flip_values[1]);
		} else {
			sched_yield();
		}
		atomic_fetch_add(&flip_rounds, 1);
	}
	return unused;
}

/* Once this returns the other thread goes by the new word. */
static void flip_to(u32 *word)
{
	unsigned int before;

	atomic_store(&flip_word, word);
	before = atomic_load(&flip_rounds);
	while (atomic_load(&flip_rounds) - before < 2)
		sched_yield();
}

static void flip_start(u32 *word, u32 one, u32 other)
{
	static pthread_t thread;

	if (!thread && pthread_create(&thread, NULL, flip, NULL))
		fail("no thread");
	flip_values[0] = one;
	flip_values[1] = other;
	flip_to(word);
}

static void flip_stop(void)
{
	flip_to(NULL);
}

/* The command of a request: known and unknown */
static void slot_flips(void)
{
	struct raw_req req, *slot;
	struct raw_rsp rsp;
	unsigned int i;

	fe_open(&fe);
	expect(!fe_socket(&fe, LISTENER) && !fe_bind(&fe, LISTENER, 7213) &&
	       !fe_listen(&fe, LISTENER, 4), "listener");
	for (i = 0; i < WAITING; i++) {
		req = req_new(&fe, CMD_POLL, LISTENER);
		fe_push(&fe, &req);
	}
	for (i = 0; i < TIMES; i++) {
		req = req_new(&fe, CMD_RELEASE, NO_SOCKET);
		slot = &fe.sring->slot[fe.req_prod % SLOTS].req;
		memcpy(slot, &req, sizeof(req));
		flip_start(&slot->cmd, CMD_RELEASE, NONSENSE);
		fe_push_raw(&fe, ++fe.req_prod);
		expect(fe_next(&fe, &rsp, 10000), "no response");
		flip_stop();
		expect(rsp.req_id == req.req_id, "request %u answered as %u",
		       req.req_id, rsp.req_id);
		if (rsp.cmd == CMD_RELEASE)
			expect(rsp.ret == -EBADF, "a release: %d", rsp.ret);
		else
			expect(rsp.cmd == NONSENSE &&
			       rsp.ret == -ENOTSUP_WIRE, "command %u: %d",
			       rsp.cmd, rsp.ret);
	}
	expect(!fe_simple(&fe, CMD_RELEASE, LISTENER), "release");
	fe_control(&fe);
}

/* A ring's order: good and bad */
static void order_flips(void)
{
	struct conn *c = &conn;
	unsigned int i;
	s32 ret;

	fe_open(&fe);
	conn_init(&fe, c, 1);
	for (i = 0; i < TIMES / 3; i++) {
		memset(c->intf, 0, offsetof(struct raw_intf, ring_order));
		c->in_cons = 0;
		c->out_prod = 0;
		flip_start(&c->intf->ring_order, 1, MAX_ORDER + 1);
		ret = conn_open(&fe, c, PORT_ECHO);
		flip_stop();
		expect(!ret || ret == -EINVAL, "order 1 or %u: answered %d",
		       MAX_ORDER + 1, ret);
		if (!ret)
			conn_echo(&fe, c, 5000);
		ret = fe_simple(&fe, CMD_RELEASE, c->id);
		expect(!ret, "release answered %d", ret);
	}
	fe_control(&fe);
}

static void wait_taken(struct conn *c)
{
	u64 end = now_ms() + 10000;

	while (GET(c->intf->out_cons) != c->out_prod) {
		expect(!conn_dead(c), "the socket died: in %d, out %d",
		       GET(c->intf->in_error), GET(c->intf->out_error));
		expect(now_ms() < end, "the records stay in the ring");
		evt_wait(dgram_fe.evt, 5);
	}
}

static u32 next_len(struct conn *c)
{
	expect(dgram_next(c, 10000), "no datagram");
	expect(!dgram_in.type, "error %d", dgram_in.err);
	return dgram_in.len;
}

/* The length of a record, of which a part is another record or not */
static void record_flips(void)
{
	static const u32 second = SECOND;
	struct conn *c = &conn;
	unsigned int i;
	u32 len, then;

	_Static_assert(DGRAM_SIZE(WHOLE) ==
		       DGRAM_SIZE(FIRST) + DGRAM_SIZE(SECOND), "records");
	if (!dgram_open())
		return;
	dgram_attach(c, 4);
	for (i = 0; i < TIMES; i++) {
		dgram_fill(WHOLE, i);
		memcpy(dgram_out.data + FIRST, &dgram_out, DGRAM_HEADER);
		memcpy(dgram_out.data + FIRST, &second, sizeof(second));
		flip_start((u32 *)(c->out + c->out_prod % c->size), WHOLE,
			   FIRST);
		dgram_send(c, DGRAM_SIZE(WHOLE));
		wait_taken(c);
		flip_stop();
		dgram_fill(MARKER, i);
		dgram_send(c, DGRAM_SIZE(MARKER));
		len = next_len(c);
		then = next_len(c);
		if (len == FIRST && then == SECOND)
			then = next_len(c);
		else
			expect(len == WHOLE, "%u bytes, then %u", len, then);
		expect(then == MARKER, "%u bytes, then %u", len, then);
	}
	conn_release(&dgram_fe, c);
	fe_control(&dgram_fe);
}

const struct hcase flip_cases[] = {
	{ "slot-flips", slot_flips, 60, 0, NULL },
	{ "order-flips", order_flips, 60, 0, NULL },
	{ "record-flips", record_flips, 60, 0, NULL },
};

const unsigned int flip_count = sizeof(flip_cases) / sizeof(*flip_cases);
