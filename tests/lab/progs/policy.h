/* SPDX-License-Identifier: GPL-2.0 */
/* For pvpolicy: a cgroup with programs of BPF, and sockets to try them on. */
#ifndef POLICY_H
#define POLICY_H

#include "attack.h"
#include "bpf.h"

#define A_LONG_TIME	1500	/* ms that a connection would need at most */

static int group;

/* An empty cgroup, and this process in it */
static void group_start(void)
{
	char name[40];

	snprintf(name, sizeof(name), "pvpolicy-%d", getpid());
	group = GET("cgroup", cgroup_open(name));
	MUST("enter it", 0, cgroup_enter(group));
}

static int group_attach(long prog, int attach)
{
	MUST("attach", 0, bpf_attach(group, GET("load", prog), attach));
	return prog;
}

/* A hook of addresses that says no */
static void addr_deny(int attach)
{
	group_attach(bpf_returns(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attach, 0),
		     attach);
}

/* A hook of addresses of IPv4 that puts another one in their place */
static void addr_change(int attach, const char *ip, int port)
{
	struct sockaddr_in a = at(ip, port);
	const struct bpf_insn insns[] = {
		INSN_MOV(2, a.sin_addr.s_addr),
		INSN_STORE(1, offsetof(struct bpf_sock_addr, user_ip4), 2),
		INSN_MOV(2, a.sin_port),
		INSN_STORE(1, offsetof(struct bpf_sock_addr, user_port), 2),
		INSN_MOV(0, 1),
		INSN_EXIT,
	};

	group_attach(bpf_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attach, insns,
			      ARRAY_SIZE(insns)), attach);
}

/* A hook of addresses that puts the next port in the place of a port */
static void addr_next_port(int attach)
{
	const int port = offsetof(struct bpf_sock_addr, user_port);
	const struct bpf_insn insns[] = {
		INSN_LOAD(2, 1, port),
		/* the port is big-endian */
		INSN_ADD(2, 0x100),
		INSN_STORE(1, port, 2),
		INSN_MOV(0, 1),
		INSN_EXIT,
	};

	group_attach(bpf_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attach, insns,
			      ARRAY_SIZE(insns)), attach);
}

/* A hook of addresses that says why not */
static void addr_error(int attach, int err)
{
	const struct bpf_insn insns[] = {
		INSN_MOV(1, -err),
		INSN_CALL(BPF_FUNC_set_retval),
		INSN_MOV(0, 0),
		INSN_EXIT,
	};

	group_attach(bpf_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attach, insns,
			      ARRAY_SIZE(insns)), attach);
}

/* A hook of addresses of IPv6 that puts another one in their place */
static void addr_change6(int attach, const struct sockaddr_in6 *a)
{
	const int ip = offsetof(struct bpf_sock_addr, user_ip6);
	uint32_t word[4];
	struct bpf_insn insns[12];
	int n = 0, i;

	memcpy(word, &a->sin6_addr, sizeof(word));
	for (i = 0; i < 4; i++) {
		insns[n++] = INSN_MOV(2, word[i]);
		insns[n++] = INSN_STORE(1, ip + 4 * i, 2);
	}
	insns[n++] = INSN_MOV(2, a->sin6_port);
	insns[n++] = INSN_STORE(1, offsetof(struct bpf_sock_addr, user_port), 2);
	insns[n++] = INSN_MOV(0, 1);
	insns[n++] = INSN_EXIT;
	group_attach(bpf_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attach, insns, n),
		     attach);
}

/* A program that sees packets, as systemd's IPAddressDeny: do they pass? */
static void skb_rule(int attach, int pass)
{
	group_attach(bpf_returns(BPF_PROG_TYPE_CGROUP_SKB, attach, pass),
		     attach);
}

static void skb_rule_ends(int attach)
{
	MUST("detach", 0, bpf_detach(group, attach));
}

static int tcp4(void)
{
	return GET("socket", socket(AF_INET, SOCK_STREAM, 0));
}

static int udp4(void)
{
	return GET("socket", socket(AF_INET, SOCK_DGRAM, 0));
}

static long dial(int fd, struct sockaddr_in a)
{
	return RC(connect(fd, (void *)&a, sizeof(a)));
}

static long dial6(int fd, struct sockaddr_in6 a)
{
	return RC(connect(fd, (void *)&a, sizeof(a)));
}

/* Whether a connection stands within the time that one needs */
static bool stands(int fd, struct sockaddr_in a)
{
	set_nonblock(fd, true);
	if (dial(fd, a) == 0)
		return true;
	return poll_now(fd, POLLOUT, A_LONG_TIME) == POLLOUT &&
	       !get_int(fd, SOL_SOCKET, SO_ERROR);
}

#endif /* POLICY_H */
