/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of budgets: how much somebody has, and whether that may become
 * more. Pure: no Xen, no sockets, no allocation, no locks.
 */
#ifndef PVC_SHARE_H
#define PVC_SHARE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#endif

/**
 * enum pvc_kind - what is charged
 * @PVC_KIND_SOCKETS: sockets at the backend, with or without a data ring
 * @PVC_KIND_RINGS: data rings; each takes a part in an event channel
 * @PVC_KIND_PAGES: pages of data rings; each takes a grant
 * @PVC_KINDS: number of kinds
 */
enum pvc_kind {
	PVC_KIND_SOCKETS,
	PVC_KIND_RINGS,
	PVC_KIND_PAGES,
	PVC_KINDS
};

/**
 * struct pvc_use - how much somebody has
 * @of: number of each kind
 */
struct pvc_use {
	long of[PVC_KINDS];
};

long pvc_share(long ceiling, unsigned int percent);
bool pvc_use_charge(struct pvc_use *const *use, unsigned int nr,
		    enum pvc_kind kind, long n, long limit);
void pvc_use_uncharge(struct pvc_use *const *use, unsigned int nr,
		      enum pvc_kind kind, long n);
long pvc_use_left(struct pvc_use *const *use, unsigned int nr,
		  enum pvc_kind kind, long limit);

#endif /* PVC_SHARE_H */
