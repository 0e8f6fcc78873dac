// SPDX-License-Identifier: GPL-2.0
/* See sockopt.h. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <net/tcp.h>

#include "pvcalls_compat.h"
#include "sock/names.h"
#include "sock/native.h"
#include "sock/own.h"
#include "sock/sockopt.h"

/* TCP-AO, which 6.1 does not know: ABI */
#define PVC_TCP_AO_ADD_KEY	38
#define PVC_TCP_AO_DEL_KEY	39
#define PVC_TCP_AO_INFO		40
#define PVC_TCP_AO_REPAIR	42

/* Bits of pvc_sock.opts_set */
static_assert(PVCALLS_RELAYED <= BITS_PER_LONG);

/* Counts a change of an option, so that replay.c tells a backend once more. */
static void pvc_count_opt(struct pvc_sock *psk)
{
	spin_lock_bh(&psk->lock);
	WRITE_ONCE(psk->again.seq, psk->again.seq + 1);
	spin_unlock_bh(&psk->lock);
}

/* Notes a value. Returns whether the value is news for the backend. */
static bool pvc_note_opt(struct pvc_sock *psk, int i, int value)
{
	if (test_bit(i, &psk->opts_set) && READ_ONCE(psk->opts[i]) == value)
		return false;
	WRITE_ONCE(psk->opts[i], value);
	set_bit(i, &psk->opts_set);
	pvc_count_opt(psk);
	return true;
}

static int pvc_post_opts(struct pvc_conn *c, const struct pvcalls_opt *opt,
			 unsigned int count)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_SETSOCKOPT };
	struct pvcalls_req_setsockopt *args = (void *)&req.u;

	args->id = c->id;
	args->count = count;
	memcpy(args->opt, opt, count * sizeof(*opt));
	return pvc_cmd_post(c->link, &req);
}

/* The value of an option that struct sock keeps. */
static int pvc_sk_value(const struct sock *sk, int name)
{
	switch (name) {
	case SO_REUSEADDR:
		return !!sk->sk_reuse;
	case SO_REUSEPORT:
		return !!sk->sk_reuseport;
	case SO_KEEPALIVE:
		return sock_flag(sk, SOCK_KEEPOPEN);
	}
	return 0;
}

/*
 * Some kernels set SOL_SOCKET options without calling a socket's operations.
 * Therefore this function looks for the options that have been set.
 */
static void pvc_note_socket_opts(const struct sock *sk, struct pvc_sock *psk,
				 unsigned long *news)
{
	int i, now;

	/* the table begins with these */
	for (i = 0; i < PVCALLS_RELAYED; i++) {
		if (pvcalls_relayed_at(i)->kind != PVCALLS_OPT_SOCK)
			break;
		now = pvc_sk_value(sk, pvcalls_relayed_at(i)->name);
		if ((now || test_bit(i, &psk->opts_set)) &&
		    pvc_note_opt(psk, i, now))
			__set_bit(i, news);
	}
}

static int pvc_post_congestion(struct pvc_sock *psk, struct pvc_conn *c)
{
	struct pvcalls_opt opt[PVCALLS_CONGESTION_OPTS];
	char name[PVCALLS_CONGESTION_LEN];

	spin_lock_bh(&psk->lock);
	memcpy(name, psk->congestion, sizeof(name));
	spin_unlock_bh(&psk->lock);
	pvcalls_opts_pack_name(name, opt);
	return pvc_post_opts(c, opt, ARRAY_SIZE(opt));
}

/*
 * Does the backend let sockets share a port if it is told of an option? It makes
 * SO_REUSEPORT of SO_REUSEADDR if a socket is one of datagrams, which Linux lets
 * share a port with either.
 */
static bool pvc_opt_shares(const struct pvcalls_relayed *relayed, bool dgram)
{
	return relayed->level == SOL_SOCKET &&
	       (relayed->name == SO_REUSEPORT ||
		(relayed->name == SO_REUSEADDR && dgram));
}

/*
 * Passes the options in @which on to the backend. Returns 0, or -ENOMEM: then
 * the options are owed to the backend. A link that has ended, or a task that is
 * being killed, needs no options.
 */
