/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tcp_peer and its clients agree on: ports, orders, and a stream of
 * bytes that both can compute, so that each byte can be compared where it
 * arrives.
 */
#ifndef INTEROP_WIRE_H
#define INTEROP_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRE_MAGIC	0x70766331U

/* Ports, counted from the base port */
enum {
	PORT_ORDERS,	/* struct wire_order, then what it asks for */
	PORT_GREET,	/* sends GREET_BYTES, then reads until the end */
	PORT_STREAM,	/* sends without end and never reads */
	PORT_ECHO,	/* sends back what it reads */
	PORT_GIVE,	/* sends GREET_BYTES and closes */
	PORT_RESET,	/* resets the connection after the first byte */
	PORT_COUNT,
	PORT_NOBODY = 9, /* nobody listens there */
};

#define GREET_BYTES	100000
#define GREET_SEED	11
#define STREAM_SEED	12

enum wire_op {
	OP_SINK = 1,	/* client sends len bytes; answer: struct wire_result */
	OP_SOURCE,	/* server sends len bytes */
	OP_DUPLEX,	/* both at once; then struct wire_result */
	OP_TAIL,	/* client sends len bytes and closes; kept under key */
	OP_QUERY,	/* answer: what OP_TAIL has kept under key */
	OP_CALLBACK,	/* server connects count times to port, each echoing len */
};

struct wire_order {
	uint32_t magic;
	uint32_t op;
	uint64_t len;
	uint64_t seed;
	uint64_t key;
	uint32_t count;
	uint16_t port;
	uint16_t delay_ms;
};

struct wire_result {
	uint32_t magic;
	uint32_t done;		/* 0: nothing known (yet) */
	uint64_t bytes;		/* received, or connections that were right */
	uint64_t wrong_at;	/* first wrong byte, or ~0 */
};

/* Eight bytes of the stream, number @i */
static inline uint64_t wire_word(uint64_t seed, uint64_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ULL + seed;

	x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9ULL;
	return x ^ (x >> 32);
}

static inline void wire_fill(uint8_t *to, size_t len, uint64_t seed,
			     uint64_t off)
{
	while (len) {
		uint64_t word = wire_word(seed, off / 8);
		size_t skip = off % 8, n = 8 - skip;

		if (n > len)
			n = len;
		memcpy(to, (uint8_t *)&word + skip, n);
		to += n;
		off += n;
		len -= n;
	}
}

/* Returns the offset of the first wrong byte, or ~0 */
static inline uint64_t wire_check(const uint8_t *from, size_t len,
				  uint64_t seed, uint64_t off)
{
	while (len) {
		uint64_t word = wire_word(seed, off / 8);
		size_t skip = off % 8, n = 8 - skip;

		if (n > len)
			n = len;
		if (memcmp(from, (uint8_t *)&word + skip, n)) {
			for (n = 0; from[n] == ((uint8_t *)&word)[skip + n];)
				n++;
			return off + n;
		}
		from += n;
		off += n;
		len -= n;
	}
	return ~0ULL;
}

#endif /* INTEROP_WIRE_H */
