/* SPDX-License-Identifier: GPL-2.0 */
/* There is one version of kernel.h. */
#ifndef TEST_PVCALLS_COMPAT_H
#define TEST_PVCALLS_COMPAT_H

#define pvcalls_unbound_wq	system_unbound_wq

#endif /* TEST_PVCALLS_COMPAT_H */
