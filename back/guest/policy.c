// SPDX-License-Identifier: GPL-2.0
/* The doors at which a policy is asked, and the mark; see policy.h. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/string.h>

#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "guest/addr.h"
#include "guest/guest.h"
#include "guest/own.h"
#include "guest/policy.h"
#include "pvcalls_param.h"
#include "trace.h"

static bool allow_loopback;
module_param(allow_loopback, bool, 0644);
MODULE_PARM_DESC(allow_loopback,
		 "Guests may use this domain's own loopback addresses, where their policy does not say (default 0)");

/* Largest base to which every domain id can be added */
#define PVCALLS_MAX_MARK	0xffff0000U

PVCALLS_PARAM_UINT(mark, 0, 0, PVCALLS_MAX_MARK, 0644);
MODULE_PARM_DESC(mark,
		 "Guests that connect from now on have their sockets marked with this and their domid added, for routing rules and packet filters; 0 to 4294901760, 0: no mark (default 0)");

/* A number of denials.h with its word */
struct pvcalls_name {
	unsigned int number;
	const char *name;
};

#define PVCALLS_NAME(number, name)	{ number, name },
#define PVCALLS_LAST_NAME(number, name)	{ number, name }

static const struct pvcalls_name pvcalls_door_names[] = {
	PVCALLS_DOOR_NAMES(PVCALLS_NAME, PVCALLS_LAST_NAME)
};

static const struct pvcalls_name pvcalls_denial_names[] = {
	PVCALLS_DENIAL_NAMES(PVCALLS_NAME, PVCALLS_LAST_NAME)
};

/* Find a number that is in the list. */
static const char *pvcalls_name_of(const struct pvcalls_name *list,
				   unsigned int number)
{
	while (list->number != number)
		list++;
	return list->name;
}

/**
 * pvcalls_mark() - the mark of a guest's sockets, if xenstore has none
 * @domid: the guest
 *
 * Context: any.
 * Return: the mark, as of SO_MARK; 0 for none.
 */
u32 pvcalls_mark(domid_t domid)
{
	u32 base = READ_ONCE(param_mark);

	return base ? base + domid : 0;
}

/**
 * pvcalls_policy_addr() - take an address out of a request
 * @g: the guest that made the request
 * @addr: the request's address field, PVCALLS_ADDR_LEN bytes
 * @len: length of the address in bytes, as the guest says
 * @out: copy of the address, padded with zeroes
 *
 * Context: any.
 * Return: the length for the kernel in bytes; or -EAFNOSUPPORT for a family
 * that is not in force, -EINVAL for a bad length.
 */
int pvcalls_policy_addr(struct pvcalls_guest *g, const u8 *addr, u32 len,
			struct sockaddr_storage *out)
{
	bool v6 = pvcalls_guest_has(g, PVCALLS_F_IPV6);
	int ret = pvcalls_addr_take(addr, len, v6, out);

	if (ret == -EINVAL)
		pvcalls_guest_warn(g, "address of %u bytes\n", len);
	else if (ret < 0)
		pvcalls_guest_warn(g, "address of unknown family %u\n",
				   out->ss_family);
	return ret;
}

/* What is in force for this domain's own addresses */
static enum pvcalls_local pvcalls_policy_local(const struct pvcalls_rules *r)
{
	if (r->local)
		return r->local;
	return READ_ONCE(allow_loopback) ? PVCALLS_LOCAL_ALL :
					   PVCALLS_LOCAL_ADDRESSES;
}

/* The bit of a protocol, with which sockets of the kernel are made */
static u8 pvcalls_policy_proto(int protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return PVCALLS_MAY_TCP;
	case IPPROTO_UDP:
		return PVCALLS_MAY_UDP;
	default:
		return PVCALLS_MAY_ICMP;
	}
}

static void pvcalls_policy_count(struct pvcalls_guest *g,
				 enum pvcalls_door door,
				 enum pvcalls_denial denial,
				 const struct sockaddr_storage *addr)
{
	atomic_long_inc(&g->policy->denied[denial]);
	trace_pvcalls_denied(g->peer.domid, door, denial, (const u8 *)addr,
			     addr ? sizeof(struct sockaddr_in6) : 0);
}

static void pvcalls_policy_note(struct pvcalls_guest *g, enum pvcalls_door door,
				enum pvcalls_denial denial,
				const struct sockaddr_storage *addr)
{
	pvcalls_policy_count(g, door, denial, addr);
	pvcalls_guest_warn(g, "%s %pISpc denied: %s\n",
			   pvcalls_name_of(pvcalls_door_names, door), addr,
			   pvcalls_name_of(pvcalls_denial_names, denial));
}

/* Ask the rules in force about an address, which may be named better. */
static enum pvcalls_denial pvcalls_policy_rules(struct pvcalls_guest *g,
						const struct sock *sk,
						enum pvcalls_door door,
						struct sockaddr_storage *addr)
{
	const struct pvcalls_rules *r;
	enum pvcalls_denial denial;
	enum pvcalls_local local;
	struct pvcalls_target t;

