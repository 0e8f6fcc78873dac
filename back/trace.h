/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints for perf, trace-cmd and bpftrace: requests of guests, responses,
 * and the work of the workers. pvcalls_mt_back(4) describes them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvcalls

#if !defined(PVCALLS_BACK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PVCALLS_BACK_TRACE_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tracepoint.h>

#include <xen/interface/xen.h>

#include "pvcalls_ext.h"
#include "commands.h"
#include "denials.h"
#include "flow.h"
#include "states.h"

#define PVCALLS_SHOW_CMD(number, name, ...)	{ number, name },
#define PVCALLS_SHOW_LAST_CMD(number, name, ...) { number, name }
#define pvcalls_show_cmd(cmd) \
	__print_symbolic(cmd, PVCALLS_COMMANDS(PVCALLS_SHOW_CMD, \
					       PVCALLS_SHOW_LAST_CMD))

/**
 * pvcalls_request() - a request has been read
 * @domid: the guest
 * @req: private copy of the request
 *
 * Context: process, on the command ring's worker.
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
		__entry->domid = domid;
		__entry->req_id = req->req_id;
		__entry->cmd = req->cmd;
		__entry->id = req->u.socket.id;
		pvcalls_trace_addr(__entry->addr, req->u.connect.addr,
				   pvcalls_trace_named(req));
	),
	TP_printk("domid=%u req_id=%u cmd=%s id=%#llx addr=%pISpc",
		  __entry->domid, __entry->req_id,
		  pvcalls_show_cmd(__entry->cmd), __entry->id, __entry->addr)
);

/**
 * pvcalls_response() - a request is answered, or deferred
 * @domid: the guest
 * @req: private copy of the request
 * @begun: when the request was read, in nanoseconds of CLOCK_MONOTONIC; 0 if
 *	that is not known, since nobody traced then
 * @ret: the return value; -EINPROGRESS: the request is deferred
 * @addr: the address in the response
 * @len: bytes of @addr, 0 if the response has no address
 *
 * Context: process, on a worker, with pvcalls_guest.rsp_lock held.
 */
TRACE_EVENT(pvcalls_response,
	TP_PROTO(domid_t domid, const struct xen_pvcalls_request *req,
		 u64 begun, int ret, const u8 *addr, u32 len),
	TP_ARGS(domid, req, begun, ret, addr, len),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u32, req_id)
		__field(u32, cmd)
		__field(u64, id)
		__field(s32, ret)
		__field(u64, took)
		__array(u8, to, sizeof(struct sockaddr_in6))
		__array(u8, addr, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		bool named = !ret && req->cmd != PVCALLS_GETSOCKOPT;

		__entry->domid = domid;
		__entry->req_id = req->req_id;
		__entry->cmd = req->cmd;
		__entry->id = req->u.socket.id;
		__entry->ret = ret;
		__entry->took = begun ? ktime_get_ns() - begun : 0;
		pvcalls_trace_addr(__entry->to, req->u.connect.addr,
				   pvcalls_trace_named(req));
		pvcalls_trace_addr(__entry->addr, addr, named ? len : 0);
	),
	TP_printk("domid=%u req_id=%u cmd=%s id=%#llx to=%pISpc ret=%d took_ns=%llu addr=%pISpc",
		  __entry->domid, __entry->req_id,
		  pvcalls_show_cmd(__entry->cmd), __entry->id, __entry->to,
		  __entry->ret, __entry->took, __entry->addr)
);

