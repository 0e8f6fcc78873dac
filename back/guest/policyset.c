// SPDX-License-Identifier: GPL-2.0
/* The rules that are in force, and how they are replaced; see policy.h. */
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/slab.h>

#include <net/net_namespace.h>

#include "account/ledger.h"
#include "guest/own.h"
#include "guest/policy.h"
#include "sched/queues.h"

/* Bytes that a socket gets at a time which has waited for its turn */
#define PVCALLS_PACE_PIECE	65536

static DEFINE_MUTEX(pvcalls_policies_lock);
static LIST_HEAD(pvcalls_policies);

static void pvcalls_ruleset_free(struct rcu_head *rcu)
{
	struct pvcalls_ruleset *set = container_of(rcu, struct pvcalls_ruleset,
						   rcu);

	put_net(set->net);
	kfree(set);
}

/* Make rules of a text; @at is set if the text is to blame. */
static struct pvcalls_ruleset *pvcalls_ruleset_new(const char *text, u32 len,
						   u32 *at)
{
	struct pvcalls_ruleset *set = kzalloc(sizeof(*set), GFP_KERNEL);
	struct net *net = &init_net;
	int err;

	if (!set)
		return ERR_PTR(-ENOMEM);
	err = pvcalls_rules_parse(&set->rules, text, len, at);
	if (!err && *set->rules.netns) {
		net = pvcalls_own_netns(set->rules.netns);
		err = PTR_ERR_OR_ZERO(net);
	}
	if (err) {
		kfree(set);
		return ERR_PTR(err);
	}
	set->net = net == &init_net ? get_net(net) : net;
	return set;
}

/* Have rates and shortcuts be those of rules. */
static void pvcalls_policy_pace(struct pvcalls_policy *p,
				const struct pvcalls_rules *r)
{
	pvcalls_rate_set(&p->rates[PVCALLS_PACE_CONNECTS], r->connects);
	pvcalls_rate_set(&p->rates[PVCALLS_PACE_OUT], r->bytes);
	pvcalls_rate_set(&p->rates[PVCALLS_PACE_IN], r->bytes);
	WRITE_ONCE(p->shortcuts, r->shortcuts);
}

/**
 * pvcalls_policy_init() - begin with the policy that holds by default
 * @p: the policy
 * @domid: the guest
 *
 * Context: process, may sleep; undone by pvcalls_policy_hide() and then
 * pvcalls_policy_exit().
 * Return: 0 or -ENOMEM.
 */
int pvcalls_policy_init(struct pvcalls_policy *p, domid_t domid)
{
	struct pvcalls_ruleset *set;
	u32 at;

	set = pvcalls_ruleset_new("", 0, &at);
	if (IS_ERR(set))
		return PTR_ERR(set);
	p->account = pvcalls_account_open(domid);
	if (!p->account)
		goto free;
	p->queues = pvcalls_queues_open(domid);
	if (!p->queues)
		goto put_account;
	mutex_init(&p->lock);
	pvcalls_rate_init(&p->rates[PVCALLS_PACE_CONNECTS], 1);
	pvcalls_rate_init(&p->rates[PVCALLS_PACE_OUT], PVCALLS_PACE_PIECE);
	pvcalls_rate_init(&p->rates[PVCALLS_PACE_IN], PVCALLS_PACE_PIECE);
	pvcalls_policy_pace(p, &set->rules);
	p->domid = domid;
	RCU_INIT_POINTER(p->set, set);
	mutex_lock(&pvcalls_policies_lock);
	list_add_tail(&p->all, &pvcalls_policies);
	mutex_unlock(&pvcalls_policies_lock);
	return 0;

put_account:
	pvcalls_account_put(p->account);
free:
	pvcalls_ruleset_free(&set->rcu);
	return -ENOMEM;
}

/**
 * pvcalls_policy_hide() - take a policy off the list of all policies
 * @p: the policy, which a guest that ends may still use
 *
 * The guest may have another device, with a policy of its own, before it has
 * ended on this one.
 *
 * Context: process, may sleep.
 */
void pvcalls_policy_hide(struct pvcalls_policy *p)
{
	mutex_lock(&pvcalls_policies_lock);
	list_del(&p->all);
	mutex_unlock(&pvcalls_policies_lock);
}

/**
 * pvcalls_policy_exit() - undo pvcalls_policy_init()
 * @p: the policy, which no guest uses any more
 *
 * Context: process, may sleep.
 */
void pvcalls_policy_exit(struct pvcalls_policy *p)
{
	int i;

	for (i = 0; i < PVCALLS_PACES; i++)
		pvcalls_rate_exit(&p->rates[i]);
	pvcalls_queues_put(p->queues);
	pvcalls_account_put(p->account);
	call_rcu(&rcu_dereference_protected(p->set, true)->rcu,
		 pvcalls_ruleset_free);
}

/**
 * pvcalls_policy_stop() - wait until all rules that were replaced are freed
 *
 * Context: process, sleeps.
 */
void pvcalls_policy_stop(void)
{
	rcu_barrier();
}

