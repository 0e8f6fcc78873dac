/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A socket at the backend. It outlives the program's socket: what was written
 * is still sent, and the ring stays until the backend has let it go.
 */
#ifndef PVC_CONN_H
#define PVC_CONN_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "conn/addr.h"
#include "link/cmd.h"
#include "link/link.h"
#include "link/ring.h"

struct sock;

/**
 * enum pvc_conn_state - what the backend's socket is
 * @PVC_CONN_OPEN: created, perhaps bound
 * @PVC_CONN_CONNECTING: connect is under way
 * @PVC_CONN_CONNECTED: the ring is in use
 * @PVC_CONN_LISTENING: passive
 * @PVC_CONN_FAILED: connect has failed
 */
enum pvc_conn_state {
	PVC_CONN_OPEN,
	PVC_CONN_CONNECTING,
	PVC_CONN_CONNECTED,
	PVC_CONN_LISTENING,
	PVC_CONN_FAILED,
};

/**
 * struct pvc_conn - a socket at the backend
 * @ref: held by the program's socket, by each command under way, while
 *	@draining, and by each user
 * @link: its connection to the backend, referenced
 * @list: in pvc_link.conns
 * @id: the backend's name for it
 * @family: of the backend's socket
 * @uid: whose socket has bound it
 * @lock: all that an interrupt shares with programs: @sk, @state, indexes of
 *	@ring, flags, addresses, the accept queue; taken with interrupts off
 * @sk: the program's socket; NULL before accept() and after close()
 * @state: see &enum pvc_conn_state
 * @err: why it failed, negative
 * @opened: the backend may know it
 * @bound: it has been bound
 * @has_ring: @ring is there
 * @reusable: the backend has let go of the ring, which can be kept
 * @closing: no program uses it any more
 * @draining: RELEASE waits for the out ring to get empty
 * @in_err: in_error as last seen, negative, or 0
 * @out_err: out_error as last seen, negative, or 0
 * @nospace: somebody waits for free space in the out ring
 * @in_seen: in_prod at the last event
 * @out_seen: out_cons at the last event
 * @found: the last event had a reason
 * @ring: data ring
 * @rx_mutex: the consumer of @ring; held while copying, not while waiting
 * @tx_mutex: the producer of @ring; likewise
 * @local: own address, if known
 * @peer: peer's address, if known
 * @open: SOCKET command
 * @op: CONNECT or ACCEPT command
 * @rel: RELEASE command
 * @released: @rel is done
 * @free_work: frees it, since the last reference may go in an interrupt
 * @wake_work: tells @sk in process context, see wake.c
 * @wakes: what @wake_work has to tell, PVC_WAKE_*
 * @lingers: the last reference has gone, but a backend that is on its way out
 *	maps the ring still; under pvc_link.conns_lock
 * @listener: the passive socket that it was or will be accepted from
 * @acceptq: connections that wait for accept()
 * @accept_node: in the listener's @acceptq
 * @queued: length of @acceptq
 * @posted: ACCEPTs that the backend has
 * @target: how many it should have
 * @accept_err: why the last ACCEPT failed, for the next accept()
 */
struct pvc_conn {
	struct kref ref;
	struct pvc_link *link;
	struct list_head list;
	u64 id;
	int family;
	kuid_t uid;

	spinlock_t lock;
	struct sock *sk;
	enum pvc_conn_state state;
	int err;
	int in_err;
	int out_err;
	bool opened;
	bool bound;
	bool has_ring;
	bool reusable;
	bool closing;
	bool draining;
	bool nospace;
	u32 in_seen;
	u32 out_seen;
	bool found;

	struct pvc_ring ring;
	struct mutex rx_mutex;
	struct mutex tx_mutex;
	struct pvc_addr local;
	struct pvc_addr peer;

	struct pvc_cmd open;
	struct pvc_cmd op;
	struct pvc_cmd rel;
	struct completion released;
	struct work_struct free_work;
	struct work_struct wake_work;
	unsigned long wakes;
	bool lingers;

