/* SPDX-License-Identifier: GPL-2.0 */
/* The frontend's workqueue, for what an interrupt has no leave to do. */
#ifndef PVC_WORK_H
#define PVC_WORK_H

#include <linux/workqueue.h>

int pvc_work_init(void);
void pvc_work_exit(void);
bool pvc_queue_work(struct work_struct *work);
void pvc_queue_delayed(struct delayed_work *work, unsigned long delay);
void pvc_queue_delayed_now(struct delayed_work *work);

#endif /* PVC_WORK_H */
