// SPDX-License-Identifier: GPL-2.0
/* Memory of kernel sockets; memory.h says how it is limited. */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/net.h>
#include <linux/workqueue.h>

#include <net/sock.h>
#include <net/tcp.h>

#include "account/ledger.h"
#include "guest/guest.h"
#include "sched/worker.h"
#include "sock/memory.h"
#include "sock/sock.h"

/*
 * Bytes that a queue may have, however much the guest has: with more than its
 * share, and before. TCP's own default for receive buffers is the latter.
 */
#define PVCALLS_MEMORY_LEAST	4096
#define PVCALLS_MEMORY_GENTLE	131072

/*
 * Pages that the fast path has a connection charged, or may send uncharged where
 * there are few connections; how many charged ones a connection keeps while it
 * is in use; and what part of the guest's share all that may be: one in so many
 */
#define PVCALLS_MEMORY_AHEAD	2
#define PVCALLS_MEMORY_KEPT	4
#define PVCALLS_MEMORY_AHEADS	4

/* The share times this is so much that not even a little may be sent */
#define PVCALLS_MEMORY_FAR	2

/* Bytes of a TCP segment besides data, at most */
#define PVCALLS_MEMORY_SEGMENT	2048

/* Time between two looks at what sockets are charged */
#define PVCALLS_MEMORY_PERIOD	HZ

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

/* Bytes that TCP has not sent, but for those in pages of the guest */
static long pvcalls_memory_sent(const struct pvcalls_sock *ps)
{
	/* a device may refer to pages for longer than TCP does */
	return max(READ_ONCE(ps->sock->sk->sk_wmem_queued) -
		   atomic_read(&ps->conn.zerocopy.pinned) * (long)PAGE_SIZE,
		   0L);
}

/* Bytes of a kernel socket's queues. Pages of the guest are charged as such. */
static long pvcalls_memory_bytes(const struct pvcalls_sock *ps)
{
	return pvcalls_memory_sent(ps) +
	       atomic_read(&ps->sock->sk->sk_rmem_alloc);
}

/*
 * What each queue of the guest's sockets may have, if those that have anything
 * are to have half of what the guest may have; or all its sockets, where any
 * byte is one too many
 */
static u32 pvcalls_memory_part(const struct pvcalls_guest *g,
			       enum pvcalls_fill fill)
{
	long may = pvcalls_account_might(g->peer.account, PVCALLS_KIND_MEMORY);
	long n, least;

	switch (fill) {
	case PVCALLS_FILL_LITTLE:
		return 0;
	case PVCALLS_FILL_MUCH:
		n = atomic_read(&g->socks->queues);
		least = PVCALLS_MEMORY_GENTLE;
		break;
	default:
		n = pvcalls_account_has(g->peer.account, PVCALLS_KIND_SOCKETS);
		least = PVCALLS_MEMORY_LEAST;
	}
	return clamp_t(long, may * (long)PAGE_SIZE / 2 / max(n, 1L), least,
		       INT_MAX);
}

