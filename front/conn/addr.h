/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses, in the form of programs and in that of the protocol. */
#ifndef PVC_ADDR_H
#define PVC_ADDR_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/socket.h>

#include "conn/ports.h"
#include "pvcalls_ext.h"

struct net;
struct sock;

/**
 * struct pvc_addr - an address as the protocol carries it
 * @len: length in bytes, 0 if there is no address
 * @sa: for the family
 * @in: an address of family AF_INET
 * @in6: an address of family AF_INET6; towards programs never IPv4-mapped
 * @raw: the bytes that go into a request
 */
struct pvc_addr {
	u32 len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		u8 raw[PVCALLS_ADDR_LEN];
	};
};

int pvc_addr_from_user(const struct sock *sk, const struct sockaddr *sa,
		       int len, bool bind, struct pvc_addr *a);
int pvc_addr_to_user(const struct sock *sk, const struct pvc_addr *a,
		     struct sockaddr *sa);
void pvc_addr_from_rsp(const struct pvcalls_rsp_name *name, struct pvc_addr *a);
__be16 pvc_addr_port(const struct pvc_addr *a);
void pvc_addr_set_port(struct pvc_addr *a, __be16 port);
int pvc_addr_to_family(struct pvc_addr *a, int family);
bool pvc_addr_is_any(const struct pvc_addr *a);
void pvc_addr_to_key(const struct pvc_addr *a, struct pvc_port_key *key);
bool pvc_addr_is_link_local(const struct pvc_addr *a);
bool pvc_addr_is_loopback(const struct pvc_addr *a);
bool pvc_addr_is_local(struct net *net, const struct pvc_addr *a);

#endif /* PVC_ADDR_H */
