/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Active sockets: connecting, the data ring, half-close, and the end.
 *
 * Everything here runs on the worker that the socket belongs to, or in a softirq
 * while the work is not being run (fastpath.h).
 */
#ifndef PVCALLS_BACK_CONN_H
#define PVCALLS_BACK_CONN_H

#include <linux/socket.h>
#include <linux/types.h>

#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>

#include "ringbuf.h"
#include "sched/worker.h"
#include "sock/zerocopy.h"

struct pvcalls_call;
struct pvcalls_datamap;
struct pvcalls_ring;
struct pvcalls_sock;

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
 * @rest: nothing was left to do after the last step
 * @in_waiting: the ring was full, wait for a good deal of space
 * @in_done: nothing more will be put into the ring
 * @out_blocked: the kernel socket was full, wait for PVCALLS_SF_OUT_READY
 * @out_done: nothing more can be sent
 * @zerocopy: what was sent and has not been given back
 * @stop: nothing beyond @stop_at is sent
 * @stop_at: an out index
 * @fin: send a FIN at @stop_at
 * @reset: end the connection with a RST
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
	bool rest;
	bool in_waiting;
	bool in_done;
	bool out_blocked;
	bool out_done;
	struct pvcalls_zerocopy zerocopy;
	bool stop;
	u32 stop_at;
	bool fin;
	bool reset;
	int err;
	int dgram_err;
	u32 lost_in;
	u32 lost_out;
	struct pvcalls_call *connect;
	struct sockaddr_storage addr;
	int addr_len;
};

void pvcalls_conn_init(struct pvcalls_conn *c);
int pvcalls_conn_map(struct pvcalls_sock *ps, grant_ref_t ref,
		     evtchn_port_t port);
void pvcalls_conn_steer(struct pvcalls_sock *ps);
void pvcalls_conn_follow(struct pvcalls_sock *ps, int cpu);
void pvcalls_conn_enable(struct pvcalls_sock *ps);
void pvcalls_conn_close(struct pvcalls_sock *ps);
bool pvcalls_conn_let_go(struct pvcalls_sock *ps);

void pvcalls_conn_connect(struct pvcalls_sock *ps,
			  struct pvcalls_call *call);
void pvcalls_conn_attached(struct pvcalls_sock *ps,
			   struct pvcalls_call *call, int ret);
void pvcalls_conn_connecting(struct pvcalls_sock *ps);
void pvcalls_conn_shutdown(struct pvcalls_sock *ps,
			   struct pvcalls_call *call);
void pvcalls_conn_drain(struct pvcalls_sock *ps);
bool pvcalls_conn_drained(const struct pvcalls_sock *ps);
void pvcalls_conn_eoi(struct pvcalls_sock *ps);
bool pvcalls_conn_due(const struct pvcalls_conn *c);
bool pvcalls_conn_resting(struct pvcalls_sock *ps);
bool pvcalls_conn_step(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_CONN_H */
