/* SPDX-License-Identifier: GPL-2.0 */
/* Requests to the kernel over netlink, one at a time. */
#ifndef PV_NETLINK_H
#define PV_NETLINK_H

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct nl {
	union {
		struct nlmsghdr h;
		char bytes[4096];
	};
};

/* Puts @len bytes behind what is there. */
static inline void *nl_more(struct nl *nl, const void *p, size_t len)
{
	char *to = nl->bytes + NLMSG_ALIGN(nl->h.nlmsg_len);

	if (len)
		memcpy(to, p, len);
	nl->h.nlmsg_len = NLMSG_ALIGN(nl->h.nlmsg_len) + len;
	return to;
}

static inline void nl_begin(struct nl *nl, int type, int flags, const void *p,
			    size_t len)
{
	memset(nl, 0, sizeof(*nl));
	nl->h.nlmsg_len = NLMSG_HDRLEN;
	nl->h.nlmsg_type = type;
	nl->h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nl_more(nl, p, len);
}

static inline struct nlattr *nl_put(struct nl *nl, int type, const void *p,
				    size_t len)
{
	struct nlattr head = { NLA_HDRLEN + len, type };
	struct nlattr *attr = nl_more(nl, &head, sizeof(head));

	nl_more(nl, p, len);
	return attr;
}

static inline void nl_put_u32(struct nl *nl, int type, uint32_t value)
{
	nl_put(nl, type, &value, sizeof(value));
}

static inline void nl_put_u16(struct nl *nl, int type, uint16_t value)
{
	nl_put(nl, type, &value, sizeof(value));
}

static inline void nl_put_u8(struct nl *nl, int type, uint8_t value)
{
	nl_put(nl, type, &value, sizeof(value));
}

static inline struct nlattr *nl_nest(struct nl *nl, int type)
{
	return nl_put(nl, type | NLA_F_NESTED, NULL, 0);
}

static inline void nl_nest_end(struct nl *nl, struct nlattr *nest)
{
	nest->nla_len = nl->bytes + nl->h.nlmsg_len - (char *)nest;
}

/*
 * Sends it to the part of the kernel and waits for the acknowledgement: 0 or
 * a negative error. @answer, if not NULL, gets the message before that.
 */
static inline long nl_ask(const struct nl *nl, int protocol, struct nl *answer)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct nl got;
	long ret;

	if (fd < 0 || send(fd, nl, nl->h.nlmsg_len, 0) < 0) {
		ret = -errno;
		goto out;
	}
	for (;;) {
		ssize_t n = recv(fd, &got, sizeof(got), 0);

		ret = n < 0 ? -errno : -EPROTO;
		if (n < (ssize_t)NLMSG_HDRLEN)
			break;
		if (got.h.nlmsg_type == NLMSG_ERROR) {
			ret = ((struct nlmsgerr *)NLMSG_DATA(&got.h))->error;
			break;
		}
		if (answer)
			*answer = got;
	}
out:
	if (fd >= 0)
		close(fd);
	return ret;
}

static inline long nl_call(const struct nl *nl, int protocol)
{
	return nl_ask(nl, protocol, NULL);
}

/* ---- generic netlink ---- */

static inline void genl_begin(struct nl *nl, int family, int cmd, int version)
{
	struct genlmsghdr head = { .cmd = cmd, .version = version };

	nl_begin(nl, family, 0, &head, sizeof(head));
}

/* The number of a family, or a negative error */
static inline int genl_family(const char *name)
{
	struct nl nl, answer = {};
	struct nlattr *attr;
	char *end;
	long ret;

	genl_begin(&nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	nl_put(&nl, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	ret = nl_ask(&nl, NETLINK_GENERIC, &answer);
	if (ret)
		return ret;
	end = answer.bytes + answer.h.nlmsg_len;
	attr = (void *)(answer.bytes + NLMSG_HDRLEN + GENL_HDRLEN);
	while ((char *)attr < end && attr->nla_len) {
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)(attr + 1);
		attr = (void *)((char *)attr + NLA_ALIGN(attr->nla_len));
	}
	return -ENOENT;
}

#endif /* PV_NETLINK_H */
