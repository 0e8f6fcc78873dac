/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest's own sockets have: native operations and struct protos. */
#ifndef PVC_NATIVE_H
#define PVC_NATIVE_H

struct proto;
struct proto_ops;
struct sock;
struct socket;

const struct proto_ops *pvc_native_ops(int family, int type);
const struct proto_ops *pvc_native(const struct sock *sk);
void pvc_ops_to_native(struct socket *sock, const struct sock *sk,
		       const struct proto_ops *ours);
struct proto *pvc_udp6_prot(void);
int pvc_native_init(void);

#endif /* PVC_NATIVE_H */
