// SPDX-License-Identifier: GPL-2.0
/*
 * Answers as the backend gives them by netlink, for what pvcallsctl makes of
 * them: answers guests | guests-json | policy | policy-json | flows | flows-json |
 * refused
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "flows.h"
#include "netlink.h"
#include "pvcalls_netlink.h"
#include "table.h"

static char buffer[4096], request[4096];

static struct nlmsghdr *message(char *where, uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(where);

	nlh->nlmsg_type = type;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	return nlh;
}

static void guest(struct table *t, uint32_t domid, uint64_t denied)
{
	struct nlmsghdr *nlh = message(buffer, 30);

	mnl_attr_put_u32(nlh, PVCALLS_A_GUEST_DOMID, domid);
	mnl_attr_put_u32(nlh, PVCALLS_A_GUEST_SOCKETS, 3);
	mnl_attr_put(nlh, PVCALLS_A_GUEST_PAD, 0, NULL);
	mnl_attr_put_u64(nlh, PVCALLS_A_GUEST_DENIED, denied);
	mnl_attr_put_u64(nlh, PVCALLS_A_GUEST_DELAYED, denied / 2);
	mnl_attr_put_u32(nlh, PVCALLS_A_GUEST_MARK, 0x1000);
	/* what a later backend may say, and what makes no sense */
	mnl_attr_put_u32(nlh, PVCALLS_A_GUEST_MAX + 1, 1);
	mnl_attr_put_u16(nlh, PVCALLS_A_GUEST_PAGES, 7);
	netlink_guest(nlh, t);
}

static int guests(bool json)
{
	struct table t = {};

	guest(&t, 1, 0);
	guest(&t, 32000, 1ULL << 40);
	if (json)
		print_json(&t);
	else
		print_table(&t);
	table_free(&t);
	return 0;
}

static int policy(bool json)
{
	struct nlmsghdr *nlh = message(buffer, 30);
	struct nlattr *nest;

	mnl_attr_put_u32(nlh, PVCALLS_A_POLICY_DOMID, 7);
	mnl_attr_put_strz(nlh, PVCALLS_A_POLICY_RULES,
			  "local=none\nbytes=4000000000\ncongestion=reno,cubic\n"
			  "shortcuts=none\ndeny connect 10.0.0.0/8\n");
	nest = mnl_attr_nest_start(nlh, PVCALLS_A_POLICY_DENIED);
	mnl_attr_put_u64(nlh, PVCALLS_A_DENIED_LOOPBACK, 2);
	mnl_attr_put(nlh, PVCALLS_A_DENIED_PAD, 0, NULL);
	mnl_attr_put_u64(nlh, PVCALLS_A_DENIED_RULE, 1ULL << 33);
	mnl_attr_put_u64(nlh, PVCALLS_A_DENIED_MAX + 1, 1);
	mnl_attr_nest_end(nlh, nest);
	netlink_policy(nlh, &json);
	return 0;
}

/* The second statement is wrong from its second word on. */
static int refused(void)
{
	static const char rules[] = "local=none;deny nothing";
	struct nlmsghdr *req = message(request, 30), *nlh;
	uint32_t first = netlink_policy_request(req, 7, rules);
	struct nlmsgerr *err;

	if (strcmp(request + first, rules))
		return 1;
	nlh = mnl_nlmsg_put_header(buffer);
	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
	err = mnl_nlmsg_put_extra_header(nlh, sizeof(*err));
	err->error = -EINVAL;
	err->msg = *req;
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "because");
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, first + 16);
	netlink_complain(nlh, first, rules);
	return 0;
}

static void flow(struct flows *f, uint8_t cmd, uint32_t number, uint32_t domid,
		 const char *local, const char *peer)
{
	struct nlmsghdr *nlh = message(buffer, 30);
	struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	bool six = strchr(local, ':');
	uint8_t addr[16];

	genl->cmd = cmd;
	mnl_attr_put_u32(nlh, PVCALLS_A_FLOW_NUMBER, number);
	mnl_attr_put_u32(nlh, PVCALLS_A_FLOW_DOMID, domid);
	mnl_attr_put_u64(nlh, PVCALLS_A_FLOW_ID, 0x1000);
	mnl_attr_put_u8(nlh, PVCALLS_A_FLOW_PROTOCOL, six ? 58 : 6);
	mnl_attr_put_u8(nlh, PVCALLS_A_FLOW_ACCEPTED, !six);
	inet_pton(six ? AF_INET6 : AF_INET, local, addr);
	mnl_attr_put(nlh, PVCALLS_A_FLOW_LOCAL_ADDR, six ? 16 : 4, addr);
	mnl_attr_put_u16(nlh, PVCALLS_A_FLOW_LOCAL_PORT, htons(80));
	inet_pton(six ? AF_INET6 : AF_INET, peer, addr);
	mnl_attr_put(nlh, PVCALLS_A_FLOW_PEER_ADDR, six ? 16 : 4, addr);
	mnl_attr_put_u16(nlh, PVCALLS_A_FLOW_PEER_PORT, htons(six ? 0 : 40000));
	mnl_attr_put_u64(nlh, PVCALLS_A_FLOW_BEGUN, 1700000000123456789ULL);
	if (cmd == PVCALLS_CMD_FLOW_END) {
		mnl_attr_put_u64(nlh, PVCALLS_A_FLOW_TOOK, 2500001000ULL);
		mnl_attr_put_u64(nlh, PVCALLS_A_FLOW_IN, 1ULL << 40);
		mnl_attr_put_u64(nlh, PVCALLS_A_FLOW_OUT, 7);
		mnl_attr_put_u32(nlh, PVCALLS_A_FLOW_WHY,
				 six ? PVCALLS_WHY_CLOSED : PVCALLS_WHY_ERROR);
		mnl_attr_put_u32(nlh, PVCALLS_A_FLOW_ERROR,
				 six ? 0 : ECONNRESET);
	}
	flows_message(nlh, f);
}

/* Messages 9 to 12 and the guest 8 are not to be seen. */
static int log_flows(bool json)
{
	struct flows f = { .domid = 7, .json = json };

	flow(&f, PVCALLS_CMD_FLOW_BEGIN, 7, 7, "10.0.0.1", "10.0.0.2");
	flow(&f, PVCALLS_CMD_FLOW_BEGIN, 8, 8, "10.0.0.1", "10.0.0.3");
	flow(&f, PVCALLS_CMD_FLOW_END, 13, 7, "10.0.0.1", "10.0.0.2");
	flow(&f, PVCALLS_CMD_FLOW_END, 14, 7, "fd00::1", "::");
	flow(&f, PVCALLS_CMD_FLOW_BEGIN, 15, 7, "::ffff:10.0.0.9", "::1");
	flow(&f, PVCALLS_CMD_MAX + 1, 16, 7, "fd00::1", "::");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	if (!strcmp(argv[1], "guests"))
		return guests(false);
	if (!strcmp(argv[1], "guests-json"))
		return guests(true);
	if (!strcmp(argv[1], "policy"))
		return policy(false);
	if (!strcmp(argv[1], "policy-json"))
		return policy(true);
	if (!strcmp(argv[1], "flows"))
		return log_flows(false);
	if (!strcmp(argv[1], "flows-json"))
		return log_flows(true);
	if (!strcmp(argv[1], "refused"))
		return refused();
	return 2;
}
