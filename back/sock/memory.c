// SPDX-License-Identifier: GPL-2.0
/* Memory of kernel sockets; memory.h says how it is limited. */
#include <linux/kernel.h>
#include <linux/net.h>

#include <net/sock.h>
#include <net/tcp.h>

#include "account/ledger.h"
#include "guest/guest.h"
#include "sock/memory.h"
#include "sock/sock.h"

/* Bytes that a queue may have, however much too much the guest has */
#define PVCALLS_MEMORY_LEAST	4096

/* Pages of a socket that may be charged later than the worker's next run */
#define PVCALLS_MEMORY_UNSEEN	4

/*
 * Does what the kernel socket has count? Connections are copies of the socket
 * that listens, and keep its limits for good, so such a socket must not get
 * those for one that has too much. It has no bytes either.
 */
static bool pvcalls_memory_counts(const struct pvcalls_sock *ps)
{
	switch (ps->state) {
	case PVCALLS_SS_CONNECTED:
	case PVCALLS_SS_DRAINING:
	case PVCALLS_SS_RESETTING:
		return true;
	case PVCALLS_SS_IDLE:
		/* what is bound gets datagrams before there is a ring */
		return ps->sock->sk->sk_type == SOCK_DGRAM;
	default:
		return false;
	}
}

/*
 * Pages of a kernel socket's queues. Pages of the guest that TCP refers to are
 * charged as such.
 */
static long pvcalls_memory_pages(const struct pvcalls_sock *ps)
{
	const struct sock *sk = ps->sock->sk;
	long sent = READ_ONCE(sk->sk_wmem_queued) -
		    atomic_read(&ps->conn.zerocopy.pinned) * (long)PAGE_SIZE;

	/* a device may refer to pages for longer than TCP does */
	return DIV_ROUND_UP(max(sent, 0L) + atomic_read(&sk->sk_rmem_alloc),
			    PAGE_SIZE);
}

/*
 * What each queue of the guest's sockets may have, if all of them together are
 * to have half of what the guest may have
 */
static u32 pvcalls_memory_part(const struct pvcalls_guest *g, long may)
{
	long n = pvcalls_account_has(g->peer.account, PVCALLS_KIND_SOCKETS);

	return clamp_t(long, may * (long)PAGE_SIZE / 2 / max(n, 1L),
		       PVCALLS_MEMORY_LEAST, INT_MAX);
}

/* What TCP gives a new socket, unless the guest has set less */
static int pvcalls_memory_usual(const struct pvcalls_sock *ps)
{
	const struct sock *sk = ps->sock->sk;

	if (ps->rcvbuf_locked || sk->sk_type != SOCK_STREAM)
		return ps->rcvbuf;
	return min(ps->rcvbuf, READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[1]));
}

/*
 * A receive buffer for what TCP has, and what it has told the peer to send: it
 * drops what comes beyond a buffer. It takes half of a buffer for overhead.
 */
static int pvcalls_memory_promised(const struct sock *sk)
{
	return min_t(s64, INT_MAX, atomic_read(&sk->sk_rmem_alloc) +
				   2LL * tcp_receive_window(tcp_sk(sk)));
}

/* A receive buffer that is to shrink as far as the peer's bytes allow */
static int pvcalls_memory_shrunk(const struct pvcalls_sock *ps, u32 part)
{
	const struct sock *sk = ps->sock->sk;
	int usual = pvcalls_memory_usual(ps);
	int least = max_t(int, part, usual);

	if (sk->sk_type != SOCK_STREAM)
		return usual;
	return min(ps->rcvbuf, max(least, min(READ_ONCE(sk->sk_rcvbuf),
					      pvcalls_memory_promised(sk))));
}

static int pvcalls_memory_size(const struct pvcalls_sock *ps,
			       enum pvcalls_fill fill, u32 part)
{
	switch (fill) {
	case PVCALLS_FILL_LITTLE:
		/* TCP makes it more where that is of use */
		return max(READ_ONCE(ps->sock->sk->sk_rcvbuf),
			   pvcalls_memory_usual(ps));
	case PVCALLS_FILL_MUCH:
		return pvcalls_memory_shrunk(ps, part);
	default:
		return min_t(u32, part, ps->rcvbuf);
	}
}

/* Have the kernel socket's receive buffer do as the guest's share is. */
static void pvcalls_memory_adjust(struct pvcalls_sock *ps,
				  enum pvcalls_fill fill, u32 part)
{
	struct sock *sk = ps->sock->sk;

