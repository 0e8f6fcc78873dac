/* SPDX-License-Identifier: GPL-2.0 */
/* Little is moved at once, either way, without the worker. */
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
