/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs' sockets. Each is an ordinary TCP socket of the guest's own kernel
 * with other operations on top. What it is gets decided at bind(), connect() or
 * listen(): local, and then it is nothing but that TCP socket; or remote, and
 * then the TCP socket underneath stays closed and only keeps the options.
 */
#ifndef PVC_SOCK_H
#define PVC_SOCK_H

#include <linux/mutex.h>
#include <linux/net.h>
#include <net/sock.h>

#include "conn/addr.h"
#include "conn/conn.h"
#include "pvcalls_sockopt.h"

/**
 * enum pvc_peer - whom a socket of datagrams talks to
 * @PVC_PEER_NONE: whoever is named
 * @PVC_PEER_LOCAL: somebody in the guest
 * @PVC_PEER_REMOTE: somebody outside
 */
enum pvc_peer {
	PVC_PEER_NONE,
	PVC_PEER_LOCAL,
	PVC_PEER_REMOTE,
};

/**
 * struct pvc_sock - what we know of a program's socket
 * @ctl: serialises bind(), connect(), listen(), shutdown(); killable, since the
 *	backend may not answer
 * @lock: @conn, @congestion
 * @conn: the backend's socket, referenced; NULL if there is none
 * @listening: listen() has succeeded
 * @port_given: bind() has named the port
 * @local: address that it is bound to at the backend, if it is
 * @dpeer: of datagrams: whom connect() has named
 * @opts_set: options of pvcalls_sockopt.h's table that the program has set
 * @opts: their values
 * @congestion: the congestion control's name, perhaps without an end
 */
struct pvc_sock {
	struct mutex ctl;
	spinlock_t lock;
	struct pvc_conn *conn;
	bool listening;
	bool port_given;
	struct pvc_addr local;
	enum pvc_peer dpeer;
	unsigned long opts_set;
	int opts[PVCALLS_RELAYED];
	char congestion[PVCALLS_CONGESTION_LEN];
};

/**
 * struct pvc_waiter - a call that waits for something to happen to its socket
 * @wait: on the socket's wait queue
 * @waiting: it is; then a look must ask to be woken
 * @timeo: jiffies that may still be waited
 */
struct pvc_waiter {
	wait_queue_entry_t wait;
	bool waiting;
	long timeo;
};

/* The TCP socket's own operations */
const struct proto_ops *pvc_native(const struct sock *sk);
/* Ours, for a socket that may become or is remote */
const struct proto_ops *pvc_remote_ops(int family);
/* The same for datagrams, and what the native sockets' protocol is */
const struct proto_ops *pvc_dgram_ops(int family);
struct proto *pvc_udp6_prot(void);

struct pvc_sock *pvc_sk(const struct sock *sk);
struct pvc_sock *pvc_sk_create(struct sock *sk);
struct pvc_conn *pvc_sk_conn(const struct sock *sk);
void pvc_sk_set_conn(struct pvc_sock *psk, struct pvc_conn *c);
void pvc_sk_drop_conn(struct pvc_sock *psk, bool abort);
void pvc_go_local(struct socket *sock);

int pvc_release(struct socket *sock);

int pvc_sock_init(void);

/* dgram.c */
struct pvc_link *pvc_dgram_dev(void);
int pvc_dgram_attach(struct pvc_conn *c, struct sock *sk);
void pvc_dgram_init(struct proto_ops *ops);

/* connect.c */
int pvc_bind(struct socket *sock, struct sockaddr *sa, int len);
int pvc_connect(struct socket *sock, struct sockaddr *sa, int len, int flags);

int pvc_to_backend(const struct pvc_conn *c, struct pvc_addr *a);
int pvc_bind_again(struct socket *sock, struct pvc_sock *psk,
		   struct pvc_link *link);

/* listen.c */
int pvc_listen(struct socket *sock, int backlog);
int pvc_accept(struct socket *sock, struct socket *newsock, int flags,
	       bool kern);
int pvc_bind_any(struct socket *sock, struct pvc_sock *psk);

/* stream.c */
int pvc_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int pvc_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags);
__poll_t pvc_poll(struct file *file, struct socket *sock,
		  struct poll_table_struct *wait);
void pvc_recv_rearm(struct sock *sk, struct pvc_conn *c);
long pvc_wait(struct sock *sk, wait_queue_entry_t *wait, long timeo);
void pvc_waiter_init(struct pvc_waiter *w, long timeo);
long pvc_waiter_next(struct pvc_waiter *w, struct sock *sk,
		     struct mutex *mutex);
void pvc_waiter_end(struct pvc_waiter *w, struct sock *sk);

/* msg.c */
struct ubuf_info *pvc_zerocopy_begin(struct sock *sk, const struct msghdr *msg,
				     size_t len);
void pvc_zerocopy_end(struct ubuf_info *ubuf, int sent);
void pvc_put_inq(struct sock *sk, struct pvc_conn *c, struct msghdr *msg);

/* sockopt.c */
bool pvc_has_opts(struct sock *sk);
void pvc_relay_opts(struct sock *sk, struct pvc_conn *c);
int pvc_setsockopt(struct socket *sock, int level, int name, sockptr_t val,
		   unsigned int len);
int pvc_getsockopt(struct socket *sock, int level, int name, char __user *val,
		   int __user *len);

/* names.c */
bool pvc_is_over(const struct sock *sk, struct pvc_conn *c);
int pvc_getname(struct socket *sock, struct sockaddr *sa, int peer);
int pvc_shutdown(struct socket *sock, int how);
int pvc_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
int pvc_peek_len(struct socket *sock);

#endif /* PVC_SOCK_H */
