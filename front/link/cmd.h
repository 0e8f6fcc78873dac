/* SPDX-License-Identifier: GPL-2.0 */
/* Command client: requests on the command ring and their responses. */
#ifndef PVC_CMD_H
#define PVC_CMD_H

#include <linux/interrupt.h>
#include <linux/list.h>

#include "pvcalls_ext.h"

struct pvc_link;

/**
 * enum pvc_cmd_state - where a command is; changes under pvc_link.lock
 * @PVC_CMD_IDLE: with its owner
 * @PVC_CMD_QUEUED: waits for a slot of the ring
 * @PVC_CMD_SENT: the backend has it
 * @PVC_CMD_DEFERRED: the backend has said that the result comes later
 */
enum pvc_cmd_state {
	PVC_CMD_IDLE,
	PVC_CMD_QUEUED,
	PVC_CMD_SENT,
	PVC_CMD_DEFERRED,
};

/**
 * struct pvc_cmd - one command, reusable when idle
 * @req: filled in by the owner, but for req_id
 * @rsp: valid when @done is called
 * @done: called once per submission, from hard interrupt or process context,
 *	with no lock of the command client held; must not sleep
 * @link: the connection it belongs to
 * @list: in pvc_link.backlog while queued
 * @state: see &enum pvc_cmd_state
 * @lazy: nobody waits for it: the response may come with the next one that
 *	somebody does wait for; set by the owner, reset if it is deferred
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

/* Requests for deferred results that are kept with the backend */
#define PVC_DEFERRED_REQS	8

/* So many responses that nobody waits for may come without an event */
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
