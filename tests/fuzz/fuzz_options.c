// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options, from a guest that asks for what it likes and from a backend
 * that answers so. Only options of the table are set, with the value and at the
 * place that the guest has said; a name is one that the policy leaves the guest,
 * and as long as it may be. The parts of a value that the backend gives are
 * what the frontend puts together again, and a lie makes it no longer.
 */
#include "guest/call.h"
#include "guest/congestion.h"
#include "guest/guest.h"
#include "guest/own.h"
#include "guest/policy.h"
#include "input.h"
#include "pvcalls_sockopt.h"
#include "sock/sock.h"
#include "sock/sockopt.h"

#define BITS	0x15

/* What the backend has done to the real socket, in order */
static struct step {
	int level, name, value;
	bool sock;
	char text[PVCALLS_CONGESTION_LEN + 1];
} done[PVCALLS_MAX_OPTS];
static u32 nr_done, nr_replies, fails_at;
/* Names that the policy was asked about, in order */
static char asked[PVCALLS_MAX_OPTS][PVCALLS_CONGESTION_LEN + 1];
static u32 nr_asked;
static int reply;
static struct tcp_info facts;
static struct tcp_sock tcp;
static struct dst_entry dst;

void peer_look(const volatile void *p, size_t len)
{
}

int pvcalls_congestion_may(const char *name, u32 bits)
{
	MUST(strnlen(name, PVCALLS_CONGESTION_LEN + 1) <=
	     PVCALLS_CONGESTION_LEN);
	MUST(bits == BITS && nr_asked < PVCALLS_MAX_OPTS);
	strcpy(asked[nr_asked++], name);
	return *name == 'c' ? 0 : -EPERM;
}

u32 pvcalls_policy_congestion(struct pvcalls_guest *g)
{
	return BITS;
}

/* One option of a request fails, as the input says */
static int did(int level, int name, int value, bool sock, const char *text)
{
	struct step *s = &done[nr_done];

	MUST(nr_done < PVCALLS_MAX_OPTS);
	*s = (struct step) {
		.level = level, .name = name, .value = value, .sock = sock,
	};
	if (text)
		memcpy(s->text, text, strlen(text));
	return nr_done++ == fails_at ? -EDOM : 0;
}

static int set(struct socket *sock, int level, int name, sockptr_t val,
	       unsigned int len)
{
	int value;

	if (level == SOL_TCP && name == TCP_CONGESTION) {
		MUST(len == strlen(val.kernel));
		return did(level, name, 0, false, val.kernel);
	}
	MUST(len == sizeof(value));
	memcpy(&value, val.kernel, sizeof(value));
	return did(level, name, value, false, NULL);
}

int sock_setsockopt(struct socket *sock, int level, int name, sockptr_t val,
		    unsigned int len)
{
	int value;

	MUST(len == sizeof(value));
	memcpy(&value, val.kernel, sizeof(value));
	return did(level, name, value, true, NULL);
}

void tcp_get_info(struct sock *sk, struct tcp_info *info)
{
	memcpy(info, &facts, sizeof(facts));
}

struct tcp_sock *tcp_sk(struct sock *sk)
{
	return &tcp;
}

struct dst_entry *sk_dst_get(struct sock *sk)
{
	return dst.mtu ? &dst : NULL;
}

void dst_release(struct dst_entry *d)
{
	MUST(d == &dst);
}

void pvcalls_reply(struct pvcalls_call *call, int ret)
{
	nr_replies++;
	reply = ret;
}

void pvcalls_call_value(struct pvcalls_call *call, const void *value, u32 len)
{
	MUST(len && len <= PVCALLS_ADDR_LEN);
	memcpy(call->addr, value, len);
	call->len = len;
}

/* For sockets that are made or bound, which is not what this is about */
struct inet_connection_sock *inet_csk(struct sock *sk)
{
	return NULL;
}

void sock_set_mark(struct sock *sk, u32 mark)
{
}

void sock_set_reuseaddr(struct sock *sk)
{
}

void tcp_sock_set_nodelay(struct sock *sk)
{
}

const char *pvcalls_congestion_begin(const char *name, u32 bits)
{
	return NULL;
}

static const struct proto_ops ops = { .setsockopt = set };
static struct ratelimit_state quiet;
static struct pvcalls_guest guest = { .peer.warnings = &quiet };
static struct pvcalls_sock ps;
static struct sock sk;
static struct socket sock = { .sk = &sk, .ops = &ops };

