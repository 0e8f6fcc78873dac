/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Active sockets: the data ring, passes over it, half-close, and the end.
 *
 * Everything here runs on the worker that the socket belongs to, or in a
 * softirq while the work is not being run (fastpath.h).
 */
#ifndef PVCALLS_BACK_CONN_H
#define PVCALLS_BACK_CONN_H

#include <linux/types.h>

#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>

struct pvcalls_call;
struct pvcalls_conn;
struct pvcalls_sock;

int pvcalls_conn_map(struct pvcalls_sock *ps, grant_ref_t ref,
		     evtchn_port_t port);
void pvcalls_conn_steer(struct pvcalls_sock *ps);
void pvcalls_conn_follow(struct pvcalls_sock *ps, int cpu);
void pvcalls_conn_enable(struct pvcalls_sock *ps);
void pvcalls_conn_attach(struct pvcalls_sock *ps);
void pvcalls_conn_close(struct pvcalls_sock *ps, bool reset);
bool pvcalls_conn_let_go(struct pvcalls_sock *ps);

void pvcalls_conn_connected(struct pvcalls_sock *ps);
void pvcalls_conn_failed(struct pvcalls_sock *ps, int err);
void pvcalls_conn_shutdown(struct pvcalls_sock *ps,
			   struct pvcalls_call *call);
void pvcalls_conn_drain(struct pvcalls_sock *ps);
bool pvcalls_conn_resets(const struct pvcalls_sock *ps);
bool pvcalls_conn_due(const struct pvcalls_conn *c);
void pvcalls_conn_eoi(struct pvcalls_sock *ps);
bool pvcalls_conn_resting(struct pvcalls_sock *ps);
bool pvcalls_conn_pass(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_CONN_H */
