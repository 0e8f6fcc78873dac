// SPDX-License-Identifier: GPL-2.0
/* See doctor.h. The arithmetic is that of docs/tuning.md. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

#define MODULE		"/sys/module/pvcalls_mt_back/parameters/"
#define ACCOUNTS	"/sys/kernel/debug/pvcalls_mt_back/accounts"

/* Xen: entries of a frame, and what its parameters are unless they are named */
#define MAPTRACK_ENTRIES	256
#define MAPTRACK_FRAMES		1024
#define GRANTS			512
#define GRANT_FRAMES		64
/* Event channels of a domain: with FIFO queues, without, and of a guest by xl */
#define EVENTS_FIFO		131072
#define EVENTS_2L		4096
#define EVENTS_GUEST		1023
/* Maptrack entries of a guest's other devices: a disk, a network card of 2 queues */
#define OTHER_DEVICES		(1056 + 2 * 256)
/* Pages of a ring of order 8, which is the default, and rings that a guest should have */
#define RING_PAGES		257
#define RINGS			8
/* Bytes of an idle socket, and of a connection that waits to be accepted */
#define SOCKET_BYTES		5120
#define QUEUED_BYTES		2560
/* The part of host_pages that is not for shares is one in so many, and enough for so many guests */
#define KEPT_PART		8
#define KEPT_GUESTS		64
/* Ports that should remain for programs of this domain */
#define OWN_PORTS		4096

/**
 * struct facts - what the backend, Xen and Linux say
 * @guests: number of guests
 * @share: guest_share
 * @sockets: host_sockets
 * @queued: host_queued
 * @ports: host_ports
 * @pages: host_pages
 * @maptrack: frames of Dom0's maptrack table
 * @grants: frames of a guest's grant table
 * @events: event channels that this domain can have
 * @first_port: of those that Linux gives out by itself
 * @last_port: likewise
 * @memory: of this domain, in KiB
 */
struct facts {
	long guests, share, sockets, queued, ports, pages;
	long maptrack, grants, events;
	long first_port, last_port, memory;
};

static const char *base = "";
static int shown, bad;
static bool in_json;

__attribute__((format(printf, 5, 6)))
static void verdict(const char *check, bool ok, long have, long need, const char *format, ...)
{
	va_list args;

	bad += !ok;
	if (in_json)
		printf("%s{\"check\": \"%s\", \"fits\": %s, \"have\": %ld, \"need\": %ld, \"text\": \"",
		       shown ? ",\n " : "", check, ok ? "true" : "false", have, need);
	else
		printf("%-4s %-9s ", ok ? "ok" : "BAD", check);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(in_json ? "\"}" : "\n");
	shown++;
}

static FILE *open_below(const char *path)
{
	char name[4096];

	snprintf(name, sizeof(name), "%s%s", base, path);
	return fopen(name, "r");
}

static bool number(const char *path, long *n)
{
	FILE *f = open_below(path);
	bool ok = f && fscanf(f, "%ld", n) == 1;

	if (!ok)
		fprintf(stderr, "pvcallsctl: %s%s: %s\n", base, path, f ? "no number" : strerror(errno));
	if (f)
		fclose(f);
	return ok;
}

/* The value behind a word such as "name=" in a file, or what is there without */
static long value(FILE *f, const char *word, long otherwise)
{
	char *line = NULL, *at;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0)
		for (at = line; (at = strstr(at, word)); at += strlen(word))
			if (at == line || at[-1] == ' ')
				otherwise = strtol(at + strlen(word), NULL, 0);
	free(line);
	if (f)
		rewind(f);
	return otherwise;
}

/* Domains that have an account; 0 if nobody says */
static long connected(void)
{
	long n = 0, last = -1, id;
	FILE *f = open_below(ACCOUNTS);
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "guest %ld ", &id) == 1 && id != last) {
			last = id;
			n++;
		}
	}
	if (f)
		fclose(f);
	return n;
}

/* What Xen was started with, in a file; NULL if the toolstack does not say */
static FILE *xen_info(void)
{
	FILE *xl = popen("xl info 2>/dev/null", "r"), *kept = tmpfile();
	char line[4096];
	long lines = 0;

	while (xl && kept && fgets(line, sizeof(line), xl)) {
		fputs(line, kept);
		lines++;
	}
	if (xl)
		pclose(xl);
	if (kept && lines) {
		rewind(kept);
		return kept;
	}
	if (kept)
		fclose(kept);
	return NULL;
}

