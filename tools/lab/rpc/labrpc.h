/* SPDX-License-Identifier: GPL-2.0 */
/*
 * labrpc: run commands in a Xen guest from Dom0, over xenstore alone.
 *
 * The guest under test may have no network, and its grants and event channels are what the tests count. So this uses
 * what every guest has anyway: its own data/ directory in xenstore. Everything waits on watches, nothing polls.
 *
 *   labrpc agent              in the guest, usually as PID 1
 *   labrpc ready DOMID        in Dom0: wait until the guest's agent serves
 *   labrpc wait PATH VALUE    in either: wait until the node at PATH holds VALUE
 *   labrpc run DOMID COMMAND  in Dom0: run COMMAND there with sh -c; stdout, stderr and exit code are the command's
 *
 * Below /local/domain/DOMID/data/lab:
 *
 *   ready          agent: it serves
 *   cmd/ID/0..n    client: the command's text, in pieces
 *   cmd/ID/go      client: the number of pieces; the command starts
 *   cmd/ID/ack     client: how many frames it has read
 *   out/ID/SLOT    agent: frame number SEQ in slot SEQ % WINDOW: 8 hex digits of SEQ, a tag, then data
 *
 * Tags: '1' stdout, '2' stderr, 'x' the exit code, which ends the job. A client that goes away removes cmd/ID, upon
 * which the agent kills the command. A command's background children don't keep it from ending.
 */
#ifndef LABRPC_H
#define LABRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

#define WINDOW		16	/* frames under way, per command */
#define ACK_EVERY	4	/* frames that the client reads before it says so */
#define FRAME_HEAD	9	/* 8 hex digits and a tag */
#define FRAME_DATA	1800	/* xenstored allows a guest 2048 bytes per node, head and permissions included */
#define PIECE		1800	/* of a command's text */
#define PATH_LEN	160
#define ID_LEN		32

#define EXIT_TRANSPORT	255	/* the client's own failure, as with ssh */

extern struct xs_handle *xs;

_Noreturn void agent(void);

/* Prints an error and exits with EXIT_TRANSPORT. */
__attribute__((format(printf, 1, 2)))
_Noreturn void die(const char *format, ...);

/* Formats a path into PATH_LEN bytes. */
__attribute__((format(printf, 2, 3)))
char *path_of(char *path, const char *format, ...);

void open_store(void);
bool store(const char *path, const void *value, size_t len);
long number_at(const char *path, long missing);
int signals_as_file(int one, int other);

#endif
