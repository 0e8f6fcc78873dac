/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streams: bytes go from the ring to the kernel socket and back, straight from
 * and into the guest's pages.
 *
 * Functions that move bytes run on the worker that the socket belongs to, and
 * never wait for the network.
 */
#ifndef PVCALLS_BACK_STREAM_H
#define PVCALLS_BACK_STREAM_H

#include <linux/types.h>

struct bio_vec;
struct page;
struct pvcalls_sock;
struct ringbuf_span;
struct sock;

bool pvcalls_stream_out(struct pvcalls_sock *ps);
bool pvcalls_stream_in(struct pvcalls_sock *ps);

unsigned int pvcalls_stream_bvec(struct bio_vec *bv, struct page **pages,
				 const struct ringbuf_span *span);
bool pvcalls_stream_retry(int err);
bool pvcalls_stream_dry(const struct sock *sk);

#endif /* PVCALLS_BACK_STREAM_H */
