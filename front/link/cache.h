/* SPDX-License-Identifier: GPL-2.0 */
/* Data rings between two sockets: granted, bound, and perhaps still mapped. */
#ifndef PVC_CACHE_H
#define PVC_CACHE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct pvc_link;
struct pvc_shm;

/**
 * struct pvc_cache - the rings of a connection that no socket uses
 * @lock: guards @idle, @count and @stopped; taken with interrupts off, inside
 *	no other lock
 * @idle: rings, the one that was used last at the head
 * @count: how many
 * @stopped: the connection has ended
 * @age: lets go of those that are not used again
 */
struct pvc_cache {
	spinlock_t lock;
	struct list_head idle;
	unsigned int count;
	bool stopped;
	struct delayed_work age;
};

void pvc_cache_init(struct pvc_link *link);
void pvc_cache_stop(struct pvc_link *link);
void pvc_cache_free(struct pvc_link *link);

bool pvc_cache_wants(struct pvc_link *link);
struct pvc_shm *pvc_cache_take(struct pvc_link *link, unsigned int min,
			       unsigned int max);
bool pvc_cache_put(struct pvc_link *link, struct pvc_shm *shm);
void pvc_cache_watch(struct pvc_link *link);

#endif /* PVC_CACHE_H */
