// SPDX-License-Identifier: GPL-2.0
/* What the rules of a policy say about an address; rules.h has the object. */
#include "guest/rules.h"

static const u8 pvcalls_zeros[16];

/**
 * pvcalls_target_v4() - an IPv4 address is asked about
 * @t: set, but for @proto and @port
 * @addr: the address, 4 bytes
 *
 * Context: any.
 */
void pvcalls_target_v4(struct pvcalls_target *t, const u8 *addr)
{
	t->length = 32;
	memset(t->addr, 0, sizeof(t->addr));
	memcpy(t->addr, addr, 4);
	if (addr[0] == 127)
		t->at = PVCALLS_AT_LOOPBACK;
	else if (addr[0] == 0)
		t->at = PVCALLS_AT_ANY;
	else
		t->at = PVCALLS_AT_FAR;
}

static bool pvcalls_rules_mapped(const u8 *addr)
{
	return !memcmp(addr, pvcalls_zeros, 10) && addr[10] == 0xff &&
	       addr[11] == 0xff;
}

/**
 * pvcalls_target_v6() - an IPv6 address is asked about
 * @t: set, but for @proto and @port
 * @addr: the address, 16 bytes; a mapped one is taken for the IPv4 address
 *	that it means
 *
 * Context: any.
 */
void pvcalls_target_v6(struct pvcalls_target *t, const u8 *addr)
{
	if (pvcalls_rules_mapped(addr)) {
		pvcalls_target_v4(t, addr + 12);
		return;
	}
	t->length = 128;
	memcpy(t->addr, addr, 16);
	t->at = PVCALLS_AT_FAR;
	if (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80)
		t->at = PVCALLS_AT_LINK;
	else if (!memcmp(addr, pvcalls_zeros, 15) && addr[15] <= 1)
		t->at = addr[15] ? PVCALLS_AT_LOOPBACK : PVCALLS_AT_ANY;
}

/**
 * pvcalls_rules_need_route() - must the routing table be asked?
 * @r: the rules
 * @local: what is in force for own addresses of this domain
 *
 * Context: any.
 * Return: true if what the rules say can hang on whether a destination is this
 * domain's own.
 */
bool pvcalls_rules_need_route(const struct pvcalls_rules *r,
			      enum pvcalls_local local)
{
	u32 i;

	if (local == PVCALLS_LOCAL_NONE)
		return true;
	for (i = 0; i < r->nr; i++)
		if (r->rule[i].local)
			return true;
	return false;
}

static bool pvcalls_range_has(const struct pvcalls_range *range, u16 port)
{
	return port >= range->first && port <= range->last;
}

static bool pvcalls_rules_reserved(const struct pvcalls_rules *r, u16 port)
{
	u32 i;

	for (i = 0; i < r->nr_reserved; i++)
		if (pvcalls_range_has(&r->reserved[i], port))
			return true;
	return false;
}

static bool pvcalls_rule_prefix(const struct pvcalls_rule *rule, const u8 *addr)
{
	u32 bytes = rule->bits / 8;
	u8 mask = ~(0xff >> rule->bits % 8);

	return !memcmp(rule->addr, addr, bytes) &&
	       (!mask || (addr[bytes] & mask) == rule->addr[bytes]);
}

/* Is the address one that connects to this domain? */
static bool pvcalls_target_own(const struct pvcalls_target *t)
{
	return t->at == PVCALLS_AT_LOCAL || t->at == PVCALLS_AT_LOOPBACK ||
	       t->at == PVCALLS_AT_ANY;
}

static bool pvcalls_rule_matches(const struct pvcalls_rule *rule,
				 enum pvcalls_door door,
				 const struct pvcalls_target *t)
{
	/* where a datagram is sent from is an address like a bound one */
	if (door == PVCALLS_DOOR_SOURCE)
		door = PVCALLS_DOOR_BIND;
	if (rule->door != door)
		return false;
	if (!(rule->protos & t->proto) ||
	    !pvcalls_range_has(&rule->ports, t->port))
		return false;
	if (rule->local)
		return pvcalls_target_own(t);
	return !rule->length || (rule->length == t->length &&
				 pvcalls_rule_prefix(rule, t->addr));
}

/* Does "local" keep the guest off? */
static enum pvcalls_denial pvcalls_rules_local(enum pvcalls_local local,
					       enum pvcalls_door door,
					       enum pvcalls_at at)
{
	if (local == PVCALLS_LOCAL_ALL)
		return PVCALLS_ALLOWED;
	if (at == PVCALLS_AT_LOOPBACK ||
	    (at == PVCALLS_AT_ANY && door == PVCALLS_DOOR_CONNECT))
		return PVCALLS_DENIED_LOOPBACK;
	/* what a socket can be bound to is always this domain's */
	if (at == PVCALLS_AT_LOCAL && local == PVCALLS_LOCAL_NONE &&
	    door == PVCALLS_DOOR_CONNECT)
		return PVCALLS_DENIED_LOCAL;
	return PVCALLS_ALLOWED;
}

/**
 * pvcalls_rules_ask() - may a guest use an address?
 * @r: the rules
 * @local: what is in force for own addresses of this domain, not
 *	PVCALLS_LOCAL_UNSET
 * @door: what the guest wants to do
 * @t: the address, complete
 *
 * Ports on which this domain listens are the caller's to look at.
 *
 * Context: any.
 * Return: PVCALLS_ALLOWED, or what denies it.
 */
enum pvcalls_denial pvcalls_rules_ask(const struct pvcalls_rules *r,
				      enum pvcalls_local local,
				      enum pvcalls_door door,
				      const struct pvcalls_target *t)
{
	enum pvcalls_denial denial;
	u32 i;

	if (t->at == PVCALLS_AT_LINK)
		return PVCALLS_DENIED_SCOPE;
	if (!(r->may & t->proto) ||
	    (t->length == 128 && !(r->may & PVCALLS_MAY_IPV6)))
		return PVCALLS_DENIED_PROTOCOL;
	denial = pvcalls_rules_local(local, door, t->at);
	if (denial)
		return denial;
	/* the port of ICMP is the number of an echo */
	if (door == PVCALLS_DOOR_BIND && t->proto != PVCALLS_MAY_ICMP &&
	    pvcalls_rules_reserved(r, t->port))
		return PVCALLS_DENIED_RESERVED;
	for (i = 0; i < r->nr; i++)
		if (pvcalls_rule_matches(&r->rule[i], door, t))
			return r->rule[i].allow ? PVCALLS_ALLOWED :
						  PVCALLS_DENIED_RULE;
	return PVCALLS_ALLOWED;
}
