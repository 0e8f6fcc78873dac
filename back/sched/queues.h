/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The queues of a guest, one for each worker (fairq.h).
 *
 * They are found by the guest's domain id, so that a guest with several devices
 * has one share. They outlive a connection as long as there is the device, so a
 * guest does not get rid of its debts by connecting anew.
 */
#ifndef PVCALLS_BACK_QUEUES_H
#define PVCALLS_BACK_QUEUES_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

#include "sched/cap.h"
#include "sched/fairq.h"

/**
 * struct pvcalls_queues - the queues of a guest
 * @list: entry in the list of all guests' queues
 * @ref: held by the device and by the connection, and so by each queued work
 * @domid: the guest
 * @weight: what the guest's policy gives it, in percent of the parameter budget
 * @most: what the policy lets the guest cost a second, 0: any amount
 * @lives: how many connections the guest has, with those that are ending
 * @ends: how many of these are ending
 * @cap: @most, unless all of these are ending
 * @on: the queues, by pvcalls_fairq.place
 */
struct pvcalls_queues {
	struct list_head list;
	refcount_t ref;
	domid_t domid;
	u32 weight;
	u32 most;
	u32 lives;
	u32 ends;
	struct pvcalls_cap cap;
	struct pvcalls_guestq on[PVCALLS_PLACES];
};

struct pvcalls_queues *pvcalls_queues_open(domid_t domid);
void pvcalls_queues_put(struct pvcalls_queues *queues);
void pvcalls_queues_weigh(struct pvcalls_queues *queues, u32 weight, u32 most);
struct pvcalls_cap *pvcalls_queues_cap(struct pvcalls_guestq *q, u32 place);
void pvcalls_queues_begin(struct pvcalls_queues *queues);
void pvcalls_queues_hurry(struct pvcalls_queues *queues, bool ends);

#endif /* PVCALLS_BACK_QUEUES_H */
