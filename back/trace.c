// SPDX-License-Identifier: GPL-2.0
/* The tracepoints of trace.h, and functions that fill in addresses. */
#include <linux/in6.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/socket.h>
#include <linux/string.h>

#include <xen/interface/io/pvcalls.h>

#include "pvcalls_ext.h"

/*
 * Copy @len bytes of an address. The printing code knows two families, and a
 * guest's address may be of any: other families become AF_INET.
 */
static inline void pvcalls_trace_addr(u8 *to, const u8 *from, u32 len)
{
	struct sockaddr *addr = (struct sockaddr *)to;

	memset(to, 0, sizeof(struct sockaddr_in6));
	memcpy(to, from, min_t(u32, len, sizeof(struct sockaddr_in6)));
	if (addr->sa_family != AF_INET6)
		addr->sa_family = AF_INET;
}

/*
 * How long is a request's address, which connect and bind have at the same
 * place?
 */
static inline u32 pvcalls_trace_named(const struct xen_pvcalls_request *req)
{
	return req->cmd == PVCALLS_CONNECT || req->cmd == PVCALLS_BIND ?
	       PVCALLS_ADDR_LEN : 0;
}

#define CREATE_TRACE_POINTS
#include "trace.h"
