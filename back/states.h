/* SPDX-License-Identifier: GPL-2.0 */
/*
 * States of a connection's two directions, and what is allowed in each state.
 * The two enums have different numbers, so that one tracepoint can name states
 * of both.
 */
#ifndef PVCALLS_BACK_STATES_H
#define PVCALLS_BACK_STATES_H

#include <linux/types.h>

/**
 * enum pvcalls_in_state - from the network to the guest
 * @PVCALLS_IN_OPEN: what arrives is put into the ring, also by a softirq
 * @PVCALLS_IN_WAITING: the ring was full. The worker puts bytes into the ring
 *	once half of it is free, and softirqs leave the socket to the worker
 * @PVCALLS_IN_DONE: nothing more is put into the ring, and the guest has been
 *	told why. The state stays for as long as the ring does
 */
enum pvcalls_in_state {
	PVCALLS_IN_OPEN,
	PVCALLS_IN_WAITING,
	PVCALLS_IN_DONE,
};

/**
 * enum pvcalls_out_state - from the guest to the network
 * @PVCALLS_OUT_OPEN: all that the guest publishes is sent
 * @PVCALLS_OUT_RESTING: all that the guest publishes is sent. The last run has
 *	left nothing to do and has asked for an event about the next byte. So an
 *	event needs no run if the guest has published nothing, and a softirq may
 *	send the next bytes
 * @PVCALLS_OUT_BLOCKED: as @PVCALLS_OUT_OPEN, but the kernel socket was full,
 *	or the guest is ahead of its rate. A stream sends nothing before
 *	%PVCALLS_SF_OUT_READY
 * @PVCALLS_OUT_STOP: what is published up to pvcalls_conn.stop_at is sent, and
 *	nothing beyond that index
 * @PVCALLS_OUT_STOP_BLOCKED: as @PVCALLS_OUT_STOP, and the kernel socket was
 *	full
 * @PVCALLS_OUT_FIN: as @PVCALLS_OUT_STOP, and then a stream sends a FIN
 * @PVCALLS_OUT_FIN_BLOCKED: as @PVCALLS_OUT_FIN, and the kernel socket was full
 * @PVCALLS_OUT_DONE: nothing more can be sent. The state stays for as long as
 *	the ring does
 */
enum pvcalls_out_state {
	PVCALLS_OUT_OPEN = 8,
	PVCALLS_OUT_RESTING,
	PVCALLS_OUT_BLOCKED,
	PVCALLS_OUT_STOP,
	PVCALLS_OUT_STOP_BLOCKED,
	PVCALLS_OUT_FIN,
	PVCALLS_OUT_FIN_BLOCKED,
	PVCALLS_OUT_DONE,
};

/**
 * pvcalls_out_is_blocked() - does sending wait for room?
 * @state: state of the direction to the network
 *
 * Context: any.
 * Return: true if nothing is sent before the kernel socket has room.
 */
static inline bool pvcalls_out_is_blocked(enum pvcalls_out_state state)
{
	return state == PVCALLS_OUT_BLOCKED ||
	       state == PVCALLS_OUT_STOP_BLOCKED ||
	       state == PVCALLS_OUT_FIN_BLOCKED;
}

/**
 * pvcalls_out_is_limited() - does sending stop somewhere?
 * @state: state of the direction to the network
 *
 * Context: any.
 * Return: true if pvcalls_conn.stop_at limits what is sent.
 */
static inline bool pvcalls_out_is_limited(enum pvcalls_out_state state)
{
	return state >= PVCALLS_OUT_STOP && state <= PVCALLS_OUT_FIN_BLOCKED;
}

#endif /* PVCALLS_BACK_STATES_H */