	lock_sock(sk);
	if (ps->fill == PVCALLS_FILL_LITTLE) {
		ps->rcvbuf = READ_ONCE(sk->sk_rcvbuf);
		ps->rcvbuf_locked = sk->sk_userlocks & SOCK_RCVBUF_LOCK;
	} else if (READ_ONCE(sk->sk_rcvbuf) != ps->rcvbuf_told) {
		/* TCP lets it be, so the guest has set it */
		ps->rcvbuf = READ_ONCE(sk->sk_rcvbuf);
		ps->rcvbuf_locked = true;
	}
	ps->rcvbuf_told = pvcalls_memory_size(ps, fill, part);
	WRITE_ONCE(sk->sk_rcvbuf, ps->rcvbuf_told);
	if (fill == PVCALLS_FILL_LITTLE && !ps->rcvbuf_locked)
		sk->sk_userlocks &= ~SOCK_RCVBUF_LOCK;
	else
		sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	release_sock(sk);

	ps->fill = fill;
	WRITE_ONCE(ps->part, fill == PVCALLS_FILL_OVER ? part : 0);
}

/* Is a receive buffer other than it shall be, by more than a little? */
static bool pvcalls_memory_differs(const struct pvcalls_sock *ps,
				   enum pvcalls_fill fill, u32 part)
{
	int size = READ_ONCE(ps->sock->sk->sk_rcvbuf);

	if (fill != ps->fill)
		return true;
	switch (fill) {
	case PVCALLS_FILL_LITTLE:
		return false;
	case PVCALLS_FILL_MUCH:
		return size - pvcalls_memory_shrunk(ps, part) > size / 8;
	default:
		/* the guest may set it, too */
		return part != ps->part || size != ps->rcvbuf_told;
	}
}

/**
 * pvcalls_memory_count() - charge what a kernel socket has
 * @ps: the socket, with a kernel socket
 *
 * Small changes are left for later, unless the guest had too much.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_memory_count(struct pvcalls_sock *ps)
{
	struct pvcalls_account *account = ps->guest->peer.account;
	enum pvcalls_fill fill = pvcalls_account_fill(account,
						      PVCALLS_KIND_MEMORY);
	long *held = &ps->held.of[PVCALLS_KIND_MEMORY];
	long n, may;
	u32 part;

	if (!pvcalls_memory_counts(ps))
		return;
	n = pvcalls_memory_pages(ps) - *held;
	if (fill == PVCALLS_FILL_LITTLE && ps->fill == fill &&
	    abs(n) <= *held / 4)
		return;
	*held += n;
	fill = pvcalls_account_force(account, PVCALLS_KIND_MEMORY, n, &may);
	part = pvcalls_memory_part(ps->guest, may);
	if (pvcalls_memory_differs(ps, fill, part))
		pvcalls_memory_adjust(ps, fill, part);
}

/**
 * pvcalls_memory_seen() - may more be sent without a run of the worker?
 * @ps: the socket, of a stream, in PVCALLS_SS_CONNECTED
 *
 * Context: any, with PVCALLS_SF_RUNNING held.
 * Return: false if the worker must count first what the kernel socket has, or
 * if the guest has too much.
 */
bool pvcalls_memory_seen(const struct pvcalls_sock *ps)
{
	long held = ps->held.of[PVCALLS_KIND_MEMORY];

	/* a socket that the worker has not run since has no part yet */
	if (ps->part || pvcalls_account_fill(ps->guest->peer.account,
					     PVCALLS_KIND_MEMORY) ==
			PVCALLS_FILL_OVER)
		return false;
	return pvcalls_memory_pages(ps) - held <=
	       max(held / 4, (long)PVCALLS_MEMORY_UNSEEN);
}

/**
 * pvcalls_memory_full() - does a kernel socket have too much to be sent?
 * @ps: the socket, of a stream; PVCALLS_SF_OUT_READY has been cleared
 *
 * Context: the worker that the socket belongs to.
 * Return: true if nothing may be sent before TCP has room, which is announced.
 */
bool pvcalls_memory_full(struct pvcalls_sock *ps)
{
	struct sock *sk = ps->sock->sk;

	if (!ps->part || READ_ONCE(sk->sk_wmem_queued) < ps->part)
		return false;
	set_bit(SOCK_NOSPACE, &ps->sock->flags);
	/* set the flag before the last look, as TCP looks at it afterwards */
	smp_mb__after_atomic();
	return READ_ONCE(sk->sk_wmem_queued) >= ps->part;
}
