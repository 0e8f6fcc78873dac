/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wing sock/: a guest's sockets.
 *
 * It offers sockets (sock.h), their opening and runs (open.h, run.h),
 * connections (connect.h, conn.h, direction.h, callbacks.h), moving of bytes
 * (stream.h, dgram.h, fastpath.h, receive.h, zerocopy.h, pace.h), listening
 * (listener.h, inbound.h), addresses and options (name.h, sockopt.h), kernel
 * sockets that TCP still needs (orphan.h), and their memory (memory.h). It may
 * use sched/, guest/, ring/, account/, states.h, trace.h, ringbuf/ and include/.
 *
 * A socket belongs to one worker, which runs all commands of the socket in
 * order and uses the socket's state without a lock. Other threads only set bits
 * in @flags, add to @calls, and mark the socket's work. The exception is a
 * softirq that moves a few bytes (fastpath.h): it holds PVCALLS_SF_RUNNING, and
 * does nothing while the work is being run.
 *
 * Locks: pvcalls_socks.lock, a spinlock of process context, guards the list of
 * a guest's sockets; pvcalls_worker.lock may be taken inside it.
 * sk_callback_lock of a kernel socket keeps its callbacks' owner.
 *
 * References: a socket that is not torn down has one, which pvcalls_sock_drop()
 * drops. Queued works, lookups and sends by reference have one each. A socket
 * that is torn down holds nothing but memory.
 *
 * A socket that is to hold a connection to be accepted belongs to the worker of
 * the listening socket until it is PVCALLS_SS_CONNECTED. Until then its own
 * worker leaves the socket alone.
 */
#ifndef PVCALLS_BACK_SOCK_H
#define PVCALLS_BACK_SOCK_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "account/account.h"
#include "account/rate.h"
#include "flow.h"
#include "guest/policy.h"
#include "ring/notify.h"
#include "ringbuf.h"
#include "sched/work.h"
#include "sock/callbacks.h"
#include "sock/zerocopy.h"
#include "states.h"

struct pvcalls_call;
struct pvcalls_datamap;
struct pvcalls_guest;
struct pvcalls_orphan;
struct pvcalls_ring;
struct pvcalls_sock;
struct pvcalls_subscriber_ops;
struct pvcalls_tools;
struct socket;

/**
 * enum pvcalls_sock_state - states of a socket
 * @PVCALLS_SS_IDLE: neither connected nor listening
 * @PVCALLS_SS_ACCEPTING: waits for the connection that it is to hold
 * @PVCALLS_SS_CONNECTING: a CONNECT waits for the network
 * @PVCALLS_SS_CONNECTED: the data ring is in use
 * @PVCALLS_SS_DRAINING: released; the bytes that the guest left in the ring are
 *	sent
 * @PVCALLS_SS_RESETTING: as @PVCALLS_SS_DRAINING, and then the connection ends
 *	with a RST
 * @PVCALLS_SS_LISTENING: connections may be accepted
 * @PVCALLS_SS_CLOSING: torn down, except that sends still refer to pages of the
 *	ring
 * @PVCALLS_SS_GONE: torn down
 */
enum pvcalls_sock_state {
	PVCALLS_SS_IDLE,
	PVCALLS_SS_ACCEPTING,
	PVCALLS_SS_CONNECTING,
	PVCALLS_SS_CONNECTED,
	PVCALLS_SS_DRAINING,
	PVCALLS_SS_RESETTING,
	PVCALLS_SS_LISTENING,
	PVCALLS_SS_CLOSING,
	PVCALLS_SS_GONE,
};

/**
 * enum pvcalls_sock_flag - bits of pvcalls_sock.flags, which any thread may set
 * @PVCALLS_SF_IN_READY: the kernel socket may have data, an end or an error
 * @PVCALLS_SF_OUT_READY: the kernel socket may have room, or an error
 * @PVCALLS_SF_SETTLE: the guest is to be charged what the kernel socket has
 * @PVCALLS_SF_RUNNING: the work is being run, or a function of fastpath.h is
 */
enum pvcalls_sock_flag {
	PVCALLS_SF_IN_READY,
	PVCALLS_SF_OUT_READY,
	PVCALLS_SF_SETTLE,
	PVCALLS_SF_RUNNING,
};

