// SPDX-License-Identifier: GPL-2.0
/*
 * Shows and tunes the PV Calls modules of this domain: what they tell in
 * debugfs, as a table or as JSON, and their parameters.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "flows.h"
#include "netlink.h"
#include "table.h"
#include "trace.h"

static const char * const modules[] = { "pvcalls_mt_back", "pvcalls_mt_front" };
static const char *root = "";

static int usage(FILE *to, int ret);

/* What is shown: a file below each module's directory in debugfs, or more */
static const struct view {
	const char *name;
	const char *module;	/* NULL: both have it */
	const char *about;
	int (*read)(struct table *t);	/* where it does not come from a file */
} views[] = {
	{ "sockets", NULL, "sockets, their rings and states", NULL },
	{ "guests", "pvcalls_mt_back", "connected guests, in the backend's domain",
	  netlink_guests },
	{ "accounts", "pvcalls_mt_back", "what each guest has of what all share", NULL },
	{ "workers", "pvcalls_mt_back", "the backend's threads", NULL },
	{ "backend", "pvcalls_mt_front", "the backend, in a guest", NULL },
	{ "users", "pvcalls_mt_front", "what each user of a guest has of its sockets", NULL },
	{ "capture", "pvcalls_mt_front", "whether new sockets are captured, in a guest", NULL },
};

static const char *path_of(const char *format, const char *module,
			   const char *name)
{
	static char path[4096];
	int n = snprintf(path, sizeof(path), "%s", root);

	snprintf(path + n, sizeof(path) - n, format, module, name);
	return path;
}

static bool loaded(const char *module)
{
	return !access(path_of("/sys/module/%s%s", module, ""), F_OK);
}

/* Which modules a command is about; says so if there is none. */
static int none_loaded(const char *module)
{
	if (module)
		fprintf(stderr, "pvcallsctl: %s is not loaded\n", module);
	else
		fputs("pvcallsctl: neither pvcalls_mt_back nor pvcalls_mt_front is loaded\n",
		      stderr);
	return 1;
}

static int show_table(const struct view *view, struct table *t, bool json)
{
	if (json)
		print_json(t);
	else if (t->rows)
		print_table(t);
	else
		printf("no %s\n", view->name);
	table_free(t);
	return fflush(stdout) ? 1 : 0;
}

static int show_once(const struct view *view, bool json)
{
	struct table t = {};
	const char *path;
	int found = 0;
	size_t i;

	for (i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		if (view->module && strcmp(view->module, modules[i]))
			continue;
		if (!loaded(modules[i]))
			continue;
		found++;
		path = path_of("/sys/kernel/debug/%s/%s", modules[i],
			       view->name);
		if (!table_read(&t, path)) {
			fprintf(stderr, "pvcallsctl: %s: %s\n", path,
				strerror(errno));
			if (errno == EACCES)
				fputs("Only root may look.\n", stderr);
			else if (errno == ENOENT)
				fputs("Is debugfs mounted there?\n", stderr);
			table_free(&t);
			return 1;
		}
	}
	if (!found)
		return none_loaded(view->module);
	return show_table(view, &t, json);
}

/* One whose figures come from the module itself */
static int show_read(const struct view *view, bool json)
{
	struct table t = {};

	if (!loaded(view->module))
		return none_loaded(view->module);
	if (view->read(&t)) {
		table_free(&t);
		return 1;
	}
	return show_table(view, &t, json);
}

static int show(const struct view *view, bool json, unsigned int interval)
{
	int ret;

	for (;;) {
		if (interval && !json && isatty(STDOUT_FILENO))
			fputs("\033[H\033[J", stdout);
		ret = view->read ? show_read(view, json) : show_once(view, json);
		if (ret || !interval)
			return ret;
		sleep(interval);
	}
}

/* ---- policies ---- */

