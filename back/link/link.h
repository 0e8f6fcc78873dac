/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wing link/: the link to a guest, with its xenbus device and its command ring.
 *
 * It offers the xenbus driver (xenbus.h), a connection's begin and end
 * (link.h), and the commands (cmd.h). It may use sock/, sched/, guest/, ring/,
 * commands.h, limits.h, trace.h, numa/placement.h and include/.
 *
 * Locks: pvcalls_dev.lock, a mutex, is held while a device's state changes; it
 * is taken by the work of the device, which begins and ends connections, and by
 * xenbus's thread when the device goes. Nobody waits for a guest's end or for
 * workers under it. Requests are read on the command ring's worker. Events of
 * the command ring are hard interrupts and only mark that work.
 */
#ifndef PVCALLS_BACK_LINK_H
#define PVCALLS_BACK_LINK_H

#include <linux/types.h>

#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>

#include "pvcalls_ext.h"

struct pvcalls_guest;
struct pvcalls_policy;
struct ratelimit_state;
struct xenbus_device;

/**
 * struct pvcalls_link_params - parameters of a connection
 * @port: port number of the guest's end of the command ring's event channel
 * @ring_order: log2 of the command ring's pages, 0 to PVCALLS_MAX_CMD_ORDER
 * @ring_refs: grants of the command ring's pages
 * @features: extensions in force, bits of enum pvcalls_feature
 * @warnings: see struct pvcalls_peer
 * @policy: see struct pvcalls_guest
 * @node: see struct pvcalls_guest
 * @mark: see struct pvcalls_guest
 * @broken: see struct pvcalls_guest
 * @broken_arg: argument of @broken
 */
struct pvcalls_link_params {
	evtchn_port_t port;
	unsigned int ring_order;
	grant_ref_t ring_refs[1 << PVCALLS_MAX_CMD_ORDER];
	unsigned long features;
	struct ratelimit_state *warnings;
	struct pvcalls_policy *policy;
	int node;
	u32 mark;
	void (*broken)(void *arg);
	void *broken_arg;
};

struct pvcalls_guest *pvcalls_link_connect(struct xenbus_device *dev,
					   struct pvcalls_link_params *params);
void pvcalls_link_end(struct pvcalls_guest *g);

#endif /* PVCALLS_BACK_LINK_H */
