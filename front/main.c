// SPDX-License-Identifier: GPL-2.0
/* Starts the parts of the frontend and unwinds them. */
#include <linux/module.h>
#include <xen/xen.h>

#include "capture.h"
#include "conn/conn.h"
#include "link/link.h"
#include "link/reserve.h"
#include "link/work.h"
#include "show/debugfs.h"
#include "sock/native.h"
#include "sock/replay.h"

static int __init pvc_module_init(void)
{
	int ret;

	if (!xen_domain())
		return -ENODEV;
	ret = pvc_work_init();
	if (ret)
		return ret;
	pvc_reserve_init();
	ret = pvc_native_init();
	if (ret)
		goto err_work;
	pvc_replay_init();
	ret = pvc_xenbus_init(&pvc_replay_link_ops);
	if (ret)
		goto err_work;
	ret = pvc_capture_init();
	if (ret)
		goto err_xenbus;
	pvc_debugfs_init();
	return 0;

err_xenbus:
	pvc_xenbus_exit();
	pvc_replay_exit();
err_work:
	pvc_work_exit();
	return ret;
}

static void __exit pvc_module_exit(void)
{
	pvc_debugfs_exit();
	pvc_capture_exit();
	pvc_xenbus_exit();
	pvc_replay_exit();
	pvc_work_exit();
}

module_init(pvc_module_init);
module_exit(pvc_module_exit);

MODULE_DESCRIPTION("Network sockets over Xen PV Calls, frontend");
MODULE_AUTHOR("the pvcalls-mt developers");
MODULE_LICENSE("GPL");
