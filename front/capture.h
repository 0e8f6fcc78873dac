/* SPDX-License-Identifier: GPL-2.0 */
/* How programs' sockets come to be ours. */
#ifndef PVC_CAPTURE_H
#define PVC_CAPTURE_H

int pvc_capture_init(void);
void pvc_capture_exit(void);

#endif /* PVC_CAPTURE_H */