static int pvc_relay(struct pvc_sock *psk, struct pvc_conn *c,
		     unsigned long which)
{
	struct pvcalls_opt opt[PVCALLS_MAX_OPTS];
	bool dgram = pvc_conn_is_dgram(c);
	const struct pvcalls_relayed *relayed;
	unsigned int n = 0;
	int i, ret = 0;

	if (!pvc_link_has(c->link, PVCALLS_F_SOCKOPT))
		return 0;
	for_each_set_bit(i, &which, PVCALLS_RELAYED) {
		relayed = pvcalls_relayed_at(i);
		if (relayed->level == SOL_IPV6 && c->family != AF_INET6)
			continue;
		/* the port of datagrams is to be known before others can come */
		if (dgram && relayed->level == SOL_IP &&
		    relayed->name == IP_BIND_ADDRESS_NO_PORT)
			continue;
		if (relayed->kind == PVCALLS_OPT_NAME) {
			ret = pvc_post_congestion(psk, c) ?: ret;
			continue;
		}
		opt[n].level = relayed->level;
		opt[n].name = relayed->name;
		opt[n].value = READ_ONCE(psk->opts[i]);
		if (pvc_opt_shares(relayed, dgram)) {
			/* nobody is to share a port that the host has chosen */
			if (dgram && !c->named)
				continue;
			/* what the backend was told once counts, for bind() */
			if (opt[n].value)
				c->reuseport = true;
		}
		if (++n == PVCALLS_MAX_OPTS) {
			ret = pvc_post_opts(c, opt, n) ?: ret;
			n = 0;
		}
	}
	if (n)
		ret = pvc_post_opts(c, opt, n) ?: ret;
	if (ret != -ENOMEM)
		return 0;
	for_each_set_bit(i, &which, PVCALLS_RELAYED)
		set_bit(i, &psk->opts_owed);
	return ret;
}

/**
 * pvc_has_opts() - has a program set options that the backend is to know of?
 * @psk: what we know of @sk
 * @sk: the program's socket
 *
 * Context: process; does not sleep.
 * Return: true if so.
 */
bool pvc_has_opts(struct pvc_sock *psk, const struct sock *sk)
{
	unsigned long news = 0;

	pvc_note_socket_opts(sk, psk, &news);
	return READ_ONCE(psk->opts_set);
}

/**
 * pvc_relay_opts() - pass on all options that a program has set so far
 * @psk: what we know of @sk
 * @sk: the program's socket
 * @c: the backend's socket, just opened
 *
 * Context: process, may sleep; waits for the backend only if the command ring
 * is full of commands that nobody waits for.
 * Return: 0 or -ENOMEM.
 */
int pvc_relay_opts(struct pvc_sock *psk, const struct sock *sk,
		   struct pvc_conn *c)
{
	unsigned long news = 0;

	pvc_note_socket_opts(sk, psk, &news);
	WRITE_ONCE(psk->opts_owed, 0);
	return pvc_relay(psk, c, READ_ONCE(psk->opts_set));
}

/**
 * pvc_relay_reuse() - let a listening socket come back to its port
 * @c: the backend's socket, which listens or is to listen
 *
 * Connections that the server has closed hold the port in TIME_WAIT for a
 * minute. A socket that listens is not hindered by those, but another one that
 * takes its place would be, unless both have SO_REUSEADDR; connections have
 * that from the socket that accepted them. While a socket listens nobody else
 * can bind to its port, whatever options the two have.
 *
 * Context: process, may sleep; waits for the backend only if the command ring
 * is full of commands that nobody waits for.
 */
void pvc_relay_reuse(struct pvc_conn *c)
{
	const struct pvcalls_opt opt = {
		.level = SOL_SOCKET,
		.name = SO_REUSEADDR,
		.value = 1,
	};

	if (pvc_link_has(c->link, PVCALLS_F_SOCKOPT))
		pvc_post_opts(c, &opt, 1);
}

/* Notes a congestion control that the native socket has accepted. */
static int pvc_note_congestion(struct pvc_sock *psk, sockptr_t val,
			       unsigned int len)
{
	char name[PVCALLS_CONGESTION_LEN] = "";

	if (copy_from_sockptr(name, val, min_t(size_t, len, sizeof(name) - 1)))
		return -EFAULT;
	spin_lock_bh(&psk->lock);
	memcpy(psk->congestion, name, sizeof(name));
	spin_unlock_bh(&psk->lock);
	return 0;
}

/* Notes an option that the native socket has accepted. */
static int pvc_note_set(struct pvc_sock *psk, int i, sockptr_t val,
			unsigned int len, unsigned long *news)
{
	int ret, value = 0;

	if (i < 0)
		return 0;
	switch (pvcalls_relayed_at(i)->kind) {
	case PVCALLS_OPT_INT:
		/* one byte is enough for IP's options */
		if (copy_from_sockptr(&value, val, min_t(size_t, len, 4)))
			return -EFAULT;
		if (pvc_note_opt(psk, i, value))
			__set_bit(i, news);
		return 0;
	case PVCALLS_OPT_NAME:
		ret = pvc_note_congestion(psk, val, len);
		if (ret)
			return ret;
		set_bit(i, &psk->opts_set);
		pvc_count_opt(psk);
		__set_bit(i, news);
		return 0;
	default:
		return 0;
	}
}

