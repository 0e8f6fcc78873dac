/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, for perf, trace-cmd and bpftrace: what guests ask for, what they
 * are answered, and what the workers do. See pvcalls_mt_back(4).
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvcalls

#if !defined(PVCALLS_BACK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PVCALLS_BACK_TRACE_H

#include <linux/in6.h>
#include <linux/tracepoint.h>

#include <xen/interface/xen.h>

#include "pvcalls_ext.h"
#include "guest/call.h"

#define pvcalls_show_cmd(cmd) \
	__print_symbolic(cmd, \
			 { PVCALLS_SOCKET, "socket" }, \
			 { PVCALLS_CONNECT, "connect" }, \
			 { PVCALLS_RELEASE, "release" }, \
			 { PVCALLS_BIND, "bind" }, \
			 { PVCALLS_LISTEN, "listen" }, \
			 { PVCALLS_ACCEPT, "accept" }, \
			 { PVCALLS_POLL, "poll" }, \
			 { PVCALLS_SHUTDOWN, "shutdown" }, \
			 { PVCALLS_GETNAME, "getname" }, \
			 { PVCALLS_DEFERRED, "deferred" }, \
			 { PVCALLS_SETSOCKOPT, "setsockopt" }, \
			 { PVCALLS_FORGET, "forget" }, \
			 { PVCALLS_GETSOCKOPT, "getsockopt" })

/**
 * pvcalls_request() - a request has been read
 * @domid: of the guest
 * @req: private copy of it
 */
TRACE_EVENT(pvcalls_request,
	TP_PROTO(domid_t domid, const struct xen_pvcalls_request *req),
	TP_ARGS(domid, req),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u32, req_id)
		__field(u32, cmd)
		__field(u64, id)
		__array(u8, addr, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		bool named = req->cmd == PVCALLS_CONNECT ||
			     req->cmd == PVCALLS_BIND;

		__entry->domid = domid;
		__entry->req_id = req->req_id;
		__entry->cmd = req->cmd;
		__entry->id = req->u.socket.id;
		/* both have it at the same place */
		pvcalls_trace_addr(__entry->addr, req->u.connect.addr,
				   named ? PVCALLS_ADDR_LEN : 0);
	),
	TP_printk("domid=%u req_id=%u cmd=%s id=%#llx addr=%pISpc",
		  __entry->domid, __entry->req_id,
		  pvcalls_show_cmd(__entry->cmd), __entry->id, __entry->addr)
);

/**
 * pvcalls_response() - a request is answered, or deferred
 * @domid: of the guest
 * @call: the request; with the address, if the response has one
 * @ret: the return value; -EINPROGRESS: it is deferred
 */
TRACE_EVENT(pvcalls_response,
	TP_PROTO(domid_t domid, const struct pvcalls_call *call, int ret),
	TP_ARGS(domid, call, ret),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u32, req_id)
		__field(u32, cmd)
		__field(u64, id)
		__field(s32, ret)
		__array(u8, addr, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		bool named = !ret && call->req.cmd != PVCALLS_GETSOCKOPT;

		__entry->domid = domid;
		__entry->req_id = call->req.req_id;
		__entry->cmd = call->req.cmd;
		__entry->id = call->req.u.socket.id;
		__entry->ret = ret;
		pvcalls_trace_addr(__entry->addr, call->addr,
				   named ? call->len : 0);
	),
	TP_printk("domid=%u req_id=%u cmd=%s id=%#llx ret=%d addr=%pISpc",
		  __entry->domid, __entry->req_id,
		  pvcalls_show_cmd(__entry->cmd), __entry->id, __entry->ret,
		  __entry->addr)
);

/**
 * pvcalls_move() - bytes were moved, by a worker or where they came in
 * @domid: of the guest
 * @id: the socket
 * @in: bytes given to the guest
 * @out: bytes taken from it
 */
TRACE_EVENT(pvcalls_move,
	TP_PROTO(domid_t domid, u64 id, u32 in, u32 out),
	TP_ARGS(domid, id, in, out),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u64, id)
		__field(u32, in)
		__field(u32, out)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->id = id;
		__entry->in = in;
		__entry->out = out;
	),
	TP_printk("domid=%u id=%#llx in=%u out=%u", __entry->domid,
		  __entry->id, __entry->in, __entry->out)
);

/**
 * pvcalls_events() - a worker sends the events that its pass owes
 * @nr: how many, in one hypercall
 */
TRACE_EVENT(pvcalls_events,
	TP_PROTO(unsigned int nr),
	TP_ARGS(nr),
	TP_STRUCT__entry(
		__field(u32, nr)
	),
	TP_fast_assign(
		__entry->nr = nr;
	),
	TP_printk("nr=%u", __entry->nr)
);

#endif /* PVCALLS_BACK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
