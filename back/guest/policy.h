/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The policy: who may do what. One object for each device, which is asked at
 * every door: where a socket is made, bound, connected or made to listen, for
 * the addresses of each datagram, and for what comes in. rules.h has what it
 * can say. What it says of limits is the account's to hold.
 */
#ifndef PVCALLS_BACK_POLICY_H
#define PVCALLS_BACK_POLICY_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/socket.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

#include "account/rate.h"
#include "guest/rules.h"

struct net;
struct pvcalls_account;
struct pvcalls_guest;
struct pvcalls_queues;
struct sk_buff;
struct sock;

/**
 * struct pvcalls_ruleset - rules in force
 * @rcu: frees the rules after those who read them
 * @net: network namespace of sockets, with a reference
 * @rules: the rules
 */
struct pvcalls_ruleset {
	struct rcu_head rcu;
	struct net *net;
	struct pvcalls_rules rules;
};

/**
 * enum pvcalls_pace - what a guest may do so much of in a second, and waits with
 *	beyond that
 * @PVCALLS_PACE_CONNECTS: begin connections of TCP
 * @PVCALLS_PACE_OUT: send bytes
 * @PVCALLS_PACE_IN: receive bytes
 * @PVCALLS_PACES: number of these
 */
enum pvcalls_pace {
	PVCALLS_PACE_CONNECTS,
	PVCALLS_PACE_OUT,
	PVCALLS_PACE_IN,
	PVCALLS_PACES
};

/**
 * struct pvcalls_policy - the policy of a device, from probe until its guest has
 * ended
 * @all: entry in the list of all policies
 * @domid: the guest
 * @lock: held while @set is replaced
 * @set: the rules in force, under RCU; never NULL
 * @account: the guest's account, with a reference
 * @queues: the guest's queues, with a reference
 * @refused: what the toolstack has written could not be read, so that nobody
 *	is to be served; under @lock
 * @calls: what the guest has called of late; only the command ring's worker uses
 *	this. A guest does not get rid of it by connecting anew
 * @delayed: how often the guest had to wait for its next call
 * @rates: what else it may do so much of in a second, for all its sockets
 * @shortcuts: bits of enum pvcalls_shortcut, as in @set; written under @lock
 * @denied: calls, datagrams and connections that were denied, by enum
 *	pvcalls_denial
 */
struct pvcalls_policy {
	struct list_head all;
	domid_t domid;
	struct mutex lock;
	struct pvcalls_ruleset __rcu *set;
	struct pvcalls_account *account;
	struct pvcalls_queues *queues;
	bool refused;
	struct pvcalls_bucket calls;
	atomic_long_t delayed;
	struct pvcalls_rate rates[PVCALLS_PACES];
	u32 shortcuts;
	atomic_long_t denied[PVCALLS_DENIALS];
};

/**
 * pvcalls_policy_takes() - may bytes be moved in a shortcut?
 * @p: the policy
 * @way: the shortcut
 *
 * Context: any.
 * Return: true if the policy does not forbid it.
 */
static inline bool pvcalls_policy_takes(const struct pvcalls_policy *p,
					enum pvcalls_shortcut way)
{
	return READ_ONCE(p->shortcuts) & way;
}

int pvcalls_policy_init(struct pvcalls_policy *p, domid_t domid);
void pvcalls_policy_hide(struct pvcalls_policy *p);
void pvcalls_policy_exit(struct pvcalls_policy *p);
void pvcalls_policy_stop(void);
int pvcalls_policy_set(struct pvcalls_policy *p, const char *text, u32 len,
		       u32 *at);
void pvcalls_policy_refuse(struct pvcalls_policy *p);
bool pvcalls_policy_refused(struct pvcalls_policy *p);
int pvcalls_policy_print(struct pvcalls_policy *p, char *buf);
long pvcalls_policy_denied(const struct pvcalls_policy *p);
unsigned long pvcalls_policy_delayed(const struct pvcalls_policy *p);
int pvcalls_policy_for_each(int (*fn)(struct pvcalls_policy *p, void *arg),
			    void *arg);

u32 pvcalls_mark(domid_t domid);
u32 pvcalls_policy_calls(struct pvcalls_guest *g, u32 n, u64 *wait);
u32 pvcalls_policy_congestion(struct pvcalls_guest *g);

int pvcalls_policy_addr(struct pvcalls_guest *g, const u8 *addr, u32 len,
			struct sockaddr_storage *out);
int pvcalls_policy_socket(struct pvcalls_guest *g, u32 domain, u32 type,
			  u32 protocol, struct net **net);
int pvcalls_policy_connect(struct pvcalls_guest *g, const struct sock *sk,
			   struct sockaddr_storage *addr);
int pvcalls_policy_bind(struct pvcalls_guest *g, const struct sock *sk,
			struct sockaddr_storage *addr);
int pvcalls_policy_source(struct pvcalls_guest *g, const struct sock *sk,
			  struct sockaddr_storage *addr);
int pvcalls_policy_listen(struct pvcalls_guest *g, const struct sock *sk);
bool pvcalls_policy_hears(struct pvcalls_guest *g, const struct sk_buff *skb);

#endif /* PVCALLS_BACK_POLICY_H */
