/* SPDX-License-Identifier: GPL-2.0 */
/* The bytes of an input, from which a target makes what it needs. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition) do { \
	if (!(condition)) { \
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
			#condition); \
		abort(); \
	} \
} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;

/* Zeroes follow the last byte of the input */
static inline void take(void *to, size_t n)
{
	size_t have = n < left ? n : left;

	memset(to, 0, n);
	memcpy(to, input, have);
	input += have;
	left -= have;
}

static inline uint32_t take_u8(void)
{
	uint8_t v;

	take(&v, sizeof(v));
	return v;
}

static inline uint32_t take_u32(void)
{
	uint32_t v;

	take(&v, sizeof(v));
	return v;
}

/* A copy that the address sanitizer knows the end of, for free() */
static inline void *exact(const void *from, size_t n)
{
	void *p = malloc(n);

	MUST(p);
	return memcpy(p, from, n);
}

#endif /* FUZZ_INPUT_H */
