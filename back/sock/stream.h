/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data passes: bytes from the ring to the kernel socket and back, straight
 * from and into the guest's pages.
 *
 * On the worker that the socket belongs to; never wait for the network.
 */
#ifndef PVCALLS_BACK_STREAM_H
#define PVCALLS_BACK_STREAM_H

#include <linux/types.h>

struct bio_vec;
struct page;
struct pvcalls_conn;
struct pvcalls_sock;
struct ringbuf_span;
struct sock;

bool pvcalls_stream_out(struct pvcalls_sock *ps);
bool pvcalls_stream_in(struct pvcalls_sock *ps);
void pvcalls_stream_broken(struct pvcalls_sock *ps);

unsigned int pvcalls_stream_bvec(struct bio_vec *bv, struct page **pages,
				 const struct ringbuf_span *span);
int pvcalls_stream_avail(struct pvcalls_conn *c);
bool pvcalls_stream_retry(int err);
bool pvcalls_stream_dry(const struct sock *sk);

#endif /* PVCALLS_BACK_STREAM_H */
