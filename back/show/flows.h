/* SPDX-License-Identifier: GPL-2.0 */
/* The log of connections, for those who listen to it by netlink. */
#ifndef PVCALLS_BACK_FLOWS_H
#define PVCALLS_BACK_FLOWS_H

struct genl_family;

int pvcalls_flows_start(const struct genl_family *family, unsigned int group);
void pvcalls_flows_stop(void);

#endif /* PVCALLS_BACK_FLOWS_H */
