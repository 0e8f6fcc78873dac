// SPDX-License-Identifier: GPL-2.0
/*
 * Tells flows to a multicast group of the netlink family; docs/netlink/
 * pvcalls.yaml has the messages. Nobody waits for a listener: one that does not
 * read loses messages, which it sees from their numbers.
 */
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>

#include <net/genetlink.h>

#include "show/flows.h"
#include "trace.h"
#include "uapi/pvcalls_netlink.h"

/* Room for all attributes of a message */
#define PVCALLS_FLOWS_SIZE	256

static const struct genl_family *pvcalls_flows_family;
static unsigned int pvcalls_flows_group;
/* Guards the number, and that messages come in the order of their numbers */
static DEFINE_SPINLOCK(pvcalls_flows_lock);
static u32 pvcalls_flows_number;

static int pvcalls_flows_put_addr(struct sk_buff *skb, int addr, int port,
				  const struct sockaddr_in6 *from)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)from;
	int err;

	if (from->sin6_family == AF_INET6)
		err = nla_put_in6_addr(skb, addr, &from->sin6_addr);
	else
		err = nla_put_in_addr(skb, addr, in->sin_addr.s_addr);
	/* both families have the port at the same place */
	return err ?: nla_put_be16(skb, port, in->sin_port);
}

static int pvcalls_flows_put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, PVCALLS_A_FLOW_PAD);
}

static int pvcalls_flows_put(struct sk_buff *skb, u32 number, domid_t domid,
			     u64 id, const struct pvcalls_flow *flow)
{
	/* when it began by the clock on the wall, as that is set now */
	u64 begun = ktime_get_real_ns() - (ktime_get_ns() - flow->begun);

	return nla_put_u32(skb, PVCALLS_A_FLOW_NUMBER, number) ?:
	       nla_put_u32(skb, PVCALLS_A_FLOW_DOMID, domid) ?:
	       pvcalls_flows_put_u64(skb, PVCALLS_A_FLOW_ID, id) ?:
	       nla_put_u8(skb, PVCALLS_A_FLOW_PROTOCOL, flow->protocol) ?:
	       nla_put_u8(skb, PVCALLS_A_FLOW_ACCEPTED, flow->accepted) ?:
	       pvcalls_flows_put_addr(skb, PVCALLS_A_FLOW_LOCAL_ADDR,
				      PVCALLS_A_FLOW_LOCAL_PORT,
				      &flow->local) ?:
	       pvcalls_flows_put_addr(skb, PVCALLS_A_FLOW_PEER_ADDR,
				      PVCALLS_A_FLOW_PEER_PORT, &flow->peer) ?:
	       pvcalls_flows_put_u64(skb, PVCALLS_A_FLOW_BEGUN, begun);
}

static int pvcalls_flows_put_end(struct sk_buff *skb,
				 const struct pvcalls_flow *flow)
{
	return pvcalls_flows_put_u64(skb, PVCALLS_A_FLOW_TOOK, flow->took) ?:
	       pvcalls_flows_put_u64(skb, PVCALLS_A_FLOW_IN, flow->in) ?:
	       pvcalls_flows_put_u64(skb, PVCALLS_A_FLOW_OUT, flow->out) ?:
	       nla_put_u32(skb, PVCALLS_A_FLOW_WHY, flow->why) ?:
	       nla_put_u32(skb, PVCALLS_A_FLOW_ERROR, flow->err);
}

static struct sk_buff *pvcalls_flows_message(u32 number, domid_t domid, u64 id,
					     const struct pvcalls_flow *flow,
					     u8 cmd)
{
	struct sk_buff *skb = genlmsg_new(PVCALLS_FLOWS_SIZE, GFP_ATOMIC);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, pvcalls_flows_family, 0, cmd);
	if (!hdr || pvcalls_flows_put(skb, number, domid, id, flow) ||
	    (cmd == PVCALLS_CMD_FLOW_END && pvcalls_flows_put_end(skb, flow))) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/* Tracepoints call this, so it must not sleep. */
static void pvcalls_flows_tell(domid_t domid, u64 id,
			       const struct pvcalls_flow *flow, u8 cmd)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(pvcalls_flows_family, &init_net,
				pvcalls_flows_group))
		return;
	spin_lock(&pvcalls_flows_lock);
	/* one for which there is no memory is missed by its number */
	skb = pvcalls_flows_message(++pvcalls_flows_number, domid, id, flow,
				    cmd);
	if (skb)
		genlmsg_multicast_netns(pvcalls_flows_family, &init_net, skb, 0,
					pvcalls_flows_group, GFP_ATOMIC);
	spin_unlock(&pvcalls_flows_lock);
}

static void pvcalls_flows_begin(void *unused, domid_t domid, u64 id,
				const struct pvcalls_flow *flow)
{
	pvcalls_flows_tell(domid, id, flow, PVCALLS_CMD_FLOW_BEGIN);
}

static void pvcalls_flows_end(void *unused, domid_t domid, u64 id,
			      const struct pvcalls_flow *flow)
{
	pvcalls_flows_tell(domid, id, flow, PVCALLS_CMD_FLOW_END);
}

/**
 * pvcalls_flows_start() - tell flows from now on
 * @family: the netlink family, which is registered
 * @group: index of its multicast group for flows
 *
 * Context: process, may sleep; undone by pvcalls_flows_stop().
 * Return: 0 or a negative error number.
 */
int pvcalls_flows_start(const struct genl_family *family, unsigned int group)
{
	int err;

	pvcalls_flows_family = family;
	pvcalls_flows_group = group;
	err = register_trace_pvcalls_flow_begin(pvcalls_flows_begin, NULL);
	if (err)
		return err;
	err = register_trace_pvcalls_flow_end(pvcalls_flows_end, NULL);
	if (err)
		unregister_trace_pvcalls_flow_begin(pvcalls_flows_begin, NULL);
	return err;
}

/**
 * pvcalls_flows_stop() - undo pvcalls_flows_start(), and wait for those who tell
 *
 * Context: process, sleeps.
 */
void pvcalls_flows_stop(void)
{
	unregister_trace_pvcalls_flow_end(pvcalls_flows_end, NULL);
	unregister_trace_pvcalls_flow_begin(pvcalls_flows_begin, NULL);
	tracepoint_synchronize_unregister();
}