	t.proto = pvcalls_policy_proto(sk->sk_protocol);
	pvcalls_addr_target(addr, &t);
	rcu_read_lock();
	r = &rcu_dereference(g->policy->set)->rules;
	local = pvcalls_policy_local(r);
	if (door == PVCALLS_DOOR_CONNECT && t.at == PVCALLS_AT_ANY &&
	    local == PVCALLS_LOCAL_ALL)
		pvcalls_addr_name(addr, &t);
	if (door == PVCALLS_DOOR_CONNECT && t.at == PVCALLS_AT_FAR &&
	    pvcalls_rules_need_route(r, local) && pvcalls_own_address(sk, &t))
		t.at = PVCALLS_AT_LOCAL;
	denial = pvcalls_rules_ask(r, local, door, &t);
	if (!denial && door == PVCALLS_DOOR_BIND && r->listening && t.port &&
	    pvcalls_own_port(sk, t.port))
		denial = PVCALLS_DENIED_LISTENING;
	rcu_read_unlock();
	return denial;
}

static int pvcalls_policy_ask(struct pvcalls_guest *g, const struct sock *sk,
			      enum pvcalls_door door,
			      struct sockaddr_storage *addr)
{
	enum pvcalls_denial denial;

	denial = pvcalls_policy_rules(g, sk, door, addr);
	if (!denial)
		return 0;
	pvcalls_policy_note(g, door, denial, addr);
	/* what Linux says of a port on which somebody else listens */
	return denial == PVCALLS_DENIED_LISTENING ? -EADDRINUSE : -EACCES;
}

/**
 * pvcalls_policy_socket() - may a guest have a socket?
 * @g: the guest
 * @domain: AF_INET or AF_INET6
 * @type: SOCK_STREAM or SOCK_DGRAM
 * @protocol: IPPROTO_IP, or a protocol of @type
 * @net: the namespace for it, with a reference, unless an error is returned
 *
 * Context: any.
 * Return: 0; -EACCES if the protocol is denied; -EAFNOSUPPORT if IPv6 is, so
 * that programs try IPv4. Both with a line in the log.
 */
int pvcalls_policy_socket(struct pvcalls_guest *g, u32 domain, u32 type,
			  u32 protocol, struct net **net)
{
	u8 need = type == SOCK_STREAM ? PVCALLS_MAY_TCP :
		  protocol == IPPROTO_IP ? PVCALLS_MAY_UDP :
		  pvcalls_policy_proto(protocol);
	const struct pvcalls_ruleset *set;
	u8 may;

	rcu_read_lock();
	set = rcu_dereference(g->policy->set);
	may = set->rules.may;
	*net = get_net(set->net);
	rcu_read_unlock();
	if ((may & need) &&
	    (domain == AF_INET || (may & PVCALLS_MAY_IPV6)))
		return 0;
	put_net(*net);
	pvcalls_policy_count(g, PVCALLS_DOOR_SOCKET, PVCALLS_DENIED_PROTOCOL,
			     NULL);
	pvcalls_guest_warn(g, "socket(%u, %u, %u) denied: protocol\n", domain,
			   type, protocol);
	return may & need ? -EAFNOSUPPORT : -EACCES;
}

/**
 * pvcalls_policy_connect() - may a guest connect or send to an address?
 * @g: the guest
 * @sk: its kernel socket
 * @addr: the address, from pvcalls_policy_addr(). The unspecified one becomes
 *	the loopback's, to which Linux connects it, if the loopback is allowed
 *
 * Context: process.
 * Return: 0, or -EACCES with a line in the log.
 */
int pvcalls_policy_connect(struct pvcalls_guest *g, const struct sock *sk,
			   struct sockaddr_storage *addr)
{
	return pvcalls_policy_ask(g, sk, PVCALLS_DOOR_CONNECT, addr);
}

/**
 * pvcalls_policy_bind() - may a guest bind an address?
 * @g: the guest
 * @sk: its kernel socket
 * @addr: the address, from pvcalls_policy_addr()
 *
 * Context: process.
 * Return: 0; or with a line in the log -EACCES, or -EADDRINUSE if this domain
 * listens on the port.
 */
int pvcalls_policy_bind(struct pvcalls_guest *g, const struct sock *sk,
			struct sockaddr_storage *addr)
{
	return pvcalls_policy_ask(g, sk, PVCALLS_DOOR_BIND, addr);
}

/**
 * pvcalls_policy_source() - may a guest send a datagram from an address?
 * @g: the guest
 * @sk: its kernel socket
 * @addr: the address; the port is the socket's own
 *
 * Context: process.
 * Return: 0, or -EACCES with a line in the log.
 */
int pvcalls_policy_source(struct pvcalls_guest *g, const struct sock *sk,
			  struct sockaddr_storage *addr)
{
	return pvcalls_policy_ask(g, sk, PVCALLS_DOOR_SOURCE, addr);
}

