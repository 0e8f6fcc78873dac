/* SPDX-License-Identifier: GPL-2.0 */
/* The command ring: reads requests and hands them to whom they are for. */
#ifndef PVCALLS_BACK_CMD_H
#define PVCALLS_BACK_CMD_H

#include "sched/work.h"

extern const struct pvcalls_work_ops pvcalls_cmd_ops;

#endif /* PVCALLS_BACK_CMD_H */