/*
 * Is an option one that a socket of ours cannot keep? An upper layer protocol
 * and TCP_REPAIR would take over a native socket that carries nothing.
 * Signatures would be missing from a connection that the program believes to be
 * signed.
 */
static bool pvc_opt_refused(int level, int name)
{
	if (level != SOL_TCP)
		return false;
	switch (name) {
	case TCP_ULP:
	case TCP_REPAIR:
	case TCP_MD5SIG:
	case TCP_MD5SIG_EXT:
	case PVC_TCP_AO_ADD_KEY:
	case PVC_TCP_AO_DEL_KEY:
	case PVC_TCP_AO_INFO:
	case PVC_TCP_AO_REPAIR:
		return true;
	}
	return false;
}

/*
 * Refuses what TCP refuses in the state that the connection has; the native
 * socket is in another state.
 */
static int pvc_check_state(struct pvc_sock *psk, struct sock *sk, int level,
			   int name)
{
	bool listening = pvc_sk_state(psk) == PVC_SK_LISTENING;
	struct pvc_conn *c = pvc_sk_conn(psk);
	bool unused = !listening;
	int ret = 0;

	/* without a backend only an address tells that a socket is bound */
	if (!c && !psk->local.len)
		return 0;
	if (c) {
		unused = pvc_conn_unused(c);
		pvc_conn_put(c);
	}
	if (level == SOL_IPV6 && name == IPV6_V6ONLY &&
	    sk->sk_family == AF_INET6)
		return -EINVAL;
	if (level != SOL_TCP || unused)
		return 0;
	switch (name) {
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
	case TCP_FASTOPEN_NO_COOKIE:
		ret = listening ? 0 : -EINVAL;
		break;
	case TCP_QUEUE_SEQ:
		ret = -EPERM;
		break;
	}
	return ret;
}

/* Sets an option of the native socket, which may refuse the option. */
static int pvc_set_native(struct pvc_sock *psk, struct socket *sock, int level,
			  int name, sockptr_t val, unsigned int len)
{
	int ret;

	/* a socket that has gone local takes all that native ones take */
	if (pvc_sk_state(psk) != PVC_SK_LOCAL) {
		if (pvc_opt_refused(level, name))
			return -ENOPROTOOPT;
		ret = pvc_check_state(psk, sock->sk, level, name);
		if (ret)
			return ret;
	}
	return pvcalls_native_setsockopt(pvc_native(sock->sk), sock, level,
					 name, val, len);
}

/**
 * pvc_setsockopt() - setsockopt()
 * @psk: what we know of @sock
 * @sock: any of ours
 * @level: protocol
 * @name: option
 * @val: value
 * @len: length of the value in bytes
 *
 * Context: process, may sleep; waits for the backend only if the command ring
 * is full of commands that nobody waits for.
 * Return: 0 or the error that TCP gives.
 */
int pvc_setsockopt(struct pvc_sock *psk, struct socket *sock, int level,
		   int name, sockptr_t val, unsigned int len)
{
	unsigned long news = 0;
	struct pvc_conn *c;
	int ret;

	ret = pvc_set_native(psk, sock, level, name, val, len);
	if (ret)
		return ret;
	pvc_note_socket_opts(sock->sk, psk, &news);
	ret = pvc_note_set(psk, pvcalls_relayed_find(level, name), val, len,
			   &news);
	if (ret)
		return ret;
	c = pvc_sk_conn(psk);
	if (c) {
		ret = pvc_relay(psk, c, news | xchg(&psk->opts_owed, 0));
		pvc_conn_put(c);
	}
	return ret;
}

/*
 * The state that TCP would be in; the native socket is in another one. Without
 * a connection the socket listens while its backend is away, or has done so
 * until a moment ago.
 */
