/* SPDX-License-Identifier: GPL-2.0 */
/* Little that arrives is given to the guest at once, without the worker. */
#ifndef PVCALLS_BACK_DIRECT_H
#define PVCALLS_BACK_DIRECT_H

#include <linux/types.h>

struct pvcalls_sock;
struct sock;

bool pvcalls_direct_in(struct pvcalls_sock *ps, struct sock *sk);

#endif /* PVCALLS_BACK_DIRECT_H */
