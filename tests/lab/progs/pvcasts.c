// SPDX-License-Identifier: GPL-2.0
/*
 * Each part of the kernel that takes programs' sockets and looks into them is
 * given one of ours in every state. It works or says why not; where it says so
 * the socket is as it was. Afterwards nothing holds the module.
 *
 * Each check is such a part. It runs as root, since most of them are root's.
 * What was tried is printed: the states in which it worked, and the errors.
 */
#define _GNU_SOURCE
#include "castnet.h"
#include "bpf.h"

#include <linux/kcm.h>
#include <linux/tls.h>
#include <linux/udp.h>

#ifndef SOL_TLS
#define SOL_TLS		282
#endif
#ifndef AF_KCM
#define AF_KCM		41
#endif
#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF	68
#endif

/*
 * @before: before the socket is made; may be NULL
 * @give: gives it the socket
 * @keeps: it leaves the socket as it was, even where it works
 * @never: it works with none of them, even over TCP
 * @waits: it waits for the other end without a limit, over TCP as well, so a
 *	socket that is connecting is not given to it
 */
struct cast {
	const char *name;
	void (*before)(void);
	long (*give)(const struct subject *s);
	bool keeps, never, waits;
};

/* ---- options that put somebody else's tables on a socket ---- */

static long cast_addrform(const struct subject *s)
{
	return set_int(s->fd, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET);
}

static long cast_tls(const struct subject *s)
{
	struct tls12_crypto_info_aes_gcm_128 keys = {
		.info.version = TLS_1_2_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};
	long ret = RC(setsockopt(s->fd, SOL_TCP, TCP_ULP, "tls", 3));

	if (ret)
		return ret;
	setsockopt(s->fd, SOL_TLS, TLS_TX, &keys, sizeof(keys));
	setsockopt(s->fd, SOL_TLS, TLS_RX, &keys, sizeof(keys));
	return 0;
}

/* Where there is one, it takes TCP over and sends no stranger's bytes. */
static long cast_espintcp(const struct subject *s)
{
	return RC(setsockopt(s->fd, SOL_TCP, TCP_ULP, "espintcp", 8));
}

static long cast_ulps(const struct subject *s)
{
	static const char * const names[] = {
		"mptcp", "smc", "pvcalls", "",
	};
	long ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		ret = RC(setsockopt(s->fd, SOL_TCP, TCP_ULP, names[i],
				    strlen(names[i])));
	return ret;
}

static long cast_encap(const struct subject *s)
{
	long ret = set_int(s->fd, IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP);

	set_int(s->fd, IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_L2TPINUDP);
	return ret;
}

static long cast_repair(const struct subject *s)
{
	long ret = set_int(s->fd, SOL_TCP, TCP_REPAIR, 1);

	set_int(s->fd, SOL_TCP, TCP_REPAIR_QUEUE, 1);
	get_int(s->fd, SOL_TCP, TCP_QUEUE_SEQ);
	set_int(s->fd, SOL_TCP, TCP_REPAIR_QUEUE, 0);
	set_int(s->fd, SOL_TCP, TCP_REPAIR, 0);
	return ret;
}

static long cast_options(const struct subject *s)
{
	static const int levels[] = {
		SOL_SOCKET, SOL_TCP, IPPROTO_UDP, IPPROTO_IP, IPPROTO_IPV6,
		SOL_TLS, 284 /* SOL_MPTCP */,
	};
	char value[600];
	socklen_t len;
	size_t i;
	int name;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		for (name = 0; name < 90; name++) {
			len = name % 2 ? sizeof(value) : 4;
			memset(value, 0, sizeof(value));
			getsockopt(s->fd, levels[i], name, value, &len);
		}
	}
	return 0;
}

static long cast_mmap(const struct subject *s)
{
	void *p = mmap(NULL, 65536, PROT_READ, MAP_SHARED, s->fd, 0);
	struct tcp_zerocopy_receive zc = { .length = 65536 };
	socklen_t len = sizeof(zc);
	long ret;

	if (p == MAP_FAILED)
		return -errno;
	zc.address = (uintptr_t)p;
	ret = RC(getsockopt(s->fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len));
	munmap(p, 65536);
	return ret;
}