static u8 pvc_tcp_state(const struct pvc_sock *psk, const struct sock *sk,
			struct pvc_conn *c)
{
	if (!c || pvc_sk_state(psk) == PVC_SK_LISTENING)
		return TCP_LISTEN;
	switch (READ_ONCE(c->state)) {
	case PVC_CONN_CONNECTING:
		return TCP_SYN_SENT;
	case PVC_CONN_CONNECTED:
		break;
	default:
		return TCP_CLOSE;
	}
	if (pvc_is_over(sk, c))
		return TCP_CLOSE;
	if (!(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
		return READ_ONCE(c->in_err) ? TCP_CLOSE_WAIT : TCP_ESTABLISHED;
	return READ_ONCE(c->in_err) ? TCP_LAST_ACK : TCP_FIN_WAIT2;
}

/* What TCP_ULP says of a socket that has no upper layer protocol. */
static int pvc_get_no_ulp(int __user *len)
{
	int n;

	if (get_user(n, len))
		return -EFAULT;
	return n < 0 ? -EINVAL : put_user(0, len);
}

/* Reads an option of the native socket, but the state of the connection. */
static int pvc_get_local(struct pvc_sock *psk, struct socket *sock,
			 struct pvc_conn *c, int level, int name,
			 char __user *val, int __user *len)
{
	bool listening = pvc_sk_state(psk) == PVC_SK_LISTENING;
	int ret, n;

	/* the upper layer protocol on the socket is not the program's */
	if (level == SOL_TCP && name == TCP_ULP && !pvc_sk_is_native(sock->sk))
		return pvc_get_no_ulp(len);
	ret = pvc_native(sock->sk)->getsockopt(sock, level, name, val, len);
	if (ret || !(c || listening) || level != SOL_TCP || name != TCP_INFO)
		return ret;
	if (get_user(n, len))
		return -EFAULT;
	/* TCP_INFO begins with the state */
	return n > 0 ? put_user(pvc_tcp_state(psk, sock->sk, c),
				(u8 __user *)val) : 0;
}

/* Asks the backend. Returns how many bytes of @size there are, or an error. */
static int pvc_fetch_opt(struct pvc_conn *c, int level, int name, u8 *value,
			 u32 size)
{
	struct xen_pvcalls_request req = { .cmd = PVCALLS_GETSOCKOPT };
	struct pvcalls_req_getsockopt *args = (void *)&req.u;
	struct pvcalls_response rsp;
	u32 have = 0, n;
	int ret;

	args->id = c->id;
	args->level = level;
	args->name = name;
	do {
		args->offset = have;
		ret = pvc_cmd_call(c->link, &req, &rsp);
		if (ret)
			return ret;
		n = pvcalls_value_take(&rsp.u.name, value + have, size - have);
		have += n;
	} while (n == PVCALLS_ADDR_LEN && have < size);
	return have;
}

static int pvc_get_remote(const struct pvc_sock *psk, struct sock *sk,
			  struct pvc_conn *c, int level, int name,
			  char __user *val, int __user *len)
{
	u8 value[sizeof(struct tcp_info)] = {};
	int n;

	if (get_user(n, len))
		return -EFAULT;
	if (n < 0)
		return -EINVAL;
	n = pvc_fetch_opt(c, level, name, value,
			  min_t(u32, n, sizeof(value)));
	if (n < 0)
		return n;
	if (level == SOL_TCP && name == TCP_INFO)
		value[0] = pvc_tcp_state(psk, sk, c);
	if (put_user(n, len) || copy_to_user(val, value, n))
		return -EFAULT;
	return 0;
}

/**
 * pvc_getsockopt() - getsockopt(), but for SOL_SOCKET
 * @psk: what we know of @sock
 * @sock: any of ours
 * @level: protocol
 * @name: option
 * @val: where the value goes
 * @len: length of the value in bytes
 *
 * What only the real socket knows comes from the backend, if the backend tells.
 *
 * Context: process, sleeps; killable.
 * Return: 0 or the error that TCP gives.
 */
int pvc_getsockopt(struct pvc_sock *psk, struct socket *sock, int level,
		   int name, char __user *val, int __user *len)
{
	struct pvc_conn *c = NULL;
	int ret = -ENOTCONN;

	if (pvcalls_relayed_told(pvcalls_relayed_find(level, name)))
		c = pvc_sk_conn(psk);
	if (c && pvc_link_has(c->link, PVCALLS_F_GETSOCKOPT) &&
	    (READ_ONCE(c->state) == PVC_CONN_CONNECTED ||
	     READ_ONCE(c->state) == PVC_CONN_LISTENING))
		ret = pvc_get_remote(psk, sock->sk, c, level, name, val, len);
	if (ret && ret != -EFAULT && ret != -EINVAL && ret != -ENOMEM)
		ret = pvc_get_local(psk, sock, c, level, name, val, len);
	if (c)
		pvc_conn_put(c);
	return ret;
}
