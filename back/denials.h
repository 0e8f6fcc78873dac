/* SPDX-License-Identifier: GPL-2.0 */
/* What a policy denies, and why; logs, traces and statistics have the words. */
#ifndef PVCALLS_BACK_DENIALS_H
#define PVCALLS_BACK_DENIALS_H

/**
 * enum pvcalls_door - where a policy is asked: what a guest wants to do
 * @PVCALLS_DOOR_CONNECT: connect to an address, or send a datagram there
 * @PVCALLS_DOOR_BIND: bind a socket to an address
 * @PVCALLS_DOOR_SOURCE: send a datagram from an address, with a socket that has
 *	a port already
 * @PVCALLS_DOOR_LISTEN: listen
 * @PVCALLS_DOOR_HEAR: get a connection or a datagram from an address
 * @PVCALLS_DOOR_SOCKET: make a socket
 */
enum pvcalls_door {
	PVCALLS_DOOR_CONNECT,
	PVCALLS_DOOR_BIND,
	PVCALLS_DOOR_SOURCE,
	PVCALLS_DOOR_LISTEN,
	PVCALLS_DOOR_HEAR,
	PVCALLS_DOOR_SOCKET,
};

/**
 * PVCALLS_DOOR_NAMES() - all doors with their words
 * @x: macro that is used for each but the last one
 * @last: macro that is used for the last one
 *
 * Context: any; the list is expanded by the compiler.
 */
#define PVCALLS_DOOR_NAMES(x, last) \
	x(PVCALLS_DOOR_CONNECT, "connect to") \
	x(PVCALLS_DOOR_BIND, "bind to") \
	x(PVCALLS_DOOR_SOURCE, "send from") \
	x(PVCALLS_DOOR_LISTEN, "listen on") \
	x(PVCALLS_DOOR_HEAR, "hear from") \
	last(PVCALLS_DOOR_SOCKET, "socket")

/**
 * enum pvcalls_denial - what a policy says
 * @PVCALLS_ALLOWED: go on
 * @PVCALLS_DENIED_PROTOCOL: not in "protocols"
 * @PVCALLS_DENIED_LOOPBACK: the loopback, and not "local=all"
 * @PVCALLS_DENIED_LOCAL: an own address of this domain, and "local=none"
 * @PVCALLS_DENIED_SCOPE: an address that needs an interface, or names one
 * @PVCALLS_DENIED_RESERVED: a port in "reserved"
 * @PVCALLS_DENIED_LISTENING: a port on which this domain itself listens
 * @PVCALLS_DENIED_RULE: a rule denies it
 * @PVCALLS_DENIALS: number of all of these
 */
enum pvcalls_denial {
	PVCALLS_ALLOWED,
	PVCALLS_DENIED_PROTOCOL,
	PVCALLS_DENIED_LOOPBACK,
	PVCALLS_DENIED_LOCAL,
	PVCALLS_DENIED_SCOPE,
	PVCALLS_DENIED_RESERVED,
	PVCALLS_DENIED_LISTENING,
	PVCALLS_DENIED_RULE,
	PVCALLS_DENIALS
};

/**
 * PVCALLS_DENIAL_NAMES() - all denials with their words
 * @x: macro that is used for each but the last one
 * @last: macro that is used for the last one
 *
 * Context: any; the list is expanded by the compiler.
 */
#define PVCALLS_DENIAL_NAMES(x, last) \
	x(PVCALLS_DENIED_PROTOCOL, "protocol") \
	x(PVCALLS_DENIED_LOOPBACK, "loopback") \
	x(PVCALLS_DENIED_LOCAL, "local") \
	x(PVCALLS_DENIED_SCOPE, "scope") \
	x(PVCALLS_DENIED_RESERVED, "reserved") \
	x(PVCALLS_DENIED_LISTENING, "listening") \
	last(PVCALLS_DENIED_RULE, "rule")

#endif /* PVCALLS_BACK_DENIALS_H */
