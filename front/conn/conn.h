/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connection is the other half of a program's socket: a socket at the
 * backend, and the data ring to it. The connection outlives the program's
 * socket, since the backend still sends what was written, and since the ring
 * must stay until the backend has unmapped it.
 *
 * The wing, from the top down; each file uses only those below it:
 *   acceptq.c	connections that come in
 *   close.c	how connections end
 *   open.c	socket, bind, listen, connect
 *   events.c	the ring's indexes and events
 *   wake.c	telling the program's socket what has happened
 *   conn.c	the object: life, references, state
 *   order.c	which data ring a connection gets
 *   addr.c	addresses
 *   ports.c	which user holds which port
 */
#ifndef PVC_CONN_H
#define PVC_CONN_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "conn/addr.h"
#include "link/budget.h"
#include "link/cmd.h"
#include "link/link.h"
#include "link/ring.h"

struct sock;

/**
 * enum pvc_conn_state - the life of a connection
 * @PVC_CONN_NEW: the backend does not know the connection. Allowed: open;
 *	connect, with feature-open; a listener may post it. Close: released
 * @PVC_CONN_OPENED: the backend has made the socket, or has been asked to.
 *	Allowed: bind, connect, options
 * @PVC_CONN_BOUND: the backend's socket has an address. Allowed: listen,
 *	connect, options
 * @PVC_CONN_CONNECTING: CONNECT is under way and the backend may map the ring.
 *	Allowed: options; others wait
 * @PVC_CONN_ACCEPTING: ACCEPT is under way and the backend may map the ring.
 *	Only the listener's ACCEPT uses the connection
 * @PVC_CONN_CONNECTED: the ring is in use. Allowed: send, receive, shutdown,
 *	options. &pvc_conn.in_err and @out_err say which direction has ended
 * @PVC_CONN_LISTENING: the accept queue is in use. Allowed: accept, listen
 *	again, options
 * @PVC_CONN_FAILED: connecting has failed, &pvc_conn.err says why; or the
 *	backend of a listener has gone. Allowed: only close
 * @PVC_CONN_DRAINING: the program has closed the connection, and RELEASE waits
 *	until the backend has taken all of the out ring
 * @PVC_CONN_RELEASING: the program has closed the connection, and RELEASE is
 *	under way
 * @PVC_CONN_RELEASED: the backend does not know the connection any more, or
 *	has gone
 * @PVC_CONN_REUSABLE: as released, and the backend has promised that the ring
 *	may serve another connection
 * @PVC_CONN_LINGERING: the last reference has gone, but a backend that is on
 *	its way out still maps the ring. Only the link's end frees the
 *	connection
 * @PVC_CONN_STATES: number of states
 *
 * In a state from DRAINING on no program uses the connection any more: see
 * pvc_conn_gone(). The transitions are listed in conn.c.
 */
enum pvc_conn_state {
	PVC_CONN_NEW,
	PVC_CONN_OPENED,
	PVC_CONN_BOUND,
	PVC_CONN_CONNECTING,
	PVC_CONN_ACCEPTING,
	PVC_CONN_CONNECTED,
	PVC_CONN_LISTENING,
	PVC_CONN_FAILED,
	PVC_CONN_DRAINING,
	PVC_CONN_RELEASING,
	PVC_CONN_RELEASED,
	PVC_CONN_REUSABLE,
	PVC_CONN_LINGERING,
	PVC_CONN_STATES
};

/**
 * struct pvc_acceptq - what a listener has for accept()
 * @conns: connections that wait for accept(), by pvc_conn.accept_node
 * @queued: length of @conns; also read without the lock
 * @posted: number of ACCEPTs that the backend has
 * @target: what @queued and @posted together should be
 * @err: why the last ACCEPT failed, negative, or 0; the next accept() returns
 *	and clears the error. Also read without the lock
 * @starved: the backend has none, for want of what ACCEPTs take
 *
 * All of it is guarded by pvc_conn.lock.
 */
struct pvc_acceptq {
	struct list_head conns;
	unsigned int queued;
	unsigned int posted;
	unsigned int target;
	int err;
	bool starved;
};

/**
 * struct pvc_ring_seen - what the events of a connected socket have told
 * @in_prod: in_prod at the last event
 * @out_cons: out_cons at the last event
 * @found: the last event had a reason
 * @nospace: a program waits for free space in the out ring
 */
struct pvc_ring_seen {
	u32 in_prod;
	u32 out_cons;
	bool found;
	bool nospace;
};

