/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences that the modules meet between the supported kernels, 6.1 and
 * 6.12 of Debian 12. No other file asks for the kernel's version.
 */
#ifndef PVCALLS_COMPAT_H
#define PVCALLS_COMPAT_H

#include <linux/bpf-cgroup.h>
#include <linux/net.h>
#include <linux/ptrace.h>
#include <linux/skbuff.h>
#include <linux/sysctl.h>
#include <linux/version.h>
#include <linux/ipv6.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/udp.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
/* 6.10: proto_ops.accept takes its flags in a structure */
#define PVCALLS_DEFINE_ACCEPT(name, inner)				\
static int name(struct socket *sock, struct socket *newsock,		\
		struct proto_accept_arg *arg)				\
{									\
	return inner(sock, newsock, arg->flags, arg->kern);		\
}

static inline int pvcalls_ops_accept(const struct proto_ops *ops,
				     struct socket *sock,
				     struct socket *newsock, int flags,
				     bool kern)
{
	struct proto_accept_arg arg = { .flags = flags, .kern = kern };

	return ops->accept(sock, newsock, &arg);
}
#else
#define PVCALLS_DEFINE_ACCEPT(name, inner)				\
static int name(struct socket *sock, struct socket *newsock, int flags,	\
		bool kern)						\
{									\
	return inner(sock, newsock, flags, kern);			\
}

static inline int pvcalls_ops_accept(const struct proto_ops *ops,
				     struct socket *sock,
				     struct socket *newsock, int flags,
				     bool kern)
{
	return ops->accept(sock, newsock, flags, kern);
}
#endif

/* 6.10: the completion of zero-copy sends is one of several operations */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define PVCALLS_DEFINE_UBUF_OPS(name, fn)				\
static const struct ubuf_info_ops name = { .complete = fn }

static inline void pvcalls_ubuf_init(struct ubuf_info *ubuf,
				     const struct ubuf_info_ops *ops)
{
	ubuf->ops = ops;
	ubuf->flags = SKBFL_ZEROCOPY_FRAG | SKBFL_DONT_ORPHAN;
	refcount_set(&ubuf->refcnt, 1);
}
#else
struct pvcalls_ubuf_ops {
	void (*complete)(struct sk_buff *skb, struct ubuf_info *ubuf,
			 bool success);
};

#define PVCALLS_DEFINE_UBUF_OPS(name, fn)				\
static const struct pvcalls_ubuf_ops name = { .complete = fn }

static inline void pvcalls_ubuf_init(struct ubuf_info *ubuf,
				     const struct pvcalls_ubuf_ops *ops)
{
	ubuf->callback = ops->complete;
	ubuf->flags = SKBFL_ZEROCOPY_FRAG | SKBFL_DONT_ORPHAN;
	refcount_set(&ubuf->refcnt, 1);
}
#endif

/* 6.5: sendfile() uses MSG_SPLICE_PAGES, and proto_ops.sendpage has gone */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define PVCALLS_NO_SENDPAGE
#else
#define PVCALLS_NO_SENDPAGE	.sendpage = sock_no_sendpage,
#endif

/* Lets an accepted socket inherit IP's flags. 6.6: the flags are bits */
static inline void pvcalls_inherit_ip_flags(struct inet_sock *to,
					    const struct inet_sock *from)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	/* the flags of IPv6 are among them */
	const unsigned long own = BIT(INET_FLAGS_IS_ICSK) |
				  BIT(INET_FLAGS_DEFER_CONNECT);

	to->inet_flags = (to->inet_flags & own) | (from->inet_flags & ~own);
#else
	to->cmsg_flags = from->cmsg_flags;
	to->recverr = from->recverr;
	to->recverr_rfc4884 = from->recverr_rfc4884;
	to->freebind = from->freebind;
	to->transparent = from->transparent;
	to->mc_loop = from->mc_loop;
	to->mc_all = from->mc_all;
	to->nodefrag = from->nodefrag;
	to->bind_address_no_port = from->bind_address_no_port;
#endif
}

/*
 * Lets an accepted socket inherit IPv6's part: as in TCP, everything except
 * what belongs to one socket. 6.9: flow labels are elsewhere.
 */
