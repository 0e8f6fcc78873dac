// SPDX-License-Identifier: GPL-2.0
/* Reading the text of a policy; see rules.h. */
#include "guest/rules.h"
#include "guest/rules_words.h"

/* A word of the text, or a part of one, which no zero ends */
struct pvcalls_word {
	const char *s;
	u32 len;
};

/* Statements of which a text has one at most */
enum pvcalls_setting {
	PVCALLS_SET_LOCAL = 1,
	PVCALLS_SET_PROTOCOLS = 2,
	PVCALLS_SET_RESERVED = 4,
	PVCALLS_SET_NETNS = 8,
	PVCALLS_SET_LIMITS = 16,
	PVCALLS_SET_CALLS = 32,
	PVCALLS_SET_WEIGHT = 64,
	PVCALLS_SET_CONNECTS = 128,
	PVCALLS_SET_BYTES = 256,
	PVCALLS_SET_CONGESTION = 512,
	PVCALLS_SET_SHORTCUTS = 1024,
	PVCALLS_SET_CAP = 2048,
};

static bool pvcalls_word_is(const struct pvcalls_word *w, const char *name)
{
	return strlen(name) == w->len && !memcmp(w->s, name, w->len);
}

/* Take what stands before the next @sep off @w; false if nothing is left. */
static bool pvcalls_word_split(struct pvcalls_word *w, char sep,
			       struct pvcalls_word *part)
{
	u32 n = 0;

	if (!w->s)
		return false;
	while (n < w->len && w->s[n] != sep)
		n++;
	part->s = w->s;
	part->len = n;
	if (n == w->len) {
		w->s = NULL;
	} else {
		w->s += n + 1;
		w->len -= n + 1;
	}
	return true;
}

/* Take the next word off @rest; false if there is none. */
static bool pvcalls_word_next(struct pvcalls_word *rest, struct pvcalls_word *w)
{
	u32 n = 0;

	while (rest->len && (*rest->s == ' ' || *rest->s == '\t')) {
		rest->s++;
		rest->len--;
	}
	while (n < rest->len && rest->s[n] != ' ' && rest->s[n] != '\t')
		n++;
	w->s = rest->s;
	w->len = n;
	rest->s += n;
	rest->len -= n;
	return n;
}

/*
 * All of the word must be a decimal number up to @max. It has no leading zeros,
 * with which others take it for an octal one.
 */
static bool pvcalls_word_number(const struct pvcalls_word *w, u32 max, u32 *n)
{
	u64 sum = 0;
	u32 i;

	if (w->len > 1 && *w->s == '0')
		return false;
	for (i = 0; i < w->len; i++) {
		if (w->s[i] < '0' || w->s[i] > '9')
			return false;
		sum = sum * 10 + (w->s[i] - '0');
		/* look each time, so that the number can't overflow */
		if (sum > max)
			return false;
	}
	*n = sum;
	return w->len;
}

/* How often a second: any number of times, or a number that is not 0 */
static bool pvcalls_word_rate(const struct pvcalls_word *w, u32 max, u32 *rate)
{
	if (pvcalls_word_is(w, "any"))
		return true;
	return pvcalls_word_number(w, max, rate) && *rate;
}

static bool pvcalls_word_range(struct pvcalls_word w,
			       struct pvcalls_range *range)
{
	struct pvcalls_word part;
	u32 first, last;

	if (!pvcalls_word_split(&w, '-', &part) ||
	    !pvcalls_word_number(&part, 65535, &first))
		return false;
	last = first;
	if (w.s && !pvcalls_word_number(&w, 65535, &last))
		return false;
	range->first = first;
	range->last = last;
	return first && first <= last;
}

static bool pvcalls_word_v4(struct pvcalls_word w, u8 *addr)
{
	struct pvcalls_word part;
	u32 i, n;

	for (i = 0; i < 4; i++) {
		if (!pvcalls_word_split(&w, '.', &part) ||
		    !pvcalls_word_number(&part, 255, &n))
			return false;
		addr[i] = n;
	}
	return !w.s;
}

/* One group of an IPv6 address: up to four hexadecimal digits */
static bool pvcalls_word_group(const struct pvcalls_word *w, u8 *addr)
{
	u32 i, n = 0;
	char c;

	if (!w->len || w->len > 4)
		return false;
	for (i = 0; i < w->len; i++) {
		c = w->s[i] | 0x20;
		if (w->s[i] >= '0' && w->s[i] <= '9')
			n = n * 16 + (w->s[i] - '0');
		else if (c >= 'a' && c <= 'f')
			n = n * 16 + (c - 'a' + 10);
		else
			return false;
	}
	addr[0] = n >> 8;
	addr[1] = n;
	return true;
}