/**
 * struct pvcalls_conn - the connection of a stream or datagram socket
 * @ring: the data ring, or NULL
 * @map: mapping of @ring; NULL if there is no ring
 * @irq: interrupt of the ring's event channel; 0 if there is no ring
 * @notify: events that are owed to the guest
 * @in: bytes from the network to the guest; we produce
 * @out: bytes from the guest to the network; we consume
 * @in_cons: the guest's index of @in at the last event
 * @out_prod: the guest's index of @out at the last event
 * @in_state: state of the direction to the guest; see pvcalls_in_set()
 * @out_state: state of the direction to the network; see pvcalls_out_set()
 * @stop_at: index of @out beyond which nothing is sent if
 *	pvcalls_out_is_limited()
 * @zerocopy: sends whose bytes have not been given back
 * @retry: says that there is room, some time after TCP had no memory; or that
 *	pages may be free, some time after they were not
 * @claims: the socket's part in its guest's rates, by enum pvcalls_pace
 * @flow: for the log of connections
 * @err: error of the connection, negative, or 0
 * @dgram_err: error of a datagram that the guest has yet to be told, negative,
 *	or 0
 * @lost_in: number of datagrams that were too large for the ring, or for which
 *	the guest had no memory
 * @lost_out: number of datagrams that could not be sent
 * @connect: the CONNECT that is under way, or NULL
 * @begun: the kernel has been asked to connect; till then @connect waits for
 *	its turn
 * @addr: the address of @connect
 * @addr_len: length of @addr in bytes
 */
struct pvcalls_conn {
	struct pvcalls_ring *ring;
	struct pvcalls_datamap *map;
	int irq;
	struct pvcalls_notify notify;
	struct ringbuf in;
	struct ringbuf out;
	u32 in_cons;
	u32 out_prod;
	enum pvcalls_in_state in_state;
	enum pvcalls_out_state out_state;
	u32 stop_at;
	struct pvcalls_zerocopy zerocopy;
	struct timer_list retry;
	struct pvcalls_claim claims[PVCALLS_PACES];
	struct pvcalls_flow flow;
	int err;
	int dgram_err;
	u32 lost_in;
	u32 lost_out;
	struct pvcalls_call *connect;
	bool begun;
	struct sockaddr_storage addr;
	int addr_len;
};

/**
 * struct pvcalls_listener - the waiting calls of a listening socket
 * @accepts: ACCEPTs that wait for a connection, the oldest first
 * @polls: POLLs that wait for a connection
 * @lock: guards @scarce, pvcalls_sock.held of %PVCALLS_KIND_QUEUED and the
 *	kernel socket's limit of its queue; taken with bottom halves off
 * @backlog: how many connections may wait, if there is room for them
 * @scarce: fewer may wait, because there is no room for them
 */
struct pvcalls_listener {
	struct list_head accepts;
	struct list_head polls;
	spinlock_t lock;
	u32 backlog;
	bool scarce;
};

/**
 * struct pvcalls_sock_type - functions of stream or datagram sockets
 * @work: operations of the sockets' works
 * @callbacks: functions for reports of the kernel socket
 * @events: functions for events on the data ring's event channel
 * @connect: runs CONNECT, and answers the call now or later
 * @pass_out: sends bytes of the guest, for a socket that is connected or
 *	drains. Returns true if the socket is to be run again
 * @pass_in: gives arrived bytes to the guest, for a socket that is connected.
 *	Returns true if the socket is to be run again
 *
 * @connect, @pass_out and @pass_in run on the worker that the socket belongs
 *	to. They never wait for the network.
 */
struct pvcalls_sock_type {
	const struct pvcalls_work_ops *work;
	const struct pvcalls_callback_ops *callbacks;
	const struct pvcalls_subscriber_ops *events;
	void (*connect)(struct pvcalls_sock *ps, struct pvcalls_call *call);
	bool (*pass_out)(struct pvcalls_sock *ps);
	bool (*pass_in)(struct pvcalls_sock *ps);
};

/**
 * struct pvcalls_socks - the sockets of a guest
 * @ids: sockets by pvcalls_sock.id
 * @lock: guards @all; taken in process context only
 * @all: all sockets
 * @live: number of sockets that are not torn down
 * @queues: number of sockets that are charged memory
 * @gone: woken when @live reaches 0
 */
struct pvcalls_socks {
	struct rhashtable ids;
	spinlock_t lock;
	struct list_head all;
	atomic_t live;
	atomic_t queues;
	wait_queue_head_t gone;
};

