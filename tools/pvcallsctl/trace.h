/* SPDX-License-Identifier: GPL-2.0 */
/* The backend's tracepoints, as text. */
#ifndef PVCALLSCTL_TRACE_H
#define PVCALLSCTL_TRACE_H

int trace(const char *root);

#endif /* PVCALLSCTL_TRACE_H */
