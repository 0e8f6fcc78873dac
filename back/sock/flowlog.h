/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The beginning and the end of flows, as tracepoints tell them. show/flows.c
 * listens to these.
 */
#ifndef PVCALLS_BACK_FLOWLOG_H
#define PVCALLS_BACK_FLOWLOG_H

#include <linux/types.h>

#include "flow.h"

struct pvcalls_sock;

void pvcalls_flowlog_begin(struct pvcalls_sock *ps, bool accepted);
void pvcalls_flowlog_end(struct pvcalls_sock *ps, enum pvcalls_flow_why why);

#endif /* PVCALLS_BACK_FLOWLOG_H */
