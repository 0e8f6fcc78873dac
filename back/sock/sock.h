/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets of guests.
 *
 * A socket belongs to one worker, which runs all commands for it, in order,
 * and touches its state without a lock. Others only set bits in @flags, add to
 * @calls, and mark the socket's work; but for a softirq that moves a few bytes
 * (fastpath.h), which keeps out if the work is being run.
 *
 * References: one for being alive, dropped by pvcalls_sock_drop(), one while
 * the work is queued, and those of lookups. An object that is not alive holds
 * nothing but memory.
 *
 * A socket that is to hold a connection to be accepted is the exception: until
 * it is PVCALLS_SS_CONNECTED it belongs to the worker of the passive socket,
 * and its own worker leaves it alone.
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
#include <linux/wait.h>

#include "ring/notify.h"
#include "ringbuf.h"
#include "sched/work.h"
#include "sock/callbacks.h"
#include "sock/zerocopy.h"
#include "states.h"

struct pvcalls_call;
struct pvcalls_datamap;
struct pvcalls_guest;
struct pvcalls_ring;
struct pvcalls_sock;
struct pvcalls_subscriber_ops;
struct pvcalls_tools;
struct socket;

/**
 * enum pvcalls_sock_state - what a socket is at the moment
 * @PVCALLS_SS_IDLE: neither connected nor listening
 * @PVCALLS_SS_ACCEPTING: waits for the connection that it is to hold
 * @PVCALLS_SS_CONNECTING: waits for the network
 * @PVCALLS_SS_CONNECTED: an active socket
 * @PVCALLS_SS_DRAINING: released; sends what the guest left in the ring
 * @PVCALLS_SS_RESETTING: likewise, and then ends the connection with a RST
 * @PVCALLS_SS_LISTENING: a passive socket
 * @PVCALLS_SS_CLOSING: torn down, but for pages that the network still has
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
 * enum pvcalls_sock_flag - bits of pvcalls_sock.flags, set by anyone
 * @PVCALLS_SF_IN_READY: the kernel socket may have data, an end or an error
 * @PVCALLS_SF_OUT_READY: the kernel socket may have room, or an error
 * @PVCALLS_SF_RUNNING: its work is being run, or a function of fastpath.h is
 */
enum pvcalls_sock_flag {
	PVCALLS_SF_IN_READY,
	PVCALLS_SF_OUT_READY,
	PVCALLS_SF_RUNNING,
};

/**
 * struct pvcalls_conn - what an active socket has
 * @ring: the data ring; NULL if there is none
 * @map: its pages; NULL if there is none
 * @irq: its event channel; 0 if there is none
 * @notify: events to the guest
 * @in: network to guest; we produce
 * @out: guest to network; we consume
 * @in_cons: where the guest's index was at the last event
 * @out_prod: likewise
 * @in_state: of the direction to the guest; see pvcalls_in_set()
 * @out_state: of the direction to the network; see pvcalls_out_set()
 * @stop_at: an out index, beyond which nothing is sent if
 *	pvcalls_out_is_limited()
 * @zerocopy: what was sent and has not been given back
 * @err: error of the connection, negative, or 0
 * @dgram_err: an error about a datagram that the guest is to be told, negative,
 *	or 0
 * @lost_in: datagrams that were too large for the ring
 * @lost_out: datagrams that could not be sent
 * @connect: the CONNECT that is under way
 * @addr: where to
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
	int err;
	int dgram_err;
	u32 lost_in;
	u32 lost_out;
	struct pvcalls_call *connect;
	struct sockaddr_storage addr;
	int addr_len;
};

/**
 * struct pvcalls_listener - what a passive socket has
 * @accepts: ACCEPTs that wait for a connection, the oldest first
 * @polls: POLLs that wait for one
 */
struct pvcalls_listener {
	struct list_head accepts;
	struct list_head polls;
};

/**
 * struct pvcalls_sock_type - what differs between streams and datagrams
 * @work: how sockets are run
 * @callbacks: what is done about what happens to the kernel socket
 * @events: what is done about events on the data ring's event channel
 * @connect: runs CONNECT, which is its to answer
 * @pass_out: sends what the guest has written, of a socket that is connected or
 *	drains; true if there is more to do at once
 * @pass_in: gives the guest what has arrived, of a socket that is connected;
 *	likewise
 *
 * @connect and the passes run on the worker that the socket belongs to, and
 * never wait for the network.
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
 * @ids: by their ids
 * @lock: guards @all; taken in process context only
 * @all: all sockets
 * @live: sockets that are not torn down
 * @gone: woken when @live reaches 0
 */
struct pvcalls_socks {
	struct rhashtable ids;
	spinlock_t lock;
	struct list_head all;
	atomic_t live;
	wait_queue_head_t gone;
};

/**
 * struct pvcalls_sock - a socket of a guest
 * @work: its work
 * @ref: see above
 * @rcu: for freeing it
 * @hash: in pvcalls_socks.ids
 * @list: in pvcalls_socks.all
 * @guest: frontend; referenced
 * @id: chosen by the guest
 * @state: written by the worker that it belongs to
 * @flags: bits of enum pvcalls_sock_flag
 * @calls: commands that are to be run, the newest first
 * @todo: those that were there before, the next one first; in its run
 * @sock: the kernel socket; NULL while it waits for its connection
 * @type: stream or datagrams
 * @tools: of the worker that runs it; in its run
 * @callbacks: callbacks in the kernel socket
 * @release: the RELEASE that ends it, once that was read
 * @conn: what an active socket has in addition
 * @listener: what a passive socket has in addition
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
	struct pvcalls_call *release;
	struct pvcalls_conn conn;
	struct pvcalls_listener listener;
};

/**
 * pvcalls_sock_drains() - does it send what the guest left in the ring?
 * @ps: socket
 *
 * Context: on the worker that it belongs to.
 * Return: true if so.
 */
static inline bool pvcalls_sock_drains(const struct pvcalls_sock *ps)
{
	return ps->state == PVCALLS_SS_DRAINING ||
	       ps->state == PVCALLS_SS_RESETTING;
}

int pvcalls_socks_init(struct pvcalls_guest *g);
void pvcalls_socks_exit(struct pvcalls_guest *g);
void pvcalls_socks_end(struct pvcalls_guest *g);
void pvcalls_socks_for_each(struct pvcalls_guest *g,
			    void (*fn)(struct pvcalls_sock *ps, void *arg),
			    void *arg);

struct pvcalls_sock *pvcalls_sock_new(struct pvcalls_guest *g, u64 id,
				      const struct pvcalls_sock_type *type,
				      struct socket *sock);
void pvcalls_sock_drop(struct pvcalls_sock *ps);

bool pvcalls_sock_ready(const struct pvcalls_sock *ps);
struct pvcalls_sock *pvcalls_sock_find(struct pvcalls_guest *g, u64 id);
void pvcalls_sock_unhash(struct pvcalls_sock *ps);
void pvcalls_sock_get(struct pvcalls_sock *ps);
void pvcalls_sock_put(struct pvcalls_sock *ps);
void pvcalls_sock_submit(struct pvcalls_sock *ps, struct pvcalls_call *call);
struct pvcalls_call *pvcalls_sock_next(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_SOCK_H */
