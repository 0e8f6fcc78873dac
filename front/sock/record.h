/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams as records in a data ring: see feature-dgram. */
#ifndef PVC_RECORD_H
#define PVC_RECORD_H

#include <linux/socket.h>
#include <linux/types.h>

struct pvc_conn;
struct pvcalls_record;
struct sock;

int pvc_record_take(struct sock *sk, struct pvc_conn *c, struct msghdr *msg,
		    size_t len, int flags, bool arm);
void pvc_record_drop(struct pvc_conn *c);
int pvc_record_error(struct pvc_conn *c);
int pvc_record_len(struct pvc_conn *c);
int pvc_record_write(struct pvc_conn *c, struct pvcalls_record *rec,
		     struct msghdr *msg);

#endif /* PVC_RECORD_H */
