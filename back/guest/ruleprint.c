// SPDX-License-Identifier: GPL-2.0
/* Writing the text of a policy, for ruletext.c to read; see rules.h. */
#include "guest/rules.h"
#include "guest/rules_words.h"

/* What has been written of a text, and how much room there is */
struct pvcalls_pen {
	char *buf;
	u32 size;
	u32 len;
};

static void pvcalls_pen_char(struct pvcalls_pen *p, char c)
{
	if (p->len < p->size)
		p->buf[p->len] = c;
	p->len++;
}

static void pvcalls_pen_word(struct pvcalls_pen *p, const char *s)
{
	while (*s)
		pvcalls_pen_char(p, *s++);
}

static void pvcalls_pen_number(struct pvcalls_pen *p, u32 n, u32 base)
{
	if (n >= base)
		pvcalls_pen_number(p, n / base, base);
	pvcalls_pen_char(p, "0123456789abcdef"[n % base]);
}

static void pvcalls_pen_range(struct pvcalls_pen *p,
			      const struct pvcalls_range *range)
{
	pvcalls_pen_number(p, range->first, 10);
	if (range->last != range->first) {
		pvcalls_pen_char(p, '-');
		pvcalls_pen_number(p, range->last, 10);
	}
}

static void pvcalls_pen_prefix(struct pvcalls_pen *p,
			       const struct pvcalls_rule *rule)
{
	const u8 *a = rule->addr;
	u32 i;

	for (i = 0; i < rule->length / 8; i += rule->length == 32 ? 1 : 2) {
		if (i)
			pvcalls_pen_char(p, rule->length == 32 ? '.' : ':');
		if (rule->length == 32)
			pvcalls_pen_number(p, a[i], 10);
		else
			pvcalls_pen_number(p, a[i] << 8 | a[i + 1], 16);
	}
	pvcalls_pen_char(p, '/');
	pvcalls_pen_number(p, rule->bits, 10);
}

static void pvcalls_pen_rule(struct pvcalls_pen *p,
			     const struct pvcalls_rule *rule)
{
	bool ports = rule->ports.first != 0;
	u32 i;

	pvcalls_pen_word(p, rule->allow ? "allow " : "deny ");
	pvcalls_pen_word(p, rule->door == PVCALLS_DOOR_BIND ? "bind" :
							      "connect");
	for (i = 0; i < 3; i++) {
		if (rule->protos != 1 << i)
			continue;
		pvcalls_pen_char(p, ' ');
		pvcalls_pen_word(p, pvcalls_may_names[i]);
	}
	if (rule->local)
		pvcalls_pen_word(p, " local");
	if (rule->length) {
		pvcalls_pen_char(p, ' ');
		pvcalls_pen_prefix(p, rule);
	}
	if (ports) {
		pvcalls_pen_word(p, " port ");
		pvcalls_pen_range(p, &rule->ports);
	}
	pvcalls_pen_char(p, '\n');
}

/* A word, and the names of the bits that are set, or none */
static void pvcalls_pen_bits(struct pvcalls_pen *p, const char *word,
			     const char * const *names, u32 n, u8 bits)
{
	u32 i;

	pvcalls_pen_word(p, word);
	if (!bits)
		pvcalls_pen_word(p, "=none");
	for (i = 0; i < n; i++) {
		if (!(bits & 1 << i))
			continue;
		pvcalls_pen_char(p, bits & ((1 << i) - 1) ? ',' : '=');
		pvcalls_pen_word(p, names[i]);
	}
	pvcalls_pen_char(p, '\n');
}

static void pvcalls_pen_congestion(struct pvcalls_pen *p, u32 bits)
{
	u32 i;

	if (bits == PVCALLS_CONGESTION_ANY)
		return;
	pvcalls_pen_word(p, bits ? "congestion" : "congestion=none");
	for (i = 0; i < PVCALLS_CONGESTIONS; i++) {
		if (!(bits & 1U << i))
			continue;
		pvcalls_pen_char(p, bits & ((1U << i) - 1) ? ',' : '=');
		pvcalls_pen_word(p, pvcalls_congestion_name(i));
	}
	pvcalls_pen_char(p, '\n');
}

