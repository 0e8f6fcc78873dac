// SPDX-License-Identifier: GPL-2.0
/* See nodemap.h. */
#include "nodemap.h"

/* A decimal number up to @max. Returns where it ends, or NULL. */
static const char *nodemap_number(const char *s, u32 max, u32 *number)
{
	u32 n = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (*s - '0');
		/* before it can overflow */
		if (n > max)
			return NULL;
	}
	*number = n;
	return s;
}

/* One "CPU:NODE" or "CPU-CPU:NODE". Returns where it ends, or NULL. */
static const char *nodemap_item(const char *s, s16 *node, u32 cpus)
{
	u32 first, last, where;

	s = nodemap_number(s, cpus - 1, &first);
	if (!s)
		return NULL;
	last = first;
	if (*s == '-') {
		s = nodemap_number(s + 1, cpus - 1, &last);
		if (!s || last < first)
			return NULL;
	}
	if (*s != ':')
		return NULL;
	s = nodemap_number(s + 1, NODEMAP_MAX_NODE, &where);
	if (!s)
		return NULL;
	for (; first <= last; first++) {
		/* named twice */
		if (node[first] != NODEMAP_NO_NODE)
			return NULL;
		node[first] = where;
	}
	return s;
}

/**
 * nodemap_parse() - read a topology
 * @s: for example "0-3:0,4-7:1"; nothing: no CPU is named; an end of line
 *	after it does not matter
 * @node: array of @cpus, set to each CPU's node, or NODEMAP_NO_NODE for those
 *	that are not named; on error its contents make no sense
 * @cpus: how many CPUs there can be, from 1 to 2^24
 *
 * Context: any.
 * Return: 0, or -EINVAL if it can't be read, names a CPU twice or one that
 * there can't be.
 */
int nodemap_parse(const char *s, s16 *node, u32 cpus)
{
	u32 i;

	for (i = 0; i < cpus; i++)
		node[i] = NODEMAP_NO_NODE;
	if (*s && *s != '\n') {
		for (;;) {
			s = nodemap_item(s, node, cpus);
			if (!s)
				return -EINVAL;
			if (*s != ',')
				break;
			s++;
		}
	}
	if (*s == '\n')
		s++;
	return *s ? -EINVAL : 0;
}
