// SPDX-License-Identifier: GPL-2.0
/* Shows the backend's log of connections as it comes by netlink. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "flows.h"
#include "netlink.h"
#include "pvcalls_netlink.h"
#include "table.h"

/* What may wait for us to read it, in bytes: some ten thousand messages */
#define QUEUE	(16 << 20)

#define NANO	1000000000ULL

/* How long to wait for further messages, in nanoseconds */
#define PAUSE	100000000

static const char * const whys[PVCALLS_WHY_MAX + 1] = {
	[PVCALLS_WHY_CLOSED] = "closed",
	[PVCALLS_WHY_PEER] = "peer",
	[PVCALLS_WHY_RESET] = "reset",
	[PVCALLS_WHY_ERROR] = "error",
	[PVCALLS_WHY_GONE] = "gone",
};

static volatile sig_atomic_t over;

static void end(int sig)
{
	(void)sig;
	over = 1;
}

static const char *protocol_of(const struct nlattr *attr)
{
	static char other[8];
	unsigned int number = attr && !mnl_attr_validate(attr, MNL_TYPE_U8) ?
			      mnl_attr_get_u8(attr) : 0;

	switch (number) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	}
	snprintf(other, sizeof(other), "%u", number);
	return other;
}

/*
 * As 10.0.0.1:80 or [::1]:80; - if there is none. An IPv6 socket may have IPv4
 * addresses, which are written as such.
 */
static void address(const struct nlattr *addr, const struct nlattr *port,
		    char *to, size_t size)
{
	static const uint8_t none[16];
	size_t len = addr ? mnl_attr_get_payload_len(addr) : 0;
	char text[INET6_ADDRSTRLEN] = "";
	unsigned int number = 0;
	const uint8_t *bytes;

	snprintf(to, size, "-");
	if (len != 4 && len != 16)
		return;
	bytes = mnl_attr_get_payload(addr);
	if (len == 16 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)bytes)) {
		bytes += 12;
		len = 4;
	}
	if (port && !mnl_attr_validate(port, MNL_TYPE_U16))
		number = ntohs(mnl_attr_get_u16(port));
	if (!number && !memcmp(bytes, none, len))
		return;
	inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
	snprintf(to, size, len == 4 ? "%s:%u" : "[%s]:%u", text, number);
}

static void moment(uint64_t ns, char *to, size_t size)
{
	time_t seconds = ns / NANO;
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(to, size, "%s.%03lluZ", text,
		 (unsigned long long)(ns % NANO / 1000000));
}

static void print_end(const struct nlattr **a, bool json)
{
	unsigned long long took = netlink_u64(a[PVCALLS_A_FLOW_TOOK]);
	unsigned long long in = netlink_u64(a[PVCALLS_A_FLOW_IN]);
	unsigned long long out = netlink_u64(a[PVCALLS_A_FLOW_OUT]);
	uint32_t why = netlink_u32(a[PVCALLS_A_FLOW_WHY]);
	uint32_t error = netlink_u32(a[PVCALLS_A_FLOW_ERROR]);
	const char *word = why <= PVCALLS_WHY_MAX && whys[why] ? whys[why] :
								  "?";

	printf(json ? ", \"in\": %llu, \"out\": %llu, \"seconds\": %llu.%06llu, \"why\": \"%s\"" :
		      " in %llu out %llu after %llu.%06llu s: %s",
	       in, out, took / NANO, took % NANO / 1000, word);
	if (!error)
		return;
	printf(json ? ", \"error\": " : " (");
	if (json)
		print_string(strerror(error));
	else
		printf("%s)", strerror(error));
}

static void print_flow(const struct nlattr **a, bool ends, bool json)
{
	bool accepted = a[PVCALLS_A_FLOW_ACCEPTED] &&
			!mnl_attr_validate(a[PVCALLS_A_FLOW_ACCEPTED],
					   MNL_TYPE_U8) &&
			mnl_attr_get_u8(a[PVCALLS_A_FLOW_ACCEPTED]);
	uint64_t at = netlink_u64(a[PVCALLS_A_FLOW_BEGUN]);
	char when[48], local[64], peer[64];

	if (ends)
		at += netlink_u64(a[PVCALLS_A_FLOW_TOOK]);
	moment(at, when, sizeof(when));
	address(a[PVCALLS_A_FLOW_LOCAL_ADDR], a[PVCALLS_A_FLOW_LOCAL_PORT],
		local, sizeof(local));
	address(a[PVCALLS_A_FLOW_PEER_ADDR], a[PVCALLS_A_FLOW_PEER_PORT], peer,
		sizeof(peer));
	if (json)
		printf("{\"time\": \"%s\", \"event\": \"%s\", \"domid\": %u, \"socket\": \"%#llx\", \"protocol\": \"%s\", \"by\": \"%s\", \"local\": \"%s\", \"peer\": \"%s\"",
		       when, ends ? "end" : "begin",
		       netlink_u32(a[PVCALLS_A_FLOW_DOMID]),
		       (unsigned long long)netlink_u64(a[PVCALLS_A_FLOW_ID]),
		       protocol_of(a[PVCALLS_A_FLOW_PROTOCOL]),
		       accepted ? "peer" : "guest", local, peer);
	else
		printf("%s dom%u %s %s %s %s %s", when,
		       netlink_u32(a[PVCALLS_A_FLOW_DOMID]),
		       protocol_of(a[PVCALLS_A_FLOW_PROTOCOL]), local,
		       accepted ? "<" : ">", peer, ends ? "ends" : "begins");
	if (ends)
		print_end(a, json);
	puts(json ? "}" : "");
}