static bool look(struct facts *is, long guests)
{
	FILE *f;

	if (!number(MODULE "guest_share", &is->share) || !number(MODULE "host_sockets", &is->sockets) ||
	    !number(MODULE "host_queued", &is->queued) || !number(MODULE "host_ports", &is->ports) ||
	    !number(MODULE "host_pages", &is->pages))
		return false;
	is->guests = guests ?: connected() ?: 1;

	f = xen_info();
	if (!f)
		fputs("pvcallsctl: xl info says nothing; Xen's own defaults are assumed\n", stderr);
	is->maptrack = value(f, "gnttab_max_maptrack_frames=", MAPTRACK_FRAMES);
	is->grants = value(f, "gnttab_max_frames=", GRANT_FRAMES);
	if (f)
		fclose(f);

	f = open_below("/proc/cmdline");
	is->events = value(f, "xen.fifo_events=", 1) ? EVENTS_FIFO : EVENTS_2L;
	if (f)
		fclose(f);
	f = open_below("/proc/meminfo");
	is->memory = value(f, "MemTotal:", 0);
	if (f)
		fclose(f);
	f = open_below("/proc/sys/net/ipv4/ip_local_port_range");
	if (!f || fscanf(f, "%ld %ld", &is->first_port, &is->last_port) != 2)
		is->first_port = is->last_port = 0;
	if (f)
		fclose(f);
	return true;
}

/* Pages that each of so many guests gets that all want as many as they get */
static long each(const struct facts *is)
{
	long kept = is->pages / KEPT_PART;
	long share = (is->pages - kept) * is->share / (100 + (is->guests - 1) * is->share);
	long least = kept / KEPT_GUESTS;

	return share > least ? share : least;
}

static void check(const struct facts *is)
{
	long entries = is->maptrack * MAPTRACK_ENTRIES, others = is->guests * OTHER_DEVICES;
	long mine = each(is), grants = is->grants * GRANTS;
	long events = is->guests * EVENTS_GUEST, range = is->last_port - is->first_port + 1;
	long memory = (is->sockets * SOCKET_BYTES + is->queued * QUEUED_BYTES) / 1024;

	verdict("maptrack", entries >= is->pages + others, entries, is->pages + others,
		"%ld entries (gnttab_max_maptrack_frames=%ld): %ld for rings (host_pages), %ld for other devices of %ld guests; "
		"gnttab_max_maptrack_frames=%ld is enough", entries, is->maptrack, is->pages, others, is->guests,
		(is->pages + others + MAPTRACK_ENTRIES - 1) / MAPTRACK_ENTRIES);
	verdict("pages", mine >= RINGS * RING_PAGES, mine, RINGS * RING_PAGES,
		"each of %ld guests that want all may have %ld pages mapped (host_pages, guest_share): %ld rings of order 8",
		is->guests, mine, mine / RING_PAGES);
	verdict("grants", grants >= RINGS * RING_PAGES, grants, RINGS * RING_PAGES,
		"a guest can grant %ld pages to all its backends (gnttab_max_frames=%ld): %ld rings of order 8", grants,
		is->grants, grants / RING_PAGES);
	verdict("events", is->events >= events, is->events, events,
		"this domain can have %ld event channels, and %ld guests %ld each (event_channels= in xl.cfg)", is->events,
		is->guests, (long)EVENTS_GUEST);
	if (range > 1)
		verdict("ports", range >= is->ports + OWN_PORTS, range, is->ports + OWN_PORTS,
			"%ld ports (net.ipv4.ip_local_port_range): %ld for guests (host_ports), %ld for this domain's programs and all connections",
			range, is->ports, range - is->ports);
	if (is->memory)
		verdict("memory", is->memory / 2 >= memory, is->memory / 2, memory,
			"%ld MiB: %ld MiB for idle sockets and connections that wait (host_sockets, host_queued)",
			is->memory / 1024, memory / 1024);
}

int doctor(const char *root, long guests, bool json)
{
	struct facts is = {};

	base = root;
	in_json = json;
	if (!look(&is, guests))
		return 1;
	if (json)
		putchar('[');
	check(&is);
	if (json)
		puts("]");
	return bad || fflush(stdout) ? 1 : 0;
}
