// SPDX-License-Identifier: GPL-2.0
/* What a case says goes to memory that its parent reads. */
#define _GNU_SOURCE
#include "conform.h"
#include <stdarg.h>

struct trace *trace;

void step(const char *label)
{
	snprintf(trace->step, sizeof(trace->step), "%s", label);
}

void say(const char *label, const char *fmt, ...)
{
	struct line *l = &trace->line[trace->lines];
	va_list ap;

	if (trace->lines == MAX_LINES) {
		fprintf(stderr, "pvconform: a case says too much\n");
		_exit(4);
	}
	snprintf(l->label, sizeof(l->label), "%s", label);
	va_start(ap, fmt);
	vsnprintf(l->value, sizeof(l->value), fmt, ap);
	va_end(ap);
	trace->lines++;
}

void skip(const char *why)
{
	snprintf(trace->skip, sizeof(trace->skip), "%s", why);
	trace->done = true;
	_exit(0);
}

const char *error_name(long err)
{
	static char text[32];
	const char *name = strerrorname_np(err);

	if (name)
		return name;
	snprintf(text, sizeof(text), "error %ld", err);
	return text;
}

long said(const char *label, long ret)
{
	if (ret < 0 && ret > -4096)
		say(label, "%s", error_name(-ret));
	else
		say(label, "%ld", ret);
	return ret;
}
