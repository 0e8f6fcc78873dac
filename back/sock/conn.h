/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections: the data ring, moving bytes in both directions, half-close, and
 * the end.
 *
 * All functions run on the worker that the socket belongs to, or in a softirq
 * that holds PVCALLS_SF_RUNNING (fastpath.h); only pvcalls_conn_due() is called
 * in hard interrupts.
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
