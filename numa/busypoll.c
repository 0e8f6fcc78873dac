// SPDX-License-Identifier: GPL-2.0
/* See busypoll.h. */
#include "busypoll.h"

/**
 * busypoll_next() - how long to poll the next time
 * @window: how long the worker was ready to poll this time, in ns
 * @limit: how long it may, in ns, up to 2^30; 0: polling is off
 * @dry: how long it had nothing to do, polling or asleep, in ns
 *
 * If a window within the limit would have met the work, a larger one is worth
 * trying; if not, polling was in vain, and half of it will do. So whatever the
 * traffic, a worker that keeps on polling meets its work.
 *
 * Context: any.
 * Return: the window, in ns; 0: don't poll.
 */
u32 busypoll_next(u32 window, u32 limit, u64 dry)
{
	if (dry > limit)
		window /= 2;
	else if (dry > window)
		window = window < BUSYPOLL_MIN ? BUSYPOLL_MIN : 2 * window;
	if (window > limit)
		window = limit;
	return window < BUSYPOLL_MIN ? 0 : window;
}