static bool pvcalls_word_v6(struct pvcalls_word w, u8 *addr)
{
	u32 groups = 0, gap = 0;
	struct pvcalls_word part;
	bool gapped = false;

	if (w.len >= 2 && w.s[0] == ':' && w.s[1] == ':') {
		/* the first group is an empty one, and the second is the gap */
		w.s++;
		w.len--;
	} else if (!w.len || w.s[0] == ':') {
		return false;
	}
	while (pvcalls_word_split(&w, ':', &part)) {
		if (!part.len) {
			if (gapped || !w.s)
				return false;
			gapped = true;
			gap = groups;
			/* the gap may be the end */
			if (!w.len)
				break;
			continue;
		}
		if (groups == 8 || !pvcalls_word_group(&part, addr + 2 * groups))
			return false;
		groups++;
	}
	/* a gap stands for one group at least */
	if (gapped ? groups > 7 : groups != 8)
		return false;
	if (gapped) {
		memmove(addr + 16 - 2 * (groups - gap), addr + 2 * gap,
			2 * (groups - gap));
		memset(addr + 2 * gap, 0, 16 - 2 * groups);
	}
	return true;
}

static void pvcalls_rule_mask(struct pvcalls_rule *rule)
{
	u32 i, keep;

	for (i = 0; i < sizeof(rule->addr); i++) {
		keep = rule->bits > 8 * i ? rule->bits - 8 * i : 0;
		if (keep < 8)
			rule->addr[i] &= ~(0xff >> keep);
	}
}

/* ADDRESS[/LENGTH]; an IPv6 one that is mapped means its IPv4 one. */
static bool pvcalls_word_prefix(struct pvcalls_word w,
				struct pvcalls_rule *rule)
{
	struct pvcalls_target t;
	struct pvcalls_word part;
	u8 addr[16] = {};
	u32 length, bits;

	if (!pvcalls_word_split(&w, '/', &part))
		return false;
	if (pvcalls_word_v4(part, addr)) {
		length = 32;
		pvcalls_target_v4(&t, addr);
	} else if (pvcalls_word_v6(part, addr)) {
		length = 128;
		pvcalls_target_v6(&t, addr);
	} else {
		return false;
	}
	bits = length;
	if (w.s && !pvcalls_word_number(&w, length, &bits))
		return false;
	if (t.length < length) {
		/* a part of the mapped addresses can't be meant */
		if (bits < 96)
			return false;
		bits -= 96;
	}
	rule->length = t.length;
	rule->bits = bits;
	memcpy(rule->addr, t.addr, sizeof(rule->addr));
	pvcalls_rule_mask(rule);
	return true;
}

/* Set the bit of a word that is one of @n @names. */
static bool pvcalls_word_bit(const struct pvcalls_word *w,
			     const char * const *names, u32 n, u8 *bits)
{
	u32 i;

	for (i = 0; i < n; i++) {
		if (!pvcalls_word_is(w, names[i]))
			continue;
		*bits |= 1 << i;
		return true;
	}
	return false;
}

static bool pvcalls_word_congestion(const struct pvcalls_word *w, u32 *bits)
{
	const char *name;
	u32 i;

	for (i = 0; i < PVCALLS_CONGESTIONS; i++) {
		name = pvcalls_congestion_name(i);
		if (!name || !pvcalls_word_is(w, name))
			continue;
		*bits |= 1U << i;
		return true;
	}
	return false;
}

static bool pvcalls_set_local(struct pvcalls_rules *r, struct pvcalls_word w)
{
	u32 i;

	for (i = PVCALLS_LOCAL_NONE; i < PVCALLS_NR_LOCALS; i++) {
		if (!pvcalls_word_is(&w, pvcalls_local_names[i]))
			continue;
		r->local = i;
		return true;
	}
	return false;
}

/* Set the bits of some of @n @names, or of none. */
static bool pvcalls_set_bits(struct pvcalls_word w, const char * const *names,
			     u32 n, u8 *bits)
{
	struct pvcalls_word part;

	*bits = 0;
	if (pvcalls_word_is(&w, "none"))
		return true;
	while (pvcalls_word_split(&w, ',', &part))
		if (!pvcalls_word_bit(&part, names, n, bits))
			return false;
	return true;
}

static bool pvcalls_set_protocols(struct pvcalls_rules *r,
				  struct pvcalls_word w)
{
	return pvcalls_set_bits(w, pvcalls_may_names, PVCALLS_NR_MAYS,
				&r->may);
}

static bool pvcalls_set_reserved(struct pvcalls_rules *r, struct pvcalls_word w)
{
	struct pvcalls_word part;

	r->listening = false;
	r->nr_reserved = 0;
	if (pvcalls_word_is(&w, "none"))
		return true;
	while (pvcalls_word_split(&w, ',', &part)) {
		if (pvcalls_word_is(&part, "listening")) {
			r->listening = true;
			continue;
		}
		if (r->nr_reserved == PVCALLS_MAX_RESERVED ||
		    !pvcalls_word_range(part, &r->reserved[r->nr_reserved]))
			return false;
		r->nr_reserved++;
	}
	return true;
}

