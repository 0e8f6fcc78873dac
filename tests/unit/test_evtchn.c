// SPDX-License-Identifier: GPL-2.0
/*
 * The backend's own evtchn.c on threads of a program: rings join and leave event
 * channels, begin and stop listening, and look after events, each in its own
 * thread, while the guest sends events all the time. Each event must get one
 * EOI, no more and no less, whoever goes away meanwhile, and no ring may sleep
 * over one.
 */
#include <setjmp.h>
#include <cmocka.h>

#include "ring/evtchn.h"

#define CHANNELS	3
#define THREADS		4
#define RINGS		3	/* of each thread */

/* An event channel as Xen and the kernel have it */
struct channel {
	pthread_mutex_t lock;	/* held while the handler runs */
	irq_handler_t handler;	/* NULL: not bound */
	void *data;
	bool pending;
	bool masked;
	u32 wanted;		/* what the guest has to say */
	u32 events, eois, spurious;
};

struct ring {
	struct pvcalls_subscriber sub;
	int channel;		/* -1: none */
	bool listens;
	bool marked;
	u32 seen;
};

static struct channel channels[CHANNELS];
static struct ring rings[THREADS][RINGS];
static struct pvcalls_evtchns ports;
static bool stop;

#define GET(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define SET(x, v)	__atomic_store_n(&(x), v, __ATOMIC_SEQ_CST)
#define XCHG(x, v)	__atomic_exchange_n(&(x), v, __ATOMIC_SEQ_CST)

void test_queue_work(struct work_struct *work)
{
}

static void ring_mark(struct pvcalls_subscriber *sub)
{
	struct ring *r = sub->owner;

	SET(r->marked, true);
}

static bool ring_due(const struct pvcalls_subscriber *sub)
{
	struct ring *r = sub->owner;

	return GET(r->seen) != GET(channels[r->channel].wanted);
}

static const struct pvcalls_subscriber_ops ring_ops = {
	.due = ring_due,
	.mark = ring_mark,
};

evtchn_port_t pvcalls_notify_find(int irq)
{
	return 0;
}

int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev,
						  evtchn_port_t port,
						  irq_handler_t handler,
						  unsigned long flags,
						  const char *name, void *data)
{
	struct channel *c = &channels[port];

	if (port >= CHANNELS)
		return -EINVAL;
	pthread_mutex_lock(&c->lock);
	must(!c->handler);
	c->handler = handler;
	c->data = data;
	c->masked = false;
	/* as Xen does */
	SET(c->pending, true);
	pthread_mutex_unlock(&c->lock);
	return port;
}

void unbind_from_irqhandler(unsigned int irq, void *data)
{
	struct channel *c = &channels[irq];

	pthread_mutex_lock(&c->lock);
	must(c->handler && c->data == data);
	/* nothing is owed */
	must(!GET(c->masked));
	c->handler = NULL;
	pthread_mutex_unlock(&c->lock);
}

void xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	struct channel *c = &channels[irq];

	__atomic_add_fetch(&c->eois, 1, __ATOMIC_SEQ_CST);
	if (flags & XEN_EOI_FLAG_SPURIOUS)
		__atomic_add_fetch(&c->spurious, 1, __ATOMIC_SEQ_CST);
	must(XCHG(c->masked, false));
}

/* The interrupt, if there is one */
static void deliver(int irq)
{
	struct channel *c = &channels[irq];

	pthread_mutex_lock(&c->lock);
	if (c->handler && !GET(c->masked) && XCHG(c->pending, false)) {
		SET(c->masked, true);
		c->events++;
		c->handler(irq, c->data);
	}
	pthread_mutex_unlock(&c->lock);
}

static void *interrupts(void *arg)
{
	u32 state = 5;

	while (!GET(stop)) {
		struct channel *c = &channels[rnd(&state) % CHANNELS];

		__atomic_add_fetch(&c->wanted, 1, __ATOMIC_SEQ_CST);
		SET(c->pending, true);
		deliver(rnd(&state) % CHANNELS);
	}
	return NULL;
}

