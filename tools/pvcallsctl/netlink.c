// SPDX-License-Identifier: GPL-2.0
/*
 * The backend's generic netlink family. docs/netlink/pvcalls.yaml has its
 * specification.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "netlink.h"
#include "pvcalls_netlink.h"
#include "table.h"

/* Whatever comes, at most: a policy with its counts */
#define BUFFER	32768

static struct mnl_socket *sock;
static uint16_t family;
/* The multicast group that is looked for, and its number, 0: none */
static const char *group_name;
static uint32_t group;
static char buffer[BUFFER];
static unsigned int sequence;

/**
 * netlink_failed() - say what failed, with errno
 * @what: what
 *
 * Return: 1.
 */
int netlink_failed(const char *what)
{
	fprintf(stderr, "pvcallsctl: %s: %s\n", what, strerror(errno));
	return 1;
}

static struct nlmsghdr *begin(uint16_t type, uint16_t flags, uint8_t cmd,
			      uint8_t version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

/**
 * netlink_attributes() - sort the attributes of a message
 * @nlh: the message
 * @a: result: each by its number, NULL if the message has none; @max + 1 of them
 * @max: the greatest number of interest
 */
void netlink_attributes(const struct nlmsghdr *nlh, const struct nlattr **a,
		       unsigned int max)
{
	const struct nlattr *attr;

	memset(a, 0, (max + 1) * sizeof(*a));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) <= max)
			a[mnl_attr_get_type(attr)] = attr;
}

/**
 * netlink_u32() - the value of an attribute
 * @attr: the attribute, or NULL
 *
 * Return: the value, or 0 if there is none of this type.
 */
uint32_t netlink_u32(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_U32) ?
	       mnl_attr_get_u32(attr) : 0;
}

/**
 * netlink_u64() - the value of an attribute
 * @attr: the attribute, or NULL
 *
 * Return: the value, or 0 if there is none of this type.
 */
uint64_t netlink_u64(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_U64) ?
	       mnl_attr_get_u64(attr) : 0;
}

static void find_group(const struct nlattr *groups)
{
	const struct nlattr *each, *attr;

	mnl_attr_for_each_nested(each, groups) {
		const char *name = NULL;
		uint32_t id = 0;

		mnl_attr_for_each_nested(attr, each) {
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
				id = netlink_u32(attr);
			if (mnl_attr_get_type(attr) ==
			    CTRL_ATTR_MCAST_GRP_NAME)
				name = mnl_attr_get_str(attr);
		}
		if (name && !strcmp(name, group_name))
			group = id;
	}
}

/**
 * netlink_is_end() - does a message say that the family has gone?
 * @nlh: a message that came to a socket of netlink_join()
 *
 * Return: true if so.
 */
bool netlink_is_end(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a[CTRL_ATTR_MAX + 1];

	if (nlh->nlmsg_type != GENL_ID_CTRL ||
	    genl->cmd != CTRL_CMD_DELFAMILY)
		return false;
	netlink_attributes(nlh, a, CTRL_ATTR_MAX);
	return a[CTRL_ATTR_FAMILY_NAME] &&
	       !strcmp(mnl_attr_get_str(a[CTRL_ATTR_FAMILY_NAME]),
		       PVCALLS_FAMILY_NAME);
}

static int found_family(const struct nlmsghdr *nlh, void *unused)
{
	const struct nlattr *a[CTRL_ATTR_MAX + 1];

	(void)unused;
	netlink_attributes(nlh, a, CTRL_ATTR_MAX);
	if (a[CTRL_ATTR_FAMILY_ID])
		family = mnl_attr_get_u16(a[CTRL_ATTR_FAMILY_ID]);
	if (a[CTRL_ATTR_MCAST_GROUPS] && group_name)
		find_group(a[CTRL_ATTR_MCAST_GROUPS]);
	return MNL_CB_OK;
}

/**
 * netlink_complain() - say why a request was refused
 * @nlh: the answer, of type NLMSG_ERROR, with a negative error number
 * @first: where in the request the rules begin, 0 if it had none
 * @rules: the rules
 */
void netlink_complain(const struct nlmsghdr *nlh, uint32_t first,
		      const char *rules)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	const char *why = NULL;
	uint32_t at = 0;

	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		unsigned int skip = sizeof(*err);

		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			skip += mnl_nlmsg_get_payload_len(&err->msg);
		mnl_attr_for_each(attr, nlh, MNL_ALIGN(skip)) {
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
				why = mnl_attr_get_str(attr);
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS)
				at = mnl_attr_get_u32(attr);
		}
	}
	fprintf(stderr, "pvcallsctl: %s", strerror(-err->error));
	if (why)
		fprintf(stderr, ": %s", why);
	if (rules && first && at >= first && at - first <= strlen(rules))
		fprintf(stderr, ": \"%s\"", rules + (at - first));
	fputc('\n', stderr);
}