/* A statement with a number, unless that was not set */
static void pvcalls_pen_setting(struct pvcalls_pen *p, const char *word, u32 n)
{
	if (!n)
		return;
	pvcalls_pen_word(p, word);
	pvcalls_pen_number(p, n, 10);
	pvcalls_pen_char(p, '\n');
}

static void pvcalls_pen_reserved(struct pvcalls_pen *p,
				 const struct pvcalls_rules *r)
{
	u32 i;

	pvcalls_pen_word(p, "reserved=");
	for (i = 0; i < r->nr_reserved; i++) {
		if (i)
			pvcalls_pen_char(p, ',');
		pvcalls_pen_range(p, &r->reserved[i]);
	}
	if (r->listening)
		pvcalls_pen_word(p, i ? ",listening" : "listening");
	else if (!i)
		pvcalls_pen_word(p, "none");
	pvcalls_pen_char(p, '\n');
}

static void pvcalls_pen_limits(struct pvcalls_pen *p,
			       const struct pvcalls_rules *r)
{
	u32 i;

	if (!r->limited)
		return;
	pvcalls_pen_word(p, "limits");
	for (i = 0; i < PVCALLS_KINDS; i++) {
		if (!(r->limited & 1U << i))
			continue;
		pvcalls_pen_char(p, r->limited & ((1U << i) - 1) ? ',' : '=');
		pvcalls_pen_word(p, pvcalls_kind_name(i));
		pvcalls_pen_char(p, ':');
		pvcalls_pen_number(p, r->limit[i], 10);
	}
	pvcalls_pen_char(p, '\n');
}

/**
 * pvcalls_rules_print() - write a policy, for pvcalls_rules_parse() to read
 * @r: the policy
 * @buf: the text, a line for each statement, with a final zero
 * @size: size of @buf in bytes, PVCALLS_POLICY_SIZE for any policy
 *
 * What may be left out is left out if it says what holds without it, but for
 * "protocols" and "reserved".
 *
 * Context: any.
 * Return: length of the text in bytes, or -E2BIG if it did not fit.
 */
int pvcalls_rules_print(const struct pvcalls_rules *r, char *buf, u32 size)
{
	struct pvcalls_pen p = { .buf = buf, .size = size };
	u32 i;

	if (r->local) {
		pvcalls_pen_word(&p, "local=");
		pvcalls_pen_word(&p, pvcalls_local_names[r->local]);
		pvcalls_pen_char(&p, '\n');
	}
	pvcalls_pen_bits(&p, "protocols", pvcalls_may_names, PVCALLS_NR_MAYS,
			 r->may);
	pvcalls_pen_reserved(&p, r);
	pvcalls_pen_setting(&p, "calls=", r->calls);
	pvcalls_pen_setting(&p, "connects=", r->connects);
	pvcalls_pen_setting(&p, "bytes=", r->bytes);
	pvcalls_pen_congestion(&p, r->congestion);
	if (r->shortcuts != PVCALLS_SHORT_ALL)
		pvcalls_pen_bits(&p, "shortcuts", pvcalls_shortcut_names,
				 PVCALLS_NR_SHORTCUTS, r->shortcuts);
	pvcalls_pen_setting(&p, "weight=", r->weight);
	pvcalls_pen_setting(&p, "cap=", r->cap);
	pvcalls_pen_limits(&p, r);
	if (*r->netns) {
		pvcalls_pen_word(&p, "netns=");
		pvcalls_pen_word(&p, r->netns);
		pvcalls_pen_char(&p, '\n');
	}
	for (i = 0; i < r->nr; i++)
		pvcalls_pen_rule(&p, &r->rule[i]);
	pvcalls_pen_char(&p, 0);
	return p.len > size ? -E2BIG : (int)p.len - 1;
}
