/* SPDX-License-Identifier: GPL-2.0 */
/* Whether the backend's ceilings fit what Xen and Linux have, and the guests. */
#ifndef PVCALLSCTL_DOCTOR_H
#define PVCALLSCTL_DOCTOR_H

#include <stdbool.h>

/* @guests: how many there are to be, 0 for those that are connected */
int doctor(const char *root, long guests, bool json);

#endif