/* What is to come of one option; NULL if nothing. Returns how many it takes. */
static u32 expect(const struct pvcalls_opt *opt, u32 count, struct step *s,
		  bool *some)
{
	int i = pvcalls_relayed_find(opt->level, opt->name);
	u32 n = 0;

	memset(s, 0, sizeof(*s));
	*some = false;
	if (i < 0)
		return 1;
	s->level = opt->level;
	s->name = opt->name;
	s->value = opt->value;
	switch (pvcalls_relayed_at(i)->kind) {
	case PVCALLS_OPT_SOCK:
		s->sock = true;
		if (sock.type == SOCK_DGRAM && s->level == SOL_SOCKET &&
		    s->name == SO_REUSEADDR)
			s->name = SO_REUSEPORT;
		break;
	case PVCALLS_OPT_INT:
		break;
	case PVCALLS_OPT_NAME:
		s->value = 0;
		while (n < count && n < PVCALLS_CONGESTION_OPTS &&
		       opt[n].level == SOL_TCP && opt[n].name == TCP_CONGESTION)
			n++;
		memcpy(s->text, &opt->value, 4);
		for (i = 1; i < (int)n; i++)
			memcpy(s->text + 4 * i, &opt[i].value, 4);
		/* nobody looks behind a name's end */
		memset(s->text + strlen(s->text), 0,
		       sizeof(s->text) - strlen(s->text));
		*some = *s->text == 'c';
		return n;
	default:
		return 1;
	}
	*some = true;
	return 1;
}

/* A SETSOCKOPT, and what must have come of it */
static void set_options(const struct pvcalls_req_setsockopt *req)
{
	struct pvcalls_call *call = calloc(1, sizeof(*call));
	u32 i, nr = 0, names = 0;
	bool some, no = false;
	struct step s;

	MUST(call);
	memcpy(&call->req.u, req, sizeof(*req));
	nr_done = 0;
	nr_asked = 0;
	nr_replies = 0;
	pvcalls_sockopt_set(&ps, call);
	free(call);
	MUST(nr_replies == 1);
	if (!req->count || req->count > PVCALLS_MAX_OPTS) {
		MUST(reply == -EINVAL && !nr_done);
		return;
	}
	for (i = 0; i < req->count;) {
		i += expect(&req->opt[i], req->count - i, &s, &some);
		if (s.level == SOL_TCP && s.name == TCP_CONGESTION) {
			MUST(names < nr_asked);
			MUST(!strcmp(asked[names++], s.text));
			no |= !some && nr <= fails_at;
		}
		if (!some)
			continue;
		MUST(nr < nr_done && !memcmp(&s, &done[nr], sizeof(s)));
		nr++;
	}
	MUST(nr == nr_done && names == nr_asked);
	/* the first error counts */
	if (no)
		MUST(reply == -EPERM);
	else if (fails_at < nr)
		MUST(reply == -EDOM);
	else
		MUST(!reply);
}

/* Of a request whose length is known nobody reads more */
static void take_names(const struct pvcalls_opt *opt, u32 count)
{
	struct pvcalls_opt *copy = exact(opt, count * sizeof(*opt));
	char name[PVCALLS_CONGESTION_LEN + 1];
	u32 i;

	for (i = 0; i < count; i++) {
		MUST(pvcalls_opts_take_name(copy + i, count - i, name) <=
		     count - i);
		MUST(!name[PVCALLS_CONGESTION_LEN]);
	}
	free(copy);
}

static void any_set(void)
{
	struct pvcalls_req_setsockopt req = {};
	u32 i, how = take_u8();
	int at;

	sock.type = how & 1 ? SOCK_DGRAM : SOCK_STREAM;
	fails_at = (how >> 1) % 8;
	req.count = how & 16 ? take_u32() : take_u8() % 7;
	for (i = 0; i < PVCALLS_MAX_OPTS; i++) {
		at = take_u8() % 32;
		take(&req.opt[i], sizeof(req.opt[i]));
		if (at >= PVCALLS_RELAYED)
			continue;
		req.opt[i].level = pvcalls_relayed_at(at)->level;
		req.opt[i].name = pvcalls_relayed_at(at)->name;
	}
	take_names(req.opt, min_t(u32, req.count, PVCALLS_MAX_OPTS));
	set_options(&req);
}

