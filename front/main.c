// SPDX-License-Identifier: GPL-2.0
/* Starts the parts of the frontend and unwinds them. */
#include <linux/module.h>
#include <xen/xen.h>

#include "capture.h"
#include "conn.h"
#include "debug.h"
#include "dev.h"
#include "sock.h"

static int __init pvcalls_front_init(void)
{
	int ret;

	if (!xen_domain())
		return -ENODEV;
	ret = pvc_conn_init();
	if (ret)
		return ret;
	ret = pvc_sock_init();
	if (ret)
		goto err_conn;
	ret = pvc_xenbus_init();
	if (ret)
		goto err_conn;
	ret = pvc_capture_init();
	if (ret)
		goto err_xenbus;
	pvc_debug_init();
	return 0;

err_xenbus:
	pvc_xenbus_exit();
err_conn:
	pvc_conn_exit();
	return ret;
}

static void __exit pvcalls_front_exit(void)
{
	pvc_debug_exit();
	pvc_capture_exit();
	pvc_xenbus_exit();
	pvc_conn_exit();
}

module_init(pvcalls_front_init);
module_exit(pvcalls_front_exit);

MODULE_DESCRIPTION("Network sockets over Xen PV Calls, frontend");
MODULE_LICENSE("GPL");
