// SPDX-License-Identifier: GPL-2.0
/* Memory of kernel sockets; memory.h says how it is limited. */
#include <linux/kernel.h>
#include <linux/net.h>

#include <net/sock.h>

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

/*
 * Have the kernel socket's receive buffer do as the guest's share of memory is:
 * grow as TCP finds the connection to be, stay as it is, or shrink to a part.
 */
static void pvcalls_memory_adjust(struct pvcalls_sock *ps,
				  enum pvcalls_fill fill, u32 part)
{
	struct sock *sk = ps->sock->sk;
	int size;

	lock_sock(sk);
	size = READ_ONCE(sk->sk_rcvbuf);
	if (ps->fill == PVCALLS_FILL_LITTLE) {
		ps->rcvbuf = size;
		ps->rcvbuf_locked = sk->sk_userlocks & SOCK_RCVBUF_LOCK;
	} else if (size != ps->rcvbuf_told) {
		/* TCP lets it be, so the guest has set it */
		ps->rcvbuf = size;
		ps->rcvbuf_locked = true;
	}

	if (fill == PVCALLS_FILL_LITTLE)
		size = ps->rcvbuf;
	else if (part)
		size = min_t(u32, part, ps->rcvbuf);
	WRITE_ONCE(sk->sk_rcvbuf, size);
	if (fill == PVCALLS_FILL_LITTLE && !ps->rcvbuf_locked)
		sk->sk_userlocks &= ~SOCK_RCVBUF_LOCK;
	else
		sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	release_sock(sk);

	ps->rcvbuf_told = size;
	ps->fill = fill;
	WRITE_ONCE(ps->part, part);
}

/* Has the guest set a receive buffer that is more than its part? */
static bool pvcalls_memory_evaded(const struct pvcalls_sock *ps)
{
	return ps->part && READ_ONCE(ps->sock->sk->sk_rcvbuf) > ps->rcvbuf_told;
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
	u32 part = 0;
	long n, may;

	if (!pvcalls_memory_counts(ps))
		return;
	n = pvcalls_memory_pages(ps) - *held;
	if (fill == ps->fill && fill != PVCALLS_FILL_OVER &&
	    abs(n) <= *held / 4)
		return;
	*held += n;
	fill = pvcalls_account_force(account, PVCALLS_KIND_MEMORY, n, &may);
	if (fill == PVCALLS_FILL_OVER)
		part = pvcalls_memory_part(ps->guest, may);
	if (fill != ps->fill || part != ps->part || pvcalls_memory_evaded(ps))
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