/* Send a request, and take its answers until the last one. */
static int ask(const struct nlmsghdr *nlh, mnl_cb_t fn, void *arg,
	       uint32_t first, const char *rules)
{
	const struct nlmsghdr *answer = (void *)buffer;
	const struct nlmsgerr *err;
	ssize_t n;
	int ret;

	if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		return -netlink_failed("netlink");
	do {
		n = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (n < 0)
			return -netlink_failed("netlink");
		err = mnl_nlmsg_get_payload(answer);
		if (mnl_nlmsg_ok(answer, n) &&
		    answer->nlmsg_type == NLMSG_ERROR && err->error) {
			errno = -err->error;
			if (fn != found_family)
				netlink_complain(answer, first, rules);
			return -1;
		}
		ret = mnl_cb_run(buffer, n, sequence,
				 mnl_socket_get_portid(sock), fn, arg);
	} while (ret > 0);
	return ret < 0 ? -netlink_failed("netlink") : 0;
}

static int open_family(void)
{
	struct nlmsghdr *nlh;
	int one = 1;

	sock = mnl_socket_open(NETLINK_GENERIC);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -netlink_failed("netlink");
	/* older kernels know no reasons */
	mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &one, sizeof(one));
	sequence = time(NULL);
	nlh = begin(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, PVCALLS_FAMILY_NAME);
	if (!ask(nlh, found_family, NULL, 0, NULL) && family)
		return 0;
	fprintf(stderr, "pvcallsctl: no netlink family %s: %s\n",
		PVCALLS_FAMILY_NAME, strerror(errno));
	return -1;
}

/**
 * netlink_join() - listen to what the family tells
 * @name: its multicast group
 * @size: bytes that may wait to be read
 *
 * Return: the socket, or NULL after a message.
 */
struct mnl_socket *netlink_join(const char *name, int size)
{
	int notify = GENL_ID_CTRL;

	group_name = name;
	if (open_family())
		return NULL;
	if (!group) {
		fprintf(stderr, "pvcallsctl: %s has no group %s: is it older than this command?\n",
			PVCALLS_FAMILY_NAME, name);
		return NULL;
	}
	if (setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE,
		       &size, sizeof(size)) < 0)
		netlink_failed("SO_RCVBUFFORCE");
	/* the second one tells of families that go */
	if (mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)) < 0 ||
	    mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &notify,
				  sizeof(notify)) < 0) {
		netlink_failed(name);
		return NULL;
	}
	return sock;
}

/**
 * netlink_guest() - add a guest to a table
 * @nlh: a message about the guest
 * @table: the table
 *
 * Return: MNL_CB_OK.
 */
int netlink_guest(const struct nlmsghdr *nlh, void *table)
{
	const struct nlattr *a[PVCALLS_A_GUEST_MAX + 1];
	char line[256];

	netlink_attributes(nlh, a, PVCALLS_A_GUEST_MAX);
	snprintf(line, sizeof(line),
		 "guest %u sockets %u pages %u deferred %u denied %llu delayed %llu mark %#x extensions %#x flags %#x",
		 netlink_u32(a[PVCALLS_A_GUEST_DOMID]),
		 netlink_u32(a[PVCALLS_A_GUEST_SOCKETS]),
		 netlink_u32(a[PVCALLS_A_GUEST_PAGES]),
		 netlink_u32(a[PVCALLS_A_GUEST_DEFERRED]),
		 (unsigned long long)netlink_u64(a[PVCALLS_A_GUEST_DENIED]),
		 (unsigned long long)netlink_u64(a[PVCALLS_A_GUEST_DELAYED]),
		 netlink_u32(a[PVCALLS_A_GUEST_MARK]),
		 netlink_u32(a[PVCALLS_A_GUEST_EXTENSIONS]),
		 netlink_u32(a[PVCALLS_A_GUEST_FLAGS]));
	table_line(table, line);
	return MNL_CB_OK;
}

/**
 * netlink_guests() - read all connected guests
 * @t: the table that gets a line for each
 *
 * Return: 0, or another number after a message.
 */
int netlink_guests(struct table *t)
{
	if (!sock && open_family())
		return -1;
	return ask(begin(family, NLM_F_DUMP, PVCALLS_CMD_GUEST_GET,
			 PVCALLS_FAMILY_VERSION),
		   netlink_guest, t, 0, NULL);
}