/**
 * struct pvcalls_sock - a socket of a guest
 * @work: the socket's work
 * @ref: references, see the top of this file
 * @rcu: frees the socket after lookups under RCU
 * @hash: entry in pvcalls_socks.ids
 * @list: entry in pvcalls_socks.all
 * @guest: the guest, to which the socket has a reference
 * @id: the socket's id, chosen by the guest
 * @state: written by the worker that the socket belongs to
 * @flags: bits of enum pvcalls_sock_flag
 * @calls: commands that are to be run, the newest first
 * @todo: commands taken off @calls, the next one first; used in the socket's
 *	run
 * @sock: the kernel socket; NULL in PVCALLS_SS_ACCEPTING and when torn down
 * @type: functions of a stream or datagram socket
 * @tools: tools of the worker that runs the socket, or the listening socket
 *	that is to accept the socket; NULL between runs
 * @callbacks: owner of @sock's callbacks
 * @held: what the guest is charged for the socket
 * @orphan: memory for closing @sock
 * @fill: how full the guest's share of memory was when @sock was last told
 * @part: bytes that each queue of @sock may have then; 0: any number
 * @looked: number of bytes that had passed when what @sock has was last looked
 *	at; wraps
 * @rcvbuf: what the receive buffer was when that was PVCALLS_FILL_LITTLE
 * @release: the RELEASE that ends the socket, or NULL
 * @conn: the connection, if there is one
 * @listener: the waiting calls, if the socket listens
 */
struct pvcalls_sock {
	struct pvcalls_work work;
	struct kref ref;
	struct rcu_head rcu;
	struct rhash_head hash;
	struct list_head list;
	struct pvcalls_guest *guest;
	u64 id;
	enum pvcalls_sock_state state;
	unsigned long flags;
	struct llist_head calls;
	struct llist_node *todo;
	struct socket *sock;
	const struct pvcalls_sock_type *type;
	struct pvcalls_tools *tools;
	struct pvcalls_callbacks callbacks;
	struct pvcalls_use held;
	struct pvcalls_orphan *orphan;
	enum pvcalls_fill fill;
	u32 part;
	u32 looked;
	int rcvbuf;
	struct pvcalls_call *release;
	struct pvcalls_conn conn;
	struct pvcalls_listener listener;
};

/**
 * pvcalls_sock_drains() - does a released socket send remaining bytes?
 * @ps: the socket
 *
 * Context: the worker that the socket belongs to.
 * Return: true if the bytes that the guest left in the ring are to be sent.
 */
static inline bool pvcalls_sock_drains(const struct pvcalls_sock *ps)
{
	return ps->state == PVCALLS_SS_DRAINING ||
	       ps->state == PVCALLS_SS_RESETTING;
}

/**
 * pvcalls_sock_has_calls() - does a socket have commands?
 * @ps: the socket
 *
 * Context: the socket's run.
 * Return: true if pvcalls_sock_next() would find one.
 */
static inline bool pvcalls_sock_has_calls(const struct pvcalls_sock *ps)
{
	return ps->todo || !llist_empty(&ps->calls);
}

int pvcalls_socks_init(struct pvcalls_guest *g);
void pvcalls_socks_exit(struct pvcalls_guest *g);
void pvcalls_socks_end(struct pvcalls_guest *g);
void pvcalls_socks_for_each(struct pvcalls_guest *g,
			    void (*fn)(struct pvcalls_sock *ps, void *arg),
			    void *arg);

int pvcalls_sock_charge(struct pvcalls_guest *g);
void pvcalls_sock_uncharge(struct pvcalls_guest *g);
int pvcalls_sock_hold(struct pvcalls_sock *ps, enum pvcalls_kind kind);
void pvcalls_sock_unhold(struct pvcalls_sock *ps, enum pvcalls_kind kind);
void pvcalls_sock_unhold_port(struct pvcalls_sock *ps);
struct pvcalls_sock *pvcalls_sock_new(struct pvcalls_guest *g, u64 id,
				      const struct pvcalls_sock_type *type,
				      struct socket *sock);
void pvcalls_sock_close(struct pvcalls_sock *ps);
void pvcalls_sock_drop(struct pvcalls_sock *ps);

bool pvcalls_sock_ready(const struct pvcalls_sock *ps);
struct pvcalls_sock *pvcalls_sock_find(struct pvcalls_guest *g, u64 id);
void pvcalls_sock_unhash(struct pvcalls_sock *ps);
void pvcalls_sock_get(struct pvcalls_sock *ps);
void pvcalls_sock_put(struct pvcalls_sock *ps);
void pvcalls_sock_submit(struct pvcalls_sock *ps, struct pvcalls_call *call);
struct pvcalls_call *pvcalls_sock_next(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_SOCK_H */
