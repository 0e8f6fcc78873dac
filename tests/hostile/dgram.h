/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams of a frontend by hand: feature-dgram. Dom0 sends them back from
 * PORT_ECHO.
 */
#ifndef HOSTILE_DGRAM_H
#define HOSTILE_DGRAM_H

#include "front.h"

#define DGRAM_HEADER	48
#define DGRAM_SIZE(len)	(DGRAM_HEADER + (((len) + 7) & ~7U))

/* Control data first, then the datagram */
struct record {
	u32 len, type;
	s32 err;
	u32 addr_len;
	u8 addr[28];
	u32 ctl_len;
	u8 data[65544 + 128];
};

_Static_assert(offsetof(struct record, data) == DGRAM_HEADER, "record");

extern struct fe dgram_fe;
/* What dgram_send() sends, and what dgram_next() has read */
extern struct record dgram_out, dgram_in;

/* False if there is no such extension, or not the other one */
bool dgram_open(void);
bool dgram_open_with(const char *feature);
s32 dgram_socket(u64 id, u32 type, u32 protocol);
void dgram_attach(struct conn *c, u32 order);	/* a socket with a ring */
void dgram_fill(u32 len, u32 seed);	/* a datagram for Dom0's echo */
void dgram_send(struct conn *c, u32 bytes);
bool dgram_next(struct conn *c, unsigned int ms);	/* false: none comes */
void dgram_echo(struct conn *c, u32 len);

#endif /* HOSTILE_DGRAM_H */
