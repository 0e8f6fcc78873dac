// SPDX-License-Identifier: GPL-2.0
/* See inherit.h. */
#include <linux/cgroup.h>
#include <linux/security.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "pvcalls_compat.h"
#include "sock/inherit.h"
#include "sock/native.h"

static void pvc_inherit_socket(struct sock *sk, const struct sock *from)
{
	const unsigned long flags = BIT(SOCK_LINGER) | BIT(SOCK_KEEPOPEN) |
				    BIT(SOCK_DBG) | BIT(SOCK_LOCALROUTE) |
				    BIT(SOCK_URGINLINE) | BIT(SOCK_BROADCAST) |
				    BIT(SOCK_ZEROCOPY) | BIT(SOCK_RCVTSTAMP) |
				    BIT(SOCK_RCVTSTAMPNS) |
				    BIT(SOCK_TSTAMP_NEW) | BIT(SOCK_RXQ_OVFL) |
				    BIT(SOCK_WIFI_STATUS) | BIT(SOCK_NOFCS) |
				    BIT(SOCK_SELECT_ERR_QUEUE) |
				    BIT(SOCK_TXTIME) | BIT(SOCK_RCVMARK) |
				    PVCALLS_NEWER_SOCK_FLAGS;

	sk->sk_flags |= from->sk_flags & flags;
	sk->sk_tsflags = from->sk_tsflags;
	sk->sk_lingertime = from->sk_lingertime;
	sk->sk_rcvtimeo = from->sk_rcvtimeo;
	sk->sk_sndtimeo = from->sk_sndtimeo;
	sk->sk_rcvlowat = from->sk_rcvlowat;
	sk->sk_peek_off = from->sk_peek_off;
	sk->sk_sndbuf = from->sk_sndbuf;
	sk->sk_rcvbuf = from->sk_rcvbuf;
	sk->sk_userlocks = from->sk_userlocks &
			   (SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK);
	sk->sk_mark = from->sk_mark;
	sk->sk_reuse = from->sk_reuse;
	sk->sk_reuseport = from->sk_reuseport;
	sk->sk_max_pacing_rate = from->sk_max_pacing_rate;
	sk->sk_pacing_rate = from->sk_pacing_rate;
	sk->sk_txrehash = from->sk_txrehash;
	sk->sk_clockid = from->sk_clockid;
	sk->sk_txtime_deadline_mode = from->sk_txtime_deadline_mode;
	sk->sk_txtime_report_errors = from->sk_txtime_report_errors;
#ifdef CONFIG_NET_RX_BUSY_POLL
	sk->sk_ll_usec = from->sk_ll_usec;
	sk->sk_prefer_busy_poll = from->sk_prefer_busy_poll;
	sk->sk_busy_poll_budget = from->sk_busy_poll_budget;
#endif
}

static void pvc_inherit_tcp(struct sock *sk, const struct sock *from)
{
	const struct inet_connection_sock *oldicsk = inet_csk(from);
	struct inet_connection_sock *newicsk = inet_csk(sk);
	const struct tcp_sock *old = tcp_sk(from);
	struct tcp_sock *new = tcp_sk(sk);

	new->nonagle = old->nonagle;
	new->keepalive_time = old->keepalive_time;
	new->keepalive_intvl = old->keepalive_intvl;
	new->keepalive_probes = old->keepalive_probes;
	new->linger2 = old->linger2;
	new->notsent_lowat = old->notsent_lowat;
	new->recvmsg_inq = old->recvmsg_inq;
	new->save_syn = old->save_syn;
	new->thin_lto = old->thin_lto;
	new->window_clamp = old->window_clamp;
	new->tcp_tx_delay = old->tcp_tx_delay;
	new->fastopen_no_cookie = old->fastopen_no_cookie;
	new->rx_opt.user_mss = old->rx_opt.user_mss;
	newicsk->icsk_syn_retries = oldicsk->icsk_syn_retries;
	newicsk->icsk_user_timeout = oldicsk->icsk_user_timeout;
}

static void pvc_inherit_ip(struct sock *sk, const struct sock *from)
{
	const struct inet_sock *old = inet_sk(from);
	struct inet_sock *new = inet_sk(sk);

	new->tos = old->tos;
	new->uc_ttl = old->uc_ttl;
	new->min_ttl = old->min_ttl;
	new->pmtudisc = old->pmtudisc;
	new->uc_index = old->uc_index;
	new->local_port_range = old->local_port_range;
	pvcalls_inherit_ip_flags(new, old);
	if (from->sk_family == AF_INET6 && sk->sk_family == AF_INET6)
		pvcalls_inherit_ipv6(sk, from);
}

/* The cgroup whose programs ask about a socket is the listening socket's. */
static void pvc_inherit_cgroup(struct sock *sk, struct sock *from)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	struct cgroup *to = sock_cgroup_ptr(&from->sk_cgrp_data);
	struct cgroup *was = sock_cgroup_ptr(&sk->sk_cgrp_data);

	cgroup_get(to);
	cgroup_bpf_get(to);
	sk->sk_cgrp_data = from->sk_cgrp_data;
	cgroup_bpf_put(was);
	cgroup_put(was);
#endif
}

/**
 * pvc_inherit_owner() - an accepted socket belongs to whom the listening does
 * @sk: fresh socket that has no struct socket yet
 * @from: listening socket
 *
 * Context: process, may sleep.
 */
void pvc_inherit_owner(struct sock *sk, struct sock *from)
{
	pvc_inherit_cgroup(sk, from);
	security_sk_clone(from, sk);
}

/**
 * pvc_inherit() - an accepted socket gets the options of the listening one
 * @newsock: accepted socket, which no program knows yet
 * @from: listening socket
 *
 * Context: process, may sleep.
 */
void pvc_inherit(struct socket *newsock, const struct sock *from)
{
	const struct inet_connection_sock *icsk = inet_csk(from);
	struct sock *sk = newsock->sk;
	char name[TCP_CA_NAME_MAX];

	pvc_inherit_socket(sk, from);
	pvc_inherit_tcp(sk, from);
	pvc_inherit_ip(sk, from);
	if (icsk->icsk_ca_setsockopt) {
		/* another thread may change it, and its module may go */
		rcu_read_lock();
		strscpy(name, READ_ONCE(icsk->icsk_ca_ops)->name, sizeof(name));
		rcu_read_unlock();
		pvc_native(sk)->setsockopt(newsock, SOL_TCP, TCP_CONGESTION,
					   KERNEL_SOCKPTR(name), strlen(name));
	}
}