static const char * const denials[PVCALLS_A_DENIED_MAX + 1] = {
	[PVCALLS_A_DENIED_PROTOCOL] = "protocol",
	[PVCALLS_A_DENIED_LOOPBACK] = "loopback",
	[PVCALLS_A_DENIED_LOCAL] = "local",
	[PVCALLS_A_DENIED_SCOPE] = "scope",
	[PVCALLS_A_DENIED_RESERVED] = "reserved",
	[PVCALLS_A_DENIED_LISTENING] = "listening",
	[PVCALLS_A_DENIED_RULE] = "rule",
};

static void print_denied(const struct nlattr *nest, bool json)
{
	const struct nlattr *attr;
	unsigned int type, n = 0;

	mnl_attr_for_each_nested(attr, nest) {
		type = mnl_attr_get_type(attr);
		if (type > PVCALLS_A_DENIED_MAX || !denials[type])
			continue;
		printf(json ? "%s\"%s\": %llu" : "%s%s=%llu",
		       !n++ ? "" : json ? ", " : " ", denials[type],
		       (unsigned long long)netlink_u64(attr));
	}
}

static void print_rules(const char *rules)
{
	size_t n;
	int i;

	for (i = 0; *rules; i++) {
		char line[256];

		n = strcspn(rules, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)n, rules);
		printf(i ? ", " : "");
		print_string(line);
		rules += n + (rules[n] == '\n');
	}
}

/**
 * netlink_policy() - print a policy
 * @nlh: a message about the policy
 * @json: points to a bool: print an object
 *
 * Return: MNL_CB_OK.
 */
int netlink_policy(const struct nlmsghdr *nlh, void *json)
{
	const struct nlattr *a[PVCALLS_A_POLICY_MAX + 1];
	const char *rules = "";

	netlink_attributes(nlh, a, PVCALLS_A_POLICY_MAX);
	if (a[PVCALLS_A_POLICY_RULES] &&
	    !mnl_attr_validate(a[PVCALLS_A_POLICY_RULES], MNL_TYPE_NUL_STRING))
		rules = mnl_attr_get_str(a[PVCALLS_A_POLICY_RULES]);
	if (*(bool *)json) {
		printf("{\"domid\": %u, \"rules\": [",
		       netlink_u32(a[PVCALLS_A_POLICY_DOMID]));
		print_rules(rules);
		printf("], \"denied\": {");
		if (a[PVCALLS_A_POLICY_DENIED])
			print_denied(a[PVCALLS_A_POLICY_DENIED], true);
		puts("}}");
	} else {
		fputs(rules, stdout);
	}
	return MNL_CB_OK;
}

/**
 * netlink_policy_request() - write what a request is about
 * @nlh: the request, with its headers, in a buffer that is large enough
 * @domid: the guest
 * @rules: new rules, or NULL
 *
 * Return: where in the request the rules begin, 0 if there are none.
 */
uint32_t netlink_policy_request(struct nlmsghdr *nlh, uint32_t domid,
				const char *rules)
{
	mnl_attr_put_u32(nlh, PVCALLS_A_POLICY_DOMID, domid);
	if (!rules)
		return 0;
	mnl_attr_put_strz(nlh, PVCALLS_A_POLICY_RULES, rules);
	return nlh->nlmsg_len - MNL_ALIGN(strlen(rules) + 1);
}

/**
 * netlink_policy_show() - print what a guest may do
 * @domid: the guest
 * @json: with counts of what was denied, as an object
 *
 * Return: exit code.
 */
int netlink_policy_show(uint32_t domid, bool json)
{
	struct nlmsghdr *nlh;

	if (open_family())
		return 1;
	nlh = begin(family, 0, PVCALLS_CMD_POLICY_GET, PVCALLS_FAMILY_VERSION);
	netlink_policy_request(nlh, domid, NULL);
	return ask(nlh, netlink_policy, &json, 0, NULL) || fflush(stdout) ? 1 :
									    0;
}

/**
 * netlink_policy_set() - change what a guest may do
 * @domid: the guest
 * @rules: the rules, as in pvcalls_mt_back(4)
 *
 * Return: exit code.
 */
int netlink_policy_set(uint32_t domid, const char *rules)
{
	struct nlmsghdr *nlh;
	uint32_t at;

	if (strlen(rules) > 8191) {
		fputs("pvcallsctl: a policy has at most 8191 bytes\n", stderr);
		return 1;
	}
	if (open_family())
		return 1;
	nlh = begin(family, 0, PVCALLS_CMD_POLICY_SET, PVCALLS_FAMILY_VERSION);
	at = netlink_policy_request(nlh, domid, rules);
	return ask(nlh, NULL, NULL, at, rules) ? 1 : 0;
}