/* The frontend sends a name, and the backend has the same one */
static void any_name(void)
{
	struct pvcalls_req_setsockopt req = {
		.count = PVCALLS_CONGESTION_OPTS,
	};
	char name[PVCALLS_CONGESTION_LEN + 1] = "c", *copy;

	take(name + 1, PVCALLS_CONGESTION_LEN - 2);
	sock.type = SOCK_STREAM;
	fails_at = PVCALLS_MAX_OPTS;
	copy = exact(name, PVCALLS_CONGESTION_LEN);
	pvcalls_opts_pack_name(copy, req.opt);
	free(copy);
	set_options(&req);
	MUST(nr_done == 1 && !strcmp(done[0].text, name));
}

/* The backend's answer to a GETSOCKOPT */
static int get(u32 level, u32 name, u32 offset, struct pvcalls_rsp_name *rsp)
{
	struct pvcalls_req_getsockopt req = {
		.level = level, .name = name, .offset = offset,
	};
	struct pvcalls_call *call = calloc(1, sizeof(*call));

	MUST(call);
	memcpy(&call->req.u, &req, sizeof(req));
	nr_replies = 0;
	pvcalls_sockopt_get(&ps, call);
	MUST(nr_replies == 1 && (!reply || !call->len));
	memset(rsp, 0, sizeof(*rsp));
	rsp->len = call->len;
	memcpy(rsp->addr, call->addr, sizeof(rsp->addr));
	free(call);
	return reply;
}

/* As the frontend asks, until it has all or @lies have no end */
static int fetch(u32 level, u32 name, u8 *value, u32 size, bool lies)
{
	struct pvcalls_rsp_name rsp;
	u32 have = 0, n;
	int ret;

	do {
		if (lies) {
			take(&rsp, sizeof(rsp));
			ret = 0;
		} else {
			ret = get(level, name, have, &rsp);
		}
		if (ret)
			return ret;
		n = pvcalls_value_take(&rsp, value + have, size - have);
		MUST(n <= size - have && n <= PVCALLS_ADDR_LEN);
		MUST(!n || !memcmp(value + have, rsp.addr, n));
		have += n;
	} while (n == PVCALLS_ADDR_LEN && have < size);
	return have;
}

static void any_get(void)
{
	u32 how = take_u8(), level, name, size, len, at;
	struct pvcalls_rsp_name rsp;
	const void *real = &facts;
	u8 *value;
	int n;

	take(&facts, sizeof(facts));
	tcp.mss_cache = take_u32();
	dst.mtu = take_u8();
	sock.type = how & 1 ? SOCK_DGRAM : SOCK_STREAM;
	sk.sk_family = how & 2 ? AF_INET6 : AF_INET;
	at = PVCALLS_RELAYED - 1 - (how >> 2) % 6;
	level = pvcalls_relayed_at(at)->level;
	name = pvcalls_relayed_at(at)->name;
	if (how & 128) {
		level = take_u8();
		name = take_u8();
	}
	/* any byte of it may be asked for */
	get(level, name, take_u32(), &rsp);
	size = take_u8();
	value = malloc(size);
	MUST(value);
	n = fetch(level, name, value, size, false);
	n = n < 0 ? n : (int)size < n ? -EDOM : n;
	if (n >= 0) {
		MUST(pvcalls_relayed_told(pvcalls_relayed_find(level, name)));
		MUST(level != SOL_TCP || sock.type == SOCK_STREAM);
		MUST(level != SOL_IPV6 || sk.sk_family == AF_INET6);
		len = level == SOL_TCP && name == TCP_INFO ? sizeof(facts) : 4;
		if (len == 4)
			real = level == SOL_TCP ? &tcp.mss_cache : &dst.mtu;
		MUST(n == (int)min(size, len));
		MUST(!n || !memcmp(value, real, n));
	} else {
		MUST(n == -ENOPROTOOPT || n == -ENOTCONN);
	}
	n = fetch(level, name, value, size, true);
	MUST(n >= 0 && n <= (int)size);
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 how;

	input = data;
	left = size;
	ps.sock = &sock;
	ps.guest = &guest;
	how = take_u8();
	if (how % 3 == 0)
		any_set();
	else if (how % 3 == 1)
		any_get();
	else
		any_name();
	return 0;
}
