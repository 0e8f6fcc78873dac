/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family: what pvcallsctl(8) asks, and what it changes. */
#ifndef PVCALLS_BACK_NETLINK_H
#define PVCALLS_BACK_NETLINK_H

int pvcalls_netlink_start(void);
void pvcalls_netlink_stop(void);

#endif /* PVCALLS_BACK_NETLINK_H */