/**
 * struct pvc_conn_cmds - the commands of a connection, one of each at a time
 * @op: CONNECT or ACCEPT
 * @release: RELEASE
 */
struct pvc_conn_cmds {
	struct pvc_cmd op;
	struct pvc_cmd release;
};

/**
 * struct pvc_conn - a connection
 * @ref: held by the program's socket, by each command under way, by a
 *	connection that drains, and by each thread that uses the connection
 * @link: the link, referenced
 * @list: in pvc_link.conns
 * @id: the socket's id at the backend
 * @family: of the backend's socket, AF_INET or AF_INET6
 * @type: of the backend's socket, SOCK_STREAM or SOCK_DGRAM
 * @protocol: of the backend's socket, as in socket()
 * @uid: the user whose program has bound the socket
 * @payers: who pays for the connection and its ring, referenced
 * @lock: guards what interrupts and programs share: @sk to @seen, the indexes
 *	of @ring, @local, @peer, @port, @late and @acceptq; taken with
 *	interrupts off
 * @sk: the program's socket, or NULL before accept() and after close()
 * @state: see &enum pvc_conn_state; changed by pvc_conn_move() only; also read
 *	without @lock
 * @err: why SOCKET or CONNECT failed; negative, or 0
 * @in_err: why no more bytes come in: negative, or 0 if more may; also read
 *	without @lock
 * @out_err: why no more bytes go out: negative, or 0 if more may; also read
 *	without @lock
 * @seen: what the last event of @ring has told
 * @ring: data ring; @ring.shm is NULL if the connection has none
 * @rx_mutex: makes its holder the consumer of @ring; held while copying, not
 *	while waiting
 * @tx_mutex: makes its holder the producer of @ring; likewise
 * @local: own address, if known
 * @peer: peer's address, if known
 * @named: bind() chooses the port; set before the backend is told of options
 * @reuseport: the backend has been told to share the port; only grows
 * @has_port: no other socket can bind to the port until the backend has
 *	released this one
 * @port: keeps other users from @local until the program closes the connection
 * @cmds: commands
 * @late: RELEASE has not been answered in time, see pvc_link_late()
 * @over: completes when RELEASE has been answered, or when there is nobody to
 *	answer
 * @free_work: frees the connection in process context, since the last reference
 *	may go in an interrupt
 * @wake_work: tells @sk in process context what has happened, see wake.c
 * @wakes: what @wake_work has to tell, PVC_WAKE_*
 * @listener: the listener whose ACCEPT the connection is for, referenced; or
 *	NULL
 * @accept_node: in the accept queue of @listener
 * @acceptq: accept queue, for a listener only
 */
struct pvc_conn {
	struct kref ref;
	struct pvc_link *link;
	struct list_head list;
	u64 id;
	int family;
	int type;
	int protocol;
	kuid_t uid;
	struct pvc_payers *payers;

	spinlock_t lock;
	struct sock *sk;
	enum pvc_conn_state state;
	int err;
	int in_err;
	int out_err;
	struct pvc_ring_seen seen;

	struct pvc_ring ring;
	struct mutex rx_mutex;
	struct mutex tx_mutex;
	struct pvc_addr local;
	struct pvc_addr peer;
	bool named;
	bool reuseport;
	bool has_port;
	struct pvc_port port;
	bool late;

	struct pvc_conn_cmds cmds;
	struct completion over;
	struct work_struct free_work;
	struct work_struct wake_work;
	unsigned long wakes;

	struct pvc_conn *listener;
	struct list_head accept_node;
	struct pvc_acceptq acceptq;
};

/**
 * pvc_conn_want_space() - when does a full out ring count as writable again?
 * @c: connection with a ring
 *
 * Context: any.
 * Return: least number of free bytes.
 */
static inline u32 pvc_conn_want_space(const struct pvc_conn *c)
{
	return c->ring.out.sh.space_wake ? c->ring.out.size / 2 : 1;
}

/**
 * pvc_conn_max_unread() - how much can a program wait for without reading?
 * @c: connection with a ring
 *
 * A backend that finds the in ring full may wait until half of the ring is
 * free. Therefore a program must not wait for more than the other half.
 *
 * Context: any.
 * Return: greatest number of bytes.
 */
static inline u32 pvc_conn_max_unread(const struct pvc_conn *c)
{
	return c->ring.in.size / 2;
}

