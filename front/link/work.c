// SPDX-License-Identifier: GPL-2.0
/* See work.h. */
#include <linux/errno.h>

#include "link/work.h"

static struct workqueue_struct *pvc_wq;

/**
 * pvc_work_init() - make the workqueue
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pvc_work_init(void)
{
	pvc_wq = alloc_workqueue("pvcalls", WQ_UNBOUND, 0);
	return pvc_wq ? 0 : -ENOMEM;
}

/**
 * pvc_work_exit() - wait until all queued work has run, and free the workqueue
 *
 * Description: No link and no socket is left. The last of their connections may
 * still be waiting here to be freed.
 *
 * Context: process, sleeps.
 */
void pvc_work_exit(void)
{
	destroy_workqueue(pvc_wq);
}

/**
 * pvc_queue_work() - run work in process context, soon
 * @work: the work; pvc_work_exit() waits for it
 *
 * Context: any.
 * Return: false if the work is queued already.
 */
bool pvc_queue_work(struct work_struct *work)
{
	return queue_work(pvc_wq, work);
}

/**
 * pvc_queue_delayed() - run work in process context, later
 * @work: the work; its owner cancels it before pvc_work_exit()
 * @delay: jiffies from now
 *
 * Context: any.
 */
void pvc_queue_delayed(struct delayed_work *work, unsigned long delay)
{
	queue_delayed_work(pvc_wq, work, delay);
}

/**
 * pvc_queue_delayed_now() - run work in process context, soon
 * @work: the work, which may wait for its time; its owner cancels it before
 *	pvc_work_exit()
 *
 * Context: any.
 */
void pvc_queue_delayed_now(struct delayed_work *work)
{
	mod_delayed_work(pvc_wq, work, 0);
}