/* Numbers that are missing belong to messages that the kernel has dropped. */
static void count_lost(struct flows *f, uint32_t number)
{
	uint32_t lost = f->number && number ? number - f->number - 1 : 0;

	f->number = number;
	if (!lost)
		return;
	if (f->json)
		printf("{\"event\": \"lost\", \"messages\": %u}\n", lost);
	else
		printf("%u messages were lost\n", lost);
}

/**
 * flows_message() - print a message of the log
 * @nlh: the message
 * @flows: struct flows
 *
 * Return: MNL_CB_OK, or MNL_CB_STOP after the last one.
 */
int flows_message(const struct nlmsghdr *nlh, void *flows)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a[PVCALLS_A_FLOW_MAX + 1];
	struct flows *f = flows;

	if (netlink_is_end(nlh)) {
		fputs("pvcallsctl: the backend's module has gone\n", stderr);
		return MNL_CB_STOP;
	}
	if (nlh->nlmsg_type == GENL_ID_CTRL ||
	    (genl->cmd != PVCALLS_CMD_FLOW_BEGIN &&
	     genl->cmd != PVCALLS_CMD_FLOW_END))
		return MNL_CB_OK;
	netlink_attributes(nlh, a, PVCALLS_A_FLOW_MAX);
	count_lost(f, netlink_u32(a[PVCALLS_A_FLOW_NUMBER]));
	if (f->domid < 0 ||
	    netlink_u32(a[PVCALLS_A_FLOW_DOMID]) == (uint32_t)f->domid)
		print_flow(a, genl->cmd == PVCALLS_CMD_FLOW_END, f->json);
	return MNL_CB_OK;
}

/*
 * Wait for a message, and then for others. To be woken for each of them would
 * cost a host with many short connections a sixth of these. Signals that end us
 * come here, and nowhere else.
 */
static int wait_for(struct mnl_socket *sock, const sigset_t *others)
{
	static const struct timespec pause = { .tv_nsec = PAUSE };
	struct pollfd fd = {
		.fd = mnl_socket_get_fd(sock),
		.events = POLLIN,
	};

	if (ppoll(&fd, 1, NULL, others) < 0)
		return -1;
	return ppoll(NULL, 0, &pause, others);
}

/* Show what has come. Returns 1 after the last message, -1 after an error. */
static int show_some(struct mnl_socket *sock, struct flows *f)
{
	static char buffer[32768];
	ssize_t n;

	for (;;) {
		n = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (n < 0 && errno == EAGAIN)
			return fflush(stdout) ? -1 : 0;
		/* the numbers of messages say how many are missing */
		if (n < 0 && errno == ENOBUFS)
			continue;
		if (n < 0)
			return -netlink_failed("netlink");
		if (mnl_cb_run(buffer, n, 0, 0, flows_message, f) ==
		    MNL_CB_STOP)
			return 1;
	}
}

static int show_all(struct mnl_socket *sock, struct flows *f,
		    const sigset_t *others)
{
	int ret = 0;

	while (!over && !ret) {
		wait_for(sock, others);
		ret = show_some(sock, f);
	}
	return ret && !over;
}

/**
 * flows() - show the log of connections until SIGINT, SIGTERM or SIGPIPE
 * @domid: show this guest's only, or -1
 * @json: print objects, one a line
 *
 * Return: exit code, 1 if the backend's module goes.
 */
int flows(long domid, bool json)
{
	const struct sigaction act = { .sa_handler = end };
	struct flows f = { .domid = domid, .json = json };
	struct mnl_socket *sock;
	sigset_t ours, others;
	int ret;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, &others);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGPIPE, &act, NULL);
	sock = netlink_join(PVCALLS_GROUP_FLOWS, QUEUE);
	if (!sock)
		return 1;
	fcntl(mnl_socket_get_fd(sock), F_SETFL, O_NONBLOCK);
	ret = show_all(sock, &f, &others);
	mnl_socket_close(sock);
	return ret;
}
