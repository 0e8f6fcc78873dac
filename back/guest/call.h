/* SPDX-License-Identifier: GPL-2.0 */
/* Calls, that is requests of a guest that were read, and their responses. */
#ifndef PVCALLS_BACK_REPLY_H
#define PVCALLS_BACK_REPLY_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/socket.h>

#include <xen/interface/io/pvcalls.h>

#include "pvcalls_ext.h"

struct pvcalls_guest;
struct pvcalls_sock;

/**
 * struct pvcalls_call - a request, from the read to the response
 * @node: on the queue of a socket's calls
 * @list: on a list of waiting calls, or on the frontend's list of results
 * @guest: whose request
 * @req: private copy of the request
 * @deferred: the slot in the ring was given back with EINPROGRESS
 * @run: runs the command on the worker of its socket; NULL if it has none
 * @child: accept: the socket that will hold the connection
 * @ret: the return value, once it is known
 * @len: length of @addr, 0 if the response has no address
 * @addr: an address, or a part of an option's value
 *
 * A call belongs to one worker at a time. It is answered exactly once, by
 * pvcalls_reply(), which frees it, unless its frontend is dead.
 */
struct pvcalls_call {
	struct llist_node node;
	struct list_head list;
	struct pvcalls_guest *guest;
	struct xen_pvcalls_request req;
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
void pvcalls_reply_slot(struct pvcalls_call *call);
void pvcalls_reply_flush(struct pvcalls_guest *g);

#endif /* PVCALLS_BACK_REPLY_H */