/**
 * pvcalls_policy_listen() - may a guest listen?
 * @g: the guest
 * @sk: its kernel socket, which gets a port of its own if it has none
 *
 * Context: process.
 * Return: 0, or -EACCES with a line in the log.
 */
int pvcalls_policy_listen(struct pvcalls_guest *g, const struct sock *sk)
{
	struct sockaddr_storage addr = { .ss_family = sk->sk_family };
	u8 may;

	rcu_read_lock();
	may = rcu_dereference(g->policy->set)->rules.may;
	rcu_read_unlock();
	if (!(may & PVCALLS_MAY_LISTEN)) {
		((struct sockaddr_in *)&addr)->sin_port = inet_sk(sk)->inet_sport;
		pvcalls_policy_note(g, PVCALLS_DOOR_LISTEN,
				    PVCALLS_DENIED_PROTOCOL, &addr);
		return -EACCES;
	}
	if (inet_sk(sk)->inet_num)
		return 0;
	return pvcalls_policy_bind(g, sk, &addr);
}

/**
 * pvcalls_policy_calls() - how many calls may a guest make now?
 * @g: the guest
 * @n: how many it wants to make, 1 or more
 * @wait: set to the nanoseconds after which it may make another one, unless it
 *	may make all of them
 *
 * Context: the command ring's worker.
 * Return: how many, 0 to @n, which are counted.
 */
u32 pvcalls_policy_calls(struct pvcalls_guest *g, u32 n, u64 *wait)
{
	struct pvcalls_policy *p = g->policy;
	u32 rate, may;
	u64 now;

	rcu_read_lock();
	rate = rcu_dereference(p->set)->rules.calls;
	rcu_read_unlock();
	if (!rate)
		return n;
	now = ktime_get_ns();
	may = pvcalls_bucket_take(&p->calls, rate, now, n);
	if (may < n) {
		*wait = pvcalls_bucket_wait(&p->calls, now,
					    PVCALLS_BUCKET_AHEAD);
		atomic_long_inc(&p->delayed);
	}
	return may;
}

/**
 * pvcalls_policy_congestion() - which congestion controls may a guest choose?
 * @g: the guest
 *
 * Context: any.
 * Return: bits as of pvcalls_rules.congestion.
 */
u32 pvcalls_policy_congestion(struct pvcalls_guest *g)
{
	u32 bits;

	rcu_read_lock();
	bits = rcu_dereference(g->policy->set)->rules.congestion;
	rcu_read_unlock();
	return bits;
}

/* Where a packet goes to, and where it comes from */
static void pvcalls_policy_ends(const struct sk_buff *skb,
				struct pvcalls_target *to,
				struct pvcalls_target *from)
{
	if (skb->protocol == htons(ETH_P_IP)) {
		pvcalls_target_v4(to, (const u8 *)&ip_hdr(skb)->daddr);
		pvcalls_target_v4(from, (const u8 *)&ip_hdr(skb)->saddr);
	} else {
		pvcalls_target_v6(to, ipv6_hdr(skb)->daddr.s6_addr);
		pvcalls_target_v6(from, ipv6_hdr(skb)->saddr.s6_addr);
	}
}

/**
 * pvcalls_policy_hears() - may something come in to a guest?
 * @g: the guest
 * @skb: the packet with the network's header, of a datagram or a connection
 *
 * What comes from this domain itself comes in over its loopback device,
 * whatever the addresses are.
 *
 * Context: any.
 * Return: true, or false with a line in the log.
 */
bool pvcalls_policy_hears(struct pvcalls_guest *g, const struct sk_buff *skb)
{
	enum pvcalls_denial denial = PVCALLS_ALLOWED;
	struct pvcalls_target to, from;
	struct sockaddr_storage addr = {};
	enum pvcalls_local local;

	rcu_read_lock();
	local = pvcalls_policy_local(&rcu_dereference(g->policy->set)->rules);
	rcu_read_unlock();
	if (local == PVCALLS_LOCAL_ALL)
		return true;
	pvcalls_policy_ends(skb, &to, &from);
	if (to.at == PVCALLS_AT_LOOPBACK || from.at == PVCALLS_AT_LOOPBACK)
		denial = PVCALLS_DENIED_LOOPBACK;
	else if (local == PVCALLS_LOCAL_NONE &&
		 skb->skb_iif == LOOPBACK_IFINDEX)
		denial = PVCALLS_DENIED_LOCAL;
	if (!denial)
		return true;
	if (from.length == 32) {
		addr.ss_family = AF_INET;
		memcpy(&((struct sockaddr_in *)&addr)->sin_addr, from.addr, 4);
	} else {
		addr.ss_family = AF_INET6;
		memcpy(&((struct sockaddr_in6 *)&addr)->sin6_addr, from.addr,
		       16);
	}
	pvcalls_policy_note(g, PVCALLS_DOOR_HEAR, denial, &addr);
	return false;
}
