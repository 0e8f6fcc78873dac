/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of kernel sockets' queues. The kernel takes it without asking, so
 * a guest is charged what its sockets are seen to have after each run. While it
 * has more than half of its share, what is sent stays within a part for each
 * socket that has anything, and receive buffers shrink to that as far as nothing
 * is dropped. While it has more than its share, each socket has a part of all,
 * at once: bytes stay in the guest's rings, and with the peers.
 *
 * The fast path sends a little uncharged where a guest has few sockets. Where it
 * has many, the fast path charges before it sends, as long as that is a small
 * part of the share, and a connection keeps the charge while it is in use. A look
 * each second has the worker take back what sockets are charged and do not have
 * any more.
 *
 * Most functions run on the worker that the socket belongs to.
 */
#ifndef PVCALLS_BACK_MEMORY_H
#define PVCALLS_BACK_MEMORY_H

#include <linux/types.h>

struct pvcalls_sock;

void pvcalls_memory_count(struct pvcalls_sock *ps);
void pvcalls_memory_follow(struct pvcalls_sock *ps);
void pvcalls_memory_settle(struct pvcalls_sock *ps);
void pvcalls_memory_leave(struct pvcalls_sock *ps);
void pvcalls_memory_stop(void);
bool pvcalls_memory_covers(struct pvcalls_sock *ps, u32 len);
bool pvcalls_memory_full(struct pvcalls_sock *ps);

#endif /* PVCALLS_BACK_MEMORY_H */