/* A name as of a file, and not one that leads elsewhere */
static bool pvcalls_set_netns(struct pvcalls_rules *r, struct pvcalls_word w)
{
	u32 i;

	if (!w.len || w.len > PVCALLS_MAX_NETNS || w.s[0] == '.')
		return false;
	for (i = 0; i < w.len; i++)
		if (w.s[i] <= ' ' || w.s[i] > '~' || w.s[i] == '/')
			return false;
	memcpy(r->netns, w.s, w.len);
	r->netns[w.len] = 0;
	return true;
}

static bool pvcalls_set_calls(struct pvcalls_rules *r, struct pvcalls_word w)
{
	return pvcalls_word_rate(&w, PVCALLS_MAX_CALLS, &r->calls);
}

static bool pvcalls_set_connects(struct pvcalls_rules *r, struct pvcalls_word w)
{
	return pvcalls_word_rate(&w, PVCALLS_MAX_CALLS, &r->connects);
}

static bool pvcalls_set_bytes(struct pvcalls_rules *r, struct pvcalls_word w)
{
	return pvcalls_word_rate(&w, PVCALLS_BUCKET_MAX, &r->bytes);
}

static bool pvcalls_set_congestion(struct pvcalls_rules *r,
				   struct pvcalls_word w)
{
	struct pvcalls_word part;

	if (pvcalls_word_is(&w, "any"))
		return true;
	r->congestion = 0;
	if (pvcalls_word_is(&w, "none"))
		return true;
	while (pvcalls_word_split(&w, ',', &part))
		if (!pvcalls_word_congestion(&part, &r->congestion))
			return false;
	return true;
}

static bool pvcalls_set_shortcuts(struct pvcalls_rules *r,
				  struct pvcalls_word w)
{
	return pvcalls_set_bits(w, pvcalls_shortcut_names,
				PVCALLS_NR_SHORTCUTS, &r->shortcuts);
}

static bool pvcalls_set_weight(struct pvcalls_rules *r, struct pvcalls_word w)
{
	return pvcalls_word_number(&w, PVCALLS_MAX_WEIGHT, &r->weight) &&
	       r->weight;
}

static bool pvcalls_set_cap(struct pvcalls_rules *r, struct pvcalls_word w)
{
	return pvcalls_word_rate(&w, PVCALLS_BUCKET_MAX, &r->cap) &&
	       (!r->cap || r->cap >= PVCALLS_MIN_CAP);
}

/* KIND:NUMBER, each kind once at most */
static bool pvcalls_set_limit(struct pvcalls_rules *r, struct pvcalls_word w)
{
	struct pvcalls_word name;
	u32 i;

	pvcalls_word_split(&w, ':', &name);
	for (i = 0; i < PVCALLS_KINDS; i++) {
		if (!pvcalls_word_is(&name, pvcalls_kind_name(i)))
			continue;
		if (!w.s || r->limited & 1U << i)
			return false;
		r->limited |= 1U << i;
		return pvcalls_word_number(&w, PVCALLS_MAX_LIMIT, &r->limit[i]);
	}
	return false;
}

static bool pvcalls_set_limits(struct pvcalls_rules *r, struct pvcalls_word w)
{
	struct pvcalls_word part;

	if (pvcalls_word_is(&w, "none"))
		return true;
	while (pvcalls_word_split(&w, ',', &part))
		if (!pvcalls_set_limit(r, part))
			return false;
	return true;
}

static const struct {
	const char *name;
	enum pvcalls_setting bit;
	bool (*set)(struct pvcalls_rules *r, struct pvcalls_word w);
} pvcalls_settings[] = {
	{ "local", PVCALLS_SET_LOCAL, pvcalls_set_local },
	{ "protocols", PVCALLS_SET_PROTOCOLS, pvcalls_set_protocols },
	{ "reserved", PVCALLS_SET_RESERVED, pvcalls_set_reserved },
	{ "netns", PVCALLS_SET_NETNS, pvcalls_set_netns },
	{ "calls", PVCALLS_SET_CALLS, pvcalls_set_calls },
	{ "connects", PVCALLS_SET_CONNECTS, pvcalls_set_connects },
	{ "bytes", PVCALLS_SET_BYTES, pvcalls_set_bytes },
	{ "congestion", PVCALLS_SET_CONGESTION, pvcalls_set_congestion },
	{ "shortcuts", PVCALLS_SET_SHORTCUTS, pvcalls_set_shortcuts },
	{ "weight", PVCALLS_SET_WEIGHT, pvcalls_set_weight },
	{ "cap", PVCALLS_SET_CAP, pvcalls_set_cap },
	{ "limits", PVCALLS_SET_LIMITS, pvcalls_set_limits },
};

