/* SPDX-License-Identifier: GPL-2.0 */
/* Time, which the test that needs it has pass. kernel.h includes this. */
#ifndef TESTS_CLOCK_H
#define TESTS_CLOCK_H

struct timer_list {
	void (*fn)(struct timer_list *timer);
	unsigned long expires;
	bool pending;
};

extern unsigned long jiffies;
u64 ktime_get_ns(void);

/* one of four milliseconds each */
#define pvcalls_timer_stop(t)	((t)->pending = false)
#define nsecs_to_jiffies(n)	((n) / 4000000)
#define timer_setup(t, f, flags) ((t)->fn = (f))

static inline void mod_timer(struct timer_list *t, unsigned long expires)
{
	t->expires = expires;
	t->pending = true;
}

#endif /* TESTS_CLOCK_H */
