// SPDX-License-Identifier: GPL-2.0
/*
 * See direct.h.
 *
 * To wake the worker costs two switches of threads, and an interrupt of another
 * CPU, for a few bytes. So a packet's own softirq copies them, as in-kernel
 * users of TCP with parsers do (net/strparser). What is more than that, or not
 * simple, is the worker's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bvec.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/tcp.h>
#include <linux/uio.h>

#include <xen/events.h>

#include <net/sock.h>

#include "datamap.h"
#include "direct.h"
#include "fe.h"
#include "pass.h"
#include "receive.h"
#include "sock.h"
#include "trace.h"

#define PVCALLS_DIRECT_MAX	16384U

/* The first page in part, and the ring's end within another one */
#define PVCALLS_DIRECT_SEGS	(PVCALLS_DIRECT_MAX / PAGE_SIZE + 2)

static int param_set_direct(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, PVCALLS_DIRECT_MAX);
}

static const struct kernel_param_ops param_ops_direct = {
	.set = param_set_direct,
	.get = param_get_uint,
};

static unsigned int pvcalls_direct = 4096;
module_param_cb(direct, &param_ops_direct, &pvcalls_direct, 0644);
MODULE_PARM_DESC(direct,
		 "Bytes that arrive together and are given to the guest without waking a worker, at most, 0 (never) to 16384 (default 4096)");

/* With the kernel socket's lock, and nobody else at the in ring. */
static bool pvcalls_direct_move(struct pvcalls_sock *ps, struct sock *sk,
				u32 len)
{
	struct pvcalls_active *a = &ps->active;
	struct bio_vec bv[PVCALLS_DIRECT_SEGS];
	struct ringbuf_span span;
	struct iov_iter to;
	int n;

	/* until a ring that was full has a good deal of space it is let be */
	if (a->in_done || a->in_waiting || ringbuf_space(&a->in) < (int)len)
		return false;

	span = ringbuf_free_span(&a->in, 0, len);
	n = pvcalls_pass_bvec(bv, a->map->pages, &span);
	iov_iter_bvec(&to, ITER_DEST, bv, n, len);
	n = pvcalls_receive_locked(sk, &to);
	if (n > 0) {
		trace_pvcalls_move(ps->fe->domid, ps->id, n, 0);
		if (ringbuf_produce(&a->in, n))
			notify_remote_via_irq(a->irq);
	}
	return n == len && pvcalls_pass_dry(sk);
}

/**
 * pvcalls_direct_in() - give the guest what has arrived, if that is little
 * @ps: socket, whose kernel socket can't be detached during the call
 * @sk: its kernel socket, which has announced data
 *
 * In softirq context, with the kernel socket's lock; elsewhere it does nothing.
 *
 * Return: true if nothing is left to do for its worker.
 */
bool pvcalls_direct_in(struct pvcalls_sock *ps, struct sock *sk)
{
	bool done;
	u32 len;

	/* a listening one is called without its lock, and can't be looked at */
	if (sk->sk_type != SOCK_STREAM ||
	    READ_ONCE(ps->state) != PVCALLS_SS_CONNECTED)
		return false;
	/* then this is the owner, perhaps the worker itself */
	if (sock_owned_by_user(sk))
		return false;
	len = tcp_sk(sk)->rcv_nxt - tcp_sk(sk)->copied_seq;
	if (!len || len > READ_ONCE(pvcalls_direct))
		return false;
	if (test_and_set_bit_lock(PVCALLS_SF_RUNNING, &ps->flags))
		return false;
	/*
	 * The worker may have had a turn meanwhile. Pairs with the release when
	 * a connection has been accepted.
	 */
	done = smp_load_acquire(&ps->state) == PVCALLS_SS_CONNECTED &&
	       pvcalls_direct_move(ps, sk, len);
	clear_bit_unlock(PVCALLS_SF_RUNNING, &ps->flags);
	return done;
}
