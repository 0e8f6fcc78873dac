/* SPDX-License-Identifier: GPL-2.0 */
/* Time, which the test that needs it has pass. kernel.h includes this. */
#ifndef TESTS_CLOCK_H
#define TESTS_CLOCK_H

struct timer_list {
	void (*fn)(struct timer_list *timer);
	unsigned long expires;
	bool pending;
};

#define NSEC_PER_USEC		1000L
#define NSEC_PER_SEC		1000000000L

extern unsigned long jiffies;
u64 ktime_get_ns(void);

/* one of four milliseconds each */
#define pvcalls_timer_stop(t)	((t)->pending = false)
#define nsecs_to_jiffies(n)	((n) / 4000000)
#define timer_setup(t, f, flags) ((t)->fn = (f))

void schedule_timeout(long timeout);
extern u32 naps;	/* how often that was with a time */
#define MAX_SCHEDULE_TIMEOUT	__LONG_MAX__

static inline void mod_timer(struct timer_list *t, unsigned long expires)
{
	t->expires = expires;
	t->pending = true;
}

#endif /* TESTS_CLOCK_H */
