/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets of the family under test, with every wait bounded. */
#ifndef INTEROP_SOCK_H
#define INTEROP_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "wire.h"

extern int sock_family;
extern const char *sock_host;
extern int sock_base;
extern int sock_patience;	/* seconds without a byte before giving up */

__attribute__((format(printf, 1, 2)))
noreturn void fail(const char *format, ...);

double now(void);

int sock_new(void);
int sock_connect(int port);		/* returns a socket or -errno */
int sock_listen(int port, int backlog);	/* port is absolute */
int sock_accept(int fd);
void sock_close(int fd);
bool sock_wait(int fd, short events, int ms);

void sock_put(int fd, const void *data, size_t len);
size_t sock_get_some(int fd, void *data, size_t len);
void sock_get(int fd, void *data, size_t len);
void sock_want_end(int fd);

void sock_order(int fd, uint32_t op, uint64_t len, uint64_t seed);
void sock_result(int fd, uint64_t len);

void stream_put(int fd, uint64_t len, uint64_t seed, size_t most);
void stream_get(int fd, uint64_t len, uint64_t seed, size_t most);
void stream_both(int fd, uint64_t out, uint64_t seed_out, uint64_t in,
		 uint64_t seed_in, size_t most);

uint32_t rnd(void);

#endif /* INTEROP_SOCK_H */