	struct pvc_conn *listener;
	struct list_head acceptq;
	struct list_head accept_node;
	unsigned int queued;
	unsigned int posted;
	unsigned int target;
	int accept_err;
};

/* Free bytes at which a full out ring counts as writable again */
static inline u32 pvc_conn_want_space(const struct pvc_conn *c)
{
	return c->ring.out.sh.space_wake ? c->ring.out.size / 2 : 1;
}

/*
 * Most bytes that a program can wait for without reading any. The backend stops
 * when the ring is full, and may wait for half of it to become free.
 */
static inline u32 pvc_conn_max_unread(const struct pvc_conn *c)
{
	return c->ring.in.size / 2;
}

/* Has the program closed it, or ended it otherwise, while a thread used it? */
static inline bool pvc_conn_gone(const struct pvc_conn *c)
{
	return READ_ONCE(c->closing);
}

/* conn.c: life, connecting */
struct pvc_conn *pvc_conn_new(struct pvc_link *link, int family, int type,
			      int protocol);

static inline struct pvc_conn *pvc_conn_hold(struct pvc_conn *c)
{
	kref_get(&c->ref);
	return c;
}

void pvc_conn_put(struct pvc_conn *c);
int pvc_conn_submit(struct pvc_conn *c, struct pvc_cmd *cmd);
int pvc_conn_open(struct pvc_conn *c);
int pvc_conn_open_nowait(struct pvc_conn *c);
int pvc_conn_bind(struct pvc_conn *c, const struct pvc_addr *want);
bool pvc_conn_is_shared(struct pvc_conn *c);
int pvc_conn_listen(struct pvc_conn *c, int backlog);
int pvc_conn_connect(struct pvc_conn *c, struct sock *sk,
		     const struct pvc_addr *to);
int pvc_conn_getname(struct pvc_conn *c, bool peer);
void pvc_conn_for_each(struct pvc_link *link,
		       void (*fn)(struct pvc_conn *c, void *arg), void *arg);
void pvc_conn_free_all(struct pvc_link *link);
bool pvc_queue_work(struct work_struct *work);
void pvc_queue_delayed(struct delayed_work *work, unsigned long delay);
int pvc_conn_init(void);
void pvc_conn_exit(void);

/* close.c: how they end */
int pvc_conn_shutdown(struct pvc_conn *c, int how);
void pvc_conn_close(struct pvc_conn *c, bool abort);
void pvc_conn_await_port(struct pvc_conn *c);
void pvc_conn_drain(struct pvc_conn *c);
void pvc_conn_reset_all(struct pvc_link *link);

/* order.c: data rings */
int pvc_conn_add_ring(struct pvc_conn *c, const struct sock *sk);
void pvc_conn_free_shm(struct pvc_link *link, struct pvc_shm *shm);
void pvc_order_init(void);

/* acceptq.c: connections that come in */
void pvc_conn_post_accepts(struct pvc_conn *l);
struct pvc_conn *pvc_conn_accept(struct pvc_conn *l);
void pvc_conn_unaccept(struct pvc_conn *l, struct pvc_conn *c);

/* wake.c: telling the program's socket */
#define PVC_WAKE_STATE	BIT(0)
#define PVC_WAKE_DATA	BIT(1)
#define PVC_WAKE_ERROR	BIT(2)

void pvc_wake_init(const struct sock *sk);
void pvc_wake_work(struct work_struct *work);
void pvc_wake(struct pvc_conn *c, unsigned long what);

/* events.c: the ring's indexes and events */
bool pvc_conn_event(void *arg);
void pvc_conn_end(struct pvc_conn *c, int in_err, int out_err);
int pvc_sane_error(s32 err);
void pvc_conn_break(struct pvc_conn *c, const char *what);
void pvc_conn_attach(struct pvc_conn *c, struct sock *sk);
int pvc_conn_space(struct pvc_conn *c, bool wait);
void pvc_conn_produce(struct pvc_conn *c, u32 len);
int pvc_conn_avail(struct pvc_conn *c, bool arm);
void pvc_conn_consume(struct pvc_conn *c, u32 len);

#endif /* PVC_CONN_H */
