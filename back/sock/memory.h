/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of kernel sockets' queues. The kernel takes it without asking, so
 * a guest is charged what its sockets are seen to have after each run. While it
 * has more than half of its share, receive buffers do not grow, and shrink as
 * far as nothing is dropped. While it has more than its share, its sockets send
 * and receive no more than a part each: bytes stay in the guest's rings, and
 * with the peers.
 *
 * The fast path leaves a socket to the worker once there is more to charge than
 * a little.
 *
 * All other functions run on the worker that the socket belongs to.
 */
#ifndef PVCALLS_BACK_MEMORY_H
#define PVCALLS_BACK_MEMORY_H

#include <linux/types.h>

struct pvcalls_sock;

void pvcalls_memory_count(struct pvcalls_sock *ps);
bool pvcalls_memory_seen(const struct pvcalls_sock *ps);
bool pvcalls_memory_full(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_MEMORY_H */
