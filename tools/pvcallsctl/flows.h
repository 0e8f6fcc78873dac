/* SPDX-License-Identifier: GPL-2.0 */
/* The log of connections. */
#ifndef PVCALLSCTL_FLOWS_H
#define PVCALLSCTL_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

struct nlmsghdr;

/**
 * struct flows - a log of connections, as it is being shown
 * @domid: show this guest's only, or -1
 * @json: print objects
 * @number: number of the latest message, 0 before the first one
 */
struct flows {
	long domid;
	bool json;
	uint32_t number;
};

int flows(long domid, bool json);

/* For their tests */
int flows_message(const struct nlmsghdr *nlh, void *flows);

#endif /* PVCALLSCTL_FLOWS_H */
