// SPDX-License-Identifier: GPL-2.0
/* The module parameters of limits.h and functions that read them. */
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/moduleparam.h>

#include "limits.h"
#include "pvcalls_ext.h"
#include "pvcalls_param.h"

PVCALLS_PARAM_UINT(max_page_order, PVCALLS_MAX_PAGE_ORDER, 1,
		   PVCALLS_MAX_PAGE_ORDER, 0444);
MODULE_PARM_DESC(max_page_order,
		 "Largest data ring, log2 of 4 KiB pages, 1 to 9 (default 9)");

PVCALLS_PARAM_UINT(max_cmd_order, 2, 0, PVCALLS_MAX_CMD_ORDER, 0444);
MODULE_PARM_DESC(max_cmd_order,
		 "Largest command ring, log2 of 4 KiB pages, 0 to 4 (default 2, 128 slots)");

PVCALLS_PARAM_UINT(max_sockets, 16384, 1, INT_MAX, 0644);
MODULE_PARM_DESC(max_sockets,
		 "Sockets that a guest may have (default 16384)");

PVCALLS_PARAM_UINT(max_deferred, 32768, 1, INT_MAX, 0644);
MODULE_PARM_DESC(max_deferred,
		 "Calls of a guest that may wait at a time (default 32768)");

PVCALLS_PARAM_UINT(max_pages, 1 << 18, 1, INT_MAX, 0644);
MODULE_PARM_DESC(max_pages,
		 "Pages of 4 KiB of a guest's data rings that are mapped at a time (default 262144)");

PVCALLS_PARAM_UINT(reuse_pages, 8192, 0, INT_MAX, 0644);
MODULE_PARM_DESC(reuse_pages,
		 "Pages of 4 KiB of a guest's data rings that stay mapped between two sockets, 0 to 2147483647 (default 8192)");

PVCALLS_PARAM_UINT(reuse_seconds, 30, 1, 3600, 0644);
MODULE_PARM_DESC(reuse_seconds,
		 "Seconds for which a data ring stays mapped between two sockets, 1 to 3600 (default 30)");

/**
 * pvcalls_max_order() - the largest data ring
 *
 * Context: any.
 * Return: log2 of pages, 1 to PVCALLS_MAX_PAGE_ORDER.
 */
u32 pvcalls_max_order(void)
{
	return param_max_page_order;
}

/**
 * pvcalls_max_cmd_order() - the largest command ring
 *
 * Context: any.
 * Return: log2 of pages, 0 to PVCALLS_MAX_CMD_ORDER.
 */
u32 pvcalls_max_cmd_order(void)
{
	return param_max_cmd_order;
}

/**
 * pvcalls_max_sockets() - how many sockets a guest may have
 *
 * Context: any.
 * Return: sockets, 1 to INT_MAX.
 */
u32 pvcalls_max_sockets(void)
{
	return READ_ONCE(param_max_sockets);
}

/**
 * pvcalls_max_deferred() - how many calls of a guest may be deferred
 *
 * Context: any.
 * Return: calls, 1 to INT_MAX.
 */
u32 pvcalls_max_deferred(void)
{
	return READ_ONCE(param_max_deferred);
}

/**
 * pvcalls_max_pages() - how many pages of a guest may be mapped
 *
 * Context: any.
 * Return: pages of 4 KiB, 1 to INT_MAX.
 */
u32 pvcalls_max_pages(void)
{
	return READ_ONCE(param_max_pages);
}

/**
 * pvcalls_reuse_pages() - how many pages of a guest may be mapped but unused
 *
 * Context: any.
 * Return: pages of 4 KiB, 0 to INT_MAX.
 */
u32 pvcalls_reuse_pages(void)
{
	return READ_ONCE(param_reuse_pages);
}

/**
 * pvcalls_reuse_time() - how long an unused ring may stay mapped
 *
 * Context: any.
 * Return: jiffies, 1 to 3600 seconds.
 */
unsigned long pvcalls_reuse_time(void)
{
	return READ_ONCE(param_reuse_seconds) * HZ;
}
