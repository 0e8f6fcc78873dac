/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two directions of a connection: changes of their states (states.h), their
 * ends, and the number of bytes to send.
 *
 * All functions run on the worker that the socket belongs to, or in a softirq
 * that holds PVCALLS_SF_RUNNING (fastpath.h).
 */
#ifndef PVCALLS_BACK_DIRECTION_H
#define PVCALLS_BACK_DIRECTION_H

#include <linux/types.h>

#include "states.h"

struct pvcalls_conn;
struct pvcalls_sock;

void pvcalls_direction_init(struct pvcalls_conn *c);
void pvcalls_direction_owe(struct pvcalls_sock *ps);
void pvcalls_direction_broken(struct pvcalls_sock *ps);

void pvcalls_in_set(struct pvcalls_sock *ps, enum pvcalls_in_state to);
void pvcalls_in_end(struct pvcalls_sock *ps, int err);

void pvcalls_out_set(struct pvcalls_sock *ps, enum pvcalls_out_state to);
void pvcalls_out_rest(struct pvcalls_sock *ps);
void pvcalls_out_wake(struct pvcalls_sock *ps);
void pvcalls_out_block(struct pvcalls_sock *ps);
void pvcalls_out_unblock(struct pvcalls_sock *ps);
int pvcalls_out_limit(struct pvcalls_sock *ps, bool fin);
void pvcalls_out_end(struct pvcalls_sock *ps, int err);
bool pvcalls_out_sent(const struct pvcalls_conn *c);
int pvcalls_out_avail(struct pvcalls_conn *c);

#endif /* PVCALLS_BACK_DIRECTION_H */
