/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reserve: grants and event channels that are left to the guest's other
 * devices, and what follows for data rings.
 */
#ifndef PVC_RESERVE_H
#define PVC_RESERVE_H

#include <linux/types.h>
#include <xen/grant_table.h>
#include <xen/interface/event_channel.h>

struct pvc_link;

void pvc_reserve_init(void);
void pvc_reserve_look(void);
long pvc_reserve_pages(void);
long pvc_reserve_rings(const struct pvc_link *link);

int pvc_reserve_grants(u16 n, grant_ref_t *head);
int pvc_reserve_evtchn(domid_t otherend, bool spare, evtchn_port_t *port);
void pvc_reserve_evtchn_gone(void);

#endif /* PVC_RESERVE_H */
