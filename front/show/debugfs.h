/* SPDX-License-Identifier: GPL-2.0 */
/* What the frontend has at the moment, below /sys/kernel/debug. */
#ifndef PVC_DEBUG_H
#define PVC_DEBUG_H

void pvc_debug_init(void);
void pvc_debug_exit(void);

#endif /* PVC_DEBUG_H */
