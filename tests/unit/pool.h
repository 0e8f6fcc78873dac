/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the backend's workers share: the kernel as the workers see it. */
#ifndef PVCALLS_TESTS_POOL_H
#define PVCALLS_TESTS_POOL_H

#include "sched/members.h"
#include "sched/pool.h"
#include "sched/queues.h"
#include "sched/worker.h"

#define IRQS		768

static u32 events[IRQS];	/* sent */
static u32 pending;		/* queue_work() */
static struct work_struct *pending_work;

extern const struct kernel_param_ops *const test_param_workers;
extern const struct kernel_param_ops *const test_param_cpus;
extern const struct kernel_param_ops *const test_param_placement;
extern const struct kernel_param_ops *const test_param_poll_us;

void irq_set_affinity(int irq, const void *mask)
{
}

void notify_remote_via_irq(int irq)
{
	__atomic_add_fetch(&events[irq], 1, __ATOMIC_SEQ_CST);
}

unsigned int irq_from_evtchn(evtchn_port_t port)
{
	return port - 1;
}

int HYPERVISOR_multicall(void *calls, u32 n)
{
	const struct multicall_entry *call = calls;
	u32 i;

	must(n > 1 && n <= PVCALLS_EVENTS_BATCH);
	for (i = 0; i < n; i++) {
		const struct evtchn_send *send = (void *)call[i].args[1];

		must(call[i].op == __HYPERVISOR_event_channel_op);
		must(call[i].args[0] == EVTCHNOP_send);
		notify_remote_via_irq(irq_from_evtchn(send->port));
	}
	return 0;
}

void test_queue_work(struct work_struct *work)
{
	__atomic_store_n(&pending_work, work, __ATOMIC_SEQ_CST);
	__atomic_store_n(&pending, 1, __ATOMIC_SEQ_CST);
}

#endif /* PVCALLS_TESTS_POOL_H */
