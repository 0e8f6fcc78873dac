// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "pvcalls"; docs/netlink/pvcalls.yaml has the
 * specification. As in debugfs.c, numbers are read while workers change them.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include <net/genetlink.h>

#include "account/ledger.h"
#include "guest/guest.h"
#include "guest/policy.h"
#include "show/flows.h"
#include "show/netlink.h"
#include "sock/sock.h"
#include "uapi/pvcalls_netlink.h"

static struct genl_family pvcalls_netlink_family;

/**
 * struct pvcalls_netlink_dump - a part of all guests
 * @skb: the message that is being filled
 * @cb: the request; args[0] counts the guests that former messages had
 * @next: number of the guest whose turn it is
 * @full: there is no room for more
 */
struct pvcalls_netlink_dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	long next;
	bool full;
};

static int pvcalls_netlink_put_guest(struct sk_buff *skb,
				     const struct pvcalls_guest *g)
{
	if (nla_put_u32(skb, PVCALLS_A_GUEST_DOMID, g->peer.domid) ||
	    nla_put_u32(skb, PVCALLS_A_GUEST_SOCKETS,
			atomic_read(&g->socks->live)) ||
	    nla_put_u32(skb, PVCALLS_A_GUEST_PAGES,
			pvcalls_account_has(g->peer.account,
					    PVCALLS_KIND_PAGES)) ||
	    nla_put_u32(skb, PVCALLS_A_GUEST_DEFERRED,
			pvcalls_account_has(g->peer.account,
					    PVCALLS_KIND_CALLS)) ||
	    nla_put_u64_64bit(skb, PVCALLS_A_GUEST_DENIED,
			      pvcalls_policy_denied(g->policy),
			      PVCALLS_A_GUEST_PAD) ||
	    nla_put_u64_64bit(skb, PVCALLS_A_GUEST_DELAYED,
			      pvcalls_policy_delayed(g->policy),
			      PVCALLS_A_GUEST_PAD) ||
	    nla_put_u32(skb, PVCALLS_A_GUEST_MARK, g->mark) ||
	    nla_put_u32(skb, PVCALLS_A_GUEST_EXTENSIONS, g->peer.features) ||
	    nla_put_u32(skb, PVCALLS_A_GUEST_FLAGS, READ_ONCE(g->flags)))
		return -EMSGSIZE;
	return 0;
}

static void pvcalls_netlink_dump_guest(struct pvcalls_guest *g, void *arg)
{
	struct pvcalls_netlink_dump *d = arg;
	struct netlink_callback *cb = d->cb;
	void *hdr;

	if (d->full || d->next++ < cb->args[0])
		return;
	hdr = genlmsg_put(d->skb, NETLINK_CB(cb->skb).portid,
			  cb->nlh->nlmsg_seq, &pvcalls_netlink_family,
			  NLM_F_MULTI, PVCALLS_CMD_GUEST_GET);
	if (!hdr || pvcalls_netlink_put_guest(d->skb, g)) {
		if (hdr)
			genlmsg_cancel(d->skb, hdr);
		d->full = true;
		return;
	}
	genlmsg_end(d->skb, hdr);
	cb->args[0]++;
}

static int pvcalls_netlink_guests(struct sk_buff *skb,
				  struct netlink_callback *cb)
{
	struct pvcalls_netlink_dump d = { .skb = skb, .cb = cb };

	pvcalls_guest_for_each(pvcalls_netlink_dump_guest, &d);
	return skb->len;
}

static int pvcalls_netlink_put_denied(struct sk_buff *skb,
				      const struct pvcalls_policy *p)
{
	struct nlattr *nest = nla_nest_start(skb, PVCALLS_A_POLICY_DENIED);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	BUILD_BUG_ON(PVCALLS_A_DENIED_RULE != (int)PVCALLS_DENIED_RULE);
	for (i = PVCALLS_ALLOWED + 1; i < PVCALLS_DENIALS; i++)
		if (nla_put_u64_64bit(skb, i, atomic_long_read(&p->denied[i]),
				      PVCALLS_A_DENIED_PAD))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * struct pvcalls_netlink_call - a request about the policies of a guest
 * @info: the request
 * @domid: the guest
 * @found: there is a device
 * @skb: the answer to policy-get
 * @text: for the rules in force; PVCALLS_POLICY_SIZE bytes
 */
struct pvcalls_netlink_call {
	struct genl_info *info;
	u32 domid;
	bool found;
	struct sk_buff *skb;
	char *text;
};

static int pvcalls_netlink_ask(struct genl_info *info,
			       struct pvcalls_netlink_call *call,
			       int (*fn)(struct pvcalls_policy *p, void *arg))
{
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PVCALLS_A_POLICY_DOMID))
		return -EINVAL;
	call->info = info;
	call->domid = nla_get_u32(info->attrs[PVCALLS_A_POLICY_DOMID]);
	err = pvcalls_policy_for_each(fn, call);
	if (err < 0)
		return err;
	if (!call->found) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[PVCALLS_A_POLICY_DOMID],
				    "the domain has no device");
		return -ENODEV;
	}
	return 0;
}

