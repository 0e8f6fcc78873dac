// SPDX-License-Identifier: GPL-2.0
/* ports.c: which user holds which port. */
#include <setjmp.h>
#include <cmocka.h>

#include "conn/ports.h"

#define SOCKETS	40
#define ROUNDS	20000

enum { ANN = 1000, BOB = 2000, EVE = 3000 };

static const char link_a, link_b;

static struct pvc_port_key key(u16 port, u16 family, u8 addr, u32 uid)
{
	struct pvc_port_key k = {
		.space = &link_a, .type = 1, .port = port, .family = family,
		.uid = uid,
	};

	/* the first byte that counts, or the last one */
	k.addr[family == 10 ? PVC_PORT_ADDR_LEN - 1 : 0] = addr;
	return k;
}

static struct pvc_port_key any(u16 port, u32 uid)
{
	return key(port, 0, 0, uid);
}

static void hold(struct pvc_port *p, struct pvc_port_key k)
{
	pvc_port_hold(p, &k);
}

static bool others(struct pvc_port_key k)
{
	return pvc_port_is_others(&k);
}

static void one_address(void **state)
{
	struct pvc_port p = {};

	(void)state;
	assert_false(others(key(80, 2, 1, BOB)));
	hold(&p, key(80, 2, 1, ANN));
	/* whoever has the smaller number */
	assert_true(others(key(80, 2, 1, BOB)));
	assert_true(others(key(80, 2, 1, 1)));
	assert_true(others(any(80, BOB)));
	assert_true(others(any(80, 1)));
	assert_false(others(key(80, 2, 1, ANN)));
	assert_false(others(any(80, ANN)));
	/* another port, family or address */
	assert_false(others(key(81, 2, 1, BOB)));
	assert_false(others(any(81, BOB)));
	assert_false(others(key(80, 10, 1, BOB)));
	assert_false(others(key(80, 2, 2, BOB)));
	pvc_port_drop(&p);
	assert_false(others(key(80, 2, 1, BOB)));
	assert_false(others(any(80, BOB)));
	pvc_port_drop(&p);
}

static void any_address(void **state)
{
	struct pvc_port p = {};

	(void)state;
	hold(&p, any(80, ANN));
	assert_true(others(any(80, BOB)));
	assert_true(others(key(80, 2, 1, BOB)));
	assert_true(others(key(80, 10, 1, BOB)));
	assert_false(others(key(80, 2, 1, ANN)));
	assert_false(others(key(81, 2, 1, BOB)));
	pvc_port_drop(&p);
}

/* Sockets of two links, types or protocols have nothing to do with each other */
static void apart(void **state)
{
	struct pvc_port_key k = key(80, 2, 1, BOB);
	struct pvc_port p = {};

	(void)state;
	hold(&p, key(80, 2, 1, ANN));
	k.space = &link_b;
	assert_false(others(k));
	k = key(80, 2, 1, BOB);
	k.type++;
	assert_false(others(k));
	k = any(80, BOB);
	k.protocol++;
	assert_false(others(k));
	pvc_port_drop(&p);
}

static void without_port(void **state)
{
	struct pvc_port p = {};

	(void)state;
	hold(&p, any(80, ANN));
	hold(&p, any(0, ANN));
	assert_false(others(any(0, BOB)));
	assert_false(others(any(80, BOB)));
	pvc_port_drop(&p);
}

/* connect() of a socket of datagrams changes the address */
static void changes(void **state)
{
	struct pvc_port p = {};

	(void)state;
	hold(&p, any(80, ANN));
	hold(&p, key(80, 2, 1, ANN));
	assert_true(others(key(80, 2, 1, BOB)));
	assert_false(others(key(80, 2, 2, BOB)));
	hold(&p, any(80, ANN));
	assert_true(others(key(80, 2, 2, BOB)));
	pvc_port_drop(&p);
	assert_false(others(any(80, BOB)));
}

/* The sockets of one user do not hide those of another */
static void many(void **state)
{
	static const u32 second[] = { 1, BOB, EVE };
	struct pvc_port p[SOCKETS] = {}, q = {};
	unsigned int i, n;

	(void)state;
	for (n = 0; n < 3; n++) {
		for (i = 0; i < SOCKETS; i++)
			hold(&p[i], key(80, 2, i % 3, ANN));
		assert_false(others(any(80, ANN)));
		hold(&q, key(80, 2, 1, second[n]));
		assert_true(others(any(80, ANN)));
		assert_true(others(key(80, 2, 1, ANN)));
		assert_false(others(key(80, 2, 2, ANN)));
		pvc_port_drop(&q);
		assert_false(others(any(80, ANN)));
		for (i = 0; i < SOCKETS; i++) {
			assert_true(others(any(80, EVE)));
			pvc_port_drop(&p[i]);
		}
		assert_false(others(any(80, EVE)));
	}
}

/* The rule as one would write it down, for one socket */
static bool meets(const struct pvc_port_key *a, const struct pvc_port_key *b)
{
	return a->uid != b->uid && a->port == b->port && a->type == b->type &&
	       (!a->family || !b->family ||
		(a->family == b->family &&
		 !memcmp(a->addr, b->addr, PVC_PORT_ADDR_LEN)));
}

static struct pvc_port_key some(u32 *seed)
{
	static const u16 families[] = { 0, 2, 10 };
	u16 family = families[rnd(seed) % 3];
	struct pvc_port_key k = key(80 + rnd(seed) % 3, family,
				    family ? rnd(seed) % 3 : 0,
				    ANN + rnd(seed) % 4);

	k.type = 1 + rnd(seed) % 2;
	return k;
}

static void at_random(void **state)
{
	struct pvc_port_key held[SOCKETS] = {}, asked;
	struct pvc_port p[SOCKETS] = {};
	unsigned int i, n, yes = 0;
	u32 seed = 1;
	bool want;

	(void)state;
	for (n = 0; n < ROUNDS; n++) {
		i = rnd(&seed) % SOCKETS;
		if (rnd(&seed) % 8) {
			held[i].port = 0;
			pvc_port_drop(&p[i]);
		} else {
			held[i] = some(&seed);
			hold(&p[i], held[i]);
		}
		asked = some(&seed);
		want = false;
		for (i = 0; i < SOCKETS; i++)
			want |= held[i].port && meets(&asked, &held[i]);
		assert_int_equal(others(asked), want);
		yes += want;
	}
	/* both answers are worth something */
	assert_in_range(yes, ROUNDS / 10, ROUNDS * 9 / 10);
	for (i = 0; i < SOCKETS; i++)
		pvc_port_drop(&p[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address),
		cmocka_unit_test(any_address),
		cmocka_unit_test(apart),
		cmocka_unit_test(without_port),
		cmocka_unit_test(changes),
		cmocka_unit_test(many),
		cmocka_unit_test(at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
