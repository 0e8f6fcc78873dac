/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs' sockets. Each is a native socket of the guest's own kernel whose
 * struct proto and struct proto_ops are ours. bind(), connect() and listen()
 * decide what a TCP socket is: local, and then everything of ours leaves it; or
 * remote, and then the native socket stays closed and only keeps the options.
 * A UDP socket talks to local and remote peers at a time and stays ours.
 *
 * docs/ARCHITECTURE.md tells why the sockets have this shape.
 */
#ifndef PVC_SOCK_H
#define PVC_SOCK_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <net/sock.h>

#include "conn/addr.h"
#include "conn/conn.h"
#include "pvcalls_sockopt.h"

/**
 * enum pvc_sk_state - the life of a program's socket
 * @PVC_SK_OPEN: nothing has been decided
 * @PVC_SK_BOUND: bound at the backend
 * @PVC_SK_CONNECTING: connect() is under way, or its result waits to be told
 * @PVC_SK_CONNECTED: connected, though the connection may have ended
 * @PVC_SK_LISTENING: listens at the backend
 * @PVC_SK_LOCAL: the socket is native and ours no more
 * @PVC_SK_CLOSED: the socket is being destroyed
 *
 * What a state allows, and the connection that a socket has in it:
 *
 * ========== ==================== =========================================
 * State      pvc_sock.conn        Allowed here
 * ========== ==================== =========================================
 * OPEN       none                 bind(), connect(), listen()
 * BOUND      open, or none if a   connect(), listen()
 *            connection has ended
 *            or the backend is
 *            away
 * CONNECTING connecting, failed   connect() again, shutdown(), send() waits
 * CONNECTED  connected            send(), recv(), shutdown()
 * LISTENING  listening, or failed accept(), listen() again, shutdown()
 *            or none while the
 *            backend is away
 * LOCAL      none                 every call goes to the native tables
 * CLOSED     none                 nothing
 * ========== ==================== =========================================
 *
 * Options may be set in all of them, connect() with AF_UNSPEC leads back to
 * BOUND or OPEN. A socket of datagrams is OPEN or BOUND until it is CLOSED; its
 * connection comes with the first datagram that leaves the guest. Only
 * pvc_sk_move() changes the state.
 */
enum pvc_sk_state {
	PVC_SK_OPEN,
	PVC_SK_BOUND,
	PVC_SK_CONNECTING,
	PVC_SK_CONNECTED,
	PVC_SK_LISTENING,
	PVC_SK_LOCAL,
	PVC_SK_CLOSED,
};

/**
 * enum pvc_peer - whom a socket of datagrams talks to
 * @PVC_PEER_NONE: to whomever a datagram names
 * @PVC_PEER_LOCAL: to somebody in the guest
 * @PVC_PEER_REMOTE: to somebody outside
 */
enum pvc_peer {
	PVC_PEER_NONE,
	PVC_PEER_LOCAL,
	PVC_PEER_REMOTE,
};

/**
 * struct pvc_again - what a socket needs in order to come back
 * @node: in one of the lists of roster.c, or empty
 * @sk: the native socket, while @node is in a list
 * @addr: address that is to be bound again; none if it has no length
 * @port: keeps other users from @addr while the socket waits
 * @backlog: as in listen()
 * @seq: counts the options that the program has set
 * @err: why the socket does not listen at this backend, negative, or 0; the
 *	next accept() returns and clears the error
 * @refusals: how often the newest backend of those has refused the socket that
 *	have been asked
 * @backend: which one that was, as roster.c counts them
 */
struct pvc_again {
	struct list_head node;
	struct sock *sk;
	struct pvc_addr addr;
	struct pvc_port port;
	int backlog;
	unsigned int seq;
	int err;
	unsigned int refusals;
	unsigned int backend;
};

/**
 * struct pvc_sock - what we know of a program's socket
 * @ref: held by the native socket until it goes local or is destroyed, and by
 *	each call under way
 * @rcu: frees the object of a TCP socket after those who look it up
 * @embedded: the object is the tail of a socket of datagrams, and is freed with
 *	that
 * @state: see &enum pvc_sk_state; changed under @ctl
 * @listened: the native socket has been in the hash of listening sockets
 * @ctl: serialises bind(), connect(), listen(), shutdown(); killable, since the
 *	backend may not answer. Taken before the lock of the native socket
 * @lock: @conn, @payers, @congestion and &pvc_again.seq; with bottom halves
 *	off, since the native socket is destroyed with its lock held, which
 *	softirqs take
 * @conn: the backend's socket, referenced; NULL if there is none
 * @payers: who has made the socket and pays for it, referenced; NULL once the
 *	socket is destroyed
 * @port_given: bind() has named the port of @local
 * @local: address that the socket is bound to at the backend; none if it has
 *	no length
 * @dpeer: of datagrams: whom connect() has named
 * @peer: the address that connect() has named, with PVC_PEER_REMOTE
 * @again: what brings the socket back when a backend has gone
 * @opts_set: options of pvcalls_sockopt.h's table that the program has set
 * @opts_owed: those of @opts_set that the backend does not know, for want of
 *	memory
 * @opts: the values of @opts_set
 * @congestion: the congestion control's name, perhaps without an end
 */
struct pvc_sock {
	struct kref ref;
	struct rcu_head rcu;
	bool embedded;
	enum pvc_sk_state state;
	bool listened;
	struct mutex ctl;
	spinlock_t lock;
	struct pvc_conn *conn;
	struct pvc_payers *payers;
	bool port_given;
	struct pvc_addr local;
	enum pvc_peer dpeer;
	struct pvc_addr peer;
	struct pvc_again again;
	unsigned long opts_set;
	unsigned long opts_owed;
	int opts[PVCALLS_RELAYED];
	char congestion[PVCALLS_CONGESTION_LEN];
};

struct pvc_sock *pvc_sk_alloc(void);
void pvc_sk_init(struct pvc_sock *psk);
struct pvc_sock *pvc_sk_hold(struct pvc_sock *psk);
void pvc_sk_put(struct pvc_sock *psk);
int pvc_sk_pay(struct pvc_sock *psk);
struct pvc_conn *pvc_sk_new_conn(struct pvc_sock *psk, struct pvc_link *link,
				 int family, int type, int protocol);
struct pvc_conn *pvc_sk_conn(struct pvc_sock *psk);
int pvc_sk_set_conn(struct pvc_sock *psk, struct pvc_conn *c);
void pvc_sk_drop_conn(struct pvc_sock *psk, bool abort);
void pvc_sk_drop_ended(struct pvc_sock *psk);
void pvc_sk_abandon(struct pvc_sock *psk);
void pvc_sk_close(struct pvc_sock *psk, struct sock *sk, long timeout);
void pvc_sk_move(struct pvc_sock *psk, struct socket *sock,
		 enum pvc_sk_state to);
void pvc_sk_rest(struct pvc_sock *psk, struct socket *sock);

/**
 * pvc_sk_state() - the state of a socket
 * @psk: object
 *
 * Context: any. Without ctl the answer may be outdated when the caller gets it.
 * Return: the state.
 */
static inline enum pvc_sk_state pvc_sk_state(const struct pvc_sock *psk)
{
	return READ_ONCE(psk->state);
}

#endif /* PVC_SOCK_H */
