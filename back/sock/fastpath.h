/* SPDX-License-Identifier: GPL-2.0 */
/* Little is moved at once, either way, without the worker. */
#ifndef PVCALLS_BACK_DIRECT_H
#define PVCALLS_BACK_DIRECT_H

#include <linux/types.h>

struct pvcalls_active;
struct pvcalls_frags;
struct pvcalls_sock;
struct sock;

bool pvcalls_direct_in(struct pvcalls_sock *ps, struct sock *sk);
bool pvcalls_direct_little(const struct pvcalls_active *a);
bool pvcalls_direct_out(struct pvcalls_sock *ps, struct pvcalls_frags *frags);

#endif /* PVCALLS_BACK_DIRECT_H */