/* Returns false for what is not the number of a domain. */
static bool is_domid(const char *text, unsigned long *domid)
{
	char *end;

	*domid = strtoul(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && *domid <= 65535;
}

/* pvcallsctl policy DOMID [show | set RULES] */
static int policy(int argc, char **argv, bool json)
{
	const char *module = "pvcalls_mt_back";
	unsigned long domid;

	if (argc < 1 || !is_domid(argv[0], &domid))
		return usage(stderr, 2);
	if (argc == 1 || (argc == 2 && !strcmp(argv[1], "show")))
		return loaded(module) ? netlink_policy_show(domid, json) :
					none_loaded(module);
	if (argc == 3 && !strcmp(argv[1], "set"))
		return loaded(module) ? netlink_policy_set(domid, argv[2]) :
					none_loaded(module);
	return usage(stderr, 2);
}

/* pvcallsctl flows [DOMID] */
static int log_flows(const char *only, bool json)
{
	const char *module = "pvcalls_mt_back";
	unsigned long domid;

	if (only && !is_domid(only, &domid))
		return usage(stderr, 2);
	return loaded(module) ? flows(only ? (long)domid : -1, json) :
				none_loaded(module);
}

/* ---- parameters ---- */

static bool read_line(const char *path, char *value, size_t size)
{
	FILE *f = fopen(path, "r");
	bool ok;

	if (!f)
		return false;
	ok = fgets(value, size, f);
	fclose(f);
	if (ok)
		value[strcspn(value, "\n")] = '\0';
	return ok;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Returns whether there is such a one that can be read. */
static bool list_parameter(const char *module, const char *name, bool json,
			   bool first)
{
	char value[4096];

	if (*name == '.' ||
	    !read_line(path_of("/sys/module/%s/parameters/%s", module, name),
		       value, sizeof(value)))
		return false;
	if (json) {
		printf("%s{\"module\": \"%s\", \"name\": \"%s\", \"value\": ",
		       first ? "" : ",\n ", module, name);
		print_string(value);
		putchar('}');
	} else {
		printf("%-17s %-16s %s\n", module, name, value);
	}
	return true;
}

static int list_parameters(bool json)
{
	struct dirent **names;
	int found = 0, n, k;
	size_t i;

	if (json)
		printf("[");
	for (i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		n = scandir(path_of("/sys/module/%s/parameters%s", modules[i],
				    ""), &names, NULL, by_name);
		for (k = 0; k < n; k++) {
			found += list_parameter(modules[i], names[k]->d_name,
						json, !found);
			free(names[k]);
		}
		if (n >= 0)
			free(names);
	}
	if (json)
		puts("]");
	return found ? 0 : none_loaded(NULL);
}

static int set_parameter(const char *name, const char *value)
{
	const char *path;
	size_t i;
	FILE *f;

	if (strchr(name, '/')) {
		fprintf(stderr, "pvcallsctl: %s is no parameter\n", name);
		return 2;
	}
	for (i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		path = path_of("/sys/module/%s/parameters/%s", modules[i],
			       name);
		if (access(path, F_OK))
			continue;
		f = fopen(path, "w");
		if (f && fputs(value, f) >= 0 && !fclose(f))
			return 0;
		fprintf(stderr, "pvcallsctl: %s=%s: %s; dmesg may say why\n",
			name, value, strerror(errno));
		return 1;
	}
	fprintf(stderr, "pvcallsctl: no parameter %s in a module that is loaded\n",
		name);
	return 1;
}

static int usage(FILE *to, int ret)
{
	size_t i;

	fputs("usage: pvcallsctl [--json] [--watch SECONDS] WHAT\n"
	      "       pvcallsctl [--json] parameters\n"
	      "       pvcallsctl set PARAMETER VALUE\n"
	      "       pvcallsctl [--json] policy DOMID [show]\n"
	      "       pvcallsctl policy DOMID set RULES\n"
	      "       pvcallsctl [--json] flows [DOMID]\n"
	      "       pvcallsctl trace\n"
	      "       pvcallsctl [--json] doctor [GUESTS]\n"
	      "Shows and tunes the PV Calls modules of this domain.\n"
	      "  WHAT:\n", to);
	for (i = 0; i < sizeof(views) / sizeof(*views); i++)
		fprintf(to, "    %-9s %s\n", views[i].name, views[i].about);
	fputs("  --json           for scripts\n"
	      "  --watch SECONDS  again and again\n"
	      "  --root DIR       take DIR/sys for /sys, DIR/proc for /proc\n"
	      "  --help           this text\n"
	      "Ends with 0, or with 1 if there is nothing to look at or it is refused, 2 if it\n"
	      "was called wrongly. See pvcallsctl(8).\n", to);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "watch", required_argument, NULL, 'w' },
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	unsigned int interval = 0;
	bool json = false;
	size_t i;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'w':
			if (!is_number(optarg) || atoi(optarg) < 1)
				return usage(stderr, 2);
			interval = atoi(optarg);
			break;
		case 'r':
			root = optarg;
			break;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 2);
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 3 && !strcmp(argv[0], "set"))
		return set_parameter(argv[1], argv[2]);
	if (argc == 2 && !strcmp(argv[0], "doctor") && is_number(argv[1]) &&
	    atol(argv[1]) > 0)
		return doctor(root, atol(argv[1]), json);
	if (argc == 2 && !strcmp(argv[0], "flows"))
		return log_flows(argv[1], json);
	if (argc > 1 && !strcmp(argv[0], "policy"))
		return policy(argc - 1, argv + 1, json);
	if (argc != 1)
		return usage(stderr, 2);
	if (!strcmp(argv[0], "doctor"))
		return doctor(root, 0, json);
	if (!strcmp(argv[0], "parameters"))
		return list_parameters(json);
	if (!strcmp(argv[0], "flows"))
		return log_flows(NULL, json);
	if (!strcmp(argv[0], "trace"))
		return trace(root);
	for (i = 0; i < sizeof(views) / sizeof(*views); i++)
		if (!strcmp(argv[0], views[i].name))
			return show(&views[i], json, interval);
	return usage(stderr, 2);
}
