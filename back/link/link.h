/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The link to a frontend: the command ring and its event channel, from the
 * moment that both ends are connected until one of them goes.
 */
#ifndef PVCALLS_BACK_LINK_H
#define PVCALLS_BACK_LINK_H

#include <linux/types.h>

#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>

#include "pvcalls_ext.h"

struct pvcalls_guest;
struct ratelimit_state;
struct xenbus_device;

/**
 * struct pvcalls_link_params - what a frontend says when it connects
 * @port: event channel of the command ring
 * @ring_order: log2 of the command ring's pages, 0 to PVCALLS_MAX_CMD_ORDER
 * @ring_refs: their grants
 * @features: extensions in force
 * @warnings: see struct pvcalls_peer
 * @node: see struct pvcalls_guest
 * @mark: see struct pvcalls_guest
 * @broken: see struct pvcalls_guest
 * @broken_arg: for @broken
 */
struct pvcalls_link_params {
	evtchn_port_t port;
	unsigned int ring_order;
	grant_ref_t ring_refs[1 << PVCALLS_MAX_CMD_ORDER];
	unsigned long features;
	struct ratelimit_state *warnings;
	int node;
	u32 mark;
	void (*broken)(void *arg);
	void *broken_arg;
};

struct pvcalls_guest *pvcalls_link_connect(struct xenbus_device *dev,
					   struct pvcalls_link_params *params);
void pvcalls_link_end(struct pvcalls_guest *g);

#endif /* PVCALLS_BACK_LINK_H */
