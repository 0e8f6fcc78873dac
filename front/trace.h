/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints, for perf, trace-cmd and bpftrace. See pvcalls_mt_front(4). */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pvcalls_front

#if !defined(PVC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PVC_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include <xen/interface/xen.h>

/* Room for the name of a state, with its final zero */
#define PVC_TRACE_STATE_LEN	16

/**
 * conn_state() - a connection goes from one state to another
 * @domid: the backend's domain
 * @id: the socket's id, as the backend knows it
 * @from: name of the state before
 * @to: name of the state from now on
 */
TRACE_EVENT(conn_state,
	TP_PROTO(domid_t domid, u64 id, const char *from, const char *to),
	TP_ARGS(domid, id, from, to),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u64, id)
		__array(char, from, PVC_TRACE_STATE_LEN)
		__array(char, to, PVC_TRACE_STATE_LEN)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->id = id;
		strscpy(__entry->from, from, PVC_TRACE_STATE_LEN);
		strscpy(__entry->to, to, PVC_TRACE_STATE_LEN);
	),
	TP_printk("domid=%u id=%#llx from=%s to=%s", __entry->domid,
		  __entry->id, __entry->from, __entry->to)
);

#endif /* PVC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
