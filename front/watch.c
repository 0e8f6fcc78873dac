// SPDX-License-Identifier: GPL-2.0
/* See watch.h. */
#include <linux/bitops.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "link/work.h"
#include "watch.h"

/* How often to look: a socket costs less than a timer's wake-up */
#define PVC_WATCH_SECONDS	10

/* The family whose sockets each probe sees */
static const int pvc_watch_family[] = { AF_INET, AF_INET6 };

/* One look at a time; guards all that follows */
static DEFINE_MUTEX(pvc_watch_lock);

/* The probes; NULL before pvc_watch_start() and after pvc_watch_stop() */
static struct kretprobe *pvc_watched;
static unsigned int pvc_nr_watched;

/* Who makes sockets for a look, and which of the probes have seen one */
static struct task_struct *pvc_watch_task;
static unsigned long pvc_watch_hits;

/* What has been said in the log */
static bool pvc_watch_off;
static unsigned long pvc_watch_missed;

static void pvc_watch_run(struct work_struct *work);
static DECLARE_DELAYED_WORK(pvc_watch_work, pvc_watch_run);

/**
 * pvc_watch_hit() - a probe has been hit: by a socket that is made for a look?
 * @rp: probe
 *
 * Context: the probe.
 * Return: true if so: such a socket is not to be taken.
 */
bool pvc_watch_hit(const struct kretprobe *rp)
{
	if (likely(READ_ONCE(pvc_watch_task) != current))
		return false;
	__set_bit(rp - pvc_watched, &pvc_watch_hits);
	return true;
}

/* Makes a socket that a probe must see. Returns false if the probe did not. */
static bool pvc_watch_probe(unsigned int i)
{
	struct socket *sock;
	int ret;

	pvc_watch_hits = 0;
	WRITE_ONCE(pvc_watch_task, current);
	ret = sock_create_kern(&init_net, pvc_watch_family[i], SOCK_STREAM,
			       IPPROTO_TCP, &sock);
	WRITE_ONCE(pvc_watch_task, NULL);
	if (!ret)
		sock_release(sock);
	/* a socket that could not be made says nothing */
	return ret || test_bit(i, &pvc_watch_hits);
}

static void pvc_watch_say(bool off, unsigned long missed)
{
	if (off && !pvc_watch_off)
		pr_warn("the kernel's probes are switched off: no new socket is captured, see kernel.ftrace_enabled and kprobes/enabled\n");
	else if (!off && pvc_watch_off)
		pr_info("the kernel's probes work again: sockets are captured\n");
	pvc_watch_off = off;
	if (missed != pvc_watch_missed)
		pr_warn_ratelimited("%lu sockets were made while too many others were: they are the guest's own\n",
				    missed - pvc_watch_missed);
	pvc_watch_missed = missed;
}

/**
 * pvc_watch_look() - are the probes at work?
 * @missed: result: calls that the probes have not seen, since there were too
 *	many at a time
 *
 * A change is told in the log.
 *
 * Context: process, sleeps.
 * Return: true if all probes are at work.
 */
bool pvc_watch_look(unsigned long *missed)
{
	bool off = false;
	unsigned int i;

	mutex_lock(&pvc_watch_lock);
	*missed = 0;
	for (i = 0; i < pvc_nr_watched; i++) {
		if (!pvc_watch_probe(i))
			off = true;
		*missed += pvc_watched[i].nmissed + pvc_watched[i].kp.nmissed;
	}
	if (pvc_watched)
		pvc_watch_say(off, *missed);
	mutex_unlock(&pvc_watch_lock);
	return !off;
}

static void pvc_watch_run(struct work_struct *work)
{
	unsigned long missed;

	pvc_watch_look(&missed);
	pvc_queue_delayed(&pvc_watch_work,
			  round_jiffies_relative(PVC_WATCH_SECONDS * HZ));
}

/**
 * pvc_watch_start() - look whether the probes work, and go on looking
 * @probes: registered probes of inet_create() and, if there is IPv6, of
 *	inet6_create(), which call pvc_watch_hit()
 * @n: number of probes, 2 at most
 *
 * Context: process, sleeps.
 */
void pvc_watch_start(struct kretprobe *probes, unsigned int n)
{
	mutex_lock(&pvc_watch_lock);
	pvc_watched = probes;
	pvc_nr_watched = n;
	mutex_unlock(&pvc_watch_lock);
	pvc_watch_run(&pvc_watch_work.work);
}

/**
 * pvc_watch_stop() - undo pvc_watch_start()
 *
 * Context: process, sleeps; the probes are still registered.
 */
void pvc_watch_stop(void)
{
	cancel_delayed_work_sync(&pvc_watch_work);
	mutex_lock(&pvc_watch_lock);
	pvc_watched = NULL;
	pvc_nr_watched = 0;
	mutex_unlock(&pvc_watch_lock);
}
