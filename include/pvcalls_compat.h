/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the supported kernels (Debian 12's 6.1 and 6.12)
 * that our code meets, and nothing else.
 */
#ifndef PVCALLS_COMPAT_H
#define PVCALLS_COMPAT_H

#include <linux/net.h>
#include <linux/ptrace.h>
#include <linux/skbuff.h>
#include <linux/sysctl.h>
#include <linux/version.h>
#include <net/inet_sock.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
/* proto_ops.accept takes its flags in a structure */
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

/* A completion of zero-copy sends has become one of several operations */
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

/* proto_ops.sendpage has gone in 6.5: sendfile() uses MSG_SPLICE_PAGES */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define PVCALLS_NO_SENDPAGE
#else
#define PVCALLS_NO_SENDPAGE	.sendpage = sock_no_sendpage,
#endif

/* What a socket that is accepted inherits of IP's flags: 6.6 has made them bits */
static inline void pvcalls_inherit_ip_flags(struct inet_sock *to,
					    const struct inet_sock *from)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	const unsigned long flags = IP_CMSG_ALL | BIT(INET_FLAGS_RECVERR) |
				    BIT(INET_FLAGS_RECVERR_RFC4884) |
				    BIT(INET_FLAGS_FREEBIND) |
				    BIT(INET_FLAGS_BIND_ADDRESS_NO_PORT);

	to->inet_flags |= from->inet_flags & flags;
#else
	to->cmsg_flags = from->cmsg_flags;
	to->recverr = from->recverr;
	to->recverr_rfc4884 = from->recverr_rfc4884;
	to->freebind = from->freebind;
	to->bind_address_no_port = from->bind_address_no_port;
#endif
}

/*
 * From 6.9 on any socket can have SOL_SOCKET sent to its own setsockopt();
 * before that only MPTCP's can.
 */
static inline void pvcalls_custom_sockopt(struct socket *sock, bool on)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	assign_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags, on);
#endif
}

/* TCP has got SO_PEEK_OFF */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define PVCALLS_PEEK_OFF	.set_peek_off = sk_set_peek_off,
#else
#define PVCALLS_PEEK_OFF
#endif

/* Tables of sysctls have become constant, and have lost their empty last entry */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define PVCALLS_SYSCTL_TABLE	const struct ctl_table
#else
#define PVCALLS_SYSCTL_TABLE	struct ctl_table
#endif

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
 * TCP allocates without sleeping, and copies into the socket's own page: 6.2
 * has made the latter a flag of its own.
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

/* The third argument of a probed function, at its entry */
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