/**
 * pvc_conn_unused() - is the connection neither connecting nor listening yet?
 * @c: connection
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool pvc_conn_unused(const struct pvc_conn *c)
{
	return READ_ONCE(c->state) <= PVC_CONN_BOUND;
}

/**
 * pvc_conn_gone() - has the program closed the connection?
 * @c: connection, used by another thread of the program
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool pvc_conn_gone(const struct pvc_conn *c)
{
	return READ_ONCE(c->state) >= PVC_CONN_DRAINING;
}

/**
 * pvc_conn_acceptable() - would accept() return at once?
 * @l: listener
 *
 * Context: any.
 * Return: true if there is a connection or an error.
 */
static inline bool pvc_conn_acceptable(const struct pvc_conn *l)
{
	return READ_ONCE(l->acceptq.queued) || READ_ONCE(l->acceptq.err);
}

/* conn.c: life */
struct pvc_conn *pvc_conn_new(struct pvc_link *link, struct pvc_payers *payers,
			      int family, int type, int protocol);
unsigned int pvc_conn_max(void);

/**
 * pvc_conn_hold() - take a reference
 * @c: connection of which the caller has a reference
 *
 * Context: any.
 * Return: @c.
 */
static inline struct pvc_conn *pvc_conn_hold(struct pvc_conn *c)
{
	kref_get(&c->ref);
	return c;
}

void pvc_conn_put(struct pvc_conn *c);
void pvc_conn_move(struct pvc_conn *c, enum pvc_conn_state to);
bool pvc_conn_is_dgram(const struct pvc_conn *c);
int pvc_conn_submit(struct pvc_conn *c, struct pvc_cmd *cmd);
void pvc_conn_release(struct pvc_conn *c);
void pvc_conn_for_each(struct pvc_link *link,
		       void (*fn)(struct pvc_conn *c, void *arg), void *arg);
void pvc_conn_free_all(struct pvc_link *link);

/* open.c: what a connection is made for */
int pvc_conn_open(struct pvc_conn *c);
int pvc_conn_open_nowait(struct pvc_conn *c);
int pvc_conn_bind(struct pvc_conn *c, const struct pvc_addr *want);
struct pvc_addr pvc_conn_addr(struct pvc_conn *c, bool peer);
void pvc_conn_hold_port(struct pvc_conn *c);
bool pvc_conn_is_shared(const struct pvc_conn *c, const struct pvc_addr *a);
int pvc_conn_listen(struct pvc_conn *c, int backlog);
int pvc_conn_add_ring(struct pvc_conn *c, const struct sock *sk);
int pvc_conn_connect(struct pvc_conn *c, struct sock *sk,
		     const struct pvc_addr *to);
int pvc_conn_getname(struct pvc_conn *c, bool peer);

/* close.c: how connections end */
int pvc_conn_shutdown(struct pvc_conn *c, int how);
void pvc_conn_close(struct pvc_conn *c, bool abort);
void pvc_conn_await_port(struct pvc_conn *c);
void pvc_conn_await_over(struct pvc_conn *c, long timeout);
void pvc_conn_reset_all(struct pvc_link *link);

/* order.c: data rings */
struct pvc_shm *pvc_order_ring(struct pvc_link *link, struct pvc_payers *payers,
			       const struct sock *sk,
			       bool (*event)(void *user));

/* acceptq.c: connections that come in */
void pvc_conn_post_accepts(struct pvc_conn *l);
struct pvc_conn *pvc_conn_accept(struct pvc_conn *l);
void pvc_conn_unaccept(struct pvc_conn *l, struct pvc_conn *c);

/* conn.c */
void pvc_conn_set_waker(work_func_t waker);

/* wake.c: telling the program's socket */
#define PVC_WAKE_STATE	BIT(0)
#define PVC_WAKE_DATA	BIT(1)
#define PVC_WAKE_ERROR	BIT(2)

void pvc_wake_init(const struct sock *sk);
void pvc_wake_sock(struct sock *sk, unsigned long what);
void pvc_wake(struct pvc_conn *c, unsigned long what);

/* events.c: the ring's indexes and events */
bool pvc_conn_event(void *arg);
void pvc_conn_end(struct pvc_conn *c, int in_err, int out_err);
int pvc_sane_error(s32 err);
void pvc_conn_break(struct pvc_conn *c, const char *what);
void pvc_conn_attach(struct pvc_conn *c, struct sock *sk);
bool pvc_conn_drained(struct pvc_conn *c);
int pvc_conn_space(struct pvc_conn *c, bool wait);
void pvc_conn_produce(struct pvc_conn *c, u32 len);
int pvc_conn_avail(struct pvc_conn *c, bool arm);
void pvc_conn_consume(struct pvc_conn *c, u32 len);

#endif /* PVC_CONN_H */
