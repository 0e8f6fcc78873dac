/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What comes with a message besides its bytes: MSG_ZEROCOPY's completions and
 * TCP_INQ's control data.
 */
#ifndef PVC_MSG_H
#define PVC_MSG_H

#include <linux/types.h>

struct msghdr;
struct pvc_conn;
struct sock;
struct ubuf_info;

int pvc_zerocopy_begin(struct sock *sk, const struct msghdr *msg, size_t len,
		       struct ubuf_info **ubuf);
void pvc_zerocopy_end(struct ubuf_info *ubuf, size_t sent);
void pvc_put_inq(struct sock *sk, struct pvc_conn *c, struct msghdr *msg);

#endif /* PVC_MSG_H */
