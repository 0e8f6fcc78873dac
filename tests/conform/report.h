/* SPDX-License-Identifier: GPL-2.0 */
/* What the two runs of each case have said, compared. */
#ifndef REPORT_H
#define REPORT_H

#include "conform.h"

/**
 * struct result - a case that has been run
 * @theme: what it belongs to
 * @test: the case
 * @native: what it said over TCP
 * @ours: what it said over PV Calls
 */
struct result {
	const char *theme;
	const struct test *test;
	struct trace *native;
	struct trace *ours;
};

/* A line at once, for who watches */
void report_progress(const struct result *r);

/*
 * The table. With @all cases run, known differences must have been seen. What
 * the program is to end with.
 */
int report(const struct result *results, unsigned int n, const char *known,
	   const char *json, bool traces, bool all);

#endif
