// SPDX-License-Identifier: GPL-2.0
/* See weakmem.h. Each side is a coroutine; everything follows from the seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "weakmem.h"

#define QUEUE	256
#define STACK	(256 * 1024)

/* A store on its way from one side to the other */
struct store {
	u32 off;
	u32 len;
	u32 epoch;	/* of the writer: number of write barriers before it */
	uint8_t data[WM_BYTES];
};

struct queue {
	struct store s[QUEUE];
	u32 n;
};

/* A read of ring bytes that has not happened yet */
struct lazy {
	u32 off;
	u32 len;
	uint8_t *data;
};

struct wm_shared wm_view[WM_SIDES];
unsigned int wm_reads;

static struct queue sent[WM_SIDES];	/* by this side, not yet on its way */
static struct queue arrived[WM_SIDES];	/* at this side, not yet in its view */
static struct lazy lazy[WM_SIDES][4];
static u32 lazies[WM_SIDES];
static u32 epoch[WM_SIDES];
static enum wm_side self;
static uint64_t seed;
static bool direct;			/* no coroutines, no chance */

static ucontext_t outside, side_ctx[WM_SIDES];
static char *stack[WM_SIDES];

u32 wm_random(u32 below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(((seed >> 32) * below) >> 32);
}

static void apply(enum wm_side side, u32 off, const void *data, u32 len)
{
	memcpy((uint8_t *)&wm_view[side] + off, data, len);
}

static void take(struct queue *q, u32 i, struct store *s)
{
	*s = q->s[i];
	memmove(&q->s[i], &q->s[i + 1], (q->n - i - 1) * sizeof(*s));
	q->n--;
}

static void put(struct queue *q, const struct store *s)
{
	if (q->n == QUEUE) {
		fprintf(stderr, "weakmem: queue full\n");
		abort();
	}
	q->s[q->n++] = *s;
}

/* Nothing may pass an earlier store to the same place */
static bool first_of_its_place(const struct queue *q, u32 i)
{
	u32 j;

	for (j = 0; j < i; j++)
		if (q->s[j].off < q->s[i].off + q->s[i].len &&
		    q->s[i].off < q->s[j].off + q->s[j].len)
			return false;
	return true;
}

/* One store of @side, if there is one, comes to where the other side is */
static bool move_sent(enum wm_side side, bool in_order)
{
	struct queue *q = &sent[side];
	struct store s;
	u32 i;

	if (!q->n)
		return false;
	i = in_order ? 0 : wm_random(q->n);
	if (q->s[i].epoch != q->s[0].epoch || !first_of_its_place(q, i))
		i = 0;
	take(q, i, &s);
	put(&arrived[!side], &s);
	return true;
}

/* One store that has arrived at @side, if there is one, comes into its view */
static bool move_arrived(enum wm_side side, bool in_order)
{
	struct queue *q = &arrived[side];
	struct store s;
	u32 i;

	if (!q->n)
		return false;
	i = in_order ? 0 : wm_random(q->n);
	if (!first_of_its_place(q, i))
		i = 0;
	take(q, i, &s);
	apply(side, s.off, s.data, s.len);
	return true;
}

static bool move_lazy(enum wm_side side)
{
	struct lazy *l = &lazy[side][0];

	if (!lazies[side])
		return false;
	memcpy(l->data, wm_view[side].bytes + l->off, l->len);
	lazies[side]--;
	memmove(l, l + 1, lazies[side] * sizeof(*l));
	return true;
}

/* Let one thing that is on its way make a step; false: nothing is */
bool wm_settle_one(void)
{
	u32 first = wm_random(6), i;

	for (i = 0; i < 6; i++) {
		enum wm_side side = (first + i) % 2;
		bool moved;

		switch ((first + i) % 6 / 2) {
		case 0:
			moved = move_sent(side, false);
			break;
		case 1:
			moved = move_arrived(side, false);
			break;
		default:
			moved = move_lazy(side);
		}
		if (moved)
			return true;
	}
	return false;
}

/* Between any two steps: time passes, and the other side may run */
static void between(void)
{
	u32 n;

	if (direct)
		return;
	while (wm_random(4) == 0 && wm_settle_one())
		;
	if (wm_random(3) == 0)
		wm_pause();
	/* at times the other side gets far ahead */
	if (wm_random(16) == 0)
		for (n = wm_random(64); n; n--)
			wm_pause();
}

static u32 offset(const u32 *p)
{
	return (u32)((const uint8_t *)p - (const uint8_t *)&wm_view[self]);
}

static void store(u32 off, const void *data, u32 len)
{
	struct store s = { .off = off, .len = len, .epoch = epoch[self] };

	memcpy(s.data, data, len);
	apply(self, off, data, len);
	put(&sent[self], &s);
}

/* The words of both sides are addressed in the running side's own view */
u32 wm_read(const u32 *p)
{
	between();
	wm_reads++;
	return *p;
}

void wm_write(u32 *p, u32 v)
{
	between();
	store(offset(p), &v, sizeof(v));
	between();
}

void wm_wmb(void)
{
	epoch[self]++;
	between();
}

void wm_rmb(void)
{
	while (move_lazy(self))
		;
	while (move_arrived(self, true))
		;
	between();
}

void wm_mb(void)
{
	enum wm_side me = self;

	between();
	while (move_lazy(me))
		;
	while (move_sent(me, true))
		;
	while (move_arrived(me, true))
		;
	between();
}

void wm_write_bytes(u32 off, const uint8_t *data, u32 len)
{
	between();
	store(offsetof(struct wm_shared, bytes) + off, data, len);
}

/* @data is filled in at the next barrier at the latest */
void wm_read_bytes(u32 off, uint8_t *data, u32 len)
{
	struct lazy *l;

	between();
	if (lazies[self] == 4)
		move_lazy(self);
	l = &lazy[self][lazies[self]++];
	l->off = off;
	l->len = len;
	l->data = data;
	between();
}

void wm_reset(uint64_t new_seed, u32 prod, u32 cons)
{
	int side;

	seed = new_seed * 0x9e3779b97f4a7c15ULL + 1;
	for (side = 0; side < WM_SIDES; side++) {
		memset(&wm_view[side], 0, sizeof(wm_view[side]));
		wm_view[side].prod = prod;
		wm_view[side].cons = cons;
		sent[side].n = 0;
		arrived[side].n = 0;
		lazies[side] = 0;
		epoch[side] = 0;
	}
	wm_reads = 0;
	direct = false;
}

/* The caller is @side from now on; until wm_reset() nothing happens by chance */
void wm_direct(enum wm_side side)
{
	self = side;
	direct = true;
}

void wm_start(enum wm_side side, void (*fn)(void))
{
	if (!stack[side])
		stack[side] = malloc(STACK);
	if (!stack[side] || getcontext(&side_ctx[side]))
		abort();
	side_ctx[side].uc_stack.ss_sp = stack[side];
	side_ctx[side].uc_stack.ss_size = STACK;
	side_ctx[side].uc_link = &outside;
	makecontext(&side_ctx[side], fn, 0);
}

/* Let @side run until it pauses or ends */
void wm_run(enum wm_side side)
{
	self = side;
	if (swapcontext(&outside, &side_ctx[side]))
		abort();
}

void wm_pause(void)
{
	if (swapcontext(&side_ctx[self], &outside))
		abort();
}