/* ---- BPF at sockets ---- */

static long bpf_filter(void)
{
	static long prog = -1;

	if (prog < 0)
		prog = bpf_returns(BPF_PROG_TYPE_SOCKET_FILTER, 0, 0);
	return prog;
}

static long cast_reuseport(const struct subject *s)
{
	int prog = bpf_filter();
	long ret;

	set_int(s->fd, SOL_SOCKET, SO_REUSEPORT, 1);
	ret = set_int(s->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, prog);
	set_int(s->fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0);
	return ret;
}

static long cast_filter(const struct subject *s)
{
	const struct bpf_insn all[] = { INSN_MOV(0, 65535), INSN_EXIT };
	static long prog = -1;
	long ret;

	if (prog < 0)
		prog = bpf_load(BPF_PROG_TYPE_SOCKET_FILTER, 0, all, 2);
	ret = set_int(s->fd, SOL_SOCKET, SO_ATTACH_BPF, prog);
	set_int(s->fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
	return ret;
}

static long into_map(int map, const struct subject *s)
{
	uint64_t fd = s->fd;
	uint32_t key = 0;

	hold(map);
	return map < 0 ? map : bpf_map_put(map, &key, &fd);
}

static long cast_sockarray(const struct subject *s)
{
	set_int(s->fd, SOL_SOCKET, SO_REUSEPORT, 1);
	return into_map(bpf_map(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8, 2), s);
}

static long cast_sockmap(const struct subject *s)
{
	return into_map(bpf_map(BPF_MAP_TYPE_SOCKMAP, 4, 8, 2), s);
}

static long cast_sockhash(const struct subject *s)
{
	return into_map(bpf_map(BPF_MAP_TYPE_SOCKHASH, 4, 8, 2), s);
}

static long cast_sk_msg(const struct subject *s)
{
	int map = bpf_map(BPF_MAP_TYPE_SOCKMAP, 4, 8, 2);
	int prog = hold(bpf_returns(BPF_PROG_TYPE_SK_MSG, 0, SK_PASS));
	long ret = bpf_attach(map, prog, BPF_SK_MSG_VERDICT);

	return ret ? ret : into_map(map, s);
}

/* A parser that takes each packet as one message, and a verdict */
static long sk_skb(const struct subject *s, bool parser)
{
	const struct bpf_insn len[] = { INSN_LOAD(0, 1, 0), INSN_EXIT };
	int map = bpf_map(BPF_MAP_TYPE_SOCKMAP, 4, 8, 2), prog;
	long ret = 0;

	if (parser) {
		prog = hold(bpf_load(BPF_PROG_TYPE_SK_SKB,
				     BPF_SK_SKB_STREAM_PARSER, len, 2));
		ret = bpf_attach(map, prog, BPF_SK_SKB_STREAM_PARSER);
	}
	prog = hold(bpf_returns(BPF_PROG_TYPE_SK_SKB, 0, SK_PASS));
	if (!ret)
		ret = bpf_attach(map, prog, parser ? BPF_SK_SKB_STREAM_VERDICT :
				 BPF_SK_SKB_VERDICT);
	return ret ? ret : into_map(map, s);
}

static long cast_stream_parser(const struct subject *s)
{
	return sk_skb(s, true);
}

static long cast_verdict(const struct subject *s)
{
	return sk_skb(s, false);
}

/* A socket of KCM over it */
static long cast_kcm(const struct subject *s)
{
	const struct bpf_insn len[] = { INSN_LOAD(0, 1, 0), INSN_EXIT };
	struct kcm_attach attach = { .fd = s->fd };
	int fd = hold(socket(AF_KCM, SOCK_DGRAM, KCMPROTO_CONNECTED));
	long ret;

	if (fd < 0)
		return -errno;
	attach.bpf_fd = bpf_load(BPF_PROG_TYPE_SOCKET_FILTER, 0, len, 2);
	ret = RC(ioctl(fd, SIOCKCMATTACH, &attach));
	close(attach.bpf_fd);
	if (!ret)
		send(fd, "hello", 6, MSG_DONTWAIT);
	return ret;
}

/* ---- BPF at cgroups, which sees sockets that are made from then on ---- */

static void hooks_on(void)
{
	static const struct {
		int type, attach;
	} hooks[] = {
		{ BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS },
		{ BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT },
		{ BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT },
		{ BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE },
		{ BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE },
		{ BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND },
	};
	int dir = GET("cgroup", cgroup_open("pvcasts"));
	size_t i;
	long prog;

	MUST("enter it", 0, cgroup_enter(dir));
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		prog = GET("load", bpf_returns(hooks[i].type, hooks[i].attach,
					       1));
		MUST("attach", 0, bpf_attach(dir, prog, hooks[i].attach));
		close(prog);
	}
	close(dir);
}

