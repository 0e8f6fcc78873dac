/* SPDX-License-Identifier: GPL-2.0 */
/* Calls: requests that were read from a guest, and their responses. */
#ifndef PVCALLS_BACK_CALL_H
#define PVCALLS_BACK_CALL_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/socket.h>

#include <xen/interface/io/pvcalls.h>

#include "pvcalls_ext.h"

struct pvcalls_guest;
struct pvcalls_sock;

/**
 * struct pvcalls_call - a request, from reading it to its response
 * @node: entry in the queue of a socket's calls
 * @list: entry in a list of waiting calls, or in pvcalls_guest.results
 * @guest: the guest that made the request
 * @req: private copy of the request
 * @begun: when the request was read, in nanoseconds of CLOCK_MONOTONIC, if
 *	somebody traces; else 0
 * @deferred: the slot in the command ring was given back with -EINPROGRESS, and
 *	the call is charged
 * @run: runs the command on its socket's worker; NULL for a command without a
 *	socket
 * @child: for accept, the socket that will hold the connection
 * @ret: the return value of a deferred call that has been answered
 * @len: length of @addr in bytes, 0 if the response has no address
 * @addr: an address, or a part of an option's value
 *
 * A call belongs to one worker at a time. A call is answered exactly once, by
 * pvcalls_reply(), which also frees the call. If the guest is dead the call is
 * freed without an answer.
 */
struct pvcalls_call {
	struct llist_node node;
	struct list_head list;
	struct pvcalls_guest *guest;
	struct xen_pvcalls_request req;
	u64 begun;
	bool deferred;
	void (*run)(struct pvcalls_sock *ps, struct pvcalls_call *call);
	struct pvcalls_sock *child;
	s32 ret;
	u32 len;
	u8 addr[PVCALLS_ADDR_LEN];
};

int pvcalls_reply_init(void);
void pvcalls_reply_exit(void);

struct pvcalls_call *pvcalls_call_alloc(struct pvcalls_guest *g);
void pvcalls_call_free(struct pvcalls_call *call);
void pvcalls_call_name(struct pvcalls_call *call,
		       const struct sockaddr_storage *addr, int len);
void pvcalls_call_value(struct pvcalls_call *call, const void *value, u32 len);

void pvcalls_reply(struct pvcalls_call *call, int ret);
int pvcalls_reply_later(struct pvcalls_call *call);
void pvcalls_reply_maybe_later(struct pvcalls_call *call);
void pvcalls_reply_slot(struct pvcalls_call *call);
void pvcalls_reply_flush(struct pvcalls_guest *g);

#endif /* PVCALLS_BACK_CALL_H */