static inline void pvcalls_inherit_ipv6(struct sock *sk,
					const struct sock *from)
{
#if IS_ENABLED(CONFIG_IPV6)
	const struct ipv6_pinfo *old = inet6_sk(from);
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct ipv6_txoptions *opt;

	memcpy(np, old, sizeof(*np));
	np->saddr = in6addr_any;
	np->daddr_cache = NULL;
	np->dst_cookie = 0;
	np->pktoptions = NULL;
	np->rxpmtu = NULL;
	memset(&np->cork, 0, sizeof(np->cork));
	RCU_INIT_POINTER(np->ipv6_mc_list, NULL);
	np->ipv6_ac_list = NULL;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
	RCU_INIT_POINTER(np->ipv6_fl_list, NULL);
#endif
	RCU_INIT_POINTER(np->opt, NULL);
	rcu_read_lock();
	opt = rcu_dereference(old->opt);
	if (opt)
		RCU_INIT_POINTER(np->opt, ipv6_dup_options(sk, opt));
	rcu_read_unlock();
	sk->sk_ipv6only = from->sk_ipv6only;
#endif
}

/*
 * Moves IPv6's part of a socket to its place in the native object. 6.1 puts
 * that part at the end of the object, and the modules' objects are larger than
 * native ones; but code that knows native objects looks at the native place.
 * 6.6: the kernel itself uses that place.
 */
static inline void pvcalls_place_pinet6(struct sock *sk,
					const struct proto *native)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0) && IS_ENABLED(CONFIG_IPV6)
	struct ipv6_pinfo *np;

	if (sk->sk_family != AF_INET6)
		return;
	np = (void *)sk + native->obj_size - sizeof(*np);
	memmove(np, inet_sk(sk)->pinet6, sizeof(*np));
	inet_sk(sk)->pinet6 = np;
#endif
}

/*
 * Has SOL_SOCKET sent to the socket's own setsockopt(). 6.9: sockets of any
 * kind can have that; before, only those of MPTCP.
 */
static inline void pvcalls_custom_sockopt(struct socket *sock, bool on)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	assign_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags, on);
#endif
}

/* Sets an option of a native socket, as the system call does */
static inline int pvcalls_native_setsockopt(const struct proto_ops *native,
					    struct socket *sock, int level,
					    int name, sockptr_t val,
					    unsigned int len)
{
	if (level == SOL_SOCKET)
		return sock_setsockopt(sock, level, name, val, len);
	return native->setsockopt(sock, level, name, val, len);
}

/* 6.9: TCP has SO_PEEK_OFF */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define PVCALLS_PEEK_OFF	.set_peek_off = sk_set_peek_off,
#else
#define PVCALLS_PEEK_OFF
#endif

/* 6.11: tables of sysctls are constant */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define PVCALLS_SYSCTL_TABLE	const struct ctl_table
#else
#define PVCALLS_SYSCTL_TABLE	struct ctl_table
#endif

/* 6.6: tables of sysctls have a length, and no empty last entry any more */
static inline struct ctl_table_header *
pvcalls_register_sysctl(struct net *net, const char *path,
			struct ctl_table *table, size_t n)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return register_net_sysctl_sz(net, path, table, n);
#else
	return register_net_sysctl(net, path, table);
#endif
}

/*
 * What pvcalls_atomic_begin() has changed: TCP allocates without sleeping, and
 * copies into the socket's own page. 6.2: a flag of its own says the latter.
 */
struct pvcalls_atomic_alloc {
	gfp_t allocation;
	bool task_frag;
};

static inline void pvcalls_atomic_begin(struct sock *sk,
					struct pvcalls_atomic_alloc *saved)
{
	saved->allocation = sk->sk_allocation;
	sk->sk_allocation = GFP_ATOMIC | __GFP_NOWARN;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	saved->task_frag = sk->sk_use_task_frag;
	sk->sk_use_task_frag = false;
#endif
}

static inline void pvcalls_atomic_end(struct sock *sk,
				      const struct pvcalls_atomic_alloc *saved)
{
	sk->sk_allocation = saved->allocation;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	sk->sk_use_task_frag = saved->task_frag;
#endif
}

/*
 * pvcalls_cgroup_has() says whether a socket's cgroup has programs of a type.
 *
 * pvcalls_cgroup_addr() runs those that see addresses, as TCP and UDP do; if
 * there are any, it takes the socket's lock. A program may change the address,
 * may add bits to *flags, and reads and writes the address of the sender at
 * @src. Returns 0 or the error with which the programs refuse the call. 6.7:
 * the length of the address is given as well; no program changes the length of
 * IP's addresses.
 */
#ifndef CONFIG_CGROUP_BPF
#define pvcalls_cgroup_has(sk, type)			((void)(sk), false)
#define pvcalls_cgroup_addr(sk, sa, type, src, flags)	\
	((void)(sk), (void)(sa), (void)(src), (void)(flags), 0)