static long cast_hooks(const struct subject *s)
{
	cast_options(s);
	return set_int(s->fd, SOL_SOCKET, SO_PRIORITY, 1);
}

/* ---- descriptors that go other ways ---- */

/* In flight over a socket of AF_UNIX while both are closed */
static long cast_passed(const struct subject *s)
{
	union {
		struct cmsghdr h;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {
		.h.cmsg_len = CMSG_LEN(sizeof(int)),
		.h.cmsg_level = SOL_SOCKET,
		.h.cmsg_type = SCM_RIGHTS,
	};
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int pair[2];
	long ret;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -errno;
	memcpy(CMSG_DATA(&control.h), &s->fd, sizeof(int));
	ret = RC(sendmsg(pair[0], &msg, 0));
	close(pair[0]);
	close(pair[1]);
	return ret < 0 ? ret : 0;
}

static long cast_splice(const struct subject *s)
{
	int p[2];
	long ret;

	set_nonblock(s->fd, true);
	if (pipe2(p, O_NONBLOCK))
		return -errno;
	if (write(p[1], "hello", 6) != 6)
		return -errno;
	ret = RC(splice(p[0], NULL, s->fd, NULL, 6, SPLICE_F_NONBLOCK));
	splice(s->fd, NULL, p[1], NULL, 6, SPLICE_F_NONBLOCK);
	close(p[0]);
	close(p[1]);
	return ret < 0 ? ret : 0;
}

static const struct cast casts[] = {
	{ "addrform", NULL, cast_addrform, true },
	{ "tls", NULL, cast_tls, false },
	{ "espintcp", NULL, cast_espintcp, false, true },
	{ "ulps", NULL, cast_ulps, true, true },
	{ "encap", NULL, cast_encap, true, true },
	{ "repair", NULL, cast_repair, false },
	{ "options", NULL, cast_options, false },
	{ "mmap", NULL, cast_mmap, false },
	{ "reuseport", NULL, cast_reuseport, true },
	{ "filter", NULL, cast_filter, true },
	{ "sockarray", NULL, cast_sockarray, false, true },
	{ "sockmap", NULL, cast_sockmap, true },
	{ "sockhash", NULL, cast_sockhash, true },
	{ "sk_msg", NULL, cast_sk_msg, true },
	{ "stream_parser", NULL, cast_stream_parser, true },
	{ "verdict", NULL, cast_verdict, true },
	{ "kcm", NULL, cast_kcm, false },
	{ "hooks", hooks_on, cast_hooks, true },
	{ "pppox", NULL, cast_pppox, false },
	{ "l2tp_udp", NULL, cast_l2tp_udp, false },
	{ "l2tp_ip", NULL, cast_l2tp_ip, false, true },
	{ "gtp", NULL, cast_gtp, false },
	{ "nbd", NULL, cast_nbd, .waits = true },
	{ "nbd_ioctl", NULL, cast_nbd_ioctl, false },
	{ "nfsd", NULL, cast_nfsd, false },
	{ "vhci", NULL, cast_vhci, .waits = true },
	{ "iscsi", NULL, cast_iscsi, false },
	{ "destroy", NULL, cast_destroy, false },
	{ "list", NULL, cast_list, true },
	{ "passed", NULL, cast_passed, true },
	{ "splice", NULL, cast_splice, false },
};

/* ---- each of them with each state ---- */

static long *results;	/* shared with the processes that try */

/* @first: the socket is closed before who was given it */
static void try_one(const struct cast *c, enum state state, int family,
		    bool first, long *result)
{
	struct subject s;
	int i;

	if (c->before)
		c->before();
	subject_make(&s, state, family);
	*result = c->give(&s);
	if (*result < 0 || c->keeps)
		subject_works(&s);
	subject_use(&s);
	if (first)
		subject_close(&s);
	for (i = 0; i < cast_nr_held; i++)
		close(cast_held[i]);
	if (cast_undo)
		cast_undo();
	if (!first) {
		subject_use(&s);
		subject_close(&s);
	}
}

/* Returns false if a program does not end: each further one would last as long. */
static bool try_state(const struct cast *c, enum state state, int family,
		      long *result)
{
	static char step[100];
	int first, status;
	pid_t pid;

	for (first = 0; first < 2; first++) {
		*result = 1;
		pid = child_fork();
		if (!pid) {
			snprintf(step, sizeof(step), "%s, %s, IPv%d", c->name,
				 state_names[state],
				 family == AF_INET ? 4 : 6);
			sem_check = step;
			sem_failures = 0;
			signal(SIGPIPE, SIG_IGN);
			watchdog(60);
			try_one(c, state, family, first, result);
			_exit(sem_failures ? 1 : 0);
		}
		if (!child_wait(pid, 70, &status)) {
			sem_fail("%s, IPv%d: does not end", state_names[state],
				 family == AF_INET ? 4 : 6);
			return false;
		}
		if (status)
			sem_fail("%s, IPv%d: status %x", state_names[state],
				 family == AF_INET ? 4 : 6, status);
	}
	return true;
}

static void say_results(const struct cast *c)
{
	char errors[400] = "", works[400] = "";
	const char *name;
	int i;

	for (i = 0; i < 2 * STATES; i++) {
		if (results[i] >= 0) {
			snprintf(works + strlen(works),
				 sizeof(works) - strlen(works), " %s/%d,",
				 state_names[i / 2], i % 2 ? 6 : 4);
			continue;
		}
		name = strerrorname_np(-results[i]);
		if (!name || strstr(errors, name))
			continue;
		snprintf(errors + strlen(errors),
			 sizeof(errors) - strlen(errors), " %s", name);
	}
	printf("%s: worked with:%s errors:%s\n", c->name, works, errors);
	fflush(stdout);
}

static bool any_worked(void)
{
	int i;

	for (i = 0; i < 2 * STATES; i++)
		if (results[i] >= 0)
			return true;
	return false;
}

static void try_cast(const struct cast *c)
{
	long before;
	int state;

	results = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	subject_hole = GET("a hole", peer("hole hole %s", peer_ip()));
	before = refs();
	for (state = 0; state < STATES; state++) {
		results[2 * state] = results[2 * state + 1] = -EINVAL;
		if (c->waits && state == CONNECTING)
			continue;
		if (!try_state(c, state, AF_INET, &results[2 * state]) ||
		    !try_state(c, state, AF_INET6, &results[2 * state + 1]))
			break;
	}
	refs_back(before);
	others_work();
	say_results(c);
	/* else its module is missing, and nothing was tried */
	TRUE("it works with some state", c->never || any_worked());
}

/* checks have no argument: the one that runs finds itself by its name */
static void case_cast(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(casts); i++)
		if (!strcmp(casts[i].name, sem_check))
			try_cast(&casts[i]);
}

int main(int argc, char **argv)
{
	static struct check checks[ARRAY_SIZE(casts)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(casts); i++) {
		checks[i].name = casts[i].name;
		checks[i].run = case_cast;
	}
	return checks_main(argc, argv,
			   "Each part of the kernel that looks into sockets is given ours.",
			   checks, ARRAY_SIZE(checks));
}
