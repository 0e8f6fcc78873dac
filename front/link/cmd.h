/* SPDX-License-Identifier: GPL-2.0 */
/* The command client: requests on the command ring, and their responses. */
#ifndef PVC_CMD_H
#define PVC_CMD_H

#include <linux/interrupt.h>
#include <linux/list.h>

#include "pvcalls_ext.h"

struct pvc_link;

/**
 * enum pvc_cmd_state - where a command is; changes under pvc_link.lock
 * @PVC_CMD_IDLE: the owner has the command
 * @PVC_CMD_QUEUED: the command waits for a slot of the ring
 * @PVC_CMD_SENT: the backend has the command
 * @PVC_CMD_DEFERRED: the backend has said that the result comes later
 */
enum pvc_cmd_state {
	PVC_CMD_IDLE,
	PVC_CMD_QUEUED,
	PVC_CMD_SENT,
	PVC_CMD_DEFERRED,
};

/**
 * struct pvc_cmd - one command, which can be submitted again when it is idle
 * @req: the request, filled in by the owner except for req_id
 * @rsp: the response, valid when @done is called
 * @done: called once for each submission; must not sleep. Context: hard
 *	interrupt or process, without a lock of the command client
 * @link: link of the command, or NULL before pvc_cmd_init()
 * @list: in pvc_link.backlog or pvc_link.held while queued
 * @state: see &enum pvc_cmd_state
 * @lazy: nobody waits for the response, which may therefore come together with
 *	the next one that somebody waits for. The owner sets it; a deferral
 *	clears it
 */
struct pvc_cmd {
	struct xen_pvcalls_request req;
	struct pvcalls_response rsp;
	void (*done)(struct pvc_cmd *cmd);
	struct pvc_link *link;
	struct list_head list;
	enum pvc_cmd_state state;
	bool lazy;
};

/* Requests for deferred results that the backend has at a time */
#define PVC_DEFERRED_REQS	8

/* Lazy responses that the backend may give without an event */
#define PVC_LAZY_RSPS		8

int pvc_cmd_init(struct pvc_cmd *cmd, struct pvc_link *link, u32 code,
		 void (*done)(struct pvc_cmd *cmd));
void pvc_cmd_fini(struct pvc_cmd *cmd);
int pvc_cmd_submit(struct pvc_cmd *cmd);
int pvc_cmd_call(struct pvc_link *link, struct xen_pvcalls_request *req,
		 struct pvcalls_response *rsp);
int pvc_cmd_post(struct pvc_link *link, struct xen_pvcalls_request *req);

bool pvc_cmd_unseen(struct pvc_link *link);

int pvc_cmd_start(struct pvc_link *link);
void pvc_cmd_stop(struct pvc_link *link);
irqreturn_t pvc_cmd_irq(int irq, void *arg);

#endif /* PVC_CMD_H */
