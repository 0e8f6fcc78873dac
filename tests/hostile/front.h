/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A frontend by hand, in a guest that has no frontend driver loaded. It keeps
 * to the protocol unless a case has it lie.
 */
#ifndef HOSTILE_FRONT_H
#define HOSTILE_FRONT_H

#include "raw.h"

#define FRONT		"device/pvcalls/0"
#define BACK_DOMID	0
#define STASH		4096

/* Where Dom0's tcp_peer is, and an address from which nothing ever answers */
extern const char *peer_host;
extern const char *hole_host;
extern int peer_base;
/* Dom0's net.core.somaxconn */
extern unsigned int somaxconn;

/* Ports of tcp_peer, counted from peer_base; see tests/interop/wire.h */
enum {
	PORT_ORDERS,
	PORT_GREET,
	PORT_STREAM,
	PORT_ECHO,
	PORT_NOBODY = 9,
};

/**
 * struct pages - granted pages
 * @va: where they are mapped here
 * @index: what gntalloc calls them
 * @n: how many
 * @ref: their grants
 */
struct pages {
	u8 *va;
	u64 index;
	u32 n;
	u32 ref[1U << MAX_ORDER];
};

/**
 * struct fe - a connection to the backend
 * @gnt: /dev/xen/gntalloc
 * @evt: /dev/xen/evtchn
 * @sring: the command ring
 * @ring_page: its page
 * @port: its event channel
 * @req_prod: own index, as far as published
 * @rsp_cons: own index
 * @next_id: next req_id
 * @stash: responses that came while another was waited for
 * @stashed: how many
 */
struct fe {
	int gnt, evt;
	struct raw_sring *sring;
	struct pages ring_page;
	u32 port;
	u32 req_prod, rsp_cons;
	u32 next_id;
	struct raw_rsp stash[STASH];
	u32 stashed;
};

/**
 * struct conn - a data ring, and the socket that it is for
 * @id: of the socket
 * @size: of each direction in bytes
 * @intf: the indexes page
 * @in: bytes of that direction
 * @out: bytes of that direction
 * @port: event channel
 * @in_cons: own index
 * @out_prod: own index
 * @index: the indexes page's page
 * @data: the data pages
 */
struct conn {
	u64 id;
	u32 size;
	struct raw_intf *intf;
	u8 *in, *out;
	u32 port;
	u32 in_cons, out_prod;
	struct pages index, data;
};

/* ---- front.c: the connection ---- */

void pages_alloc(struct fe *fe, struct pages *p, u32 n, bool writable);
void pages_free(struct fe *fe, struct pages *p);

long be_state(void);
bool be_wait(unsigned int states, unsigned int ms);	/* bits 1 << ST_* */
void fe_state(const char *value);
void fe_node(const char *key, const char *value);	/* NULL: remove it */
void fe_number(const char *key, u32 number);

void fe_init(struct fe *fe);		/* ring and channel, nothing told */
void fe_publish(struct fe *fe);		/* version, port and ring-ref */
void fe_reset(void);			/* both sides as after a boot */
void fe_connect(struct fe *fe);		/* from there to Connected */
void fe_open(struct fe *fe);		/* all of these */
void fe_again(struct fe *fe);		/* anew, if the backend gave us up */
bool fe_offered(const char *feature);

/* ---- front.c: commands ---- */

struct raw_req req_new(struct fe *fe, u32 cmd, u64 id);
void fe_push(struct fe *fe, const struct raw_req *req);
void fe_push_raw(struct fe *fe, u32 req_prod);
bool fe_next(struct fe *fe, struct raw_rsp *rsp, unsigned int ms);
struct raw_rsp fe_wait(struct fe *fe, u32 req_id, u32 cmd);
s32 fe_call(struct fe *fe, const struct raw_req *req);
s32 fe_simple(struct fe *fe, u32 cmd, u64 id);
s32 fe_socket(struct fe *fe, u64 id);
s32 fe_bind(struct fe *fe, u64 id, u16 port);
s32 fe_listen(struct fe *fe, u64 id, u32 backlog);

/* Is this a response that says no, in a way that the protocol has? */
bool is_error(s32 ret);

/* ---- conn.c: data rings ---- */

void conn_init(struct fe *fe, struct conn *c, u32 order);
void conn_free(struct fe *fe, struct conn *c);
struct raw_req conn_request(struct fe *fe, const struct conn *c,
			    const char *host, u16 port);
struct raw_req accept_request(struct fe *fe, const struct conn *c, u64 id);
s32 conn_open(struct fe *fe, struct conn *c, int port);
void conn_must_open(struct fe *fe, struct conn *c, u32 order, int port);
void conn_release(struct fe *fe, struct conn *c);
u32 conn_send(struct fe *fe, struct conn *c, const void *data, u32 len);
u32 conn_recv(struct fe *fe, struct conn *c, void *data, u32 len);
void conn_echo(struct fe *fe, struct conn *c, u32 len);
void conn_wait_in(struct fe *fe, struct conn *c);
bool conn_dead(const struct conn *c);

/* The backend must have given up this socket, or the whole connection. */
void want_punished(struct fe *fe, struct conn *c, const char *what);
/* All is well: on this connection if it still stands, else on a new one. */
void fe_control(struct fe *fe);
/* The same, in a process that has no connection yet */
void control(void);

/* ---- tables of cases ---- */

extern const struct hcase cmd_cases[], ring_cases[], load_cases[],
	state_cases[], reuse_cases[], shared_cases[], dgram_cases[],
	opts_cases[], greedy_cases[], time_cases[], flip_cases[],
	unused_cases[], storm_cases[], random_cases[];
extern const unsigned int cmd_count, ring_count, load_count, state_count,
	reuse_count, shared_count, dgram_count, opts_count, greedy_count,
	time_count, flip_count, unused_count, storm_count, random_count;

#endif /* HOSTILE_FRONT_H */
