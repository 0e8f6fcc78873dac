/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A worker's two threads of execution: its kernel thread runs works in rounds,
 * and its softirq tries works that interrupts have marked.
 */
#ifndef PVCALLS_BACK_THREAD_H
#define PVCALLS_BACK_THREAD_H

struct pvcalls_worker;

struct pvcalls_worker *pvcalls_worker_new(unsigned int index,
					  unsigned int cpu);
void pvcalls_worker_free(struct pvcalls_worker *w);

#endif /* PVCALLS_BACK_THREAD_H */