/* What a work's run does */
static void ring_run(struct ring *r, u32 *state)
{
	bool eoi;

	if (!r->listens || !XCHG(r->marked, false))
		return;
	eoi = pvcalls_evtchn_take(&r->sub);
	SET(r->seen, GET(channels[r->channel].wanted));
	if (rnd(state) % 8 == 0)
		usleep_some();
	if (eoi)
		pvcalls_evtchn_done(&r->sub, rnd(state) % 2);
}

static void ring_change(struct ring *r, u32 *state)
{
	int channel = rnd(state) % (CHANNELS + 1), err;

	if (r->channel < 0) {
		memset(&r->sub, 0, sizeof(r->sub));
		err = pvcalls_evtchn_join(&ports, &r->sub, NULL, channel, true);
		must(!err || (err == -EINVAL && channel == CHANNELS) ||
		     err == -ENOBUFS);
		if (!err)
			r->channel = channel;
	} else if (!r->listens) {
		pvcalls_evtchn_enable(&r->sub, &ring_ops, r);
		r->listens = true;
		/* look once */
		SET(r->marked, true);
	} else if (rnd(state) % 2) {
		pvcalls_evtchn_disable(&r->sub);
		r->listens = false;
	} else {
		/* what it has taken is its share still */
		pvcalls_evtchn_leave(&ports, &r->sub);
		r->channel = -1;
		r->listens = false;
	}
}

static void *worker(void *arg)
{
	struct ring *mine = arg;
	u32 state = (uintptr_t)arg;
	int i;

	while (!GET(stop)) {
		i = rnd(&state) % RINGS;
		if (rnd(&state) % 16 == 0)
			ring_change(&mine[i], &state);
		else
			ring_run(&mine[i], &state);
	}
	return NULL;
}

/* When all have looked who were told to, there is nothing that they missed. */
static void settle(void)
{
	u32 state = 9;
	int i, j, k;

	for (k = 0; k < 100; k++) {
		for (i = 0; i < CHANNELS; i++)
			deliver(i);
		for (i = 0; i < THREADS; i++)
			for (j = 0; j < RINGS; j++)
				ring_run(&rings[i][j], &state);
	}
	for (i = 0; i < THREADS; i++)
		for (j = 0; j < RINGS; j++)
			must(!rings[i][j].listens || rings[i][j].seen ==
			     channels[rings[i][j].channel].wanted);
	for (i = 0; i < CHANNELS; i++)
		must(!channels[i].masked &&
		     channels[i].events == channels[i].eois);
}

static void changes_under_load(void **unused)
{
	u64 end = local_clock() + 3000000000ULL;
	pthread_t threads[THREADS + 1];
	u32 rounds = 0, events = 0;
	int i, j;

	pvcalls_evtchns_init(&ports);
	for (i = 0; i < CHANNELS; i++)
		pthread_mutex_init(&channels[i].lock, NULL);
	for (i = 0; i < THREADS; i++)
		for (j = 0; j < RINGS; j++)
			rings[i][j] = (struct ring){ .channel = -1 };
	while (local_clock() < end || rounds < 5) {
		SET(stop, false);
		must(!pthread_create(&threads[THREADS], NULL, interrupts,
				     NULL));
		for (i = 0; i < THREADS; i++)
			must(!pthread_create(&threads[i], NULL, worker,
					     rings[i]));
		for (i = 0; i < 200; i++)
			usleep_some();
		SET(stop, true);
		for (i = 0; i <= THREADS; i++)
			pthread_join(threads[i], NULL);
		settle();
		rounds++;
	}
	for (i = 0; i < CHANNELS; i++)
		events += channels[i].events;
	printf("%u rounds, %u events\n", rounds, events);
	for (i = 0; i < THREADS; i++)
		for (j = 0; j < RINGS; j++)
			if (rings[i][j].channel >= 0)
				pvcalls_evtchn_leave(&ports, &rings[i][j].sub);
	for (i = 0; i < CHANNELS; i++)
		must(!channels[i].handler);
}

