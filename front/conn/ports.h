/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which user's sockets hold which ports. With SO_REUSEPORT one user may have
 * thousands of sockets at one port, or at as many addresses of it, so nobody
 * walks through sockets: each is in two trees, which are ordered by all that
 * others ask for, and then by user.
 */
#ifndef PVC_PORTS_H
#define PVC_PORTS_H

#include <linux/rbtree.h>
#include <linux/types.h>

#define PVC_PORT_ADDR_LEN	16

/**
 * struct pvc_port_key - an address, and whose it is
 * @space: where the address counts: addresses of two spaces have nothing to do
 *	with each other
 * @type: SOCK_STREAM or SOCK_DGRAM
 * @protocol: as in socket()
 * @port: in network byte order; 0 if there is none
 * @family: AF_INET or AF_INET6; 0 for the unspecified address of either
 * @addr: the address without its port, padded with zeroes
 * @uid: the user; last, since the trees are ordered by what stands before
 */
struct pvc_port_key {
	const void *space;
	u16 type;
	u16 protocol;
	__be16 port;
	u16 family;
	u8 addr[PVC_PORT_ADDR_LEN];
	u32 uid;
};

/**
 * struct pvc_port_node - a place in a tree
 * @rb: in the tree
 * @key: what the tree is ordered by
 */
struct pvc_port_node {
	struct rb_node rb;
	struct pvc_port_key key;
};

/**
 * struct pvc_port - the port of a socket; zeroed memory is none
 * @at: in the tree of addresses
 * @any: in the tree of ports, whatever the address
 * @held: both are in their trees
 *
 * The owner serialises calls for the same object.
 */
struct pvc_port {
	struct pvc_port_node at;
	struct pvc_port_node any;
	bool held;
};

void pvc_port_hold(struct pvc_port *p, const struct pvc_port_key *key);
void pvc_port_drop(struct pvc_port *p);
bool pvc_port_is_others(const struct pvc_port_key *key);

#endif /* PVC_PORTS_H */
