/* SPDX-License-Identifier: GPL-2.0 */
/* The sockets of a kernel, as far as options are set and read; see the target. */
#ifndef FUZZ_KERNEL_OPTIONS_H
#define FUZZ_KERNEL_OPTIONS_H

#include "kernel.h"

#include <linux/tcp.h>

struct dst_entry {
	u32 mtu;
};

typedef struct {
	const void *kernel;
} sockptr_t;

#define KERNEL_SOCKPTR(p)	((sockptr_t) { p })

struct inode {
	kuid_t i_uid;
};

struct socket;

struct proto_ops {
	int (*setsockopt)(struct socket *sock, int level, int name,
			  sockptr_t val, unsigned int len);
};

struct socket {
	short type;
	struct sock *sk;
	const struct proto_ops *ops;
	struct inode inode;
};

struct tcp_congestion_ops {
	const char *name;
};

struct inet_connection_sock {
	const struct tcp_congestion_ops *icsk_ca_ops;
};

struct tcp_sock {
	u32 mss_cache;
};

#define SOCK_INODE(s)		(&(s)->inode)

struct inet_connection_sock *inet_csk(struct sock *sk);
struct tcp_sock *tcp_sk(struct sock *sk);
void sock_set_mark(struct sock *sk, u32 mark);
void sock_set_reuseaddr(struct sock *sk);
void tcp_sock_set_nodelay(struct sock *sk);
int sock_setsockopt(struct socket *sock, int level, int name, sockptr_t val,
		    unsigned int len);
void tcp_get_info(struct sock *sk, struct tcp_info *info);
struct dst_entry *sk_dst_get(struct sock *sk);
void dst_release(struct dst_entry *dst);

#define dst_mtu(d)		((d)->mtu)

#endif /* FUZZ_KERNEL_OPTIONS_H */