/* One event about both of two rings, and what they say of it */
static void event(struct ring *a, bool found_a, struct ring *b, bool found_b)
{
	SET(channels[0].pending, true);
	channels[0].wanted++;
	deliver(0);
	must(pvcalls_evtchn_take(&a->sub) && pvcalls_evtchn_take(&b->sub));
	must(!pvcalls_evtchn_take(&a->sub));
	pvcalls_evtchn_done(&a->sub, found_a);
	must(channels[0].masked);
	pvcalls_evtchn_done(&b->sub, found_b);
	must(!channels[0].masked);
}

/* An event is spurious if nobody found a reason, now or the time before. */
static void spurious_events(void **unused)
{
	struct ring *a = &rings[0][0], *b = &rings[1][0];
	struct channel *c = &channels[0];

	memset(&ports, 0, sizeof(ports));
	memset(rings, 0, sizeof(rings));
	c->wanted = 1;
	pvcalls_evtchns_init(&ports);
	must(!pvcalls_evtchn_join(&ports, &a->sub, NULL, 0, true));
	must(!pvcalls_evtchn_join(&ports, &b->sub, NULL, 0, true));
	must(a->sub.steers && !b->sub.steers);
	c->spurious = 0;
	deliver(0);	/* nobody listens yet */
	must(!c->masked && c->spurious == 1);
	pvcalls_evtchn_enable(&a->sub, &ring_ops, a);
	pvcalls_evtchn_enable(&b->sub, &ring_ops, b);
	event(a, true, b, false);
	event(a, false, b, false);
	must(c->spurious == 1);
	event(a, false, b, false);
	must(c->spurious == 2);
	event(a, false, b, true);
	must(c->spurious == 2);
	/* one of them has seen all of it */
	b->seen = c->wanted;
	a->marked = false;
	b->marked = false;
	SET(c->pending, true);
	deliver(0);
	must(a->marked && !b->marked && !pvcalls_evtchn_take(&b->sub));
	must(c->masked && pvcalls_evtchn_take(&a->sub));
	pvcalls_evtchn_done(&a->sub, true);
	must(!c->masked && c->spurious == 2);
	/* both have */
	a->seen = c->wanted;
	SET(c->pending, true);
	deliver(0);
	must(!c->masked && c->spurious == 2);
	SET(c->pending, true);
	deliver(0);
	must(!c->masked && c->spurious == 3);
	c->wanted++;
	/* the one that steers goes, in the middle of it */
	SET(c->pending, true);
	deliver(0);
	must(pvcalls_evtchn_take(&b->sub));
	pvcalls_evtchn_done(&b->sub, false);
	must(c->masked);
	pvcalls_evtchn_leave(&ports, &a->sub);
	must(!c->masked && c->spurious == 3 && b->sub.steers);
	pvcalls_evtchn_leave(&ports, &b->sub);
	must(!c->handler);
}

static void limit(void **unused)
{
	static struct pvcalls_subscriber subs[PVCALLS_MAX_SHARED + 1];
	int i;

	for (i = 0; i < PVCALLS_MAX_SHARED; i++)
		must(!pvcalls_evtchn_join(&ports, &subs[i], NULL, 1, true));
	must(pvcalls_evtchn_join(&ports, &subs[i], NULL, 1, true) == -ENOBUFS);
	pvcalls_evtchn_leave(&ports, &subs[2]);
	must(!pvcalls_evtchn_join(&ports, &subs[i], NULL, 1, true));
	for (i = 0; i <= PVCALLS_MAX_SHARED; i++)
		if (i != 2)
			pvcalls_evtchn_leave(&ports, &subs[i]);
	must(!channels[1].handler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_under_load),
		cmocka_unit_test(spurious_events),
		cmocka_unit_test(limit),
	};

	return cmocka_run_group_tests_name("evtchn", tests, NULL, NULL);
}