/**
 * pvcalls_move() - a worker or a softirq has moved bytes
 * @domid: the guest
 * @id: the socket
 * @in: bytes given to the guest
 * @out: bytes taken from the guest
 *
 * Context: process or softirq.
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

TRACE_DEFINE_ENUM(PVCALLS_IN_OPEN);
TRACE_DEFINE_ENUM(PVCALLS_IN_WAITING);
TRACE_DEFINE_ENUM(PVCALLS_IN_DONE);
TRACE_DEFINE_ENUM(PVCALLS_OUT_OPEN);
TRACE_DEFINE_ENUM(PVCALLS_OUT_RESTING);
TRACE_DEFINE_ENUM(PVCALLS_OUT_BLOCKED);
TRACE_DEFINE_ENUM(PVCALLS_OUT_STOP);
TRACE_DEFINE_ENUM(PVCALLS_OUT_STOP_BLOCKED);
TRACE_DEFINE_ENUM(PVCALLS_OUT_FIN);
TRACE_DEFINE_ENUM(PVCALLS_OUT_FIN_BLOCKED);
TRACE_DEFINE_ENUM(PVCALLS_OUT_DONE);

#define pvcalls_show_state(state) \
	__print_symbolic(state, \
			 { PVCALLS_IN_OPEN, "in-open" }, \
			 { PVCALLS_IN_WAITING, "in-waiting" }, \
			 { PVCALLS_IN_DONE, "in-done" }, \
			 { PVCALLS_OUT_OPEN, "out-open" }, \
			 { PVCALLS_OUT_RESTING, "out-resting" }, \
			 { PVCALLS_OUT_BLOCKED, "out-blocked" }, \
			 { PVCALLS_OUT_STOP, "out-stop" }, \
			 { PVCALLS_OUT_STOP_BLOCKED, "out-stop-blocked" }, \
			 { PVCALLS_OUT_FIN, "out-fin" }, \
			 { PVCALLS_OUT_FIN_BLOCKED, "out-fin-blocked" }, \
			 { PVCALLS_OUT_DONE, "out-done" })

/**
 * pvcalls_conn_state() - a direction of a connection changes its state
 * @domid: the guest
 * @id: the socket
 * @from: the old state, of enum pvcalls_in_state or enum pvcalls_out_state
 * @to: the new state, of the same enum as @from
 *
 * Context: process or softirq.
 */
TRACE_EVENT(pvcalls_conn_state,
	TP_PROTO(domid_t domid, u64 id, u32 from, u32 to),
	TP_ARGS(domid, id, from, to),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u64, id)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->id = id;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("domid=%u id=%#llx from=%s to=%s", __entry->domid,
		  __entry->id, pvcalls_show_state(__entry->from),
		  pvcalls_show_state(__entry->to))
);

TRACE_DEFINE_ENUM(PVCALLS_DOOR_CONNECT);
TRACE_DEFINE_ENUM(PVCALLS_DOOR_BIND);
TRACE_DEFINE_ENUM(PVCALLS_DOOR_SOURCE);
TRACE_DEFINE_ENUM(PVCALLS_DOOR_LISTEN);
TRACE_DEFINE_ENUM(PVCALLS_DOOR_HEAR);
TRACE_DEFINE_ENUM(PVCALLS_DOOR_SOCKET);
TRACE_DEFINE_ENUM(PVCALLS_DENIED_PROTOCOL);
TRACE_DEFINE_ENUM(PVCALLS_DENIED_LOOPBACK);
TRACE_DEFINE_ENUM(PVCALLS_DENIED_LOCAL);
TRACE_DEFINE_ENUM(PVCALLS_DENIED_SCOPE);
TRACE_DEFINE_ENUM(PVCALLS_DENIED_RESERVED);
TRACE_DEFINE_ENUM(PVCALLS_DENIED_LISTENING);
TRACE_DEFINE_ENUM(PVCALLS_DENIED_RULE);

#define PVCALLS_SHOW_NAME(number, name)		{ number, name },
#define PVCALLS_SHOW_LAST_NAME(number, name)	{ number, name }
#define pvcalls_show_door(door) \
	__print_symbolic(door, PVCALLS_DOOR_NAMES(PVCALLS_SHOW_NAME, \
						  PVCALLS_SHOW_LAST_NAME))
#define pvcalls_show_denial(denial) \
	__print_symbolic(denial, PVCALLS_DENIAL_NAMES(PVCALLS_SHOW_NAME, \
						      PVCALLS_SHOW_LAST_NAME))

/**
 * pvcalls_denied() - a guest's policy has said no
 * @domid: the guest
 * @door: what the guest wanted to do
 * @denial: why it must not
 * @addr: to or from which address
 * @len: bytes of @addr, 0 if there is no address
 *
 * Context: process or softirq.
 */
TRACE_EVENT(pvcalls_denied,
	TP_PROTO(domid_t domid, enum pvcalls_door door,
		 enum pvcalls_denial denial, const u8 *addr, u32 len),
	TP_ARGS(domid, door, denial, addr, len),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u32, door)
		__field(u32, denial)
		__array(u8, addr, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->door = door;
		__entry->denial = denial;
		pvcalls_trace_addr(__entry->addr, addr, len);
	),
	TP_printk("domid=%u what=\"%s\" addr=%pISpc why=%s", __entry->domid,
		  pvcalls_show_door(__entry->door), __entry->addr,
		  pvcalls_show_denial(__entry->denial))
);

