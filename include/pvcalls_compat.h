/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the supported kernels (Debian 12's 6.1 and 6.12)
 * that our code meets, and nothing else.
 */
#ifndef PVCALLS_COMPAT_H
#define PVCALLS_COMPAT_H

#include <linux/version.h>

#endif /* PVCALLS_COMPAT_H */
