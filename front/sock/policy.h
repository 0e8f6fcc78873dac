/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest forbids or changes for a socket before the socket comes to the
 * backend: programs of BPF at the socket's cgroup, and devices.
 *
 * Programs that see addresses run as they do for TCP and UDP; what they leave
 * is routed. Programs that see packets (ingress and egress) have none to see:
 * a socket of such a cgroup stays in the guest. Where a call goes on to the
 * native operations, those run the programs by themselves.
 */
#ifndef PVC_POLICY_H
#define PVC_POLICY_H

#include <linux/types.h>

struct msghdr;
struct pvc_addr;
struct sock;
struct sockaddr;
struct socket;

bool pvc_policy_filters(const struct sock *sk);
bool pvc_policy_filtered(const struct sock *sk);
u64 pvc_policy_filtered_calls(void);
bool pvc_policy_elsewhere(const struct sock *sk, struct msghdr *msg);
int pvc_policy_connect(struct sock *sk, struct sockaddr *sa, int len);
int pvc_policy_connect_native(struct socket *sock, struct sockaddr *sa, int len,
			      int flags);
int pvc_policy_bind(struct sock *sk, struct sockaddr *sa, bool *any_port);
int pvc_policy_post_bind(struct sock *sk, const struct pvc_addr *a);
int pvc_policy_hold_port(struct socket *sock, __be16 port, bool told);
int pvc_policy_sendmsg(struct sock *sk, struct msghdr *msg, bool *sender);
void pvc_policy_recvmsg(struct sock *sk, struct msghdr *msg);
void pvc_policy_getname(struct sock *sk, struct sockaddr *sa, bool peer);

#endif /* PVC_POLICY_H */
