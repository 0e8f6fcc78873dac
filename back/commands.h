/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All commands that a guest can give. Each line has a command's number, its
 * name in traces, the extension that must be in force, the function that takes
 * the request off the command ring, and the function that runs the command on
 * its socket's worker. link/cmd.c has the types of these two functions.
 */
#ifndef PVCALLS_BACK_COMMANDS_H
#define PVCALLS_BACK_COMMANDS_H

#include <xen/interface/io/pvcalls.h>

#include "pvcalls_ext.h"

/* Commands of the protocol that Linux documents need no extension */
#define PVCALLS_F_NONE	PVCALLS_F_COUNT

/**
 * PVCALLS_COMMANDS() - all commands
 * @x: macro that is used for each but the last one
 * @last: macro that is used for the last one
 *
 * Context: any; the list is expanded by the compiler.
 */
#define PVCALLS_COMMANDS(x, last) \
	x(PVCALLS_SOCKET, "socket", PVCALLS_F_NONE, \
	  pvcalls_cmd_socket, NULL) \
	x(PVCALLS_CONNECT, "connect", PVCALLS_F_NONE, \
	  pvcalls_cmd_connect, pvcalls_sock_connect) \
	x(PVCALLS_RELEASE, "release", PVCALLS_F_NONE, \
	  pvcalls_cmd_release, pvcalls_sock_release) \
	x(PVCALLS_BIND, "bind", PVCALLS_F_NONE, \
	  pvcalls_cmd_forward, pvcalls_name_bind) \
	x(PVCALLS_LISTEN, "listen", PVCALLS_F_NONE, \
	  pvcalls_cmd_forward, pvcalls_listener_listen) \
	x(PVCALLS_ACCEPT, "accept", PVCALLS_F_NONE, \
	  pvcalls_cmd_forward, pvcalls_listener_accept) \
	x(PVCALLS_POLL, "poll", PVCALLS_F_NONE, \
	  pvcalls_cmd_forward, pvcalls_listener_poll) \
	x(PVCALLS_SHUTDOWN, "shutdown", PVCALLS_F_SHUTDOWN, \
	  pvcalls_cmd_forward, pvcalls_conn_shutdown) \
	x(PVCALLS_GETNAME, "getname", PVCALLS_F_NAMES, \
	  pvcalls_cmd_forward, pvcalls_name_get) \
	x(PVCALLS_DEFERRED, "deferred", PVCALLS_F_DEFER, \
	  pvcalls_cmd_deferred, NULL) \
	x(PVCALLS_SETSOCKOPT, "setsockopt", PVCALLS_F_SOCKOPT, \
	  pvcalls_cmd_forward, pvcalls_sockopt_set) \
	x(PVCALLS_FORGET, "forget", PVCALLS_F_REUSE, \
	  pvcalls_cmd_forget, NULL) \
	last(PVCALLS_GETSOCKOPT, "getsockopt", PVCALLS_F_GETSOCKOPT, \
	     pvcalls_cmd_forward, pvcalls_sockopt_get)

#endif /* PVCALLS_BACK_COMMANDS_H */
