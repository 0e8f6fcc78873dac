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

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>

#include "sock/conn.h"
#include "sock/callbacks.h"
#include "sock/listener.h"
#include "sched/worker.h"

struct pvcalls_call;
struct pvcalls_guest;
struct socket;

/**
 * enum pvcalls_sock_state - what a socket is at the moment
 * @PVCALLS_SS_IDLE: neither connected nor listening
 * @PVCALLS_SS_ACCEPTING: waits for the connection that it is to hold
 * @PVCALLS_SS_CONNECTING: waits for the network
 * @PVCALLS_SS_CONNECTED: an active socket
 * @PVCALLS_SS_DRAINING: released; sends what the guest left in the ring
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
 * struct pvcalls_sock - a socket of a guest
 * @work: its work
 * @ref: see above
 * @rcu: for freeing it
 * @hash: in the frontend's table of ids
 * @list: in the frontend's list
 * @guest: frontend; referenced
 * @id: chosen by the guest
 * @state: written by the worker that it belongs to
 * @flags: bits of enum pvcalls_sock_flag
 * @calls: commands that are to be run, the newest first
 * @todo: those that were there before, the next one first; in its run
 * @sock: the kernel socket; NULL while it waits for its connection
 * @callbacks: callbacks that the kernel socket had before
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
	struct pvcalls_callbacks callbacks;
	struct pvcalls_call *release;
	struct pvcalls_conn conn;
	struct pvcalls_listener listener;
};

int pvcalls_socks_init(struct pvcalls_guest *g);
void pvcalls_socks_exit(struct pvcalls_guest *g);
void pvcalls_socks_mark_all(struct pvcalls_guest *g);

int pvcalls_sock_open(struct pvcalls_guest *g, u64 id, u32 domain, u32 type,
		      u32 protocol);
struct pvcalls_sock *pvcalls_sock_new(struct pvcalls_guest *g, u64 id,
				      struct socket *sock);
bool pvcalls_sock_close(struct pvcalls_sock *ps);
void pvcalls_sock_drop(struct pvcalls_sock *ps);

struct pvcalls_sock *pvcalls_sock_find(struct pvcalls_guest *g, u64 id);
void pvcalls_sock_unhash(struct pvcalls_sock *ps);
void pvcalls_sock_put(struct pvcalls_sock *ps);
void pvcalls_sock_submit(struct pvcalls_sock *ps, struct pvcalls_call *call);

void pvcalls_sock_name(struct pvcalls_sock *ps, struct pvcalls_call *call,
		       bool peer);

#endif /* PVCALLS_BACK_SOCK_H */
