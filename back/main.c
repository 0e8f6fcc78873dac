// SPDX-License-Identifier: GPL-2.0
/* The backend module: starts its parts in order, and stops them in reverse. */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>

#include <xen/xen.h>

#include "account/ledger.h"
#include "sched/balancer.h"
#include "ring/datamap.h"
#include "show/debugfs.h"
#include "show/netlink.h"
#include "sched/members.h"
#include "guest/call.h"
#include "guest/congestion.h"
#include "guest/policy.h"
#include "sock/inbound.h"
#include "link/xenbus.h"
#include "sock/memory.h"
#include "sock/orphan.h"
#include "sock/zerocopy.h"

static int __init pvcalls_back_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;

	pvcalls_ledger_start();
	err = pvcalls_reply_init();
	if (err)
		return err;
	err = pvcalls_datamap_init();
	if (err)
		goto exit_reply;
	err = pvcalls_zerocopy_start();
	if (err)
		goto exit_datamap;
	err = pvcalls_inbound_start();
	if (err)
		goto exit_zerocopy;
	pvcalls_congestion_start();
	err = pvcalls_members_start();
	if (err)
		goto stop_congestion;
	err = pvcalls_netlink_start();
	if (err)
		goto stop_pool;
	err = pvcalls_xenbus_register();
	if (err)
		goto stop_netlink;
	pvcalls_balancer_start();
	pvcalls_debugfs_start();
	return 0;

stop_netlink:
	pvcalls_netlink_stop();
stop_pool:
	pvcalls_members_stop();
stop_congestion:
	pvcalls_congestion_stop();
exit_zerocopy:
	pvcalls_zerocopy_stop();
exit_datamap:
	pvcalls_datamap_exit();
exit_reply:
	pvcalls_reply_exit();
	return err;
}

static void __exit pvcalls_back_exit(void)
{
	pvcalls_debugfs_stop();
	pvcalls_balancer_stop();
	pvcalls_xenbus_unregister();
	/* whoever listens has heard of the end of all connections */
	pvcalls_netlink_stop();
	/*
	 * completions of zero-copy sends may mark works, so the workers stop
	 * later
	 */
	pvcalls_zerocopy_stop();
	pvcalls_memory_stop();
	pvcalls_members_stop();
	pvcalls_orphans_stop();
	pvcalls_congestion_stop();
	pvcalls_datamap_exit();
	/*
	 * softirqs may still be in callbacks of connections that no guest has
	 * taken, or in those of listening sockets
	 */
	synchronize_net();
	pvcalls_policy_stop();
	pvcalls_reply_exit();
}

module_init(pvcalls_back_init);
module_exit(pvcalls_back_exit);

MODULE_DESCRIPTION("Xen PV Calls backend: sockets for guests without a network card");
MODULE_AUTHOR("the pvcalls-mt developers");
MODULE_LICENSE("GPL");
