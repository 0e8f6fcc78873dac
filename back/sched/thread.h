/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a worker does: its thread, which runs works in rounds, and its softirq,
 * which tries those that interrupts have marked.
 */
#ifndef PVCALLS_BACK_THREAD_H
#define PVCALLS_BACK_THREAD_H

struct pvcalls_worker;

struct pvcalls_worker *pvcalls_worker_new(unsigned int index,
					  unsigned int cpu);
void pvcalls_worker_free(struct pvcalls_worker *w);

#endif /* PVCALLS_BACK_THREAD_H */
