/* SPDX-License-Identifier: GPL-2.0 */
/* How programs' sockets come to be ours. */
#ifndef PVC_CAPTURE_H
#define PVC_CAPTURE_H

/*
 * socket(AF_INET, SOCK_STREAM, IPPROTO_PVCALLS) asks for one. The number is
 * free in all supported kernels, below IPPROTO_MAX and unknown to networks.
 */
#define IPPROTO_PVCALLS	257

int pvc_capture_init(void);
void pvc_capture_exit(void);

#endif /* PVC_CAPTURE_H */