/* What TCP gives a new socket; datagram sockets keep that for good */
static int pvcalls_memory_usual(const struct pvcalls_sock *ps)
{
	const struct sock *sk = ps->sock->sk;

	if (sk->sk_type != SOCK_STREAM)
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

	if (sk->sk_type != SOCK_STREAM)
		return ps->rcvbuf;
	return min(ps->rcvbuf, max_t(int, part,
				     min(READ_ONCE(sk->sk_rcvbuf),
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

/*
 * Set the receive buffer. TCP's limit of the window does not follow it, and TCP
 * makes it larger only for more than what it has measured before.
 */
static void pvcalls_memory_set(struct sock *sk, int size)
{
	struct tcp_sock *tp = tcp_sk(sk);

	WRITE_ONCE(sk->sk_rcvbuf, size);
	if (sk->sk_type != SOCK_STREAM)
		return;
	WRITE_ONCE(tp->window_clamp, max_t(u32, tp->window_clamp,
					   tcp_win_from_space(sk, size)));
	tp->rcvq_space.space = min_t(u32, tp->rcvq_space.space,
				     TCP_INIT_CWND * tp->advmss);
}

/* Have the kernel socket's receive buffer do as the guest's share is. */
static void pvcalls_memory_adjust(struct pvcalls_sock *ps,
				  enum pvcalls_fill fill, u32 part)
{
	struct sock *sk = ps->sock->sk;

	lock_sock(sk);
	if (ps->fill == PVCALLS_FILL_LITTLE)
		ps->rcvbuf = READ_ONCE(sk->sk_rcvbuf);
	pvcalls_memory_set(sk, pvcalls_memory_size(ps, fill, part));
	/* guests cannot set receive buffers, so it is ours */
	if (fill == PVCALLS_FILL_LITTLE)
		sk->sk_userlocks &= ~SOCK_RCVBUF_LOCK;
	else
		sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	release_sock(sk);

	WRITE_ONCE(ps->fill, fill);
	ps->part = part;
}

/* Is a receive buffer other than it shall be, by more than a little? */
static bool pvcalls_memory_differs(const struct pvcalls_sock *ps,
				   enum pvcalls_fill fill, u32 part)
{
	int size = READ_ONCE(ps->sock->sk->sk_rcvbuf);

	if (fill != ps->fill || max(part, ps->part) - min(part, ps->part) >
				ps->part / 8)
		return true;
	return fill == PVCALLS_FILL_MUCH &&
	       size - pvcalls_memory_shrunk(ps, part) > size / 8;
}

static void pvcalls_memory_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(pvcalls_memory_work, pvcalls_memory_look);

/* Charge @pages, and not before that is a change that matters or @exact is set. */
static void pvcalls_memory_charge(struct pvcalls_sock *ps, long pages,
				  bool exact)
{
	struct pvcalls_account *account = ps->guest->peer.account;
	enum pvcalls_fill before, fill;
	long *held = &ps->held.of[PVCALLS_KIND_MEMORY];
	long n = pages - *held;
	u32 part;

	before = pvcalls_account_fill(account, PVCALLS_KIND_MEMORY);
	fill = before;
	if (exact || fill == PVCALLS_FILL_OVER || abs(n) > *held / 4) {
		if (!*held && pages)
			atomic_inc(&ps->guest->socks->queues);
		else if (*held && !pages)
			atomic_dec(&ps->guest->socks->queues);
		WRITE_ONCE(*held, pages);
		fill = pvcalls_account_force(account, PVCALLS_KIND_MEMORY, n);
	} else if (fill == PVCALLS_FILL_LITTLE && fill == ps->fill) {
		return;
	}
	if (fill == PVCALLS_FILL_OVER && before != fill)
		pvcalls_guest_warn(ps->guest, "the queues of its sockets have %ld pages, more than its share of %ld\n",
				   pvcalls_account_has(account,
						       PVCALLS_KIND_MEMORY),
				   pvcalls_account_might(account,
							 PVCALLS_KIND_MEMORY));
	part = pvcalls_memory_part(ps->guest, fill);
	if (pvcalls_memory_differs(ps, fill, part))
		pvcalls_memory_adjust(ps, fill, part);
	if (*held || fill != PVCALLS_FILL_LITTLE)
		schedule_delayed_work(&pvcalls_memory_work,
				      PVCALLS_MEMORY_PERIOD);
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
	long held = ps->held.of[PVCALLS_KIND_MEMORY];
	unsigned long pages;

	if (!pvcalls_memory_counts(ps))
		return;
	pages = DIV_ROUND_UP((unsigned long)pvcalls_memory_bytes(ps), PAGE_SIZE);
	if (pages < held && held <= PVCALLS_MEMORY_KEPT)
		pages = held;
	pvcalls_memory_charge(ps, pages, false);
}

/**
 * pvcalls_memory_follow() - do as the guest's share of memory is
 * @ps: the socket, with a kernel socket, which is about to be run
 *
 * Description: A new socket learns here that the guest has too much.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_memory_follow(struct pvcalls_sock *ps)
{
	enum pvcalls_fill fill;

	fill = pvcalls_account_fill(ps->guest->peer.account,
				    PVCALLS_KIND_MEMORY);
	if (fill != ps->fill || fill == PVCALLS_FILL_OVER)
		pvcalls_memory_count(ps);
}

/**
 * pvcalls_memory_settle() - charge exactly what a kernel socket has
 * @ps: the socket, with a kernel socket
 *
 * Description: What TCP has sent is gone without a run of the socket.
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_memory_settle(struct pvcalls_sock *ps)
{
	if (pvcalls_memory_counts(ps))
		pvcalls_memory_charge(ps,
				      DIV_ROUND_UP(pvcalls_memory_bytes(ps),
						   PAGE_SIZE), true);
}

/**
 * pvcalls_memory_leave() - leave to the kernel socket what it still has to send
 * @ps: the socket, whose kernel socket is about to be closed
 *
 * Context: the worker that the socket belongs to.
 */
void pvcalls_memory_leave(struct pvcalls_sock *ps)
{
	unsigned long pages = DIV_ROUND_UP((unsigned long)
					   pvcalls_memory_sent(ps), PAGE_SIZE);
	long *held = &ps->held.of[PVCALLS_KIND_MEMORY];

	if (!*held)
		return;
	atomic_dec(&ps->guest->socks->queues);
	if (*held <= pages)
		return;
	pvcalls_account_uncharge(ps->guest->peer.account, PVCALLS_KIND_MEMORY,
				 *held - pages);
	*held = pages;
}

static void pvcalls_memory_look_at(struct pvcalls_sock *ps, void *any)
{
	long held = READ_ONCE(ps->held.of[PVCALLS_KIND_MEMORY]);
	enum pvcalls_fill fill = READ_ONCE(ps->fill);
	u32 passed = READ_ONCE(ps->conn.in.prod) + READ_ONCE(ps->conn.out.cons);
	bool used = passed != ps->looked;

	if (!held && fill == PVCALLS_FILL_LITTLE)
		return;
	*(bool *)any = true;
	ps->looked = passed;
	if (used && held <= PVCALLS_MEMORY_KEPT && fill == PVCALLS_FILL_LITTLE)
		return;
	/* what pvcalls_memory_full() has refused may have room now */
	if (fill != PVCALLS_FILL_LITTLE)
		set_bit(PVCALLS_SF_OUT_READY, &ps->flags);
	set_bit(PVCALLS_SF_SETTLE, &ps->flags);
	pvcalls_work_mark(&ps->work);
}

static void pvcalls_memory_look_through(struct pvcalls_guest *g, void *any)
{
	pvcalls_socks_for_each(g, pvcalls_memory_look_at, any);
}

static void pvcalls_memory_look(struct work_struct *work)
{
	bool any = false;

	pvcalls_guest_for_each(pvcalls_memory_look_through, &any);
	if (any)
		schedule_delayed_work(&pvcalls_memory_work,
				      PVCALLS_MEMORY_PERIOD);
}

/**
 * pvcalls_memory_stop() - undo the first call of pvcalls_memory_count()
 *
 * Context: process, sleeps; no socket is left.
 */
void pvcalls_memory_stop(void)
{
	cancel_delayed_work_sync(&pvcalls_memory_work);
}

/*
 * Does the guest have so few sockets that what the fast path sends on each of
 * them makes no difference?
 */
static bool pvcalls_memory_few(const struct pvcalls_sock *ps)
{
	struct pvcalls_account *account = ps->guest->peer.account;
	long may = pvcalls_account_might(account, PVCALLS_KIND_MEMORY);

	return pvcalls_account_has(account, PVCALLS_KIND_SOCKETS) <=
	       may / (PVCALLS_MEMORY_AHEAD * PVCALLS_MEMORY_AHEADS);
}

/* Charge a connection more pages, if the guest has little. */
static bool pvcalls_memory_advance(struct pvcalls_sock *ps, long pages)
{
	struct pvcalls_account *account = ps->guest->peer.account;
	long may = pvcalls_account_might(account, PVCALLS_KIND_MEMORY);
	long has = pvcalls_account_has(account, PVCALLS_KIND_MEMORY);
	long *held = &ps->held.of[PVCALLS_KIND_MEMORY];
	long n = max_t(long, pages, PVCALLS_MEMORY_AHEAD);

	if (has + n > may / PVCALLS_MEMORY_AHEADS ||
	    !pvcalls_account_try(account, PVCALLS_KIND_MEMORY, n))
		return false;
	if (!*held)
		atomic_inc(&ps->guest->socks->queues);
	WRITE_ONCE(*held, *held + n);
	schedule_delayed_work(&pvcalls_memory_work, PVCALLS_MEMORY_PERIOD);
	return true;
}

/**
 * pvcalls_memory_covers() - is a send charged, or can it be?
 * @ps: the socket, of a stream, in PVCALLS_SS_CONNECTED
 * @len: number of bytes, 0 or more
 *
 * Context: any, with PVCALLS_SF_RUNNING held.
 * Return: false if the worker must charge it, or if the guest has too much.
 */
bool pvcalls_memory_covers(struct pvcalls_sock *ps, u32 len)
{
	long pages = DIV_ROUND_UP((unsigned long)pvcalls_memory_bytes(ps) +
				  len + PVCALLS_MEMORY_SEGMENT, PAGE_SIZE);

	/* a socket that the worker has not run since has no part yet */
	if (ps->fill == PVCALLS_FILL_OVER ||
	    pvcalls_account_fill(ps->guest->peer.account,
				 PVCALLS_KIND_MEMORY) == PVCALLS_FILL_OVER)
		return false;
	pages -= ps->held.of[PVCALLS_KIND_MEMORY];
	return pages <= 0 ||
	       (pages <= PVCALLS_MEMORY_AHEAD && pvcalls_memory_few(ps)) ||
	       pvcalls_memory_advance(ps, pages);
}

/* Does the guest have so much that none of its sockets may send? */
static bool pvcalls_memory_far(const struct pvcalls_sock *ps)
{
	struct pvcalls_account *account = ps->guest->peer.account;

	return ps->fill == PVCALLS_FILL_OVER &&
	       pvcalls_account_has(account, PVCALLS_KIND_MEMORY) /
	       PVCALLS_MEMORY_FAR >
	       pvcalls_account_might(account, PVCALLS_KIND_MEMORY);
}

/**
 * pvcalls_memory_full() - does a kernel socket have too much to be sent?
 * @ps: the socket, of a stream; PVCALLS_SF_OUT_READY has been cleared
 *
 * Context: the worker that the socket belongs to.
 * Return: true if nothing may be sent before TCP or the guest has room, which is
 * announced.
 */
bool pvcalls_memory_full(struct pvcalls_sock *ps)
{
	/* the next look has the worker try again */
	if (pvcalls_memory_far(ps))
		return true;
	if (!ps->part || pvcalls_memory_sent(ps) < ps->part)
		return false;
	set_bit(SOCK_NOSPACE, &ps->sock->flags);
	/* set the flag before the last look, as TCP looks at it afterwards */
	smp_mb__after_atomic();
	return pvcalls_memory_sent(ps) >= ps->part;
}