static void pvcalls_policy_limits(struct pvcalls_policy *p,
				  const struct pvcalls_rules *r)
{
	int i;

	for (i = 0; i < PVCALLS_KINDS; i++)
		pvcalls_account_limit(p->account, i,
				      r->limited & BIT(i) ? r->limit[i] :
							    LONG_MAX);
}

/**
 * pvcalls_policy_set() - replace the rules
 * @p: the policy
 * @text: the rules, see rules.h
 * @len: length of @text in bytes
 * @at: where in @text a word is wrong, after -EINVAL and -E2BIG
 *
 * What was permitted before stays as it is: connections that have begun, ports,
 * peers of datagram sockets. New sockets are made in the namespace that the
 * rules name.
 * Limits, weight and cap are those of all devices of the guest, which have one
 * account, and one queue at each worker. Rates and shortcuts hold at once: who
 * waits for a rate that has changed asks again.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL or -E2BIG if the text is no policy; -ENOMEM; or why the
 * namespace can't be had. After an error the old rules are in force.
 */
int pvcalls_policy_set(struct pvcalls_policy *p, const char *text, u32 len,
		       u32 *at)
{
	struct pvcalls_ruleset *set, *old;

	*at = 0;
	set = pvcalls_ruleset_new(text, len, at);
	if (IS_ERR(set))
		return PTR_ERR(set);
	mutex_lock(&p->lock);
	pvcalls_policy_limits(p, &set->rules);
	pvcalls_queues_weigh(p->queues,
			     set->rules.weight ?: PVCALLS_WEIGHT_DEFAULT,
			     set->rules.cap);
	old = rcu_replace_pointer(p->set, set, lockdep_is_held(&p->lock));
	/* those who are woken ask the new rules */
	pvcalls_policy_pace(p, &set->rules);
	p->refused = false;
	mutex_unlock(&p->lock);
	call_rcu(&old->rcu, pvcalls_ruleset_free);
	return 0;
}

/**
 * pvcalls_policy_refuse() - serve nobody until there are rules again
 * @p: the policy
 *
 * A guest that is connected stays so, by the rules in force.
 *
 * Context: process, may sleep; undone by pvcalls_policy_set().
 */
void pvcalls_policy_refuse(struct pvcalls_policy *p)
{
	mutex_lock(&p->lock);
	p->refused = true;
	mutex_unlock(&p->lock);
}

/**
 * pvcalls_policy_refused() - is nobody to be served?
 * @p: the policy
 *
 * Context: process, may sleep.
 * Return: true if a guest must not connect.
 */
bool pvcalls_policy_refused(struct pvcalls_policy *p)
{
	bool refused;

	mutex_lock(&p->lock);
	refused = p->refused;
	mutex_unlock(&p->lock);
	return refused;
}

/**
 * pvcalls_policy_print() - write the rules in force
 * @p: the policy
 * @buf: the text, as of pvcalls_rules_print(); PVCALLS_POLICY_SIZE bytes
 *
 * Context: any.
 * Return: length of the text in bytes.
 */
int pvcalls_policy_print(struct pvcalls_policy *p, char *buf)
{
	int n;

	rcu_read_lock();
	n = pvcalls_rules_print(&rcu_dereference(p->set)->rules, buf,
				PVCALLS_POLICY_SIZE);
	rcu_read_unlock();
	return n;
}

/**
 * pvcalls_policy_denied() - how often has the policy said no?
 * @p: the policy
 *
 * Context: any.
 * Return: calls, datagrams and connections, since the device has come.
 */
long pvcalls_policy_denied(const struct pvcalls_policy *p)
{
	unsigned int i;
	long n = 0;

	for (i = 0; i < PVCALLS_DENIALS; i++)
		n += atomic_long_read(&p->denied[i]);
	return n;
}

/**
 * pvcalls_policy_delayed() - how often has the policy had the guest wait?
 * @p: the policy
 *
 * Context: any.
 * Return: calls, connections, sockets' bytes and, of all devices of the guest,
 * turns, since the device has come.
 */
unsigned long pvcalls_policy_delayed(const struct pvcalls_policy *p)
{
	unsigned long n = atomic_long_read(&p->delayed) +
			  READ_ONCE(p->queues->cap.waited);
	int i;

	for (i = 0; i < PVCALLS_PACES; i++)
		n += READ_ONCE(p->rates[i].waits);
	return n;
}

/**
 * pvcalls_policy_for_each() - call a function for the policy of each device
 * @fn: the function; may sleep. Another result than 0 ends the calls
 * @arg: argument of @fn
 *
 * Context: process, may sleep; @fn is called with the list's mutex held.
 * Return: the last result of @fn, 0 if there is no device.
 */
int pvcalls_policy_for_each(int (*fn)(struct pvcalls_policy *p, void *arg),
			    void *arg)
{
	struct pvcalls_policy *p;
	int ret = 0;

	mutex_lock(&pvcalls_policies_lock);
	list_for_each_entry(p, &pvcalls_policies, all) {
		ret = fn(p, arg);
		if (ret)
			break;
	}
	mutex_unlock(&pvcalls_policies_lock);
	return ret;
}