static bool pvcalls_text_setting(struct pvcalls_rules *r, struct pvcalls_word w,
				 u32 *seen)
{
	struct pvcalls_word name;
	u32 i;

	pvcalls_word_split(&w, '=', &name);
	if (!w.s)
		return false;
	for (i = 0; i < sizeof(pvcalls_settings) / sizeof(*pvcalls_settings);
	     i++) {
		if (!pvcalls_word_is(&name, pvcalls_settings[i].name))
			continue;
		if (*seen & pvcalls_settings[i].bit)
			return false;
		*seen |= pvcalls_settings[i].bit;
		return pvcalls_settings[i].set(r, w);
	}
	return false;
}

/* What comes after allow or deny; @w is the word that is wrong, if one is. */
static bool pvcalls_text_rule(struct pvcalls_rule *rule,
			      struct pvcalls_word *rest, struct pvcalls_word *w)
{
	bool where = false, port = false;

	rule->protos = 0;
	rule->ports.last = 65535;
	if (!pvcalls_word_next(rest, w))
		return false;
	if (pvcalls_word_is(w, "bind"))
		rule->door = PVCALLS_DOOR_BIND;
	else if (!pvcalls_word_is(w, "connect"))
		return false;
	while (pvcalls_word_next(rest, w)) {
		if (port)
			return false;
		if (!where && !rule->protos &&
		    pvcalls_word_bit(w, pvcalls_may_names, 3,
				     &rule->protos))
			continue;
		if (pvcalls_word_is(w, "port") &&
		    rule->protos != PVCALLS_MAY_ICMP) {
			port = true;
			if (!pvcalls_word_next(rest, w) ||
			    !pvcalls_word_range(*w, &rule->ports))
				return false;
			continue;
		}
		if (where)
			return false;
		where = true;
		if (pvcalls_word_is(w, "any"))
			continue;
		rule->local = rule->door == PVCALLS_DOOR_CONNECT &&
			      pvcalls_word_is(w, "local");
		if (!rule->local && !pvcalls_word_prefix(*w, rule))
			return false;
	}
	/* an echo has no port */
	if (!rule->protos)
		rule->protos = port ? PVCALLS_MAY_TCP | PVCALLS_MAY_UDP :
				      PVCALLS_MAY_PROTOS;
	return true;
}

/* Returns 0, -EINVAL or -E2BIG; @w is the word that is wrong, if one is. */
static int pvcalls_text_statement(struct pvcalls_rules *r,
				  struct pvcalls_word rest, u32 *seen,
				  struct pvcalls_word *w)
{
	struct pvcalls_rule rule = {};

	if (!pvcalls_word_next(&rest, w))
		return 0;
	rule.allow = pvcalls_word_is(w, "allow");
	if (rule.allow || pvcalls_word_is(w, "deny")) {
		if (r->nr == PVCALLS_MAX_RULES)
			return -E2BIG;
		if (!pvcalls_text_rule(&rule, &rest, w))
			return -EINVAL;
		r->rule[r->nr++] = rule;
		return 0;
	}
	if (!pvcalls_text_setting(r, *w, seen))
		return -EINVAL;
	return pvcalls_word_next(&rest, w) ? -EINVAL : 0;
}

/**
 * pvcalls_rules_parse() - read a policy
 * @r: the policy; after an error it makes no sense
 * @text: the text, which may be empty; then all is as by default
 * @len: length of @text in bytes
 * @at: after an error, where in @text the word is that is wrong
 *
 * Context: any.
 * Return: 0; -EINVAL if the text has a word that makes no sense where it is,
 * -E2BIG if it has too many rules or bytes.
 */
int pvcalls_rules_parse(struct pvcalls_rules *r, const char *text, u32 len,
			u32 *at)
{
	struct pvcalls_word w;
	u32 begin, end, seen = 0;
	int err;

	memset(r, 0, sizeof(*r));
	r->may = PVCALLS_MAY_ALL;
	r->shortcuts = PVCALLS_SHORT_ALL;
	r->congestion = PVCALLS_CONGESTION_ANY;
	r->listening = true;
	r->nr_reserved = 1;
	r->reserved[0].first = 22;
	r->reserved[0].last = 22;
	*at = 0;
	if (len > PVCALLS_MAX_POLICY)
		return -E2BIG;
	for (begin = 0; begin < len; begin = end + 1) {
		struct pvcalls_word rest;

		end = begin;
		while (end < len && text[end] != ';' && text[end] != '\n')
			end++;
		rest.s = text + begin;
		rest.len = end - begin;
		err = pvcalls_text_statement(r, rest, &seen, &w);
		if (err) {
			*at = w.s - text;
			return err;
		}
	}
	return 0;
}
