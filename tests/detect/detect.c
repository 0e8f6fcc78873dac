// SPDX-License-Identifier: GPL-2.0
/*
 * One bug of each kind that the debug kernel detects, made when the module is
 * loaded: insmod detect.ko bug=NAME. A detector that says nothing then is off.
 * Only for a guest that is thrown away afterwards.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kfence.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *bug = "";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "which one");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

/* Two mutexes, taken in both orders */
static int bug_lockdep(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int bug_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
	return 0;
}

/* KFENCE watches one allocation in each sample interval. */
static int bug_kfence(void)
{
	int tries;

	for (tries = 0; tries < 100000; tries++) {
		char *object = kmalloc(32, GFP_KERNEL);
		bool watched = object && is_kfence_address(object);

		kfree(object);
		if (watched) {
			/* what the bug is: a look at freed memory */
			READ_ONCE(*object);
			return 0;
		}
		if (tries % 100 == 0)
			usleep_range(1000, 2000);
	}
	return -ENOENT;
}

static int bug_kmemleak(void)
{
	int i;

	/* a pointer may stay in a register or on the stack, but not to all */
	for (i = 0; i < 10; i++)
		if (!kzalloc(3000, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

static int bug_ubsan(void)
{
	int shift = 40 + (jiffies & 1);

	pr_info("%d\n", 1 << shift);
	return 0;
}

static void late(struct timer_list *timer)
{
}

/* A timer that is freed while it runs */
static int bug_odebug(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, late, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
	return 0;
}

/* For longer than kernel.hung_task_timeout_secs, of which the caller takes care */
static int bug_hung(void)
{
	schedule_timeout_uninterruptible(15 * HZ);
	return 0;
}

/* For longer than rcu_cpu_stall_timeout */
static int bug_rcu(void)
{
	rcu_read_lock();
	mdelay(10 * MSEC_PER_SEC);
	rcu_read_unlock();
	return 0;
}

static int bug_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	refcount_inc(&count);
	return 0;
}

static int bug_slub(void)
{
	char *object;

	/* of KFENCE's objects SLUB knows nothing */
	do {
		object = kmalloc(32, GFP_KERNEL);
		if (!object)
			return -ENOMEM;
	} while (is_kfence_address(object));
	OPTIMIZER_HIDE_VAR(object);
	object[32] = 0;
	kfree(object);
	return 0;
}

static int bug_list(void)
{
	static LIST_HEAD(head);
	static struct list_head entry;

	list_add(&entry, &head);
	list_del(&entry);
	list_del(&entry);
	return 0;
}

static const struct {
	const char *name;
	int (*make)(void);
} bugs[] = {
	{ "lockdep", bug_lockdep },
	{ "atomic", bug_atomic },
	{ "kfence", bug_kfence },
	{ "kmemleak", bug_kmemleak },
	{ "ubsan", bug_ubsan },
	{ "odebug", bug_odebug },
	{ "hung", bug_hung },
	{ "rcu", bug_rcu },
	{ "refcount", bug_refcount },
	{ "slub", bug_slub },
	{ "list", bug_list },
};

static int __init detect_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		if (!strcmp(bug, bugs[i].name))
			return bugs[i].make();
	return -EINVAL;
}
module_init(detect_init);

static void __exit detect_exit(void)
{
}
module_exit(detect_exit);

MODULE_DESCRIPTION("Bugs for the debug kernel's detectors to find");
MODULE_LICENSE("GPL");