TRACE_DEFINE_ENUM(IPPROTO_ICMP);
TRACE_DEFINE_ENUM(IPPROTO_TCP);
TRACE_DEFINE_ENUM(IPPROTO_UDP);
TRACE_DEFINE_ENUM(IPPROTO_ICMPV6);
TRACE_DEFINE_ENUM(PVCALLS_FLOW_CLOSED);
TRACE_DEFINE_ENUM(PVCALLS_FLOW_PEER);
TRACE_DEFINE_ENUM(PVCALLS_FLOW_RESET);
TRACE_DEFINE_ENUM(PVCALLS_FLOW_ERROR);
TRACE_DEFINE_ENUM(PVCALLS_FLOW_GONE);

#define pvcalls_show_why(why) \
	__print_symbolic(why, PVCALLS_FLOW_WHY_NAMES(PVCALLS_SHOW_NAME, \
						     PVCALLS_SHOW_LAST_NAME))
#define pvcalls_show_protocol(protocol) \
	__print_symbolic(protocol, \
			 { IPPROTO_ICMP, "icmp" }, \
			 { IPPROTO_TCP, "tcp" }, \
			 { IPPROTO_UDP, "udp" }, \
			 { IPPROTO_ICMPV6, "icmpv6" })

/**
 * pvcalls_flow_begin() - a connection is established, or datagrams may go
 * @domid: the guest
 * @id: the socket
 * @flow: the flow
 *
 * Context: process, on a worker.
 */
TRACE_EVENT(pvcalls_flow_begin,
	TP_PROTO(domid_t domid, u64 id, const struct pvcalls_flow *flow),
	TP_ARGS(domid, id, flow),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u64, id)
		__field(u8, protocol)
		__field(bool, accepted)
		__array(u8, local, sizeof(struct sockaddr_in6))
		__array(u8, peer, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->id = id;
		__entry->protocol = flow->protocol;
		__entry->accepted = flow->accepted;
		memcpy(__entry->local, &flow->local, sizeof(flow->local));
		memcpy(__entry->peer, &flow->peer, sizeof(flow->peer));
	),
	TP_printk("domid=%u id=%#llx protocol=%s by=%s local=%pISpc peer=%pISpc",
		  __entry->domid, __entry->id,
		  pvcalls_show_protocol(__entry->protocol),
		  __entry->accepted ? "peer" : "guest",
		  __entry->local, __entry->peer)
);

/**
 * pvcalls_flow_end() - a connection has ended, or a datagram socket is closed
 * @domid: the guest
 * @id: the socket
 * @flow: the flow
 *
 * Context: process, on a worker.
 */
TRACE_EVENT(pvcalls_flow_end,
	TP_PROTO(domid_t domid, u64 id, const struct pvcalls_flow *flow),
	TP_ARGS(domid, id, flow),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u64, id)
		__field(u8, protocol)
		__field(u32, why)
		__field(s32, err)
		__field(u64, in)
		__field(u64, out)
		__field(u64, took)
		__array(u8, local, sizeof(struct sockaddr_in6))
		__array(u8, peer, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->id = id;
		__entry->protocol = flow->protocol;
		__entry->why = flow->why;
		__entry->err = flow->err;
		__entry->in = flow->in;
		__entry->out = flow->out;
		__entry->took = flow->took;
		memcpy(__entry->local, &flow->local, sizeof(flow->local));
		memcpy(__entry->peer, &flow->peer, sizeof(flow->peer));
	),
	TP_printk("domid=%u id=%#llx protocol=%s local=%pISpc peer=%pISpc in=%llu out=%llu took_ns=%llu why=%s err=%d",
		  __entry->domid, __entry->id,
		  pvcalls_show_protocol(__entry->protocol),
		  __entry->local, __entry->peer, __entry->in, __entry->out,
		  __entry->took, pvcalls_show_why(__entry->why), __entry->err)
);

/**
 * pvcalls_events() - a worker sends the events that it owes
 * @nr: number of events in one hypercall, at least 1
 *
 * Context: process, on the worker.
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
