/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring cache: data rings between two sockets. Each is granted and has its
 * event channel, and the backend perhaps still maps it.
 */
#ifndef PVC_CACHE_H
#define PVC_CACHE_H

#include <linux/types.h>

struct pvc_link;
struct pvc_payers;
struct pvc_shm;

void pvc_cache_init(struct pvc_link *link);
void pvc_cache_stop(struct pvc_link *link);
void pvc_cache_free(struct pvc_link *link);

bool pvc_cache_wants(struct pvc_link *link);
struct pvc_shm *pvc_cache_take(struct pvc_link *link, struct pvc_payers *payers,
			       unsigned int min, unsigned int max);
bool pvc_cache_put(struct pvc_link *link, struct pvc_shm *shm, bool refused);
bool pvc_cache_drain(struct pvc_link *link);
void pvc_cache_watch(struct pvc_link *link);

#endif /* PVC_CACHE_H */
