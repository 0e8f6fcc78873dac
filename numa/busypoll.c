// SPDX-License-Identifier: GPL-2.0
/* How long a worker polls; busypoll.h says when. */
#include "busypoll.h"

/**
 * busypoll_next() - choose the time to poll
 * @window: the present window, that is how long a worker may poll, in ns
 * @limit: the largest window, in ns, 0 to 2^30; with 0 polling is off
 * @dry: how long the worker had nothing to do, polling or asleep, in ns
 *
 * If a window within the limit would have met the next work, a larger window is
 * worth a try. If not, polling was in vain, and the window is halved. So with
 * any traffic, a worker that still polls is a worker whose polling meets work.
 *
 * Context: any.
 * Return: the next window, in ns; 0 for no polling.
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
