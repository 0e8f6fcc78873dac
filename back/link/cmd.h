/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command ring: reads a guest's requests, and passes commands on to their
 * sockets.
 */
#ifndef PVCALLS_BACK_CMD_H
#define PVCALLS_BACK_CMD_H

#include "sched/work.h"

struct timer_list;

extern const struct pvcalls_work_ops pvcalls_cmd_ops;

void pvcalls_cmd_delayed(struct timer_list *timer);

#endif /* PVCALLS_BACK_CMD_H */