#else
#define pvcalls_cgroup_has(sk, type)	cgroup_bpf_sock_enabled(sk, type)

static inline int pvcalls_cgroup_addr(struct sock *sk, struct sockaddr *sa,
				      enum cgroup_bpf_attach_type type,
				      void *src, u32 *flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	int len = sk->sk_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					      sizeof(struct sockaddr_in);
#endif
	int ret;

	if (!pvcalls_cgroup_has(sk, type))
		return 0;
	lock_sock(sk);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	ret = __cgroup_bpf_run_filter_sock_addr(sk, sa, &len, type, src, flags);
#else
	ret = __cgroup_bpf_run_filter_sock_addr(sk, sa, type, src, flags);
#endif
	release_sock(sk);
	return ret;
}
#endif

/*
 * Has a socket that was made for the kernel keep its network namespace, as
 * those of programs do. 6.12: there is a function for it, which also gives back
 * a reference that sockets of the kernel have.
 */
static inline void pvcalls_sk_hold_net(struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	sk_net_refcnt_upgrade(sk);
	sk->sk_kern_sock = 0;
#else
	struct net *net = sock_net(sk);

	sk->sk_kern_sock = 0;
	sk->sk_net_refcnt = 1;
	get_net_track(net, &sk->ns_tracker, GFP_KERNEL);
	sock_inuse_add(net, 1);
#endif
}

/*
 * Is there such a socket among those that are bound to a port? The caller holds
 * the lock of the port's bucket. 6.8: they are listed by address. Before,
 * entries of TIME_WAIT are among them, of which only the common part is valid.
 */
static inline bool pvcalls_bound_any(const struct inet_bind_bucket *tb,
				     bool (*fn)(const struct sock *sk))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	const struct inet_bind2_bucket *tb2;
#endif
	const struct sock *sk;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	hlist_for_each_entry(tb2, &tb->bhash2, bhash_node)
		sk_for_each_bound(sk, &tb2->owners)
			if (fn(sk))
				return true;
#else
	sk_for_each_bound(sk, &tb->owners)
		if (fn(sk))
			return true;
#endif
	return false;
}

/* UDP's table of ports. 6.2: a network namespace can have one of its own */
static inline struct udp_table *pvcalls_udp_table(const struct net *net)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	return net->ipv4.udp_table;
#else
	return &udp_table;
#endif
}

/*
 * Answers a SYN with a RST, as if nobody listened. 6.10: a reason is given for
 * traces
 */
static inline void pvcalls_reset_syn(const struct sock *sk, struct sk_buff *skb)
{
	const struct proto *prot = READ_ONCE(sk->sk_prot);

	/* sockets of IPv6 get packets of IPv4, too */
	if (skb->protocol == htons(ETH_P_IP))
		prot = &tcp_prot;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	prot->rsk_prot->send_reset(sk, skb, SK_RST_REASON_NOT_SPECIFIED);
#else
	prot->rsk_prot->send_reset(sk, skb);
#endif
}

/*
 * What inet_connection_sock_af_ops.syn_recv_sock is declared with, and called
 * with. 6.19, 6.12.y, 6.1.y: a function that sets the new socket up, too. The
 * numbers of the latter two do not tell, so back/Kbuild looks into the headers.
 */
#ifdef PVCALLS_HAVE_CHILD_INIT
#define PVCALLS_SYN_RECV_ARGS \
	(const struct sock *sk, struct sk_buff *skb, struct request_sock *req, \
	 struct dst_entry *dst, struct request_sock *unhash, bool *own, \
	 void (*init)(struct sock *to, const struct sock *of))
#define PVCALLS_SYN_RECV_PASS	(sk, skb, req, dst, unhash, own, init)
#else
#define PVCALLS_SYN_RECV_ARGS \
	(const struct sock *sk, struct sk_buff *skb, struct request_sock *req, \
	 struct dst_entry *dst, struct request_sock *unhash, bool *own)
#define PVCALLS_SYN_RECV_PASS	(sk, skb, req, dst, unhash, own)
#endif

/* Changes the third argument of a probed function, at the function's entry */
static inline void pvcalls_set_argument2(struct pt_regs *regs,
					 unsigned long val)
{
#if defined(CONFIG_X86_64)
	regs->dx = val;
#elif defined(CONFIG_ARM64)
	regs->regs[2] = val;
#else
#error "which register holds the third argument?"
#endif
}

#endif /* PVCALLS_COMPAT_H */
