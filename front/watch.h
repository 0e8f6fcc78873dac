/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether the probes that take sockets are at work. The kernel switches probes
 * off for everybody at once and tells nobody, so sockets of our own making show
 * whether the probes see them.
 */
#ifndef PVC_WATCH_H
#define PVC_WATCH_H

#include <linux/types.h>

struct kretprobe;

bool pvc_watch_hit(const struct kretprobe *rp);
bool pvc_watch_look(unsigned long *missed);
void pvc_watch_start(struct kretprobe *probes, unsigned int n);
void pvc_watch_stop(void);

#endif /* PVC_WATCH_H */
