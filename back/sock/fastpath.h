/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast path: softirqs move a few bytes, either way, without waking the
 * worker. While they move bytes they hold PVCALLS_SF_RUNNING; they leave the
 * socket alone if its work is being run.
 */
#ifndef PVCALLS_BACK_FASTPATH_H
#define PVCALLS_BACK_FASTPATH_H

#include <linux/types.h>

struct pvcalls_conn;
struct pvcalls_frags;
struct pvcalls_sock;
struct sock;

bool pvcalls_fastpath_in(struct pvcalls_sock *ps, struct sock *sk);
bool pvcalls_fastpath_likely(const struct pvcalls_conn *c);
bool pvcalls_fastpath_out(struct pvcalls_sock *ps, struct pvcalls_frags *frags);

#endif /* PVCALLS_BACK_FASTPATH_H */
