// SPDX-License-Identifier: GPL-2.0
/* Parsing of a topology; nodemap.h says what it is. */
#include "nodemap.h"

/* Read a decimal number up to @max. Returns the end of the number, or NULL. */
static const char *nodemap_number(const char *s, u32 max, u32 *number)
{
	u32 n = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (*s - '0');
		/* check each digit, so that the number can't overflow */
		if (n > max)
			return NULL;
	}
	*number = n;
	return s;
}

/* Read one "CPU:NODE" or "CPU-CPU:NODE". Returns the item's end, or NULL. */
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
		/* a CPU must not be named twice */
		if (node[first] != NODEMAP_NO_NODE)
			return NULL;
		node[first] = where;
	}
	return s;
}

/**
 * nodemap_parse() - read a topology
 * @s: the topology, for example "0-3:0,4-7:1", or an empty string that names no
 *	CPU. One end of line after the topology is ignored
 * @node: array of @cpus entries, set to each CPU's node, or to NODEMAP_NO_NODE
 *	if the CPU is not named. The entries make no sense on error
 * @cpus: number of possible CPUs, 1 to 2^24
 *
 * Context: any.
 * Return: 0; or -EINVAL if @s can't be read, names a CPU twice, or names an
 * impossible CPU.
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
