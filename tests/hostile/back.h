/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A backend by hand, in Dom0 without a backend driver. It is an echo server of
 * its own, without any network, unless a case has it lie.
 */
#ifndef HOSTILE_BACK_H
#define HOSTILE_BACK_H

#include "raw.h"

#define CONNS	16

extern unsigned int guest;	/* domain */
extern const char *guest_run;	/* prefix that runs a command in it */
extern const char *guest_victim; /* tests/hostile/victim in the guest */

/* Bits of what is offered */
enum {
	F_DEFER		= 1,
	F_SHUTDOWN	= 2,
	F_NAMES		= 4,
	F_IPV6		= 8,
	F_WAKEUP	= 16,
	F_DGRAM		= 32,
	F_GETSOCKOPT	= 64,
};

/**
 * struct bconn - a data ring of the guest
 * @used: mapped
 * @id: of the socket
 * @port: local port
 * @intf: indexes page
 * @size: of each direction
 * @in: bytes of that direction
 * @out: bytes of that direction
 * @in_prod: own index
 * @out_cons: own index
 * @step: for the lies: how often it was served
 * @index_at: for unmapping
 * @data_at: for unmapping
 */
struct bconn {
	bool used;
	u64 id;
	u32 port;
	struct raw_intf *intf;
	u32 size;
	u8 *in, *out;
	u32 in_prod, out_cons;
	u32 step;
	u64 index_at, data_at;
};

/**
 * struct be - a connection to the frontend
 * @gnt: /dev/xen/gntdev
 * @evt: /dev/xen/evtchn
 * @port: local port of the command ring's channel
 * @sring: command ring
 * @req_cons: own index
 * @rsp_prod: own index
 * @conns: data rings
 * @deferred: req_ids of PVCALLS_DEFERRED requests that wait
 * @nr_deferred: how many
 * @count: for the lies: requests seen
 */
struct be {
	int gnt, evt;
	u32 port;
	struct raw_sring *sring;
	u32 req_cons, rsp_prod;
	struct bconn conns[CONNS];
	u32 deferred[SLOTS];
	u32 nr_deferred;
	u32 count;
};

/**
 * enum outcome - what a case lets the program in the guest see
 * @OK: it works
 * @ERR: it gets an error, or the end of the stream
 * @KILLED: it waits until it is killed, and then dies at once
 */
enum outcome {
	OK	= 1,
	ERR	= 2,
	KILLED	= 4,
};

/**
 * struct lie - a way of lying
 * @victim: arguments of the program in the guest
 * @allow: its outcomes that are right
 * @features: that are offered
 * @request: sees a request first; returns whether it has dealt with it
 * @data: serves a data ring instead of the echo; may be NULL
 * @tick: called in each turn; may be NULL
 * @value: for these
 */
struct lie {
	const char *victim;
	unsigned int allow;
	unsigned int features;
	bool (*request)(struct be *be, const struct raw_req *req);
	void (*data)(struct be *be, struct bconn *c);
	void (*tick)(struct be *be);
	u32 value;
};

#define LIE	((const struct lie *)case_now->data)

/* ---- back.c: the connection ---- */

void be_node(const char *key, const char *value);	/* NULL: remove it */
void be_state(const char *value);
long front_state(void);
bool front_wait(unsigned int states, unsigned int ms);

void be_close(void);
void be_offer(unsigned int features);
int be_offer_first(void);
void be_connect(struct be *be);
void be_vanish(struct be *be);

bool be_next(struct be *be, struct raw_req *req);
struct raw_rsp *be_slot(struct be *be);
void be_push(struct be *be);
void be_answer(struct be *be, const struct raw_req *req, s32 ret);
bool be_map(struct be *be, u64 id, u32 ref, u32 port);
void be_unmap(struct be *be, struct bconn *c);

/* ---- serve.c: being honest, but for one thing ---- */

void be_honest(struct be *be, const struct raw_req *req);
u32 conn_put(struct be *be, struct bconn *c, const void *data, u32 len);
void conn_echo(struct be *be, struct bconn *c);
void run_lie(void);
void honest(void);

extern const struct hcase lie_cases[], data_cases[], unused_cases[];
extern const unsigned int lie_count, data_count, unused_count;

#endif /* HOSTILE_BACK_H */
