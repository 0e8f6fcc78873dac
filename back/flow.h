/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flows: what a log of connections says of each. A flow is a connection, or a
 * datagram socket with a data ring, from its beginning to its end; RFC 7011 has
 * the term.
 */
#ifndef PVCALLS_BACK_FLOW_H
#define PVCALLS_BACK_FLOW_H

#include <linux/in6.h>
#include <linux/types.h>

/**
 * enum pvcalls_flow_why - why a flow has ended
 * @PVCALLS_FLOW_STANDS: it has not
 * @PVCALLS_FLOW_CLOSED: the guest has closed its socket
 * @PVCALLS_FLOW_PEER: the peer has closed, and then the guest
 * @PVCALLS_FLOW_RESET: the guest has closed its socket with a RST, or without
 *	having read all bytes
 * @PVCALLS_FLOW_ERROR: pvcalls_flow.err, which may be the peer's RST
 * @PVCALLS_FLOW_GONE: the guest, or its device, has gone
 */
enum pvcalls_flow_why {
	PVCALLS_FLOW_STANDS,
	PVCALLS_FLOW_CLOSED,
	PVCALLS_FLOW_PEER,
	PVCALLS_FLOW_RESET,
	PVCALLS_FLOW_ERROR,
	PVCALLS_FLOW_GONE,
};

/**
 * PVCALLS_FLOW_WHY_NAMES() - all reasons for an end with their words
 * @x: macro that is used for each but the last one
 * @last: macro that is used for the last one
 *
 * Context: any; the list is expanded by the compiler.
 */
#define PVCALLS_FLOW_WHY_NAMES(x, last) \
	x(PVCALLS_FLOW_CLOSED, "closed") \
	x(PVCALLS_FLOW_PEER, "peer") \
	x(PVCALLS_FLOW_RESET, "reset") \
	x(PVCALLS_FLOW_ERROR, "error") \
	last(PVCALLS_FLOW_GONE, "gone")

/**
 * struct pvcalls_flow - a flow
 * @begun: when it began, in nanoseconds of CLOCK_MONOTONIC; 0 before, and
 *	once the end has been told
 * @took: nanoseconds from the beginning to the end
 * @in: bytes given to the guest, without headers
 * @out: bytes that the kernel's socket has taken from the guest, likewise
 * @why: why it has ended
 * @err: error number of %PVCALLS_FLOW_ERROR, positive
 * @protocol: IPPROTO_TCP and others
 * @accepted: the peer has begun, not the guest
 * @shut: the guest itself has ended the direction to it
 * @local: the socket's own address; of family AF_INET or AF_INET6
 * @peer: the peer's, zeros if there is none; of the same family
 */
struct pvcalls_flow {
	u64 begun;
	u64 took;
	u64 in;
	u64 out;
	enum pvcalls_flow_why why;
	int err;
	u8 protocol;
	bool accepted;
	bool shut;
	struct sockaddr_in6 local;
	struct sockaddr_in6 peer;
};

#endif /* PVCALLS_BACK_FLOW_H */