/* Returns 1 for the first device of the guest, to end the search. */
static int pvcalls_netlink_show(struct pvcalls_policy *p, void *arg)
{
	struct pvcalls_netlink_call *call = arg;
	void *hdr;

	if (p->domid != call->domid)
		return 0;
	call->found = true;
	pvcalls_policy_print(p, call->text);
	hdr = genlmsg_put_reply(call->skb, call->info, &pvcalls_netlink_family,
				0, PVCALLS_CMD_POLICY_GET);
	if (!hdr ||
	    nla_put_u32(call->skb, PVCALLS_A_POLICY_DOMID, p->domid) ||
	    nla_put_string(call->skb, PVCALLS_A_POLICY_RULES, call->text) ||
	    pvcalls_netlink_put_denied(call->skb, p))
		return -EMSGSIZE;
	genlmsg_end(call->skb, hdr);
	return 1;
}

static int pvcalls_netlink_get(struct sk_buff *skb, struct genl_info *info)
{
	struct pvcalls_netlink_call call = {};
	int err = -ENOMEM;

	call.text = kmalloc(PVCALLS_POLICY_SIZE, GFP_KERNEL);
	call.skb = genlmsg_new(PVCALLS_POLICY_SIZE + 512, GFP_KERNEL);
	if (call.text && call.skb)
		err = pvcalls_netlink_ask(info, &call, pvcalls_netlink_show);
	kfree(call.text);
	if (!err)
		return genlmsg_reply(call.skb, info);
	nlmsg_free(call.skb);
	return err;
}

static int pvcalls_netlink_change(struct pvcalls_policy *p, void *arg)
{
	struct pvcalls_netlink_call *call = arg;
	struct nlattr *rules = call->info->attrs[PVCALLS_A_POLICY_RULES];
	struct netlink_ext_ack *extack = call->info->extack;
	const char *text = nla_data(rules);
	u32 at;
	int err;

	if (p->domid != call->domid)
		return 0;
	call->found = true;
	err = pvcalls_policy_set(p, text, strlen(text), &at);
	if (err == -EINVAL || err == -E2BIG) {
		NL_SET_ERR_MSG(extack, "no policy from here on");
		/* the offset in the answer is that of the word */
		extack->bad_attr = (const struct nlattr *)(text + at);
	}
	return err;
}

static int pvcalls_netlink_set(struct sk_buff *skb, struct genl_info *info)
{
	struct pvcalls_netlink_call call = {};

	if (GENL_REQ_ATTR_CHECK(info, PVCALLS_A_POLICY_RULES))
		return -EINVAL;
	return pvcalls_netlink_ask(info, &call, pvcalls_netlink_change);
}

static const struct nla_policy pvcalls_netlink_attrs[] = {
	[PVCALLS_A_POLICY_DOMID] = { .type = NLA_U32 },
	[PVCALLS_A_POLICY_RULES] = { .type = NLA_NUL_STRING,
				     .len = PVCALLS_MAX_POLICY },
};

static const struct genl_small_ops pvcalls_netlink_ops[] = {
	{
		.cmd = PVCALLS_CMD_GUEST_GET,
		.flags = GENL_ADMIN_PERM,
		.dumpit = pvcalls_netlink_guests,
	},
	{
		.cmd = PVCALLS_CMD_POLICY_GET,
		.flags = GENL_ADMIN_PERM,
		.doit = pvcalls_netlink_get,
	},
	{
		.cmd = PVCALLS_CMD_POLICY_SET,
		.flags = GENL_ADMIN_PERM,
		.doit = pvcalls_netlink_set,
	},
};

/* Who talks to whom is as private as policies. */
static const struct genl_multicast_group pvcalls_netlink_groups[] = {
	{
		.name = PVCALLS_GROUP_FLOWS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

static struct genl_family pvcalls_netlink_family __ro_after_init = {
	.name = PVCALLS_FAMILY_NAME,
	.version = PVCALLS_FAMILY_VERSION,
	.module = THIS_MODULE,
	.maxattr = ARRAY_SIZE(pvcalls_netlink_attrs) - 1,
	.policy = pvcalls_netlink_attrs,
	.small_ops = pvcalls_netlink_ops,
	.n_small_ops = ARRAY_SIZE(pvcalls_netlink_ops),
	.mcgrps = pvcalls_netlink_groups,
	.n_mcgrps = ARRAY_SIZE(pvcalls_netlink_groups),
	.resv_start_op = __PVCALLS_CMD_MAX,
};

/**
 * pvcalls_netlink_start() - register the family, and tell flows
 *
 * Context: process, may sleep; undone by pvcalls_netlink_stop().
 * Return: 0 or a negative error number.
 */
int __init pvcalls_netlink_start(void)
{
	int err = genl_register_family(&pvcalls_netlink_family);

	if (err)
		return err;
	err = pvcalls_flows_start(&pvcalls_netlink_family, 0);
	if (err)
		genl_unregister_family(&pvcalls_netlink_family);
	return err;
}

/**
 * pvcalls_netlink_stop() - unregister the family, and wait for requests
 *
 * Context: process, sleeps.
 */
void pvcalls_netlink_stop(void)
{
	pvcalls_flows_stop();
	genl_unregister_family(&pvcalls_netlink_family);
}
