/* SPDX-License-Identifier: GPL-2.0 */
/* Data rings between two sockets: granted, bound, and perhaps still mapped. */
#ifndef PVC_POOL_H
#define PVC_POOL_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct pvc_dev;
struct pvc_shm;

/**
 * struct pvc_pool - the rings of a connection that no socket uses
 * @lock: guards @idle, @count and @stopped; taken with interrupts off, inside
 *	no other lock
 * @idle: rings, the one that was used last at the head
 * @count: how many
 * @stopped: the connection has ended
 * @age: lets go of those that are not used again
 */
struct pvc_pool {
	spinlock_t lock;
	struct list_head idle;
	unsigned int count;
	bool stopped;
	struct delayed_work age;
};

void pvc_pool_init(struct pvc_dev *dev);
void pvc_pool_stop(struct pvc_dev *dev);
void pvc_pool_free(struct pvc_dev *dev);

bool pvc_pool_wants(struct pvc_dev *dev);
struct pvc_shm *pvc_pool_take(struct pvc_dev *dev, unsigned int min,
			      unsigned int max);
bool pvc_pool_put(struct pvc_dev *dev, struct pvc_shm *shm);
void pvc_pool_watch(struct pvc_dev *dev);

#endif /* PVC_POOL_H */
